// Money under random sequences of everything the ledger can do, against a model of a few lines.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Database, Stores } from '../../src/app/ports/database.ts';
import { openDatabase } from '../../src/db/open-database.ts';
import {
  BANK,
  escrowAccount,
  ISSUANCE,
  memberAccount,
  type TransferCode,
} from '../../src/ledger/ledger-store.ts';
import { pay, payFromBank } from '../../src/ledger/posting.ts';
import { AppError, type ErrorCode } from '../../src/shared/errors.ts';
import { guyaCoin } from '../../src/shared/guya-coin.ts';
import type { AccountId, HoldId, SettlementId, TransferId } from '../../src/shared/ids.ts';
import { memberId, prepareSettlement } from '../support/temp-database.ts';

const MEMBERS = [0, 1, 2].map((number) => memberAccount(memberId(number)));
const ACCOUNTS = [...MEMBERS, BANK];

type Step =
  | {
      readonly kind: 'transfer';
      readonly id: number;
      readonly from: AccountId;
      readonly to: AccountId;
      readonly amount: number;
      readonly code: TransferCode;
    }
  | {
      readonly kind: 'pay' | 'bank';
      readonly position: number;
      readonly to: AccountId;
      readonly amount: number;
    }
  | {
      readonly kind: 'hold';
      readonly id: number;
      readonly from: AccountId;
      readonly amount: number;
    }
  | { readonly kind: 'capture'; readonly id: number; readonly to: AccountId }
  | { readonly kind: 'release'; readonly id: number };

/** What the ledger should hold, and its refusals, in the simplest words. */
class Model {
  readonly balances = new Map<AccountId, number>();
  readonly transfers = new Map<string, string>();
  readonly holds = new Map<number, { from: AccountId; amount: number; open: boolean }>();

  balance(account: AccountId): number {
    return this.balances.get(account) ?? 0;
  }

  apply(step: Step): ErrorCode | undefined {
    switch (step.kind) {
      case 'transfer':
        return this.#transfer(`t${step.id}`, step.from, step.to, step.amount, step.code);
      case 'pay':
        return this.#transfer(`p${step.position}`, MEMBERS[0]!, step.to, step.amount, 'payment');
      case 'bank':
        return this.#payFromBank(step);
      case 'hold':
        return this.#hold(step);
      case 'capture':
        return this.#close(step.id, step.to);
      case 'release':
        return this.#close(step.id, undefined);
    }
  }

  #transfer(id: string, from: AccountId, to: AccountId, amount: number, code: string) {
    const body = JSON.stringify([from, to, amount, code]);
    const earlier = this.transfers.get(id);
    if (earlier !== undefined) return earlier === body ? undefined : 'KEY_REUSED';
    if (this.balance(from) < amount) return 'INSUFFICIENT_FUNDS';
    this.transfers.set(id, body);
    this.#move(from, to, amount);
    return undefined;
  }

  #payFromBank({ position, to, amount }: { position: number; to: AccountId; amount: number }) {
    const missing = amount - this.balance(BANK);
    if (!this.transfers.has(`p${position}`) && missing > 0) this.#move(ISSUANCE, BANK, missing);
    return this.#transfer(`p${position}`, BANK, to, amount, 'daily');
  }

  #hold({ id, from, amount }: { id: number; from: AccountId; amount: number }) {
    const earlier = this.holds.get(id);
    if (earlier !== undefined) {
      return earlier.from === from && earlier.amount === amount ? undefined : 'KEY_REUSED';
    }
    if (this.balance(from) < amount) return 'INSUFFICIENT_FUNDS';
    this.holds.set(id, { from, amount, open: true });
    this.#move(from, escrowAccount(holdId(id)), amount);
    return undefined;
  }

  #close(id: number, to: AccountId | undefined) {
    const hold = this.holds.get(id);
    if (hold?.open !== true) return 'HOLD_NOT_OPEN';
    hold.open = false;
    this.#move(escrowAccount(holdId(id)), to ?? hold.from, hold.amount);
    return undefined;
  }

  #move(from: AccountId, to: AccountId, amount: number): void {
    this.balances.set(from, this.balance(from) - amount);
    this.balances.set(to, this.balance(to) + amount);
  }
}

const holdId = (id: number): HoldId => `hold-${id}` as HoldId;

async function applyToLedger(
  { ledger }: Stores,
  settlementId: SettlementId,
  step: Step,
): Promise<void> {
  const at = 1;
  switch (step.kind) {
    case 'transfer': {
      await ledger.insertTransfer({
        transferId: `transfer-${step.id}` as TransferId,
        debitAccount: step.from,
        creditAccount: step.to,
        amountGc: guyaCoin(step.amount),
        code: step.code,
        settlementId,
        createdAt: at,
      });
      return;
    }
    case 'pay': {
      const { position, to, amount: amountGc } = step;
      const payment = { from: MEMBERS[0]!, to, amountGc, position, settlementId, at } as const;
      await pay(ledger, { ...payment, code: 'payment' });
      return;
    }
    case 'bank': {
      const { position, to: creditAccount, amount: amountGc } = step;
      const payout = { creditAccount, amountGc, position, settlementId, at } as const;
      await payFromBank(ledger, { ...payout, code: 'daily' });
      return;
    }
    case 'hold': {
      const hold = {
        holdId: holdId(step.id),
        accountId: step.from,
        amountGc: guyaCoin(step.amount),
        settlementId,
        placedAt: at,
      };
      await ledger.placeHold(hold, 'roll-price');
      return;
    }
    case 'capture': {
      await ledger.captureHold(holdId(step.id), {
        creditAccount: step.to,
        code: 'trade-price',
        at,
      });
      return;
    }
    case 'release': {
      await ledger.releaseHold(holdId(step.id), { state: 'released', at });
      return;
    }
  }
}

const id = fc.integer({ min: 0, max: 5 });
const amount = fc.integer({ min: 1, max: 60 });
const account = fc.constantFrom(...ACCOUNTS);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc
    .record({
      kind: fc.constant('transfer' as const),
      id,
      from: account,
      to: account,
      amount,
      code: fc.constantFrom<TransferCode[]>('payment', 'correction'),
    })
    .filter(({ from, to }) => from !== to),
  fc.record({
    kind: fc.constant('pay' as const),
    position: id,
    to: fc.constantFrom(MEMBERS[1]!, MEMBERS[2]!),
    amount,
  }),
  fc.record({
    kind: fc.constant('bank' as const),
    position: fc.integer({ min: 6, max: 12 }),
    to: fc.constantFrom(...MEMBERS),
    amount,
  }),
  fc.record({ kind: fc.constant('hold' as const), id, from: account, amount }),
  fc.record({ kind: fc.constant('capture' as const), id, to: account }),
  fc.record({ kind: fc.constant('release' as const), id }),
);

async function run(db: Database, steps: readonly Step[]): Promise<void> {
  const model = new Model();
  await db.transaction(async (stores) => {
    const settlementId = await prepareSettlement(stores);
    for (const each of steps) {
      const refusal = await applyToLedger(stores, settlementId, each).then(
        () => undefined,
        (error: unknown) => (error instanceof AppError ? error.code : error),
      );
      expect(refusal).toBe(model.apply(each));
    }
    for (const [name, balanceGc] of model.balances) {
      expect([name, await stores.ledger.balanceOf(name)]).toEqual([name, balanceGc]);
      expect(name === ISSUANCE || balanceGc >= 0).toBe(true);
      const lines = await stores.ledger.listStatement(name, { limit: 1_000, offset: 0 });
      expect(lines.reduce((sum, { changeGc }) => sum + changeGc, 0)).toBe(balanceGc);
    }
    expect([...model.balances.values()].reduce((sum, each) => sum + each, 0)).toBe(0);
    const open = [...model.holds].filter(([, hold]) => hold.open).map(([number]) => holdId(number));
    const kept = await stores.ledger.listOpenHolds(settlementId);
    expect(kept.map((hold) => hold.holdId)).toEqual(open.sort());
    expect(await stores.ledger.audit()).toEqual([]);
  });
}

test('whatever is done, balances are those of the model and the audit finds nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      const db = await openDatabase({ file: ':memory:' });
      try {
        await run(db, steps);
      } finally {
        await db.close();
      }
    }),
    { numRuns: 100 },
  );
});

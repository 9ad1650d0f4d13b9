// What every LedgerStore must do.
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Database } from '../../src/app/ports/database.ts';
import {
  BANK,
  escrowAccount,
  ISSUANCE,
  memberAccount,
  type Transfer,
} from '../../src/ledger/ledger-store.ts';
import { guyaCoin } from '../../src/shared/guya-coin.ts';
import type { SettlementId, TransferId } from '../../src/shared/ids.ts';
import {
  giveCoins,
  memberId,
  newHoldId,
  newSettlementId,
  prepareSettlement,
  type OpenTestDatabase,
} from './temp-database.ts';

const ANN = memberAccount(memberId(1));
const BEN = memberAccount(memberId(2));

/** Runs the suite against the ledger of this database. */
export function describeLedgerStore(name: string, open: OpenTestDatabase): void {
  describe(`LedgerStore in ${name}`, () => {
    let db: Database;
    let settlementId: SettlementId;

    beforeEach(async () => {
      db = await open();
      settlementId = await db.transaction(async (stores) => {
        await giveCoins(stores, memberId(1), 100);
        return await prepareSettlement(stores);
      });
    });

    const transfer = (given: Partial<Transfer> = {}): Transfer => ({
      transferId: 'transfer-1' as TransferId,
      debitAccount: ANN,
      creditAccount: BEN,
      amountGc: guyaCoin(40),
      code: 'payment',
      settlementId,
      createdAt: 5,
      ...given,
    });
    const hold = () => ({
      holdId: newHoldId(),
      accountId: ANN,
      amountGc: guyaCoin(60),
      settlementId,
      placedAt: 7,
    });
    const post = (given: Partial<Transfer> = {}) =>
      db.transaction(({ ledger }) => ledger.insertTransfer(transfer(given)));
    const balances = () =>
      db.read(async ({ ledger }) => [await ledger.balanceOf(ANN), await ledger.balanceOf(BEN)]);
    const audit = () => db.read(({ ledger }) => ledger.audit());

    test('an account that was never used stands at zero and has no statement', async () => {
      const account = memberAccount(memberId(9));
      await db.read(async ({ ledger }) => {
        expect(await ledger.balanceOf(account)).toBe(0);
        expect(await ledger.countStatement(account)).toBe(0);
        expect(await ledger.listStatement(account, { limit: 10, offset: 0 })).toEqual([]);
      });
    });

    test('a transfer moves its amount, no more and no less', async () => {
      await post();
      expect(await balances()).toEqual([60, 40]);
      expect(await audit()).toEqual([]);
    });

    test('what members have is what issuance lacks', async () => {
      await post();
      await db.read(async ({ ledger }) => {
        expect(await ledger.balanceOf(ISSUANCE)).toBe(-100);
        expect(await ledger.balanceOf(BANK)).toBe(0);
      });
    });

    test('an identical repeat changes nothing, whenever it comes', async () => {
      await post();
      await post({ createdAt: 99 });
      expect(await balances()).toEqual([60, 40]);
    });

    test('an identical repeat is no new payment even when the payer has nothing left', async () => {
      await post({ amountGc: guyaCoin(100) });
      await post({ amountGc: guyaCoin(100) });
      expect(await balances()).toEqual([0, 100]);
    });

    test.each<[string, Partial<Transfer>]>([
      ['amount', { amountGc: guyaCoin(41) }],
      ['creditor', { creditAccount: BANK }],
      ['debtor', { debitAccount: BANK, creditAccount: BEN }],
      ['code', { code: 'correction' }],
    ])('an id is refused for another transfer: another %s', async (_what, given) => {
      await post();
      await expect(post(given)).rejects.toMatchObject({ code: 'KEY_REUSED' });
      expect(await balances()).toEqual([60, 40]);
    });

    test('an id is refused for a transfer of another settlement', async () => {
      await post();
      const other = await db.transaction((stores) => prepareSettlement(stores));
      await expect(post({ settlementId: other })).rejects.toMatchObject({ code: 'KEY_REUSED' });
    });

    test('nobody pays what they do not have', async () => {
      await expect(post({ amountGc: guyaCoin(101) })).rejects.toMatchObject({
        code: 'INSUFFICIENT_FUNDS',
        data: { needed: expect.stringContaining('101'), balance: expect.stringContaining('100') },
      });
      expect(await balances()).toEqual([100, 0]);
    });

    test('nobody pays from an account that was never used', async () => {
      const given = { debitAccount: BEN, creditAccount: ANN };
      await expect(post(given)).rejects.toMatchObject({ code: 'INSUFFICIENT_FUNDS' });
    });

    test('the bank cannot pay what it does not have', async () => {
      const given = { debitAccount: BANK };
      await expect(post(given)).rejects.toMatchObject({ code: 'INSUFFICIENT_FUNDS' });
    });

    test('a refusal that the work catches leaves the rest of its transaction alone', async () => {
      await db.transaction(async ({ ledger }) => {
        await ledger.insertTransfer(transfer());
        const tooMuch = transfer({ transferId: 'b' as TransferId, amountGc: guyaCoin(61) });
        await expect(ledger.insertTransfer(tooMuch)).rejects.toMatchObject({
          code: 'INSUFFICIENT_FUNDS',
        });
      });
      expect(await balances()).toEqual([60, 40]);
      expect(await audit()).toEqual([]);
    });

    test('coins cannot move within one account', async () => {
      await expect(post({ creditAccount: ANN })).rejects.toThrow(/CHECK/);
    });

    test('a transfer belongs to a settlement', async () => {
      await expect(post({ settlementId: newSettlementId() })).rejects.toThrow(/FOREIGN KEY/);
    });

    test('a hold puts coins where their owner cannot spend them', async () => {
      const placed = hold();
      await db.transaction(({ ledger }) => ledger.placeHold(placed, 'trade-price'));
      expect(await balances()).toEqual([40, 0]);
      await db.read(async ({ ledger }) => {
        expect(await ledger.balanceOf(escrowAccount(placed.holdId))).toBe(60);
        expect(await ledger.listOpenHolds()).toEqual([{ ...placed, state: 'placed' }]);
        expect(await ledger.listOpenHolds(settlementId)).toHaveLength(1);
        expect(await ledger.listOpenHolds(newSettlementId())).toEqual([]);
      });
      await expect(post({ amountGc: guyaCoin(41) })).rejects.toMatchObject({
        code: 'INSUFFICIENT_FUNDS',
      });
      expect(await audit()).toEqual([]);
    });

    test('a hold beyond the balance is refused and leaves nothing behind', async () => {
      const first = hold();
      const second = hold();
      await db.transaction(async ({ ledger }) => {
        await ledger.placeHold(first, 'trade-price');
        await expect(ledger.placeHold(second, 'trade-price')).rejects.toMatchObject({
          code: 'INSUFFICIENT_FUNDS',
        });
      });
      await db.read(async ({ ledger }) => {
        expect((await ledger.listOpenHolds()).map(({ holdId }) => holdId)).toEqual([first.holdId]);
        expect(await ledger.audit()).toEqual([]);
      });
    });

    test('an identical repeat of a hold changes nothing, another under its id is refused', async () => {
      const placed = hold();
      await db.transaction(async ({ ledger }) => {
        await ledger.placeHold(placed, 'trade-price');
        await ledger.placeHold({ ...placed, placedAt: 99 }, 'trade-price');
        const changed = { ...placed, amountGc: guyaCoin(1) };
        await expect(ledger.placeHold(changed, 'trade-price')).rejects.toMatchObject({
          code: 'KEY_REUSED',
        });
      });
      expect(await balances()).toEqual([40, 0]);
    });

    test('a captured hold goes where it should, once', async () => {
      const { holdId, ...rest } = hold();
      const capture = { creditAccount: BEN, code: 'trade-price', at: 9 } as const;
      await db.transaction(async ({ ledger }) => {
        await ledger.placeHold({ holdId, ...rest }, 'trade-price');
        await ledger.captureHold(holdId, capture);
        await expect(ledger.captureHold(holdId, capture)).rejects.toMatchObject({
          code: 'HOLD_NOT_OPEN',
        });
        await expect(
          ledger.releaseHold(holdId, { state: 'released', at: 9 }),
        ).rejects.toMatchObject({ code: 'HOLD_NOT_OPEN' });
      });
      expect(await balances()).toEqual([40, 60]);
      expect(await db.read(({ ledger }) => ledger.listOpenHolds())).toEqual([]);
      expect(await audit()).toEqual([]);
    });

    test.each(['released', 'expired'] as const)('a %s hold goes back, once', async (state) => {
      const { holdId, ...rest } = hold();
      await db.transaction(async ({ ledger }) => {
        await ledger.placeHold({ holdId, ...rest }, 'trade-price');
        await ledger.releaseHold(holdId, { state, at: 9 });
        await expect(ledger.releaseHold(holdId, { state, at: 9 })).rejects.toMatchObject({
          code: 'HOLD_NOT_OPEN',
        });
        await expect(
          ledger.captureHold(holdId, { creditAccount: BEN, code: 'trade-price', at: 9 }),
        ).rejects.toMatchObject({ code: 'HOLD_NOT_OPEN' });
      });
      expect(await balances()).toEqual([100, 0]);
      expect(await audit()).toEqual([]);
    });

    test('a hold that nobody placed is not open', async () => {
      await expect(
        db.transaction(({ ledger }) =>
          ledger.releaseHold(newHoldId(), { state: 'released', at: 9 }),
        ),
      ).rejects.toMatchObject({ code: 'HOLD_NOT_OPEN' });
    });

    test('a statement tells every change and the balance after it, newest first', async () => {
      await post();
      await post({ transferId: 'transfer-2' as TransferId, amountGc: guyaCoin(10) });
      const lines = await db.read(({ ledger }) =>
        ledger.listStatement(ANN, { limit: 10, offset: 0 }),
      );
      expect(lines.map((line) => [line.code, line.changeGc, line.balanceAfterGc])).toEqual([
        ['payment', -10, 50],
        ['payment', -40, 60],
        ['daily', 100, 100],
      ]);
      expect(lines[1]).toEqual({ ...transfer(), changeGc: -40, balanceAfterGc: 60 });
    });

    test('a statement comes in pages that meet without gap or overlap', async () => {
      for (let number = 0; number < 7; number += 1) {
        const transferId = `page-${number}` as TransferId;
        await post({ transferId, amountGc: guyaCoin(1 + number) });
      }
      await db.read(async ({ ledger }) => {
        const count = await ledger.countStatement(ANN);
        const all = await ledger.listStatement(ANN, { limit: 100, offset: 0 });
        expect(all).toHaveLength(count);
        const pages = [];
        for (let offset = 0; offset < count; offset += 3) {
          pages.push(...(await ledger.listStatement(ANN, { limit: 3, offset })));
        }
        expect(pages).toEqual(all);
        expect(await ledger.listStatement(ANN, { limit: 3, offset: count })).toEqual([]);
      });
    });
  });
}

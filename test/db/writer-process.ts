// A process that writes until it is killed; it tells its parent the number of each transaction that is durable.
import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { openDatabase } from '../../src/db/open-database.ts';
import { memberAccount } from '../../src/ledger/ledger-store.ts';
import { pay, payFromBank } from '../../src/ledger/posting.ts';
import type { IdempotencyKey, MemberId, SettlementId } from '../../src/shared/ids.ts';

const [file = '', firstNumber = '0', lastNumber = '0'] = process.argv.slice(-3);
const CALLERS = 8;
const [ANN, BEN] = ['1', '2'] as [MemberId, MemberId];

const db = await openDatabase({ file });
let next = Number(firstNumber);

/** Two transfers in one settlement: money that is there by half is easily seen. */
async function writeOne(number: number): Promise<void> {
  await db.transaction(async (stores) => {
    const settlementId = randomUUID() as SettlementId;
    const [ann, ben] = [memberAccount(ANN), memberAccount(BEN)];
    const at = number;
    await stores.settlements.insertSettlement({
      settlementId,
      key: `number:${number}` as IdempotencyKey,
      kind: 'payment',
      handOvers: [],
      createdAt: at,
    });
    const paid = { amountGc: 10, settlementId, at } as const;
    await payFromBank(stores.ledger, { ...paid, creditAccount: ann, code: 'daily', position: 0 });
    await pay(stores.ledger, { ...paid, from: ann, to: ben, code: 'payment', position: 1 });
    await stores.rolls.addCard(ANN, `number-${number}`);
  });
  writeSync(1, `${number}\n`);
  if (number === Number(lastNumber)) process.kill(process.pid, 'SIGKILL');
}

async function keepWriting(): Promise<void> {
  for (;;) {
    const number = next;
    next += 1;
    await writeOne(number);
  }
}

await Promise.all(Array.from({ length: CALLERS }, keepWriting));

// Payments of a settlement, and the bank that cannot run dry.
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Database } from '../../src/app/ports/database.ts';
import { BANK, ISSUANCE, memberAccount } from '../../src/ledger/ledger-store.ts';
import { pay, payFromBank } from '../../src/ledger/posting.ts';
import { holdTransferId, transferIdOf } from '../../src/ledger/transfer-id.ts';
import type { HoldId, SettlementId } from '../../src/shared/ids.ts';
import {
  giveCoins,
  memberId,
  openTestDatabase,
  prepareSettlement,
} from '../support/temp-database.ts';

const ANN = memberAccount(memberId(1));
const BEN = memberAccount(memberId(2));

describe('posting', () => {
  let db: Database;
  let settlementId: SettlementId;

  beforeEach(async () => {
    db = await openTestDatabase(':memory:');
    settlementId = await db.transaction((stores) => prepareSettlement(stores));
  });

  const payout = (amountGc: number, position = 0) => ({
    creditAccount: ANN,
    amountGc,
    code: 'roll-prize' as const,
    settlementId,
    position,
    at: 5,
  });
  const payOut = (...parameters: Parameters<typeof payout>) =>
    db.transaction(({ ledger }) => payFromBank(ledger, payout(...parameters)));
  const balances = () =>
    db.read(async ({ ledger }) => ({
      ann: await ledger.balanceOf(ANN),
      ben: await ledger.balanceOf(BEN),
      bank: await ledger.balanceOf(BANK),
      issued: 0 - (await ledger.balanceOf(ISSUANCE)),
    }));
  /** The bank gets coins by what a member pays to it. */
  const fillBank = (amountGc: number, position: number) =>
    db.transaction(async (stores) => {
      const payer = memberId(10 + position);
      await giveCoins(stores, payer, amountGc);
      await pay(stores.ledger, {
        from: memberAccount(payer),
        to: BANK,
        amountGc,
        code: 'roll-price',
        settlementId,
        position,
        at: 1,
      });
    });

  test('the bank issues what it lacks, and no more', async () => {
    await fillBank(40, 9);
    await payOut(100);
    expect(await balances()).toEqual({ ann: 100, ben: 0, bank: 0, issued: 100 });
  });

  test('the bank pays out of what it has before it issues anything', async () => {
    await fillBank(140, 9);
    await payOut(100);
    expect(await balances()).toEqual({ ann: 100, ben: 0, bank: 40, issued: 140 });
  });

  test('a repeated payout is paid and funded once, whatever the bank has by then', async () => {
    await fillBank(40, 9);
    await payOut(100);
    await payOut(100);
    await fillBank(7, 8);
    await payOut(100);
    expect(await balances()).toMatchObject({ ann: 100, bank: 7, issued: 107 });
  });

  test('payouts of one settlement are told apart by their position', async () => {
    await payOut(10, 0);
    await payOut(10, 1);
    expect(await balances()).toMatchObject({ ann: 20, issued: 20 });
  });

  test('another payout at the same position is refused', async () => {
    await payOut(10);
    await expect(payOut(11)).rejects.toMatchObject({ code: 'KEY_REUSED' });
    expect(await balances()).toMatchObject({ ann: 10, bank: 0, issued: 10 });
  });

  test('a payment is made once and needs its coins', async () => {
    await payOut(30);
    const payment = (amountGc: number, position: number) =>
      db.transaction(({ ledger }) =>
        pay(ledger, {
          from: ANN,
          to: BEN,
          amountGc,
          code: 'payment',
          settlementId,
          position,
          at: 1,
        }),
      );
    await payment(20, 1);
    await payment(20, 1);
    await expect(payment(11, 2)).rejects.toMatchObject({ code: 'INSUFFICIENT_FUNDS' });
    expect(await balances()).toMatchObject({ ann: 10, ben: 20 });
  });

  test.each([0, -5, 1.5, Number.NaN, 1e13])('%p is no amount to pay', async (amountGc) => {
    await expect(payOut(amountGc)).rejects.toMatchObject({ code: 'AMOUNT_INVALID' });
    expect(await balances()).toEqual({ ann: 0, ben: 0, bank: 0, issued: 0 });
  });
});

describe('ids that follow from what they are for', () => {
  const settlement = 'settlement' as SettlementId;

  test('never change: all past transfers hang on them', () => {
    expect(transferIdOf(settlement, 'payment', 0)).toBe('7880e889-bdf4-57d8-8fcf-70d2ef2c2110');
    expect(holdTransferId('hold' as HoldId, 'placed')).toBe('f720cff5-9a83-59ff-8946-bf292e42e501');
  });

  test('are different for everything that is different', () => {
    const ids = [
      transferIdOf(settlement, 'payment', 0),
      transferIdOf(settlement, 'payment', 1),
      transferIdOf(settlement, 'funding', 0),
      transferIdOf('settlement2' as SettlementId, 'payment', 0),
      holdTransferId(settlement as string as HoldId, 'placed'),
      holdTransferId(settlement as string as HoldId, 'closed'),
    ];
    expect(new Set<string>(ids).size).toBe(ids.length);
  });
});

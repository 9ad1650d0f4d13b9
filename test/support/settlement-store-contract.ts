// What every SettlementStore must do.
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Database, Stores } from '../../src/app/ports/database.ts';
import type {
  Holder,
  Holding,
  ReservationOwner,
  SettlementEffects,
} from '../../src/app/ports/settlement-store.ts';
import { BANK, memberAccount } from '../../src/ledger/ledger-store.ts';
import type { AssetId, SettlementId, TradeId } from '../../src/shared/ids.ts';
import { openTrade } from '../../src/trade/trade.ts';
import {
  makeHandOver,
  memberId,
  newAssetId,
  newHoldId,
  newKey,
  newSettlementId,
  newTradeId,
  newTransactionId,
  ownerIdOf,
  prepareSettlement,
  type OpenTestDatabase,
} from './temp-database.ts';

const [ANN, BEN] = [memberId(1), memberId(2)] as const;

/** Runs the suite against the settlements of this database. */
export function describeSettlementStore(name: string, open: OpenTestDatabase): void {
  describe(`SettlementStore in ${name}`, () => {
    let db: Database;

    beforeEach(async () => {
      db = await open();
    });

    describeRows(() => db);
    describeReservations(() => db);
    describeHoldings(() => db);
  });
}

function describeRows(database: () => Database): void {
  const opening = () => ({
    settlementId: newSettlementId(),
    key: newKey(),
    kind: 'trade' as const,
    handOvers: [makeHandOver(), makeHandOver({ from: 'bot' }), makeHandOver({ from: BEN })],
    createdAt: 4,
  });
  const effects: SettlementEffects = {
    captures: [{ holdId: newHoldId(), creditAccount: BANK, code: 'roll-price' }],
    payouts: [{ creditAccount: memberAccount(ANN), amountGc: 7, code: 'roll-prize' }],
    cards: [{ memberId: ANN, cardId: 'card' }],
    tradeId: 'K7Q2XY' as TradeId,
  };
  const plan = { effects, answer: '{"outcome":"ünï"}' };
  const prepare = (given: ReturnType<typeof opening>) =>
    database().transaction(async ({ settlements }) => {
      await settlements.insertSettlement(given);
      await settlements.setPlan(given.settlementId, plan);
    });
  const find = (settlementId: SettlementId) =>
    database().read(({ settlements }) => settlements.findSettlement(settlementId));
  const resolve = (settlementId: SettlementId, state: 'settled' | 'voided') =>
    database().transaction(({ settlements }) =>
      settlements.resolveSettlement(settlementId, {
        state,
        reason: state === 'voided' ? 'CHAIN_ADVANCED' : null,
        at: 9,
      }),
    );

  test('a settlement comes back as it was, prepared, by id and by key', async () => {
    const given = opening();
    await prepare(given);
    const expected = { ...given, ...plan, state: 'prepared', reason: null, resolvedAt: null };
    expect(await find(given.settlementId)).toEqual(expected);
    await database().read(async ({ settlements }) => {
      expect(await settlements.findByKey(given.key)).toEqual(expected);
      expect(await settlements.findByKey(newKey())).toBeUndefined();
      expect(await settlements.findSettlement(newSettlementId())).toBeUndefined();
    });
  });

  test('a key has one settlement', async () => {
    const given = opening();
    await prepare(given);
    await expect(prepare({ ...opening(), key: given.key })).rejects.toMatchObject({
      code: 'KEY_REUSED',
    });
  });

  test('a settlement whose hand-overs are refused is not written, even when the work goes on', async () => {
    const given = opening();
    const twice = makeHandOver();
    await database().transaction(async ({ settlements }) => {
      const broken = { ...given, handOvers: [twice, twice] };
      await expect(settlements.insertSettlement(broken)).rejects.toThrow(/UNIQUE/);
    });
    expect(await find(given.settlementId)).toBeUndefined();
  });

  test('a plan is set once, and only for a settlement that exists', async () => {
    const given = opening();
    await prepare(given);
    const setPlan = (settlementId: SettlementId, answer: string) =>
      database().transaction(({ settlements }) =>
        settlements.setPlan(settlementId, { ...plan, answer }),
      );
    await expect(setPlan(given.settlementId, '"other"')).rejects.toThrow(/planned once/);
    await expect(setPlan(newSettlementId(), '1')).rejects.toThrow(/no settlement/);
  });

  test('a settlement without a plan cannot settle', async () => {
    const given = opening();
    await database().transaction(async ({ settlements }) => {
      await settlements.insertSettlement(given);
      await expect(
        settlements.resolveSettlement(given.settlementId, {
          state: 'settled',
          reason: null,
          at: 9,
        }),
      ).rejects.toThrow(/CHECK/);
    });
  });

  test('prepared settlements are listed, oldest first, until they end', async () => {
    const given = [3, 1, 2].map((createdAt) => ({ ...opening(), createdAt }));
    for (const each of given) await prepare(each);
    const listed = async () =>
      (await database().read(({ settlements }) => settlements.listPrepared())).map(
        ({ createdAt }) => createdAt,
      );
    expect(await listed()).toEqual([1, 2, 3]);
    await resolve(given[2]!.settlementId, 'settled');
    expect(await listed()).toEqual([1, 3]);
  });

  test.each([
    ['settled', 'voided'],
    ['voided', 'settled'],
    ['settled', 'settled'],
  ] as const)('a settlement that is %s is not %s after', async (first, second) => {
    const given = opening();
    await prepare(given);
    expect(await resolve(given.settlementId, first)).toBe(true);
    const ended = await find(given.settlementId);
    expect(ended).toMatchObject({ state: first, resolvedAt: 9 });
    expect(await resolve(given.settlementId, second)).toBe(false);
    expect(await find(given.settlementId)).toEqual(ended);
  });

  test('a settlement that does not exist is not ended', async () => {
    expect(await resolve(newSettlementId(), 'settled')).toBe(false);
  });

  test('a voided settlement keeps its reason', async () => {
    const given = opening();
    await prepare(given);
    await resolve(given.settlementId, 'voided');
    expect(await find(given.settlementId)).toMatchObject({ reason: 'CHAIN_ADVANCED' });
  });
}

function describeReservations(database: () => Database): void {
  const owners = (): Promise<{
    readonly settlement: ReservationOwner;
    readonly other: ReservationOwner;
    readonly trade: ReservationOwner & { readonly kind: 'trade' };
    readonly settlementId: SettlementId;
  }> =>
    database().transaction(async (stores) => {
      const settlementId = await prepareSettlement(stores);
      const tradeId = newTradeId();
      const trade = openTrade({ tradeId, proposer: ANN, counterparty: BEN, now: 1, expiryMs: 1 });
      await stores.trades.insertTrade(trade, newKey());
      return {
        settlementId,
        settlement: { kind: 'settlement', settlementId },
        other: { kind: 'settlement', settlementId: await prepareSettlement(stores) },
        trade: { kind: 'trade', tradeId },
      };
    });
  const inside = (work: (settlements: Stores['settlements']) => Promise<void>) =>
    database().transaction(({ settlements }) => work(settlements));

  test('an asset is reserved by one; the same one may ask again', async () => {
    const { settlement, other, trade } = await owners();
    const assetId = newAssetId();
    await inside(async (settlements) => {
      expect(await settlements.findReservation(assetId)).toBeUndefined();
      await settlements.reserve(assetId, settlement, 3);
      await settlements.reserve(assetId, settlement, 4);
      for (const by of [other, trade]) {
        await expect(settlements.reserve(assetId, by, 5)).rejects.toMatchObject({
          code: 'ASSET_RESERVED',
          data: { assetId },
        });
      }
      expect(await settlements.findReservation(assetId)).toEqual({ assetId, by: settlement });
    });
  });

  test('a refusal names the trade that has the asset', async () => {
    const { settlement, trade } = await owners();
    const assetId = newAssetId();
    await inside(async (settlements) => {
      await settlements.reserve(assetId, trade, 3);
      await expect(settlements.reserve(assetId, settlement, 4)).rejects.toThrow(trade.tradeId);
    });
  });

  test('a trade’s reservations become its settlement’s, and only they', async () => {
    const { settlement, settlementId, other, trade } = await owners();
    await inside(async (settlements) => {
      await settlements.reserve('a' as AssetId, trade, 3);
      await settlements.reserve('b' as AssetId, trade, 3);
      await settlements.reserve('c' as AssetId, other, 3);
      await settlements.moveReservations(trade.tradeId, settlementId);
      expect(await settlements.listReservations()).toEqual([
        { assetId: 'a', by: settlement },
        { assetId: 'b', by: settlement },
        { assetId: 'c', by: other },
      ]);
    });
  });

  test('only its owner frees a reservation', async () => {
    const { settlement, other, trade } = await owners();
    await inside(async (settlements) => {
      await settlements.reserve('a' as AssetId, settlement, 3);
      await settlements.reserve('b' as AssetId, trade, 3);
      await settlements.freeReservation('a' as AssetId, other);
      await settlements.freeReservation('a' as AssetId, trade);
      await settlements.freeReservation('b' as AssetId, settlement);
      await settlements.freeReservations(other);
      expect(await settlements.listReservations()).toHaveLength(2);
      await settlements.freeReservation('b' as AssetId, trade);
      await settlements.freeReservations(settlement);
      expect(await settlements.listReservations()).toEqual([]);
    });
  });

  test('a trade frees all that it reserved', async () => {
    const { settlement, trade } = await owners();
    await inside(async (settlements) => {
      await settlements.reserve('a' as AssetId, trade, 3);
      await settlements.reserve('b' as AssetId, trade, 3);
      await settlements.reserve('c' as AssetId, settlement, 3);
      await settlements.freeReservations(trade);
      expect(await settlements.listReservations()).toEqual([{ assetId: 'c', by: settlement }]);
    });
  });

  test('a reservation belongs to a settlement or trade that exists', async () => {
    for (const by of [
      { kind: 'settlement', settlementId: newSettlementId() },
      { kind: 'trade', tradeId: newTradeId() },
    ] as const) {
      await expect(
        inside((settlements) => settlements.reserve(newAssetId(), by, 3)),
      ).rejects.toThrow(/FOREIGN KEY/);
    }
  });
}

function describeHoldings(database: () => Database): void {
  const holding = (assetId: string, holder: Holder, obtainedAt: number): Holding => ({
    assetId: assetId as AssetId,
    holder,
    ownerId: ownerIdOf(holder as typeof ANN),
    transactionId: newTransactionId(),
    obtainedAt,
  });
  const put = (...holdings: readonly Holding[]) =>
    database().transaction(async ({ settlements }) => {
      for (const each of holdings) await settlements.putHolding(each);
    });

  test('an asset has one holder, the last one put', async () => {
    const [first, second] = [holding('a', 'bot', 1), holding('a', ANN, 2)];
    await put(first, second);
    await database().read(async ({ settlements }) => {
      expect(await settlements.findHolding('a' as AssetId)).toEqual(second);
      expect(await settlements.countHoldings('bot')).toBe(0);
      expect(await settlements.countHoldings(ANN)).toBe(1);
      expect(await settlements.findHolding('b' as AssetId)).toBeUndefined();
    });
  });

  test('a removed holding is gone; removing it again is harmless', async () => {
    await put(holding('a', ANN, 1));
    await database().transaction(async ({ settlements }) => {
      await settlements.removeHolding('a' as AssetId);
      await settlements.removeHolding('a' as AssetId);
      expect(await settlements.listAllHoldings()).toEqual([]);
    });
  });

  test('holdings come newest first, ties by asset id, in pages', async () => {
    const [a, b, c, d] = [
      holding('a', ANN, 5),
      holding('b', ANN, 7),
      holding('c', ANN, 5),
      holding('d', ANN, 9),
    ] as const;
    await put(c, a, d, b, holding('e', BEN, 8));
    await database().read(async ({ settlements }) => {
      expect(await settlements.listHoldings(ANN, { limit: 10, offset: 0 })).toEqual([d, b, a, c]);
      expect(await settlements.listHoldings(ANN, { limit: 2, offset: 1 })).toEqual([b, a]);
      expect(await settlements.listHoldings(ANN, { limit: 2, offset: 4 })).toEqual([]);
      expect((await settlements.listAllHoldings()).map(({ assetId }) => assetId)).toEqual([
        'a',
        'b',
        'c',
        'd',
        'e',
      ]);
    });
  });

  test('a reserved asset is not free', async () => {
    const [a, b] = [holding('a', 'bot', 1), holding('b', 'bot', 2)];
    await put(a, b);
    await database().transaction(async (stores) => {
      const settlementId = await prepareSettlement(stores);
      const by = { kind: 'settlement', settlementId } as const;
      await stores.settlements.reserve('b' as AssetId, by, 1);
      expect(await stores.settlements.listFreeHoldings('bot', 10)).toEqual([a]);
      await stores.settlements.freeReservations(by);
      expect(await stores.settlements.listFreeHoldings('bot', 10)).toEqual([b, a]);
      expect(await stores.settlements.listFreeHoldings('bot', 1)).toEqual([b]);
    });
  });

  test('an owner id stands for one member for ever', async () => {
    const ownerId = ownerIdOf(ANN);
    const putOwner = (member: typeof ANN) =>
      database().transaction(({ settlements }) => settlements.putOwner(ownerId, member));
    await putOwner(ANN);
    await putOwner(ANN);
    await expect(putOwner(BEN)).rejects.toThrow(/another member/);
    await database().read(async ({ settlements }) => {
      expect(await settlements.findMemberOf(ownerId)).toBe(ANN);
      expect(await settlements.findMemberOf(ownerIdOf(BEN))).toBeUndefined();
    });
  });
}

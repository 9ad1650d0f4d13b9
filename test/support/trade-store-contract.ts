// What every TradeStore must do.
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Database } from '../../src/app/ports/database.ts';
import type { MemberId } from '../../src/shared/ids.ts';
import {
  addAsset,
  cancelTrade,
  expireTrade,
  openTrade,
  setCoins,
  type Trade,
} from '../../src/trade/trade.ts';
import {
  memberId,
  newAssetId,
  newKey,
  newTradeId,
  prepareSettlement,
  type OpenTestDatabase,
} from './temp-database.ts';

const [ANN, BEN, CEM] = [memberId(1), memberId(2), memberId(3)] as const;

/** Runs the suite against the trades of this database. */
export function describeTradeStore(name: string, open: OpenTestDatabase): void {
  describe(`TradeStore in ${name}`, () => {
    let db: Database;

    beforeEach(async () => {
      db = await open();
    });

    const start = (proposer: MemberId = ANN, counterparty: MemberId = BEN, now = 100): Trade =>
      openTrade({ tradeId: newTradeId(), proposer, counterparty, now, expiryMs: 50 });
    const insert = (trade: Trade, key = newKey()) =>
      db.transaction(({ trades }) => trades.insertTrade(trade, key));
    const update = (trade: Trade) => db.transaction(({ trades }) => trades.updateTrade(trade));
    const find = ({ tradeId }: Trade) => db.read(({ trades }) => trades.findTrade(tradeId));

    test('a trade comes back as it was, by id, key and member', async () => {
      const trade = start();
      const key = newKey();
      await insert(trade, key);
      await db.read(async ({ trades }) => {
        expect(await trades.findTrade(trade.tradeId)).toEqual(trade);
        expect(await trades.findTradeByKey(key)).toEqual(trade);
        expect(await trades.findActiveTrade(ANN)).toEqual(trade);
        expect(await trades.findActiveTrade(BEN)).toEqual(trade);
        expect(await trades.findActiveTrade(CEM)).toBeUndefined();
        expect(await trades.findTrade(newTradeId())).toBeUndefined();
        expect(await trades.findTradeByKey(newKey())).toBeUndefined();
      });
    });

    test('a changed trade replaces what was there', async () => {
      const trade = start();
      await insert(trade);
      const next = setCoins(addAsset(trade, ANN, newAssetId()), BEN, 70);
      await update(next);
      expect(await find(trade)).toEqual(next);
    });

    test.each([
      ['proposer again', ANN, CEM, ANN],
      ['counterparty again', CEM, BEN, BEN],
      ['proposer as counterparty', CEM, ANN, ANN],
      ['counterparty as proposer', BEN, CEM, BEN],
    ])('a member takes part in one active trade: %s', async (_what, one, other, busy) => {
      const trade = start();
      await insert(trade);
      await expect(insert(start(one, other))).rejects.toMatchObject({
        code: 'TRADE_BUSY',
        data: { who: busy, tradeId: trade.tradeId },
      });
    });

    test('a settling trade keeps both members busy, an ended one frees both', async () => {
      const trade = start();
      await insert(trade);
      await update({ ...trade, state: 'settling' });
      await expect(insert(start(BEN, CEM))).rejects.toMatchObject({ code: 'TRADE_BUSY' });
      await update({ ...trade, state: 'settled' });
      expect(await db.read(({ trades }) => trades.findActiveTrade(ANN))).toBeUndefined();
      await insert(start(BEN, ANN));
    });

    test('a key starts one trade', async () => {
      const key = newKey();
      await insert(start(), key);
      await expect(insert(start(CEM, memberId(4)), key)).rejects.toMatchObject({
        code: 'KEY_REUSED',
      });
    });

    test.each(['settled', 'cancelled', 'expired', 'failed'] as const)(
      'a trade that is %s stays so; writing it again as it is changes nothing',
      async (state) => {
        const trade = start();
        await insert(trade);
        const ended: Trade = { ...trade, state };
        await update(ended);
        await update(ended);
        await expect(update(trade)).rejects.toThrow(/stays/);
        await expect(update(setCoins(trade, ANN, 5))).rejects.toThrow(/stays/);
        expect(await find(trade)).toEqual(ended);
      },
    );

    test('an offer never goes back to an older version', async () => {
      const trade = start();
      await insert(trade);
      await update(setCoins(trade, ANN, 5));
      await expect(update(trade)).rejects.toThrow(/never goes back/);
    });

    test('a settling trade is not open again', async () => {
      const trade = start();
      await insert(trade);
      await update({ ...trade, state: 'settling' });
      await expect(update(trade)).rejects.toThrow(/never goes back/);
      await expect(update(cancelTrade(trade, ANN))).rejects.toThrow(/never goes back/);
    });

    test('a trade names its settlement', async () => {
      const trade = start();
      await insert(trade);
      const settling: Trade = await db.transaction(async (stores) => {
        const settlementId = await prepareSettlement(stores, { kind: 'trade' });
        const next: Trade = { ...trade, state: 'settling', settlementId };
        await stores.trades.updateTrade(next);
        return next;
      });
      expect(await find(trade)).toEqual(settling);
    });

    test('a trade that does not exist is not changed in silence', async () => {
      await expect(update(start())).rejects.toThrow(/no trade/);
    });

    test('open trades whose time is up are listed, the longest due first', async () => {
      const late = start(ANN, BEN, 200);
      const soon = start(CEM, memberId(4), 100);
      const cancelled = start(memberId(5), memberId(6), 90);
      for (const trade of [late, soon, cancelled]) await insert(trade);
      await update(cancelTrade(cancelled, memberId(5)));
      const listed = (now: number, limit = 10) =>
        db.read(({ trades }) => trades.listExpired(now, limit));
      expect(await listed(149)).toEqual([]);
      expect(await listed(150)).toEqual([soon]);
      expect(await listed(250)).toEqual([soon, late]);
      expect(await listed(250, 1)).toEqual([soon]);
      await update(expireTrade(soon, 250));
      expect(await listed(250)).toEqual([late]);
    });

    test('the window is remembered, also of a trade that ended', async () => {
      const trade = start();
      await insert(trade);
      const window = { channelId: '11', messageId: '22' };
      const findWindow = () => db.read(({ trades }) => trades.findWindow(trade.tradeId));
      expect(await findWindow()).toBeUndefined();
      await update(cancelTrade(trade, ANN));
      await db.transaction(({ trades }) => trades.setWindow(trade.tradeId, window));
      expect(await findWindow()).toEqual(window);
    });

    test('trades that ended with a window since a moment are listed', async () => {
      const ended = start();
      const open = start(CEM, memberId(4));
      const unseen = start(memberId(5), memberId(6));
      for (const trade of [ended, open, unseen]) await insert(trade);
      for (const { tradeId } of [ended, open]) {
        const window = { channelId: '11', messageId: tradeId };
        await db.transaction(({ trades }) => trades.setWindow(tradeId, window));
      }
      const cancelled = cancelTrade(ended, ANN);
      await update(cancelled);
      await update(cancelTrade(unseen, memberId(5)));
      const listed = (since: number) => db.read(({ trades }) => trades.listEnded(since, 10));
      expect(await listed(ended.createdAt)).toEqual([cancelled]);
      expect(await listed(ended.createdAt + 1)).toEqual([]);
    });
  });
}

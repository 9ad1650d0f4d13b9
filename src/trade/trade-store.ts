// The port to the trades' rows, within one database transaction.
import type { IdempotencyKey, MemberId, TradeId } from '../shared/ids.ts';
import type { Trade } from './trade.ts';

/** Where the trade's public window stands, so that it can be edited later and after a restart. */
export interface TradeWindow {
  readonly channelId: string;
  readonly messageId: string;
}

export interface TradeStore {
  /** @throws AppError TRADE_BUSY when one of the two has an open or settling trade. */
  insertTrade(trade: Trade, key: IdempotencyKey): Promise<void>;
  findTrade(tradeId: TradeId): Promise<Trade | undefined>;
  findTradeByKey(key: IdempotencyKey): Promise<Trade | undefined>;
  /** The member's trade that is open or settling; there is at most one. */
  findActiveTrade(memberId: MemberId): Promise<Trade | undefined>;
  /** Replaces the row of a trade. */
  updateTrade(trade: Trade): Promise<void>;
  /** Open trades whose time is up. */
  listExpired(now: number, limit: number): Promise<readonly Trade[]>;
  /** Trades with a window that were begun since `createdSince` and are no longer open, newest first. */
  listEnded(createdSince: number, limit: number): Promise<readonly Trade[]>;
  setWindow(tradeId: TradeId, window: TradeWindow): Promise<void>;
  findWindow(tradeId: TradeId): Promise<TradeWindow | undefined>;
}

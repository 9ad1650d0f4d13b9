// Trades in SQLite: the two sides as validated JSON, their life held by the schema's triggers.
import { sql } from 'kysely';
import * as z from 'zod';
import { AppError } from '../shared/errors.ts';
import type { AssetId, IdempotencyKey, MemberId, TradeId } from '../shared/ids.ts';
import { MAX_ASSETS_A_SIDE, type Trade } from '../trade/trade.ts';
import type { TradeStore, TradeWindow } from '../trade/trade-store.ts';
import type { Connection } from './connection.ts';
import { parseColumn, text } from './json-column.ts';
import { isTaken } from './sqlite-errors.ts';
import { query, statement } from './statement.ts';
import type { Synchronous } from './synchronous.ts';

const side = z.strictObject({
  memberId: text<MemberId>(),
  assets: z.array(text<AssetId>()).max(MAX_ASSETS_A_SIDE),
  coinsGc: z.int().nonnegative(),
  locked: z.boolean(),
  confirmed: z.boolean(),
});
export const sidesColumn = z.tuple([side, side]);

const trades = query
  .selectFrom('trades')
  .select([
    'trade_id as tradeId',
    'state',
    'version',
    'sides',
    'settlement_id as settlementId',
    'created_at as createdAt',
    'expires_at as expiresAt',
  ]);
type TradeRow = Omit<Trade, 'sides'> & { readonly sides: string };

const insertTrade = statement(
  (row: TradeRow & { key: IdempotencyKey; proposer: MemberId; counterparty: MemberId }) =>
    query.insertInto('trades').values({
      trade_id: row.tradeId,
      key: row.key,
      state: row.state,
      version: row.version,
      proposer: row.proposer,
      counterparty: row.counterparty,
      sides: row.sides,
      settlement_id: row.settlementId,
      created_at: row.createdAt,
      expires_at: row.expiresAt,
    }),
);
const findTrade = statement((by: { tradeId: TradeId }) =>
  trades.where('trade_id', '=', by.tradeId),
);
const findTradeByKey = statement((by: { key: IdempotencyKey }) => trades.where('key', '=', by.key));
const findActiveTradeId = statement((by: { memberId: MemberId }) =>
  query
    .selectFrom('active_traders')
    .select('trade_id as tradeId')
    .where('member_id', '=', by.memberId),
);
const updateTrade = statement((row: TradeRow) =>
  query
    .updateTable('trades')
    .set({
      state: row.state,
      version: row.version,
      sides: row.sides,
      settlement_id: row.settlementId,
      expires_at: row.expiresAt,
    })
    .where('trade_id', '=', row.tradeId),
);
const listExpired = statement((by: { now: number; limit: number }) =>
  trades
    .where('state', '=', sql.lit('open'))
    .where('expires_at', '<=', by.now)
    .orderBy('expires_at')
    .limit(by.limit),
);
const listEnded = statement((by: { createdSince: number; limit: number }) =>
  trades
    .where('state', '<>', sql.lit('open'))
    .where('created_at', '>=', by.createdSince)
    .where('message_id', 'is not', null)
    .orderBy('created_at', 'desc')
    .limit(by.limit),
);
const setWindow = statement((change: TradeWindow & { tradeId: TradeId }) =>
  query
    .updateTable('trades')
    .set({ channel_id: change.channelId, message_id: change.messageId })
    .where('trade_id', '=', change.tradeId),
);
const findWindow = statement((by: { tradeId: TradeId }) =>
  query
    .selectFrom('trades')
    .select(['channel_id as channelId', 'message_id as messageId'])
    .where('trade_id', '=', by.tradeId),
);

export class SqliteTradeStore implements Synchronous<TradeStore> {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  insertTrade(trade: Trade, key: IdempotencyKey): void {
    const [{ memberId: proposer }, { memberId: counterparty }] = trade.sides;
    for (const memberId of [proposer, counterparty]) {
      const active = this.#connection.first(findActiveTradeId, { memberId });
      if (active !== undefined) {
        throw new AppError('TRADE_BUSY', { who: memberId, tradeId: active.tradeId });
      }
    }
    try {
      this.#connection.run(insertTrade, { ...rowOf(trade), key, proposer, counterparty });
    } catch (error) {
      if (isTaken(error, 'trades.key')) throw new AppError('KEY_REUSED', {}, { cause: error });
      throw error;
    }
  }

  findTrade(tradeId: TradeId): Trade | undefined {
    return tradeOf(this.#connection.first(findTrade, { tradeId }));
  }

  findTradeByKey(key: IdempotencyKey): Trade | undefined {
    return tradeOf(this.#connection.first(findTradeByKey, { key }));
  }

  findActiveTrade(memberId: MemberId): Trade | undefined {
    const active = this.#connection.first(findActiveTradeId, { memberId });
    return active && this.findTrade(active.tradeId);
  }

  updateTrade(trade: Trade): void {
    if (this.#connection.run(updateTrade, rowOf(trade)) === 0) throw unknownTrade(trade.tradeId);
  }

  listExpired(now: number, limit: number): readonly Trade[] {
    return this.#connection.all(listExpired, { now, limit }).map(parseTrade);
  }

  listEnded(createdSince: number, limit: number): readonly Trade[] {
    return this.#connection.all(listEnded, { createdSince, limit }).map(parseTrade);
  }

  setWindow(tradeId: TradeId, window: TradeWindow): void {
    if (this.#connection.run(setWindow, { tradeId, ...window }) === 0) throw unknownTrade(tradeId);
  }

  findWindow(tradeId: TradeId): TradeWindow | undefined {
    const row = this.#connection.first(findWindow, { tradeId });
    if (row?.channelId == null || row.messageId === null) return undefined;
    return { channelId: row.channelId, messageId: row.messageId };
  }
}

function rowOf(trade: Trade): TradeRow {
  return { ...trade, sides: JSON.stringify(trade.sides) };
}

function tradeOf(row: TradeRow | undefined): Trade | undefined {
  return row && parseTrade(row);
}

function parseTrade(row: TradeRow): Trade {
  return { ...row, sides: parseColumn(sidesColumn, row.sides, `sides of trade ${row.tradeId}`) };
}

function unknownTrade(tradeId: TradeId): Error {
  return new Error(`no trade ${tradeId}`);
}

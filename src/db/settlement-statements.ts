// The SQL of settlements, reservations, holdings and owners.
import { sql } from 'kysely';
import type { HandOver, Holder, Holding, Settlement } from '../app/ports/settlement-store.ts';
import type { ErrorCode } from '../shared/errors.ts';
import type {
  AssetId,
  IdempotencyKey,
  MemberId,
  OwnerId,
  SettlementId,
  TradeId,
} from '../shared/ids.ts';
import { query, statement } from './statement.ts';

export type NewSettlement = Pick<
  Settlement,
  'settlementId' | 'key' | 'kind' | 'handOvers' | 'createdAt'
>;
export type SettlementRow = Omit<Settlement, 'handOvers' | 'effects' | 'answer'> & {
  readonly effects: string | null;
  readonly answer: string | null;
};

const settlements = query
  .selectFrom('settlements')
  .select([
    'settlement_id as settlementId',
    'key',
    'kind',
    'state',
    'effects',
    'answer',
    'reason',
    'created_at as createdAt',
    'resolved_at as resolvedAt',
  ]);

export const insertSettlement = statement((row: NewSettlement) =>
  query.insertInto('settlements').values({
    settlement_id: row.settlementId,
    key: row.key,
    kind: row.kind,
    created_at: row.createdAt,
  }),
);
export const setPlan = statement(
  (plan: { settlementId: SettlementId; effects: string; answer: string }) =>
    query
      .updateTable('settlements')
      .set({ effects: plan.effects, answer: plan.answer })
      .where('settlement_id', '=', plan.settlementId),
);
export const insertHandOver = statement(
  (row: HandOver & { settlementId: SettlementId; position: number }) =>
    query.insertInto('hand_overs').values({
      settlement_id: row.settlementId,
      position: row.position,
      transaction_id: row.transactionId,
      asset_id: row.assetId,
      from_holder: row.from,
      to_holder: row.to,
      to_owner_id: row.toOwnerId,
    }),
);
export const listHandOvers = statement((by: { settlementId: SettlementId }) =>
  query
    .selectFrom('hand_overs')
    .select([
      'transaction_id as transactionId',
      'asset_id as assetId',
      'from_holder as from',
      'to_holder as to',
      'to_owner_id as toOwnerId',
    ])
    .where('settlement_id', '=', by.settlementId)
    .orderBy('position'),
);
export const findSettlement = statement((by: { settlementId: SettlementId }) =>
  settlements.where('settlement_id', '=', by.settlementId),
);
export const findByKey = statement((by: { key: IdempotencyKey }) =>
  settlements.where('key', '=', by.key),
);
export const listPrepared = statement(() =>
  settlements
    .where('state', '=', sql.lit('prepared'))
    .orderBy('created_at')
    .orderBy('settlement_id'),
);
export const resolveSettlement = statement(
  (end: {
    settlementId: SettlementId;
    state: 'settled' | 'voided';
    reason: ErrorCode | null;
    at: number;
  }) =>
    query
      .updateTable('settlements')
      .set({ state: end.state, reason: end.reason, resolved_at: end.at })
      .where('settlement_id', '=', end.settlementId)
      .where('state', '=', sql.lit('prepared')),
);

const reservations = query
  .selectFrom('reservations')
  .select(['asset_id as assetId', 'settlement_id as settlementId', 'trade_id as tradeId']);

export const insertReservation = statement(
  (row: {
    assetId: AssetId;
    settlementId: SettlementId | null;
    tradeId: TradeId | null;
    at: number;
  }) =>
    query
      .insertInto('reservations')
      .values({
        asset_id: row.assetId,
        settlement_id: row.settlementId,
        trade_id: row.tradeId,
        reserved_at: row.at,
      })
      .onConflict((conflict) => conflict.column('asset_id').doNothing()),
);
export const findReservation = statement((by: { assetId: AssetId }) =>
  reservations.where('asset_id', '=', by.assetId),
);
export const listReservations = statement(() => reservations.orderBy('asset_id'));
export const moveReservations = statement(
  (change: { tradeId: TradeId; settlementId: SettlementId }) =>
    query
      .updateTable('reservations')
      .set({ settlement_id: change.settlementId, trade_id: sql.lit(null) })
      .where('trade_id', '=', change.tradeId),
);
export const freeReservation = statement(
  (by: { assetId: AssetId; settlementId: SettlementId | null; tradeId: TradeId | null }) =>
    query
      .deleteFrom('reservations')
      .where('asset_id', '=', by.assetId)
      .where('settlement_id', 'is', by.settlementId)
      .where('trade_id', 'is', by.tradeId),
);
export const freeReservationsOfTrade = statement((by: { tradeId: TradeId }) =>
  query.deleteFrom('reservations').where('trade_id', '=', by.tradeId),
);
export const freeReservationsOfSettlement = statement((by: { settlementId: SettlementId }) =>
  query.deleteFrom('reservations').where('settlement_id', '=', by.settlementId),
);

const holdings = query
  .selectFrom('holdings')
  .select([
    'holdings.asset_id as assetId',
    'holder',
    'owner_id as ownerId',
    'transaction_id as transactionId',
    'obtained_at as obtainedAt',
  ]);

export const findHolding = statement((by: { assetId: AssetId }) =>
  holdings.where('asset_id', '=', by.assetId),
);
export const putHolding = statement((row: Holding) =>
  query
    .insertInto('holdings')
    .values({
      asset_id: row.assetId,
      holder: row.holder,
      owner_id: row.ownerId,
      transaction_id: row.transactionId,
      obtained_at: row.obtainedAt,
    })
    .onConflict((conflict) =>
      conflict.column('asset_id').doUpdateSet((eb) => ({
        holder: eb.ref('excluded.holder'),
        owner_id: eb.ref('excluded.owner_id'),
        transaction_id: eb.ref('excluded.transaction_id'),
        obtained_at: eb.ref('excluded.obtained_at'),
      })),
    ),
);
export const removeHolding = statement((by: { assetId: AssetId }) =>
  query.deleteFrom('holdings').where('asset_id', '=', by.assetId),
);
export const listHoldings = statement((page: { holder: Holder; limit: number; offset: number }) =>
  holdings
    .where('holder', '=', page.holder)
    .orderBy('obtained_at', 'desc')
    .orderBy('asset_id')
    .limit(page.limit)
    .offset(page.offset),
);
export const countHoldings = statement((by: { holder: Holder }) =>
  query
    .selectFrom('holdings')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('holder', '=', by.holder),
);
export const listFreeHoldings = statement((page: { holder: Holder; limit: number }) =>
  holdings
    .where('holder', '=', page.holder)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('reservations')
            .select('reservations.asset_id')
            .whereRef('reservations.asset_id', '=', 'holdings.asset_id'),
        ),
      ),
    )
    .orderBy('obtained_at', 'desc')
    .orderBy('asset_id')
    .limit(page.limit),
);
export const listAllHoldings = statement(() => holdings.orderBy('asset_id'));

export const insertOwner = statement((row: { ownerId: OwnerId; memberId: MemberId }) =>
  query
    .insertInto('owners')
    .values({ owner_id: row.ownerId, member_id: row.memberId })
    .onConflict((conflict) => conflict.column('owner_id').doNothing()),
);
export const findMemberOf = statement((by: { ownerId: OwnerId }) =>
  query.selectFrom('owners').select('member_id as memberId').where('owner_id', '=', by.ownerId),
);

// Settlements, reservations, holdings and owners in SQLite.
import type {
  HandOver,
  Holder,
  Holding,
  Reservation,
  ReservationOwner,
  Settlement,
  SettlementStore,
} from '../app/ports/settlement-store.ts';
import { AppError, type ErrorCode } from '../shared/errors.ts';
import type {
  AssetId,
  IdempotencyKey,
  MemberId,
  OwnerId,
  SettlementId,
  TradeId,
} from '../shared/ids.ts';
import type { Connection } from './connection.ts';
import * as statements from './settlement-statements.ts';
import { parseEffects } from './settlement-effects.ts';
import { isTaken } from './sqlite-errors.ts';
import type { Synchronous } from './synchronous.ts';

export class SqliteSettlementStore implements Synchronous<SettlementStore> {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  insertSettlement(settlement: statements.NewSettlement): void {
    const { settlementId, handOvers } = settlement;
    this.#connection.atomic(() => {
      this.#insertRow(settlement);
      for (const [position, handOver] of handOvers.entries()) {
        this.#connection.run(statements.insertHandOver, { settlementId, position, ...handOver });
      }
    });
  }

  setPlan(settlementId: SettlementId, plan: Pick<Settlement, 'effects' | 'answer'>): void {
    const row = { settlementId, effects: JSON.stringify(plan.effects), answer: plan.answer };
    if (this.#connection.run(statements.setPlan, row) === 0) {
      throw new Error(`no settlement ${settlementId} to plan`);
    }
  }

  findSettlement(settlementId: SettlementId): Settlement | undefined {
    const row = this.#connection.first(statements.findSettlement, { settlementId });
    return row && this.#settlementOf(row);
  }

  findByKey(key: IdempotencyKey): Settlement | undefined {
    const row = this.#connection.first(statements.findByKey, { key });
    return row && this.#settlementOf(row);
  }

  listPrepared(): readonly Settlement[] {
    const rows = this.#connection.all(statements.listPrepared, {});
    return rows.map((row) => this.#settlementOf(row));
  }

  resolveSettlement(
    settlementId: SettlementId,
    end: {
      readonly state: 'settled' | 'voided';
      readonly reason: ErrorCode | null;
      readonly at: number;
    },
  ): boolean {
    return this.#connection.run(statements.resolveSettlement, { settlementId, ...end }) === 1;
  }

  reserve(assetId: AssetId, by: ReservationOwner, at: number): void {
    const row = { assetId, ...ownerColumns(by), at };
    if (this.#connection.run(statements.insertReservation, row) === 1) return;
    const earlier = this.findReservation(assetId);
    if (earlier !== undefined && isSameOwner(earlier.by, by)) return;
    const holder =
      earlier?.by.kind === 'trade' ? `trade ${earlier.by.tradeId}` : 'a movement under way';
    throw new AppError('ASSET_RESERVED', { assetId, holder });
  }

  moveReservations(tradeId: TradeId, settlementId: SettlementId): void {
    this.#connection.run(statements.moveReservations, { tradeId, settlementId });
  }

  freeReservation(assetId: AssetId, by: ReservationOwner): void {
    this.#connection.run(statements.freeReservation, { assetId, ...ownerColumns(by) });
  }

  freeReservations(by: ReservationOwner): void {
    if (by.kind === 'trade') this.#connection.run(statements.freeReservationsOfTrade, by);
    else this.#connection.run(statements.freeReservationsOfSettlement, by);
  }

  findReservation(assetId: AssetId): Reservation | undefined {
    const row = this.#connection.first(statements.findReservation, { assetId });
    return row && reservationOf(row);
  }

  listReservations(): readonly Reservation[] {
    return this.#connection.all(statements.listReservations, {}).map(reservationOf);
  }

  findHolding(assetId: AssetId): Holding | undefined {
    return this.#connection.first(statements.findHolding, { assetId });
  }

  putHolding(holding: Holding): void {
    this.#connection.run(statements.putHolding, holding);
  }

  removeHolding(assetId: AssetId): void {
    this.#connection.run(statements.removeHolding, { assetId });
  }

  listHoldings(
    holder: Holder,
    page: { readonly limit: number; readonly offset: number },
  ): readonly Holding[] {
    return this.#connection.all(statements.listHoldings, { holder, ...page });
  }

  countHoldings(holder: Holder): number {
    return this.#connection.first(statements.countHoldings, { holder })?.count ?? 0;
  }

  listFreeHoldings(holder: Holder, limit: number): readonly Holding[] {
    return this.#connection.all(statements.listFreeHoldings, { holder, limit });
  }

  listAllHoldings(): readonly Holding[] {
    return this.#connection.all(statements.listAllHoldings, {});
  }

  putOwner(ownerId: OwnerId, memberId: MemberId): void {
    if (this.#connection.run(statements.insertOwner, { ownerId, memberId }) === 1) return;
    if (this.findMemberOf(ownerId) !== memberId) {
      throw new Error('an owner id stands for another member already');
    }
  }

  findMemberOf(ownerId: OwnerId): MemberId | undefined {
    return this.#connection.first(statements.findMemberOf, { ownerId })?.memberId;
  }

  #insertRow(row: statements.NewSettlement): void {
    try {
      this.#connection.run(statements.insertSettlement, row);
    } catch (error) {
      if (isTaken(error, 'settlements.key')) throw new AppError('KEY_REUSED', {}, { cause: error });
      throw error;
    }
  }

  #settlementOf(row: statements.SettlementRow): Settlement {
    const { settlementId, effects, answer } = row;
    if (effects === null || answer === null) {
      throw new Error(`settlement ${settlementId} has no plan`);
    }
    const handOvers: readonly HandOver[] = this.#connection.all(statements.listHandOvers, {
      settlementId,
    });
    return { ...row, handOvers, effects: parseEffects(effects, settlementId), answer };
  }
}

interface OwnerColumns {
  readonly settlementId: SettlementId | null;
  readonly tradeId: TradeId | null;
}

function ownerColumns(by: ReservationOwner): OwnerColumns {
  return by.kind === 'trade'
    ? { settlementId: null, tradeId: by.tradeId }
    : { settlementId: by.settlementId, tradeId: null };
}

function reservationOf(row: OwnerColumns & { readonly assetId: AssetId }): Reservation {
  const { assetId, settlementId, tradeId } = row;
  if (tradeId !== null) return { assetId, by: { kind: 'trade', tradeId } };
  if (settlementId !== null) return { assetId, by: { kind: 'settlement', settlementId } };
  throw new Error(`the reservation of ${assetId} has no owner`);
}

function isSameOwner(one: ReservationOwner, other: ReservationOwner): boolean {
  const [a, b] = [ownerColumns(one), ownerColumns(other)];
  return a.settlementId === b.settlementId && a.tradeId === b.tradeId;
}

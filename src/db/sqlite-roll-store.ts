// Rolls, cards and claims in SQLite.
import { sql } from 'kysely';
import * as z from 'zod';
import type { CardCount, ClaimKind, RollRow, RollStore } from '../app/ports/roll-store.ts';
import type { MemberId } from '../shared/ids.ts';
import type { Connection } from './connection.ts';
import { parseColumn } from './json-column.ts';
import { query, rawStatement, statement } from './statement.ts';
import type { Synchronous } from './synchronous.ts';

const insertRoll = statement((roll: RollRow) =>
  query.insertInto('rolls').values({
    settlement_id: roll.settlementId,
    position: roll.position,
    member_id: roll.memberId,
    banner_id: roll.bannerId,
    entry_id: roll.entryId,
    created_at: roll.createdAt,
  }),
);
// One text instead of a hundred rows: a third of the time, and it is asked before every roll.
const listWins = rawStatement(
  (by: { bannerId: string }) => sql<{ wins: string }>`
    SELECT json_group_array(json_array(entry_id, count)) AS wins FROM wins
    WHERE banner_id = ${by.bannerId} AND count > 0`,
);
export const winsColumn = z.array(z.tuple([z.string(), z.int().positive()]));
const addCard = rawStatement(
  (card: { memberId: MemberId; cardId: string }) =>
    sql`INSERT INTO cards (member_id, card_id, count) VALUES (${card.memberId}, ${card.cardId}, 1)
      ON CONFLICT DO UPDATE SET count = count + 1`,
);
const listCards = statement((by: { memberId: MemberId }) =>
  query
    .selectFrom('cards')
    .select(['card_id as cardId', 'count'])
    .where('member_id', '=', by.memberId)
    .orderBy('card_id'),
);
const findClaim = statement((by: { memberId: MemberId; kind: ClaimKind }) =>
  query
    .selectFrom('claims')
    .select('claimed_at as claimedAt')
    .where('member_id', '=', by.memberId)
    .where('kind', '=', by.kind),
);
const setClaim = rawStatement(
  (claim: { memberId: MemberId; kind: ClaimKind; at: number }) =>
    sql`INSERT INTO claims (member_id, kind, claimed_at) VALUES (${claim.memberId}, ${claim.kind}, ${claim.at})
      ON CONFLICT DO UPDATE SET claimed_at = excluded.claimed_at`,
);

export class SqliteRollStore implements Synchronous<RollStore> {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  insertRolls(rolls: readonly RollRow[]): void {
    this.#connection.atomic(() => {
      for (const roll of rolls) this.#connection.run(insertRoll, roll);
    });
  }

  countWins(bannerId: string): ReadonlyMap<string, number> {
    const wins = this.#connection.first(listWins, { bannerId })?.wins ?? '[]';
    return new Map(parseColumn(winsColumn, wins, `wins of banner ${bannerId}`));
  }

  addCard(memberId: MemberId, cardId: string): void {
    this.#connection.run(addCard, { memberId, cardId });
  }

  listCards(memberId: MemberId): readonly CardCount[] {
    return this.#connection.all(listCards, { memberId });
  }

  findClaim(memberId: MemberId, kind: ClaimKind): number | undefined {
    return this.#connection.first(findClaim, { memberId, kind })?.claimedAt;
  }

  setClaim(memberId: MemberId, kind: ClaimKind, at: number): void {
    this.#connection.run(setClaim, { memberId, kind, at });
  }
}

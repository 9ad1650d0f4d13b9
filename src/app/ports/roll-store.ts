// The port to what members did: rolls (whose count is the stock used), cards they own, and claims with a cooldown.
import type { MemberId, SettlementId } from '../../shared/ids.ts';

export interface RollRow {
  readonly settlementId: SettlementId;
  /** 0, 1, … within the settlement. */
  readonly position: number;
  readonly memberId: MemberId;
  readonly bannerId: string;
  readonly entryId: string;
  readonly createdAt: number;
}

export interface CardCount {
  readonly cardId: string;
  readonly count: number;
}

/** A claim that a member may make again only after a while. */
export type ClaimKind = 'daily' | 'mint';

export interface RollStore {
  insertRolls(rolls: readonly RollRow[]): Promise<void>;
  /** How often each entry of the banner was won, by rolls whose settlement was not voided. */
  countWins(bannerId: string): Promise<ReadonlyMap<string, number>>;
  addCard(memberId: MemberId, cardId: string): Promise<void>;
  /** By card id. */
  listCards(memberId: MemberId): Promise<readonly CardCount[]>;
  /** ms since the epoch of the last claim, undefined for never. */
  findClaim(memberId: MemberId, kind: ClaimKind): Promise<number | undefined>;
  setClaim(memberId: MemberId, kind: ClaimKind, at: number): Promise<void>;
}

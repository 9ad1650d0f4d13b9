// The port to the journal: every transaction that this node accepted, durable before it is pushed.
import type { ErrorCode } from '../shared/errors.ts';
import type { AssetId, CommitId, OwnerId, SettlementId, TransactionId } from '../shared/ids.ts';

export type TransactionState = 'pending' | 'committed' | 'rejected';

/** One accepted transaction, with all that is needed to make its commit again, bit for bit. */
export interface JournalEntry {
  readonly transactionId: TransactionId;
  /** Transactions of one group reach the chain together or not at all. */
  readonly groupId: SettlementId;
  /** 0, 1, … within the group. */
  readonly position: number;
  readonly assetId: AssetId;
  readonly ownerId: OwnerId;
  readonly record: Buffer;
  readonly parent: CommitId;
  readonly committer: string;
  readonly commitTimeSeconds: number;
  readonly state: TransactionState;
  /** Why it was rejected, or TRANSACTION_LOST when the chain lost it with the operator's consent; null otherwise. */
  readonly reason: ErrorCode | null;
  /** ms since the epoch. */
  readonly acceptedAt: number;
  /** ms since the epoch; null while pending. */
  readonly resolvedAt: number | null;
}

/** An entry as it is accepted. */
export interface NewJournalEntry extends Omit<JournalEntry, 'state' | 'reason' | 'resolvedAt'> {
  /** The passphrase that was presented, to be revealed once it is spent; it is forgotten when the entry is rejected. */
  readonly sealedPassphrase?: Buffer | undefined;
}

/** A committed transaction whose presented passphrase was not published yet. */
export interface SealedReveal extends Pick<JournalEntry, 'transactionId' | 'assetId' | 'record'> {
  readonly sealed: Buffer;
}

/** Methods run within the database transaction that the store was made for. */
export interface JournalStore {
  /**
   * Writes a group's entries as pending.
   * @throws AppError ASSET_BUSY when an asset has a pending transaction, TRANSACTION_ID_TAKEN when an id was used.
   */
  insertEntries(entries: readonly NewJournalEntry[]): Promise<void>;
  findEntry(transactionId: TransactionId): Promise<JournalEntry | undefined>;
  /** The pending entry of an asset; there is at most one. */
  findPendingEntry(assetId: AssetId): Promise<JournalEntry | undefined>;
  listGroup(groupId: SettlementId): Promise<readonly JournalEntry[]>;
  /** Every pending entry, oldest group first, position order within a group. */
  listPending(): Promise<readonly JournalEntry[]>;
  /**
   * Every transaction that the chain must have: the committed ones but for those that it lost with the operator's consent,
   * and whatever custody follows, though it was given up or lost once.
   */
  listCommitted(): Promise<readonly Pick<JournalEntry, 'transactionId' | 'assetId'>[]>;
  /** Every rejected transaction: what was given up may still come to stand on the chain. */
  listRejected(): Promise<readonly Pick<JournalEntry, 'transactionId' | 'assetId'>[]>;
  /** Marks pending groups; entries that are resolved already stay as they are. */
  resolveGroups(
    groupIds: readonly SettlementId[],
    resolution: {
      readonly state: 'committed' | 'rejected';
      readonly reason: ErrorCode | null;
      readonly resolvedAt: number;
    },
  ): Promise<void>;
  countPending(): Promise<number>;
  /** Of committed entries that the chain still has, oldest first. */
  listReveals(limit: number): Promise<readonly SealedReveal[]>;
  /** Forgets the sealed passphrases of these transactions: they are published. */
  removeReveals(transactionIds: readonly TransactionId[]): Promise<void>;
}

/** The part of the authoritative database that a node needs. */
export interface NodeDatabase {
  transaction<T>(work: (stores: { readonly journal: JournalStore }) => Promise<T>): Promise<T>;
  read<T>(work: (stores: { readonly journal: JournalStore }) => Promise<T>): Promise<T>;
}

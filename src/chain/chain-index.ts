// The port to the index: a projection of the remote's chain for reading, which can always be made again from git.
import type { AssetId, CommitId, OwnerId, TransactionId } from '../shared/ids.ts';
import type { TransactionRecord } from './record.ts';

/** A committed transaction. */
export interface IndexedTransaction {
  readonly transactionId: TransactionId;
  readonly assetId: AssetId;
  readonly ownerId: OwnerId;
  readonly transactionTime: number;
  readonly successorHash: string;
  readonly commitId: CommitId;
  /** 1 for a mint, 2 for the next transaction of the asset, … */
  readonly position: number;
  /** The bytes of `metadata.json` as they stand on the chain. */
  readonly record: Buffer;
}

/** Transactions to add to one asset's chain. */
export interface BranchAddition {
  readonly assetId: AssetId;
  /** Oldest first; they follow the asset's present tip. */
  readonly transactions: readonly {
    readonly commitId: CommitId;
    readonly record: TransactionRecord;
    readonly bytes: Buffer;
  }[];
}

/** Something on the chain that breaks the format; it is reported and skipped. */
export interface ChainFault {
  readonly branch: string;
  readonly commitId: CommitId;
  readonly fault: string;
}

export interface ChainTotals {
  readonly assets: number;
  readonly transactions: number;
}

/**
 * Reads are synchronous because they never leave the process; orders are newest first by transaction time, ties by
 * transaction id. Writes are all or nothing for each call.
 */
export interface ChainIndex {
  /** Appends to assets' chains and replaces the recorded faults of the branches named. */
  apply(additions: readonly BranchAddition[], faults: readonly ChainFault[]): void;
  /** Forgets everything; the next sync fills it again. */
  clear(): void;
  /** The beacon's identity (description and epoch) that this index was made from; undefined while empty. */
  findIdentity(): string | undefined;
  setIdentity(identity: string): void;
  findTip(assetId: AssetId): IndexedTransaction | undefined;
  findTransaction(transactionId: TransactionId): IndexedTransaction | undefined;
  hasCommit(commitId: CommitId): boolean;
  /** Tips that name this owner. */
  listOwnerAssets(
    ownerId: OwnerId,
    page: { readonly limit: number; readonly offset: number },
  ): IndexedTransaction[];
  countOwnerAssets(ownerId: OwnerId): number;
  /** Transactions that named this owner, the newest `depth` of them. */
  listOwnerHistory(ownerId: OwnerId, depth: number): IndexedTransaction[];
  /** The asset's transactions, tip first. */
  listAssetHistory(assetId: AssetId, depth: number): IndexedTransaction[];
  /** Branch name to tip, of every asset; what sync compares with the advertisement. */
  listTips(): ReadonlyMap<AssetId, CommitId>;
  listFaults(limit: number): ChainFault[];
  totals(): ChainTotals;
  close(): void;
}

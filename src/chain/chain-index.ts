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
  /** The commit that the branch stands on afterwards; a skipped commit may lie after the last transaction. */
  readonly branchCommit: CommitId;
  /** True when these are the asset's whole chain and take the place of what the index has of it. */
  readonly isWhole?: boolean;
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
 * Records alone, as the text that stands on the chain, for whoever passes them on and reads none of it: a row with all
 * its columns costs several times as much.
 */
export interface RecordReader {
  /** Another number after anything in the index has changed; what was read before it changed may be out of date. */
  revision(): number;
  /** The record of the asset's tip. */
  findTipRecord(assetId: AssetId): string | undefined;
  findRecord(transactionId: TransactionId): string | undefined;
  /** The records of all tips that name this owner, read in one go, so that no move between two pages hides one. */
  listOwnerAssetRecords(ownerId: OwnerId): string[];
  /** The records that named this owner, the newest `depth` of them. */
  listOwnerHistoryRecords(ownerId: OwnerId, depth: number): string[];
  /** The asset's records, tip first. */
  listAssetHistoryRecords(assetId: AssetId, depth: number): string[];
}

/** How far someone has read an index; only good for the index that gave it. */
export interface IndexMark {
  /** Another one after anything was forgotten. */
  readonly generation: number;
  readonly row: number;
}

/** What one transaction changed. */
export interface ChainChange {
  readonly transactionId: TransactionId;
  readonly assetId: AssetId;
  readonly ownerId: OwnerId;
  /** Who had the asset before; null for a mint. */
  readonly previousOwnerId: OwnerId | null;
}

/** Keys from `from` on and before `below` (undefined: to the end), in the order of their UTF-8 bytes. */
export interface KeyRange {
  readonly from: string;
  readonly below: string | undefined;
  readonly limit: number;
}

/** Everything that is committed, piece by piece, for whoever keeps a picture of all of it. */
export interface ChainSurvey {
  /** Where the index stands now. */
  currentMark(): IndexMark;
  /**
   * What was added since a mark, oldest first, and the mark to go on from; fewer than `limit` when there is no more.
   * Undefined once anything was forgotten since: the picture has to be made anew.
   */
  listChanges(
    since: IndexMark,
    limit: number,
  ): { readonly changes: readonly ChainChange[]; readonly mark: IndexMark } | undefined;
  listTransactionIds(range: KeyRange): TransactionId[];
  /** Assets that have an owner. */
  listAssetOwners(range: KeyRange): (readonly [AssetId, OwnerId])[];
  /** Owners of at least one asset, each with all assets. */
  listOwnersWithAssets(range: KeyRange): (readonly [OwnerId, readonly AssetId[]])[];
}

/**
 * Reads are synchronous because they never leave the process; orders are newest first by transaction time, ties by
 * transaction id. Writes are all or nothing for each call.
 */
export interface ChainIndex extends RecordReader, ChainSurvey {
  /** Appends to assets' chains and records what was skipped. A transaction that is there already changes nothing. */
  apply(additions: readonly BranchAddition[], faults: readonly ChainFault[]): void;
  /** Forgets everything; the next sync fills it again. */
  clear(): void;
  /** The beacon's identity (description and epoch) that this index was made from; undefined while empty. */
  findIdentity(): string | undefined;
  setIdentity(identity: string): void;
  /** The tip of the epoch branch that this index was last brought up to. */
  findEpoch(): CommitId | undefined;
  setEpoch(commitId: CommitId): void;
  /** Since when the remote does not go on from this index, in ms; undefined while it does. */
  findRewrittenAt(): number | undefined;
  setRewrittenAt(at: number | undefined): void;
  /** The number of the last accepted rewriting that this index follows; 0 for none. */
  findAccepted(): number;
  setAccepted(number: number): void;
  findTip(assetId: AssetId): IndexedTransaction | undefined;
  findTransaction(transactionId: TransactionId): IndexedTransaction | undefined;
  /** True when some asset's tip has this successor hash: whoever knows its passphrase can move that asset. */
  hasTipWithHash(successorHash: string): boolean;
  /**
   * True for a commit that was read before on the asset's own branch, whether its transaction was taken or skipped.
   * That another branch shows the same commit says nothing: anyone may put a branch on anyone's commit.
   */
  hasCommit(assetId: AssetId, commitId: CommitId): boolean;
  /** Where the asset's branch stands: the parent of its next commit. */
  findBranchCommit(assetId: AssetId): CommitId | undefined;
  /** Tips that name this owner. */
  listOwnerAssets(
    ownerId: OwnerId,
    page: { readonly limit: number; readonly offset: number },
  ): IndexedTransaction[];
  countOwnerAssets(ownerId: OwnerId): number;
  /** The asset's transactions, tip first. */
  listAssetHistory(assetId: AssetId, depth: number): IndexedTransaction[];
  /** Where every asset's branch stands; what sync compares with the advertisement. */
  listBranchCommits(): ReadonlyMap<AssetId, CommitId>;
  /** Where the tag of every transaction stands; what sync compares with the advertisement as well. */
  listTransactionCommits(): ReadonlyMap<TransactionId, CommitId>;
  /** True when an asset's id is this one, a slash and more: its branch leaves no room for one of this name. */
  hasAssetBelow(assetId: AssetId): boolean;
  /** Forgets one asset's chain and faults: what the remote has of it is then new. */
  forgetAsset(assetId: AssetId): void;
  /** Assets whose id contains the text, ignoring the case of ASCII letters, in order of id. */
  searchAssets(text: string, limit: number): AssetId[];
  /** In the order of their branches. @param fault only these */
  listFaults(limit: number, fault?: string): ChainFault[];
  /** What is wrong with a commit on this branch; undefined for a sound one and for one that was not read. */
  findFault(branch: string, commitId: CommitId): string | undefined;
  forgetFault(branch: string, commitId: CommitId): void;
  totals(): ChainTotals;
  close(): void;
}

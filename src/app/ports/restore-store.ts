// The port to what a restored backup left behind: that it happened, and the assets whose passphrase it did not have.
import type { AssetId, TransactionId } from '../../shared/ids.ts';

/** A restored backup. */
export interface Restore {
  /** When the backup was restored, in ms since the epoch. */
  readonly restoredAt: number;
  /** When the backup was taken, in ms since the epoch. */
  readonly takenAt: number;
}

/** An asset that was in custody and cannot be moved: its passphrase was made after the backup and is nowhere. */
export interface LostAsset {
  readonly assetId: AssetId;
  /** The newest transaction of its chain, whose passphrase is missing. */
  readonly transactionId: TransactionId;
  /** ms since the epoch. */
  readonly noticedAt: number;
}

export interface RestoreStore {
  insertRestore(restore: Restore): Promise<void>;
  /** Of the restores whose assets were not held against the chain yet, the one with the oldest backup. */
  findOpenRestore(): Promise<Restore | undefined>;
  /** Every restore has now been held against the chain. */
  closeRestores(at: number): Promise<void>;

  /** Inserts or replaces. */
  putLost(lost: LostAsset): Promise<void>;
  findLost(assetId: AssetId): Promise<LostAsset | undefined>;
  /** By asset id. */
  listLost(): Promise<readonly LostAsset[]>;
  /** The asset can be moved again, or somebody else has moved it. */
  removeLost(assetId: AssetId): Promise<void>;
}

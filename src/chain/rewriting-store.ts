// The port to what an operator accepted of a rewritten chain: durable in the state, made good in the index from it.
import type { AssetId } from '../shared/ids.ts';
import type { Witness } from './rewrites.ts';

/** A rewriting that an operator accepted. */
export interface AcceptedRewriting {
  /** 1, 2, … in the order of acceptance. */
  readonly number: number;
  /** Of all that was shown before it was accepted: 32 lowercase hex characters. */
  readonly digest: string;
  /** ms since the epoch. */
  readonly acceptedAt: number;
}

export interface RewritingStore {
  /** @returns its number. A transaction that was lost before stays so. */
  insertAccepted(
    accepted: Omit<AcceptedRewriting, 'number'> & {
      /** Whose chains are read anew. */
      readonly assetIds: readonly AssetId[];
      /** Transactions of this node's journal that the chain has no more. */
      readonly lost: readonly Witness[];
    },
  ): Promise<number>;
  /** The newest of this digest. */
  findAccepted(digest: string): Promise<AcceptedRewriting | undefined>;
  /** The newest one's number; 0 when there is none. */
  lastAccepted(): Promise<number>;
  /** The assets of every rewriting with a larger number. */
  listAcceptedAssets(after: number): Promise<readonly AssetId[]>;
}

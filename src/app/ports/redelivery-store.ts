// The port to what the bot has to hand over anew, because the chain lost how its holder came by it.
import type { AssetId, TransactionId } from '../../shared/ids.ts';
import type { Holder } from './settlement-store.ts';

/** An asset of a holder in custody, of which the chain does not say what the rows say. */
export interface Redelivery {
  readonly assetId: AssetId;
  /** Whose it is. */
  readonly holder: Holder;
  /** The tip that it is handed over from; null when the chain has nothing of it: it is minted then. */
  readonly tipTransactionId: TransactionId | null;
  /** ms since the epoch. */
  readonly owedSince: number;
}

export interface RedeliveryStore {
  /** Inserts or replaces. */
  putRedelivery(redelivery: Redelivery): Promise<void>;
  findRedelivery(assetId: AssetId): Promise<Redelivery | undefined>;
  /** By asset id. */
  listRedeliveries(): Promise<readonly Redelivery[]>;
  removeRedelivery(assetId: AssetId): Promise<void>;
}

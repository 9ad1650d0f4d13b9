// The NFGT node's interface: what the app and the HTTP routes may ask of it.
import type { ErrorCode } from '../shared/errors.ts';
import type { AssetId, OwnerId, SettlementId, TransactionId } from '../shared/ids.ts';
import type { ChainFault, ChainSurvey, IndexedTransaction, RecordReader } from './chain-index.ts';
import type { JournalEntry, JournalStore, TransactionState } from './journal-store.ts';
import type { JsonValue, TransactionRecord } from './record.ts';
import type { Rewrite } from './rewrites.ts';

export type NodeRole = 'validator' | 'observer';

/** The node took a role: when it was opened, or because the remote gave or took away the right to push. */
export interface RoleEvent {
  readonly role: NodeRole;
  /** In words for people; what the remote said when it refused. */
  readonly reason: string;
  /** ms since the epoch. */
  readonly at: number;
}

/** What a caller wants on the chain. */
export interface TransactionDraft {
  readonly assetId: AssetId;
  readonly ownerId: OwnerId;
  readonly metadata: JsonValue;
  /** Ignored for a mint. */
  readonly predecessorPassphrase: string | undefined;
  /** The caller's own id for it; made here when undefined. */
  readonly transactionId: TransactionId | undefined;
}

/** A draft that was checked against the chain and given its ids, its time and its successor passphrase. */
export interface CheckedTransaction {
  readonly record: TransactionRecord;
  readonly bytes: Buffer;
  /** At least 128 bits from node:crypto. Seal it durably before the group is submitted. */
  readonly successorPassphrase: string;
  /** The transaction that this one follows; undefined for a mint. */
  readonly predecessor: IndexedTransaction | undefined;
  /** The passphrase that was presented, for the journal: it is revealed once it is spent. Undefined when it never is. */
  readonly sealedPassphrase: Buffer | undefined;
}

/** Checked transactions that reach the chain together or not at all. */
export interface CheckedGroup {
  readonly groupId: SettlementId;
  readonly transactions: readonly CheckedTransaction[];
}

/** The end of a group. */
export type GroupOutcome =
  { readonly state: 'committed' } | { readonly state: 'rejected'; readonly reason: ErrorCode };

export interface NodeEvents {
  'transaction-committed': { readonly transaction: IndexedTransaction; readonly foreign: boolean };
  'transaction-rejected': { readonly entry: JournalEntry; readonly reason: ErrorCode };
  'owner-changed': {
    readonly assetId: AssetId;
    readonly from: OwnerId | undefined;
    readonly to: OwnerId;
    readonly transactionId: TransactionId;
    /** True when another node wrote it. */
    readonly foreign: boolean;
  };
  /** The remote does not go on from what this node knows, or no longer does so in the same refs. */
  'chain-rewritten': Rewriting;
  /** The remote goes on again from what this node knows: writing goes on. */
  'chain-restored': { readonly since: number };
}

/** How the remote was rewritten. While there is one, the node writes nothing and keeps what it knew. */
export interface Rewriting {
  /** When it was noticed, in ms since the epoch. */
  readonly since: number;
  /** How many refs there are; `refs` may name fewer of them. */
  readonly total: number;
  readonly refs: readonly Rewrite[];
}

export interface NodeStatus {
  readonly role: NodeRole;
  /** Newest first, the one that gave the present role at the head. */
  readonly roleEvents: readonly RoleEvent[];
  readonly beacon: string;
  readonly epochBranch: string;
  readonly assets: number;
  readonly transactions: number;
  readonly pending: number;
  /** Of what is pending. */
  readonly queue: {
    /** Transactions in the push that is under way. */
    readonly inFlight: number;
    /** When the oldest was accepted, in ms since the epoch; null when nothing waits. */
    readonly oldestAcceptedAt: number | null;
  };
  /** ms since the epoch; null before the first sync. */
  readonly lastSyncAt: number | null;
  /** Null while the remote goes on from what this node knows. */
  readonly rewriting: Rewriting | null;
  /** True when the last look at the beacon failed: reads go on, nothing new is accepted. */
  readonly isBeaconAway: boolean;
  readonly faults: readonly ChainFault[];
}

/** Reads from the index; none of them touches git or waits. */
export interface ChainReader extends RecordReader, ChainSurvey {
  findTip(assetId: AssetId): IndexedTransaction | undefined;
  findTransaction(transactionId: TransactionId): IndexedTransaction | undefined;
  listOwnerAssets(
    ownerId: OwnerId,
    page: { readonly limit: number; readonly offset: number },
  ): IndexedTransaction[];
  countOwnerAssets(ownerId: OwnerId): number;
  listAssetHistory(assetId: AssetId, depth: number): IndexedTransaction[];
  searchAssets(text: string, limit: number): AssetId[];
}

/**
 * A validating (or observing) node. To write: `check` outside any database transaction, `journal` inside one beside
 * whatever else must be durable with it, `submit` after it has committed.
 */
export interface NfgtNode {
  readonly chain: ChainReader;
  status(): Promise<NodeStatus>;
  /** Pending, committed or rejected with the reason; undefined for an id that neither journal nor chain knows. */
  findState(
    transactionId: TransactionId,
  ): Promise<{ state: TransactionState; reason: ErrorCode | null } | undefined>;
  /**
   * Checks ownership by passphrase and gives ids and times; writes nothing.
   * Without drafts it says whether the node may write at all.
   * @throws AppError NODE_IS_OBSERVER, CHAIN_REWRITTEN, BEACON_UNREACHABLE, PASSPHRASE_MISMATCH, ASSET_BUSY, QUEUE_FULL,
   *   METADATA_INVALID, TRANSACTION_ID_TAKEN
   */
  check(groupId: SettlementId, drafts: readonly TransactionDraft[]): Promise<CheckedGroup>;
  /**
   * Writes the group's journal rows through the caller's database transaction.
   * @throws AppError ASSET_BUSY, CHAIN_ADVANCED when the tip moved since `check`, CHAIN_REWRITTEN.
   */
  journal(journal: JournalStore, group: CheckedGroup): Promise<void>;
  /** Hands a journaled group to the pusher. Repeating it is harmless. */
  submit(groupId: SettlementId): void;
  /** Resolves when the group is committed or rejected; at once when it is already. */
  outcomeOf(groupId: SettlementId): Promise<GroupOutcome>;
  /** Reads what the remote has that the index has not. */
  sync(): Promise<void>;
  on<Name extends keyof NodeEvents>(
    name: Name,
    listener: (event: NodeEvents[Name]) => void,
  ): () => void;
  /** Stops the timers, which keep the process alive until then, and waits for the push in flight. */
  close(): Promise<void>;
}

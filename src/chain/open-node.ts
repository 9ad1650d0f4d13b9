// Opens an NFGT node: checks and journals transactions, pushes them in groups, keeps the index in step with the remote.
import { setTimeout as delay } from 'node:timers/promises';
import { v4 as uuidv4 } from 'uuid';
import type { Clock } from '../shared/clock.ts';
import { AppError, type ErrorCode } from '../shared/errors.ts';
import type { AssetId, SettlementId, TransactionId } from '../shared/ids.ts';
import { Listeners } from '../shared/listeners.ts';
import type { Logger } from '../shared/logger.ts';
import { measure, secondsSince } from '../shared/measurements.ts';
import type { Advertisement, Beacon } from './beacon.ts';
import type { BranchAddition, ChainIndex, IndexedTransaction } from './chain-index.ts';
import type { JournalEntry, JournalStore, NodeDatabase } from './journal-store.ts';
import type {
  ChainReader,
  CheckedGroup,
  CheckedTransaction,
  GroupOutcome,
  NfgtNode,
  NodeEvents,
  NodeRole,
  NodeStatus,
  TransactionDraft,
} from './node.ts';
import { predecessorProof } from './proofs.ts';
import type { Sealer } from './publisher.ts';
import { Pusher } from './pusher.ts';
import { encodeRecord, type TransactionRecord } from './record.ts';
import { branchOf } from './refs.ts';
import { Role } from './role.ts';
import { Rewritten } from './rewritten.ts';
import { answersHash, generatePassphrase, hashPassphrase, isPlainHash } from './succession.ts';
import { NOT_GOING_ON, syncIndex } from './sync.ts';

export interface NodeOptions {
  readonly beacon: Beacon;
  readonly index: ChainIndex;
  readonly database: NodeDatabase;
  readonly clock: Clock;
  readonly logger: Logger;
  /** `auto`: validator when the remote lets us push. */
  readonly role: 'auto' | NodeRole;
  /** Author and committer of our commits: a short id of the validator's key. */
  readonly committer: string;
  /** Keeps presented passphrases until they are spent and revealed; without one hand-overs prove nothing. */
  readonly sealer?: Sealer | undefined;
  readonly syncIntervalMs: number;
  /** How often a role that was not set is found out anew; ten minutes by default. */
  readonly roleCheckIntervalMs?: number;
  /** How long a push whose answer was lost may still arrive; two minutes by default. */
  readonly latePushMs?: number | undefined;
}

/** Rights on a git host change by hand, and each look costs the remote an advertisement of all its refs. */
const ROLE_CHECK_INTERVAL_MS = 600_000;
/** The most transactions that may wait for the beacon before new ones are refused. */
const MAX_PENDING_TRANSACTIONS = 10_000;
/** The most transactions of one group: they must fit into one push. */
export const MAX_GROUP_TRANSACTIONS = 500;
const MAX_FAULTS_SHOWN = 100;
const MAX_REWRITES_SHOWN = 100;

/**
 * Opens the node: finds its role, syncs, and takes up whatever the journal holds as pending.
 * @throws AppError BEACON_UNREACHABLE when the remote does not answer.
 */
export async function openNode(options: NodeOptions): Promise<NfgtNode> {
  const { beacon, index, logger } = options;
  const identity = `${beacon.description} ${beacon.epochBranch}`;
  if (index.findIdentity() !== identity) {
    index.clear();
    index.setIdentity(identity);
  }
  const role = await Role.find(options);
  const node = new Node(options, role);
  await node.start();
  const [event] = role.events;
  logger.info(
    { role: event?.role, reason: event?.reason, beacon: beacon.description, ...index.totals() },
    'node is open',
  );
  return node;
}

class Node implements NfgtNode {
  readonly chain: ChainReader;
  readonly #options: NodeOptions;
  readonly #role: Role;
  readonly #listeners: { readonly [Name in keyof NodeEvents]: Listeners<NodeEvents[Name]> };
  readonly #pusher: Pusher;
  readonly #stopping = new AbortController();
  /** Sync and push take turns, so that neither ever sees half of the other's work. */
  #beaconTurn: Promise<void> = Promise.resolve();
  #lastSyncAt: number | null = null;
  #isBeaconAway = false;
  readonly #rewritten: Rewritten;
  /** Both as the last sync that came to its end saw the remote. */
  #halfPushed: ReadonlySet<TransactionId> = new Set();
  #branches: Advertisement['branches'] = new Map();
  #loops: Promise<unknown> = Promise.resolve();

  constructor(options: NodeOptions, role: Role) {
    this.#options = options;
    this.#role = role;
    this.chain = options.index;
    this.#listeners = {
      'transaction-committed': new Listeners(options.logger),
      'transaction-rejected': new Listeners(options.logger),
      'owner-changed': new Listeners(options.logger),
      'chain-rewritten': new Listeners(options.logger),
      'chain-restored': new Listeners(options.logger),
    };
    this.#rewritten = new Rewritten({
      ...options,
      onChange: (now) => this.#emit('chain-rewritten', now),
      onEnd: (since) => this.#emit('chain-restored', { since }),
    });
    this.#pusher = new Pusher({
      ...options,
      takeBeaconTurn: (work) => this.#takeBeaconTurn(work),
      syncNow: () => this.#syncNow(),
      isStopped: () => this.#rewritten.now !== undefined,
      isHalfPushed: (transactionId) => this.#halfPushed.has(transactionId),
      isAstray: (assetId) => this.#isAstray(assetId),
      mayPush: () => this.#role.current === 'validator',
      recheckRole: () => this.#role.recheck(),
      announce: (additions) => {
        // What took a push answers, whatever the last sync met; the next one may be long in coming.
        this.#isBeaconAway = false;
        this.#announce(additions, false);
      },
      announceRejected: (entries, reason) => this.#announceRejected(entries, reason),
    });
  }

  async start(): Promise<void> {
    await this.#pusher.readPending();
    await this.#rewritten.readWitnesses();
    await this.sync();
    this.#pusher.recover();
    const { syncIntervalMs, roleCheckIntervalMs = ROLE_CHECK_INTERVAL_MS } = this.#options;
    this.#loops = Promise.all([
      this.#repeat(syncIntervalMs, () => this.#syncPatiently()),
      this.#repeat(roleCheckIntervalMs, () => this.#takeBeaconTurn(() => this.#role.recheck())),
    ]);
  }

  async status(): Promise<NodeStatus> {
    const { beacon, index, database } = this.#options;
    return {
      role: this.#role.current,
      roleEvents: [...this.#role.events],
      beacon: beacon.description,
      epochBranch: beacon.epochBranch,
      ...index.totals(),
      pending: await database.read(({ journal }) => journal.countPending()),
      queue: this.#pusher.queue,
      lastSyncAt: this.#lastSyncAt,
      rewriting: this.#rewritten.shown(MAX_REWRITES_SHOWN) ?? null,
      isBeaconAway: this.#isBeaconAway,
      faults: index.listFaults(MAX_FAULTS_SHOWN),
    };
  }

  async findState(transactionId: TransactionId): ReturnType<NfgtNode['findState']> {
    const entry = await this.#options.database.read(({ journal }) =>
      journal.findEntry(transactionId),
    );
    const found = this.chain.findTransaction(transactionId);
    // A stranger may have taken our id for a record of their own: then ours has the state that the journal says.
    const isCommitted = found !== undefined && (entry?.record.equals(found.record) ?? true);
    if (isCommitted) return { state: 'committed', reason: null };
    return entry && { state: entry.state, reason: entry.reason };
  }

  async check(groupId: SettlementId, drafts: readonly TransactionDraft[]): Promise<CheckedGroup> {
    if (this.#role.current === 'observer') throw new AppError('NODE_IS_OBSERVER');
    this.#rewritten.refuse();
    if (this.#isBeaconAway) throw new AppError('BEACON_UNREACHABLE');
    if (drafts.length > MAX_GROUP_TRANSACTIONS) {
      const reason = `one group holds at most ${MAX_GROUP_TRANSACTIONS} transactions`;
      throw new AppError('INPUT_INVALID', { reason });
    }
    if (this.#pusher.waiting + drafts.length > MAX_PENDING_TRANSACTIONS) {
      throw new AppError('QUEUE_FULL');
    }
    const assets = new Set<AssetId>();
    const transactions: CheckedTransaction[] = [];
    for (const draft of drafts) {
      if (assets.has(draft.assetId) || this.#pusher.isPending(draft.assetId)) {
        throw new AppError('ASSET_BUSY', { assetId: draft.assetId });
      }
      assets.add(draft.assetId);
      transactions.push(await this.#checkDraft(draft));
    }
    return { groupId, transactions };
  }

  async #checkDraft(draft: TransactionDraft): Promise<CheckedTransaction> {
    const predecessor = this.chain.findTip(draft.assetId);
    if (predecessor !== undefined) {
      const presented = draft.predecessorPassphrase;
      if (presented === undefined || !(await answersHash(presented, predecessor.successorHash))) {
        throw new AppError('PASSPHRASE_MISMATCH', { assetId: draft.assetId });
      }
    } else {
      this.#refuseBlocked(draft.assetId);
    }
    const { transactionId } = draft;
    if (transactionId !== undefined && this.chain.findTransaction(transactionId) !== undefined) {
      throw new AppError('TRANSACTION_ID_TAKEN', { transactionId });
    }
    const successorPassphrase = generatePassphrase();
    const record = {
      successorHash: hashPassphrase(successorPassphrase),
      transactionId: transactionId ?? (uuidv4() as TransactionId),
      // A chain's times never run backwards, even when another validator's clock is ahead of ours.
      transactionTime: Math.max(this.#options.clock.now(), predecessor?.transactionTime ?? 0),
      assetId: draft.assetId,
      ownerId: draft.ownerId,
      metadata: draft.metadata,
    };
    const proof = this.#proveSuccession(record, draft.predecessorPassphrase, predecessor);
    const proven = { ...record, predecessorProof: proof?.proof };
    return {
      record: proven,
      bytes: encodeRecord(proven),
      successorPassphrase,
      predecessor,
      sealedPassphrase: proof?.sealed,
    };
  }

  /** Only for the form that a revealed passphrase can be checked with: argon2 guards one that a person may use elsewhere. */
  #proveSuccession(
    { assetId, transactionId }: Pick<TransactionRecord, 'assetId' | 'transactionId'>,
    passphrase: string | undefined,
    predecessor: IndexedTransaction | undefined,
  ): { readonly proof: string; readonly sealed: Buffer } | undefined {
    const { sealer } = this.#options;
    if (sealer === undefined || passphrase === undefined || predecessor === undefined) {
      return undefined;
    }
    if (!isPlainHash(predecessor.successorHash)) return undefined;
    const sealed = sealer.seal(passphrase, { assetId, transactionId });
    return { proof: predecessorProof(transactionId, passphrase), sealed };
  }

  /** Ids of other nodes' chains may have slashes; git then has no room for a branch that is called like their folder. */
  #refuseBlocked(assetId: AssetId): void {
    if (!this.#options.index.hasAssetBelow(assetId)) return;
    const reason = 'branches of other assets stand below it';
    throw new AppError('ASSET_ID_INVALID', { assetId: JSON.stringify(assetId), reason });
  }

  async journal(journal: JournalStore, group: CheckedGroup): Promise<void> {
    const { index, beacon, clock, committer } = this.#options;
    this.#rewritten.refuse();
    const acceptedAt = clock.now();
    const entries = group.transactions.map((transaction, position) => {
      const { record, bytes, predecessor, sealedPassphrase } = transaction;
      const { assetId } = record;
      if (index.findTip(assetId)?.transactionId !== predecessor?.transactionId) {
        throw new AppError('CHAIN_ADVANCED', { assetId });
      }
      return {
        transactionId: record.transactionId,
        groupId: group.groupId,
        position,
        assetId,
        ownerId: record.ownerId,
        record: bytes,
        parent: index.findBranchCommit(assetId) ?? beacon.epoch,
        committer,
        commitTimeSeconds: Math.floor(acceptedAt / 1000),
        acceptedAt,
        sealedPassphrase,
      };
    });
    await journal.insertEntries(entries);
  }

  submit(groupId: SettlementId): void {
    this.#pusher.submit(groupId);
  }

  outcomeOf(groupId: SettlementId): Promise<GroupOutcome> {
    return this.#pusher.outcomeOf(groupId);
  }

  async sync(): Promise<void> {
    await this.#takeBeaconTurn(() => this.#syncNow());
  }

  /** Only ever runs while holding the beacon's turn. */
  async #syncNow(): Promise<void> {
    const { beacon, index, clock, logger } = this.#options;
    const startedAt = performance.now();
    const halfPushed = new Set<TransactionId>();
    this.#branches = new Map();
    try {
      const rewrites = await syncIndex(beacon, index, {
        witnesses: this.#rewritten.witnesses,
        isOwn: (transactionId, record) => this.#pusher.isOwn(transactionId, record),
        onAdvertised: ({ branches }) => {
          this.#branches = branches;
        },
        onPart: ({ additions, faults, ...part }) => {
          for (const transactionId of part.halfPushed) halfPushed.add(transactionId);
          for (const fault of faults) logger.warn(fault, 'skipped what breaks the chain format');
          this.#announce(additions, true);
        },
      });
      this.#halfPushed = halfPushed;
      this.#isBeaconAway = false;
      this.#lastSyncAt = clock.now();
      this.#rewritten.take(rewrites);
    } catch (error) {
      this.#isBeaconAway = true;
      throw error;
    } finally {
      const result = this.#isBeaconAway ? 'failed' : 'done';
      measure('sync', { result, seconds: secondsSince(startedAt) });
    }
  }

  /** What a rewritten remote shows says nothing. */
  #isAstray(assetId: AssetId): boolean {
    if (this.#rewritten.now !== undefined) return false;
    const branch = branchOf(assetId);
    const tip = this.#branches.get(branch);
    return tip !== undefined && this.#options.index.findFault(branch, tip) === NOT_GOING_ON;
  }

  async #syncPatiently(): Promise<void> {
    try {
      await this.sync();
    } catch (error) {
      const { logger } = this.#options;
      logger.warn({ err: error }, 'sync failed; reads go on from what was last seen');
    }
  }

  /** Does this after every pause until the node is closed. */
  async #repeat(pauseMs: number, work: () => Promise<void>): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const slept = await delay(pauseMs, true, { signal }).catch(() => false);
      if (!slept) return;
      await work();
    }
  }

  async #takeBeaconTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#beaconTurn.then(work);
    this.#beaconTurn = turn.then(
      () => undefined,
      () => undefined,
    );
    return await turn;
  }

  #announce(additions: readonly BranchAddition[], fromRemote: boolean): void {
    const { 'transaction-committed': committed, 'owner-changed': ownerChanged } = this.#listeners;
    // A start takes over thousands of transactions while nobody listens yet.
    if (committed.isEmpty && ownerChanged.isEmpty) return;
    for (const { assetId, transactions } of additions) {
      for (const { record, bytes } of transactions) {
        const transaction = this.chain.findTransaction(record.transactionId);
        if (transaction === undefined) continue;
        const foreign = fromRemote && !this.#pusher.isOwn(record.transactionId, bytes);
        this.#emit('transaction-committed', { transaction, foreign });
        const from = this.#findPredecessor(transaction)?.ownerId;
        if (from !== record.ownerId) {
          const { ownerId: to, transactionId } = record;
          this.#emit('owner-changed', { assetId, from, to, transactionId, foreign });
        }
      }
    }
  }

  #findPredecessor(transaction: IndexedTransaction): IndexedTransaction | undefined {
    if (transaction.position === 1) return undefined;
    return this.chain
      .listAssetHistory(transaction.assetId, Number.MAX_SAFE_INTEGER)
      .find(({ position }) => position === transaction.position - 1);
  }

  #announceRejected(entries: readonly JournalEntry[], reason: ErrorCode): void {
    for (const entry of entries) this.#emit('transaction-rejected', { entry, reason });
  }

  #emit<Name extends keyof NodeEvents>(name: Name, event: NodeEvents[Name]): void {
    this.#listeners[name].tell(event);
  }

  on<Name extends keyof NodeEvents>(
    name: Name,
    listener: (event: NodeEvents[Name]) => void,
  ): () => void {
    return this.#listeners[name].add(listener);
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#loops;
    await this.#pusher.close();
    await this.#beaconTurn;
  }
}

// Group commit: what was accepted while one push is in flight goes out together with the next; no group is ever split.
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../shared/clock.ts';
import type { ErrorCode } from '../shared/errors.ts';
import type { AssetId, CommitId, SettlementId, TransactionId } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import type { Beacon, PushResult } from './beacon.ts';
import type { BranchAddition, ChainIndex } from './chain-index.ts';
import type { JournalEntry, NodeDatabase } from './journal-store.ts';
import type { GroupOutcome } from './node.ts';
import { parseRecord } from './record.ts';

/** The most transactions that go out in one push; a larger batch would make the first in line wait for the last. */
const MAX_BATCH_TRANSACTIONS = 512;
const RETRY_BASE_MS = 100;
const RETRY_MAX_MS = 10_000;
/** How many outcomes are remembered in memory; older ones are read from the journal. */
const MAX_OUTCOMES_REMEMBERED = 1_000;

interface PusherOptions {
  readonly beacon: Beacon;
  readonly index: ChainIndex;
  readonly database: NodeDatabase;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly takeBeaconTurn: <T>(work: () => Promise<T>) => Promise<T>;
  /** Runs a sync; only called while holding the beacon's turn. */
  readonly syncNow: () => Promise<void>;
  readonly announce: (additions: readonly BranchAddition[]) => void;
  readonly announceRejected: (entries: readonly JournalEntry[], reason: ErrorCode) => void;
}

interface Group {
  readonly groupId: SettlementId;
  readonly entries: readonly JournalEntry[];
}

/** A group's end, found by looking at the index; undefined while it may still be pushed. */
type Verdict = 'committed' | 'lost' | undefined;

export class Pusher {
  readonly #options: PusherOptions;
  /** Submitted, not yet read from the journal. */
  readonly #submitted = new Set<SettlementId>();
  /** Read from the journal, waiting for the next push, first come first. */
  #waiting: Group[] = [];
  readonly #pendingAssets = new Map<AssetId, TransactionId>();
  readonly #ownTransactions = new Set<TransactionId>();
  readonly #outcomes = new Map<SettlementId, GroupOutcome>();
  readonly #waiters = new Map<SettlementId, ((outcome: GroupOutcome) => void)[]>();
  readonly #stopping = new AbortController();
  #failures = 0;
  /** Halved by every failure: a group that cannot be pushed must not hold up the others for ever. */
  #maxGroups = MAX_BATCH_TRANSACTIONS;
  /** True from before a push until its end is known; an earlier process may have left one in the air. */
  #mustAskRemote = true;
  #running: Promise<void> | undefined;

  constructor(options: PusherOptions) {
    this.#options = options;
  }

  /** Transactions and groups that wait for the beacon, roughly: a submitted group counts as one until it is read. */
  get waiting(): number {
    return this.#pendingAssets.size + this.#submitted.size;
  }

  isPending(assetId: AssetId): boolean {
    return this.#pendingAssets.has(assetId);
  }

  isOwn(transactionId: TransactionId): boolean {
    return this.#ownTransactions.has(transactionId);
  }

  /** Reads what an earlier process left pending in the journal; nothing is pushed before `recover`. */
  async readPending(): Promise<void> {
    const pending = await this.#options.database.read(({ journal }) => journal.listPending());
    for (const { groupId, transactionId } of pending) {
      this.#submitted.add(groupId);
      this.#ownTransactions.add(transactionId);
    }
    if (pending.length > 0) {
      this.#options.logger.info({ transactions: pending.length }, 'took up pending transactions');
    }
  }

  /** Starts with what was read. */
  recover(): void {
    for (const groupId of this.#submitted) this.submit(groupId);
  }

  submit(groupId: SettlementId): void {
    if (this.#stopping.signal.aborted || this.#outcomes.has(groupId)) return;
    this.#submitted.add(groupId);
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async outcomeOf(groupId: SettlementId): Promise<GroupOutcome> {
    const remembered = this.#outcomes.get(groupId);
    if (remembered !== undefined) return remembered;
    // The waiter stands before the journal is asked, so that an end in between is not missed.
    const outcome = new Promise<GroupOutcome>((resolve) => {
      this.#waiters.set(groupId, [...(this.#waiters.get(groupId) ?? []), resolve]);
    });
    const entries = await this.#options.database.read(({ journal }) => journal.listGroup(groupId));
    const [first] = entries;
    if (first?.state === 'committed') this.#resolve(groupId, { state: 'committed' });
    if (first?.state === 'rejected') {
      this.#resolve(groupId, { state: 'rejected', reason: first.reason ?? 'CHAIN_ADVANCED' });
    }
    return await outcome;
  }

  /** Lets the push in flight end; what still waits stays pending in the journal. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { logger, takeBeaconTurn } = this.#options;
    // One turn of the event loop lets everything that was accepted together go out together.
    await new Promise((resolve) => setImmediate(resolve));
    while (!this.#stopping.signal.aborted && this.#submitted.size + this.#waiting.length > 0) {
      try {
        await this.#readSubmitted();
        const isDone = await takeBeaconTurn(() => this.#pushBatch(this.#takeBatch()));
        this.#failures = isDone ? 0 : this.#failures + 1;
      } catch (error) {
        this.#failures += 1;
        logger.warn(
          { err: error, failures: this.#failures },
          'push failed; it will be tried again',
        );
      }
      if (this.#failures > 0) await this.#backOff();
    }
  }

  async #backOff(): Promise<void> {
    const waitMs = Math.min(RETRY_BASE_MS * 2 ** Math.min(this.#failures, 10), RETRY_MAX_MS);
    const { signal } = this.#stopping;
    await delay(waitMs, undefined, { signal }).catch(() => undefined);
  }

  async #readSubmitted(): Promise<void> {
    const groupIds = [...this.#submitted];
    const groups = await this.#options.database.read(({ journal }) =>
      Promise.all(
        groupIds.map(async (groupId) => ({ groupId, entries: await journal.listGroup(groupId) })),
      ),
    );
    for (const { groupId, entries } of groups) {
      this.#submitted.delete(groupId);
      const pending = entries.filter(({ state }) => state === 'pending');
      if (pending.length === 0 || this.#waiting.some((group) => group.groupId === groupId))
        continue;
      for (const { assetId, transactionId } of pending) {
        this.#pendingAssets.set(assetId, transactionId);
        this.#ownTransactions.add(transactionId);
      }
      this.#waiting.push({ groupId, entries: pending });
    }
  }

  /** The first groups in line that fit into one push, without taking them off the line. */
  #takeBatch(): readonly Group[] {
    const batch: Group[] = [];
    let transactions = 0;
    for (const group of this.#waiting.slice(0, this.#maxGroups)) {
      transactions += group.entries.length;
      if (batch.length > 0 && transactions > MAX_BATCH_TRANSACTIONS) break;
      batch.push(group);
    }
    return batch;
  }

  /** @returns false when the batch has to be tried again after a while. */
  async #pushBatch(batch: readonly Group[]): Promise<boolean> {
    if (this.#mustAskRemote) await this.#options.syncNow();
    const open = await this.#settleDecided(batch);
    if (open.length === 0) return true;
    const drafts = open.flatMap(({ entries }) => entries);
    this.#mustAskRemote = true;
    const result = await this.#options.beacon.push(drafts);
    if (result.outcome === 'accepted') {
      this.#mustAskRemote = false;
      await this.#commit(open, result.commits);
      return true;
    }
    return await this.#askRemote(open, result);
  }

  /**
   * The push did not clearly succeed. Before anything else the remote is asked what it has: an answer may have been
   * lost, and a refusal may only mean that an earlier try got through.
   */
  async #askRemote(
    open: readonly Group[],
    result: Exclude<PushResult, { outcome: 'accepted' }>,
  ): Promise<boolean> {
    const { logger, syncNow } = this.#options;
    logger.info(
      { outcome: result.outcome, reason: result.reason },
      'asking the remote after a push',
    );
    await syncNow();
    this.#mustAskRemote = result.outcome === 'unknown';
    const undecided = await this.#settleDecided(open);
    if (result.outcome === 'refused' && !result.retryable) {
      await this.#reject(undecided, 'BEACON_REFUSED');
      return true;
    }
    return undecided.length < open.length;
  }

  /** Ends the groups whose end the index shows, and gives back the others. */
  async #settleDecided(groups: readonly Group[]): Promise<readonly Group[]> {
    const verdicts = groups.map((group) => ({ group, verdict: this.#judge(group) }));
    const having = (wanted: Verdict): Group[] =>
      verdicts.filter(({ verdict }) => verdict === wanted).map(({ group }) => group);
    await this.#finish(having('committed'), { state: 'committed' });
    await this.#reject(having('lost'), 'CHAIN_ADVANCED');
    return having(undefined);
  }

  /**
   * A group is committed when its records stand on the chain. It is lost only when a branch has moved off the parent of
   * one of its commits or a tag is taken: then no late push of ours can get through any more. Anything less certain,
   * a lock on the remote for example, is tried again.
   */
  #judge({ entries }: Group): Verdict {
    const { index } = this.#options;
    const found = entries.map(({ transactionId }) => index.findTransaction(transactionId));
    const isOurs = entries.map((entry, at) => found[at]?.record.equals(entry.record) ?? false);
    if (isOurs.every(Boolean)) return 'committed';
    const isLost = entries.some((entry, at) => {
      if (found[at] !== undefined) return isOurs[at] !== true;
      // Without a branch nobody has been quicker; the mint's parent may then be an older tip of the epoch branch.
      const branchCommit = index.findBranchCommit(entry.assetId);
      return branchCommit !== undefined && branchCommit !== entry.parent;
    });
    return isLost ? 'lost' : undefined;
  }

  async #commit(
    groups: readonly Group[],
    commits: ReadonlyMap<TransactionId, CommitId>,
  ): Promise<void> {
    const additions = groups.flatMap(({ entries }) =>
      entries.map((entry): BranchAddition => {
        const commitId = commits.get(entry.transactionId);
        const record = parseRecord(entry.record);
        if (commitId === undefined || 'fault' in record) {
          throw new Error(`the beacon gave no commit for transaction ${entry.transactionId}`);
        }
        const { assetId, record: bytes } = entry;
        return { assetId, branchCommit: commitId, transactions: [{ commitId, record, bytes }] };
      }),
    );
    this.#options.index.apply(additions, []);
    await this.#finish(groups, { state: 'committed' });
    this.#options.announce(additions);
  }

  async #reject(groups: readonly Group[], reason: ErrorCode): Promise<void> {
    await this.#finish(groups, { state: 'rejected', reason });
    for (const { entries } of groups) this.#options.announceRejected(entries, reason);
  }

  async #finish(groups: readonly Group[], outcome: GroupOutcome): Promise<void> {
    if (groups.length === 0) return;
    const groupIds = groups.map(({ groupId }) => groupId);
    const reason = outcome.state === 'rejected' ? outcome.reason : null;
    const resolvedAt = this.#options.clock.now();
    await this.#options.database.transaction(({ journal }) =>
      journal.resolveGroups(groupIds, { state: outcome.state, reason, resolvedAt }),
    );
    const ended = new Set(groupIds);
    this.#waiting = this.#waiting.filter(({ groupId }) => !ended.has(groupId));
    for (const { groupId, entries } of groups) {
      for (const { assetId, transactionId } of entries) {
        this.#pendingAssets.delete(assetId);
        this.#ownTransactions.delete(transactionId);
      }
      this.#resolve(groupId, outcome);
    }
  }

  #resolve(groupId: SettlementId, outcome: GroupOutcome): void {
    this.#outcomes.set(groupId, outcome);
    const [oldest] = this.#outcomes.keys();
    if (this.#outcomes.size > MAX_OUTCOMES_REMEMBERED && oldest !== undefined) {
      this.#outcomes.delete(oldest);
    }
    for (const waiter of this.#waiters.get(groupId) ?? []) waiter(outcome);
    this.#waiters.delete(groupId);
  }
}

// Group commit: what was accepted while one push is in flight goes out together with the next; no group is ever split.
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../shared/clock.ts';
import type { ErrorCode } from '../shared/errors.ts';
import type { AssetId, CommitId, SettlementId, TransactionId } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import { measure, secondsSince, type Measurements } from '../shared/measurements.ts';
import type { Beacon, PushResult } from './beacon.ts';
import type { BranchAddition, ChainIndex } from './chain-index.ts';
import type { JournalEntry, NodeDatabase } from './journal-store.ts';
import type { GroupOutcome, NodeStatus } from './node.ts';
import { parseRecord } from './record.ts';

/** The most transactions that go out in one push; a larger batch would make the first in line wait for the last. */
const MAX_BATCH_TRANSACTIONS = 512;
const RETRY_BASE_MS = 100;
const RETRY_MAX_MS = 10_000;
/** A remote that answers, if only with a refusal, is asked again at least this often: others wait behind it. */
const REFUSED_PAUSE_MAX_MS = 1_000;
/**
 * A group whose ref the remote found elsewhere is lost after this many refusals, with a look at the remote after each:
 * by then it is no race any more, and a late push of ours cannot get past that ref either.
 */
const MAX_BLAMED = 5;
/** How often the remote may refuse to complete what it has kept of a lost group, for whatever reason. */
const MAX_COMPLETIONS = 5;
/** How long a push whose answer was lost may still be on its way into the remote. */
const DEFAULT_LATE_PUSH_MS = 120_000;
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
  /** True while the remote was rewritten: nothing is sent, and nothing given up. */
  readonly isStopped: () => boolean;
  /** True for a transaction that the last sync saw at the tip of its branch, without its tag. */
  readonly isHalfPushed: (transactionId: TransactionId) => boolean;
  /** True when the last sync saw the asset's branch on something that the chain as it is known does not lead to. */
  readonly isAstray: (assetId: AssetId) => boolean;
  /** False while the node is an observer: what still waits is then looked for on the remote, never sent. */
  readonly mayPush: () => boolean;
  /** Finds out whether a final refusal means that the right to push is gone; only called while holding the beacon's turn. */
  readonly recheckRole: () => Promise<void>;
  readonly announce: (additions: readonly BranchAddition[]) => void;
  readonly announceRejected: (entries: readonly JournalEntry[], reason: ErrorCode) => void;
  readonly latePushMs?: number | undefined;
}

interface Group {
  readonly groupId: SettlementId;
  readonly entries: readonly JournalEntry[];
  /** How often it was refused by itself; such a group is set aside, so that it holds up nobody else. */
  refusals: number;
  /** How often the remote named one of its refs as the reason. */
  blamed: number;
  /** How often it refused to complete what it had kept. */
  completions: number;
  /** True once a push of it was not clearly accepted. */
  isUnclear: boolean;
  /** When it may be tried again, in ms of `performance.now()`; so is the next one. */
  dueAt: number;
  /** Until then an earlier push of it, whose answer was lost, may still arrive. */
  inAirUntil: number;
}

/** An observer's answer in the remote's place. */
const OBSERVER_REFUSES: PushResult = {
  outcome: 'refused',
  stale: [],
  reason: 'this node is an observer',
  retryable: false,
};

/** A group's end, found by looking at the index; undefined while it may still be pushed. */
type Verdict = 'committed' | 'lost' | undefined;

/** What one turn of the pusher came to; `failed`: the remote gave no answer. */
type Turn = 'done' | 'refused' | 'failed';

export class Pusher {
  readonly #options: PusherOptions;
  readonly #latePushMs: number;
  /** Submitted, not yet read from the journal. */
  readonly #submitted = new Set<SettlementId>();
  /** Left pending by an earlier process, which may have died in the middle of their push. */
  readonly #inherited = new Set<SettlementId>();
  /** Read from the journal, waiting for the next push, first come first. */
  #waiting: Group[] = [];
  readonly #pendingAssets = new Map<AssetId, TransactionId>();
  /** The record of every transaction that waits. */
  readonly #ownTransactions = new Map<TransactionId, Buffer>();
  readonly #outcomes = new Map<SettlementId, GroupOutcome>();
  readonly #waiters = new Map<SettlementId, ((outcome: GroupOutcome) => void)[]>();
  readonly #stopping = new AbortController();
  /** Turns without an answer, and with a refusal, since the last one that came to something. */
  #failures = 0;
  #refusals = 0;
  /** Halved by every refusal that blames nobody, until the group that cannot be pushed stands alone. */
  #maxGroups = MAX_BATCH_TRANSACTIONS;
  #wasAside = false;
  /** True from before a push until its end is known; an earlier process may have left one in the air. */
  #mustAskRemote = true;
  #running: Promise<void> | undefined;
  #inFlight = 0;

  constructor(options: PusherOptions) {
    this.#options = options;
    this.#latePushMs = options.latePushMs ?? DEFAULT_LATE_PUSH_MS;
  }

  /** Transactions and groups that wait for the beacon, roughly: a submitted group counts as one until it is read. */
  get waiting(): number {
    return this.#pendingAssets.size + this.#submitted.size;
  }

  /** Where the line stands now. */
  get queue(): NodeStatus['queue'] {
    // Groups that were set aside stay in their place: the line is in the order of acceptance, but for those of one turn.
    const [oldest] = this.#waiting;
    return { inFlight: this.#inFlight, oldestAcceptedAt: oldest?.entries[0]?.acceptedAt ?? null };
  }

  isPending(assetId: AssetId): boolean {
    return this.#pendingAssets.has(assetId);
  }

  /** True for this very record; a stranger may have taken its id for another one. */
  isOwn(transactionId: TransactionId, record: Buffer): boolean {
    return this.#ownTransactions.get(transactionId)?.equals(record) === true;
  }

  /** Reads what an earlier process left pending in the journal; nothing is pushed before `recover`. */
  async readPending(): Promise<void> {
    const pending = await this.#options.database.read(({ journal }) => journal.listPending());
    for (const { groupId, transactionId, record } of pending) {
      this.#submitted.add(groupId);
      this.#inherited.add(groupId);
      this.#ownTransactions.set(transactionId, record);
    }
    if (pending.length > 0) {
      const { logger } = this.#options;
      const groupIds = [...this.#submitted];
      logger.info({ transactions: pending.length }, 'took up pending transactions');
      logger.debug({ groupIds }, 'took up pending groups');
    }
  }

  /** Starts with what was read. */
  recover(): void {
    for (const groupId of this.#submitted) this.submit(groupId);
  }

  submit(groupId: SettlementId): void {
    if (this.#stopping.signal.aborted || this.#outcomes.has(groupId)) return;
    this.#submitted.add(groupId);
    this.#running ??= this.#run();
  }

  async outcomeOf(groupId: SettlementId): Promise<GroupOutcome> {
    const remembered = this.#outcomes.get(groupId);
    if (remembered !== undefined) return remembered;
    // The waiter stands before anybody is asked, so that an end in between is not missed.
    const outcome = new Promise<GroupOutcome>((resolve) => {
      this.#waiters.set(groupId, [...(this.#waiters.get(groupId) ?? []), resolve]);
    });
    if (this.#submitted.has(groupId)) return await outcome;
    const entries = await this.#options.database.read(({ journal }) => journal.listGroup(groupId));
    this.#resolveEnded(groupId, entries);
    return await outcome;
  }

  /** Tells who waits for a group what the journal says of its end, if it has ended. */
  #resolveEnded(groupId: SettlementId, [first]: readonly JournalEntry[]): void {
    if (first?.state === 'committed') this.#resolve(groupId, { state: 'committed' });
    if (first?.state === 'rejected') {
      this.#resolve(groupId, { state: 'rejected', reason: first.reason ?? 'CHAIN_ADVANCED' });
    }
  }

  /** Lets the push in flight end; what still waits stays pending in the journal. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    // One turn of the event loop lets everything that was accepted together go out together.
    await new Promise((resolve) => setImmediate(resolve));
    while (!this.#stopping.signal.aborted && this.#submitted.size + this.#waiting.length > 0) {
      this.#count(await this.#takeTurn());
      await this.#pause();
    }
    // In the same breath as the last look at the line: whoever submits from now on starts the next run.
    this.#running = undefined;
  }

  async #takeTurn(): Promise<Turn> {
    const { logger, takeBeaconTurn } = this.#options;
    let batch: readonly Group[] = [];
    try {
      await this.#readSubmitted();
      return await takeBeaconTurn(() => this.#pushBatch((batch = this.#takeBatch())));
    } catch (error) {
      const facts = { failures: this.#failures + 1, groupIds: idsOf(batch) };
      logger.warn({ err: error, ...facts }, 'push failed; it will be tried again');
      return 'failed';
    }
  }

  #count(turn: Turn): void {
    this.#failures = turn === 'failed' ? this.#failures + 1 : 0;
    this.#refusals = turn === 'refused' ? this.#refusals + 1 : 0;
  }

  /** Waits as long as the last turn asks for, or until the first of those that were set aside is due. */
  async #pause(): Promise<void> {
    const nextDueAt = Math.min(...this.#waiting.map(({ dueAt }) => dueAt));
    const untilDueMs = this.#waiting.length > 0 ? nextDueAt - performance.now() : 0;
    const refusedMs = this.#refusals > 0 ? backOffMs(this.#refusals) : 0;
    const waitMs = Math.max(
      this.#failures > 0 ? backOffMs(this.#failures) : 0,
      Math.min(Math.max(refusedMs, untilDueMs), REFUSED_PAUSE_MAX_MS),
    );
    if (waitMs <= 0) return;
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
      this.#resolveEnded(groupId, entries);
      if (pending.length === 0 || this.#waiting.some((group) => group.groupId === groupId))
        continue;
      for (const { assetId, transactionId, record } of pending) {
        this.#pendingAssets.set(assetId, transactionId);
        this.#ownTransactions.set(transactionId, record);
      }
      const now = performance.now();
      const isUnclear = this.#inherited.delete(groupId);
      const inAirUntil = isUnclear ? now + this.#latePushMs : now;
      const tries = { refusals: 0, blamed: 0, completions: 0, isUnclear, dueAt: now, inAirUntil };
      this.#waiting.push({ groupId, entries: pending, ...tries });
    }
  }

  /**
   * The first groups in line that fit into one push, without taking them off the line. A group that was refused by
   * itself goes alone, and takes turns with the others.
   */
  #takeBatch(): readonly Group[] {
    const now = performance.now();
    const fresh = this.#waiting.filter(({ refusals }) => refusals === 0);
    const aside = this.#waiting.find(({ refusals, dueAt }) => refusals > 0 && dueAt <= now);
    this.#wasAside = aside !== undefined && (fresh.length === 0 || !this.#wasAside);
    if (this.#wasAside && aside !== undefined) return [aside];
    const batch: Group[] = [];
    let transactions = 0;
    for (const group of fresh.slice(0, this.#maxGroups)) {
      transactions += group.entries.length;
      if (batch.length > 0 && transactions > MAX_BATCH_TRANSACTIONS) break;
      batch.push(group);
    }
    return batch;
  }

  async #pushBatch(batch: readonly Group[]): Promise<Turn> {
    if (batch.length === 0) return 'done';
    if (this.#options.isStopped()) return await this.#holdBack();
    if (this.#mustAskRemote) await this.#options.syncNow();
    if (this.#options.isStopped()) return await this.#holdBack();
    const undecided = await this.#settleDecided(batch);
    const open = undecided.filter((group) => !this.#waitsForLatePush(group));
    if (open.length === 0) return 'done';
    this.#mustAskRemote = true;
    const missing = this.#missing(entriesOf(open));
    const result = await this.#push(open, missing);
    if (result.outcome === 'accepted') {
      this.#mustAskRemote = false;
      this.#welcome(open);
      const additions = this.#takeIn(missing, result.commits);
      await this.#finish(open, { state: 'committed' });
      this.#options.announce(additions);
      return 'done';
    }
    for (const group of open) group.isUnclear = true;
    if (result.outcome === 'unknown') {
      const inAirUntil = performance.now() + this.#latePushMs;
      for (const group of open) group.inAirUntil = inAirUntil;
    }
    return await this.#askRemote(open, result);
  }

  /** A group that cannot be pushed to where its branch stands now; what was sent before may still arrive. */
  #waitsForLatePush(group: Group): boolean {
    const isAstray = group.entries.some((entry) => this.#isAstray(group, entry));
    if (isAstray) this.#setAside(group);
    return isAstray;
  }

  /** Only where a push has met something: nobody else's branch needs a look. */
  #isAstray({ isUnclear }: Group, { assetId, transactionId }: JournalEntry): boolean {
    const { index, isAstray } = this.#options;
    return isUnclear && isAstray(assetId) && index.findTransaction(transactionId) === undefined;
  }

  /**
   * What a rewritten remote says decides nothing: what waits stays pending until the remote is put back, but for the
   * groups whose end the index shows, which only takes over what goes on from what is known.
   */
  async #holdBack(): Promise<Turn> {
    await this.#settleDecided(this.#waiting);
    return 'refused';
  }

  async #push(groups: readonly Group[], drafts: readonly JournalEntry[]): Promise<PushResult> {
    const { beacon, logger, mayPush } = this.#options;
    if (!mayPush()) return OBSERVER_REFUSES;
    const transactions = drafts.length;
    let outcome: Measurements['push']['outcome'] = 'failed';
    const startedAt = performance.now();
    this.#inFlight = transactions;
    try {
      const result = await beacon.push(drafts);
      outcome = result.outcome;
      return result;
    } finally {
      this.#inFlight = 0;
      const seconds = secondsSince(startedAt);
      measure('push', { outcome, seconds, transactions });
      logger.debug({ outcome, seconds, transactions, groupIds: idsOf(groups) }, 'pushed');
    }
  }

  /** The remote takes pushes: larger ones may be tried again, and with one that was set aside all of them. */
  #welcome(accepted: readonly Group[]): void {
    this.#maxGroups = Math.min(2 * this.#maxGroups, MAX_BATCH_TRANSACTIONS);
    if (accepted.every(({ refusals }) => refusals === 0)) return;
    for (const group of this.#waiting) if (group.blamed === 0) group.refusals = 0;
  }

  /**
   * The push did not clearly succeed. Before anything else the remote is asked what it has: an answer may have been
   * lost, and a refusal may only mean that an earlier try got through.
   */
  async #askRemote(
    open: readonly Group[],
    result: Exclude<PushResult, { outcome: 'accepted' }>,
  ): Promise<Turn> {
    const { logger, syncNow } = this.#options;
    logger.info(
      { outcome: result.outcome, reason: result.reason, groupIds: idsOf(open) },
      'asking the remote after a push',
    );
    await syncNow();
    this.#mustAskRemote = result.outcome === 'unknown';
    if (this.#options.isStopped()) return await this.#holdBack();
    const undecided = await this.#settleDecided(open);
    if (result.outcome === 'unknown') {
      this.#isolate(undecided);
      return undecided.length < open.length ? 'done' : 'failed';
    }
    const stale = new Set(result.stale);
    const blamed = undecided.filter(({ entries }) =>
      entries.some(({ transactionId }) => stale.has(transactionId)),
    );
    if (!result.retryable) await this.#takeFinalRefusal(undecided);
    else if (blamed.length > 0) await this.#blame(blamed);
    else if (undecided.length === open.length) this.#isolate(undecided);
    return undecided.length < open.length ? 'done' : 'refused';
  }

  /** The remote said no for good; but a push that is still in the air was sent before it did, and may yet arrive. */
  async #takeFinalRefusal(groups: readonly Group[]): Promise<void> {
    if (this.#options.mayPush()) await this.#options.recheckRole();
    const now = performance.now();
    for (const group of groups) if (group.inAirUntil > now) this.#setAside(group);
    const landed = groups.filter(({ inAirUntil }) => inAirUntil <= now);
    await this.#giveUp(landed, 'BEACON_REFUSED');
  }

  /** The remote names refs that stand elsewhere, though what it shows does not tell why: a tag that is no transaction's. */
  async #blame(groups: readonly Group[]): Promise<void> {
    for (const group of groups) {
      group.blamed += 1;
      this.#setAside(group);
    }
    const lost = groups.filter(({ blamed }) => blamed >= MAX_BLAMED);
    await this.#giveUp(lost, 'CHAIN_ADVANCED');
  }

  /** Nobody knows which of these groups cannot go: they are tried in halves, until one stands alone. */
  #isolate(groups: readonly Group[]): void {
    const [first, ...others] = groups;
    if (first !== undefined && others.length === 0) this.#setAside(first);
    this.#maxGroups = Math.max(1, Math.floor(groups.length / 2));
  }

  #setAside(group: Group): void {
    group.refusals += 1;
    group.dueAt = performance.now() + backOffMs(group.refusals);
  }

  /** Ends the groups whose end the index shows, and gives back the others. */
  async #settleDecided(groups: readonly Group[]): Promise<readonly Group[]> {
    const verdicts = groups.map((group) => ({ group, verdict: this.#judge(group) }));
    const having = (wanted: Verdict): Group[] =>
      verdicts.filter(({ verdict }) => verdict === wanted).map(({ group }) => group);
    await this.#finish(having('committed'), { state: 'committed' });
    await this.#giveUp(having('lost'), 'CHAIN_ADVANCED');
    return having(undefined);
  }

  /**
   * Rejects groups, each once nothing of it is left half-pushed; until then it stays in line.
   *
   * A remote that died in the middle of a push may have kept commits of a group without their tags. They stand on their
   * branches, and whoever sets the tags later makes them count. So they are completed before their group is lost: then
   * they stand, and the settlement follows the chain.
   */
  async #giveUp(groups: readonly Group[], reason: ErrorCode): Promise<void> {
    const whole: Group[] = [];
    for (const group of groups) if (await this.#completeHalves(group)) whole.push(group);
    await this.#reject(whole, reason);
  }

  /** @returns false when it has to be tried again. */
  async #completeHalves(group: Group): Promise<boolean> {
    const { isHalfPushed, isStopped } = this.#options;
    const halves = this.#missing(group.entries).filter(({ transactionId }) =>
      isHalfPushed(transactionId),
    );
    if (halves.length === 0) return true;
    if (isStopped()) return false;
    this.#mustAskRemote = true;
    const result = await this.#push([group], halves);
    if (result.outcome === 'accepted') {
      this.#mustAskRemote = false;
      this.#options.announce(this.#takeIn(halves, result.commits));
      return true;
    }
    const now = performance.now();
    if (result.outcome === 'unknown') group.inAirUntil = now + this.#latePushMs;
    else group.completions += 1;
    this.#setAside(group);
    // What cannot be completed is followed when it comes to count all the same.
    const isFinal = result.outcome === 'refused' && !result.retryable;
    return (isFinal || group.completions >= MAX_COMPLETIONS) && group.inAirUntil <= now;
  }

  /**
   * A group is committed when its records stand on the chain. It is lost only when a branch has moved off the parent of
   * one of its commits or a tag is taken: then no late push of ours can get through any more. Anything less certain,
   * a lock on the remote for example, is tried again. The index does not follow a branch that somebody led astray, be it
   * by a merge of ours into something else; that ends a group once nothing of it can be in the air.
   */
  #judge(group: Group): Verdict {
    const { index } = this.#options;
    const { entries } = group;
    const found = entries.map(({ transactionId }) => index.findTransaction(transactionId));
    const isOurs = entries.map((entry, at) => found[at]?.record.equals(entry.record) ?? false);
    if (isOurs.every(Boolean)) return 'committed';
    const isLost = entries.some((entry, at) => {
      if (found[at] !== undefined) return isOurs[at] !== true;
      // Without a branch nobody has been quicker; the mint's parent may then be an older tip of the epoch branch.
      const branchCommit = index.findBranchCommit(entry.assetId);
      if (branchCommit !== undefined && branchCommit !== entry.parent) return true;
      return this.#isAstray(group, entry) && group.inAirUntil <= performance.now();
    });
    return isLost ? 'lost' : undefined;
  }

  /**
   * What a remote that died half-way has kept of a group is not pushed again: its branch may have moved on since, and
   * the rest would never get through beside it.
   */
  #missing(entries: readonly JournalEntry[]): readonly JournalEntry[] {
    const { index } = this.#options;
    return entries.filter(
      ({ transactionId }) => index.findTransaction(transactionId) === undefined,
    );
  }

  /** Adds to the index what the remote has accepted. */
  #takeIn(
    entries: readonly JournalEntry[],
    commits: ReadonlyMap<TransactionId, CommitId>,
  ): readonly BranchAddition[] {
    const additions = entries.map((entry): BranchAddition => {
      const commitId = commits.get(entry.transactionId);
      const record = parseRecord(entry.record);
      if (commitId === undefined || 'fault' in record) {
        throw new Error(`the beacon gave no commit for transaction ${entry.transactionId}`);
      }
      const { assetId, record: bytes } = entry;
      return { assetId, branchCommit: commitId, transactions: [{ commitId, record, bytes }] };
    });
    this.#options.index.apply(additions, []);
    return additions;
  }

  async #reject(groups: readonly Group[], reason: ErrorCode): Promise<void> {
    await this.#finish(groups, { state: 'rejected', reason });
    for (const { entries } of groups) this.#options.announceRejected(entries, reason);
  }

  async #finish(groups: readonly Group[], outcome: GroupOutcome): Promise<void> {
    if (groups.length === 0) return;
    const groupIds = idsOf(groups);
    const reason = outcome.state === 'rejected' ? outcome.reason : null;
    const resolvedAt = this.#options.clock.now();
    await this.#options.database.transaction(({ journal }) =>
      journal.resolveGroups(groupIds, { state: outcome.state, reason, resolvedAt }),
    );
    this.#options.logger.debug({ ...outcome, groupIds }, 'groups ended');
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

const idsOf = (groups: readonly Group[]): readonly SettlementId[] =>
  groups.map(({ groupId }) => groupId);

const entriesOf = (groups: readonly Group[]): readonly JournalEntry[] =>
  groups.flatMap(({ entries }) => entries);

function backOffMs(failures: number): number {
  return Math.min(RETRY_BASE_MS * 2 ** Math.min(failures, 10), RETRY_MAX_MS);
}

// The beacon chain in a git repository: git's adapter of the port Beacon.
import type {
  Advertisement,
  Beacon,
  ChainCommit,
  CommitDraft,
  PushRight,
  PushResult,
  ReservedChange,
  ReservedFiles,
} from '../chain/beacon.ts';
import { branchOf, RESERVED_BRANCH } from '../chain/refs.ts';
import { AppError } from '../shared/errors.ts';
import { isCommitId, type CommitId, type TransactionId } from '../shared/ids.ts';
import type { Advertisements } from './advertisement.ts';
import { parseCommit, readChains } from './branch-reader.ts';
import { makeBatch, storePack, type Batch } from './commit-writer.ts';
import { faultOfBatch, isBranchName, ownersOfRefs, refChangesOf } from './drafts.ts';
import { makeObject, type GitObject } from './git-objects.ts';
import {
  flushDirectories,
  hasHooks,
  isWritable,
  joinPacks,
  packRefs,
  writeBatch,
  type LocalBeacon,
} from './local-beacon.ts';
import { ObjectReader } from './object-reader.ts';
import { encodePack } from './pack-file.ts';
import { PackedRefs, type RefChange } from './packed-refs.ts';
import type { RunResult } from './processes.ts';
import { explain, isFinal, judgePush, type PushVerdict } from './push-report.ts';
import { lastWords, remoteFailure } from './remote-failure.ts';
import { redact } from './remote-url.ts';
import { makeFilesCommit, readFiles } from './reserved-branch.ts';
import {
  listRemote,
  runRemote,
  withObjects,
  type RemoteRunOptions,
  type Transport,
} from './transport.ts';
import { OUTBOX_REFSPECS, REMOTE, type ScratchRepository } from './scratch-repository.ts';
import type { CommitSigner } from './ssh-signature.ts';

const DEFAULT_PUSH_TIMEOUT_MS = 60_000;
const FETCH_TIMEOUT_MS = 600_000;
/** A push still in flight gets this long to end by itself when the beacon is closed. */
const CLOSE_GRACE_MS = 10_000;
/** Up to this many branches are fetched by name; git compares each name with all refs, so more are asked for by id. */
const MAX_NAMED_FETCHES = 200;
/** A stranger's commit may bring a large tree; the asset must not be stuck behind it. */
const MAX_TREE_BYTES = 64 * 1024 * 1024;
const PUSHES_PER_MAINTENANCE = 48;
const LOOSE_REFS_LIMIT = 256;
/** As old as a slow remote's answer may be. */
const OPENING_FRESH_MS = 5_000;
const MAX_ANCESTRIES = 10_000;
const MAX_NEED_HISTORY = 10_000;

/** Where the adapter says what nobody waits for. */
export interface BeaconLogger {
  warn(facts: Readonly<Record<string, unknown>>, message: string): void;
}

interface Opening {
  readonly advertisement: Advertisement;
  /** In ms of `performance.now()`. */
  readonly listedAt: number;
}

export interface GitBeaconParts {
  readonly transport: Transport;
  readonly scratch: ScratchRepository;
  /** Has read the listing that the beacon was opened with. */
  readonly advertisements: Advertisements;
  /** What the first `advertise` gives, when it comes soon. */
  readonly opening: Opening | undefined;
  readonly local: LocalBeacon | undefined;
  readonly epoch: CommitId;
  readonly epochBranch: string;
  readonly signer?: CommitSigner | undefined;
  readonly pushTimeoutMs?: number;
  readonly logger?: BeaconLogger;
}

interface PreparedBatch extends Batch {
  readonly changes: readonly RefChange[];
}

export class GitBeacon implements Beacon {
  readonly description: string;
  readonly epochBranch: string;
  epoch: CommitId;
  private readonly parts: GitBeaconParts;
  private readonly epochCommits = new Set<CommitId>();
  /** What was found out about two commits never changes. */
  private readonly ancestries = new Map<string, boolean>();
  private readonly reader: ObjectReader;
  /** Of our own beacon, which takes a batch without a push. */
  private readonly ownRefs: PackedRefs | undefined;
  /** Pushes share the outbox: one at a time. */
  private pushing: Promise<unknown> = Promise.resolve();
  /** Of pushes without history whose end nobody knows: what is missing may be the reason, so their next push has it. */
  private readonly needHistory = new Set<TransactionId>();
  private opening: Opening | undefined;
  private joining: Promise<void> | undefined;
  private pushesSinceMaintenance = 0;
  private looseRefs = LOOSE_REFS_LIMIT;

  constructor(parts: GitBeaconParts) {
    const { transport, scratch } = parts;
    this.parts = parts;
    this.description = transport.remote.description;
    this.epochBranch = parts.epochBranch;
    this.epoch = parts.epoch;
    this.opening = parts.opening;
    this.reader = new ObjectReader(transport.pool, scratch.gitDir, transport.environment);
    if (parts.local?.own === true) {
      const onFault = (err: unknown): void => this.warn({ err }, 'a lock could not be given back');
      this.ownRefs = new PackedRefs(parts.local.gitDir, onFault);
    }
  }

  async checkPushRight(): Promise<PushRight> {
    if (this.parts.local !== undefined) {
      const granted = await isWritable(this.parts.local);
      return granted ? { granted } : { granted, reason: 'its directory cannot be written to' };
    }
    // A dry run asks the remote's receive-pack for its refs, which is where a remote says no, and sends nothing.
    const args = ['push', '--dry-run', '--porcelain', '--no-verify', REMOTE];
    const local = await this.findMissing([this.epoch]);
    if (local.size > 0) await this.fetch([this.epochBranch]);
    const result = await this.run([...args, `${this.epoch}:refs/heads/${this.epochBranch}`]);
    if (result.exitCode === 0) return { granted: true };
    // A line for the ref means that receive-pack answered; what it said about this one ref does not matter.
    if (result.interruption === undefined && result.stdout.includes(`:refs/heads/`)) {
      return { granted: true };
    }
    if (result.interruption === undefined && isFinal(result.stderr)) {
      return { granted: false, reason: redact(explain('', result.stderr)) };
    }
    throw remoteFailure(this.parts.transport.remote, result);
  }

  async advertise(): Promise<Advertisement> {
    const seen = await this.list();
    const tip = seen.branches.get(this.epochBranch);
    if (tip !== undefined && tip !== this.epoch) {
      const goesOn = await this.isAncestor(this.epoch, this.epochBranch, tip);
      if (goesOn === true) await this.learnEpoch(tip);
    }
    return seen;
  }

  private async list(): Promise<Advertisement> {
    const { opening } = this;
    this.opening = undefined;
    if (opening !== undefined && performance.now() - opening.listedAt < OPENING_FRESH_MS) {
      return opening.advertisement;
    }
    const listing = await listRemote(this.parts.transport, this.parts.scratch);
    return await this.parts.advertisements.read(listing);
  }

  isEpoch(commitId: CommitId): boolean {
    return this.epochCommits.has(commitId);
  }

  async isAncestor(
    commitId: CommitId,
    branch: string,
    tip: CommitId,
  ): Promise<boolean | undefined> {
    const key = `${commitId} ${tip}`;
    const known = this.ancestries.get(key);
    if (known !== undefined) return known;
    let missing = await this.findMissing([commitId, tip]);
    if (missing.has(tip) && this.parts.local === undefined) {
      await this.fetch([branch]);
      missing = await this.findMissing([commitId, tip]);
    }
    if (missing.has(tip)) return undefined;
    // Whoever has a commit has all that came before it.
    const answer = !missing.has(commitId) && (await this.askAncestry(commitId, tip));
    if (answer === undefined) return undefined;
    if (this.ancestries.size >= MAX_ANCESTRIES) this.ancestries.clear();
    this.ancestries.set(key, answer);
    return answer;
  }

  private async askAncestry(commitId: CommitId, tip: CommitId): Promise<boolean | undefined> {
    const { exitCode } = await this.run(['merge-base', '--is-ancestor', commitId, tip]);
    return exitCode === 0 ? true : exitCode === 1 ? false : undefined;
  }

  /** Takes over a tip of the epoch branch and the commits that led to it. */
  async learnEpoch(tip: CommitId): Promise<void> {
    const missing = await this.findMissing([tip]);
    if (missing.size > 0 && this.parts.local === undefined) await this.fetch([this.epochBranch]);
    const tips = new Map([[this.epochBranch, tip]]);
    const { chains } = await readChains(this.reader, tips, (id) => this.isEpoch(id));
    for (const { commitId } of chains.get(this.epochBranch) ?? []) this.epochCommits.add(commitId);
    // Also when its history could not be read: a chain may start from the tip itself.
    this.epochCommits.add(tip);
    this.epoch = tip;
  }

  async bringBranches(tips: ReadonlyMap<string, CommitId>): Promise<void> {
    if (this.parts.local !== undefined) return;
    const wanted = new Map([...tips].filter(([, tip]) => isCommitId(tip)));
    await this.fetchTips(wanted, (tip) => this.isEpoch(tip));
  }

  async readBranches(
    tips: ReadonlyMap<string, CommitId>,
    isKnown: (commitId: CommitId, branch: string) => boolean,
  ): Promise<ReadonlyMap<string, readonly ChainCommit[]>> {
    const isOld = (commitId: CommitId, branch: string): boolean =>
      this.isEpoch(commitId) || isKnown(commitId, branch);
    const wanted = new Map([...tips].filter(([, tip]) => isCommitId(tip)));
    if (this.parts.local === undefined) await this.fetchTips(wanted, isOld);
    const { chains, unread } = await readChains(this.reader, wanted, isOld);
    for (const { branch, reason } of unread) {
      this.warn({ branch, reason }, 'a branch of the beacon could not be read');
    }
    return chains;
  }

  push(drafts: readonly CommitDraft[]): Promise<PushResult> {
    const result = this.pushing.then(() => this.pushBatch(drafts));
    // The next push waits for this one and for the upkeep after it; its caller has its answer before.
    this.pushing = result
      .then((done) => this.maintain(done))
      .catch((error: unknown) => this.report(String(error)));
    return result;
  }

  async readReserved(maxBytes: number, wants: (path: string) => boolean): Promise<ReservedFiles> {
    const tip = await this.findReservedTip();
    if (tip === undefined) return { tip, files: new Map() };
    await this.bringReserved(tip);
    const files = await readFiles(this.repository, this.reader, tip, { maxBytes, wants });
    return { tip, files };
  }

  writeReserved(change: ReservedChange): Promise<'written' | 'stale'> {
    const result = this.pushing.then(() => this.pushReserved(change));
    this.pushing = result.catch(() => undefined);
    return result;
  }

  async close(): Promise<void> {
    const grace = setTimeout(() => void this.parts.transport.pool.close(), CLOSE_GRACE_MS);
    await this.pushing;
    clearTimeout(grace);
    await this.parts.transport.pool.close();
    await this.joining;
  }

  private async pushBatch(drafts: readonly CommitDraft[]): Promise<PushResult> {
    const fault = faultOfBatch(drafts);
    if (fault !== undefined) return refused([], fault, false);
    if (drafts.length === 0) return { outcome: 'accepted', commits: new Map() };
    let batch: PreparedBatch;
    let bases: readonly GitObject[] | undefined;
    try {
      const trees = await this.readTrees(drafts);
      const orphans = drafts.filter(({ parent }) => !trees.has(parent));
      if (orphans.length > 0) {
        const stale = orphans.map(({ transactionId }) => transactionId);
        return refused(stale, 'the parent is not on the beacon', true);
      }
      batch = await this.prepareBatch(drafts, trees);
      if (await this.writeOwn(batch)) return { outcome: 'accepted', commits: batch.commits };
      const isSlim = !drafts.some(({ transactionId }) => this.needHistory.has(transactionId));
      bases = isSlim ? await this.readBases(drafts, trees) : undefined;
      await this.fillOutbox(batch, bases);
    } catch (error) {
      // Whatever went wrong, the remote has heard nothing of it.
      this.warn({ err: error }, 'a batch could not be prepared');
      return refused([], redact(error instanceof Error ? error.message : String(error)), true);
    }
    return this.pushOutbox(drafts, batch.commits, bases !== undefined);
  }

  private async pushReserved(change: ReservedChange): Promise<'written' | 'stale'> {
    const { signer, scratch } = this.parts;
    const { objectFormat } = scratch;
    if (change.basedOn !== undefined) await this.bringReserved(change.basedOn);
    const objects = await makeFilesCommit(this.repository, objectFormat, { ...change, signer });
    const ref = `refs/heads/${RESERVED_BRANCH}`;
    const target = objects[0].id as CommitId;
    const batch = {
      objects,
      changes: [{ ref, target, expected: [change.basedOn] }],
    };
    if (await this.writeOwn(batch)) return 'written';
    await this.fillOutbox(batch);
    const verdict = await this.pushRefs(new Set([ref]));
    if (verdict.outcome === 'accepted') return 'written';
    if (verdict.outcome === 'refused' && verdict.staleRefs.size > 0) return 'stale';
    const code = verdict.outcome === 'refused' ? 'BEACON_REFUSED' : 'BEACON_UNREACHABLE';
    throw new AppError(code, { reason: redact(verdict.reason) });
  }

  private async bringReserved(tip: CommitId): Promise<void> {
    if (this.parts.local !== undefined) return;
    if ((await this.findMissing([tip])).size > 0) await this.fetch([RESERVED_BRANCH]);
  }

  /** Asks for this one branch: a large remote need not list all its refs for that. */
  private async findReservedTip(): Promise<CommitId | undefined> {
    const ref = `refs/heads/${RESERVED_BRANCH}`;
    const result = await this.run(['ls-remote', '--quiet', REMOTE, ref]);
    if (result.exitCode !== 0) throw remoteFailure(this.parts.transport.remote, result);
    const lines = result.stdout.toString('utf8').split('\n');
    const [id = ''] = lines.find((line) => line.endsWith(`\t${ref}`))?.split('\t') ?? [];
    return isCommitId(id) ? id : undefined;
  }

  private get repository(): { gitDir: string } & Pick<Transport, 'pool' | 'environment'> {
    return { ...this.parts.transport, gitDir: this.parts.scratch.gitDir };
  }

  private async prepareBatch(
    drafts: readonly CommitDraft[],
    trees: ReadonlyMap<CommitId, Buffer>,
  ): Promise<PreparedBatch> {
    const { signer, scratch } = this.parts;
    const { objectFormat } = scratch;
    const { commits, objects } = await makeBatch(objectFormat, drafts, trees, signer);
    const changes = refChangesOf(drafts, commits, (commitId) => this.isEpoch(commitId));
    return { commits, objects, changes };
  }

  /**
   * Writes into our own beacon without a push.
   * @returns false when a push has to be made or to say what is wrong: to repeat the batch there does no harm.
   */
  private async writeOwn(batch: Omit<PreparedBatch, 'commits'>): Promise<boolean> {
    const { local } = this.parts;
    if (this.ownRefs === undefined || local === undefined || (await hasHooks(local))) return false;
    try {
      return await writeBatch(local, this.ownRefs, batch);
    } catch (error) {
      this.warn({ err: error }, 'a batch could not be written into the beacon; it is pushed');
      return false;
    }
  }

  /**
   * What git needs to know of the parents to push their successors when it sees nothing else: the commits, their
   * trees, and the commits before them, at which its look for a fast-forward ends.
   * @returns undefined when it needs more, because a parent is not what a ref of the remote is to stand on.
   */
  private async readBases(
    drafts: readonly CommitDraft[],
    trees: ReadonlyMap<CommitId, Buffer>,
  ): Promise<readonly GitObject[] | undefined> {
    const parents = [...new Set(drafts.map(({ parent }) => parent))];
    // Only the newest of the epoch branch is the tip of a branch.
    if (parents.some((parent) => parent !== this.epoch && this.isEpoch(parent))) return undefined;
    const commits = await this.readCommits(parents);
    const before = await this.readCommits(
      commits.flatMap(({ content }) => parseCommit(content).parents),
    );
    const { objectFormat } = this.parts.scratch;
    const bases = parents.flatMap((parent) => {
      const tree = trees.get(parent);
      return tree === undefined ? [] : [makeObject(objectFormat, 'tree', tree)];
    });
    if (commits.length < parents.length || bases.length < parents.length) return undefined;
    return [...bases, ...commits, ...before];
  }

  /** The commits of these that are here. */
  private async readCommits(commitIds: readonly string[]): Promise<readonly GitObject[]> {
    const answers = await this.reader.read(
      commitIds.map((object) => ({ command: 'contents', object }) as const),
    );
    return answers.flatMap((answer) =>
      answer?.type === 'commit' && answer.content !== undefined
        ? [makeObject(this.parts.scratch.objectFormat, 'commit', answer.content)]
        : [],
    );
  }

  private async fillOutbox(
    { objects, changes }: Omit<PreparedBatch, 'commits'>,
    bases: readonly GitObject[] = [],
  ): Promise<void> {
    const { scratch, transport } = this.parts;
    const { gitDir, objectFormat, outboxDir } = scratch;
    const pack = encodePack(objectFormat, [...objects, ...bases]);
    await scratch.emptyOutbox();
    const environment = withObjects(transport.environment, outboxDir);
    // Whether it likes the objects, and the foreign tree among them that a commit goes on from, is the remote's to say.
    await storePack(transport.pool, { gitDir, environment }, pack, 'none');
    await scratch.keepOutboxObjects();
    await scratch.setOutbox(changes);
  }

  private async pushOutbox(
    drafts: readonly CommitDraft[],
    commits: ReadonlyMap<TransactionId, CommitId>,
    withoutOthers: boolean,
  ): Promise<PushResult> {
    const owners = ownersOfRefs(drafts);
    const refs = new Set(owners.keys());
    let verdict = await this.pushRefs(
      refs,
      withoutOthers ? this.parts.scratch.outboxDir : undefined,
    );
    // A refusal counts when git saw all that there is: what it makes of missing history is not ours to foresee.
    if (withoutOthers && verdict.outcome === 'refused') verdict = await this.pushRefs(refs);
    // Groups that were given up are never pushed again, and stay in the set until it is full.
    if (this.needHistory.size >= MAX_NEED_HISTORY) this.needHistory.clear();
    for (const { transactionId } of drafts) {
      if (verdict.outcome === 'accepted') this.needHistory.delete(transactionId);
      else if (withoutOthers && verdict.outcome === 'unknown') this.needHistory.add(transactionId);
    }
    if (verdict.outcome === 'refused') {
      const stale = new Set([...verdict.staleRefs].flatMap((ref) => owners.get(ref) ?? []));
      return refused([...stale], redact(verdict.reason), verdict.retryable);
    }
    if (verdict.outcome === 'unknown') return { ...verdict, reason: redact(verdict.reason) };
    this.looseRefs += 2 * drafts.length;
    return this.acceptDurably(commits);
  }

  /**
   * Pushes what the outbox holds, which are these refs of the remote.
   * @param objectDir the only objects that git sees; undefined for all that are here.
   */
  private async pushRefs(refs: ReadonlySet<string>, objectDir?: string): Promise<PushVerdict> {
    const args = ['push', '--atomic', '--porcelain', '--no-progress', REMOTE, ...OUTBOX_REFSPECS];
    const timeoutMs = this.parts.pushTimeoutMs ?? DEFAULT_PUSH_TIMEOUT_MS;
    return judgePush(await this.run(args, { timeoutMs, objectDir }), refs);
  }

  private async acceptDurably(commits: ReadonlyMap<TransactionId, CommitId>): Promise<PushResult> {
    const { local } = this.parts;
    if (local?.own === true) {
      try {
        await flushDirectories(local);
      } catch (error) {
        return { outcome: 'unknown', reason: `the beacon could not be flushed: ${String(error)}` };
      }
    }
    return { outcome: 'accepted', commits };
  }

  /** The tree of every parent that can be found, here or on the remote. */
  private async readTrees(drafts: readonly CommitDraft[]): Promise<Map<CommitId, Buffer>> {
    const parents = new Set(drafts.map(({ parent }) => parent));
    const trees = await this.readLocalTrees(parents);
    if (trees.size === parents.size || this.parts.local !== undefined) return trees;
    const branches = drafts
      .filter(({ parent }) => !trees.has(parent))
      .map((draft) => (this.isEpoch(draft.parent) ? this.epochBranch : branchOf(draft.assetId)));
    // A parent that does not stand git's check is for the push to refuse, for good: not found, it would be tried for ever.
    await this.fetch([...new Set(branches)], ['-c', 'transfer.fsckObjects=false']);
    return this.readLocalTrees(parents);
  }

  private async readLocalTrees(commits: ReadonlySet<CommitId>): Promise<Map<CommitId, Buffer>> {
    const wanted = [...commits];
    const answers = await this.reader.read(
      wanted.map(
        (commitId) =>
          ({
            command: 'contents',
            object: `${commitId}^{tree}`,
            maxBytes: MAX_TREE_BYTES,
          }) as const,
      ),
    );
    const trees = new Map<CommitId, Buffer>();
    for (const [index, commitId] of wanted.entries()) {
      const tree = answers[index]?.content;
      if (tree !== undefined) trees.set(commitId, tree);
    }
    return trees;
  }

  /** Which of these are no commits of the object store. */
  private async findMissing(commits: readonly CommitId[]): Promise<Set<CommitId>> {
    const unique = [...new Set(commits)];
    const answers = await this.reader.read(
      unique.map((object) => ({ command: 'info', object }) as const),
    );
    return new Set(unique.filter((_, index) => answers[index]?.type !== 'commit'));
  }

  private async fetchTips(
    tips: ReadonlyMap<string, CommitId>,
    isOld: (commitId: CommitId, branch: string) => boolean,
  ): Promise<void> {
    const fresh = [...tips].filter(([branch, tip]) => !isOld(tip, branch));
    const missing = await this.findMissing(fresh.map(([, tip]) => tip));
    const branches = fresh.filter(([, tip]) => missing.has(tip)).map(([branch]) => branch);
    if (branches.length > 0) await this.fetch(branches);
  }

  /**
   * Brings branches' objects here. What the remote cannot give (a branch that is gone, a broken object) is left out:
   * one such branch fails the whole fetch, so a failed one is repeated in halves until it stands alone.
   * @throws AppError BEACON_UNREACHABLE
   */
  private async fetch(
    branches: readonly string[],
    settings: readonly string[] = [],
  ): Promise<void> {
    const wanted = branches.filter(isBranchName);
    if (wanted.length === 0) return;
    // Without a destination nothing but the objects is kept: no refs to slow the scratch repository down.
    const isByName = wanted.length <= MAX_NAMED_FETCHES;
    const wants = wanted.map((branch) => {
      const tip = isByName ? undefined : this.parts.advertisements.newest.branches.get(branch);
      return `${tip ?? `refs/heads/${branch}`}\n`;
    });
    const options = ['--quiet', '--no-tags', '--no-write-fetch-head', '--no-auto-maintenance'];
    const result = await this.run(
      [...settings, 'fetch', ...options, '--no-recurse-submodules', '--refmap=', '--stdin', REMOTE],
      {
        input: wants.join(''),
        timeoutMs: FETCH_TIMEOUT_MS,
      },
    );
    if (result.exitCode === 0) return;
    if (result.interruption !== undefined) {
      throw remoteFailure(this.parts.transport.remote, result);
    }
    // A remote that is away throws here; one that answers has something that it cannot give.
    const { branches: present } = await this.list();
    const left = wanted.filter((branch) => present.has(branch));
    if (left.length === 1 && wanted.length === 1) {
      this.warn({ branch: wanted[0], reason: lastWords(result) }, 'a branch could not be fetched');
      return;
    }
    const middle = Math.ceil(left.length / 2);
    await this.fetch(left.slice(0, middle), settings);
    await this.fetch(left.slice(middle), settings);
  }

  private run(args: readonly string[], options: RemoteRunOptions = {}): Promise<RunResult> {
    return runRemote(this.parts.transport, this.parts.scratch, args, options);
  }

  /** Upkeep between pushes, while nobody waits for an answer. */
  private async maintain(done: PushResult): Promise<void> {
    if (done.outcome !== 'accepted') return;
    const { local, scratch, transport } = this.parts;
    if (local?.own === true && this.looseRefs > LOOSE_REFS_LIMIT) {
      this.looseRefs = 0;
      this.report(await packRefs(transport, local));
    }
    this.pushesSinceMaintenance += 1;
    if (this.pushesSinceMaintenance < PUSHES_PER_MAINTENANCE) return;
    this.pushesSinceMaintenance = 0;
    // What was pushed to a local beacon stands there; the scratch's copy has served.
    if (local !== undefined) await scratch.dropObjects();
    const gitDir = local === undefined ? scratch.gitDir : local.own ? local.gitDir : undefined;
    if (gitDir === undefined || this.joining !== undefined) return;
    this.joining = joinPacks(transport, gitDir, PUSHES_PER_MAINTENANCE)
      .then((failure) => this.report(failure))
      .catch((error: unknown) => this.report(String(error)))
      .finally(() => (this.joining = undefined));
  }

  private report(failure: string | undefined): void {
    if (failure !== undefined) this.warn({ failure }, 'upkeep of a git repository failed');
  }

  private warn(facts: Readonly<Record<string, unknown>>, message: string): void {
    this.parts.logger?.warn({ beacon: this.description, ...facts }, message);
  }
}

function refused(stale: readonly TransactionId[], reason: string, retryable: boolean): PushResult {
  return { outcome: 'refused', stale, reason, retryable };
}

// The port Beacon without git: a remote in memory that several beacons may share, for tests and the simulator.
import { createHash, randomUUID } from 'node:crypto';
import type {
  Advertisement,
  Beacon,
  ChainCommit,
  CommitDraft,
  PushRight,
  PushResult,
  ReservedChange,
  ReservedFiles,
} from '../../src/chain/beacon.ts';
import { encodeRecord, MAX_RECORD_BYTES, recordDigest } from '../../src/chain/record.ts';
import { branchOf, RESERVED_BRANCH } from '../../src/chain/refs.ts';
import { hashPassphrase } from '../../src/chain/succession.ts';
import { AppError } from '../../src/shared/errors.ts';
import type { AssetId, CommitId, OwnerId, TransactionId } from '../../src/shared/ids.ts';
import type { BeaconFixture } from './beacon-contract.ts';

/** What a test may make the remote do to the next push. */
export type PushFailure =
  /** Nothing is written and the remote says so. */
  | { readonly kind: 'refuse'; readonly reason: string; readonly retryable: boolean }
  /** The push is applied as usual and its answer gets lost. */
  | { readonly kind: 'lose-answer' }
  /** The connection ends before anything is applied. */
  | { readonly kind: 'cut' };

/** A commit that a test puts on the remote by hand, as another node or a stranger would. */
export interface ForeignCommit {
  readonly parents: readonly CommitId[];
  readonly record: Buffer | undefined;
  readonly message?: string;
  readonly changesOtherFiles?: boolean;
}

/** The remote's state. */
export class MemoryRemote {
  readonly epochBranch: string;
  readonly epoch: CommitId;
  readonly branches = new Map<string, CommitId>();
  readonly tags = new Map<string, CommitId>();
  readonly commits = new Map<CommitId, ChainCommit>();
  /** The files of the reserved branch. */
  readonly reserved = new Map<string, Buffer>();
  /** While true, nothing answers: every method throws BEACON_UNREACHABLE and a push is refused, to be retried. */
  unreachable = false;
  /** While true, nobody may push. */
  readOnly = false;
  /** How many pushes were applied. */
  pushes = 0;
  private readonly failures: PushFailure[] = [];

  constructor(epochBranch = 'main') {
    this.epochBranch = epochBranch;
    this.epoch = this.addCommit({ parents: [], record: undefined, message: 'Epoch' });
    this.branches.set(epochBranch, this.epoch);
  }

  /** The next pushes fail in these ways, one each. */
  failPushes(...failures: readonly PushFailure[]): void {
    this.failures.push(...failures);
  }

  takeFailure(): PushFailure | undefined {
    return this.failures.shift();
  }

  /** Adds a commit without any ref. */
  addCommit({ parents, record, message, changesOtherFiles }: ForeignCommit): CommitId {
    const text = message ?? (record === undefined ? '' : recordDigest(record));
    const hash = createHash('sha1').update(
      JSON.stringify([parents, text, record?.toString('hex')]),
    );
    const id = hash.digest('hex') as CommitId;
    return this.store(id, parents, record, text, changesOtherFiles);
  }

  /** Makes the draft's commit; the same draft gives the same id. */
  addDraft(draft: CommitDraft): CommitId {
    const { assetId, committer, commitTimeSeconds, parent, record } = draft;
    const facts = [assetId, committer, commitTimeSeconds, parent, record.toString('hex')];
    const id = createHash('sha1').update(JSON.stringify(facts)).digest('hex') as CommitId;
    return this.store(id, [parent], record, recordDigest(record));
  }

  /** True when the first commit is the second or one of its ancestors. */
  isAncestor(ancestor: CommitId, commit: CommitId): boolean {
    const seen = new Set<CommitId>();
    const open = [commit];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (at === ancestor) return true;
      if (seen.has(at)) continue;
      seen.add(at);
      open.push(...(this.commits.get(at)?.parents ?? []));
    }
    return false;
  }

  private store(
    commitId: CommitId,
    parents: readonly CommitId[],
    record: Buffer | undefined,
    message: string,
    changesOtherFiles = false,
  ): CommitId {
    const readable = record !== undefined && record.length <= MAX_RECORD_BYTES;
    this.commits.set(commitId, {
      commitId,
      parents,
      record: readable ? record : undefined,
      message,
      changesOtherFiles,
    });
    return commitId;
  }
}

/** One node's handle on a remote in memory. */
export class MemoryBeacon implements Beacon {
  readonly description = 'memory';
  readonly epochBranch: string;
  epoch: CommitId;
  readonly remote: MemoryRemote;

  /** @param knownEpoch where the epoch branch was last seen by who opens this. */
  constructor(remote = new MemoryRemote(), knownEpoch = remote.epoch) {
    this.remote = remote;
    this.epochBranch = remote.epochBranch;
    this.epoch = knownEpoch;
  }

  isEpoch(commitId: CommitId): boolean {
    return this.remote.isAncestor(commitId, this.epoch);
  }

  async isAncestor(
    commitId: CommitId,
    _branch: string,
    tip: CommitId,
  ): Promise<boolean | undefined> {
    await this.reach();
    return this.remote.commits.has(tip) ? this.remote.isAncestor(commitId, tip) : undefined;
  }

  async checkPushRight(): Promise<PushRight> {
    await this.reach();
    return this.remote.readOnly
      ? { granted: false, reason: 'no right to push' }
      : { granted: true };
  }

  async advertise(): Promise<Advertisement> {
    await this.reach();
    const { remote } = this;
    const tip = remote.branches.get(this.epochBranch);
    if (tip !== undefined && remote.isAncestor(this.epoch, tip)) this.epoch = tip;
    return { branches: new Map(remote.branches), tags: new Map(remote.tags) };
  }

  async bringBranches(): Promise<void> {
    await this.reach();
  }

  async readBranches(
    tips: ReadonlyMap<string, CommitId>,
    isKnown: (commitId: CommitId, branch: string) => boolean,
  ): Promise<ReadonlyMap<string, readonly ChainCommit[]>> {
    await this.reach();
    const chains = new Map<string, readonly ChainCommit[]>();
    for (const [branch, tip] of tips) {
      const chain = this.readChain(tip, (id) => isKnown(id, branch));
      if (chain !== undefined) chains.set(branch, chain);
    }
    return chains;
  }

  async push(drafts: readonly CommitDraft[]): Promise<PushResult> {
    // A real push is never done in the tick that asked for it.
    await Promise.resolve();
    const { remote } = this;
    if (remote.unreachable) return refused([], 'unreachable', true);
    if (remote.readOnly) return refused([], 'no right to push', false);
    const failure = remote.takeFailure();
    if (failure?.kind === 'refuse') return refused([], failure.reason, failure.retryable);
    if (failure?.kind === 'cut') return { outcome: 'unknown', reason: 'the connection ended' };
    const result = this.apply(drafts);
    return failure === undefined ? result : { outcome: 'unknown', reason: 'the answer was lost' };
  }

  async readReserved(maxBytes: number, wants: (path: string) => boolean): Promise<ReservedFiles> {
    await this.reach();
    const files = [...this.remote.reserved].map(([path, content]) => {
      const isRead = wants(path) && content.length <= maxBytes;
      return [path, isRead ? content : undefined] as const;
    });
    return { tip: this.remote.branches.get(RESERVED_BRANCH), files: new Map(files) };
  }

  async writeReserved({ basedOn, files, message }: ReservedChange): Promise<'written' | 'stale'> {
    await this.reach();
    const { remote } = this;
    if (remote.readOnly) throw new AppError('BEACON_REFUSED', { reason: 'no right to push' });
    if (remote.branches.get(RESERVED_BRANCH) !== basedOn) return 'stale';
    for (const [path, content] of files) remote.reserved.set(path, content);
    const parents = basedOn === undefined ? [] : [basedOn];
    remote.branches.set(
      RESERVED_BRANCH,
      remote.addCommit({ parents, record: undefined, message: `${message} ${randomUUID()}` }),
    );
    return 'written';
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private apply(drafts: readonly CommitDraft[]): PushResult {
    const assets = new Set(drafts.map(({ assetId }) => assetId));
    if (assets.size < drafts.length) {
      return refused([], 'one asset has two transactions in the batch', false);
    }
    const { remote } = this;
    const commits = new Map(drafts.map((draft) => [draft.transactionId, remote.addDraft(draft)]));
    const idOf = (draft: CommitDraft): CommitId => commits.get(draft.transactionId)!;
    const stands = (draft: CommitDraft): boolean =>
      remote.tags.get(draft.transactionId) === idOf(draft);
    const lost = drafts.filter((draft) => !this.fits(draft, idOf(draft)));
    if (lost.some(stands)) return { outcome: 'unknown', reason: 'the remote has a part of it' };
    if (lost.length > 0) {
      return refused(
        lost.map(({ transactionId }) => transactionId),
        'refs have moved',
        true,
      );
    }
    for (const draft of drafts) {
      remote.branches.set(branchOf(draft.assetId), idOf(draft));
      remote.tags.set(draft.transactionId, idOf(draft));
    }
    remote.pushes += 1;
    return { outcome: 'accepted', commits };
  }

  /** True when the draft's branch and tag stand where the draft expects them, or already on its commit. */
  private fits({ assetId, parent, transactionId }: CommitDraft, commitId: CommitId): boolean {
    const tip = this.remote.branches.get(branchOf(assetId));
    const tag = this.remote.tags.get(transactionId);
    const fresh = tip === undefined ? this.isEpoch(parent) : tip === parent;
    const parentKnown = this.remote.commits.has(parent);
    return parentKnown && (fresh || tip === commitId) && (tag === undefined || tag === commitId);
  }

  private readChain(
    tip: CommitId,
    isKnown: (commitId: CommitId) => boolean,
  ): ChainCommit[] | undefined {
    const chain: ChainCommit[] = [];
    let at: CommitId | undefined = tip;
    while (at !== undefined && !this.isEpoch(at) && !isKnown(at)) {
      const commit = this.remote.commits.get(at);
      if (commit === undefined) return undefined;
      chain.push(commit);
      at = commit.parents[0];
    }
    return chain.reverse();
  }

  private async reach(): Promise<void> {
    await Promise.resolve();
    if (this.remote.unreachable) throw new AppError('BEACON_UNREACHABLE');
  }
}

function refused(stale: readonly TransactionId[], reason: string, retryable: boolean): PushResult {
  return { outcome: 'refused', stale, reason, retryable };
}

/** Moves an asset on the remote as another node would, whoever owns it; returns the transaction's id. */
export function moveByStranger(
  remote: MemoryRemote,
  assetId: string,
  transactionId = randomUUID() as TransactionId,
): TransactionId {
  const branch = `nfgt-${assetId}`;
  const record = encodeRecord({
    successorHash: hashPassphrase('the stranger knows'),
    transactionId,
    transactionTime: Date.now(),
    assetId: assetId as AssetId,
    ownerId: 'stranger' as OwnerId,
    metadata: null,
  });
  const parent = remote.branches.get(branch) ?? remote.epoch;
  const commit = remote.addCommit({ parents: [parent], record });
  remote.branches.set(branch, commit);
  remote.tags.set(transactionId, commit);
  return transactionId;
}

/** A remote in memory with everything that a test does to it. */
export function memoryFixture(): BeaconFixture & { readonly remote: MemoryRemote } {
  const remote = new MemoryRemote();
  return {
    remote,
    open: ({ knownEpoch } = {}) => Promise.resolve(new MemoryBeacon(remote, knownEpoch?.())),
    addCommit: (commit) => remote.addCommit(commit),
    setBranch: (name, id) => void remote.branches.set(name, id),
    setTag: (name, id) => void remote.tags.set(name, id),
    deleteBranch: (name) => void remote.branches.delete(name),
    deleteTag: (name) => void remote.tags.delete(name),
  };
}

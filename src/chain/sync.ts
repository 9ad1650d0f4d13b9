// Sync: compares the remote's advertisement with the index and takes over what changed, trusting nothing it reads.
import type { AssetId, CommitId, TransactionId } from '../shared/ids.ts';
import type { Advertisement, Beacon, ChainCommit } from './beacon.ts';
import type { BranchAddition, ChainFault, ChainIndex } from './chain-index.ts';
import { MAX_RECORD_BYTES, parseRecord, recordDigest } from './record.ts';
import { assetOfBranch, branchOf } from './refs.ts';
import { findRewrites, inBoth, type Rewrite, type Witness } from './rewrites.ts';

const TAG_MISSING = 'transaction without a tag on its commit';
/** Of a branch whose commits the index does not take over. */
export const NOT_GOING_ON = 'history does not go on from where it stood';
const OF_ANOTHER_ASSET = 'record names another asset than its branch';

type Addition = BranchAddition['transactions'][number];

/** A commit with its record, or why it has none. */
interface ParsedCommit extends Omit<ChainCommit, 'record'> {
  readonly bytes: Buffer;
  readonly record: ReturnType<typeof parseRecord>;
}

/** What a part of a sync took over. */
export interface SyncPart {
  readonly additions: readonly BranchAddition[];
  readonly faults: readonly ChainFault[];
  /** This node's own transactions that are the tip of their branch and have no tag. */
  readonly halfPushed: readonly TransactionId[];
}

/** Branches read and taken over at once: it bounds what is in memory, and for how long nothing else gets its turn. */
const BRANCHES_A_PART = 96;
/** Branches whose commits are asked for at once: what a slow line has brought stands, whatever becomes of the rest. */
const BRANCHES_A_FETCH = 20 * BRANCHES_A_PART;

/**
 * Brings the index up to the remote, a part of the changed branches after the other. What does not go on from where the
 * index knows it changes nothing in it: the index keeps the old truth.
 * @param watch.isOwn true for a record that this node has accepted and not seen through yet.
 * @param watch.onAdvertised told what the remote has, once it was read to its end and nothing of it was rewritten.
 * @param watch.onPart told of each part once it stands in the index.
 * @param watch.witnesses transactions that are known to be committed, whether or not the index has them.
 * @returns the refs that were rewritten, as two looks at the remote agree on them.
 * @throws AppError BEACON_UNREACHABLE; the parts before it stay, the next sync reads the rest.
 */
export async function syncIndex(
  beacon: Beacon,
  index: ChainIndex,
  watch: {
    readonly isOwn?: (transactionId: TransactionId, record: Buffer) => boolean;
    readonly onAdvertised?: (advertisement: Advertisement) => void;
    readonly onPart?: (part: SyncPart) => void;
    readonly witnesses?: readonly Witness[];
  } = {},
): Promise<readonly Rewrite[]> {
  const { isOwn = () => false, onAdvertised, onPart, witnesses = [] } = watch;
  const advertisement = await beacon.advertise();
  const lateTagged = findLateTagged(advertisement, index);
  const changed = [...lateTagged, ...findChanged(advertisement, index)];
  const late = new Set(lateTagged.map(([branch]) => branch));
  const held = new Set<string>();
  const witnessed = new Map<AssetId, Witness[]>();
  for (const witness of witnesses) {
    const { assetId } = witness;
    witnessed.set(assetId, [...(witnessed.get(assetId) ?? []), witness]);
  }
  for (let start = 0; start < changed.length; start += BRANCHES_A_PART) {
    if (start % BRANCHES_A_FETCH === 0 && changed.length > BRANCHES_A_PART) {
      await beacon.bringBranches(new Map(changed.slice(start, start + BRANCHES_A_FETCH)));
    }
    const tips = new Map(changed.slice(start, start + BRANCHES_A_PART));
    const isKnown = (commitId: CommitId, branch: string): boolean => {
      // Of the tips it is certain that they are new, and half of all questions are about them.
      if (late.has(branch) || tips.get(branch) === commitId) return false;
      const assetId = assetOfBranch(branch);
      return assetId !== undefined && index.hasCommit(assetId, commitId);
    };
    const chains = await beacon.readBranches(tips, isKnown);
    const part = checkBranches(chains, {
      ...{ advertisement, beacon, index, isOwn, late, witnessed, held },
      seen: new Set(),
    });
    index.apply(part.additions, part.faults);
    onPart?.(part);
  }
  const known = { beacon, index, witnesses, held };
  const rewrites = await findRewrites(advertisement, known);
  if (rewrites.length > 0) {
    // One look may have met a replica that lags behind, or a listing that was cut.
    return inBoth(rewrites, await findRewrites(await beacon.advertise(), known));
  }
  onAdvertised?.(advertisement);
  index.setEpoch(beacon.epoch);
  forgetUndone(advertisement, index);
  return rewrites;
}

/** Faults that say of a branch that it was rewritten, once it was put back. */
function forgetUndone({ branches }: Advertisement, index: ChainIndex): void {
  for (const { branch, commitId } of index.listFaults(MAX_FAULTS_REREAD, NOT_GOING_ON)) {
    const assetId = assetOfBranch(branch);
    if (assetId === undefined) continue;
    const known = index.findBranchCommit(assetId);
    if (known !== undefined && known === branches.get(branch)) index.forgetFault(branch, commitId);
  }
}

function checkBranches(
  chains: ReadonlyMap<string, readonly ChainCommit[]>,
  sync: Omit<BranchCheck, 'assetId' | 'chain'>,
): SyncPart {
  const additions: BranchAddition[] = [];
  const faults: ChainFault[] = [];
  const halfPushed: TransactionId[] = [];
  for (const [branch, commits] of chains) {
    const assetId = assetOfBranch(branch);
    if (assetId === undefined) continue;
    const { chain, half } = splitHalfPushed(assetId, commits.map(parseCommit), sync);
    if (half !== undefined) halfPushed.push(half);
    const checked = checkBranch({ ...sync, assetId, chain });
    faults.push(...checked.faults);
    if (checked.addition !== undefined) additions.push(checked.addition);
  }
  return { additions, faults, halfPushed };
}

/** Branches whose tip is not where the index saw it. */
function findChanged(advertisement: Advertisement, index: ChainIndex): [string, CommitId][] {
  const known = index.listBranchCommits();
  const changed: [string, CommitId][] = [];
  for (const [branch, tip] of advertisement.branches) {
    const assetId = assetOfBranch(branch);
    if (assetId !== undefined && known.get(assetId) !== tip && !index.hasCommit(assetId, tip)) {
      changed.push([branch, tip]);
    }
  }
  return changed;
}

/**
 * A node that does not push atomically may set the tag after the branch: an asset that was skipped for want of a tag
 * is read anew once the tag is there. What the index has of it stays until then: a branch that has moved in between has
 * to go on from it.
 */
function findLateTagged(advertisement: Advertisement, index: ChainIndex): [string, CommitId][] {
  const untagged = index.listFaults(MAX_FAULTS_REREAD, TAG_MISSING);
  // Nearly always nothing waits for its tag, and then the tags, thousands of them, need not be looked at.
  if (untagged.length === 0) return [];
  const tagged = new Set(advertisement.tags.values());
  const branches = new Map<string, CommitId>();
  for (const { branch, commitId } of untagged) {
    const assetId = assetOfBranch(branch);
    const tip = advertisement.branches.get(branch);
    if (assetId === undefined || tip === undefined || !tagged.has(commitId)) continue;
    if (tip === index.findBranchCommit(assetId)) branches.set(branch, tip);
  }
  return [...branches];
}

const MAX_FAULTS_REREAD = 1_000;

interface BranchCheck {
  readonly assetId: AssetId;
  readonly chain: readonly ParsedCommit[];
  readonly advertisement: Advertisement;
  readonly index: ChainIndex;
  readonly beacon: Pick<Beacon, 'isEpoch'>;
  readonly isOwn: (transactionId: TransactionId, record: Buffer) => boolean;
  /** Branches that are read anew from their beginning, because a tag came late. */
  readonly late: ReadonlySet<string>;
  /** Transactions that a chain must have, whatever else the index knows of it. */
  readonly witnessed: ReadonlyMap<AssetId, readonly Witness[]>;
  /** Gets the branches that lack one. */
  readonly held: Set<string>;
  /** Transaction ids taken over earlier in this part; those of the parts before stand in the index. */
  readonly seen: Set<string>;
}

function checkBranch(check: BranchCheck): {
  readonly addition: BranchAddition | undefined;
  readonly faults: readonly ChainFault[];
} {
  const { assetId, chain, index, beacon } = check;
  const branch = branchOf(assetId);
  const first = chain[0];
  const last = chain.at(-1);
  if (first === undefined || last === undefined) return { addition: undefined, faults: [] };
  const [parent] = first.parents;
  const isWhole = check.late.has(branch);
  const base = isWhole ? undefined : index.findBranchCommit(assetId);
  if (parent === undefined || (base === undefined ? !beacon.isEpoch(parent) : parent !== base)) {
    const fault = { branch, commitId: last.commitId, fault: NOT_GOING_ON };
    return { addition: undefined, faults: [fault] };
  }
  const transactions: Addition[] = [];
  const faults: ChainFault[] = [];
  for (const commit of chain) {
    const transaction = checkCommit(commit, check);
    if ('fault' in transaction) {
      // A branch may be put onto the chain of another asset, however long: the last of such commits stands for all.
      if (faults.at(-1)?.fault === OF_ANOTHER_ASSET && transaction.fault === OF_ANOTHER_ASSET) {
        faults.pop();
      }
      faults.push({ branch, commitId: commit.commitId, fault: transaction.fault });
    } else {
      check.seen.add(transaction.record.transactionId);
      transactions.push(transaction);
    }
  }
  const read = new Set<TransactionId>(transactions.map(({ record }) => record.transactionId));
  const witnesses = check.witnessed.get(assetId) ?? [];
  if (!witnesses.every(({ transactionId }) => read.has(transactionId))) {
    check.held.add(branch);
    return { addition: undefined, faults: [] };
  }
  if (isWhole && !addsTo(index.listAssetHistory(assetId, Number.MAX_SAFE_INTEGER), transactions)) {
    return { addition: undefined, faults: [] };
  }
  return { addition: { assetId, branchCommit: last.commitId, isWhole, transactions }, faults };
}

/** A chain read anew must have all that is known of it: nothing that was committed is forgotten for a tag that came late. */
function addsTo(
  history: readonly Pick<Addition, 'commitId'>[],
  transactions: readonly Addition[],
): boolean {
  const read = new Set(transactions.map(({ commitId }) => commitId));
  return read.size > history.length && history.every(({ commitId }) => read.has(commitId));
}

function parseCommit({ record: bytes, ...commit }: ChainCommit): ParsedCommit {
  if (bytes !== undefined) return { ...commit, bytes, record: parseRecord(bytes) };
  const fault = `no metadata.json of at most ${MAX_RECORD_BYTES} bytes`;
  return { ...commit, bytes: Buffer.alloc(0), record: { fault } };
}

/**
 * A remote that died in the middle of our push may have moved the branch and not set the tag. That commit is neither
 * foreign nor faulty: it is left for the push that will be repeated, which completes it.
 * @returns the chain before that commit, and its transaction when nothing stands on it.
 */
function splitHalfPushed(
  assetId: AssetId,
  chain: readonly ParsedCommit[],
  { advertisement, isOwn }: Pick<BranchCheck, 'advertisement' | 'isOwn'>,
): { readonly chain: readonly ParsedCommit[]; readonly half: TransactionId | undefined } {
  for (const [position, { record, bytes }] of chain.entries()) {
    if ('fault' in record || record.assetId !== assetId) continue;
    const { transactionId } = record;
    if (!isOwn(transactionId, bytes) || advertisement.tags.has(transactionId)) continue;
    const isTip = position === chain.length - 1;
    return { chain: chain.slice(0, position), half: isTip ? transactionId : undefined };
  }
  return { chain, half: undefined };
}

function checkCommit(
  { commitId, parents, message, changesOtherFiles, bytes, record }: ParsedCommit,
  check: BranchCheck,
): Addition | { readonly fault: string } {
  if (parents.length !== 1) return { fault: 'merge commit' };
  if ('fault' in record) return record;
  if (record.assetId !== check.assetId) return { fault: OF_ANOTHER_ASSET };
  if (message !== recordDigest(bytes)) {
    return { fault: 'commit message is not the hash of the record' };
  }
  if (changesOtherFiles) return { fault: 'commit changes other files than metadata.json' };
  const tag = check.advertisement.tags.get(record.transactionId);
  if (tag === undefined) return { fault: TAG_MISSING };
  if (tag !== commitId) return { fault: 'tag of the transaction stands on another commit' };
  const known = check.index.findTransaction(record.transactionId);
  if (
    check.seen.has(record.transactionId) ||
    (known !== undefined && known.commitId !== commitId)
  ) {
    return { fault: 'transaction id was used before' };
  }
  return { commitId, record, bytes };
}

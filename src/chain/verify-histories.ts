// Which commits belong to which interaction chain, also where branches share commits or begin in the wrong place.
import type { AssetId, CommitId } from '../shared/ids.ts';
import type { CommitFacts } from './verify-commits.ts';

/** A branch of an asset. */
export interface AssetBranch {
  readonly branch: string;
  readonly tip: CommitId;
  /** Undefined for a name that is not UTF-8. */
  readonly assetId: AssetId | undefined;
}

/** An interaction chain: the branch's commits that are no other branch's. */
export interface History extends AssetBranch {
  /** Oldest first. */
  readonly commits: readonly CommitFacts[];
  readonly start: HistoryStart;
}

/** What the oldest of the commits stands on. */
type HistoryStart =
  | { readonly on: 'epoch' }
  /** Nothing: it has no parent. */
  | { readonly on: 'nothing' }
  | { readonly on: 'other-chain'; readonly branch: string }
  | { readonly on: 'unreadable'; readonly commitId: CommitId };

interface Walk extends AssetBranch {
  cursor: CommitId | undefined;
  /** Newest first. */
  readonly commits: CommitFacts[];
  start: HistoryStart | undefined;
}

/**
 * Walks every branch by first parents back to the epoch and gives each commit to one branch. A commit that several
 * branches hold is the one's that its record names, then anyone's who comes to it before he meets a record that names
 * another branch; so a branch that starts off another is told from that other, whatever the order of their names.
 * Takes as many steps as there are commits and branches, however the branches are entangled.
 */
export function assignCommits(
  branches: readonly AssetBranch[],
  commits: ReadonlyMap<CommitId, CommitFacts>,
  isEpoch: (commitId: CommitId) => boolean,
): readonly History[] {
  const assets = new Set(branches.map(({ assetId }) => assetId));
  const owners = new Map<CommitId, string>();
  const walks = branches.map((branch): Walk => ({
    ...branch,
    cursor: branch.tip,
    commits: [],
    start: undefined,
  }));
  const mayClaim: ((walk: Walk, named: AssetId | undefined) => boolean)[] = [
    ({ assetId }, named) => named !== undefined && named === assetId,
    ({ assetId }, named) => named === undefined || named === assetId || !assets.has(named),
    () => true,
  ];
  for (const may of mayClaim) {
    for (const walk of walks) advance(walk, { commits, owners, isEpoch, may });
  }
  return walks.map(({ branch, tip, assetId, commits: own, start }) => {
    // The last pass claims whatever is left, so each walk has come to its end.
    if (start === undefined) throw new Error(`the walk of ${branch} has no end`);
    return { branch, tip, assetId, commits: own.reverse(), start };
  });
}

interface Ground {
  readonly commits: ReadonlyMap<CommitId, CommitFacts>;
  /** Which branch has claimed a commit. */
  readonly owners: Map<CommitId, string>;
  readonly isEpoch: (commitId: CommitId) => boolean;
  readonly may: (walk: Walk, named: AssetId | undefined) => boolean;
}

/** Claims commits until the walk ends or comes to one that it may not claim in this pass. */
function advance(walk: Walk, { commits, owners, isEpoch, may }: Ground): void {
  while (walk.start === undefined) {
    const commitId = walk.cursor;
    const owner = commitId === undefined ? undefined : owners.get(commitId);
    if (commitId === undefined) walk.start = { on: 'nothing' };
    else if (isEpoch(commitId)) walk.start = { on: 'epoch' };
    else if (owner !== undefined) walk.start = { on: 'other-chain', branch: owner };
    else {
      const facts = commits.get(commitId);
      if (facts === undefined) walk.start = { on: 'unreadable', commitId };
      else if (may(walk, facts.transaction?.assetId)) {
        owners.set(commitId, walk.branch);
        walk.commits.push(facts);
        walk.cursor = facts.parents[0];
      } else return;
    }
  }
}

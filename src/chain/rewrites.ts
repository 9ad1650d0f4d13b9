// Finds where the remote no longer goes on from what this node knew: branches and tags that were moved or deleted.
import type { AssetId, CommitId, TransactionId } from '../shared/ids.ts';
import type { Advertisement, Beacon } from './beacon.ts';
import type { ChainIndex } from './chain-index.ts';
import { branchOf } from './refs.ts';

/** A ref of the remote that does not go on from where this node knew it. */
export interface Rewrite {
  readonly kind: 'branch' | 'tag';
  /** Short: `nfgt-x`, not `refs/heads/nfgt-x`. */
  readonly name: string;
  /** Undefined for the epoch branch. */
  readonly assetId: AssetId | undefined;
  /** Where it stood, or for a branch: what it must go on from. Undefined when only the journal knows of it. */
  readonly expected: CommitId | undefined;
  /** Where it stands; undefined when it is gone. */
  readonly found: CommitId | undefined;
}

/** A transaction that this node saw committed, from its own journal, which outlives the index. */
export interface Witness {
  readonly transactionId: TransactionId;
  readonly assetId: AssetId;
}

interface Known {
  readonly index: Pick<
    ChainIndex,
    | 'findTransaction'
    | 'findBranchCommit'
    | 'hasCommit'
    | 'listBranchCommits'
    | 'listTransactionCommits'
  >;
  readonly beacon: Pick<Beacon, 'epochBranch' | 'epoch' | 'isEpoch' | 'isAncestor'>;
  /** What should be in the index and is not. */
  readonly witnesses: readonly Witness[];
  /** Branches that were read and lack a witness. */
  readonly held: ReadonlySet<string>;
}

/**
 * Each look at a history costs a process. Once this many branches are known to be rewritten, the others that stand
 * elsewhere than they did are taken for rewritten unseen: the node writes nothing either way.
 */
const MAX_HISTORIES = 100;

/**
 * Compares an advertisement with everything that is known; the index must have taken over whatever goes on.
 * @returns the refs that were rewritten, the epoch branch first, then branches, then tags.
 */
export async function findRewrites(
  advertisement: Advertisement,
  known: Known,
): Promise<readonly Rewrite[]> {
  return [
    ...findEpochRewrite(advertisement, known),
    ...(await findBranchRewrites(advertisement, known)),
    ...findTagRewrites(advertisement, known),
    ...findUnwitnessed(advertisement, known),
  ];
}

/** The beacon follows its epoch branch as long as that goes on; where they differ it does not. */
function findEpochRewrite({ branches }: Advertisement, { beacon }: Known): readonly Rewrite[] {
  const { epochBranch: name, epoch: expected } = beacon;
  const found = branches.get(name);
  if (found === expected) return [];
  return [{ kind: 'branch', name, assetId: undefined, expected, found }];
}

async function findBranchRewrites(
  { branches }: Advertisement,
  { index, beacon }: Known,
): Promise<readonly Rewrite[]> {
  const rewrites: Rewrite[] = [];
  let histories = 0;
  for (const [assetId, expected] of index.listBranchCommits()) {
    const name = branchOf(assetId);
    const found = branches.get(name);
    if (found === expected) continue;
    // A branch may also have moved on while it was read, or show a commit that breaks the format.
    if (found !== undefined && histories < MAX_HISTORIES) {
      if ((await beacon.isAncestor(expected, name, found)) !== false) continue;
      histories += 1;
    }
    rewrites.push({ kind: 'branch', name, assetId, expected, found });
  }
  return rewrites;
}

function findTagRewrites({ tags }: Advertisement, { index }: Known): readonly Rewrite[] {
  const rewrites: Rewrite[] = [];
  for (const [name, expected] of index.listTransactionCommits()) {
    const found = tags.get(name);
    if (found === expected) continue;
    const assetId = index.findTransaction(name)?.assetId;
    rewrites.push({ kind: 'tag', name, assetId, expected, found });
  }
  return rewrites;
}

/** Transactions that the journal calls committed, and whose branch, read to its tip, does not have them. */
function findUnwitnessed(
  { branches, tags }: Advertisement,
  { index, beacon, witnesses, held }: Known,
): readonly Rewrite[] {
  const rewrites: Rewrite[] = [];
  const named = new Set<string>();
  for (const { transactionId, assetId } of witnesses) {
    if (index.findTransaction(transactionId) !== undefined) continue;
    const branch = branchOf(assetId);
    const tip = branches.get(branch);
    const expected = undefined;
    if (!tags.has(transactionId)) {
      rewrites.push({ kind: 'tag', name: transactionId, assetId, expected, found: undefined });
    }
    // A branch that could not be read yet may have it.
    const isRead =
      tip === undefined ||
      held.has(branch) ||
      tip === index.findBranchCommit(assetId) ||
      index.hasCommit(assetId, tip) ||
      beacon.isEpoch(tip);
    if (!isRead || named.has(branch)) continue;
    named.add(branch);
    rewrites.push({ kind: 'branch', name: branch, assetId, expected, found: tip });
  }
  return rewrites;
}

/** What two looks at the remote agree on: a ref that one listing lacks and the next one has is not gone. */
export function inBoth(first: readonly Rewrite[], second: readonly Rewrite[]): readonly Rewrite[] {
  const keys = new Set(second.map(keyOf));
  return first.filter((rewrite) => keys.has(keyOf(rewrite)));
}

const keyOf = ({ kind, name, found }: Rewrite): string => `${kind} ${name} ${found ?? ''}`;

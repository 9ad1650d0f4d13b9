// Walks interaction chains in the local object store from their tips back to what is known already.
import type { ChainCommit } from '../chain/beacon.ts';
import { MAX_RECORD_BYTES } from '../chain/record.ts';
import { isCommitId, type CommitId } from '../shared/ids.ts';
import type { ObjectAnswer, ObjectReader, ObjectRequest } from './object-reader.ts';
import { readRootTree, type RootTree } from './root-tree.ts';

/** Modes of a regular file; a link or a directory of the record's name is no record. */
const FILE_MODES = ['100644', '100755'];
/** A branch with more new commits than this is left out: no interaction chain is that long, a foreign history may be. */
const MAX_NEW_COMMITS = 10_000;

interface ReadCommit {
  commit: ChainCommit;
  readonly tree: RootTree | undefined;
}

interface Walk {
  readonly branch: string;
  /** The commit to read next; undefined at the end. */
  cursor: CommitId | undefined;
  /** Newest first. */
  readonly commits: ReadCommit[];
  fault: string | undefined;
}

/** A branch that could not be read, and why, in words for the log. */
export interface UnreadBranch {
  readonly branch: string;
  readonly reason: string;
}

/**
 * Reads every branch by first parents, all branches a step at a time, so that a step is one exchange with git however
 * many branches there are.
 * @returns commits oldest first; a branch that cannot be read is named instead and does not stop the others.
 */
export async function readChains(
  reader: ObjectReader,
  tips: ReadonlyMap<string, CommitId>,
  isKnown: (commitId: CommitId, branch: string) => boolean,
): Promise<{ chains: Map<string, ChainCommit[]>; unread: UnreadBranch[] }> {
  const walks: Walk[] = [...tips].map(([branch, tip]) => ({
    branch,
    cursor: isKnown(tip, branch) ? undefined : tip,
    commits: [],
    fault: undefined,
  }));
  let active = walks.filter((walk) => walk.cursor !== undefined);
  while (active.length > 0) {
    await readStep(reader, active, isKnown);
    active = active.filter((walk) => walk.cursor !== undefined);
  }
  await compareTrees(reader, walks);
  await readRecords(reader, walks);
  const chains = new Map<string, ChainCommit[]>();
  const unread: UnreadBranch[] = [];
  for (const { branch, commits, fault } of walks) {
    if (fault === undefined) chains.set(branch, commits.map(({ commit }) => commit).reverse());
    else unread.push({ branch, reason: fault });
  }
  return { chains, unread };
}

async function readStep(
  reader: ObjectReader,
  walks: readonly Walk[],
  isKnown: (commitId: CommitId, branch: string) => boolean,
): Promise<void> {
  const requests = walks.flatMap(({ cursor = '' }): ObjectRequest[] => [
    { command: 'contents', object: cursor },
    { command: 'contents', object: `${cursor}^{tree}` },
  ]);
  const answers = await reader.read(requests);
  for (const [index, walk] of walks.entries()) {
    advance(walk, answers[2 * index], answers[2 * index + 1], isKnown);
  }
}

function advance(
  walk: Walk,
  answer: ObjectAnswer | undefined,
  tree: ObjectAnswer | undefined,
  isKnown: (commitId: CommitId, branch: string) => boolean,
): void {
  const commitId = walk.cursor;
  walk.cursor = undefined;
  if (commitId === undefined) return;
  if (answer?.type !== 'commit' || answer.content === undefined) {
    walk.fault = `${commitId} is ${answer === undefined ? 'missing' : `no readable commit but a ${answer.type}`}`;
    return;
  }
  const { parents, message } = parseCommit(answer.content);
  walk.commits.push({
    commit: { commitId, parents, message, record: undefined, changesOtherFiles: false },
    tree: readRootTree(tree),
  });
  if (walk.commits.length > MAX_NEW_COMMITS) {
    walk.fault = `it has more than ${MAX_NEW_COMMITS} new commits`;
    return;
  }
  const parent = walk.commits.at(-1)?.commit.parents[0];
  if (parent !== undefined && !isKnown(parent, walk.branch)) walk.cursor = parent;
}

/** Compares every commit's tree with its first parent's; of the known commits that the walks end at, trees are read once. */
async function compareTrees(reader: ObjectReader, walks: readonly Walk[]): Promise<void> {
  const parentOf = ({ commit }: ReadCommit): CommitId | undefined => commit.parents[0];
  const bases = new Set(walks.flatMap(({ commits }) => commits.slice(-1).map(parentOf)));
  const known = [...bases].filter((base) => base !== undefined);
  const answers = await reader.read(
    known.map((base) => ({ command: 'contents', object: `${base}^{tree}` })),
  );
  const baseTrees = new Map(known.map((base, index) => [base, readRootTree(answers[index])]));
  for (const { commits } of walks) {
    for (const [index, read] of commits.entries()) {
      const parent = parentOf(read);
      if (parent === undefined) continue;
      const before = commits[index + 1]?.tree ?? baseTrees.get(parent);
      // A tree that cannot be read may hold anything.
      const changesOtherFiles = read.tree === undefined || read.tree.others !== before?.others;
      read.commit = { ...read.commit, changesOtherFiles };
    }
  }
}

/** Fetches the records of all walks, some thousand at a time to bound what is in flight. */
async function readRecords(reader: ObjectReader, walks: readonly Walk[]): Promise<void> {
  const wanted = walks.flatMap(({ commits }) =>
    commits.filter(({ tree }) => FILE_MODES.includes(tree?.record?.mode ?? '')),
  );
  const step = 4096;
  for (let start = 0; start < wanted.length; start += step) {
    const entries = wanted.slice(start, start + step);
    const answers = await reader.read(
      entries.map(({ tree }) => ({
        command: 'contents',
        object: tree?.record?.id ?? '',
        maxBytes: MAX_RECORD_BYTES,
      })),
    );
    for (const [index, entry] of entries.entries()) {
      const answer = answers[index];
      const record = answer?.type === 'blob' ? answer.content : undefined;
      entry.commit = { ...entry.commit, record };
    }
  }
}

/** Reads the parents and the message of a commit object; nothing in it is an error. */
export function parseCommit(content: Buffer): Pick<ChainCommit, 'parents' | 'message'> {
  const headerEnd = content.indexOf('\n\n');
  const header = content.toString('latin1', 0, headerEnd === -1 ? content.length : headerEnd);
  const message = headerEnd === -1 ? '' : content.toString('utf8', headerEnd + 2);
  const parents = header
    .split('\n')
    .filter((line) => line.startsWith('parent '))
    .map((line) => line.slice('parent '.length))
    .filter(isCommitId);
  return { parents, message: message.endsWith('\n') ? message.slice(0, -1) : message };
}

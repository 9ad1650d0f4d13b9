// Verification of a beacon chain as a whole, by anyone who can read it: every branch, commit, record and tag.
import { AppError } from '../shared/errors.ts';
import type { CommitId } from '../shared/ids.ts';
import { assetOfBranch, RESERVED_BRANCH, RESERVED_NAMES } from './refs.ts';
import { digestCommit, type CommitFacts } from './verify-commits.ts';
import { assignCommits, type AssetBranch, type History } from './verify-histories.ts';
import type { FindingKind, NoteKind } from './verify-kinds.ts';
import { verifyProofs } from './verify-proofs.ts';
import { RemarkList, type VerificationReport } from './verify-report.ts';
import { keysByCommitter, verifySignatures } from './verify-signatures.ts';
import type { SourceRef, SourceTag, VerifySource } from './verify-source.ts';
import { verifyTags, type ChainCommitFacts } from './verify-tags.ts';
import { readWellKnown } from './verify-well-known.ts';

export interface VerifyOptions {
  readonly epochBranch: string;
  /** How many findings, and how many notes, are kept; all are counted. */
  readonly maxFindings: number;
  /** Called as commits are read; the total grows while older ones turn up. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What the rules of one verification share. */
interface Verification {
  readonly source: VerifySource;
  readonly commits: Map<CommitId, CommitFacts>;
  readonly isEpoch: (commitId: CommitId) => boolean;
  readonly findings: RemarkList<FindingKind>;
  readonly notes: RemarkList<NoteKind>;
}

/** Commits read in one exchange: enough to keep git busy, few enough that their records fit in memory. */
const COMMITS_PER_READ = 1_000;

/**
 * Holds a whole beacon chain to the format; docs/verification.md names every kind of finding.
 * @throws AppError BEACON_UNUSABLE when there is no epoch branch
 */
export async function verifyChain(
  source: VerifySource,
  { epochBranch, maxFindings, onProgress }: VerifyOptions,
): Promise<VerificationReport> {
  const epoch = source.branches.find(({ name }) => name === epochBranch);
  if (epoch === undefined) {
    const reason = `it has no branch ${epochBranch}`;
    throw new AppError('BEACON_UNUSABLE', { beacon: source.description, reason });
  }
  const findings = new RemarkList<FindingKind>(maxFindings);
  const notes = new RemarkList<NoteKind>(maxFindings);
  const { commits: epochCommits, isWhole } = await source.readAncestors(epoch.target);
  if (!isWhole) {
    findings.add('object-unreadable', epochBranch, epoch.target, 'its history cannot be read');
  }
  const isEpoch = (commitId: CommitId): boolean => epochCommits.has(commitId);
  const branches = listAssetBranches(source.branches, epochBranch, { findings, notes });
  const commits = await readCommits(source, startingPoints(branches, source.tags), {
    isEpoch,
    onProgress,
  });
  const verification: Verification = { source, commits, isEpoch, findings, notes };
  const histories = assignCommits(branches, commits, isEpoch);
  await readEpochParents(verification, histories);
  for (const history of histories) await verifyHistory(verification, history);
  const chainCommits = inTimeOrder(histories);
  verifySuccessorHashes(chainCommits, findings);
  verifyTags(source.tags, chainCommits, findings);
  const wellKnown = await readWellKnown(source, isEpoch, findings);
  const signers = keysByCommitter(wellKnown === undefined ? [] : wellKnown.signers);
  const ownCommits = wellKnown?.commits.map((facts) => ({ branch: RESERVED_BRANCH, facts })) ?? [];
  verifySignatures(ownCommits, signers, findings);
  const signed = verifySignatures(chainCommits, signers, findings);
  const handOvers = verifyProofs(histories, wellKnown, findings);
  return {
    beacon: source.description,
    epoch: { branch: epochBranch, commitId: epoch.target },
    isClean: findings.summary().total === 0,
    counts: {
      assets: histories.length,
      transactions: chainCommits.length,
      tags: source.tags.length,
      annotatedTags: source.tags.filter(({ isAnnotated }) => isAnnotated).length,
    },
    signed,
    handOvers,
    findings: findings.summary(),
    notes: notes.summary(),
  };
}

/** The branches of assets in the order of their names; what is odd about a name is said here. */
function listAssetBranches(
  refs: readonly SourceRef[],
  epochBranch: string,
  { findings, notes }: Pick<Verification, 'findings' | 'notes'>,
): AssetBranch[] {
  const names = new Set(refs.map(({ name }) => name));
  const branches: AssetBranch[] = [];
  for (const { name, isText, target } of [...refs].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (name === epochBranch || RESERVED_NAMES.has(name)) continue;
    const assetId = assetOfBranch(name);
    if (assetId === undefined) {
      notes.add('other-branch', name, target, 'neither the epoch nor an asset');
      continue;
    }
    branches.push({ branch: name, tip: target, assetId: isText ? assetId : undefined });
    if (!isText) findings.add('branch-not-text', name, target, 'its name is not UTF-8');
    if (RESERVED_NAMES.has(assetId)) {
      notes.add('reserved-asset-id', name, target, `${assetId} is reserved`);
    }
    const above = foldersOf(name).find((folder) => names.has(folder));
    if (above !== undefined) {
      findings.add('nested-branch', name, target, `the branch ${above} is in its way`);
    } else if (assetId.includes('/')) {
      notes.add('asset-id-with-slash', name, target, 'its id has a slash');
    }
  }
  return branches;
}

/** `a` and `a/b` for `a/b/c`. */
function foldersOf(name: string): string[] {
  const parts = name.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

/** Tips, and tagged commits with them: nearly every commit has a tag, so one round of reading takes them all. */
function startingPoints(
  branches: readonly AssetBranch[],
  tags: readonly SourceTag[],
): Iterable<CommitId> {
  const tagged = tags.filter(({ type }) => type === 'commit').map(({ target }) => target);
  return [...branches.map(({ tip }) => tip), ...tagged];
}

/** Reads commits and, by first parents, all before them up to the epoch. What cannot be read is left out. */
async function readCommits(
  source: VerifySource,
  from: Iterable<CommitId>,
  options: {
    readonly isEpoch: (commitId: CommitId) => boolean;
    readonly onProgress: VerifyOptions['onProgress'];
  },
): Promise<Map<CommitId, CommitFacts>> {
  const { isEpoch, onProgress } = options;
  const commits = new Map<CommitId, CommitFacts>();
  const asked = new Set<CommitId>();
  const waiting: CommitId[] = [];
  const ask = (commitId: CommitId): void => {
    if (isEpoch(commitId) || asked.has(commitId)) return;
    asked.add(commitId);
    waiting.push(commitId);
  };
  for (const commitId of from) ask(commitId);
  while (waiting.length > 0) {
    for (const commit of await source.readCommits(waiting.splice(0, COMMITS_PER_READ))) {
      if (typeof commit === 'string') continue;
      commits.set(commit.commitId, digestCommit(commit));
      if (commit.parents[0] !== undefined) ask(commit.parents[0]);
    }
    onProgress?.(asked.size - waiting.length, asked.size);
  }
  return commits;
}

/** Adds the epoch's commits that interaction chains start from: their trees are compared with. */
async function readEpochParents(
  { source, commits, isEpoch }: Verification,
  histories: readonly History[],
): Promise<void> {
  const parents = histories.flatMap((history) => history.commits[0]?.parents[0] ?? []);
  const wanted = [...new Set(parents)].filter(isEpoch);
  for (const commit of await source.readCommits(wanted)) {
    if (typeof commit !== 'string') commits.set(commit.commitId, digestCommit(commit));
  }
}

async function verifyHistory(verification: Verification, history: History): Promise<void> {
  const { findings, notes } = verification;
  const { branch, commits } = history;
  await verifyStart(verification, history);
  let before: CommitFacts | undefined;
  for (const facts of commits) {
    const { commitId, faults, authorNote } = facts;
    for (const { kind, detail } of faults) findings.add(kind, branch, commitId, detail);
    if (authorNote !== undefined) notes.add('author-form', branch, commitId, authorNote);
    verifyAsset(verification, history, facts);
    if (before !== undefined) verifyTimes(verification, branch, before, facts);
    await verifyTree(verification, branch, facts);
    before = facts;
  }
}

async function verifyStart(
  { source, findings }: Verification,
  { branch, tip, commits, start }: History,
): Promise<void> {
  const first = commits[0]?.commitId;
  if (start.on === 'unreadable') {
    const [reason] = await source.readCommits([start.commitId]);
    const detail = typeof reason === 'string' ? reason : 'it is there now';
    findings.add('object-unreadable', branch, start.commitId, detail);
  } else if (first === undefined) {
    const where = start.on === 'other-chain' ? `a commit of ${start.branch}` : 'the epoch';
    findings.add('empty-branch', branch, tip, `it stands on ${where}`);
  } else if (start.on === 'other-chain') {
    findings.add('foreign-start', branch, first, `it starts off ${start.branch}`);
  } else if (start.on === 'nothing') {
    findings.add('unrelated-root', branch, first, 'it has no parent');
  }
}

function verifyAsset({ findings }: Verification, { branch, assetId }: History, facts: CommitFacts) {
  const named = facts.transaction?.assetId;
  if (named === undefined || assetId === undefined || named === assetId) return;
  const shown = JSON.stringify(named.slice(0, 200));
  findings.add('asset-mismatch', branch, facts.commitId, `the record names ${shown}`);
}

function verifyTimes(
  { findings, notes }: Verification,
  branch: string,
  before: CommitFacts,
  facts: CommitFacts,
): void {
  const [earlier, later] = [before.transaction, facts.transaction];
  if (earlier !== undefined && later !== undefined) {
    const backMs = earlier.transactionTime - later.transactionTime;
    if (backMs > 0) findings.add('time-backwards', branch, facts.commitId, `by ${backMs} ms`);
  }
  const backSeconds = before.commitTimeSeconds - facts.commitTimeSeconds;
  if (backSeconds > 0) {
    notes.add('commit-date-backwards', branch, facts.commitId, `by ${backSeconds} s`);
  }
}

const CHANGE_KINDS = {
  added: 'file-added',
  removed: 'file-removed',
  changed: 'file-changed',
} as const;

async function verifyTree(
  { source, commits, findings }: Verification,
  branch: string,
  { commitId, parents, treeDigest }: CommitFacts,
): Promise<void> {
  const parent = parents[0] === undefined ? undefined : commits.get(parents[0]);
  // What cannot be read was said where it was found.
  if (parent?.treeDigest === undefined || treeDigest === undefined) return;
  if (parent.treeDigest === treeDigest) return;
  for (const { change, path } of await source.compareTrees(parent.commitId, commitId)) {
    findings.add(CHANGE_KINDS[change], branch, commitId, path);
  }
}

/** All commits of all chains; those without a readable record stand where their commit date puts them. */
function inTimeOrder(histories: readonly History[]): ChainCommitFacts[] {
  const timeOf = ({ transaction, commitTimeSeconds }: CommitFacts): number =>
    transaction?.transactionTime ?? commitTimeSeconds * 1000;
  return histories
    .flatMap(({ branch, commits }) => commits.map((facts) => ({ branch, facts })))
    .sort((a, b) => timeOf(a.facts) - timeOf(b.facts));
}

function verifySuccessorHashes(
  chainCommits: readonly ChainCommitFacts[],
  findings: RemarkList<FindingKind>,
): void {
  const first = new Map<string, ChainCommitFacts>();
  for (const commit of chainCommits) {
    const hash = commit.facts.transaction?.successorHash;
    if (hash === undefined) continue;
    const earlier = first.get(hash);
    if (earlier === undefined) first.set(hash, commit);
    else {
      const detail = `it is that of ${earlier.facts.commitId} on ${earlier.branch}`;
      findings.add('successor-hash-reused', commit.branch, commit.facts.commitId, detail);
    }
  }
}

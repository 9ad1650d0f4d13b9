// The rules on tags: one for each transaction, named by its id, on its commit, and no others.
import type { CommitId } from '../shared/ids.ts';
import type { CommitFacts } from './verify-commits.ts';
import type { RemarkList } from './verify-report.ts';
import type { FindingKind } from './verify-kinds.ts';
import type { SourceTag } from './verify-source.ts';

/** A commit on its interaction chain. */
export interface ChainCommitFacts {
  readonly branch: string;
  readonly facts: CommitFacts;
}

/**
 * Holds tags against transactions.
 * @param chainCommits in the order of time, those without a readable record included: what their tag should be called
 *   is not known, so a tag on one of them is not judged.
 */
export function verifyTags(
  tags: readonly SourceTag[],
  chainCommits: readonly ChainCommitFacts[],
  findings: RemarkList<FindingKind>,
): void {
  const byName = new Map(tags.map((tag) => [tag.name, tag]));
  const transactions = findTransactions(chainCommits, byName, findings);
  const unnamed = new Map<CommitId, SourceTag[]>();
  for (const tag of tags) {
    if (transactions.has(tag.name)) continue;
    const others = unnamed.get(tag.target);
    if (others === undefined) unnamed.set(tag.target, [tag]);
    else others.push(tag);
  }
  for (const [transactionId, { branch, facts }] of transactions) {
    const { commitId } = facts;
    const tag = byName.get(transactionId);
    const others = unnamed.get(commitId) ?? [];
    unnamed.delete(commitId);
    const misnamed = tag === undefined ? others.shift() : undefined;
    const fault = faultOfTag(transactionId, commitId, tag, misnamed);
    if (fault !== undefined) findings.add(fault.kind, branch, commitId, fault.detail);
    for (const { name } of others) {
      findings.add('second-tag', branch, commitId, `the tag ${name} stands on it too`);
    }
  }
  const chainIds = new Set(chainCommits.map(({ facts }) => facts.commitId));
  for (const { name, target, type } of [...unnamed.values()].flat()) {
    if (chainIds.has(target)) continue;
    const what = type ?? 'missing object';
    findings.add('stray-tag', null, target, `the tag ${name} stands on a ${what}`);
  }
}

/** Each id with the one commit that it counts for: where its tag stands, else the earliest. */
function findTransactions(
  chainCommits: readonly ChainCommitFacts[],
  byName: ReadonlyMap<string, SourceTag>,
  findings: RemarkList<FindingKind>,
): Map<string, ChainCommitFacts> {
  const transactions = new Map<string, ChainCommitFacts>();
  const reused: [ChainCommitFacts, string][] = [];
  for (const commit of chainCommits) {
    const transactionId = commit.facts.transaction?.transactionId;
    if (transactionId === undefined) continue;
    const first = transactions.get(transactionId);
    const isTagged = byName.get(transactionId)?.target === commit.facts.commitId;
    if (first !== undefined) reused.push([isTagged ? first : commit, transactionId]);
    if (first === undefined || isTagged) transactions.set(transactionId, commit);
  }
  for (const [{ branch, facts }, transactionId] of reused) {
    const counts = transactions.get(transactionId);
    const detail = `the id ${transactionId} counts for ${counts?.facts.commitId ?? ''} on ${counts?.branch ?? ''}`;
    findings.add('transaction-id-reused', branch, facts.commitId, detail);
  }
  return transactions;
}

function faultOfTag(
  transactionId: string,
  commitId: CommitId,
  tag: SourceTag | undefined,
  misnamed: SourceTag | undefined,
): { readonly kind: FindingKind; readonly detail: string } | undefined {
  if (misnamed !== undefined) {
    const detail = `its tag is called ${misnamed.name}, the transaction ${transactionId}`;
    return { kind: 'tag-misnamed', detail };
  }
  if (tag === undefined) {
    return { kind: 'tag-missing', detail: `there is no tag ${transactionId}` };
  }
  if (tag.type !== 'commit') {
    const what = tag.type === undefined ? 'a missing object' : `the ${tag.type} ${tag.target}`;
    return { kind: 'tag-not-on-commit', detail: `the tag ${transactionId} stands on ${what}` };
  }
  if (tag.target === commitId) return undefined;
  return { kind: 'tag-misplaced', detail: `the tag ${transactionId} stands on ${tag.target}` };
}

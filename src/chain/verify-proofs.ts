// The rule on proofs: what is revealed fits the transaction that it is said to have let through.
import type { TransactionId } from '../shared/ids.ts';
import { predecessorProof } from './proofs.ts';
import { RESERVED_BRANCH } from './refs.ts';
import { hashPassphrase, isPlainHash } from './succession.ts';
import type { CommitFacts } from './verify-commits.ts';
import type { History } from './verify-histories.ts';
import type { FindingKind } from './verify-kinds.ts';
import type { ProofCounts, RemarkList } from './verify-report.ts';
import type { PlacedReveal, WellKnown } from './verify-well-known.ts';

/** A transaction that may have had a predecessor. */
interface Successor {
  readonly branch: string;
  readonly facts: CommitFacts;
  readonly before: CommitFacts | undefined;
  isProven: boolean;
}

/** Holds every reveal against its transaction. @returns how many transactions are proven by that */
export function verifyProofs(
  histories: readonly History[],
  wellKnown: WellKnown | undefined,
  findings: RemarkList<FindingKind>,
): ProofCounts {
  const all = listSuccessors(histories);
  const byId = new Map<TransactionId, Successor[]>();
  for (const successor of all) {
    const id = successor.facts.transaction?.transactionId;
    if (id === undefined) continue;
    const others = byId.get(id);
    if (others === undefined) byId.set(id, [successor]);
    else others.push(successor);
  }
  for (const reveal of wellKnown?.reveals ?? []) {
    const named = (byId.get(reveal.transactionId) ?? []).filter(
      ({ facts }) => facts.transaction?.assetId === reveal.assetId,
    );
    const followers = named.filter(({ before }) => before !== undefined);
    const proven = followers.find((successor) => faultOfReveal(reveal, successor) === undefined);
    const [first] = followers;
    if (proven !== undefined) proven.isProven = true;
    else if (first === undefined) {
      const what = named.length > 0 ? 'has no predecessor' : 'is not on the chain of that asset';
      const id = JSON.stringify(reveal.transactionId.slice(0, 40));
      const detail = `${reveal.place}: the transaction ${id} ${what}`;
      findings.add('reveal-unknown', RESERVED_BRANCH, wellKnown?.tip, detail);
    } else {
      const detail = `${reveal.place}: ${faultOfReveal(reveal, first) ?? ''}`;
      findings.add('reveal-wrong', first.branch, first.facts.commitId, detail);
    }
  }
  return countProofs(all.filter(({ before }) => before !== undefined));
}

function listSuccessors(histories: readonly History[]): Successor[] {
  return histories.flatMap(({ branch, commits }) =>
    commits.map((facts, index) => {
      return { branch, facts, before: commits[index - 1], isProven: false };
    }),
  );
}

/** Why a revealed passphrase does not show that the transaction's author knew it when the record was written. */
function faultOfReveal(
  { transactionId, predecessorPassphrase }: PlacedReveal,
  { facts, before }: Successor,
): string | undefined {
  if (before?.transaction?.successorHash !== hashPassphrase(predecessorPassphrase)) {
    return 'the passphrase does not answer the hash of the transaction before';
  }
  const proof = facts.transaction?.predecessorProof;
  if (proof === undefined) return 'the record commits to no passphrase';
  if (proof !== predecessorProof(transactionId, predecessorPassphrase)) {
    return 'the record commits to another passphrase';
  }
  return undefined;
}

function countProofs(successors: readonly Successor[]): ProofCounts {
  const proven = successors.filter(({ isProven }) => isProven).length;
  const notProvable = successors.filter(({ before }) => {
    const hash = before?.transaction?.successorHash;
    return hash !== undefined && !isPlainHash(hash);
  }).length;
  const of = successors.length;
  return { of, proven, notProven: of - proven - notProvable, notProvable };
}

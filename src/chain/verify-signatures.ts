// The rule on signatures: a signed commit is signed by a key that is listed for its committer.
import type { CommitFacts } from './verify-commits.ts';
import type { FindingKind } from './verify-kinds.ts';
import type { SignatureCounts, RemarkList } from './verify-report.ts';
import type { ChainCommitFacts } from './verify-tags.ts';
import type { AllowedSigner } from './well-known.ts';

/** What a signature turned out to be; `unsigned` and `not-checked` are no errors. */
type Verdict = 'unsigned' | 'not-checked' | 'good' | 'signature-wrong' | 'signer-unlisted';

/** Whose keys may sign; undefined when that is not known. */
export type Signers = ReadonlyMap<string, ReadonlySet<string>> | undefined;

/** The keys of each committer. */
export function keysByCommitter(signers: readonly AllowedSigner[] | undefined): Signers {
  if (signers === undefined) return undefined;
  const keys = new Map<string, Set<string>>();
  for (const { id, publicKey } of signers) {
    const own = keys.get(id);
    if (own === undefined) keys.set(id, new Set([publicKey]));
    else own.add(publicKey);
  }
  return keys;
}

/** Judges each commit's signature. @returns how many are what */
export function verifySignatures(
  commits: readonly ChainCommitFacts[],
  signers: Signers,
  findings: RemarkList<FindingKind>,
): SignatureCounts {
  const counts = new Map<Verdict, number>();
  for (const { branch, facts } of commits) {
    const { verdict, detail } = judge(facts, signers);
    counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
    if (verdict === 'signature-wrong' || verdict === 'signer-unlisted') {
      findings.add(verdict, branch, facts.commitId, detail);
    }
  }
  const countOf = (verdict: Verdict): number => counts.get(verdict) ?? 0;
  return {
    of: commits.length,
    commits: commits.length - countOf('unsigned'),
    good: countOf('good'),
    notChecked: countOf('not-checked'),
  };
}

function judge(
  { signature, committerId }: CommitFacts,
  signers: Signers,
): { readonly verdict: Verdict; readonly detail: string } {
  if (signature === undefined) return { verdict: 'unsigned', detail: '' };
  if (signature.state === 'other-kind') return { verdict: 'not-checked', detail: '' };
  if (signature.state === 'wrong') return { verdict: 'signature-wrong', detail: signature.reason };
  if (signers === undefined) return { verdict: 'not-checked', detail: '' };
  const { publicKey } = signature;
  const keys = committerId === undefined ? undefined : signers.get(committerId);
  if (keys?.has(publicKey) === true) return { verdict: 'good', detail: '' };
  const who = JSON.stringify(committerId?.slice(0, 40) ?? null);
  const detail = `${publicKey.slice(0, 100)} is not listed for ${who}`;
  return { verdict: 'signer-unlisted', detail };
}

// What a batch of drafts asks of the remote's refs, and whether it can be asked at all.
import type { CommitDraft } from '../chain/beacon.ts';
import { branchOf } from '../chain/refs.ts';
import { isCommitId, isTransactionId, type CommitId, type TransactionId } from '../shared/ids.ts';
import type { RefChange } from './packed-refs.ts';

/** Why a batch cannot be pushed at all; only a fault of our own makes one. */
export function faultOfBatch(drafts: readonly CommitDraft[]): string | undefined {
  const assets = new Set(drafts.map(({ assetId }) => assetId));
  const transactions = new Set(drafts.map(({ transactionId }) => transactionId));
  if (assets.size < drafts.length) return 'one asset has two transactions in the batch';
  if (transactions.size < drafts.length) return 'a transaction is twice in the batch';
  for (const draft of drafts) {
    const { assetId, transactionId, parent, committer, commitTimeSeconds } = draft;
    const sound =
      isBranchName(branchOf(assetId)) &&
      isTransactionId(transactionId) &&
      isCommitId(parent) &&
      /^[\w.@+-]+$/.test(committer) &&
      Number.isSafeInteger(commitTimeSeconds) &&
      commitTimeSeconds >= 0;
    if (!sound) return `the draft of ${JSON.stringify(transactionId)} is malformed`;
  }
  return undefined;
}

/** Branch and tag of every draft, with the values that they may have on the remote before. */
export function refChangesOf(
  drafts: readonly CommitDraft[],
  commits: ReadonlyMap<TransactionId, CommitId>,
  isEpoch: (commitId: CommitId) => boolean,
): RefChange[] {
  return drafts.flatMap(({ assetId, transactionId, parent }) => {
    const target = commits.get(transactionId);
    if (target === undefined) throw new Error(`no commit was made for ${transactionId}`);
    const expected = isEpoch(parent) ? [undefined, parent] : [parent];
    return [
      { ref: `refs/heads/${branchOf(assetId)}`, target, expected },
      { ref: `refs/tags/${transactionId}`, target, expected: [undefined] },
    ];
  });
}

/** Which transaction each ref of a batch belongs to. */
export function ownersOfRefs(drafts: readonly CommitDraft[]): Map<string, TransactionId> {
  return new Map(
    drafts.flatMap(({ assetId, transactionId }) => [
      [`refs/heads/${branchOf(assetId)}`, transactionId] as const,
      [`refs/tags/${transactionId}`, transactionId] as const,
    ]),
  );
}

/** The rules of git check-ref-format for one branch, so that a name can stand in a refspec and in `packed-refs`. */
export function isBranchName(name: string): boolean {
  return (
    name !== '' &&
    name.isWellFormed() &&
    // eslint-disable-next-line no-control-regex -- control characters are exactly what git refuses
    !/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|^\/|[/.]$|(?:^|\/)\.|\.lock(?:\/|$)/.test(name)
  );
}

// The port to the beacon chain: what the node needs of a git remote, in the node's own words.
import type { AssetId, CommitId, TransactionId } from '../shared/ids.ts';

/** The remote's refs as it names them now; names are short (`nfgt-x`, not `refs/heads/nfgt-x`). */
export interface Advertisement {
  readonly branches: ReadonlyMap<string, CommitId>;
  /** Lightweight tags by name; an annotated tag is given by the commit it points to. */
  readonly tags: ReadonlyMap<string, CommitId>;
}

/** One commit of an interaction chain as read from the remote; nothing in it has been trusted yet. */
export interface ChainCommit {
  readonly commitId: CommitId;
  readonly parents: readonly CommitId[];
  /** The bytes of `metadata.json`, or undefined when the tree has none or it is larger than the reader takes. */
  readonly record: Buffer | undefined;
  /** The commit message without git's trailing newline. */
  readonly message: string;
  /** True when its tree differs from its first parent's in more than `metadata.json`, or cannot be read. */
  readonly changesOtherFiles: boolean;
}

/** A commit that the node wants on the remote. The same draft always makes the same commit, bit for bit. */
export interface CommitDraft {
  readonly transactionId: TransactionId;
  readonly assetId: AssetId;
  /** The commit that the branch must stand on: its tip, or the epoch's for a mint. */
  readonly parent: CommitId;
  readonly record: Buffer;
  /** Author and committer, name and e-mail alike: the validator's short id. */
  readonly committer: string;
  readonly commitTimeSeconds: number;
}

/** Whether the remote lets this process push; the reason is in words for people, without credentials. */
export type PushRight =
  { readonly granted: true } | { readonly granted: false; readonly reason: string };

/** How the remote answered one atomic push. */
export type PushResult =
  /** Every branch and tag stands on the remote. */
  | { readonly outcome: 'accepted'; readonly commits: ReadonlyMap<TransactionId, CommitId> }
  /**
   * Nothing was written. `stale` names the transactions whose branch has moved on or whose tag is taken; empty when
   * the remote refused for a reason that no single transaction carries.
   */
  | {
      readonly outcome: 'refused';
      readonly stale: readonly TransactionId[];
      readonly reason: string;
      /** False when the same push cannot succeed later (no right to push, a hook said no). */
      readonly retryable: boolean;
    }
  /** The connection ended before the answer: the remote has all of it or nothing; ask before doing anything else. */
  | { readonly outcome: 'unknown'; readonly reason: string };

/** The reserved branch `well-known` as it stands on the remote; nothing in it has been trusted. */
export interface ReservedFiles {
  /** Undefined when there is no such branch yet. */
  readonly tip: CommitId | undefined;
  /** Every path; undefined for what was not wanted, is larger than the limit, or is no regular file. */
  readonly files: ReadonlyMap<string, Buffer | undefined>;
}

/** A commit on the reserved branch that adds or replaces files. */
export interface ReservedChange {
  /** Where the branch must stand. */
  readonly basedOn: CommitId | undefined;
  readonly files: ReadonlyMap<string, Buffer>;
  readonly message: string;
  readonly committer: string;
  readonly commitTimeSeconds: number;
}

/**
 * A git remote that carries a beacon chain. Methods throw AppError BEACON_UNREACHABLE when the remote does not answer.
 */
export interface Beacon {
  /** The remote for people: a path or URL without credentials. */
  readonly description: string;
  readonly epochBranch: string;
  /**
   * The epoch branch's tip as last seen, as long as it goes on from where it stood; a new interaction chain starts from
   * it. Known once the beacon is open.
   */
  readonly epoch: CommitId;
  /** True for the epoch branch's tip and what came before it: older chains start from there. */
  isEpoch(commitId: CommitId): boolean;
  /**
   * Whether a branch that stands on `tip` goes on from a commit, by whatever parent.
   * @returns undefined when the history of `tip` cannot be read now.
   */
  isAncestor(commitId: CommitId, branch: string, tip: CommitId): Promise<boolean | undefined>;
  /** Asks the remote whether it lets this process push, without pushing anything. */
  checkPushRight(): Promise<PushRight>;
  advertise(): Promise<Advertisement>;
  /**
   * Brings the commits of many branches here at once, so that reading these part by part asks the remote no more.
   * What the remote cannot give is left out.
   */
  bringBranches(tips: ReadonlyMap<string, CommitId>): Promise<void>;
  /**
   * Brings these branches' commits here and reads each branch from its tip back to, and without, a known commit or one
   * of the epoch branch.
   * @param tips branch name to the tip that the advertisement gave.
   * @param isKnown true for a commit of this branch that need not be read again (it and all its ancestors are indexed
   * for the branch).
   * @returns for each branch its new commits, oldest first. A branch may be missing when it moved meanwhile.
   */
  readBranches(
    tips: ReadonlyMap<string, CommitId>,
    isKnown: (commitId: CommitId, branch: string) => boolean,
  ): Promise<ReadonlyMap<string, readonly ChainCommit[]>>;
  /** Pushes branch and tag of every draft in one atomic push: all of them or none. */
  push(drafts: readonly CommitDraft[]): Promise<PushResult>;
  /**
   * Reads the reserved branch.
   * @param maxBytes the size of the largest file to read.
   * @param wants whether to read the file at this path.
   */
  readReserved(maxBytes: number, wants: (path: string) => boolean): Promise<ReservedFiles>;
  /**
   * Writes to the reserved branch.
   * @returns `stale` when the branch has moved on; nothing was written then.
   * @throws AppError BEACON_REFUSED when the remote does not take it
   */
  writeReserved(change: ReservedChange): Promise<'written' | 'stale'>;
  /** Ends child processes; the beacon is not used afterwards. */
  close(): Promise<void>;
}

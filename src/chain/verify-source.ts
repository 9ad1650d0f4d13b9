// The port to a repository that is verified as a whole: its refs, and its commits as they lie there.
import type { CommitId } from '../shared/ids.ts';

/** A repository read from outside; nothing in it has been trusted. */
export interface VerifySource {
  /** The repository for people: a path or URL without credentials. */
  readonly description: string;
  readonly branches: readonly SourceRef[];
  readonly tags: readonly SourceTag[];
  /**
   * The tip and every commit that led to it, or the newest of them up to the limit.
   * @returns `isWhole` is false when an object on the way is missing or broken.
   */
  readAncestors(
    tip: CommitId,
    limit?: number,
  ): Promise<{ readonly commits: ReadonlySet<CommitId>; readonly isWhole: boolean }>;
  /** Reads commits with their records, in the order of the ids; a text says why one cannot be read. */
  readCommits(ids: readonly CommitId[]): Promise<readonly (SourceCommit | string)[]>;
  /** What one commit's tree has and the other's has not, the record left out. */
  compareTrees(parent: CommitId, commit: CommitId): Promise<readonly FileChange[]>;
  /** Every file below a commit's tree; a text says why it cannot be listed. */
  listFiles(commitId: CommitId): Promise<readonly SourceFile[] | string>;
  /** The contents of files in their order; undefined for one that cannot be read or is larger than the limit. */
  readFiles(
    files: readonly SourceFile[],
    maxBytes: number,
  ): Promise<readonly (Buffer | undefined)[]>;
}

/** A file as a tree names it. */
export interface SourceFile {
  /** Bytes that are not UTF-8 become replacement characters. */
  readonly path: string;
  /** False for a link, a submodule and an executable. */
  readonly isRegular: boolean;
  readonly blobId: string;
}

/** A branch or tag by its short name. */
export interface SourceRef {
  /** Bytes that are not UTF-8 are written `\xff`; no legal ref name has a backslash. */
  readonly name: string;
  readonly isText: boolean;
  /** An object id; zeros for a ref that holds none. */
  readonly target: CommitId;
}

export interface SourceTag extends SourceRef {
  /** What an annotated tag stands on in the end; `target` is that object. Undefined when it is missing. */
  readonly type: 'commit' | 'tree' | 'blob' | 'tag' | undefined;
  readonly isAnnotated: boolean;
}

/** One commit with what its tree says. */
export interface SourceCommit {
  readonly commitId: CommitId;
  readonly parents: readonly CommitId[];
  /** The message without git's trailing newline. */
  readonly message: string;
  /** Name and e-mail as `name <e-mail>`. */
  readonly author: string;
  readonly committer: string;
  readonly commitTimeSeconds: number;
  readonly signature: SourceSignature | undefined;
  /** The same for trees that are equal but for the record; undefined when the tree cannot be read. */
  readonly treeDigest: string | undefined;
  readonly recordFile: RecordFile;
}

/** A commit's signature, held against the commit. */
export type SourceSignature =
  /** The key that the signature names made it, as ssh writes that key on one line; whose the key is was not asked. */
  | { readonly state: 'good'; readonly publicKey: string }
  | { readonly state: 'wrong'; readonly reason: string }
  /** Of a kind that is not checked here. */
  | { readonly state: 'other-kind' };

/** `metadata.json` as a commit's tree has it. */
export type RecordFile =
  | { readonly state: 'absent' }
  /** A symbolic link, a submodule or a directory. */
  | { readonly state: 'no-file'; readonly mode: string }
  | { readonly state: 'unreadable' }
  | { readonly state: 'too-large'; readonly size: number }
  | { readonly state: 'read'; readonly mode: string; readonly bytes: Buffer };

export interface FileChange {
  readonly change: 'added' | 'removed' | 'changed';
  readonly path: string;
}

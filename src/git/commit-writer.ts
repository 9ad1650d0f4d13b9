// Makes the commits of a batch and stores them as one pack.
import type { CommitDraft } from '../chain/beacon.ts';
import { recordDigest } from '../chain/record.ts';
import type { CommitId, TransactionId } from '../shared/ids.ts';
import { makeObject, withFile, type GitObject, type ObjectFormat } from './git-objects.ts';
import type { Pack } from './pack-file.ts';
import type { Environment, ProcessPool } from './processes.ts';
import type { CommitSigner } from './ssh-signature.ts';

const TIMEOUT_MS = 60_000;
const RECORD_FILE = 'metadata.json';

/** The objects of a batch, and which commit each transaction became. */
export interface Batch {
  readonly commits: ReadonlyMap<TransactionId, CommitId>;
  readonly objects: readonly GitObject[];
}

/**
 * Makes the drafts' commits: the parent's tree with `metadata.json` replaced, and the record's hash as the message.
 * The objects are built here rather than by `git fast-import`, because that cannot sign a commit, and because their
 * ids are then known before anything is written.
 * @param trees the bytes of every parent's tree, by the parent's id.
 * @param signer signs every commit; without one they stay unsigned.
 */
export async function makeBatch(
  format: ObjectFormat,
  drafts: readonly CommitDraft[],
  trees: ReadonlyMap<CommitId, Buffer>,
  signer?: CommitSigner,
): Promise<Batch> {
  const commits = new Map<TransactionId, CommitId>();
  const objects = await Promise.all(
    drafts.map(async (draft) => {
      const parentTree = trees.get(draft.parent);
      if (parentTree === undefined) throw new Error(`the tree of ${draft.parent} was not read`);
      const blob = makeObject(format, 'blob', draft.record);
      const tree = makeObject(format, 'tree', withFile(format, parentTree, RECORD_FILE, blob.id));
      const content = await commitContent(format, draft, tree.id, signer);
      const commit = makeObject(format, 'commit', content);
      commits.set(draft.transactionId, commit.id as CommitId);
      return [commit, tree, blob];
    }),
  );
  return { commits, objects: objects.flat() };
}

function commitContent(
  format: ObjectFormat,
  { committer, commitTimeSeconds, parent, record }: CommitDraft,
  tree: string,
  signer: CommitSigner | undefined,
): Promise<Buffer> {
  const identity = `${committer} <${committer}> ${commitTimeSeconds} +0000`;
  return encodeCommit(format, {
    header: `tree ${tree}\nparent ${parent}\nauthor ${identity}\ncommitter ${identity}\n`,
    message: recordDigest(record),
    signer,
  });
}

/** The bytes of a commit object. What is signed is the commit without the signature, which git adds as its last header. */
export async function encodeCommit(
  format: ObjectFormat,
  {
    header,
    message,
    signer,
  }: {
    /** Every line with its line break. */
    readonly header: string;
    readonly message: string;
    readonly signer: CommitSigner | undefined;
  },
): Promise<Buffer> {
  const unsigned = Buffer.from(`${header}\n${message}`);
  if (signer === undefined) return unsigned;
  const name = format === 'sha1' ? 'gpgsig' : 'gpgsig-sha256';
  // A header goes on in the next line after a space.
  const armored = await signer.sign(unsigned);
  const signature = armored.trimEnd().replaceAll('\n', '\n ');
  return Buffer.from(`${header}${name} ${signature}\n\n${message}`);
}

/**
 * Writes objects into a repository as one pack, flushed as its settings ask for; no ref is touched.
 * @param checks `strict`: git refuses objects that its fsck does not like, and links to what is not there.
 * @throws Error when git fails; no object is in the repository then.
 */
export async function storePack(
  pool: ProcessPool,
  repository: { readonly gitDir: string; readonly environment: Environment },
  pack: Pack,
  checks: 'strict' | 'none',
): Promise<void> {
  const args = ['index-pack', '--stdin', ...(checks === 'strict' ? ['--strict'] : [])];
  const result = await pool.run(args, {
    cwd: repository.gitDir,
    environment: repository.environment,
    input: pack.bytes,
    timeoutMs: TIMEOUT_MS,
  });
  if (result.exitCode !== 0) throw new Error(`git index-pack failed: ${result.stderr.trim()}`);
}

// The files of the reserved branch: read with limits, and written anew with some of them replaced.
import type { ReservedFiles } from '../chain/beacon.ts';
import type { CommitId } from '../shared/ids.ts';
import { encodeCommit } from './commit-writer.ts';
import { encodeTree, makeObject, type GitObject, type ObjectFormat } from './git-objects.ts';
import type { ObjectReader } from './object-reader.ts';
import type { Environment, ProcessPool } from './processes.ts';
import type { CommitSigner } from './ssh-signature.ts';

/** The branch holds a few files a validator; one with more than this in its listing is left alone. */
const MAX_LISTING_BYTES = 4 * 1024 * 1024;
const TIMEOUT_MS = 60_000;
/** The mode of a regular file. */
export const FILE_MODE = '100644';

/** An entry that is no directory; the bytes of its path stand for one character each. */
interface TreeFile {
  readonly mode: string;
  readonly id: string;
  readonly path: string;
}

interface Repository {
  readonly pool: ProcessPool;
  readonly environment: Environment;
  readonly gitDir: string;
}

/**
 * Reads a commit's files. What is larger than the limit, a link or a submodule is named and not read.
 * @throws Error when the commit's tree is missing, broken or far too large
 */
export async function readFiles(
  repository: Repository,
  reader: ObjectReader,
  tip: CommitId,
  { maxBytes, wants }: { readonly maxBytes: number; readonly wants: (path: string) => boolean },
): Promise<ReservedFiles['files']> {
  const listed = await listFiles(repository, tip);
  const wanted = listed.filter(({ mode, path }) => mode === FILE_MODE && wants(toText(path)));
  const answers = await reader.read(
    wanted.map(({ id }) => ({ command: 'contents', object: id, maxBytes }) as const),
  );
  const files = new Map<string, Buffer | undefined>();
  for (const { path } of listed) files.set(toText(path), undefined);
  for (const [index, { path }] of wanted.entries())
    files.set(toText(path), answers[index]?.content);
  return files;
}

/**
 * Makes a commit that adds or replaces files on the branch; what else stands there stays.
 * @returns its objects, the commit first.
 */
export async function makeFilesCommit(
  repository: Repository,
  format: ObjectFormat,
  change: {
    readonly basedOn: CommitId | undefined;
    readonly files: ReadonlyMap<string, Buffer>;
    readonly message: string;
    readonly committer: string;
    readonly commitTimeSeconds: number;
    readonly signer: CommitSigner | undefined;
  },
): Promise<readonly [GitObject, ...GitObject[]]> {
  const { basedOn, files, message, committer, commitTimeSeconds, signer } = change;
  const entries = new Map<string, TreeFile>();
  if (basedOn !== undefined) {
    for (const file of await listFiles(repository, basedOn)) entries.set(file.path, file);
  }
  const objects: GitObject[] = [];
  for (const [name, content] of files) {
    const blob = makeObject(format, 'blob', content);
    const path = Buffer.from(name).toString('latin1');
    entries.set(path, { mode: FILE_MODE, id: blob.id, path });
    objects.push(blob);
  }
  const tree = makeTree(format, [...entries.values()], objects);
  const parent = basedOn === undefined ? '' : `parent ${basedOn}\n`;
  const identity = `${committer} <${committer}> ${commitTimeSeconds} +0000`;
  const header = `tree ${tree.id}\n${parent}author ${identity}\ncommitter ${identity}\n`;
  const content = await encodeCommit(format, { header, message, signer });
  return [makeObject(format, 'commit', content), ...objects];
}

/** Makes the tree of these files and, before it, those of its directories; all are added to the objects. */
function makeTree(
  format: ObjectFormat,
  files: readonly TreeFile[],
  objects: GitObject[],
): GitObject {
  const folders = new Map<string, TreeFile[]>();
  const entries: { mode: string; name: Buffer; id: string }[] = [];
  for (const { mode, id, path } of files) {
    const slash = path.indexOf('/');
    if (slash === -1) entries.push({ mode, id, name: Buffer.from(path, 'latin1') });
    else {
      const inner = { mode, id, path: path.slice(slash + 1) };
      const folder = path.slice(0, slash);
      folders.set(folder, [...(folders.get(folder) ?? []), inner]);
    }
  }
  for (const [folder, inner] of folders) {
    const { id } = makeTree(format, inner, objects);
    entries.push({ mode: '40000', id, name: Buffer.from(folder, 'latin1') });
  }
  const tree = makeObject(format, 'tree', encodeTree(entries));
  objects.push(tree);
  return tree;
}

/** Every file below the commit's tree. @throws Error as {@link readFiles} does */
export async function listFiles(
  { pool, environment, gitDir }: Repository,
  tip: CommitId,
): Promise<TreeFile[]> {
  const result = await pool.run(['ls-tree', '-r', '-z', '--full-tree', tip], {
    cwd: gitDir,
    environment,
    timeoutMs: TIMEOUT_MS,
    maxOutputBytes: MAX_LISTING_BYTES,
  });
  if (result.exitCode !== 0 || result.interruption !== undefined) {
    const reason = result.interruption ?? result.stderr.trim().slice(0, 300);
    throw new Error(`the reserved branch cannot be read: ${reason}`);
  }
  return parseListing(result.stdout);
}

/** Reads what `git ls-tree -z` prints; a line of any other form is left out. */
export function parseListing(output: Buffer): TreeFile[] {
  const lines = output.toString('latin1').split('\0').slice(0, -1);
  return lines.flatMap((line) => {
    const [, mode, id, path] = /^(\d{6}) \w+ ([0-9a-f]+)\t([^]+)$/.exec(line) ?? [];
    return mode === undefined || id === undefined || path === undefined ? [] : [{ mode, id, path }];
  });
}

function toText(path: string): string {
  return Buffer.from(path, 'latin1').toString('utf8');
}

// Reads a whole repository for its verification: a path in place, a URL through a copy of its objects. It writes nothing
// but its own work directory.
import { createHash } from 'node:crypto';
import { access } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type {
  FileChange,
  RecordFile,
  SourceCommit,
  SourceFile,
  SourceRef,
  SourceSignature,
  SourceTag,
  VerifySource,
} from '../chain/verify-source.ts';
import { AppError } from '../shared/errors.ts';
import { isCommitId, type CommitId } from '../shared/ids.ts';
import { parseCommit } from './branch-reader.ts';
import { checkSignature } from './check-signature.ts';
import { prepareEnvironment, type Credentials } from './environment.ts';
import {
  ObjectReader,
  type ObjectAnswer,
  type ObjectAnswers,
  type ObjectRequest,
} from './object-reader.ts';
import { ProcessPool } from './processes.ts';
import { parseRefList } from './ref-list.ts';
import { lastWords } from './remote-failure.ts';
import { parseRemoteUrl } from './remote-url.ts';
import { FILE_MODE, listFiles } from './reserved-branch.ts';
import { readRootTree, type RootTree, type TreeEntry } from './root-tree.ts';
import { openScratchRepository, REMOTE } from './scratch-repository.ts';
import { listRemote, runRemote, unusable, type Transport } from './transport.ts';

export interface RepositoryOptions extends Credentials {
  /** A path, `file://`, `ssh://` or scp-like, or `https://` URL. */
  readonly url: string;
  /** An empty directory; the caller removes it. */
  readonly workDir: string;
  readonly ambient: Readonly<Record<string, string | undefined>>;
}

const LIST_TIMEOUT_MS = 60_000;
const COPY_TIMEOUT_MS = 1_800_000;
/** A tag of a tag of a tag: whoever nests deeper gets no answer. */
const MAX_TAG_DEPTH = 8;

/**
 * Opens a repository to be read whole.
 * @throws AppError INPUT_INVALID when nothing is at the path
 * @throws AppError BEACON_UNREACHABLE when nothing answers at the URL
 * @throws AppError BEACON_UNUSABLE when the path is no repository, or the objects cannot be had
 */
export async function openRepository(options: RepositoryOptions): Promise<RepositoryReader> {
  const remote = parseRemoteUrl(options.url);
  const workDir = resolve(options.workDir);
  const ambient = await prepareEnvironment(remote, workDir, options, options.ambient);
  // Objects as they are, not as a ref or a file in the repository says they should be read.
  const environment = { ...ambient, GIT_NO_REPLACE_OBJECTS: '1' };
  const pool = new ProcessPool();
  try {
    const git: Transport = { pool, environment, remote, answerTimeoutMs: LIST_TIMEOUT_MS };
    const alternate = remote.transport === 'path' ? await findObjects(git) : undefined;
    const open = async (objectFormat: 'sha1' | 'sha256'): Promise<string> => {
      const { location } = remote;
      const scratch = { workDir, environment, location, objectFormat, alternate };
      return (await openScratchRepository(scratch)).gitDir;
    };
    let gitDir = await open('sha1');
    const { branches, tags } = parseRefList(await listRemote(git, { gitDir }));
    // Only the repository's own ids tell its object format.
    if ((branches[0] ?? tags[0])?.target.length === 64) gitDir = await open('sha256');
    if (alternate === undefined) await copyObjects(git, gitDir, [...branches, ...tags]);
    const reader = new RepositoryReader(git, gitDir, branches);
    await reader.peelTags(tags);
    return reader;
  } catch (error) {
    await pool.close();
    throw error;
  }
}

export class RepositoryReader implements VerifySource {
  readonly description: string;
  readonly branches: readonly SourceRef[];
  tags: readonly SourceTag[] = [];
  private readonly git: Transport;
  private readonly gitDir: string;
  private readonly reader: ObjectReader;

  constructor(git: Transport, gitDir: string, branches: readonly SourceRef[]) {
    this.git = git;
    this.gitDir = gitDir;
    this.description = git.remote.description;
    this.branches = branches;
    this.reader = new ObjectReader(git.pool, gitDir, git.environment);
  }

  /** Finds out what each tag stands on in the end. */
  async peelTags(refs: readonly SourceRef[]): Promise<void> {
    const infos = await this.read(
      refs.map(({ target }) => ({ command: 'info', object: target }) as const),
    );
    const tags: SourceTag[] = [];
    for (const [index, ref] of refs.entries()) {
      const info = infos[index];
      if (info?.type === 'tag') tags.push(await this.peel(ref));
      else tags.push({ ...ref, type: typeOf(info), isAnnotated: false });
    }
    this.tags = tags;
  }

  async readAncestors(
    tip: CommitId,
    limit?: number,
  ): Promise<{ readonly commits: ReadonlySet<CommitId>; readonly isWhole: boolean }> {
    // A commit-graph file in the repository could tell another history than its commits.
    const most = limit === undefined ? [] : [`--max-count=${limit}`];
    const args = ['-c', 'core.commitGraph=false', 'rev-list', ...most, tip, '--'];
    const { pool, environment } = this.git;
    const result = await pool.run(args, {
      cwd: this.gitDir,
      environment,
      timeoutMs: COPY_TIMEOUT_MS,
    });
    const ids = result.stdout.toString('latin1').split('\n').filter(isCommitId);
    return { commits: new Set([tip, ...ids]), isWhole: result.exitCode === 0 };
  }

  async readCommits(ids: readonly CommitId[]): Promise<(SourceCommit | string)[]> {
    const objects = await this.read(ids.map(contents));
    // Signatures are checked on other threads while git is asked for the rest.
    const checked = Promise.all(objects.map(checkCommit));
    const trees = await this.readTrees(ids);
    const records = trees.map((tree) => tree?.record);
    const blobs = records.map((entry) => (isFile(entry) ? entry?.id : undefined));
    const wanted = blobs.filter((id) => id !== undefined);
    const answers = new Map(zip(wanted, await this.read(wanted.map(contents))));
    const signatures = await checked;
    return ids.map((commitId, index) => {
      const object = objects[index];
      if (object?.type !== 'commit') return `it is ${object?.type ?? 'missing or broken'}`;
      if (object.content === undefined) return `it has ${object.size} bytes`;
      const tree = trees[index];
      return {
        commitId,
        ...readHeader(object.content),
        signature: signatures[index],
        treeDigest: tree === undefined ? undefined : digestOf(tree.others),
        recordFile: recordFileOf(tree?.record, answers.get(blobs[index] ?? '')),
      };
    });
  }

  async compareTrees(parent: CommitId, commit: CommitId): Promise<FileChange[]> {
    const [before, after] = await this.readTrees([parent, commit]);
    const earlier = new Map(before?.listOthers().map((entry) => [entry.name, entry]));
    const changes: FileChange[] = [];
    for (const { name, mode, id } of after?.listOthers() ?? []) {
      const entry = earlier.get(name);
      earlier.delete(name);
      if (entry?.mode === mode && entry.id === id) continue;
      changes.push({ change: entry === undefined ? 'added' : 'changed', path: pathOf(name) });
    }
    for (const name of earlier.keys()) changes.push({ change: 'removed', path: pathOf(name) });
    return changes;
  }

  async listFiles(commitId: CommitId): Promise<SourceFile[] | string> {
    try {
      const { pool, environment } = this.git;
      const files = await listFiles({ pool, environment, gitDir: this.gitDir }, commitId);
      return files.map(({ path, mode, id }) => {
        return { path: pathOf(path), isRegular: mode === FILE_MODE, blobId: id };
      });
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  async readFiles(files: readonly SourceFile[], maxBytes: number): Promise<(Buffer | undefined)[]> {
    const requests = files.map(({ blobId }) => ({ ...contents(blobId), maxBytes }));
    return (await this.read(requests)).map((answer) =>
      answer?.type === 'blob' ? answer.content : undefined,
    );
  }

  /** Ends child processes. */
  async close(): Promise<void> {
    await this.git.pool.close();
  }

  private async peel(ref: SourceRef): Promise<SourceTag> {
    let target = ref.target;
    let type: string | undefined = 'tag';
    for (let depth = 0; type === 'tag' && depth < MAX_TAG_DEPTH; depth += 1) {
      const [tag] = await this.read([contents(target)]);
      const header = tag?.content?.toString('latin1') ?? '';
      const next = /^object ([0-9a-f]+)\n/.exec(header)?.[1] ?? '';
      if (!isCommitId(next)) return { ...ref, target, type: undefined, isAnnotated: true };
      target = next;
      type = typeOf((await this.read([{ command: 'info', object: target }]))[0]);
    }
    return { ...ref, target, type: knownType(type), isAnnotated: true };
  }

  private async readTrees(commits: readonly CommitId[]): Promise<(RootTree | undefined)[]> {
    return (await this.read(commits.map((id) => contents(`${id}^{tree}`)))).map(readRootTree);
  }

  /**
   * Reads objects however many of them are broken. git dies of a broken one, and of a request that holds nothing else
   * the reader cannot tell that from git itself failing; so what failed is asked again in halves.
   */
  private async read(requests: readonly ObjectRequest[]): Promise<ObjectAnswers> {
    try {
      return await this.reader.read(requests);
    } catch {
      if (requests.length === 1) return [undefined];
      const middle = Math.ceil(requests.length / 2);
      const first = await this.read(requests.slice(0, middle));
      return [...first, ...(await this.read(requests.slice(middle)))];
    }
  }
}

const contents = (object: string): ObjectRequest => ({ command: 'contents', object });

function zip<Key, Value>(keys: readonly Key[], values: readonly Value[]): [Key, Value][] {
  return keys.map((key, index) => [key, values[index] as Value]);
}

function typeOf(info: ObjectAnswer | undefined): SourceTag['type'] {
  return knownType(info?.type);
}

function knownType(type: string | undefined): SourceTag['type'] {
  return (['commit', 'tree', 'blob', 'tag'] as const).find((known) => known === type);
}

/** True for what may hold a record; a link's blob holds a path. */
function isFile(entry: TreeEntry | undefined): boolean {
  return entry?.mode.startsWith('100') === true;
}

function recordFileOf(entry: TreeEntry | undefined, blob: ObjectAnswer | undefined): RecordFile {
  if (entry === undefined) return { state: 'absent' };
  if (!isFile(entry)) return { state: 'no-file', mode: entry.mode };
  if (blob?.type !== 'blob') return { state: 'unreadable' };
  if (blob.content === undefined) return { state: 'too-large', size: blob.size };
  return { state: 'read', mode: entry.mode, bytes: blob.content };
}

function digestOf(others: string): string {
  return createHash('sha256').update(others, 'latin1').digest('base64');
}

/** A name of a tree entry as text; bytes that are not UTF-8 become replacement characters. */
function pathOf(name: string): string {
  return Buffer.from(name, 'latin1').toString('utf8');
}

type Header = Omit<SourceCommit, 'commitId' | 'signature' | 'treeDigest' | 'recordFile'>;

/** Reads a commit object; what it lacks is empty, nothing in it is an error. */
export function readHeader(content: Buffer): Header {
  const end = content.indexOf('\n\n');
  // The lines of a long header such as a signature go on with a space.
  const header = content.toString('utf8', 0, end === -1 ? content.length : end);
  const fields = header.replaceAll('\n ', '\0').split('\n');
  const field = (name: string): string | undefined =>
    fields.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1);
  const [, committer = '', seconds = '0'] =
    /^(.*?) (\d{1,15}) [+-]\d+$/.exec(field('committer') ?? '') ?? [];
  return {
    ...parseCommit(content),
    author: (field('author') ?? '').replace(/ \d+ [+-]\d+$/, ''),
    committer,
    commitTimeSeconds: Number(seconds),
  };
}

async function checkCommit(object: ObjectAnswer | undefined): Promise<SourceSignature | undefined> {
  if (object?.type !== 'commit' || object.content === undefined) return undefined;
  // Each format of object ids has a header of its own, so that a commit can be signed in both.
  const name = object.id.length === 64 ? 'gpgsig-sha256' : 'gpgsig';
  const { signature, payload } = splitCommit(object.content, name);
  return signature === '' ? undefined : checkSignature(signature, payload);
}

/**
 * Parts a commit as git does before it checks one: its signature, and what was signed, which is the commit without any
 * signature header.
 */
export function splitCommit(content: Buffer, name: string): { signature: string; payload: Buffer } {
  const blank = content.indexOf('\n\n');
  const end = blank === -1 ? content.length : blank + 1;
  // One character for each byte, so that nothing of what was signed changes.
  const header = content.toString('latin1', 0, end);
  let signature = '';
  const payload = header.replace(/^gpgsig[^\n]*\n(?: [^\n]*\n)*/gm, (field) => {
    if (field.startsWith(`${name} `)) {
      signature += field.slice(name.length + 1).replaceAll('\n ', '\n');
    }
    return '';
  });
  return {
    signature,
    payload: Buffer.concat([Buffer.from(payload, 'latin1'), content.subarray(end)]),
  };
}

/** The object store of a repository in a directory. @throws AppError INPUT_INVALID, BEACON_UNUSABLE */
async function findObjects({ pool, environment, remote }: Transport): Promise<string> {
  const path = remote.location;
  await access(path).catch((cause: unknown) => {
    throw new AppError('INPUT_INVALID', { reason: `${path} cannot be opened` }, { cause });
  });
  const result = await pool.run(['rev-parse', '--git-path', 'objects'], {
    cwd: path,
    // Not the repository that the path happens to lie in.
    environment: { ...environment, GIT_CEILING_DIRECTORIES: dirname(path) },
    timeoutMs: LIST_TIMEOUT_MS,
  });
  if (result.exitCode !== 0) {
    throw unusable(remote, `there is no repository (${lastWords(result)})`);
  }
  return resolve(path, result.stdout.toString('utf8').trimEnd());
}

/**
 * Brings everything here that the refs lead to. By ids: git compares each name that it is asked for with every ref of
 * the remote, and no pattern is allowed without writing refs.
 */
async function copyObjects(
  transport: Transport,
  gitDir: string,
  refs: readonly SourceRef[],
): Promise<void> {
  const ids = [...new Set(refs.map(({ target }) => target))].filter((id) => !/^0+$/.test(id));
  if (ids.length === 0) return;
  const options = ['--quiet', '--no-tags', '--no-write-fetch-head', '--no-auto-maintenance'];
  const result = await runRemote(
    transport,
    { gitDir },
    // A verification wants to see what is broken, not to be told that it cannot be fetched.
    [
      ...['-c', 'transfer.fsckObjects=false', 'fetch', ...options],
      ...['--no-recurse-submodules', '--refmap=', '--stdin', REMOTE],
    ],
    { input: ids.map((id) => `${id}\n`).join(''), timeoutMs: COPY_TIMEOUT_MS },
  );
  if (result.exitCode !== 0) {
    const reason = `its objects cannot be fetched (${lastWords(result)})`;
    throw unusable(transport.remote, reason);
  }
}

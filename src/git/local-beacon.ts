// A beacon that is a directory: made when it is not there, kept fast and durable when we made it.
import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import {
  access,
  constants,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../shared/errors.ts';
import { storePack } from './commit-writer.ts';
import { flushPath } from './flush.ts';
import { makeObject, withFile, type GitObject, type ObjectFormat } from './git-objects.ts';
import { encodePack, TEMPORARY_PREFIX, writePack } from './pack-file.ts';
import type { PackedRefs, RefChange } from './packed-refs.ts';
import type { Environment, ProcessPool } from './processes.ts';
import { LOCK_FILE_PREFIX } from './ref-locks.ts';
import { countPacks } from './scratch-repository.ts';

/** What a beacon's epoch commit holds; the same bytes give every node that starts an empty beacon the same commit. */
const EPOCH_README = `# NFGT beacon chain

Every branch \`nfgt-<asset id>\` of this repository is one non-fungible git token. Each of its commits is one
transaction, and its newest one says, in \`metadata.json\`, who owns the token. A transaction counts once a tag named by
its id stands on its commit.

Branches and tags are only ever added to: do not rewrite or delete them.
`;
const EPOCH_IDENTITY = 'nfgt <nfgt> 1640995200 +0000';
const COMMAND_TIMEOUT_MS = 60_000;
const LOCK_WAIT_MS = 3000;
/** No git of ours writes a pack for that long. */
const TEMPORARY_MAX_AGE_MS = 600_000;
const NONCE_BYTES = 16;
const MAINTENANCE_TIMEOUT_MS = 600_000;

/**
 * The settings of a beacon that we make. It is the authority, so what it has accepted must survive a power cut: packs,
 * their indexes and refs are flushed one by one (`batch` would only cover loose objects, and on Linux only by luck).
 * Every push stays one pack, two flushes in place of three for each transaction; our own maintenance joins them.
 */
const OWN_SETTINGS = `[core]
	fsync = loose-object,pack,pack-metadata,reference
	fsyncMethod = fsync
	logAllRefUpdates = false
	compression = 1
[receive]
	denyDeletes = true
	denyNonFastForwards = true
	fsckObjects = true
	unpackLimit = 1
	autogc = false
	advertisePushOptions = false
[gc]
	auto = 0
[maintenance]
	auto = false
[pack]
	threads = 1
	window = 0
[uploadpack]
	allowFilter = true
[aibot]
	beacon = 1
`;

const READ_ONLY = new Set(['EACCES', 'EPERM', 'EROFS']);
const RECEIVE_HOOKS = new Set([
  'pre-receive',
  'update',
  'proc-receive',
  'reference-transaction',
  'post-receive',
  'post-update',
]);

export interface LocalBeacon {
  readonly gitDir: string;
  readonly objectDir: string;
  readonly hooksDir: string;
  readonly objectFormat: ObjectFormat;
  /** True when we made it: nobody else keeps it in order. */
  readonly own: boolean;
}

interface Git {
  readonly pool: ProcessPool;
  readonly environment: Environment;
}

/** The objects of the commit that every chain starts from; the first of them is the commit itself. */
export function epochObjects(format: ObjectFormat): readonly [GitObject, ...GitObject[]] {
  const blob = makeObject(format, 'blob', Buffer.from(EPOCH_README));
  const content = withFile(format, Buffer.alloc(0), 'README.md', blob.id);
  const tree = makeObject(format, 'tree', content);
  const text = `tree ${tree.id}\nauthor ${EPOCH_IDENTITY}\ncommitter ${EPOCH_IDENTITY}\n\nEpoch`;
  return [makeObject(format, 'commit', Buffer.from(text)), tree, blob];
}

/**
 * Finds the beacon in a directory, or makes it when nothing is there.
 * @throws AppError BEACON_UNUSABLE when something else is there, or nothing and it is to be read only
 */
export async function openLocalBeacon(
  git: Git,
  path: string,
  { epochBranch, readOnly = false }: { readonly epochBranch: string; readonly readOnly?: boolean },
): Promise<LocalBeacon> {
  if (await isEmpty(path)) {
    if (readOnly) throw unusable(path, 'nothing is there');
    await createBeacon(git, path, epochBranch);
  }
  const paths = ['--git-path', 'objects', '--git-path', 'hooks'];
  const args = ['rev-parse', '--absolute-git-dir', ...paths, '--show-object-format'];
  const environment = { ...git.environment, GIT_CEILING_DIRECTORIES: dirname(path) };
  const result = await git.pool.run(args, {
    cwd: path,
    environment,
    timeoutMs: COMMAND_TIMEOUT_MS,
  });
  const [gitDir = '', objects = '', hooks = '', format] = result.stdout
    .toString('utf8')
    .split('\n');
  if (result.exitCode !== 0 || (format !== 'sha1' && format !== 'sha256')) {
    throw unusable(path, result.stderr.trim().split('\n')[0] ?? 'it is no git repository');
  }
  const config = await readFile(join(gitDir, 'config'), 'utf8');
  const own = /^\[aibot\]\n\tbeacon = 1$/m.test(config);
  const beacon: LocalBeacon = {
    gitDir,
    objectDir: resolve(path, objects),
    hooksDir: resolve(path, hooks),
    objectFormat: format,
    own,
  };
  if (own && !readOnly) await takeUp(beacon);
  return beacon;
}

/** Clears away what a crash left in our own beacon, and makes sure that what can be seen in it is on the disk. */
async function takeUp(beacon: LocalBeacon): Promise<void> {
  await removeStaleLocks(beacon.gitDir);
  await removeTemporary(beacon.objectDir);
  await flushDirectories(beacon);
}

/**
 * True when whoever keeps the beacon has put a hook of receive-pack's (githooks) into it: only a push runs those.
 * Looked up for each batch, because a hook may be added at any time.
 */
export async function hasHooks({ hooksDir }: Pick<LocalBeacon, 'hooksDir'>): Promise<boolean> {
  try {
    const names = await readdir(hooksDir);
    return names.some((name) => RECEIVE_HOOKS.has(name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** True when this process may write the beacon's objects and refs. */
export async function isWritable(beacon: LocalBeacon): Promise<boolean> {
  try {
    for (const directory of [beacon.objectDir, join(beacon.gitDir, 'refs')]) {
      await access(directory, constants.W_OK);
    }
    return true;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (READ_ONLY.has(code)) return false;
    throw new AppError('BEACON_UNREACHABLE', {}, { cause: error });
  }
}

/**
 * Puts a pack into our own beacon and sets the refs of its commits: all of them or none, whatever dies. The pack is on
 * the disk before a ref can point into it.
 * @returns false when git itself must judge what stands in the way; nothing but unreferenced objects was written.
 */
export async function writeBatch(
  beacon: LocalBeacon,
  refs: PackedRefs,
  batch: { readonly objects: readonly GitObject[]; readonly changes: readonly RefChange[] },
): Promise<boolean> {
  const { objectDir, objectFormat } = beacon;
  // Each try is a pack of its own name. A try before, which came to nothing, left a pack that nothing refers to, and a
  // repack that runs meanwhile may be about to delete it.
  const nonce = makeObject(objectFormat, 'blob', randomBytes(NONCE_BYTES));
  const packDir = join(objectDir, 'pack');
  try {
    await writePack(packDir, encodePack(objectFormat, [...batch.objects, nonce]));
  } catch (error) {
    await removeTemporary(objectDir);
    throw error;
  }
  await flushPath(packDir);
  return refs.setAll(batch.changes);
}

/** Packs that a killed or failed writer left half written. An old one has no writer any more. */
async function removeTemporary(objectDir: string): Promise<void> {
  const directory = join(objectDir, 'pack');
  const names = (await readdir(directory)).filter((name) => name.startsWith(TEMPORARY_PREFIX));
  for (const file of names.map((name) => join(directory, name))) {
    const found = await findStat(file);
    const isOld = found !== undefined && found.mtimeMs < Date.now() - TEMPORARY_MAX_AGE_MS;
    if (isOld) await removeQuietly(file);
  }
}

/** Flushes the directories that a push added names to. */
export async function flushDirectories(beacon: LocalBeacon): Promise<void> {
  const directories = ['.', 'refs/heads', 'refs/tags'].map((name) => join(beacon.gitDir, name));
  await Promise.all([...directories, join(beacon.objectDir, 'pack')].map(flushPath));
}

/** Moves all refs into one file: git reads 18,000 packed refs faster than 300 loose ones. */
export async function packRefs(git: Git, beacon: LocalBeacon): Promise<string | undefined> {
  const failure = await maintain(git, beacon, ['pack-refs', '--all']);
  await flushDirectories(beacon);
  return failure;
}

/** Joins the packs of single pushes, each into the next larger, when they have become many. */
export async function joinPacks(
  git: Git,
  gitDir: string,
  limit: number,
): Promise<string | undefined> {
  if ((await countPacks(gitDir)) <= limit) return undefined;
  return maintain(git, { gitDir }, ['repack', '--geometric=2', '-d', '-l', '-q', '-n']);
}

async function maintain(
  git: Git,
  { gitDir }: Pick<LocalBeacon, 'gitDir'>,
  args: readonly string[],
): Promise<string | undefined> {
  const result = await git.pool.run(args, {
    cwd: gitDir,
    environment: git.environment,
    timeoutMs: MAINTENANCE_TIMEOUT_MS,
  });
  const failed = result.exitCode !== 0 && result.interruption !== 'closed';
  return failed ? `git ${args[0] ?? ''} failed: ${result.stderr.trim().slice(0, 400)}` : undefined;
}

/** Makes the repository beside its place and moves it there whole: a crash leaves no half of one. */
async function createBeacon(git: Git, path: string, epochBranch: string): Promise<void> {
  const parent = dirname(path);
  await mkdir(parent, { recursive: true });
  const draft = join(parent, `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  const run = async (args: readonly string[], cwd: string): Promise<void> => {
    const { environment } = git;
    const result = await git.pool.run(args, { cwd, environment, timeoutMs: COMMAND_TIMEOUT_MS });
    if (result.exitCode !== 0) throw unusable(path, result.stderr.trim().slice(0, 300));
  };
  try {
    await run(['init', '--bare', '--quiet', '--template=', '--', draft], parent);
    const config = await open(join(draft, 'config'), 'a');
    await config.appendFile(OWN_SETTINGS);
    await config.sync();
    await config.close();
    await run(['symbolic-ref', 'HEAD', `refs/heads/${epochBranch}`], draft);
    const objects = epochObjects('sha1');
    await storePack(git.pool, { ...git, gitDir: draft }, encodePack('sha1', objects), 'strict');
    await run(['update-ref', `refs/heads/${epochBranch}`, objects[0].id], draft);
    await run(['pack-refs', '--all'], draft);
    await flushTree(draft);
    await rename(draft, path);
    await flushPath(parent);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

/**
 * A process that was killed, or a power cut, leaves lock files, and git then refuses those refs for ever. A lock that
 * has stood for a few seconds as it is has no owner: git holds one for milliseconds, and a process of ours changes the
 * file behind its locks with every batch. One that was halted in between finds them gone and writes nothing.
 */
async function removeStaleLocks(gitDir: string): Promise<void> {
  let stale = await listLocks(gitDir);
  for (let waitedMs = 0; stale.size > 0 && waitedMs < LOCK_WAIT_MS; waitedMs += 100) {
    await sleep(100);
    const present = await listLocks(gitDir);
    stale = new Map([...stale].filter(([file, state]) => present.get(file) === state));
  }
  for (const file of stale.keys()) await removeQuietly(file);
  for (const name of await readdir(gitDir)) {
    if (!name.startsWith(LOCK_FILE_PREFIX)) continue;
    const file = join(gitDir, name);
    // No lock is a link to it; a holder that lives makes it anew.
    if ((await findStat(file))?.nlink === 1) await removeQuietly(file);
  }
}

/** Every lock file with what tells whether anybody touched it meanwhile. */
async function listLocks(gitDir: string): Promise<Map<string, string>> {
  const locks = new Map<string, string>();
  for (const directory of [gitDir, join(gitDir, 'refs', 'heads'), join(gitDir, 'refs', 'tags')]) {
    for (const name of await readdir(directory)) {
      if (!name.endsWith('.lock')) continue;
      const file = join(directory, name);
      const found = await findStat(file);
      if (found !== undefined) locks.set(file, `${found.ino} ${found.ctimeMs}`);
    }
  }
  return locks;
}

/** An observer may read a beacon that it must not change. */
async function removeQuietly(file: string): Promise<void> {
  try {
    await rm(file, { force: true });
  } catch (error) {
    if (!READ_ONLY.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

async function findStat(file: string): Promise<Stats | undefined> {
  try {
    return await stat(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Flushes every file and directory below, and this one. */
export async function flushTree(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await flushTree(path);
    else await flushPath(path);
  }
  await flushPath(directory);
}

/** True when nothing is at the path, or a directory without entries. */
async function isEmpty(path: string): Promise<boolean> {
  try {
    const found = await stat(path);
    if (!found.isDirectory()) throw unusable(path, 'it is no directory');
    return (await readdir(path)).length === 0;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return true;
    if (code === undefined || error instanceof AppError) throw error;
    throw new AppError('BEACON_UNREACHABLE', { reason: code }, { cause: error });
  }
}

function unusable(beacon: string, reason: string): AppError {
  return new AppError('BEACON_UNUSABLE', { beacon, reason });
}

// Opens a beacon in a git repository, or makes it where nothing is yet.
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { simpleGit } from 'simple-git';
import type { Advertisement, Beacon } from '../chain/beacon.ts';
import type { CommitId } from '../shared/ids.ts';
import { Advertisements } from './advertisement.ts';
import { storePack } from './commit-writer.ts';
import { isBranchName } from './drafts.ts';
import { prepareEnvironment, type Credentials } from './environment.ts';
import { GitBeacon, type BeaconLogger } from './git-beacon.ts';
import type { ObjectFormat } from './git-objects.ts';
import { epochObjects, openLocalBeacon } from './local-beacon.ts';
import { encodePack } from './pack-file.ts';
import { ProcessPool, type Environment } from './processes.ts';
import { lastWords, remoteFailure } from './remote-failure.ts';
import { parseRemoteUrl, type RemoteUrl } from './remote-url.ts';
import { openScratchRepository, REMOTE, type ScratchRepository } from './scratch-repository.ts';
import type { CommitSigner } from './ssh-signature.ts';
import { listRemote, runRemote, unusable, type Transport } from './transport.ts';

const DEFAULT_ANSWER_TIMEOUT_MS = 60_000;

export interface GitBeaconOptions extends Credentials {
  /** A path, `file://`, `ssh://` or scp-like, or `https://` URL. A path where nothing is becomes a new beacon. */
  readonly url: string;
  readonly epochBranch: string;
  /**
   * Where the epoch branch stood when it was last seen. A remote whose epoch branch does not go on from there, or is
   * gone, is opened all the same, as far as reading goes, and never gets an epoch commit of ours. Asked while the remote
   * is thinking, so it may take its time.
   */
  readonly knownEpoch?: () => CommitId | undefined | Promise<CommitId | undefined>;
  /** True to give the listing that the opening read to the first `advertise` as well, for whoever asks at once. */
  readonly sharesOpening?: boolean;
  /** True to make nothing, mend nothing and push nothing at the remote: what is not there is then an error. */
  readonly readOnly?: boolean;
  /** A directory of the adapter's own; deleting it while the beacon is closed costs a fetch and nothing else. */
  readonly workDir: string;
  /** Signs what is pushed; without one commits are unsigned. */
  readonly signer?: CommitSigner | undefined;
  /** The most time that one push may take; 60,000 by default. */
  readonly pushTimeoutMs?: number;
  /** The most time that any other question to the remote may take; 60,000 by default. */
  readonly answerTimeoutMs?: number;
  /** The process's environment, of which git gets the few variables that it needs. */
  readonly ambient?: Readonly<Record<string, string | undefined>>;
  readonly logger?: BeaconLogger;
}

/**
 * Opens the beacon, or makes it: a path where nothing is becomes a bare repository with an epoch commit, and a remote
 * without branches gets the epoch commit. One process may use a work directory at a time.
 * @throws AppError BEACON_UNREACHABLE when the remote does not answer, BEACON_ACCESS_DENIED when it does not let us in
 * @throws AppError BEACON_HOST_KEY_CHANGED, BEACON_HOST_KEY_UNKNOWN when the host does not prove who it is
 * @throws AppError BEACON_KEY_EXPOSED, BEACON_KEY_INVALID for a key that must not or cannot be used
 * @throws AppError BEACON_UNUSABLE when it has branches but not the epoch branch, is no repository, or git is too old
 */
export async function openGitBeacon(options: GitBeaconOptions): Promise<Beacon> {
  const remote = parseRemoteUrl(options.url);
  if (!isBranchName(options.epochBranch)) {
    throw unusable(remote, `${JSON.stringify(options.epochBranch)} cannot be a branch`);
  }
  const workDir = resolve(options.workDir);
  await mkdir(workDir, { recursive: true, mode: 0o700 });
  const environment = await prepareEnvironment(remote, workDir, options, options.ambient ?? {});
  await checkGit(remote, workDir, environment);
  const pool = new ProcessPool();
  try {
    const git = { pool, environment };
    const local =
      remote.transport === 'path'
        ? await openLocalBeacon(git, remote.location, options)
        : undefined;
    const open = (objectFormat: ObjectFormat): Promise<ScratchRepository> =>
      openScratchRepository({
        workDir,
        environment,
        location: remote.location,
        objectFormat,
        alternate: local?.objectDir,
      });
    let scratch = await open(local?.objectFormat ?? 'sha1');
    const { answerTimeoutMs = DEFAULT_ANSWER_TIMEOUT_MS } = options;
    const transport: Transport = { pool, environment, remote, answerTimeoutMs };
    const advertisements = new Advertisements();
    const findKnownEpoch = async (): Promise<CommitId | undefined> => await options.knownEpoch?.();
    const [{ listing, listedAt }, knownEpoch] = await Promise.all([
      listRemote(transport, scratch).then((bytes) => ({
        listing: bytes,
        listedAt: performance.now(),
      })),
      findKnownEpoch(),
    ]);
    const first = await advertisements.read(listing);
    // Only a remote's own ids tell its object format.
    const sample = [...first.branches.values()][0] ?? '';
    if (sample.length === 64 && local === undefined) scratch = await open('sha256');
    const epoch =
      knownEpoch ??
      first.branches.get(options.epochBranch) ??
      (await startEpoch(transport, scratch, first, options));
    // An epoch commit that was just made is in no listing yet.
    const isCurrent = options.sharesOpening === true && first.branches.has(options.epochBranch);
    const opening = isCurrent ? { advertisement: first, listedAt } : undefined;
    const parts = { ...options, transport, scratch, advertisements, opening, local, epoch };
    const beacon = new GitBeacon(parts);
    await beacon.learnEpoch(epoch);
    return beacon;
  } catch (error) {
    await pool.close();
    throw error;
  }
}

async function checkGit(
  remote: RemoteUrl,
  workDir: string,
  environment: Environment,
): Promise<void> {
  const git = simpleGit({
    baseDir: workDir,
    allowEnvironment: Object.keys(environment),
    unsafe: { allowUnsafeConfigPaths: true, allowUnsafeSshCommand: true },
  }).env({ ...environment });
  const { major, minor, installed } = await git.version();
  if (!installed) throw unusable(remote, 'the program git is not installed');
  // cat-file --batch-command and core.fsync came with 2.36.
  if (major < 2 || (major === 2 && minor < 36)) {
    throw unusable(remote, `git ${major}.${minor} is too old, 2.36 or newer is needed`);
  }
}

/** Puts the epoch commit on a remote that has no branch yet. Two nodes that do so at once make the same commit. */
async function startEpoch(
  transport: Transport,
  scratch: ScratchRepository,
  { branches }: Advertisement,
  { epochBranch, readOnly = false }: Pick<GitBeaconOptions, 'epochBranch' | 'readOnly'>,
): Promise<CommitId> {
  const { pool, remote } = transport;
  if (branches.size > 0 || readOnly) throw unusable(remote, `it has no branch ${epochBranch}`);
  const objects = epochObjects(scratch.objectFormat);
  const pack = encodePack(scratch.objectFormat, objects);
  await storePack(pool, { ...transport, gitDir: scratch.gitDir }, pack, 'strict');
  const epoch = objects[0].id as CommitId;
  const refspec = `${epoch}:refs/heads/${epochBranch}`;
  const args = ['push', '--porcelain', '--no-verify', REMOTE, refspec];
  const pushed = await runRemote(transport, scratch, args);
  if (pushed.exitCode === 0) return epoch;
  if (pushed.interruption !== undefined) throw remoteFailure(remote, pushed);
  throw unusable(remote, `it is empty and refused the epoch commit: ${lastWords(pushed)}`);
}

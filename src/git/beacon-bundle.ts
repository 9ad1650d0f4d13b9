// A beacon of our own as one file (git-bundle): all its refs at one moment, and every object that they need.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { AppError } from '../shared/errors.ts';
import { prepareEnvironment } from './environment.ts';
import { flushTree, openLocalBeacon } from './local-beacon.ts';
import { ProcessPool } from './processes.ts';
import { parseRemoteUrl } from './remote-url.ts';

const TIMEOUT_MS = 3_600_000;

interface BundleOptions {
  /** The beacon's directory. */
  readonly beacon: string;
  /** The bundle's file. */
  readonly bundle: string;
  /** A directory for git's settings, and for what is needed on the way. */
  readonly workDir: string;
  readonly ambient: Readonly<Record<string, string | undefined>>;
}

/**
 * Writes the bundle; whoever pushes meanwhile is in it whole or not at all. `git bundle` reads every ref a second time
 * and leaves out those that have moved in between, so it bundles a copy of the refs, in which nothing moves.
 * @throws AppError BEACON_UNUSABLE
 */
export async function bundleBeacon(options: BundleOptions): Promise<void> {
  const still = await mkdtemp(join(resolve(options.workDir), 'refs-'));
  try {
    await withGit(options, async (run) => {
      // A shared clone has the refs of one moment, and the objects where they are.
      await run([
        'clone',
        '--quiet',
        '--mirror',
        '--shared',
        '--template=',
        '--',
        resolve(options.beacon),
        still,
      ]);
      await run(['-C', still, 'bundle', 'create', '--quiet', resolve(options.bundle), '--all']);
    });
  } finally {
    await rm(still, { recursive: true, force: true });
  }
}

/** Makes a beacon of our own out of a bundle, where nothing is yet. @throws AppError BEACON_UNUSABLE */
export async function unbundleBeacon(
  options: BundleOptions & { readonly epochBranch: string },
): Promise<void> {
  const { beacon, bundle, epochBranch } = options;
  await mkdir(dirname(resolve(beacon)), { recursive: true, mode: 0o700 });
  await withGit(options, async (run, git) => {
    await openLocalBeacon(git, resolve(beacon), { epochBranch });
    // Nobody relies on it before it is whole; then everything is flushed once instead of every ref.
    const fetch = ['-c', 'core.fsync=none', 'fetch', '--quiet', '--no-write-fetch-head'];
    await run([...fetch, '--', resolve(bundle), '+refs/*:refs/*']);
    await run(['pack-refs', '--all']);
    await flushTree(resolve(beacon));
  });
}

type Git = Parameters<typeof openLocalBeacon>[0];

async function withGit(
  { beacon, workDir, ambient }: BundleOptions,
  work: (run: (args: readonly string[]) => Promise<void>, git: Git) => Promise<void>,
): Promise<void> {
  const remote = parseRemoteUrl(resolve(beacon));
  const environment = await prepareEnvironment(remote, workDir, {}, ambient);
  const pool = new ProcessPool();
  const run = async (args: readonly string[]): Promise<void> => {
    const options = { cwd: resolve(beacon), environment, timeoutMs: TIMEOUT_MS };
    const { exitCode, stderr } = await pool.run(args, options);
    const reason = stderr.trim().slice(0, 300);
    if (exitCode !== 0) throw new AppError('BEACON_UNUSABLE', { beacon, reason });
  };
  try {
    await work(run, { pool, environment });
  } finally {
    await pool.close();
  }
}

// Talks to the remote through git, from the scratch repository, and says why it could not.
import { AppError } from '../shared/errors.ts';
import type { Environment, ProcessPool, RunResult } from './processes.ts';
import { remoteFailure } from './remote-failure.ts';
import type { RemoteUrl } from './remote-url.ts';
import { REMOTE, type ScratchRepository } from './scratch-repository.ts';

/** What every command that talks to the remote needs. */
export interface Transport {
  readonly pool: ProcessPool;
  readonly environment: Environment;
  readonly remote: RemoteUrl;
  /** The longest that a question to the remote may take. */
  readonly answerTimeoutMs: number;
}

/** Runs git in the scratch repository, where the remote is called {@link REMOTE}. */
export function runRemote(
  { pool, environment, answerTimeoutMs }: Transport,
  { gitDir }: Pick<ScratchRepository, 'gitDir'>,
  args: readonly string[],
  { input = '', timeoutMs = answerTimeoutMs, objectDir }: RemoteRunOptions = {},
): Promise<RunResult> {
  return pool.run(args, {
    cwd: gitDir,
    environment: objectDir === undefined ? environment : withObjects(environment, objectDir),
    input,
    timeoutMs,
  });
}

export interface RemoteRunOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
  /** The only object store that git sees, in place of the repository's. */
  readonly objectDir?: string | undefined;
}

/** The environment of a git that sees the objects of this store alone; a git on the other end does not inherit it. */
export function withObjects(environment: Environment, objectDir: string): Environment {
  return { ...environment, GIT_OBJECT_DIRECTORY: objectDir };
}

/** What `git ls-remote` prints of branches and tags. @throws AppError as {@link remoteFailure} names it */
export async function listRemote(
  transport: Transport,
  scratch: Pick<ScratchRepository, 'gitDir'>,
): Promise<Buffer> {
  const args = ['ls-remote', '--quiet', '--heads', '--tags', REMOTE];
  const result = await runRemote(transport, scratch, args);
  if (result.exitCode !== 0) throw remoteFailure(transport.remote, result);
  return result.stdout;
}

export function unusable(remote: RemoteUrl, reason: string): AppError {
  return new AppError('BEACON_UNUSABLE', { beacon: remote.description, reason });
}

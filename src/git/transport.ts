// Talks to the remote through git, from the scratch repository, and says why it could not.
import { AppError } from '../shared/errors.ts';
import type { Environment, ProcessPool, RunResult } from './processes.ts';
import { redact, type RemoteUrl } from './remote-url.ts';
import { REMOTE, type ScratchRepository } from './scratch-repository.ts';

/** The longest that a question to the remote may take. */
const ANSWER_TIMEOUT_MS = 60_000;

/** What every command that talks to the remote needs. */
export interface Transport {
  readonly pool: ProcessPool;
  readonly environment: Environment;
  readonly remote: RemoteUrl;
}

/** Runs git in the scratch repository, where the remote is called {@link REMOTE}. */
export function runRemote(
  { pool, environment }: Transport,
  { gitDir }: Pick<ScratchRepository, 'gitDir'>,
  args: readonly string[],
  {
    input = '',
    timeoutMs = ANSWER_TIMEOUT_MS,
  }: { readonly input?: string; readonly timeoutMs?: number } = {},
): Promise<RunResult> {
  return pool.run(args, { cwd: gitDir, environment, input, timeoutMs });
}

/** What `git ls-remote` prints of branches and tags. @throws AppError BEACON_UNREACHABLE */
export async function listRemote(
  transport: Transport,
  scratch: Pick<ScratchRepository, 'gitDir'>,
): Promise<Buffer> {
  const args = ['ls-remote', '--quiet', '--heads', '--tags', REMOTE];
  const result = await runRemote(transport, scratch, args);
  if (result.exitCode !== 0) throw unreachable(result);
  return result.stdout;
}

export function unreachable(result: RunResult): AppError {
  const reason = result.interruption ?? lastWords(result);
  return new AppError('BEACON_UNREACHABLE', { reason }, { cause: new Error(lastWords(result)) });
}

export function unusable(remote: RemoteUrl, reason: string): AppError {
  return new AppError('BEACON_UNUSABLE', { beacon: remote.description, reason });
}

export function lastWords(result: RunResult): string {
  return (
    redact(result.stderr.trim().slice(-400)) || `git ended with ${result.exitCode ?? 'a signal'}`
  );
}

// Names what went wrong between git and the remote, from what git, ssh and the remote said.
import { AppError } from '../shared/errors.ts';
import type { RunResult } from './processes.ts';
import { explain } from './push-report.ts';
import { redact, type RemoteUrl } from './remote-url.ts';

/** What the remote, ssh and git's http say to a stranger. */
const DENIED =
  /permission denied|authentication failed|could not read (?:username|password)|requested url returned error: 40[13]|access denied|not authorized/i;

/** The error of a command that had to reach the remote and did not come to its end. */
export function remoteFailure(remote: RemoteUrl, result: RunResult): AppError {
  const beacon = remote.description;
  const said = redact(result.stderr);
  const options = { cause: new Error(lastWords(result)) };
  if (result.interruption !== undefined) {
    const reason = result.interruption === 'timeout' ? 'no answer in time' : result.interruption;
    return new AppError('BEACON_UNREACHABLE', { reason }, { cause: new Error(reason) });
  }
  if (said.includes('REMOTE HOST IDENTIFICATION HAS CHANGED')) {
    const file = /^Offending \S+ key in (.+):\d+\r?$/m.exec(said)?.[1] ?? 'the known_hosts file';
    return new AppError('BEACON_HOST_KEY_CHANGED', { beacon, file }, options);
  }
  if (said.includes('Host key verification failed')) {
    return new AppError('BEACON_HOST_KEY_UNKNOWN', { beacon }, options);
  }
  const reason = explain('', said);
  if (DENIED.test(said)) return new AppError('BEACON_ACCESS_DENIED', { beacon, reason }, options);
  return new AppError('BEACON_UNREACHABLE', { reason: lastWords(result) }, options);
}

/** The end of what git said, without credentials, for a log line. */
export function lastWords(result: RunResult): string {
  return (
    redact(result.stderr.trim()).slice(-400) || `git ended with ${result.exitCode ?? 'a signal'}`
  );
}

// Reads what `git push --porcelain` printed and decides what the remote did with an atomic push.
import type { RunResult } from './processes.ts';

/** The part of a porcelain line behind `To <url>`: flag, the ref on the remote, and git's words about it. */
export interface RefReport {
  readonly flag: string;
  readonly ref: string;
  readonly summary: string;
}

/** What became of one atomic push; refs are full names on the remote. */
export type PushVerdict =
  | { readonly outcome: 'accepted' }
  | {
      readonly outcome: 'refused';
      readonly staleRefs: ReadonlySet<string>;
      readonly reason: string;
      readonly retryable: boolean;
    }
  | { readonly outcome: 'unknown'; readonly reason: string };

/** Reads the lines of refs; everything else that git prints between them is passed over. */
export function parsePorcelain(stdout: string): RefReport[] {
  const reports: RefReport[] = [];
  for (const line of stdout.split('\n')) {
    const [, flag = '', , ref = '', summary = ''] =
      /^([ +*=!-])\t([^\t]*):([^\t:]+)\t(.*)$/.exec(line) ?? [];
    if (flag !== '') reports.push({ flag, ref, summary });
  }
  return reports;
}

/**
 * Judges a finished `git push --atomic --porcelain`. When in doubt the answer is `unknown`: asking the remote costs a
 * moment, taking a written batch for a refused one costs an asset.
 * @param refs every ref that the push was to write, by its full name.
 */
export function judgePush(result: RunResult, refs: ReadonlySet<string>): PushVerdict {
  if (result.interruption === 'not-started') {
    return refused([], `git could not be started: ${result.stderr}`, true);
  }
  const reports = new Map(
    parsePorcelain(result.stdout.toString('utf8')).map((report) => [report.ref, report]),
  );
  const reported = [...refs].map((ref) => reports.get(ref));
  if (result.exitCode === 0) {
    const fine = reported.every((report) => report !== undefined && ' *='.includes(report.flag));
    return fine
      ? { outcome: 'accepted' }
      : unknown('git reported success but not for every ref', result);
  }
  if (result.interruption !== undefined || result.exitCode === undefined) {
    return unknown(`the push was ended (${result.interruption ?? 'signal'})`, result);
  }
  const unexpected = unexpectedRefs(result.stderr, refs);
  if (unexpected.length > 0) return refused(unexpected, 'refs have moved', true);
  if (reports.size === 0) return judgeWithoutReport(result);
  return judgeReports(result, refs, reports);
}

function judgeReports(
  result: RunResult,
  refs: ReadonlySet<string>,
  reports: ReadonlyMap<string, RefReport>,
): PushVerdict {
  const rejected = [...reports.values()].filter(({ flag }) => flag === '!');
  if (rejected.some(({ summary }) => summary.startsWith('[remote failure]'))) {
    return unknown('the remote did not report', result);
  }
  for (const ref of refs) {
    const report = reports.get(ref);
    // A tag that stands on our own commit says that this push, or an earlier one of the same commits, was written.
    const standing = report?.flag === '=' && ref.startsWith('refs/tags/');
    if (report === undefined || standing || ' *+'.includes(report.flag)) {
      return unknown('the remote has a part of it', result);
    }
  }
  const stale = new Set(
    rejected.filter(({ summary }) => STALE.test(summary)).map(({ ref }) => ref),
  );
  for (const ref of lostRaces(result.stderr, refs)) stale.add(ref);
  const words = rejected.map(({ summary }) => summary).filter((text) => !/atomic/.test(text));
  const reason = words[0] ?? rejected[0]?.summary ?? 'no reason given';
  if (stale.size > 0) return refused(stale, reason, true);
  return refused([], explain(reason, result.stderr), !isFinal(`${reason}\n${result.stderr}`));
}

/** No ref line: git ended before it had an answer, or even before it had asked. Only the latter is a refusal. */
function judgeWithoutReport(result: RunResult): PushVerdict {
  if (!failedBeforeSending(result.stderr)) return unknown('the connection ended', result);
  return refused([], explain('', result.stderr), !isFinal(result.stderr));
}

// What git prints when the remote's side moved: seen by our git, or by the remote's while it took the locks.
const STALE =
  /\((?:fetch first|non-fast-forward|already exists|stale info|needs force|reference already exists)\)/;
const LOST_RACE =
  /^remote: error: cannot lock ref '(.+?)': (?:is at [0-9a-f]+ but expected|reference already exists|unable to resolve reference|reference is missing but expected)/;

/** The refs for which the remote found, holding the lock, another value than the one it had advertised. */
function lostRaces(stderr: string, refs: ReadonlySet<string>): string[] {
  return stderr
    .split('\n')
    .map((line) => LOST_RACE.exec(line)?.[1] ?? '')
    .filter((ref) => refs.has(ref));
}

/** Our pre-push hook repeats the lines `<local ref> <local id> <remote ref> <remote id>` that it does not expect. */
function unexpectedRefs(stderr: string, refs: ReadonlySet<string>): string[] {
  return stderr
    .split('\n')
    .map((line) => /^refs\/outbox\/\S+ [0-9a-f]+ (\S+) [0-9a-f]+$/.exec(line)?.[1] ?? '')
    .filter((ref) => refs.has(ref));
}

/** git's last words when it never got as far as sending: no connection, or no advertisement of refs. */
function failedBeforeSending(stderr: string): boolean {
  if (/^error: RPC failed|^send-pack: /m.test(stderr)) return false;
  return /^fatal: (?:Could not read from remote repository\.|the remote end hung up upon initial contact|The remote end hung up upon initial contact|unable to access '|Authentication failed for |could not read (?:Username|Password) for |detected dubious ownership|'.*' does not appear to be a git repository|transport '.*' not allowed|unable to fork)/m.test(
    stderr,
  );
}

const FINAL =
  /permission|denied|declin|forbidden|read[- ]only|not allowed|not authorized|unauthorized|prohibited|protected|hidden ref|funny refname|authentication|could not read (?:username|password)|requested url returned error: 40[13]|dubious ownership|checked out|unpack-objects abnormal|fsck error/i;

/** True when the remote says no for a reason that waiting does not cure. */
export function isFinal(text: string): boolean {
  // ssh prints this advice for a broken line as well as for a missing right.
  // A host that does not prove who it is has not been asked for anything yet.
  if (text.includes('Host key verification failed')) return false;
  return FINAL.test(text.replace(/Please make sure you have the correct access rights/g, ''));
}

/** What git and the remote said that is of use to people, in a line. */
export function explain(reason: string, stderr: string): string {
  const said = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^(?:remote|fatal|error|ERROR|ssh|[\w.@-]+: Permission)\b/.test(line))
    .filter((line) => !/failed to push some refs|^remote:\s*$/.test(line));
  return [reason, ...said.slice(0, 5)]
    .filter((text) => text !== '')
    .join('; ')
    .slice(0, 600);
}

function refused(staleRefs: Iterable<string>, reason: string, retryable: boolean): PushVerdict {
  return { outcome: 'refused', staleRefs: new Set(staleRefs), reason, retryable };
}

function unknown(what: string, result: RunResult): PushVerdict {
  return { outcome: 'unknown', reason: explain(what, result.stderr) };
}

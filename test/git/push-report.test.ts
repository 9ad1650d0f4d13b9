// What git prints about a push decides between accepted, refused and unknown.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { RunResult } from '../../src/git/processes.ts';
import { isFinal, judgePush, parsePorcelain } from '../../src/git/push-report.ts';

const A = 'refs/heads/nfgt-a';
const B = 'refs/heads/nfgt-b';
const TAG_A = 'refs/tags/00000000-0000-4000-8000-00000000000a';
const REFS = new Set([A, B, TAG_A]);

const line = (flag: string, ref: string, summary: string): string =>
  `${flag}\t${ref.replace('refs/', 'refs/outbox/')}:${ref}\t${summary}`;
const printed = (...lines: readonly string[]): string =>
  ['To /some/where', ...lines, 'Done', ''].join('\n');
const result = (exitCode: number | undefined, stdout: string, stderr = ''): RunResult => ({
  exitCode,
  stdout: Buffer.from(stdout),
  stderr,
  interruption: undefined,
});

describe('a push that git calls a success', () => {
  test('is accepted when every ref is new, moved or up to date', () => {
    const stdout = printed(
      line('*', A, '[new branch]'),
      line(' ', B, '1111111..2222222'),
      line('=', TAG_A, '[up to date]'),
    );
    expect(judgePush(result(0, stdout), REFS)).toEqual({ outcome: 'accepted' });
  });

  test('is unknown when a ref is not reported', () => {
    const stdout = printed(line('*', A, '[new branch]'), line('*', B, '[new branch]'));
    expect(judgePush(result(0, stdout), REFS).outcome).toBe('unknown');
  });

  test('is unknown when nothing can be read', () => {
    expect(judgePush(result(0, 'garbage'), REFS).outcome).toBe('unknown');
  });
});

describe('a push that git calls a failure', () => {
  const atomic = '[rejected] (atomic push failed)';
  test.each([
    ['a branch that the remote moved', '[rejected] (fetch first)'],
    ['a branch that is no ancestor', '[rejected] (non-fast-forward)'],
    ['a tag that stands', '[rejected] (already exists)'],
    ['a branch that the remote itself calls rewritten', '[remote rejected] (non-fast-forward)'],
  ])('names only the culprit for %s', (_, summary) => {
    const stdout = printed(line('!', A, atomic), line('!', B, summary), line('!', TAG_A, atomic));
    expect(judgePush(result(1, stdout), REFS)).toMatchObject({
      outcome: 'refused',
      staleRefs: new Set([B]),
      retryable: true,
    });
  });

  const failed = '[remote rejected] (atomic transaction failed)';
  const allFailed = printed(...[...REFS].map((ref) => line('!', ref, failed)));
  test.each([
    [`cannot lock ref '${B}': is at 1111 but expected 2222`, [B]],
    [`cannot lock ref '${TAG_A}': reference already exists`, [TAG_A]],
    [`cannot lock ref '${B}': Unable to create '/x/y.lock': File exists.`, []],
    [`cannot lock ref 'refs/heads/not-ours': is at 1111 but expected 2222`, []],
  ])('takes from the remote’s words “%s” who lost the race', (words, stale) => {
    const verdict = judgePush(result(1, allFailed, `remote: error: ${words}\n`), REFS);
    expect(verdict).toMatchObject({
      outcome: 'refused',
      staleRefs: new Set(stale),
      retryable: true,
    });
  });

  test.each([
    ['[remote rejected] (pre-receive hook declined)', ''],
    ['[remote rejected] (protected branch hook declined)', ''],
    ['[remote rejected] (unpacker error)', 'remote: fatal: Permission denied'],
    ['[remote rejected] (deny updating a hidden ref)', ''],
  ])('is final when the remote says %s', (summary, stderr) => {
    const stdout = printed(...[...REFS].map((ref) => line('!', ref, summary)));
    expect(judgePush(result(1, stdout, stderr), REFS)).toMatchObject({
      outcome: 'refused',
      staleRefs: new Set(),
      retryable: false,
    });
  });

  test('may be tried again when the remote had no room', () => {
    const stdout = printed(
      ...[...REFS].map((ref) => line('!', ref, '[remote rejected] (unpacker error)')),
    );
    const stderr = 'remote: fatal: write error: No space left on device';
    expect(judgePush(result(1, stdout, stderr), REFS)).toMatchObject({ retryable: true });
  });

  test.each([
    [
      'the remote did not report',
      1,
      [...REFS].map((ref) => line('!', ref, '[remote failure] (x)')),
    ],
    [
      'our own tag stands',
      1,
      [line('!', A, '[rejected] (fetch first)'), line('=', TAG_A, '[up to date]')],
    ],
    [
      'a part was written',
      1,
      [line('*', A, '[new branch]'), line('!', B, atomic), line('!', TAG_A, atomic)],
    ],
    ['a ref is missing from the report', 1, [line('!', A, atomic), line('!', B, atomic)]],
  ])('is unknown when %s', (_, exitCode, lines) => {
    expect(judgePush(result(exitCode, printed(...lines)), REFS).outcome).toBe('unknown');
  });

  test.each([
    [
      'send-pack: unexpected disconnect while reading sideband packet\nfatal: the remote end hung up unexpectedly',
    ],
    ['error: RPC failed; HTTP 502\nfatal: the remote end hung up unexpectedly'],
    ['send-pack: x\nfatal: Could not read from remote repository.'],
    ['remote: fatal: Could not read from remote repository.'],
    [''],
  ])('is unknown when git says no more than %j', (stderr) => {
    expect(judgePush(result(128, '', stderr), REFS).outcome).toBe('unknown');
  });

  test.each([
    [
      'ssh: Could not resolve hostname x: Name or service not known\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.',
      true,
    ],
    ["fatal: unable to access 'https://x/': Failed to connect to x port 443", true],
    ['git@x: Permission denied (publickey).\nfatal: Could not read from remote repository.', false],
    [
      'ERROR: The key you are authenticating with has been marked as read only.\nfatal: Could not read from remote repository.',
      false,
    ],
    ["fatal: unable to access 'https://x/': The requested URL returned error: 403", false],
  ])('is a refusal when git never got as far as sending: %j', (stderr, retryable) => {
    expect(judgePush(result(128, '', stderr), REFS)).toMatchObject({
      outcome: 'refused',
      retryable,
    });
  });

  test('names the refs that our own hook stopped', () => {
    const said = `refs/outbox/heads/nfgt-b ${'1'.repeat(40)} ${B} ${'2'.repeat(40)}\nerror: failed to push some refs`;
    expect(judgePush(result(1, '', said), REFS)).toMatchObject({
      outcome: 'refused',
      staleRefs: new Set([B]),
    });
  });
});

test('a push that was ended from outside is unknown, whatever it had printed', () => {
  const stdout = printed(line('!', A, '[rejected] (fetch first)'));
  const ended = { ...result(undefined, stdout), interruption: 'timeout' as const };
  expect(judgePush(ended, REFS).outcome).toBe('unknown');
});

test('a push that could not be started is refused, to be tried again', () => {
  const ended = { ...result(undefined, '', 'ENOENT'), interruption: 'not-started' as const };
  expect(judgePush(ended, REFS)).toMatchObject({ outcome: 'refused', retryable: true });
});

test('advice about access rights alone is not a missing right', () => {
  expect(
    isFinal('Please make sure you have the correct access rights\nand the repository exists.'),
  ).toBe(false);
});

test('any text is read without a throw, and never as accepted unless every ref is reported', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      line('!', A, '[rejected] (fetch first)'),
      line('*', B, '[new branch]'),
      '\n',
      '\t',
      ':',
    ),
  );
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('\n'));
  fc.assert(
    fc.property(text, text, fc.constantFrom(0, 1, 128, undefined), (stdout, stderr, exitCode) => {
      const verdict = judgePush(result(exitCode, stdout, stderr), REFS);
      expect(['accepted', 'refused', 'unknown']).toContain(verdict.outcome);
      const reported = new Set(parsePorcelain(stdout).map(({ ref }) => ref));
      expect(verdict.outcome === 'accepted' && !reported.has(TAG_A)).toBe(false);
    }),
  );
});

// Temporary directories that are gone after each test, and plain git to look at a repository with.
// The chaos run is no test: it calls `endAll` itself.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made: string[] = [];
const endings: (() => Promise<void>)[] = [];

// Not imported: the module that has it refuses to be loaded outside of jest.
const { afterEach } = globalThis as { afterEach?: (end: () => Promise<void>) => void };
afterEach?.(() => endAll());

/** Ends what still works, and removes every directory unless they are to be kept. */
export async function endAll({ keep = false } = {}): Promise<void> {
  await Promise.all(endings.splice(0).map((end) => end()));
  // A git whose parent was killed may still be writing there for a moment.
  const options = { recursive: true, force: true, maxRetries: 20, retryDelay: 50 };
  for (const directory of made.splice(0)) if (!keep) rmSync(directory, options);
}

/** A new, empty directory; it is removed after the test. */
export function tempDir(): string {
  const directory = mkdtempSync(join(tmpdir(), 'aibot-'));
  made.push(directory);
  return directory;
}

/** Does this after the test and before its directories are removed: closing what still works in them. */
export function beforeRemoval(end: () => Promise<void>): void {
  endings.push(end);
}

/** Runs plain git in a directory, apart from the machine's own configuration; returns what it printed, trimmed. */
export function git(cwd: string, args: readonly string[], input?: string | Buffer): string {
  return execFileSync('git', args, {
    cwd,
    env: {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      HOME: cwd,
      LC_ALL: 'C',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: 'test',
      GIT_AUTHOR_EMAIL: 'test',
      GIT_COMMITTER_NAME: 'test',
      GIT_COMMITTER_EMAIL: 'test',
    },
    input: input ?? '',
    maxBuffer: 1 << 28,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
    .toString('utf8')
    .trimEnd();
}

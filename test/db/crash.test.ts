// What a killed process leaves: whole transactions only, and every one that it had reported.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import BetterSqlite3 from 'better-sqlite3';
import { build } from 'esbuild';
import { memberAccount } from '../../src/ledger/ledger-store.ts';
import type { MemberId } from '../../src/shared/ids.ts';
import { openTestDatabase } from '../support/temp-database.ts';
import { beforeRemoval, tempDir } from '../support/temp-dir.ts';

const SOURCE = fileURLToPath(new URL('./writer-process.ts', import.meta.url));
const [ANN, BEN] = ['1', '2'] as [MemberId, MemberId];

describe('a killed process', () => {
  let program: string;

  beforeAll(async () => {
    const { outputFiles } = await build({
      entryPoints: [SOURCE],
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      write: false,
      logLevel: 'error',
    });
    program = outputFiles[0]!.text;
  });

  /** Runs the writer until it dies; kills it after `killAfter` reports, unless it kills itself at `lastNumber`. */
  async function write(options: {
    readonly file: string;
    readonly first: number;
    readonly killAfter?: number;
    readonly lastNumber?: number;
  }): Promise<number[]> {
    const { file, first, killAfter = Infinity, lastNumber = -1 } = options;
    // Given on the command line, the program finds its packages from here.
    const parameters = [file, String(first), String(lastNumber)];
    const child = spawn(
      process.execPath,
      ['--input-type=module', '--eval', program, '--', ...parameters],
      { cwd: fileURLToPath(new URL('.', import.meta.url)), stdio: ['ignore', 'pipe', 'inherit'] },
    );
    beforeRemoval(() => {
      child.kill('SIGKILL');
      return Promise.resolve();
    });
    let output = '';
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (chunk: string) => {
      output += chunk;
      if (output.split('\n').length > killAfter) child.kill('SIGKILL');
    });
    const signal = await new Promise((resolve) => {
      child.on('close', (_code, by) => {
        resolve(by);
      });
    });
    expect(signal).toBe('SIGKILL');
    return output.split('\n').slice(0, -1).map(Number);
  }

  /** Everything that must hold for the file, however its writer died. */
  async function examine(file: string, reported: readonly number[]): Promise<number> {
    const raw = new BetterSqlite3(file);
    expect(raw.pragma('integrity_check', { simple: true })).toBe('ok');
    expect(raw.pragma('foreign_key_check')).toEqual([]);
    raw.close();
    const db = await openTestDatabase(file);
    const found = await db.read(async ({ ledger, rolls }) => {
      expect(await ledger.audit()).toEqual([]);
      const numbers = (await rolls.listCards(ANN)).map(({ cardId }) =>
        Number(cardId.replace('number-', '')),
      );
      expect(await ledger.balanceOf(memberAccount(ANN))).toBe(0);
      expect(await ledger.balanceOf(memberAccount(BEN))).toBe(10 * numbers.length);
      expect(await ledger.countStatement(memberAccount(ANN))).toBe(2 * numbers.length);
      return new Set(numbers);
    });
    await db.close();
    expect(reported.filter((number) => !found.has(number))).toEqual([]);
    return found.size;
  }

  test('leaves every transaction that it reported, and no half one, time after time', async () => {
    const file = join(tempDir(), 'state.db');
    const reported: number[] = [];
    for (const [round, killAfter] of [1, 7, 30, 100].entries()) {
      reported.push(...(await write({ file, first: round * 100_000, killAfter })));
      expect(await examine(file, reported)).toBeGreaterThanOrEqual(reported.length);
    }
  });

  test('leaves what it reported in the very moment of its death', async () => {
    const file = join(tempDir(), 'state.db');
    const reported = await write({ file, first: 1, lastNumber: 20 });
    expect(reported).toContain(20);
    await examine(file, reported);
  });
});

// Measures a start of the built program, from the spawn of its process until its API answers, with what an earlier one left.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../src/shared/package-root.ts';
import { peakMbOf } from './figures.ts';
import { nodeFlags } from './node-flags.ts';
import type { Bench, Figures } from './row.ts';

const AIBOT = `${packageRoot()}/dist/program/src/cli/aibot.js`;

/** `peakMb` is the started program's, by the time that it answers. */
export async function measureStart({ dataDir, scratchDir, remote }: Bench): Promise<Figures> {
  const spawnedAt = performance.now();
  const child = spawn(process.execPath, [...nodeFlags(), AIBOT, 'node'], {
    cwd: scratchDir,
    env: {
      PATH: process.env['PATH'],
      DATA_DIR: dataDir,
      HTTP_PORT: '0',
      LOG_LEVEL: 'warn',
      ...(remote !== undefined && { BEACON_URL: remote }),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  try {
    const url = await apiUrlOf(createInterface(child.stdout));
    const readyMs = Math.round(performance.now() - spawnedAt);
    const status = (await (await fetch(`${url}/api/node`)).json()) as { transactions: number };
    const { pid = 0 } = child;
    return { readyMs, transactions: status.transactions, peakMb: peakMbOf(pid) };
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

async function apiUrlOf(lines: AsyncIterable<string>): Promise<string> {
  for await (const line of lines) {
    const url = /API is at (\S+)\/api\/node/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error('the program ended before its API answered');
}

// Runs `aibot node`, or the bot, as a process of its own, as an operator does, and talks to its API.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { packageRoot } from '../../src/shared/package-root.ts';
import { beforeRemoval } from '../support/temp-dir.ts';

const AIBOT = join(packageRoot(), 'dist/program/src/cli/aibot.js');
const POLL_MS = 20;
const PATIENCE_MS = 60_000;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface NodeProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** What it has said so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
}

/**
 * Starts `aibot node` with these settings and nothing of the machine's own; it is killed after the test.
 * @param args what node runs instead
 */
export function spawnNode(
  env: Readonly<Record<string, string>>,
  cwd: string,
  args: readonly string[] = [AIBOT, 'node'],
): NodeProcess {
  if (!existsSync(AIBOT)) throw new Error('run `npm run build` first');
  const child = spawn(process.execPath, args, {
    cwd,
    env: { PATH: process.env['PATH'], HOME: cwd, HTTP_PORT: '0', LOG_LEVEL: 'warn', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, stdout, stderr }));
  beforeRemoval(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, ended, stdout: () => stdout, stderr: () => stderr };
}

export interface RunningApi extends NodeProcess {
  readonly url: string;
  get(path: string): Promise<{ readonly status: number; readonly body: Record<string, unknown> }>;
  create(
    body: Readonly<Record<string, unknown>>,
    key?: string,
  ): Promise<{ readonly status: number; readonly body: Record<string, unknown> }>;
  /** Asks it to stop, as a service manager does. */
  stop(signal?: NodeJS.Signals): Promise<Ended>;
}

/** Starts it and waits until its API answers. */
export async function startNodeProcess(
  env: Readonly<Record<string, string>>,
  cwd: string,
  args?: readonly string[],
): Promise<RunningApi> {
  const node = spawnNode(env, cwd, args);
  const url = await Promise.race([
    eventually(() => /API is at (\S+)\/api\/node/.exec(node.stdout())?.[1]),
    node.ended.then(({ code, stderr }) => {
      throw new Error(`the node ended with ${String(code)}: ${stderr}`);
    }),
  ]);
  const ask = async (path: string, init?: RequestInit) => {
    const answer = await fetch(`${url}${path}`, init);
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  return {
    ...node,
    url,
    get: (path) => ask(path),
    create: (body, key) =>
      ask('/api/transaction/create', {
        method: 'POST',
        body: JSON.stringify(body),
        ...(key !== undefined && { headers: { 'Idempotency-Key': key } }),
      }),
    stop: async (signal = 'SIGTERM') => {
      node.child.kill(signal);
      return await node.ended;
    },
  };
}

/** Asks again and again until there is an answer. */
export async function eventually<T>(
  look: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  const giveUpAt = Date.now() + PATIENCE_MS;
  while (Date.now() < giveUpAt) {
    const found = await look();
    if (found !== undefined) return found;
    await delay(POLL_MS);
  }
  throw new Error('it never came');
}

/** A folder of a test with a beacon in it that two nodes can share. */
export const beaconIn = (folder: string): string => join(folder, 'beacon.git');

// The bot as a process of its own: started from dist, watched from outside, stopped by a signal.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';

const ROOT = new URL('../../', import.meta.url).pathname;
/** What was built: beside this file when it was built as well, under `dist` when a test runs its source. */
const DIST = join(ROOT, existsSync(join(ROOT, 'dist')) ? 'dist/src' : 'src');
const START_PATIENCE_MS = 180_000;
const STOP_PATIENCE_MS = 60_000;
const INSPECTOR_PATIENCE_MS = 30_000;
const run = promisify(execFile);

export type Env = Readonly<Record<string, string>>;

/** One look at the process. */
export interface Sample {
  /** Since the load began. */
  readonly atMs: number;
  readonly rssMb: number;
  readonly cpuMs: number;
  readonly files: number;
  readonly children: number;
  readonly stateMb: number;
  readonly indexMb: number;
  readonly recoveryMb: number;
}

/** What the bot's own event loop and heap look like, asked through the inspector. */
export interface Inside {
  readonly heapMb: number;
  readonly externalMb: number;
  /** Of the event loop's delay since the last look. */
  readonly lagP99Ms: number;
  readonly lagMaxMs: number;
}

/** A line of the bot's log. */
export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly interactionId?: string;
  readonly [fact: string]: unknown;
}

const WARN = 40;

/** How the process ended. */
interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
}

export class BotProcess {
  readonly #child: ChildProcess;
  readonly #dataDir: string;
  readonly #inspector: Inspector;
  readonly #ended: Promise<Ended>;
  /** Lines that are warnings or worse, counted by their words. */
  readonly warnings = new Map<string, number>();
  /** What the log says of single interactions, for those that went wrong. */
  readonly #ofInteraction = new Map<string, LogLine[]>();

  private constructor(
    child: ChildProcess,
    dataDir: string,
    inspector: Inspector,
    ended: Promise<Ended>,
  ) {
    this.#child = child;
    this.#dataDir = dataDir;
    this.#inspector = inspector;
    this.#ended = ended;
  }

  /**
   * Starts `dist/src/main.js` with this environment and nothing else of ours, and waits until it is on Discord.
   * @throws Error with the end of its log when it ends before that.
   */
  static async start(env: Env, folder: string): Promise<BotProcess> {
    const args = ['--inspect=127.0.0.1:0', join(DIST, 'main.js')];
    // In a folder of its own: no .env of this project is read.
    const child = spawn(process.execPath, args, {
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = once(child, 'exit').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as string | null,
    }));
    const log = createWriteStream(join(folder, 'bot.log'));
    const tail: string[] = [];
    let bot: BotProcess | undefined;
    const early: string[] = [];
    let hearInspector: (url: string) => void = () => undefined;
    const inspectorUrl = new Promise<string>((resolve) => (hearInspector = resolve));
    createInterface({ input: child.stderr }).on('line', (line) => {
      log.write(`${line}\n`);
      tail.push(line);
      if (tail.length > 20) tail.shift();
      const url = /^Debugger listening on (ws:\S+)/.exec(line)?.[1];
      if (url !== undefined) hearInspector(url);
      if (bot === undefined) early.push(line);
      else bot.#hear(line);
    });
    const said = new Promise<void>((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line.startsWith('The bot is on Discord')) resolve();
      });
    });
    const failed = Promise.race([
      ended.then(({ code }) => `ended with ${String(code)}`),
      delay(START_PATIENCE_MS, 'did not start in time', { ref: false }),
    ]).then((what) => {
      throw new Error(`The bot ${what}.\n${tail.join('\n')}`);
    });
    failed.catch(() => undefined);
    try {
      await Promise.race([said, failed]);
      const inspector = await Inspector.open(await inspectorUrl);
      bot = new BotProcess(child, env['DATA_DIR'] ?? '', inspector, ended);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
    for (const line of early) bot.#hear(line);
    return bot;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What the log says of an interaction. */
  logOf(interactionId: string): readonly LogLine[] {
    return this.#ofInteraction.get(interactionId) ?? [];
  }

  /** @param atMs since the load began. */
  sample(atMs: number): Sample {
    const pid = String(this.#child.pid);
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const times = statFields(pid);
    const rssKb = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
    const size = (name: string): number => {
      const path = join(this.#dataDir, name);
      return existsSync(path) ? statSync(path).size : 0;
    };
    return {
      atMs,
      rssMb: round(rssKb / 1024),
      // In ticks of 10 ms, user and system.
      cpuMs: (Number(times[13]) + Number(times[14])) * 10,
      files: readdirSync(`/proc/${pid}/fd`).length,
      children: childrenOf(pid),
      stateMb: round((size('state.sqlite') + size('state.sqlite-wal')) / 2 ** 20),
      indexMb: round((size('index.sqlite') + size('index.sqlite-wal')) / 2 ** 20),
      recoveryMb: round(size('recovery.journal') / 2 ** 20),
    };
  }

  /** Event loop and heap; with `collect` after a full collection, which shows what is really held. */
  async look({ collect }: { readonly collect: boolean }): Promise<Inside> {
    if (collect) await this.#inspector.call('HeapProfiler.collectGarbage');
    return (await this.#inspector.evaluate(LOOK)) as Inside;
  }

  /** Sends SIGTERM and waits for the end. */
  async stop(): Promise<Ended> {
    this.#inspector.close();
    this.#child.kill('SIGTERM');
    const giveUp = new AbortController();
    const late = delay(STOP_PATIENCE_MS, undefined, { signal: giveUp.signal }).then(
      () => this.#child.kill('SIGKILL'),
      () => undefined,
    );
    const end = await this.#ended;
    giveUp.abort();
    await late;
    return end;
  }

  #hear(line: string): void {
    if (!line.startsWith('{')) return;
    const entry = JSON.parse(line) as LogLine;
    if (entry.level >= WARN) this.warnings.set(entry.msg, (this.warnings.get(entry.msg) ?? 0) + 1);
    if (entry.interactionId === undefined) return;
    const lines = this.#ofInteraction.get(entry.interactionId) ?? [];
    lines.push(entry);
    this.#ofInteraction.set(entry.interactionId, lines);
  }
}

/** Runs `aibot audit` beside or after the bot. */
export async function auditOutside(
  env: Env,
  folder: string,
): Promise<{ readonly code: number; readonly words: string }> {
  const options = { cwd: folder, env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...env } };
  const args = [join(DIST, 'cli', 'aibot.js'), 'audit'];
  try {
    const { stdout } = await run(process.execPath, args, options);
    return { code: 0, words: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: number; stdout?: string; stderr?: string };
    return { code: code ?? 1, words: `${stdout ?? ''}${stderr ?? ''}` };
  }
}

/** Runs inside the bot; the histogram starts anew at each look. */
const LOOK = `(() => {
  const { monitorEventLoopDelay } = process.getBuiltinModule('node:perf_hooks');
  const old = globalThis.soakLag;
  const lagP99Ms = old === undefined ? 0 : Math.round(old.percentile(99) / 1e6);
  const lagMaxMs = old === undefined ? 0 : Math.round(old.max / 1e6);
  old?.disable();
  globalThis.soakLag = monitorEventLoopDelay({ resolution: 10 });
  globalThis.soakLag.enable();
  const { heapUsed, external } = process.memoryUsage();
  const mb = (bytes) => Math.round(bytes / 2 ** 17) / 8;
  return { heapMb: mb(heapUsed), externalMb: mb(external), lagP99Ms, lagMaxMs };
})()`;

class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: InspectorAnswer) => void>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      const answer = JSON.parse((data as Buffer).toString('utf8')) as InspectorAnswer;
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    // A bot that ends takes its inspector along; who still waits gives up by time.
    socket.on('error', () => undefined);
  }

  static async open(url: string): Promise<Inspector> {
    const socket = new WebSocket(url);
    await once(socket, 'open');
    return new Inspector(socket);
  }

  async call(method: string, params: object = {}): Promise<InspectorAnswer> {
    const id = (this.#lastId += 1);
    const answer = new Promise<InspectorAnswer>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params }));
    const late = delay(INSPECTOR_PATIENCE_MS, undefined, { ref: false }).then(() => {
      throw new Error(`The inspector did not answer ${method}.`);
    });
    late.catch(() => undefined);
    return await Promise.race([answer, late]);
  }

  async evaluate(expression: string): Promise<unknown> {
    const params = { expression, returnByValue: true };
    return (await this.call('Runtime.evaluate', params)).result?.result?.value;
  }

  close(): void {
    this.#socket.terminate();
  }
}

interface InspectorAnswer {
  readonly id: number;
  readonly result?: { readonly result?: { readonly value?: unknown } };
}

/** The fields of /proc/PID/stat; the name in brackets counts as the second, whatever is in it. */
function statFields(pid: string): readonly string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const end = text.lastIndexOf(')');
  return [pid, 'name', ...text.slice(end + 2).split(' ')];
}

/** Descendants of the process. */
function childrenOf(pid: string): number {
  const parents = new Map<string, string[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const parent = statFields(name)[3] ?? '';
      parents.set(parent, [...(parents.get(parent) ?? []), name]);
    } catch {
      // It ended while we looked.
    }
  }
  const count = (one: string): number =>
    (parents.get(one) ?? []).reduce((sum, child) => sum + 1 + count(child), 0);
  return count(pid);
}

const round = (value: number): number => Math.round(value * 10) / 10;

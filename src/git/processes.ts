// Runs git as child processes: fixed arguments, no shell, fed and read through pipes, ended as a group.
import { spawn, type ChildProcess } from 'node:child_process';

/** Environment variables of a child process; it gets these and no others. */
export type Environment = Readonly<Record<string, string>>;

export interface RunOptions {
  readonly cwd: string;
  readonly environment: Environment;
  readonly input?: string | Buffer;
  /** After this time the process is ended and the result says so. */
  readonly timeoutMs: number;
  /** Ends the process when it prints more than this. */
  readonly maxOutputBytes?: number;
}

/** How a process ended; a failure is a result here, for the caller alone knows what it means. */
export interface RunResult {
  /** The exit code, or undefined when a signal or the system ended it. */
  readonly exitCode: number | undefined;
  readonly stdout: Buffer;
  /** The first and the last part of what it said, as text. */
  readonly stderr: string;
  /** Why it ended otherwise than by its own exit: timeout, too much output, closing, or git could not be started. */
  readonly interruption: Interruption | undefined;
}

type Interruption = 'timeout' | 'output-limit' | 'closed' | 'not-started';

/** An exit code, undefined after a signal, or why there never was a process. */
type End = number | undefined | Error;

const DEFAULT_MAX_OUTPUT_BYTES = 256 * 1024 * 1024;
const MAX_STDERR_CHARS = 64 * 1024;
const KILL_AFTER_MS = 2000;

/**
 * The child processes of one beacon. Each leads its own process group, so that what git itself starts (ssh,
 * pack-objects, receive-pack) can be ended with it and a terminal's Ctrl-C does not cut a push in two.
 */
export class ProcessPool {
  private readonly live = new Map<ChildProcess, Promise<End>>();
  private closed = false;

  /** Runs git to its end. Never rejects. */
  async run(args: readonly string[], options: RunOptions): Promise<RunResult> {
    if (this.closed) return interrupted('closed', 'the beacon is closed');
    let child: ChildProcess;
    try {
      child = this.start(args, options);
    } catch (error) {
      return interrupted('not-started', String(error));
    }
    let interruption: Interruption | undefined;
    const stop = (why: Interruption): void => {
      interruption ??= why;
      terminate(child);
    };
    const output = collectOutput(child, options.maxOutputBytes ?? DEFAULT_MAX_OUTPUT_BYTES, () =>
      stop('output-limit'),
    );
    const timer = setTimeout(() => stop('timeout'), options.timeoutMs);
    child.stdin?.end(options.input ?? '');
    const end = await this.live.get(child);
    clearTimeout(timer);
    if (end instanceof Error) return interrupted('not-started', end.message);
    if (this.isClosed() && end === undefined) interruption ??= 'closed';
    return { exitCode: end, ...output(), interruption };
  }

  /**
   * Starts git with open pipes and returns at once; it is ended by {@link ProcessPool.close} at the latest.
   * @throws Error when the system cannot start a process, or the pool is closed
   */
  start(args: readonly string[], options: Pick<RunOptions, 'cwd' | 'environment'>): ChildProcess {
    if (this.closed) throw new Error('git was to be started after the beacon was closed');
    const child: ChildProcess = spawn('git', args, {
      cwd: options.cwd,
      env: options.environment,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      windowsHide: true,
    });
    const end = new Promise<End>((resolve) => {
      child.once('close', (code: number | null) => resolve(code ?? undefined));
      // Also emitted for a signal that could not be sent; only a process that never was has no pid.
      child.on('error', (error) => {
        if (child.pid === undefined) resolve(error);
      });
    });
    this.live.set(child, end);
    void end.then(() => this.live.delete(child));
    // EPIPE only says that git stopped reading; why it did stands in its exit code and stderr.
    child.stdin?.on('error', () => undefined);
    return child;
  }

  /** Ends every process still running and waits until all are gone. */
  async close(): Promise<void> {
    this.closed = true;
    const ends = [...this.live].map(([child, end]) => {
      terminate(child);
      return end;
    });
    await Promise.all(ends);
  }

  /** A method, because a closing during an `await` is invisible to the type checker. */
  private isClosed(): boolean {
    return this.closed;
  }
}

/**
 * Asks the leader to stop, and kills the whole group if it does not. Not the group at once: a receive-pack on a local
 * beacon that is renaming its refs into place would leave half of an atomic push behind.
 */
export function terminate(child: ChildProcess): void {
  child.stdin?.destroy();
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  const timer = setTimeout(() => killGroup(child), KILL_AFTER_MS);
  child.once('close', () => clearTimeout(timer));
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
  // A process that left the group may still hold the pipes; without this `close` would wait for it.
  child.stdout?.destroy();
  child.stderr?.destroy();
}

function interrupted(interruption: Interruption, stderr: string): RunResult {
  return { exitCode: undefined, stdout: Buffer.alloc(0), stderr, interruption };
}

function collectOutput(
  child: ChildProcess,
  maxBytes: number,
  onOverflow: () => void,
): () => Pick<RunResult, 'stdout' | 'stderr'> {
  const chunks: Buffer[] = [];
  const stderr = collectStderr(child);
  let bytes = 0;
  child.stdout?.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxBytes) chunks.push(chunk);
    else onOverflow();
  });
  return () => ({ stdout: Buffer.concat(chunks), stderr: stderr() });
}

/** Keeps the beginning and the end of what a process says on stderr, whatever it says in between. */
export function collectStderr(child: ChildProcess): () => string {
  let head = '';
  let tail = '';
  child.stderr?.setEncoding('utf8');
  child.stderr?.on('data', (text: string) => {
    const room = MAX_STDERR_CHARS - head.length;
    head += text.slice(0, room);
    if (text.length > room) tail = (tail + text.slice(room)).slice(-MAX_STDERR_CHARS);
  });
  return () => head + tail;
}

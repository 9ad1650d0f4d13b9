// Reads objects through one long-lived `git cat-file --batch-command`.
import type { ChildProcess } from 'node:child_process';
import { collectStderr, terminate, type Environment, type ProcessPool } from './processes.ts';

export interface ObjectRequest {
  /** `info` gives type and size only. */
  readonly command: 'info' | 'contents';
  /** An object id, or `<commit id>:<path>`. */
  readonly object: string;
  /** A content larger than this is passed over unread; 1 MiB by default. */
  readonly maxBytes?: number;
}

export interface ObjectAnswer {
  readonly id: string;
  readonly type: string;
  readonly size: number;
  /** Undefined for `info`, and for an object larger than the limit, which is passed over unread. */
  readonly content: Buffer | undefined;
}

/** Undefined stands for an object that is missing or broken. */
export type ObjectAnswers = readonly (ObjectAnswer | undefined)[];

const IDLE_TIMEOUT_MS = 60_000;
const DEFAULT_MAX_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

interface Round {
  readonly requests: readonly ObjectRequest[];
  readonly answers: (ObjectAnswer | undefined)[];
  readonly done: (error?: Error) => void;
}

/** Objects of one repository and its alternates, those included that arrive after the reader was made. */
export class ObjectReader {
  private readonly pool: ProcessPool;
  private readonly gitDir: string;
  private readonly environment: Environment;
  private session: Session | undefined;
  private tail: Promise<unknown> = Promise.resolve();

  constructor(pool: ProcessPool, gitDir: string, environment: Environment) {
    this.pool = pool;
    this.gitDir = gitDir;
    this.environment = environment;
  }

  /**
   * Answers the requests in their order.
   * @throws Error when git cannot be run at all; a broken object is an undefined answer.
   */
  read(requests: readonly ObjectRequest[]): Promise<ObjectAnswers> {
    const result = this.tail.then(() => this.readRound(requests));
    this.tail = result.catch(() => undefined);
    return result;
  }

  private async readRound(requests: readonly ObjectRequest[]): Promise<ObjectAnswers> {
    if (requests.length === 0) return [];
    try {
      return await this.ask(requests);
    } catch {
      // git dies of a corrupt object, and what it had answered before was still in its buffer. Asked one at a time,
      // only that object stays without an answer.
      return this.readCarefully(requests);
    }
  }

  private async readCarefully(requests: readonly ObjectRequest[]): Promise<ObjectAnswers> {
    const answers: (ObjectAnswer | undefined)[] = [];
    let failures = 0;
    for (const request of requests) {
      try {
        answers.push((await this.ask([request]))[0]);
      } catch (error) {
        failures += 1;
        // Not every object can be broken: this is git itself failing.
        if (failures === requests.length || failures > 100) throw error;
        answers.push(undefined);
      }
    }
    return answers;
  }

  private async ask(requests: readonly ObjectRequest[]): Promise<ObjectAnswers> {
    if (this.session?.ended !== false) this.session = this.startSession();
    return this.session.ask(requests);
  }

  private startSession(): Session {
    const args = ['cat-file', '--batch-command', '--buffer'];
    return new Session(this.pool.start(args, { cwd: this.gitDir, environment: this.environment }));
  }
}

/** One process; it answers one round at a time. */
class Session {
  ended = false;
  private readonly child: ChildProcess;
  private round: Round | undefined;
  private buffered: Buffer = Buffer.alloc(0);
  /** The object whose content is being read or passed over. */
  private current:
    | { readonly answer: Omit<ObjectAnswer, 'content'>; readonly maxBytes: number; left: number }
    | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(child: ChildProcess) {
    this.child = child;
    const stderr = collectStderr(child);
    child.stdout?.on('data', (chunk: Buffer) => this.onData(chunk));
    child.once('close', () => {
      this.ended = true;
      this.finish(new Error(`git cat-file ended: ${stderr().trim()}`));
    });
  }

  ask(requests: readonly ObjectRequest[]): Promise<ObjectAnswers> {
    return new Promise((resolve, reject) => {
      const answers: (ObjectAnswer | undefined)[] = [];
      this.round = {
        requests,
        answers,
        done: (error) => (error === undefined ? resolve(answers) : reject(error)),
      };
      this.rearm();
      const lines = requests.map(({ command, object }) => `${command} ${object}\n`);
      this.child.stdin?.write(`${lines.join('')}flush\n`);
    });
  }

  private rearm(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => terminate(this.child), IDLE_TIMEOUT_MS);
  }

  private finish(error?: Error): void {
    clearTimeout(this.timer);
    const round = this.round;
    this.round = undefined;
    round?.done(error);
  }

  private onData(chunk: Buffer): void {
    this.rearm();
    this.buffered = this.buffered.length === 0 ? chunk : Buffer.concat([this.buffered, chunk]);
    let at = 0;
    for (let next = this.take(at); next !== undefined; next = this.take(at)) at = next;
    this.buffered = this.buffered.subarray(at);
    if (this.round === undefined) {
      clearTimeout(this.timer);
    } else if (this.round.answers.length === this.round.requests.length) {
      this.finish();
    }
  }

  /** Takes one header or one content at this offset; returns the offset behind it, undefined when more must arrive. */
  private take(at: number): number | undefined {
    if (this.current !== undefined) return this.takeContent(at, this.current);
    const end = this.buffered.indexOf(NEWLINE, at);
    if (end === -1) return undefined;
    this.takeHeader(this.buffered.toString('utf8', at, end));
    return end + 1;
  }

  private takeHeader(line: string): void {
    const round = this.round;
    if (round === undefined) return;
    const [, id = '', type = '', size = ''] = /^([0-9a-f]{40,64}) (\w+) (\d+)$/.exec(line) ?? [];
    const answer = { id, type, size: Number(size) };
    const request = round.requests[round.answers.length];
    if (id === '') round.answers.push(undefined);
    else if (request?.command === 'contents') {
      const { maxBytes = DEFAULT_MAX_BYTES } = request;
      this.current = { answer, maxBytes, left: answer.size + 1 };
    } else round.answers.push({ ...answer, content: undefined });
  }

  private takeContent(at: number, current: NonNullable<Session['current']>): number | undefined {
    const available = this.buffered.length - at;
    const { answer } = current;
    if (answer.size > current.maxBytes) {
      const passed = Math.min(available, current.left);
      if (passed === 0) return undefined;
      current.left -= passed;
      if (current.left === 0) this.endContent(undefined);
      return at + passed;
    }
    if (available < current.left) return undefined;
    // A copy, so that one record does not keep the whole chunk that it came in.
    this.endContent(Buffer.from(this.buffered.subarray(at, at + answer.size)));
    return at + current.left;
  }

  private endContent(content: Buffer | undefined): void {
    if (this.current !== undefined) {
      this.round?.answers.push({ ...this.current.answer, content });
    }
    this.current = undefined;
  }
}

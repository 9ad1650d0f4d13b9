// The one writer: transactions that wait together are written together, each still all or nothing.
// From the module, not the global: a test's fake timers must not stop the writer.
import { clearImmediate, setImmediate } from 'node:timers';
import type { Stores } from '../app/ports/database.ts';
import { AppError } from '../shared/errors.ts';
import { measure, secondsSince } from '../shared/measurements.ts';
import type { Connection } from './connection.ts';
import { runWatched } from './nested-works.ts';
import { bindStores, WorkScope } from './work-scope.ts';

/** The most transactions that share one write to disk; it bounds how long the program stands still for them. */
const MAX_BATCH = 64;
/** The most transactions that may wait; more are refused at once. */
const MAX_WAITING = 10_000;

export type Work<T> = (stores: Stores) => Promise<T>;

/**
 * Runs a work against stores that die with it. Stores answer without leaving the current turn of the event loop, so
 * a work that is not done when the next turn begins has awaited something else, and everyone would wait for that:
 * it is ended with an error instead.
 */
export async function runWork<T>(scope: WorkScope, stores: Stores, work: Work<T>): Promise<T> {
  let turn: NodeJS.Immediate | undefined;
  const overdue = new Promise<never>((_resolve, reject) => {
    turn = setImmediate(() => {
      reject(new Error('a database transaction awaited something other than its stores'));
    });
  });
  try {
    return await Promise.race([runWatched(scope, () => work(stores)), overdue]);
  } finally {
    clearImmediate(turn);
    scope.close();
  }
}

/** What became of one job within its batch. */
type Outcome =
  { readonly job: Job; readonly value: unknown } | { readonly job: Job; readonly error: unknown };

interface Job {
  readonly mode: 'read' | 'write';
  readonly work: Work<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Serialises transactions over one connection and commits them in groups. */
export class GroupCommit {
  readonly #connection: Connection;
  readonly #storesOf: (scope: WorkScope) => Stores;
  readonly #waiting: Job[] = [];
  #running: Promise<void> | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#storesOf = bindStores(connection);
  }

  /** Resolves once the work's writes are on the disk; rejects when none of them is. */
  transaction<T>(work: Work<T>): Promise<T> {
    return this.#enqueue('write', work);
  }

  /** The same for a work that must not write, in its turn among the others. */
  read<T>(work: Work<T>): Promise<T> {
    return this.#enqueue('read', work);
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.#running;
  }

  #enqueue<T>(mode: Job['mode'], work: Work<T>): Promise<T> {
    if (this.#waiting.length >= MAX_WAITING) return Promise.reject(new AppError('QUEUE_FULL'));
    return new Promise<T>((resolve, reject) => {
      // SAFETY: a job's resolve is only ever called with what its own work returned.
      this.#waiting.push({ mode, work, resolve: resolve as Job['resolve'], reject });
      this.#running ??= this.#drain();
    });
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      // A whole turn of the event loop: whoever it brings joins the batch, and no batch keeps input waiting.
      await new Promise((resolve) => setImmediate(resolve));
      await this.#runBatch(this.#waiting.splice(0, MAX_BATCH));
    }
    this.#running = undefined;
  }

  /** Never throws: whatever goes wrong is the answer of the jobs that it concerns. */
  async #runBatch(batch: readonly Job[]): Promise<void> {
    const outcomes: Outcome[] = [];
    const startedAt = performance.now();
    const tell = (result: 'committed' | 'lost'): void => {
      measure('commit', { result, seconds: secondsSince(startedAt), works: batch.length });
    };
    try {
      this.#connection.control('BEGIN IMMEDIATE');
      for (const job of batch) outcomes.push(await this.#runJob(job));
      this.#connection.control('COMMIT');
    } catch (error) {
      this.#rollBack();
      tell('lost');
      for (const outcome of outcomes) {
        outcome.job.reject('error' in outcome ? outcome.error : error);
      }
      for (const job of batch.slice(outcomes.length)) job.reject(error);
      return;
    }
    tell('committed');
    // Refusals too are told only now: they may rest on what an earlier job of the batch wrote.
    for (const outcome of outcomes) {
      if ('error' in outcome) outcome.job.reject(outcome.error);
      else outcome.job.resolve(outcome.value);
    }
  }

  /**
   * Runs one job in its own part of the transaction.
   * @returns what it made or why it failed, to be told after the commit.
   * @throws Error when the whole batch is lost.
   */
  async #runJob(job: Job): Promise<Outcome> {
    const scope = new WorkScope();
    try {
      this.#connection.beginPart();
      const value = await this.#runIn(scope, job);
      this.#refuseLost();
      this.#connection.keepPart();
      return { job, value };
    } catch (error) {
      // A full disk can make SQLite roll back everything, the parts of earlier jobs included.
      this.#refuseLost(error);
      this.#connection.undoPart();
      return { job, error };
    }
  }

  async #runIn(scope: WorkScope, { mode, work }: Job): Promise<unknown> {
    const run = (): Promise<unknown> => runWork(scope, this.#storesOf(scope), work);
    return await (mode === 'write' ? run() : this.#connection.readOnly(run));
  }

  #refuseLost(cause?: unknown): void {
    if (!this.#connection.handle.inTransaction) {
      throw new Error('the database rolled the transaction back', { cause });
    }
  }

  #rollBack(): void {
    try {
      if (this.#connection.handle.inTransaction) this.#connection.control('ROLLBACK');
    } catch {
      // The jobs are told why the batch is lost; the next BEGIN says what is the matter with the connection.
    }
  }
}

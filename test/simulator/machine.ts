// The simulated machine: time, timers and chance of the whole process come from here, so that a seed tells everything.
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { Chance } from './chance.ts';

/** When every simulated world begins, in ms since the epoch. */
const BEGINNING = 1_800_000_000_000;
const PROGRAM_STREAM = 1;

const realNextTick = process.nextTick.bind(process);

interface Event {
  readonly dueAt: number;
  readonly order: number;
  /** What belongs to the simulated process ends with it; what is on its way in the network does not. */
  readonly isProcess: boolean;
  readonly run: () => void;
}

/** A timer as node hands it out. */
class Timer {
  event: Event | undefined;

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  close(): this {
    machine.cancel(this);
    return this;
  }

  [Symbol.dispose](): void {
    machine.cancel(this);
  }
}

/** One machine a process; {@link Machine.begin} makes it new for each seed. */
class Machine {
  now = BEGINNING;
  /** How many events have happened since the beginning. */
  happened = 0;
  chance = new Chance(0, PROGRAM_STREAM);
  readonly #events = new Set<Event>();
  #order = 0;
  /** Counts the processes that have ended. */
  #ended = 0;

  /** A new world: nothing is scheduled, chance starts from the seed. */
  begin(seed: number): void {
    this.now = BEGINNING;
    this.happened = 0;
    this.#order = 0;
    this.#events.clear();
    this.chance = new Chance(seed, PROGRAM_STREAM);
  }

  /** The simulated process is gone: none of its timers ever fires, none of its calls ever comes back. */
  endProcess(): void {
    this.#ended += 1;
    for (const event of this.#events) if (event.isProcess) this.#events.delete(event);
  }

  /** Something outside of the simulated process happens after a while, whether the process lives or not. */
  outside(afterMs: number, run: () => void): void {
    this.#schedule({ afterMs, isProcess: false, run });
  }

  /** The way back into the process that is running now: once it has ended, nothing gets through any more. */
  wayBack(): (afterMs: number, run: () => void) => void {
    const process = this.#ended;
    return (afterMs, run) => {
      if (process === this.#ended) this.#schedule({ afterMs, isProcess: true, run });
    };
  }

  /** Resolves after a while, unless the process has died by then. */
  pause(afterMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#schedule({ afterMs, isProcess: true, run: resolve });
    });
  }

  startTimer(afterMs: number, work: () => void, repeat = false): Timer {
    const timer = new Timer();
    const ms = Math.max(1, Math.floor(Number.isFinite(afterMs) ? afterMs : 1));
    const arm = (): void => {
      timer.event = this.#schedule({
        afterMs: ms,
        isProcess: true,
        run: () => {
          timer.event = undefined;
          if (repeat) arm();
          work();
        },
      });
    };
    arm();
    return timer;
  }

  startImmediate(work: () => void): Timer {
    const timer = new Timer();
    const run = (): void => {
      timer.event = undefined;
      work();
    };
    timer.event = this.#schedule({ afterMs: 0, isProcess: true, run });
    return timer;
  }

  cancel(timer: unknown): void {
    if (!(timer instanceof Timer) || timer.event === undefined) return;
    this.#events.delete(timer.event);
    timer.event = undefined;
  }

  #schedule({
    afterMs,
    isProcess,
    run,
  }: {
    readonly afterMs: number;
    readonly isProcess: boolean;
    readonly run: () => void;
  }): Event {
    this.#order += 1;
    const event = { dueAt: this.now + afterMs, order: this.#order, isProcess, run };
    this.#events.add(event);
    return event;
  }

  /**
   * Lets events happen, one after the other, each with everything that follows from it without waiting.
   * @param isOver asked before each event. @param forMs ends with the last event that is due by then.
   */
  run({
    forMs,
    isOver = () => false,
  }: {
    readonly forMs: number;
    readonly isOver?: () => boolean;
  }): Promise<void> {
    const until = this.now + forMs;
    return new Promise((resolve) => {
      const step = (): void => {
        const next = isOver() ? undefined : this.#next();
        if (next === undefined || next.dueAt > until) {
          if (!isOver()) this.now = until;
          resolve();
          return;
        }
        this.#events.delete(next);
        this.now = next.dueAt;
        this.happened += 1;
        next.run();
        afterMicrotasks(step);
      };
      afterMicrotasks(step);
    });
  }

  #next(): Event | undefined {
    let first: Event | undefined;
    for (const event of this.#events) {
      if (first === undefined || event.dueAt < first.dueAt) first = event;
    }
    return first;
  }
}

const resolved = Promise.resolve();

/** A tick that is asked for by a microtask comes when no microtask is left; a promise makes one at half the price. */
function afterMicrotasks(step: () => void): void {
  void resolved.then(() => realNextTick(step));
}

export const machine = new Machine();

const RealDate = Date;

/** A date that was not given is the machine's present. */
class SimulatedDate extends RealDate {
  constructor(...given: readonly unknown[]) {
    super(...((given.length === 0 ? [machine.now] : given) as [number]));
  }

  static override now(): number {
    return machine.now;
  }
}

type Work = (...parameters: readonly unknown[]) => void;
interface PauseOptions {
  readonly signal?: AbortSignal;
}

function pauseFor<T>(afterMs: number, value: T, { signal }: PauseOptions = {}): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      machine.cancel(timer);
      reject(new DOMException('The operation was aborted', 'AbortError'));
    };
    if (signal?.aborted === true) {
      reject(new DOMException('The operation was aborted', 'AbortError'));
      return;
    }
    const timer = machine.startTimer(afterMs, () => {
      signal?.removeEventListener('abort', abort);
      resolve(value);
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
}

/** Takes over the timers, the clocks and the chance of this process, for good. */
export function installMachine(): void {
  const require = createRequire(import.meta.url);
  const timers = {
    setTimeout: (work: Work, ms = 1, ...given: readonly unknown[]) =>
      machine.startTimer(ms, () => {
        work(...given);
      }),
    setInterval: (work: Work, ms = 1, ...given: readonly unknown[]) =>
      machine.startTimer(ms, () => work(...given), true),
    setImmediate: (work: Work, ...given: readonly unknown[]) =>
      machine.startImmediate(() => {
        work(...given);
      }),
    clearTimeout: (timer: unknown) => machine.cancel(timer),
    clearInterval: (timer: unknown) => machine.cancel(timer),
    clearImmediate: (timer: unknown) => machine.cancel(timer),
  };
  Object.assign(globalThis, timers);
  Object.assign(require('node:timers') as object, timers);
  Object.assign(require('node:timers/promises') as object, {
    setTimeout: pauseFor,
    setImmediate: <T>(value: T) =>
      new Promise<T>((resolve) => machine.startImmediate(() => resolve(value))),
  });
  globalThis.Date = SimulatedDate as DateConstructor;
  Object.defineProperty(performance, 'now', { value: () => machine.now - BEGINNING });
  installChance(require('node:crypto') as object);
  syncBuiltinESMExports();
}

function installChance(nodeCrypto: object): void {
  const randomBytes = (size: number): Buffer => {
    const bytes = Buffer.alloc(size);
    machine.chance.fill(bytes);
    return bytes;
  };
  const randomInt = (low: number, high?: number): number =>
    high === undefined ? machine.chance.below(low) : low + machine.chance.below(high - low);
  const randomUUID = (): string => {
    const bytes = randomBytes(16);
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
    return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  };
  const getRandomValues = <T extends Uint8Array>(bytes: T): T => {
    machine.chance.fill(bytes);
    return bytes;
  };
  Object.assign(nodeCrypto, { randomBytes, randomInt, randomUUID });
  for (const [name, value] of Object.entries({ randomUUID, getRandomValues })) {
    Object.defineProperty(globalThis.crypto, name, { value });
  }
  Math.random = () => machine.chance.below(2 ** 32) / 2 ** 32;
}

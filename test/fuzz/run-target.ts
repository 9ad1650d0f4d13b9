// Runs one target: the corpus first, then seeds and valid inputs, then changes of whatever reached something new.
import fc from 'fast-check';
import { readCorpus } from './corpus.ts';
import { watchCoverage } from './coverage.ts';
import { cpuMs } from './cpu-time.ts';
import { mutate, type Mutator } from './mutate.ts';
import { seededRandom } from './random.ts';
import { shrink } from './shrink.ts';
import { Broken, type Check, type OpenTarget, type Target } from './target.ts';

export interface RunOptions {
  readonly runs: number;
  readonly seed: number;
  /** Called now and then. */
  readonly onProgress?: (done: number) => void;
}

interface Failure {
  readonly input: string;
  /** Before it was shrunk. */
  readonly found: string;
  readonly rule: string;
  readonly error: unknown;
}

export interface RunReport {
  readonly target: string;
  readonly inputs: number;
  readonly ms: number;
  /** How many of the covered files' counters were reached; undefined without counters. */
  readonly reached: string | undefined;
  readonly failure: Failure | undefined;
}

/** An input may take this long before it is looked at again: nothing of a few thousand characters needs a tenth of it. */
const SLOW_MS = 500;
const SLOW_TRIES = 4;
const VALID_SAMPLES = 300;
const POOL_MAX = 4_000;
const PROGRESS_EVERY = 20_000;

/** How many inputs of the runs asked for this target gets. */
export function runsOf({ slower }: Target, runs: number): number {
  return slower === undefined ? runs : Math.max(1, Math.ceil(runs / slower.times));
}

/** Tries as many inputs as asked; ends at the first that breaks something. */
export async function runTarget(target: Target, options: RunOptions): Promise<RunReport> {
  const startedAt = performance.now();
  const coverage = watchCoverage(target.covers.map((name) => name.replace(/#.*$/, '')));
  const open = await target.open();
  const check = guarded(open.check, target);
  try {
    const { inputs, failed } = await tryAll(target, check, options, coverage?.isNew);
    return {
      target: target.name,
      inputs,
      ms: performance.now() - startedAt,
      reached: coverage && `${coverage.reached()}/${coverage.counters}`,
      failure: failed && (await failureOf(failed, check)),
    };
  } finally {
    await open.close?.();
  }
}

interface Tried {
  readonly inputs: number;
  readonly failed: { readonly input: string; readonly error: unknown } | undefined;
}

async function tryAll(
  target: Target,
  check: Check,
  { runs, seed, onProgress }: RunOptions,
  isNew: (() => boolean) | undefined,
): Promise<Tried> {
  const random = seededRandom(seed);
  const by: Mutator = {
    random,
    tokens: target.tokens ?? [],
    isJson: target.isJson ?? false,
    isBytes: target.isBytes ?? false,
    maxLength: target.maxLength ?? 4_096,
  };
  const valid = target.valid && fc.sample(target.valid, { seed, numRuns: VALID_SAMPLES });
  const pool = [...target.seeds, ...(valid ?? [])];
  const first = [...readCorpus(target.name).map(({ input }) => input), ...pool];
  for (let inputs = 0; inputs < Math.max(runs, first.length); inputs += 1) {
    const input = first[inputs] ?? mutate(random.pick(pool), pool, by);
    try {
      const pending = check(input);
      // Most checks are done by now; awaiting them all the same would take longer than they do.
      if (pending !== undefined) await pending;
    } catch (error) {
      return { inputs: inputs + 1, failed: { input, error } };
    }
    if (isNew?.() === true && inputs >= first.length && pool.length < POOL_MAX) pool.push(input);
    if (inputs % PROGRESS_EVERY === PROGRESS_EVERY - 1) onProgress?.(inputs + 1);
  }
  return { inputs: Math.max(runs, first.length), failed: undefined };
}

async function failureOf(
  { input, error }: NonNullable<Tried['failed']>,
  check: Check,
): Promise<Failure> {
  const rule = ruleOf(error);
  const smallest = await shrink(input, async (candidate) => {
    try {
      await check(candidate);
      return false;
    } catch (again) {
      return ruleOf(again) === rule;
    }
  });
  return { input: smallest, found: input, rule, error };
}

/** What was broken, the same for every input that breaks it: details of the input are left out. */
function ruleOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof Broken) return error.message;
  const [, at = ''] = /at (\S+ \(?\S*?(?:src|test)\/[\w/.-]+)/.exec(error.stack ?? '') ?? [];
  return `${error.name} at ${at.replace(/\(.*\//, '')}`;
}

/** The check, and what must be true whatever the target: it takes its time, and leaves the built-in objects alone. */
function guarded(check: OpenTarget['check'], { slower }: Target): Check {
  const after = (input: string, startedAt: number): void | Promise<void> => {
    refusePollution();
    if (slower === undefined && performance.now() - startedAt > SLOW_MS)
      return lookAgain(check, input);
  };
  return (input) => {
    const startedAt = performance.now();
    const pending = check(input);
    if (pending === undefined) return after(input, startedAt);
    return pending.then(() => after(input, startedAt));
  };
}

async function lookAgain(check: OpenTarget['check'], input: string): Promise<void> {
  for (let tries = 0; tries < SLOW_TRIES; tries += 1) {
    const startedAt = cpuMs();
    await check(input);
    if (cpuMs() - startedAt < SLOW_MS) return;
  }
  throw new Broken(`it takes more than ${SLOW_MS} ms`);
}

const BUILT_IN: readonly object[] = [
  ...[Object.prototype, Object, Function.prototype, Array.prototype, Array, String.prototype],
  ...[Number.prototype, Boolean.prototype, Map.prototype, Set.prototype, Promise.prototype],
];

function refusePollution(): void {
  for (const object of BUILT_IN) {
    for (const key in object) {
      Reflect.deleteProperty(object, key);
      throw new Broken(`a built-in object got a property "${key}"`);
    }
  }
}

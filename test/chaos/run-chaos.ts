// One run: the script of faults from a seed, each inflicted under load, healed, and looked at from outside.
import { setTimeout as delay } from 'node:timers/promises';
import { seededRandomness } from '../../src/guyacha/randomness.ts';
import { moveEverything } from './drill.ts';
import { Inspector, waitForQuiet, withDatabase } from './inspect.ts';
import { Load } from './load.ts';
import type { Fault } from './scene.ts';
import { World } from './world.ts';

/** Assets moved through Discord after each fault. */
const MOVED_AFTER_EACH = 3;

export interface ChaosOptions {
  /** An empty folder. */
  readonly root: string;
  readonly seed: string;
  /** Every kind comes once, however long that takes. */
  readonly minutes: number;
  readonly faults: readonly Fault[];
}

interface Broken {
  readonly kind: string;
  /** Which fault of the script, from 1. */
  readonly number: number;
  readonly what: string;
}

export interface Report {
  readonly seed: string;
  readonly seconds: number;
  readonly faults: number;
  readonly kinds: Readonly<Record<string, number>>;
  /** Kinds that cannot be had here, with the reason. */
  readonly skipped: readonly string[];
  readonly killsSurvived: number;
  readonly interactions: number;
  readonly interactionsUnanswered: number;
  readonly settlements: number;
  readonly voided: number;
  readonly transactions: number;
  readonly createsByCallers: number;
  readonly assetsMoved: number;
  readonly auditsClean: number;
  readonly invariantsBroken: number;
  readonly broken: readonly Broken[];
  /** Kept when something is broken. */
  readonly folder: string | null;
}

/** Every kind once in an order of the seed's, then at random: the same script for the same seed and kinds. */
function* planFaults(seed: string, faults: readonly Fault[]): Generator<Fault, never> {
  const dice = seededRandomness(`plan ${seed}`);
  const left = [...faults];
  for (;;) {
    const [next] =
      left.length > 0
        ? left.splice(dice.uniformInt(left.length), 1)
        : [faults[dice.uniformInt(faults.length)]];
    if (next !== undefined) yield next;
  }
}

export async function runChaos({ root, seed, minutes, faults }: ChaosOptions): Promise<Report> {
  const startedAt = performance.now();
  const world = await World.open(root);
  const run = new Run(world, seed);
  const possible = faults.filter(({ needsDisks }) => !needsDisks || world.noDisks === undefined);
  const skipped = faults
    .filter((fault) => !possible.includes(fault))
    .map(({ kind }) => `${kind}: ${world.noDisks ?? ''}`);
  const seconds = (): number => Math.round((performance.now() - startedAt) / 1000);
  for (const fault of planFaults(seed, possible)) {
    await run.takeFault(fault);
    if (run.count >= possible.length && seconds() >= minutes * 60) break;
  }
  await run.takeLeave();
  return { seed, seconds: seconds(), skipped, ...run.figures(), folder: null };
}

class Run {
  readonly #world: World;
  readonly #load: Load;
  readonly #inspector: Inspector;
  readonly #seed: string;
  readonly #kinds = new Map<string, number>();
  readonly #broken: Broken[] = [];
  #clean = 0;
  count = 0;

  constructor(world: World, seed: string) {
    this.#world = world;
    this.#seed = seed;
    this.#load = new Load(world, seededRandomness(`load ${seed}`));
    this.#inspector = new Inspector(world);
  }

  async takeFault(fault: Fault): Promise<void> {
    this.count += 1;
    const dice = seededRandomness(`fault ${this.#seed} ${this.count}`);
    const scene = { world: this.#world, load: this.#load, dice };
    this.#load.start();
    await delay(300 + dice.uniformInt(1_200));
    const before = this.#broken.length;
    const startedAt = performance.now();
    await this.#judge(fault.kind, async () => await fault.inflict(scene));
    const inflictedAt = performance.now();
    await this.#judge(fault.kind, () => this.#lookAfter());
    this.#kinds.set(fault.kind, (this.#kinds.get(fault.kind) ?? 0) + 1);
    const took = `${Math.round(inflictedAt - startedAt)} + ${Math.round(performance.now() - inflictedAt)} ms`;
    const verdict = this.#broken.length === before ? 'clean' : 'BROKEN';
    process.stderr.write(`#${this.count} ${fault.kind}: ${took}, ${verdict}\n`);
  }

  /** At the end everything that anybody holds is moved once. */
  async takeLeave(): Promise<void> {
    await this.#judge('the end', async () => {
      const { moved, stuck } = await this.#load.callers.moveAll();
      this.#world.moved += moved;
      return [...stuck, ...(await moveEverything(this.#world)), ...(await this.#lookAfter())];
    });
  }

  figures(): Omit<Report, 'seed' | 'seconds' | 'skipped' | 'folder'> {
    const countOf = (state: string): number =>
      withDatabase(this.#world.stateFile, (db) =>
        db
          .prepare<[string], number>('SELECT count(*) FROM settlements WHERE state = ?')
          .pluck()
          .get(state),
      ) ?? 0;
    return {
      faults: this.count,
      kinds: Object.fromEntries(this.#kinds),
      killsSurvived: this.#world.kills,
      interactions: this.#load.members.acts,
      interactionsUnanswered: this.#load.members.unanswered,
      settlements: countOf('settled'),
      voided: countOf('voided'),
      transactions: this.#inspector.transactions,
      createsByCallers: this.#load.callers.outcomes.length,
      assetsMoved: this.#world.moved,
      auditsClean: this.#clean,
      invariantsBroken: this.#broken.length,
      broken: this.#broken,
    };
  }

  /** Heals the world, lets everything come to its end, and looks at what must hold. */
  async #lookAfter(): Promise<readonly string[]> {
    const world = this.#world;
    const ended = listEnded(world);
    await world.heal();
    await this.#load.members.redeliver();
    await this.#load.pause();
    const open = await waitForQuiet(world);
    const told = this.#load.members.collectTold();
    const broken = await this.#inspector.inspect(told, this.#load.callers.outcomes);
    const { moved, stuck } = await this.#load.members.moveSome(MOVED_AFTER_EACH);
    world.moved += moved;
    const all = [...ended, ...open, ...broken, ...stuck, ...listAlarms(world)];
    if (all.length === 0) this.#clean += 1;
    return all;
  }

  async #judge(kind: string, work: () => Promise<readonly string[]>): Promise<void> {
    const faults = await work().catch((error: unknown) => [`the run stopped: ${String(error)}`]);
    for (const what of faults) {
      this.#broken.push({ kind, number: this.count, what });
      process.stderr.write(`BROKEN by ${kind} (#${this.count}): ${what}\n`);
    }
  }
}

/** No fault of the surroundings may end a process: only those that we kill end, and those are started anew. */
function listEnded({ bot, validator }: World): readonly string[] {
  return [bot, validator].flatMap(({ child, stderr }) =>
    child.exitCode === null
      ? []
      : [`a process ended with ${child.exitCode}: ${stderr().slice(-800)}`],
  );
}

/** What a running bot says of itself and must not. */
function listAlarms({ bot, validator }: World): readonly string[] {
  const lines = `${bot.stderr()}\n${validator.stderr()}`.split('\n');
  return lines.filter((line) => /the audit found something off|"level":60/.test(line));
}

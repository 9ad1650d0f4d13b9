// A soak from start to end: bot, stand-in, members, trouble; then the drain, the stop, the audit and the books.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { StandIn } from '../../src/playground/api.ts';
import { startStandIn } from '../../src/playground/stand-in.ts';
import { sampleMembers } from '../support/discord-stand-in.ts';

import { auditOutside, BotProcess, type Env, type Inside, type Sample } from './bot-process.ts';
import { seededChance } from './chance.ts';
import { Load } from './load.ts';
import { compareWithRows, type Comparison } from './model.ts';
import { soakGuyacha, type Stock } from './soak-guyacha.ts';
import { latency, Tally, violationsByCode, type Outcome } from './tally.ts';
import { TradeBook } from './trade-book.ts';
import { Trouble } from './trouble.ts';

export interface SoakOptions {
  readonly minutes: number;
  /** Interactions a second. */
  readonly rate: number;
  readonly seed: string;
  readonly members: number;
  /** `embedded`: inside the data directory; `bare`: a repository of plain git beside it. */
  readonly beacon: 'embedded' | 'bare';
  readonly faults: boolean;
  readonly stock: Stock;
  /** How dense the trouble is: 1 for a long soak, less for a short one. */
  readonly pace: number;
  /** How long members wait for a first answer; Discord's 3 s when left out. */
  readonly firstAnswerMs?: number;
  /** Hears of every sample, for who watches. */
  readonly onSample?: (sample: Sample, inside: Inside, tally: Tally) => void;
}

export interface SoakFigures {
  readonly planned: number;
  readonly sent: number;
  readonly fates: Readonly<Record<string, number>>;
  /** How the answered ones ended, and the refusals by code. */
  readonly told: Readonly<Record<string, number>>;
  readonly firstMs: ReturnType<typeof latency>;
  readonly finalMs: ReturnType<typeof latency>;
  /** Those that nobody answered or finished, with what is known of them. */
  readonly missing: readonly (Outcome & { readonly log: readonly unknown[] })[];
  readonly samples: readonly (Sample & Inside)[];
  /** After a full collection, at the fifth minute (or a sixth of a shorter soak) and at the end. */
  readonly heapMb: { readonly early: number; readonly end: number };
  readonly chanceFaults: Readonly<Record<string, number>>;
  readonly strikes: Readonly<Record<string, number>>;
  readonly violations: Readonly<Record<string, number>>;
  readonly warnings: Readonly<Record<string, number>>;
  readonly exit: { readonly code: number | null; readonly signal: string | null };
  readonly audit: { readonly code: number; readonly words: string };
  readonly books: Comparison;
}

const SAMPLE_EVERY_MS = 10_000;
const EARLY_MS = 5 * 60_000;
const DRAIN_MS = 90_000;
const HEARTBEAT_MS = 6_000;
/** Half an hour's worth of edits finds its message. */
const MESSAGES_KEPT = 20_000;

/** Runs a soak in a folder of its own, which is removed unless something is wrong. */
export async function runSoak(options: SoakOptions): Promise<SoakFigures & { folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'aibot-soak-'));
  const standIn = await startStandIn({
    members: sampleMembers(options.members),
    heartbeatMs: HEARTBEAT_MS,
    messagesPerChannel: MESSAGES_KEPT,
    ...(options.firstAnswerMs === undefined ? {} : { firstAnswerMs: options.firstAnswerMs }),
  });
  try {
    const figures = await soak(options, folder, standIn);
    return { ...figures, folder };
  } finally {
    await standIn.close();
  }
}

/** Removes what a soak has left. */
export function removeSoak({ folder }: { readonly folder: string }): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}

async function soak(options: SoakOptions, folder: string, standIn: StandIn): Promise<SoakFigures> {
  const { env, beacon } = prepare(options, folder, standIn);
  const bot = await BotProcess.start(env, folder);
  const tally = new Tally(options.firstAnswerMs);
  const trades = new TradeBook();
  const chance = seededChance(`${options.seed}:members`);
  const load = new Load({ standIn, tally, chance, trades });
  const trouble = new Trouble({
    ...options,
    standIn,
    beacon,
    chance: seededChance(`${options.seed}:trouble`),
  });
  const watch = new Watch(bot, tally, options);
  try {
    const durationMs = options.minutes * 60_000;
    if (options.faults) trouble.begin();
    watch.begin();
    await load.run(options.rate, durationMs);
    await trouble.end();
    await watch.end();
    await drained(tally);
    tally.close();
    const exit = await bot.stop();
    const outcomes = [...tally.outcomes.values()];
    const missing = outcomes.filter(({ fate }) => fate === 'unanswered' || fate === 'unfinished');
    return {
      planned: Math.floor(options.minutes * 60 * options.rate),
      sent: tally.sent,
      fates: countBy(outcomes, ({ fate }) => fate),
      told: countBy(outcomes, ({ told }) =>
        told?.state === 'refused' ? told.code : (told?.state ?? 'nothing to tell'),
      ),
      firstMs: latency(tally.firstMs),
      finalMs: latency(tally.finalMs),
      missing: missing.map((outcome) => ({ ...outcome, log: bot.logOf(outcome.id) })),
      samples: watch.samples,
      heapMb: watch.heapMb,
      chanceFaults: standIn.faultCounts(),
      strikes: trouble.strikes,
      violations: violationsByCode(standIn),
      warnings: Object.fromEntries(bot.warnings),
      exit,
      audit: await auditOutside(env, folder),
      books: compareWithRows(env['DATA_DIR'] ?? '', tally.outcomes, trades),
    };
  } finally {
    await trouble.end();
    if (bot.isRunning) await bot.stop();
  }
}

function prepare(
  { beacon, stock }: SoakOptions,
  folder: string,
  standIn: StandIn,
): { readonly env: Env; readonly beacon: string } {
  const dataDir = join(folder, 'data');
  const guyachaFile = join(folder, 'guyacha.yaml');
  writeFileSync(guyachaFile, soakGuyacha(stock));
  const bare = join(folder, 'beacon.git');
  if (beacon === 'bare') {
    execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', bare]);
  }
  return {
    beacon: beacon === 'bare' ? bare : join(dataDir, 'beacon.git'),
    env: {
      DISCORD_TOKEN: standIn.token,
      DISCORD_API_URL: standIn.url,
      DISCORD_GUILD_ID: standIn.guildId,
      ...(beacon === 'bare' ? { BEACON_URL: bare } : {}),
      DATA_DIR: dataDir,
      GUYACHA_FILE: guyachaFile,
      HTTP_PORT: '0',
      DAILY_GC: '10000',
      MINT_COOLDOWN_MS: '0',
      TRADE_EXPIRY_MS: '60000',
      AUDIT_INTERVAL_MS: '60000',
      LOG_LEVEL: 'info',
    },
  };
}

/** Waits until every interaction has its last word, within a limit. */
async function drained(tally: Tally): Promise<void> {
  const giveUpAt = performance.now() + DRAIN_MS;
  while (tally.open > 0 && performance.now() < giveUpAt) await delay(100);
}

/** Looks at the bot every ten seconds. */
class Watch {
  readonly samples: (Sample & Inside)[] = [];
  heapMb = { early: 0, end: 0 };
  readonly #bot: BotProcess;
  readonly #tally: Tally;
  readonly #options: SoakOptions;
  readonly #over = new AbortController();
  #work: Promise<void> = Promise.resolve();

  constructor(bot: BotProcess, tally: Tally, options: SoakOptions) {
    this.#bot = bot;
    this.#tally = tally;
    this.#options = options;
  }

  begin(): void {
    this.#work = this.#watch(performance.now());
  }

  /** The end's heap is measured after the last sample, so that no collection of ours makes the memory look small. */
  async end(): Promise<void> {
    this.#over.abort();
    await this.#work;
    const { heapMb: end } = await this.#bot.look({ collect: true });
    this.heapMb = { ...this.heapMb, end };
  }

  async #watch(startedAt: number): Promise<void> {
    const { signal } = this.#over;
    const earlyMs = Math.min(EARLY_MS, (this.#options.minutes * 60_000) / 6);
    for (;;) {
      await this.#look(performance.now() - startedAt);
      if (this.heapMb.early === 0 && performance.now() - startedAt >= earlyMs) {
        const { heapMb: early } = await this.#bot.look({ collect: true });
        this.heapMb = { ...this.heapMb, early };
      }
      const slept = await delay(SAMPLE_EVERY_MS, true, { signal }).catch(() => false);
      if (!slept) return;
    }
  }

  async #look(atMs: number): Promise<void> {
    const sample = this.#bot.sample(Math.round(atMs));
    const inside = await this.#bot.look({ collect: false });
    this.samples.push({ ...sample, ...inside });
    this.#options.onSample?.(sample, inside, this.#tally);
  }
}

function countBy<Item>(
  items: readonly Item[],
  nameOf: (item: Item) => string,
): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[nameOf(item)] = (counts[nameOf(item)] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).sort(([, a], [, b]) => b - a));
}

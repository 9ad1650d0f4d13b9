// What goes wrong around the bot while members act: Discord's answers, the gateway, Discord's outages, the beacon.
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChanceFault, StandIn } from '../../src/playground/api.ts';
import type { Chance } from './chance.ts';

/** A few in a hundred of each. */
const SHARES: Readonly<Record<ChanceFault, number>> = {
  error: 0.02,
  'error-applied': 0.02,
  throttled: 0.02,
  lost: 0.02,
  slow: 0.03,
  redelivered: 0.02,
  'redelivered-later': 0.01,
};

/** What strikes all at once, and how long the pause before the next one is, in ms: half of it to all of it. */
const STRIKES = {
  'gateway-closed': 45_000,
  'session-ended': 120_000,
  'asked-to-reconnect': 60_000,
  'gateway-frozen': 150_000,
  'discord-outage': 90_000,
  'beacon-slow': 40_000,
  'beacon-refuses': 60_000,
  'beacon-hangs': 150_000,
} as const;
export type Strike = keyof typeof STRIKES;

const OUTAGE_MS = 1_500;
const BEACON_FAULT_MS = 4_000;
const HOOKS: Readonly<Record<'beacon-slow' | 'beacon-refuses' | 'beacon-hangs', string>> = {
  'beacon-slow': 'sleep 0.8',
  'beacon-refuses': 'echo "not today" >&2; exit 1',
  'beacon-hangs': 'sleep 8',
};

export interface TroubleOptions {
  readonly standIn: StandIn;
  /** The beacon's repository. */
  readonly beacon: string;
  readonly chance: Chance;
  /** Makes the pauses shorter, so that a short soak meets everything: 1 is as listed. */
  readonly pace: number;
}

/** Strikes until it is ended. */
export class Trouble {
  readonly #options: TroubleOptions;
  readonly #over = new AbortController();
  readonly #counts = new Map<Strike, number>();
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: TroubleOptions) {
    this.#options = options;
  }

  get strikes(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  begin(): void {
    this.#mix();
    const names = Object.keys(STRIKES) as Strike[];
    this.#work = Promise.all(names.map((name) => this.#repeat(name)));
  }

  /** Resolves when all is well again. */
  async end(): Promise<void> {
    this.#over.abort();
    await this.#work;
    this.#options.standIn.setFaults(undefined);
  }

  #mix(): void {
    const { standIn, chance } = this.#options;
    standIn.setFaults({ seed: chance.below(2 ** 31), shares: SHARES, longestMs: 800 });
  }

  async #repeat(strike: Strike): Promise<void> {
    const { chance, pace } = this.#options;
    const longest = STRIKES[strike] * pace;
    for (;;) {
      await this.#pause(longest / 2 + chance.below(Math.ceil(longest / 2)));
      if (this.#over.signal.aborted) return;
      this.#counts.set(strike, (this.#counts.get(strike) ?? 0) + 1);
      await this.#strike(strike);
    }
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#over.signal }).catch(() => undefined);
  }

  async #strike(strike: Strike): Promise<void> {
    const { standIn } = this.#options;
    switch (strike) {
      case 'gateway-closed':
        standIn.dropGateway();
        return;
      case 'session-ended':
        standIn.dropGateway({ resumable: false });
        return;
      case 'asked-to-reconnect':
        standIn.askToReconnect();
        return;
      case 'gateway-frozen':
        standIn.freezeGateway();
        return;
      case 'discord-outage':
        standIn.setFaults({ seed: 1, shares: { error: 1 } });
        await this.#pause(OUTAGE_MS);
        this.#mix();
        return;
      case 'beacon-slow':
      case 'beacon-refuses':
      case 'beacon-hangs':
        await this.#breakBeacon(HOOKS[strike]);
    }
  }

  /** A hook of the remote's own, as a host may have: it decides what becomes of a push. */
  async #breakBeacon(script: string): Promise<void> {
    const hooks = join(this.#options.beacon, 'hooks');
    const [hook, draft] = [join(hooks, 'pre-receive'), join(hooks, 'pre-receive.draft')];
    mkdirSync(hooks, { recursive: true });
    writeFileSync(draft, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    renameSync(draft, hook);
    await this.#pause(BEACON_FAULT_MS);
    rmSync(hook, { force: true });
  }
}

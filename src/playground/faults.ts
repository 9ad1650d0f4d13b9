// Faults injected into what reaches the bot: bad answers to its calls, and interactions that come twice.
import { CHANCE_FAULTS } from './api.ts';
import type { ChanceFault, FaultMix, FaultPlan } from './api.ts';

const LONGEST_MS = 1000;
/** How far apart the two deliveries of one interaction may be, in ms. */
const REDELIVERY_MS = 2000;

/** When an interaction is delivered a second time. */
export type Redelivery = { readonly afterMs: number } | 'on-reconnect';

/** The faults that are still to come: those that were ordered, then those by chance. */
export class Faults {
  #plans: { plan: FaultPlan; left: number }[] = [];
  #mix: FaultMix | undefined;
  #random: () => number = () => 1;
  readonly #counts = Object.fromEntries(CHANCE_FAULTS.map((kind) => [kind, 0])) as Record<
    ChanceFault,
    number
  >;

  /** Plans a fault. */
  add(plan: FaultPlan): void {
    this.#plans.push({ plan, left: plan.times ?? 1 });
  }

  /** Lets faults come by chance, or ends that. */
  setMix(mix: FaultMix | undefined): void {
    this.#mix = mix;
    this.#random = mulberry32(mix?.seed ?? 0);
  }

  /** How often each fault by chance has struck. */
  get counts(): Readonly<Record<ChanceFault, number>> {
    return { ...this.#counts };
  }

  /** The fault that a call meets, if any; it is used up. */
  take(method: string, path: string): FaultPlan | undefined {
    const call = `${method} ${path}`;
    const found = this.#plans.find(({ plan: { route } }) =>
      typeof route === 'string' ? call.includes(route) : (route?.test(call) ?? true),
    );
    if (found === undefined) return this.#takeByChance();
    found.left -= 1;
    if (found.left <= 0) this.#plans = this.#plans.filter((one) => one !== found);
    return found.plan;
  }

  /** Whether and when an interaction that is being sent is sent a second time. */
  takeRedelivery(): Redelivery | undefined {
    const kind = this.#draw(['redelivered', 'redelivered-later']);
    if (kind === undefined) return undefined;
    return kind === 'redelivered'
      ? { afterMs: Math.floor(this.#random() * REDELIVERY_MS) }
      : 'on-reconnect';
  }

  #takeByChance(): FaultPlan | undefined {
    const kind = this.#draw(['error', 'error-applied', 'throttled', 'lost', 'slow']);
    if (kind === undefined) return undefined;
    const ms = Math.ceil(this.#random() * (this.#mix?.longestMs ?? LONGEST_MS));
    return PLANS[kind]?.(ms);
  }

  #draw(kinds: readonly ChanceFault[]): ChanceFault | undefined {
    if (this.#mix === undefined) return undefined;
    let point = this.#random();
    for (const kind of kinds) {
      point -= this.#mix.shares[kind] ?? 0;
      if (point >= 0) continue;
      this.#counts[kind] += 1;
      return kind;
    }
    return undefined;
  }
}

const PLANS: Readonly<Partial<Record<ChanceFault, (ms: number) => FaultPlan>>> = {
  error: () => ({ status: 500 }),
  'error-applied': () => ({ status: 502, applied: true }),
  throttled: (ms) => ({ status: 429, retryAfterMs: ms }),
  lost: () => ({ status: 'lost' }),
  slow: (ms) => ({ status: 'slow', delayMs: ms }),
};

/** A small generator of numbers from 0 to 1; what it draws follows from the seed alone. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

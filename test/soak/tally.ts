// Follows every interaction from the member's act to its last word, and says what became of it.
import type { Exchange, FirstResponse, StandIn } from '../../src/playground/api.ts';
import type { WireMessage } from '../../src/playground/wire.ts';
import { quantile } from '../bench/figures.ts';
import { toldBy, type Told, type Verb } from './told.ts';

/** Discord's 3 s. */
const ANSWER_MS = 3_000;
/**
 * An interaction that reached the bot with less than this left of the 3 s was lost by the gateway: that is less than a
 * bot needs that is otherwise in time.
 */
const LEAST_LEFT_MS = 500;
/** How soon after the delivery a bot has to make its first call for Discord's refusals to count as the reason. */
const FIRST_CALL_MS = 2_000;
/** How many refused calls it takes; fewer only when Discord's own delays ate up the time. */
const CALLS_REFUSED_MIN = 4;
/**
 * A delay of Discord's that leaves less than this of the time has lasted beyond it: discord.js waits 50 ms longer than a
 * 429 says, and the call comes after that.
 */
const LEAST_LEFT_AFTER_DELAY_MS = 150;
const LOOK_EVERY_MS = 50;
const LOADING = 1 << 7;

/**
 * - `answered`: the first answer was in time, and the last word is there.
 * - `undelivered`: the gateway, broken on purpose, did not bring it to the bot in time; no bot could have answered.
 * - `refused-by-discord`: it reached the bot in time, and each call that the bot made for it was met by an injected
 *   fault and not applied: at least four of them, the first within 2 s, or delays that lasted beyond the time.
 * - `unanswered`: everything else without a first answer in time. There must be none.
 * - `unfinished`: acknowledged, and the answer itself never came. There must be none.
 */
export type Fate = 'answered' | 'undelivered' | 'refused-by-discord' | 'unanswered' | 'unfinished';

/** What is kept of an interaction that is over. */
export interface Outcome {
  readonly id: string;
  readonly what: string;
  readonly memberId: string;
  readonly verb: Verb | undefined;
  readonly fate: Fate;
  /** Undefined when nothing was said. */
  readonly told: Told | undefined;
  /** Why, for those that went wrong. */
  readonly detail?: string;
}

interface Open {
  readonly exchange: Exchange;
  readonly what: string;
  readonly verb: Verb | undefined;
  /** By the monotonic clock, for how long it took; and by the stand-in's, to which its own times belong. */
  readonly sentAt: number;
  readonly sentAtMs: number;
  first: FirstResponse | undefined;
}

/** Keeps the count. */
export class Tally {
  readonly outcomes = new Map<string, Outcome>();
  readonly firstMs: number[] = [];
  readonly finalMs: number[] = [];
  #sent = 0;
  readonly #open = new Map<string, Open>();
  readonly #answerMs: number;
  readonly #timer: NodeJS.Timeout;

  /** @param answerMs how long members wait for a first answer. */
  constructor(answerMs: number = ANSWER_MS) {
    this.#answerMs = answerMs;
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  get sent(): number {
    return this.#sent;
  }

  get open(): number {
    return this.#open.size;
  }

  /** Follows an interaction. @param verb what it moves, when it is to move value. */
  follow(exchange: Exchange, what: string, verb?: Verb): Exchange {
    this.#sent += 1;
    const one: Open = {
      exchange,
      what,
      verb,
      sentAt: performance.now(),
      sentAtMs: Date.now(),
      first: undefined,
    };
    this.#open.set(exchange.id, one);
    void exchange.firstResponse().then((first) => this.#first(one, first));
    return exchange;
  }

  /** Ends the count: what is still open counts as it stands. */
  close(): void {
    clearInterval(this.#timer);
    for (const one of this.#open.values()) this.#conclude(one, true);
  }

  #first(one: Open, first: FirstResponse): void {
    const tookMs = performance.now() - one.sentAt;
    one.first = first;
    if (first.kind === 'did-not-respond') {
      this.#end(one, fateOfSilence(one, this.#answerMs), undefined);
      return;
    }
    this.firstMs.push(tookMs);
    this.#conclude(one, false);
  }

  #look(): void {
    for (const one of this.#open.values()) this.#conclude(one, false);
  }

  #conclude(one: Open, isLast: boolean): void {
    const { exchange } = one;
    const word = lastWord(one);
    if (word === 'none') {
      if (!isLast) return;
      this.#end(
        one,
        one.first === undefined ? fateOfSilence(one, this.#answerMs) : 'unfinished',
        undefined,
      );
      return;
    }
    const told = word === 'no-message' ? undefined : toldBy(one.verb, exchange.memberId, word);
    if (told?.state === 'pending' && !isLast) return;
    this.#end(one, 'answered', told);
  }

  #end(one: Open, fate: Fate, told: Told | undefined): void {
    const { exchange, what, verb } = one;
    this.#open.delete(exchange.id);
    if (fate === 'answered') this.finalMs.push(performance.now() - one.sentAt);
    this.outcomes.set(exchange.id, {
      id: exchange.id,
      what,
      memberId: exchange.memberId,
      verb,
      fate,
      told,
      ...(fate === 'answered' ? {} : { detail: describe(one) }),
    });
  }
}

/** The message that is the bot's last word; `none`: it is still to come; `no-message`: choices, a modal. */
function lastWord({ exchange, first }: Open): WireMessage | 'none' | 'no-message' {
  if (first === undefined) return 'none';
  if (first.kind === 'choices' || first.kind === 'modal') return 'no-message';
  const [followUp] = exchange.followUps().toReversed();
  const message = exchange.edits.at(-1);
  if (exchange.deleted && followUp !== undefined) return followUp;
  const isLoading = message !== undefined && (message.flags & LOADING) !== 0;
  if (message !== undefined && !isLoading) {
    // A refusal is said beside the message that it is about.
    return exchange.kind === 'command' ? message : (followUp ?? message);
  }
  return followUp ?? 'none';
}

function fateOfSilence({ exchange, sentAtMs }: Open, answerMs: number): Fate {
  const { deliveredAt, faults } = exchange;
  if (deliveredAt === undefined || deliveredAt - sentAtMs > answerMs - LEAST_LEFT_MS)
    return 'undelivered';
  const deadline = sentAtMs + answerMs;
  const firstCallAt = Math.min(...faults.map(({ at }) => at), ...exchange.callsAt);
  if (firstCallAt - deliveredAt > FIRST_CALL_MS) return 'unanswered';
  if (exchange.callsAt.some((at) => at < deadline)) return 'unanswered';
  const inTime = faults.filter(({ at }) => at < deadline);
  const wasApplied = inTime.some(({ applied, status }) => applied && status !== 'slow');
  const latestEnd = deadline - LEAST_LEFT_AFTER_DELAY_MS;
  const delayedBeyond = inTime.some(({ at, waitMs }) => at + waitMs > latestEnd);
  const isRefused = !wasApplied && (inTime.length >= CALLS_REFUSED_MIN || delayedBeyond);
  return isRefused ? 'refused-by-discord' : 'unanswered';
}

function describe({ exchange, sentAtMs }: Open): string {
  const since = (at: number | undefined): string =>
    at === undefined ? 'never' : `${at - sentAtMs} ms`;
  const faults = exchange.faults.map(
    ({ at, status, waitMs }) => `${status}@${at - sentAtMs}+${waitMs}`,
  );
  const calls = exchange.callsAt.map((at) => String(at - sentAtMs));
  const refused = exchange.violations.map(({ code }) => String(code));
  return [
    `delivered after ${since(exchange.deliveredAt)}`,
    `faults [${faults.join(' ')}]`,
    `calls [${calls.join(' ')}]`,
    `refused [${refused.join(' ')}]`,
  ].join(', ');
}

/** Sums up milliseconds. */
export function latency(values: readonly number[]): {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
} {
  return { p50: quantile(values, 0.5), p99: quantile(values, 0.99), max: quantile(values, 1) };
}

/** What the bot earned at Discord, by JSON code. */
export function violationsByCode(standIn: Pick<StandIn, 'violations'>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { code } of standIn.violations()) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}

// Where the gateway's packets enter: one that cannot be read harms nobody, and one that comes too late lets others pass.
import { SnowflakeUtil } from 'discord.js';
import type { Logger } from '../shared/logger.ts';
import { loggable } from './rest-failures.ts';

/** How long the first of those that are too late waits for what comes behind it, and can still be answered. */
const TOO_LATE_PAUSE_MS = 200;
/** Then so many are handled a turn, lest they be a burst of their own: at most 250 a second. */
const TOO_LATE_PER_TURN = 5;
const TURN_MS = 20;
/** How many may wait; the oldest is dropped for one more. */
const MAX_TOO_LATE = 5_000;
const SNOWFLAKE = /^\d{17,20}$/;

/** What discord.js does with a packet; without one it goes on with those it has put aside. */
export type HandlePacket = (packet?: unknown, shard?: unknown) => unknown;

interface Parts {
  readonly handle: HandlePacket;
  readonly logger: Logger;
  /** How old an interaction is, in ms, when we no longer count on an answer being taken; Discord's own limit is 3 s. */
  readonly answerByMs: number;
}

interface Held {
  readonly packet: object;
  readonly shard: unknown;
}

/**
 * After a broken connection Discord delivers at once what came in seconds, the oldest first. Most of that cannot be
 * answered any more, and to read it all costs the time in which the rest still could: what is too late waits. It is
 * handled nevertheless, because only Discord knows for certain: our clock may be wrong.
 */
export class PacketGate {
  readonly #parts: Parts;
  #held: Held[] = [];
  /** discord.js brings again what it has put aside until it is ready: nothing waits here twice. */
  readonly #passed = new WeakSet();
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;
  #isHolding = true;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Takes a packet; never throws. @returns what discord.js returned, false for what it could not read or has not yet. */
  readonly take: HandlePacket = (packet, shard) => {
    if (!this.#isTooLate(packet)) return this.#handOn(packet, shard);
    this.#held.push({ packet, shard });
    if (this.#held.length > MAX_TOO_LATE) {
      this.#held.shift();
      this.#dropped += 1;
    }
    this.#timer ??= setTimeout(() => this.#turn(), TOO_LATE_PAUSE_MS);
    return false;
  };

  /** Drops what waits: its members have been told by Discord that nobody answered. What still comes passes at once. */
  stopHolding(): void {
    this.#isHolding = false;
    this.#held = [];
    clearTimeout(this.#timer);
  }

  #turn(): void {
    for (const { packet, shard } of this.#held.splice(0, TOO_LATE_PER_TURN)) {
      this.#handOn(packet, shard);
    }
    const isMore = this.#held.length > 0;
    this.#timer = isMore ? setTimeout(() => this.#turn(), TURN_MS) : undefined;
    if (isMore || this.#dropped === 0) return;
    const facts = { dropped: this.#dropped };
    this.#parts.logger.warn(facts, 'Interactions that came too late were dropped unread.');
    this.#dropped = 0;
  }

  #isTooLate(packet: unknown): packet is object {
    if (typeof packet !== 'object' || packet === null) return false;
    if (!this.#isHolding || this.#passed.has(packet)) return false;
    const { t, d } = packet as { readonly t?: unknown; readonly d?: unknown };
    if (t !== 'INTERACTION_CREATE') return false;
    const { id } = (d ?? {}) as { readonly id?: unknown };
    if (typeof id !== 'string' || !SNOWFLAKE.test(id)) return false;
    return Date.now() - SnowflakeUtil.timestampFrom(id) >= this.#parts.answerByMs;
  }

  /**
   * discord.js throws at an event that it cannot read, in a listener of its socket where nobody could catch it, and that
   * would end the process. Such an event is logged and passed over; who sent it sees no answer, and everybody else does.
   */
  #handOn(packet: unknown, shard: unknown): unknown {
    if (typeof packet === 'object' && packet !== null) this.#passed.add(packet);
    try {
      return this.#parts.handle(packet, shard);
    } catch (error) {
      this.#parts.logger.error(
        { error: loggable(error) },
        'An event of Discord could not be read.',
      );
      return false;
    }
  }
}

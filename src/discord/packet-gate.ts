// Where the gateway's packets enter: one that cannot be read harms nobody, and one that comes too late lets others pass.
import { SnowflakeUtil } from 'discord.js';
import type { Logger } from '../shared/logger.ts';
import { loggable } from './rest-failures.ts';

/** How long an interaction that is too late waits for what comes behind it, and can still be answered. */
const TOO_LATE_PAUSE_MS = 200;
/** Then so many are handled a turn, lest they be a burst of their own: 500 a second. */
const TOO_LATE_PER_TURN = 10;
const TURN_MS = 20;
const SNOWFLAKE = /^\d{17,20}$/;

/** What discord.js does with a packet. */
export type HandlePacket = (packet: unknown, shard: unknown) => unknown;

interface Parts {
  readonly handle: HandlePacket;
  readonly logger: Logger;
  /** How old an interaction is, in ms, when it is too late for an answer. */
  readonly answerByMs: number;
}

/**
 * After a broken connection Discord delivers at once what came in seconds, the oldest first. Most of that cannot be
 * answered any more, and to read it all costs the time in which the rest still could: what is too late waits. It is
 * not dropped, because only Discord knows for certain: our clock may be wrong.
 */
export class PacketGate {
  readonly #parts: Parts;
  readonly #tooLate: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Takes a packet; never throws. @returns what discord.js returned, false for what it could not read or has not yet. */
  readonly take: HandlePacket = (packet, shard) => {
    if (this.#isClosed || !this.#isTooLate(packet)) return this.#handOn(packet, shard);
    this.#tooLate.push(() => this.#handOn(packet, shard));
    this.#timer ??= setTimeout(() => this.#turn(), TOO_LATE_PAUSE_MS);
    return false;
  };

  /** Hands on at once whatever waits, and whatever still comes. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const handOn of this.#tooLate.splice(0)) handOn();
  }

  #turn(): void {
    for (const handOn of this.#tooLate.splice(0, TOO_LATE_PER_TURN)) handOn();
    const isMore = this.#tooLate.length > 0;
    this.#timer = isMore ? setTimeout(() => this.#turn(), TURN_MS) : undefined;
  }

  #isTooLate(packet: unknown): boolean {
    const { t, d } = (packet ?? {}) as { readonly t?: unknown; readonly d?: unknown };
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
    try {
      return this.#parts.handle(packet, shard);
    } catch (error) {
      this.#parts.logger.error({ error: loggable(error) }, 'An event of Discord could not be read.');
      return false;
    }
  }
}

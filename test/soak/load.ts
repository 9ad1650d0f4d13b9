// The members: an open loop that sends so many interactions a second, whatever the bot makes of them.
import { setTimeout as delay } from 'node:timers/promises';
import {
  ClientRefusal,
  type Exchange,
  type MemberDriver,
  type StandIn,
} from '../../src/playground/api.ts';
import type { WireMessage } from '../../src/playground/wire.ts';
import type { Chance } from './chance.ts';
import { FLOWS, FLOW_WEIGHTS } from './flows.ts';
import type { Crowd, Hand } from './hand.ts';
import type { Tally } from './tally.ts';
import type { Verb } from './told.ts';
import type { TradeBook } from './trade-book.ts';

/** How long a member looks at a message that does not come, in ms. */
const MEMBER_PATIENCE_MS = 8_000;
/** The share of members who never take their coins, so that refusals for lack of coins are a part of it. */
const POOR_SHARE = 0.03;
/** The most flows that may be under way: beyond it members of a slow bot only finish what they began. */
const MAX_FLOWS = 2_000;

export class Load implements Crowd {
  readonly chance: Chance;
  readonly trades: TradeBook;
  readonly #standIn: StandIn;
  readonly #tally: Tally;
  readonly #memberIds: readonly string[];
  readonly #waiting: (() => void)[] = [];
  /** Who still has to take the daily coins, in the load's first seconds. */
  readonly #newcomers: string[];
  #flows = 0;
  #isOver = false;

  constructor(parts: {
    readonly standIn: StandIn;
    readonly tally: Tally;
    readonly chance: Chance;
    readonly trades: TradeBook;
  }) {
    this.#standIn = parts.standIn;
    this.#tally = parts.tally;
    this.chance = parts.chance;
    this.trades = parts.trades;
    this.#memberIds = parts.standIn.members().map(({ user }) => user.id);
    this.#newcomers = this.#memberIds.filter(() => !parts.chance.isIn(POOR_SHARE));
  }

  /** Sends `perSecond` interactions a second for so long; resolves when the last one is sent. */
  async run(perSecond: number, durationMs: number): Promise<void> {
    const startedAt = performance.now();
    const planned = Math.floor((durationMs / 1000) * perSecond);
    for (let sent = 0; sent < planned;) {
      const due = Math.min(planned, ((performance.now() - startedAt) / 1000) * perSecond);
      for (; sent < due; sent += 1) await this.#tick();
      await delay(Math.max(1, startedAt + ((sent + 1) / perSecond) * 1000 - performance.now()));
    }
    this.#isOver = true;
    // Whoever waits for a turn has come too late.
    for (const go of this.#waiting.splice(0)) go();
  }

  readonly other: Crowd['other'] = (memberId) => {
    let found = memberId;
    while (found === memberId) found = this.chance.pick(this.#memberIds);
    return this.#hand(found);
  };

  async shown(exchange: Exchange): Promise<WireMessage | undefined> {
    return await exchange.reply(MEMBER_PATIENCE_MS).catch(() => undefined);
  }

  /** One interaction: the next step of a flow under way, or the first of a new one. */
  async #tick(): Promise<void> {
    if (this.#waiting.length === 0 && this.#flows < MAX_FLOWS) this.#begin();
    this.#waiting.shift()?.();
    // The step runs before the next tick looks for one.
    await Promise.resolve();
  }

  #begin(): void {
    this.#flows += 1;
    const newcomer = this.#newcomers.pop();
    const hand = this.#hand(newcomer ?? this.chance.pick(this.#memberIds));
    const flow = newcomer === undefined ? this.chance.weighted(FLOW_WEIGHTS) : 'daily';
    FLOWS[flow](hand, this)
      .catch((error: unknown) => {
        // The bot has changed the message meanwhile, or the load is over: the member lets it be.
        if (!(error instanceof ClientRefusal) && !(error instanceof LoadOver)) throw error;
      })
      .finally(() => (this.#flows -= 1));
  }

  async #turn(): Promise<void> {
    if (!this.#isOver) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#isOver) throw new LoadOver();
  }

  #hand(memberId: string): Hand {
    const driver: MemberDriver = this.#standIn.as(memberId);
    const act = async (what: string, go: () => Exchange, verb?: Verb): Promise<Exchange> => {
      await this.#turn();
      return this.#tally.follow(go(), what, verb);
    };
    return {
      memberId,
      command: (name, input, verb) =>
        act(
          [`/${name}`, input?.subcommand ?? ''].join(' ').trim(),
          () => driver.command(name, input),
          verb,
        ),
      autocomplete: async (name, input) => {
        const exchange = await act('autocomplete', () => driver.autocomplete(name, input));
        const choices = await exchange.choices().catch(() => []);
        return choices.map(({ value }) => String(value));
      },
      click: (message, customId) =>
        act(`button ${actionOf(customId)}`, () => driver.click(message, customId)),
      submit: (modal, fields) => act('form', () => driver.submitModal(modal, fields)),
    };
  }
}

/** The load has sent all that it was to send. */
class LoadOver extends Error {}

const actionOf = (customId: string): string => customId.split(':').at(-1) ?? '';

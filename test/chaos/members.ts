// The members of a chaos run: they act on Discord at once, and remember what they were told.
import { setTimeout as delay } from 'node:timers/promises';
import type { Randomness } from '../../src/guyacha/randomness.ts';
import { ClientRefusal, type Exchange, type MemberDriver } from '../../src/playground/api.ts';
import type { StandIn } from '../../src/playground/api.ts';
import type { WireMessage } from '../../src/playground/wire.ts';
import { buttonLabelled, textOf } from '../support/discord-stand-in.ts';
import { until } from '../support/until.ts';

/** The longest that a member thinks between two acts. */
const PAUSE_MS = 300;
/** What is still "pending" is left to the rows after this. */
const PATIENCE_MS = 8_000;

/** What a member read about one interaction: it went through, it did not, or nothing that says so. */
export interface Told {
  readonly key: string;
  readonly word: 'done' | 'undone' | 'refused';
  readonly text: string;
}

export class Members {
  readonly #standIn: StandIn;
  readonly #randomness: Randomness;
  readonly #drivers: readonly MemberDriver[];
  #lives: Promise<unknown> | undefined;
  #isOver = false;
  #exchanges: Exchange[] = [];
  #unanswered: Exchange[] = [];
  readonly #redelivered = new Set<string>();
  /** Interactions sent, and of them those that got no answer in time. */
  acts = 0;
  unanswered = 0;

  constructor(standIn: StandIn, randomness: Randomness) {
    this.#standIn = standIn;
    this.#randomness = randomness;
    this.#drivers = standIn.members().map(({ user }) => standIn.as(user.id));
  }

  start(): void {
    this.#isOver = false;
    this.#lives = Promise.all(this.#drivers.map((me) => this.#live(me)));
    // Told by `pause`, which waits for it.
    this.#lives.catch(() => undefined);
  }

  /** Ends what is under way and begins nothing more. */
  async pause(): Promise<void> {
    this.#isOver = true;
    await this.#lives;
  }

  /** Delivers once more what got no answer, as Discord may, and waits for the bot's word on it; it must not count twice. */
  async redeliver(): Promise<void> {
    const again = this.#unanswered.splice(0);
    const before = new Map(again.map((exchange) => [exchange, exchange.violations.length]));
    for (const exchange of again) {
      this.#redelivered.add(exchange.id);
      this.#standIn.redeliver(exchange);
    }
    // An answer that comes too late for Discord is refused, which is a word as well.
    const isAnswered = (exchange: Exchange): boolean =>
      exchange.message() !== undefined || exchange.violations.length > (before.get(exchange) ?? 0);
    await until(() => Promise.resolve(again.every(isAnswered)), PATIENCE_MS).catch(() => undefined);
  }

  /** What the members were told since the last call. */
  collectTold(): readonly Told[] {
    const told = this.#exchanges.flatMap((exchange): Told[] => {
      const message = exchange.message();
      const text = message === undefined ? '' : textOf(message);
      const word = this.#redelivered.has(exchange.id) ? undefined : wordOf(text);
      return word === undefined ? [] : [{ key: `interaction:${exchange.id}`, word, text }];
    });
    this.#exchanges = [];
    return told;
  }

  /** Forgets what was told, for rows that are gone. */
  forget(): void {
    this.#exchanges = [];
    this.#unanswered = [];
  }

  /**
   * Gives up to so many assets away through Discord.
   * @returns what did not go through, in words, and how many did.
   */
  async moveSome(count: number): Promise<{ readonly moved: number; readonly stuck: string[] }> {
    let moved = 0;
    const stuck: string[] = [];
    for (const me of this.#shuffled(this.#drivers)) {
      if (moved + stuck.length >= count) break;
      const asset = await this.#pickAsset(me);
      if (asset === undefined) continue;
      const exchange = me.command('gift', {
        options: { user: this.#other(me).memberId, asset },
      });
      const seen = await exchange
        .settledWhen((now) => textOf(now).includes('· committed'), 30_000)
        .then(() => undefined, String);
      if (seen === undefined) moved += 1;
      else stuck.push(`${asset} could not be given away: ${seen}`);
    }
    return { moved, stuck };
  }

  async #live(me: MemberDriver): Promise<void> {
    while (!this.#isOver) {
      const act = this.#pick(ACTS) ?? roll;
      try {
        await act(me, this.#hands(me));
      } catch (error) {
        // A button that is gone, a trade that is over, no answer: the rows and the chain are what is judged.
        if (!(error instanceof ClientRefusal || isRefusal(error))) throw error;
      }
      await delay(this.#randomness.uniformInt(PAUSE_MS));
    }
  }

  #hands(me: MemberDriver): Hands {
    return {
      other: this.#other(me),
      number: (bound) => 1 + this.#randomness.uniformInt(bound),
      pickAsset: (whose = me) => this.#pickAsset(whose),
      send: (exchange, isTold) => this.#send(exchange, isTold),
    };
  }

  /** Waits for the end of an interaction, and keeps it. @returns the answer, if there is one. */
  async #send(exchange: Exchange, isTold = true): Promise<WireMessage | undefined> {
    this.acts += 1;
    if (isTold) this.#exchanges.push(exchange);
    const first = await exchange.firstResponse();
    if (first.kind === 'did-not-respond') {
      this.unanswered += 1;
      this.#unanswered.push(exchange);
      await delay(200);
      return undefined;
    }
    if (first.kind === 'deferred') await exchange.reply(PATIENCE_MS).catch(() => undefined);
    return exchange.message();
  }

  async #pickAsset(me: MemberDriver): Promise<string | undefined> {
    const typing = me.autocomplete('gift', { focused: 'asset', options: { asset: '' } });
    const choices = await typing.choices().catch(() => []);
    const value = this.#pick(choices)?.value;
    return value === undefined ? undefined : String(value);
  }

  #other(me: MemberDriver): MemberDriver {
    const others = this.#drivers.filter(({ memberId }) => memberId !== me.memberId);
    return this.#pick(others) ?? me;
  }

  #pick<T>(items: readonly T[]): T | undefined {
    return items.length === 0 ? undefined : items[this.#randomness.uniformInt(items.length)];
  }

  #shuffled<T>(items: readonly T[]): readonly T[] {
    const drawn = items.map((item) => ({ item, at: this.#randomness.uniformInt(1_000_000) }));
    return drawn.sort((a, b) => a.at - b.at).map(({ item }) => item);
  }
}

/** What an act needs. */
interface Hands {
  readonly other: MemberDriver;
  /** From 1 to the bound. */
  readonly number: (bound: number) => number;
  readonly pickAsset: (whose?: MemberDriver) => Promise<string | undefined>;
  /** @param isTold false for an answer that is a view of something else than this one interaction. */
  readonly send: (exchange: Exchange, isTold?: boolean) => Promise<WireMessage | undefined>;
}

type Act = (me: MemberDriver, hands: Hands) => Promise<unknown>;

const daily: Act = (me, { send }) => send(me.command('daily'));

const roll: Act = (me, { send, number }) =>
  send(me.command('roll', { options: { count: number(3) } }));

const pay: Act = (me, { send, number, other }) =>
  send(me.command('pay', { options: { user: other.memberId, amount: String(number(50)) } }));

const gift: Act = async (me, { send, pickAsset, other }) => {
  const asset = await pickAsset();
  if (asset === undefined) return;
  await send(me.command('gift', { options: { user: other.memberId, asset } }));
};

const mint: Act = async (me, { send, number }) => {
  const typing = me.autocomplete('mint', { focused: 'asset', options: { asset: 'fresh' } });
  const choices = await typing.choices().catch(() => []);
  const asset = choices[number(Math.max(choices.length, 1)) - 1]?.value;
  if (asset !== undefined) await send(me.command('mint', { options: { asset: String(asset) } }));
};

/** Opens a trade or goes on with the open one, and takes it as far as both sides and the bot let it. */
const trade: Act = async (me, { send, number, pickAsset, other }) => {
  const verb = (who: MemberDriver, subcommand: string, options = {}): Exchange =>
    who.command('trade', { subcommand, options });
  const press = (exchange: Exchange): Promise<WireMessage | undefined> => send(exchange, false);
  const window = await press(verb(me, 'start', { user: other.memberId }));
  if (window === undefined || !textOf(window).includes('Lock')) {
    await press(verb(me, 'cancel'));
    return;
  }
  const asset = await pickAsset();
  if (asset !== undefined) await press(verb(me, 'add', { asset }));
  await press(verb(other, 'coins', { amount: String(number(40)) }));
  for (const label of ['Lock', 'Confirm']) {
    for (const who of [me, other]) {
      const now = who.messages().find(({ id }) => id === window.id) ?? window;
      await press(who.click(now, buttonLabelled(now, label)));
    }
  }
};

const ACTS: readonly Act[] = [daily, roll, roll, roll, gift, gift, pay, mint, trade];

/** Of what the views and the table of errors say. */
function wordOf(text: string): Told['word'] | undefined {
  if (/· (?:committed|settled)$/m.test(text) || / paid |You received/.test(text)) return 'done';
  if (/· rejected$/m.test(text)) return 'undone';
  return /Nothing (?:was|moved|new|of)/.test(text) ? 'refused' : undefined;
}

/** What the stand-in and its helpers say when an act had no effect. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && /^No button|did not respond|no message/i.test(error.message);
}

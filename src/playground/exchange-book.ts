// Keeps the exchanges while their tokens live, and finds them by id or by token.
import { randomBytes } from 'node:crypto';
import { LiveExchange } from './exchange.ts';
import type { ExchangeStart } from './exchange.ts';
import { KEPT } from './limits.ts';
import { DiscordRefusal, refuse } from './refusals.ts';
import type { WireMessage } from './wire.ts';
import type { World } from './world.ts';

/** How long a bot has, and how long a token lives. */
export interface ExchangeTimes {
  firstAnswerMs: number;
  tokenLifeMs: number;
}

/** All exchanges that still matter. */
export class ExchangeBook {
  readonly #world: World;
  readonly #times: ExchangeTimes;
  readonly #byToken = new Map<string, LiveExchange>();
  readonly #watching = new Map<string, Set<LiveExchange>>();
  readonly #unsubscribe: () => void;

  constructor(world: World, times: ExchangeTimes) {
    this.#world = world;
    this.#times = times;
    this.#unsubscribe = world.subscribe((event) => {
      if (event.type === 'message') this.#noteChange(event.message);
      if (event.type === 'message-deleted') this.#noteDeletion(event.messageId);
    });
  }

  /** A token that nobody can guess. */
  makeToken(id: string): string {
    return `${Buffer.from(`interaction:${id}:`).toString('base64url')}${randomBytes(24).toString('base64url')}`;
  }

  /** Opens an exchange; its time starts now. */
  open(start: ExchangeStart): LiveExchange {
    this.#sweep();
    const exchange = new LiveExchange(this.#world, start, this.#times.firstAnswerMs);
    this.#byToken.set(exchange.token, exchange);
    return exchange;
  }

  /** The exchange of a webhook call; refuses what Discord refuses before it reads the body. */
  forWebhook(applicationId: string, token: string): LiveExchange {
    if (applicationId !== this.#world.applicationId) throw refuse.unknownWebhook();
    const exchange = this.#byToken.get(token);
    if (exchange === undefined || !this.#alive(exchange)) throw refuse.invalidToken();
    const { first } = exchange;
    if (first === undefined || first.kind === 'did-not-respond' || first.kind === 'choices') {
      throw refuse.unknownWebhook();
    }
    return exchange;
  }

  /** The exchange of a first answer; refuses a late one and a second one. */
  forCallback(id: string, token: string): LiveExchange {
    const exchange = this.#byToken.get(token);
    if (exchange?.id !== id || !this.#alive(exchange)) throw refuse.unknownInteraction();
    if (exchange.first?.kind === 'did-not-respond') throw refuse.unknownInteraction();
    if (exchange.first !== undefined) throw refuse.alreadyAcknowledged();
    return exchange;
  }

  /** The exchange of a token, dead or alive. */
  find(token: string): LiveExchange | undefined {
    return this.#byToken.get(token);
  }

  /** Notes that the bot was sent an event, which may be an interaction. */
  noteDelivery(event: unknown): void {
    const { token } = Object(event) as { token?: unknown };
    const exchange = typeof token === 'string' ? this.#byToken.get(token) : undefined;
    if (exchange !== undefined) exchange.deliveredAt ??= this.#world.now();
  }

  /** From now on the exchange's reply is this message, and the exchange hears of its changes. */
  watchReply(exchange: LiveExchange, messageId: string): void {
    exchange.originalId = messageId;
    this.watch(exchange, messageId);
  }

  /** Lets the exchange hear of a message's changes. */
  watch(exchange: LiveExchange, messageId: string): void {
    const watching = this.#watching.get(messageId) ?? new Set();
    this.#watching.set(messageId, watching.add(exchange));
  }

  /** Ends every wait. */
  close(): void {
    for (const exchange of this.#byToken.values()) exchange.abandon();
    this.#byToken.clear();
    this.#watching.clear();
    this.#unsubscribe();
  }

  #noteChange(message: WireMessage): void {
    for (const exchange of this.#watching.get(message.id) ?? []) {
      if (exchange.originalId === message.id) exchange.noteReply(message);
      else exchange.touch();
    }
  }

  #noteDeletion(messageId: string): void {
    for (const exchange of this.#watching.get(messageId) ?? []) {
      if (exchange.originalId === messageId) exchange.deleted = true;
      exchange.touch();
    }
  }

  #unwatch(exchange: LiveExchange): void {
    for (const id of [exchange.originalId ?? '', ...exchange.followUpIds]) {
      const watching = this.#watching.get(id);
      watching?.delete(exchange);
      if (watching?.size === 0) this.#watching.delete(id);
    }
  }

  #alive(exchange: LiveExchange): boolean {
    return !exchange.expired && this.#world.now() - exchange.startedAt < this.#times.tokenLifeMs;
  }

  #sweep(): void {
    for (const [token, exchange] of this.#byToken) {
      if (this.#byToken.size < KEPT.exchanges && this.#alive(exchange)) break;
      if (exchange.first === undefined) break;
      this.#byToken.delete(token);
      this.#unwatch(exchange);
    }
    if (this.#byToken.size >= KEPT.exchanges) {
      throw new DiscordRefusal(500, 0, 'Too many interactions wait for their first answer');
    }
  }
}

// The public windows of trades: keeps each showing the newest state, whoever writes it and in whatever order that arrives.
import { Routes } from 'discord.js';
import type { REST } from 'discord.js';
import type { App, SettlementView, TradeView } from '../app/app.ts';
import type { Logger } from '../shared/logger.ts';
import { loggable } from './rest-failures.ts';
import { tradeMessage } from './rendering/trade-message.ts';
import { messageBody } from './view.ts';
import type { View } from './view.ts';

type TradeId = TradeView['trade']['tradeId'];

/** Lets an interaction's own answer show a change first: it costs no request of the channel's narrow limit. */
const COALESCE_MS = 250;
/** How many trades are remembered; a forgotten one is shown again at its next change, no more. */
const REMEMBERED_MAX = 5_000;

/**
 * How many edits may wait for Discord, which takes fifty calls with the bot's token a second: beyond it a window stays
 * behind, and the next change or `/trade show` brings it up to date.
 */
const MAX_EDITS_WAITING = 200;

type Place = NonNullable<TradeView['window']>;

interface Window {
  latest: TradeView;
  /** Where the message stands, when this process put it there; else the rows say it. */
  place: Place | undefined;
  /** How far the message has come; -1 when nothing is known about it. */
  shown: number;
  tail: Promise<unknown>;
}

/** Writers of one window go one after the other, and each writes the newest view, so an old one never stays on top. */
export class TradeWindows {
  readonly #app: App;
  readonly #rest: Pick<REST, 'patch'>;
  readonly #logger: Logger;
  readonly #windows = new Map<TradeId, Window>();
  /** One for each trade that has changed. */
  readonly #timers = new Map<TradeId, NodeJS.Timeout>();
  #editsWaiting = 0;
  readonly #unsubscribe: readonly (() => void)[];

  constructor(parts: {
    readonly app: App;
    readonly rest: Pick<REST, 'patch'>;
    readonly logger: Logger;
  }) {
    this.#app = parts.app;
    this.#rest = parts.rest;
    this.#logger = parts.logger;
    this.#unsubscribe = [
      parts.app.onTradeChanged((view) => this.#refreshSoon(view)),
      parts.app.onSettlement((settlement) => this.#followSettlement(settlement)),
    ];
  }

  /** Shows the trade by an interaction's answer: `send` gets the newest view, which may be newer than `view`. */
  present<Result>(view: TradeView, send: (message: View) => Promise<Result>): Promise<Result> {
    const window = this.#note(view);
    return this.#inTurn(window, async () => {
      const progress = progressOf(window.latest);
      const result = await send(tradeMessage(window.latest));
      window.shown = progress;
      return result;
    });
  }

  /** Shows the trade as a new public message, which is its window from now on, also after a restart. */
  async open(view: TradeView, send: (message: View) => Promise<Place | undefined>): Promise<void> {
    const window = this.#note(view);
    const place = await this.present(view, send);
    if (place === undefined) return;
    window.place = place;
    await this.#app.rememberTradeWindow(view.trade.tradeId, place);
  }

  /** Brings up to date the windows of trades that ended while no process of ours was on Discord. */
  async catchUp(): Promise<void> {
    for (const view of await this.#app.listEndedTrades()) await this.refresh(view);
  }

  /** Brings the public message up to date through its channel. @returns false when there is no message to edit. */
  refresh(view: TradeView): Promise<boolean> {
    const window = this.#note(view);
    return this.#inTurn(window, async () => {
      const { latest } = window;
      const progress = progressOf(latest);
      const place = window.place ?? latest.window;
      if (place === undefined) return false;
      if (window.shown >= progress) return true;
      const isEdited = await this.#edit(latest, place);
      if (isEdited) window.shown = progress;
      return isEdited;
    });
  }

  /** Stops listening, and resolves when the edits under way are through. */
  async close(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    await Promise.all([...this.#windows.values()].map((window) => window.tail));
  }

  #note(view: TradeView): Window {
    const { tradeId } = view.trade;
    const known = this.#windows.get(tradeId);
    this.#windows.delete(tradeId);
    const window = known ?? {
      latest: view,
      place: undefined,
      shown: -1,
      tail: Promise.resolve(),
    };
    if (progressOf(view) >= progressOf(window.latest)) window.latest = view;
    this.#windows.set(tradeId, window);
    const [oldest] = this.#windows.keys();
    if (this.#windows.size > REMEMBERED_MAX && oldest !== undefined) this.#windows.delete(oldest);
    return window;
  }

  #inTurn<Result>(window: Window, task: () => Promise<Result>): Promise<Result> {
    const turn = window.tail.then(task);
    // The next writer waits for this one whatever became of it; its own caller gets the failure.
    window.tail = turn.catch(() => undefined);
    return turn;
  }

  async #edit(view: TradeView, at: Place): Promise<boolean> {
    const { body } = messageBody(tradeMessage(view));
    if (this.#editsWaiting >= MAX_EDITS_WAITING) return false;
    this.#editsWaiting += 1;
    try {
      await this.#rest.patch(Routes.channelMessage(at.channelId, at.messageId), { body });
      return true;
    } catch (error) {
      // Deleted, no access, or too many edits of an old message: the rows are right, only this view stays behind.
      const facts = { tradeId: view.trade.tradeId, error: loggable(error) };
      this.#logger.info(facts, 'A trade window could not be edited.');
      return false;
    } finally {
      this.#editsWaiting -= 1;
    }
  }

  #refreshSoon(view: TradeView): void {
    const { tradeId } = view.trade;
    this.#note(view);
    if (this.#timers.has(tradeId)) return;
    const timer = setTimeout(() => {
      this.#timers.delete(tradeId);
      this.refresh(view).catch((error: unknown) => this.#logFault(tradeId, error));
    }, COALESCE_MS);
    this.#timers.set(tradeId, timer);
  }

  #followSettlement({ tradeId }: SettlementView): void {
    if (tradeId === null) return;
    this.#app
      .getTrade(tradeId)
      .then((view) => this.#refreshSoon(view))
      .catch((error: unknown) => this.#logFault(tradeId, error));
  }

  #logFault(tradeId: TradeId, error: unknown): void {
    this.#logger.error({ tradeId, error: loggable(error) }, 'A trade window was not refreshed.');
  }
}

/** Grows with every change of a trade: its version, then its state, then the locks and confirmations. */
function progressOf({ trade }: TradeView): number {
  const agreed = trade.sides
    .flatMap((side) => [side.locked, side.confirmed])
    .filter(Boolean).length;
  return trade.version * 100 + STATE_RANK[trade.state] * 10 + agreed;
}

const STATE_RANK: Readonly<Record<TradeView['trade']['state'], number>> = {
  open: 0,
  settling: 1,
  settled: 2,
  cancelled: 2,
  expired: 2,
  failed: 2,
};

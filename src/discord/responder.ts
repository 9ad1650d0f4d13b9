// The one way in which an interaction is answered: it knows what was said already, so nothing is acknowledged twice.
import { setTimeout as delay } from 'node:timers/promises';
import type { APIModalInteractionResponseCallbackData } from 'discord.js';
import type { SettlementId } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import { measure, secondsSince } from '../shared/measurements.ts';
import type { InteractionAddress, InteractionCalls, MessageRef } from './interaction-calls.ts';
import { failureOf, loggable } from './rest-failures.ts';
import { messageBody } from './view.ts';
import type { View } from './view.ts';

/** Who sees a command's answer. Discord fixes it with the first response, so a command declares it up front. */
export type Visibility = 'public' | 'ephemeral';

export interface ResponderTimes {
  /** When nothing was answered by then, the responder defers on its own; Discord allows 3 s, network included. */
  readonly deferAfterMs: number;
  /** How long a member waits for the first answer; Discord takes none after 3 s. */
  readonly answerByMs: number;
  /** How long the interaction's token can be used; 15 minutes at Discord, less a margin. */
  readonly tokenLifeMs: number;
  /** How long anything is sent again that Discord may have lost. */
  readonly retryEditsMs: number;
}

export const RESPONDER_TIMES: ResponderTimes = {
  deferAfterMs: 1_500,
  answerByMs: 2_800,
  tokenLifeMs: 14.5 * 60_000,
  retryEditsMs: 60_000,
};

/** The pause before a call whose fate is unclear is sent again; each is twice as long as the one before. */
const RETRY_BASE_MS = 50;
const RETRY_MAX_MS = 5_000;

/** Where the main answer goes: a new message of the given visibility, or the message that carries the component. */
export type AnswerPlace = Visibility | 'carrier';

/**
 * - `nothing`: not acknowledged yet.
 * - `deferred`: acknowledged, the main answer is still to come.
 * - `shown`: the main answer stands.
 * - `aside`: the first response was an ephemeral message or a modal beside the main answer, which is thereby spent.
 * - `lost`: Discord will not take more for this interaction; all that is left is the log.
 */
type State = 'nothing' | 'deferred' | 'shown' | 'aside' | 'lost';

/** Answers one interaction. Its methods run one after the other, in the order of the calls. */
export class Responder {
  readonly #calls: InteractionCalls;
  readonly #to: InteractionAddress;
  readonly #place: AnswerPlace;
  readonly #action: string;
  readonly #logger: Logger;
  readonly #times: ResponderTimes;
  readonly #onAnswered: () => void;
  /** When the member acted, as far as it is known, in ms of `performance.now()`. */
  readonly #startedAt: number;
  readonly #timer: NodeJS.Timeout;
  #settlementId: SettlementId | undefined;
  #state: State = 'nothing';
  #tail: Promise<unknown> = Promise.resolve();

  constructor(parts: {
    readonly calls: InteractionCalls;
    readonly to: InteractionAddress;
    readonly place: AnswerPlace;
    /** What the member did, in one of few words, for the metrics. */
    readonly action: string;
    readonly logger: Logger;
    readonly times: ResponderTimes;
    /** How old the interaction is already. */
    readonly ageMs: number;
    /** Called once, when nobody waits for an answer any more. */
    readonly onAnswered: () => void;
  }) {
    this.#onAnswered = once(parts.onAnswered);
    this.#startedAt = performance.now() - parts.ageMs;
    this.#calls = parts.calls;
    this.#to = parts.to;
    this.#place = parts.place;
    this.#action = parts.action;
    this.#logger = parts.logger;
    this.#times = parts.times;
    this.#timer = setTimeout(
      () => {
        this.defer().catch((error: unknown) => {
          this.#logger.error(this.#factsOf(error), 'The interaction could not be deferred.');
        });
      },
      Math.max(0, parts.times.deferAfterMs - parts.ageMs),
    );
  }

  /** Whether Discord will take nothing more for this interaction. */
  get isLost(): boolean {
    return this.#state === 'lost';
  }

  /** What every line in the log about this interaction carries. */
  get facts(): { readonly interactionId: string; readonly settlementId?: SettlementId } {
    const settlementId = this.#settlementId;
    return { interactionId: this.#to.id, ...(settlementId !== undefined && { settlementId }) };
  }

  /** The answer is about this settlement, which its lines in the log name from now on. */
  concerns(settlementId: SettlementId): void {
    this.#settlementId = settlementId;
  }

  /** How long the caller may still wait, at most `wishMs`, and give a direct answer without a deferral before it. */
  patienceMs(wishMs: number): number {
    if (this.#state !== 'nothing') return wishMs;
    // The margin leaves the direct answer time to be rendered and sent before the timer defers.
    const leftMs = this.#times.deferAfterMs - (performance.now() - this.#startedAt) - 100;
    return Math.max(0, Math.min(wishMs, leftMs));
  }

  /** How long the main answer can still be edited. */
  tokenMsLeft(): number {
    return Math.max(0, this.#times.tokenLifeMs - (performance.now() - this.#startedAt));
  }

  /** Acknowledges without content, unless something was said already. Done by itself when the work takes long. */
  defer(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#state !== 'nothing') return;
      await this.#first('deferred', () =>
        this.#place === 'carrier'
          ? this.#calls.deferUpdate(this.#to)
          : this.#calls.deferReply(this.#to, this.#place === 'ephemeral'),
      );
    });
  }

  /**
   * Shows the main answer: the first time as a reply (or an update of the carrier), from then on as an edit of it.
   * @returns where the message stands, when `locate` was asked for and Discord said it.
   */
  show(view: View, options: { readonly locate?: boolean } = {}): Promise<MessageRef | undefined> {
    const message = messageBody(view);
    return this.#inTurn(async () => {
      if (this.#state === 'aside') throw new Error('The main answer of this interaction is spent.');
      if (this.#state === 'deferred' || this.#state === 'shown') {
        return this.#edit(() => this.#calls.editOriginal(this.#to, message));
      }
      if (this.#state === 'lost') return undefined;
      const locate = options.locate ?? false;
      const ephemeral = this.#place === 'ephemeral';
      const send = async (): Promise<MessageRef | undefined> => {
        if (this.#place !== 'carrier') {
          return this.#calls.reply(this.#to, message, { ephemeral, locate });
        }
        await this.#calls.update(this.#to, message);
        return undefined;
      };
      // What stands there may be what a delivery before a restart said: a refusal of what was possible since.
      return this.#first('shown', send, () => this.#calls.editOriginal(this.#to, message));
    });
  }

  /**
   * Says something to the acting member only, beside the main answer.
   *
   * A command that was deferred in public has no main answer yet, and a follow-up would fill the public "thinking…": so
   * that one is deleted first, and what concerns one member is not read by all.
   */
  whisper(view: View): Promise<void> {
    const message = messageBody(view);
    return this.#inTurn(async () => {
      if (this.#state === 'lost') return;
      if (this.#state === 'nothing') {
        const options = { ephemeral: true, locate: false };
        await this.#first('aside', () => this.#calls.reply(this.#to, message, options));
        return;
      }
      if (this.#state === 'deferred' && this.#place === 'ephemeral') {
        await this.#edit(() => this.#calls.editOriginal(this.#to, message));
        return;
      }
      if (this.#state === 'deferred' && this.#place === 'public') {
        await this.#edit(() => this.#calls.deleteOriginal(this.#to), 'aside');
      }
      // Read twice it does no harm; not read at all it leaves the member with nothing.
      await this.#edit(
        () => this.#calls.followUp(this.#to, message, { ephemeral: true }),
        this.#state,
      );
    });
  }

  /** Posts a further public message below the main answer. @returns where it stands, undefined when nobody can be told. */
  post(view: View): Promise<MessageRef | undefined> {
    const message = messageBody(view);
    return this.#inTurn(async () => {
      if (this.#state === 'nothing' || this.#state === 'deferred') {
        throw new Error('A further message needs a main answer before it.');
      }
      if (this.#state === 'lost') return undefined;
      return this.#further(() => this.#calls.followUp(this.#to, message, { ephemeral: false }));
    });
  }

  /** Opens a modal; that can only be the first response. @returns false when it is too late for one. */
  modal(modal: APIModalInteractionResponseCallbackData): Promise<boolean> {
    return this.#inTurn(async () => {
      if (this.#state !== 'nothing') return false;
      await this.#first('aside', () => this.#calls.showModal(this.#to, modal));
      return true;
    });
  }

  /** Ends the timer; the handler is through. */
  finish(): void {
    clearTimeout(this.#timer);
    this.#onAnswered();
  }

  #inTurn<Result>(task: () => Promise<Result>): Promise<Result> {
    const turn = this.#tail.then(task);
    // The next call waits for this one whatever became of it; its own caller gets the failure.
    this.#tail = turn.catch(() => undefined);
    return turn;
  }

  /**
   * Sends the first response. When its fate is unclear it is sent again: Discord takes only one, so 40060 then says
   * that an earlier attempt, or another delivery of the same interaction, has answered. To learn that is worth as much
   * time as an edit, though Discord has told the member long before that nobody answered: else a deferral that did
   * arrive would stand at "thinking…" for ever.
   * @param bringUpToDate what to do with the answer that stands already.
   */
  async #first<Result>(
    next: State,
    send: () => Promise<Result>,
    bringUpToDate?: () => Promise<Result>,
  ): Promise<Result | undefined> {
    const waitsMs = Math.max(0, this.#startedAt + this.#times.answerByMs - performance.now());
    const noLonger = setTimeout(this.#onAnswered, waitsMs);
    try {
      const result = await persist(send, performance.now() + this.#retryMs());
      this.#answered(next);
      return result;
    } catch (error) {
      const failure = failureOf(error);
      if (failure === 'refused') throw error;
      this.#answered(failure === 'acknowledged' ? next : 'lost');
      this.#cannotTell(error);
      if (failure !== 'acknowledged' || bringUpToDate === undefined) return undefined;
    } finally {
      clearTimeout(noLonger);
    }
    return await this.#edit(bringUpToDate);
  }

  /** Edits or deletes the main answer, or whispers; repeating any of them does no harm. */
  async #edit<Result>(
    send: () => Promise<Result>,
    next: State = 'shown',
  ): Promise<Result | undefined> {
    try {
      const result = await persist(send, performance.now() + this.#retryMs());
      this.#answered(next);
      return result;
    } catch (error) {
      const failure = failureOf(error);
      if (failure === 'refused') throw error;
      if (failure === 'gone') this.#answered('lost');
      this.#cannotTell(error);
      return undefined;
    }
  }

  /** Sends a public follow-up, never twice: a second one would be a second message. */
  async #further(send: () => Promise<MessageRef>): Promise<MessageRef | undefined> {
    try {
      return await send();
    } catch (error) {
      if (failureOf(error) === 'refused') throw error;
      this.#cannotTell(error);
      return undefined;
    }
  }

  #retryMs(): number {
    return Math.min(this.#times.retryEditsMs, this.tokenMsLeft());
  }

  #answered(next: State): void {
    this.#state = next;
    clearTimeout(this.#timer);
    if (next !== 'deferred') this.#onAnswered();
    if (next === 'lost') return;
    measure('answer', { action: this.#action, seconds: secondsSince(this.#startedAt) });
  }

  /** What was booked stays booked: an answer that did not arrive is no reason to undo anything, or to do it again. */
  #cannotTell(error: unknown): void {
    // After a lost answer that is the usual way to learn that it was there.
    const log = failureOf(error) === 'acknowledged' ? 'debug' : 'warn';
    this.#logger[log](this.#factsOf(error), 'The member may not have been told.');
  }

  #factsOf(error: unknown): object {
    return { ...this.facts, state: this.#state, error: loggable(error) };
  }
}

/** Sends again what Discord may have lost, with growing pauses, as long as it ends before `untilAt`. */
async function persist<Result>(send: () => Promise<Result>, untilAt: number): Promise<Result> {
  for (let pauseMs = RETRY_BASE_MS; ; pauseMs = Math.min(2 * pauseMs, RETRY_MAX_MS)) {
    try {
      return await send();
    } catch (error) {
      if (failureOf(error) !== 'unclear' || performance.now() + pauseMs > untilAt) throw error;
      await delay(pauseMs);
    }
  }
}

function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) act();
    isDone = true;
  };
}

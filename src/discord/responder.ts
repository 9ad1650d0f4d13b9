// The one way in which an interaction is answered: it knows what was said already, so nothing is acknowledged twice.
import type { APIModalInteractionResponseCallbackData } from 'discord.js';
import type { Logger } from '../shared/logger.ts';
import type { InteractionAddress, InteractionCalls, MessageRef } from './interaction-calls.ts';
import { failureOf, loggable } from './rest-failures.ts';
import { messageBody } from './view.ts';
import type { View } from './view.ts';

/** Who sees a command's answer. Discord fixes it with the first response, so a command declares it up front. */
export type Visibility = 'public' | 'ephemeral';

export interface ResponderTimes {
  /** When nothing was answered by then, the responder defers on its own; Discord allows 3 s, network included. */
  readonly deferAfterMs: number;
  /** How long the interaction's token can be used; 15 minutes at Discord, less a margin. */
  readonly tokenLifeMs: number;
}

export const RESPONDER_TIMES: ResponderTimes = {
  deferAfterMs: 1_500,
  tokenLifeMs: 14.5 * 60_000,
};

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
  readonly #logger: Logger;
  readonly #times: ResponderTimes;
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  #state: State = 'nothing';
  #tail: Promise<unknown> = Promise.resolve();

  constructor(parts: {
    readonly calls: InteractionCalls;
    readonly to: InteractionAddress;
    readonly place: AnswerPlace;
    readonly logger: Logger;
    readonly times: ResponderTimes;
  }) {
    this.#calls = parts.calls;
    this.#to = parts.to;
    this.#place = parts.place;
    this.#logger = parts.logger;
    this.#times = parts.times;
    this.#timer = setTimeout(() => {
      this.defer().catch((error: unknown) => {
        this.#logger.error(this.#facts(error), 'The interaction could not be deferred.');
      });
    }, parts.times.deferAfterMs);
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
      return this.#first('shown', async () => {
        if (this.#place !== 'carrier') {
          return this.#calls.reply(this.#to, message, { ephemeral, locate });
        }
        await this.#calls.update(this.#to, message);
        return undefined;
      });
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
      await this.#further(() => this.#calls.followUp(this.#to, message, { ephemeral: true }));
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
  }

  #inTurn<Result>(task: () => Promise<Result>): Promise<Result> {
    const turn = this.#tail.then(task);
    // The next call waits for this one whatever became of it; its own caller gets the failure.
    this.#tail = turn.catch(() => undefined);
    return turn;
  }

  /**
   * Sends the first response. When its fate is unclear it is sent once more: Discord takes only one, so 40060 then says
   * that the first attempt, or another delivery of the same interaction, has answered.
   */
  async #first<Result>(
    next: State,
    send: () => Promise<Result>,
    isRepeat = false,
  ): Promise<Result | undefined> {
    try {
      const result = await send();
      this.#answered(next);
      return result;
    } catch (error) {
      const failure = failureOf(error);
      if (failure === 'refused') throw error;
      if (failure === 'unclear' && !isRepeat) return this.#first(next, send, true);
      const isAnswered = failure === 'acknowledged';
      this.#answered(isAnswered ? next : 'lost');
      this.#cannotTell(error);
      return undefined;
    }
  }

  /** Edits or deletes the main answer; repeating either does no harm. */
  async #edit<Result>(
    send: () => Promise<Result>,
    next: State = 'shown',
    isRepeat = false,
  ): Promise<Result | undefined> {
    try {
      const result = await send();
      this.#state = next;
      return result;
    } catch (error) {
      const failure = failureOf(error);
      if (failure === 'refused') throw error;
      if (failure === 'unclear' && !isRepeat) return this.#edit(send, next, true);
      if (failure === 'gone') this.#state = 'lost';
      this.#cannotTell(error);
      return undefined;
    }
  }

  /** Sends a follow-up, never twice: a second one would be a second message. */
  async #further(send: () => Promise<MessageRef>): Promise<MessageRef | undefined> {
    try {
      return await send();
    } catch (error) {
      if (failureOf(error) === 'refused') throw error;
      this.#cannotTell(error);
      return undefined;
    }
  }

  #answered(next: State): void {
    this.#state = next;
    clearTimeout(this.#timer);
  }

  /** What was booked stays booked: an answer that did not arrive is no reason to undo anything, or to do it again. */
  #cannotTell(error: unknown): void {
    this.#logger.warn(this.#facts(error), 'The member may not have been told.');
  }

  #facts(error: unknown): object {
    return { interactionId: this.#to.id, state: this.#state, error: loggable(error) };
  }
}

// The router of every interaction: it finds the handler, owns the errors, and lets running work end when the bot stops.
import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type {
  AutocompleteInteraction,
  ChatInputCommandInteraction,
  Interaction,
  MessageComponentInteraction,
  ModalSubmitInteraction,
} from 'discord.js';
import { AppError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { measure, secondsSince, type Measurements } from '../shared/measurements.ts';
import type { IdempotencyKey } from '../shared/ids.ts';
import type { Person } from '../app/app.ts';
import { assetChoices } from './asset-option.ts';
import { visibilityOf } from './command.ts';
import type { Call, Command, ComponentHandler, Services } from './command.ts';
import { parseCustomId } from './custom-id.ts';
import type { InteractionAddress, InteractionCalls } from './interaction-calls.ts';
import { memberIdOf, personOf } from './people.ts';
import {
  faultMessage,
  ONLY_IN_A_GUILD,
  refusalMessage,
  STOPPING,
  UNKNOWN_COMMAND,
  UNKNOWN_COMPONENT,
} from './rendering/error-words.ts';
import { Responder } from './responder.ts';
import type { AnswerPlace, ResponderTimes } from './responder.ts';
import { failureOf, loggable } from './rest-failures.ts';

/** Discord shows "loading options failed" after 3 s; an empty list is better, and leaves the member typing. */
const AUTOCOMPLETE_MS = 2_000;
/** How many interactions are remembered: Discord delivers again what came shortly before a connection broke. */
const REMEMBERED_MAX = 20_000;
/** How many members may wait for an answer at once; who comes then is told at once that too much is waiting. */
export const MAX_UNANSWERED = 400;
/** How many autocompletions are searched at once; more get no choices, and the member types on. */
const MAX_AUTOCOMPLETIONS = 100;
/**
 * An interaction that comes later than this, after a broken connection, is acknowledged before anything is done for it:
 * Discord has told its member already, or is about to, that the bot did not respond, and then nothing may be charged.
 */
const LATE_MS = 1_000;
/** How long at most the work of others waits for such an acknowledgement. */
const URGENT_MS = 500;

interface Parts {
  readonly commands: readonly Command[];
  readonly services: Services;
  readonly calls: InteractionCalls;
  readonly logger: Logger;
  readonly times: ResponderTimes;
  /** How many members may wait for an answer at once. */
  readonly maxUnanswered: number;
}

type Submission = MessageComponentInteraction | ModalSubmitInteraction;
type Acting = ChatInputCommandInteraction | Submission;

/** Routes interactions. {@link Dispatcher.dispatch} never throws and never rejects. */
export class Dispatcher {
  readonly #parts: Parts;
  readonly #commands: ReadonlyMap<string, Command>;
  readonly #components: ReadonlyMap<string, ComponentHandler>;
  readonly #running = new Map<string, Promise<void>>();
  readonly #taken = new Set<string>();
  readonly #stopping = new AbortController();
  #unanswered = 0;
  #autocompletions = 0;
  /** Acknowledgements of late interactions that are on their way, and the work that waits for them. */
  #urgent = 0;
  readonly #held: (() => void)[] = [];

  constructor(parts: Parts) {
    this.#parts = parts;
    // One for each member who waits for the chain, and no leak: there is a limit to how many those are.
    setMaxListeners(0, this.#stopping.signal);
    this.#commands = new Map(parts.commands.map((command) => [command.name, command]));
    this.#components = new Map(
      parts.commands.flatMap((command) => Object.entries(command.components ?? {})),
    );
  }

  /**
   * Takes one interaction. A second delivery is dropped: the first answers it. What moves value is safe from repeats in
   * the database as well; but "cancel my trade", taken once more, would mean the member's next trade.
   */
  dispatch(interaction: Interaction): void {
    const { id } = interaction;
    if (this.#taken.has(id)) return;
    this.#remember(id);
    const work = this.#route(interaction)
      .catch((error: unknown) => {
        const facts = { interactionId: id, error: loggable(error) };
        this.#parts.logger.error(facts, 'An interaction could not be answered.');
      })
      .finally(() => this.#running.delete(id));
    this.#running.set(id, work);
  }

  #remember(id: string): void {
    this.#taken.add(id);
    const [oldest] = this.#taken;
    if (this.#taken.size > REMEMBERED_MAX && oldest !== undefined) this.#taken.delete(oldest);
  }

  /** Takes nothing new and waits for what runs, at most `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping.abort();
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([Promise.all(this.#running.values()), timeout]);
    clearTimeout(timer);
    if (this.#running.size > 0) {
      const facts = { interactions: [...this.#running.keys()] };
      this.#parts.logger.warn(facts, 'Some interactions did not end in time.');
    }
  }

  async #route(interaction: Interaction): Promise<void> {
    if (interaction.isAutocomplete()) return this.#autocomplete(interaction);
    if (interaction.isChatInputCommand()) return this.#command(interaction);
    if (interaction.isMessageComponent() || interaction.isModalSubmit()) {
      return this.#component(interaction);
    }
    this.#parts.logger.warn({ type: interaction.type }, 'An interaction of a foreign kind came.');
  }

  async #command(interaction: ChatInputCommandInteraction): Promise<void> {
    const command = this.#commands.get(interaction.commandName);
    const subcommand = interaction.options.getSubcommand(false) ?? undefined;
    const place = command === undefined ? 'ephemeral' : visibilityOf(command, subcommand);
    const action = actionOf(command, subcommand);
    await this.#handle(interaction, { place, action }, async (call) => {
      if (command === undefined) return call.respond.whisper(UNKNOWN_COMMAND);
      const { options } = interaction;
      const findPerson = (name: string): Person | undefined => {
        const user = options.getUser(name);
        const { people } = this.#parts.services;
        return user === null ? undefined : people.remember(personOf(user, options.getMember(name)));
      };
      const person = (name: string): Person => {
        const found = findPerson(name);
        if (found === undefined) throw new Error(`The required option ${name} is missing.`);
        return found;
      };
      await command.execute({ ...call, options, person, findPerson }, this.#parts.services);
    });
  }

  async #component(interaction: Submission): Promise<void> {
    const id = parseCustomId(interaction.customId);
    const handler = id === undefined ? undefined : this.#components.get(id.kind);
    const isOnMessage = interaction.isMessageComponent() || interaction.isFromMessage();
    const place = isOnMessage ? 'carrier' : 'ephemeral';
    // The kind of a handler that there is: nobody but us makes new words for a metric.
    const action = handler === undefined ? 'unknown' : (id?.kind ?? 'unknown');
    await this.#handle(interaction, { place, action }, async (call) => {
      if (id === undefined || handler === undefined) return call.respond.whisper(UNKNOWN_COMPONENT);
      const values = interaction.isStringSelectMenu() ? interaction.values : [];
      const field = (name: string): string =>
        interaction.isModalSubmit() ? interaction.fields.getTextInputValue(name) : '';
      await handler({ ...call, id, values, field }, this.#parts.services);
    });
  }

  /** Runs a handler with its responder, and tells the member what went wrong. */
  async #handle(
    interaction: Acting,
    kind: { readonly place: AnswerPlace; readonly action: string },
    work: (call: Call) => Promise<void>,
  ): Promise<void> {
    const { calls, logger, times, services } = this.#parts;
    const startedAt = performance.now();
    const isTooMuch = this.#unanswered >= this.#parts.maxUnanswered;
    this.#unanswered += 1;
    const ageMs = ageOf(interaction, times);
    const onAnswered = (): void => void (this.#unanswered -= 1);
    const to = addressOf(interaction);
    const respond = new Responder({ calls, logger, times, ...kind, to, ageMs, onAnswered });
    const what = nameOf(interaction);
    logger.debug({ ...respond.facts, what }, 'An interaction came.');
    let result: Measurements['interaction']['result'] = 'turned-away';
    try {
      if (this.#stopping.signal.aborted) {
        await respond.whisper(STOPPING);
        return;
      }
      if (!interaction.inGuild()) {
        await respond.whisper(ONLY_IN_A_GUILD);
        return;
      }
      if (isTooMuch) throw new AppError('QUEUE_FULL');
      if (ageMs >= times.answerByMs) await respond.defer();
      else if (ageMs > LATE_MS) await this.#deferFirst(respond);
      if (respond.isLost) return;
      await this.#urgentOver();
      await work({
        // SAFETY: a brand only; an interaction's id is unique at Discord.
        key: `interaction:${interaction.id}` as IdempotencyKey,
        member: services.people.remember(personOf(interaction.user, interaction.member)),
        respond,
        stopping: this.#stopping.signal,
      });
      result = 'done';
      logger.debug({ ...respond.facts, what }, 'An interaction is done.');
    } catch (error) {
      result = error instanceof AppError ? 'refused' : 'broken';
      await this.#tellError(what, respond, error);
    } finally {
      respond.finish();
      const { action } = kind;
      measure('interaction', { action, result, seconds: secondsSince(startedAt) });
    }
  }

  /**
   * After a broken connection Discord delivers at once what came in seconds, and of each it takes an acknowledgement for
   * the rest of its three seconds only: they all go out before any work is done.
   */
  async #deferFirst(respond: Responder): Promise<void> {
    this.#urgent += 1;
    let isOver = false;
    const over = (): void => {
      if (isOver) return;
      isOver = true;
      this.#urgent -= 1;
      if (this.#urgent === 0) for (const go of this.#held.splice(0)) go();
    };
    const patience = setTimeout(over, URGENT_MS);
    try {
      await respond.defer();
    } finally {
      clearTimeout(patience);
      over();
    }
  }

  async #urgentOver(): Promise<void> {
    if (this.#urgent > 0) await new Promise<void>((go) => this.#held.push(go));
  }

  async #tellError(what: string, respond: Responder, error: unknown): Promise<void> {
    const { logger } = this.#parts;
    const facts = { ...respond.facts, what };
    if (error instanceof AppError) {
      measure('refusal', { edge: 'discord', code: error.code });
      const log = error.kind === 'damaged' || error.kind === 'unavailable' ? 'warn' : 'debug';
      logger[log]({ ...facts, code: error.code }, 'An interaction was refused.');
      return respond.whisper(refusalMessage(error));
    }
    measure('fault', { edge: 'discord' });
    const ref = randomBytes(2).toString('hex').toUpperCase();
    logger.error({ ...facts, ref, error: loggable(error) }, 'An interaction broke.');
    await respond.whisper(faultMessage(ref));
  }

  async #autocomplete(interaction: AutocompleteInteraction): Promise<void> {
    const { calls, logger, services } = this.#parts;
    const startedAt = performance.now();
    const command = this.#commands.get(interaction.commandName);
    const search = async (): Promise<ReturnType<typeof assetChoices>> => {
      if (command?.autocomplete === undefined || this.#stopping.signal.aborted) return [];
      if (this.#autocompletions > MAX_AUTOCOMPLETIONS) throw new AppError('QUEUE_FULL');
      const call = {
        memberId: memberIdOf(interaction.user.id),
        subcommand: interaction.options.getSubcommand(false) ?? undefined,
        text: interaction.options.getFocused(),
      };
      return assetChoices(await command.autocomplete(call, services));
    };
    const facts = { interactionId: interaction.id, command: interaction.commandName };
    this.#autocompletions += 1;
    const searched = search().finally(() => (this.#autocompletions -= 1));
    const choices = await withinTime(searched).catch((error: unknown) => {
      const log = error instanceof AppError ? 'debug' : 'error';
      logger[log]({ ...facts, error: loggable(error) }, 'An autocompletion gave nothing.');
      return [];
    });
    try {
      await calls.sendChoices(addressOf(interaction), choices);
      const action = `autocomplete ${actionOf(command)}`;
      measure('answer', { action, seconds: secondsSince(startedAt) });
    } catch (error) {
      // Members type on, and Discord drops the older question: nobody misses this answer.
      const log = failureOf(error) === 'refused' ? 'error' : 'debug';
      logger[log]({ ...facts, error: loggable(error) }, 'Choices were not delivered.');
    }
  }
}

/** The choices, or none when they are not there in time. */
async function withinTime<Item>(search: Promise<readonly Item[]>): Promise<readonly Item[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly Item[]>((resolve) => {
    timer = setTimeout(() => resolve([]), AUTOCOMPLETE_MS);
  });
  try {
    return await Promise.race([search, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** How long ago the member acted, by our clock; one that is ahead makes us acknowledge sooner. */
function ageOf({ createdTimestamp }: Acting, { answerByMs }: ResponderTimes): number {
  return Math.min(Math.max(0, Date.now() - createdTimestamp), answerByMs);
}

function addressOf({ id, applicationId, token }: InteractionAddress): InteractionAddress {
  return { id, applicationId, token };
}

/** What a member did, for the metrics: only words that commands of ours brought. */
function actionOf(command: Command | undefined, subcommand?: string): string {
  if (command === undefined) return '/unknown';
  return `/${command.name}${subcommand === undefined ? '' : ` ${subcommand}`}`;
}

function nameOf(interaction: Acting): string {
  return interaction.isChatInputCommand() ? `/${interaction.commandName}` : interaction.customId;
}

// The staff's channel: says there what froze, thawed or was rewritten, each change once and in no hurry to fail.
import { Routes, type REST } from 'discord.js';
import type { Alarm, App } from '../app/app.ts';
import type { Logger } from '../shared/logger.ts';
import { alarmsMessage } from './rendering/alarms-message.ts';
import { loggable } from './rest-failures.ts';
import { messageBody } from './view.ts';

interface StaffChannelOptions {
  readonly app: Pick<App, 'listAlarms' | 'onAlarmsLooked'>;
  readonly rest: Pick<REST, 'get' | 'post'>;
  readonly channelId: string;
  readonly logger: Logger;
}

/**
 * Compares what is off with what the channel was told of, at the start and whenever the app has looked. What could not be
 * sent is therefore told at the next audit, as things stand then. A message whose answer was lost may come twice.
 */
export class StaffChannel {
  readonly #options: StaffChannelOptions;
  readonly #unsubscribe: () => void;
  #told: ReadonlyMap<string, Alarm> = new Map();
  #tail: Promise<void> = Promise.resolve();

  constructor(options: StaffChannelOptions) {
    this.#options = options;
    this.#unsubscribe = options.app.onAlarmsLooked(() => this.#tellSoon());
  }

  /** Says in the log when the bot cannot see the channel: better now than at the first alarm. */
  start(): void {
    const { rest, channelId } = this.#options;
    this.#inTurn(async () => {
      await rest.get(Routes.channel(channelId));
    });
    this.#tellSoon();
  }

  /** Stops listening, and resolves when the message under way is through. */
  async close(): Promise<void> {
    this.#unsubscribe();
    await this.#tail;
  }

  #tellSoon(): void {
    this.#inTurn(() => this.#tell());
  }

  #inTurn(work: () => Promise<void>): void {
    const { channelId, logger } = this.#options;
    this.#tail = this.#tail.then(work).catch((error: unknown) => {
      const facts = { channelId, error: loggable(error) };
      logger.error(
        facts,
        'The staff channel could not be used; look at the id and the rights there.',
      );
    });
  }

  async #tell(): Promise<void> {
    const { app, rest, channelId } = this.#options;
    const now = new Map(app.listAlarms().map((alarm) => [alarm.subject, alarm]));
    const begun = [...now.values()].filter(({ subject, id }) => this.#told.get(subject)?.id !== id);
    const ended = [...this.#told.values()].filter(({ subject }) => !now.has(subject));
    if (begun.length + ended.length === 0) return;
    const { body } = messageBody(alarmsMessage(begun, ended));
    await rest.post(Routes.channelMessages(channelId), { body });
    this.#told = now;
  }
}

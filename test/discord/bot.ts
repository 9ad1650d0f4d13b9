// Connects the real Discord edge, with the real commands, to a stand-in.
import type { Client } from 'discord.js';
import type { App } from '../../src/app/app.ts';
import { startDiscord } from '../../src/discord/client.ts';
import type { DiscordOptions } from '../../src/discord/client.ts';
import { loadCommands } from '../../src/discord/load-commands.ts';
import type { Logger } from '../../src/shared/logger.ts';
import type { StandInOptions } from '../../src/playground/api.ts';
import { FakeApp } from '../support/fake-app.ts';
import { withStandIn } from '../support/discord-stand-in.ts';
import type { Stage } from '../support/discord-stand-in.ts';

export interface LogLine {
  readonly level: keyof Logger;
  readonly facts: object;
  readonly message: string;
}

/** A logger that keeps its lines. */
export function keepingLogger(): Logger & { readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = [];
  const keep =
    (level: keyof Logger) =>
    (facts: object, message: string): void => {
      lines.push({ level, facts, message });
    };
  return {
    lines,
    debug: keep('debug'),
    info: keep('info'),
    warn: keep('warn'),
    error: keep('error'),
  };
}

export interface BotStage<AppKind extends App> extends Stage {
  readonly app: AppKind;
  readonly log: readonly LogLine[];
  /** The bot's client, for what a test does behind the back of the edge. */
  readonly client: () => Client<true>;
  /** Stops the bot and starts another one on the same app, as a restart does. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

interface StageOptions extends StandInOptions {
  readonly staffChannelId?: string;
  readonly times?: DiscordOptions['times'];
  readonly maxUnanswered?: number;
}

/** Runs a test with a bot on a stand-in; what Discord would have refused fails the test. */
export async function withBotOn<AppKind extends App>(
  app: AppKind,
  run: (stage: BotStage<AppKind>) => Promise<void>,
  { times, maxUnanswered, staffChannelId, ...standInOptions }: StageOptions = {},
): Promise<void> {
  const commands = await loadCommands();
  const logger = keepingLogger();
  await withStandIn(async (stage) => {
    const { standIn } = stage;
    const start = (): ReturnType<typeof startDiscord> =>
      startDiscord({
        ...{ token: standIn.token, apiUrl: standIn.url, guildId: standIn.guildId },
        ...{ commands, app, logger, staffChannelId },
        ...(times === undefined ? {} : { times }),
        ...(maxUnanswered === undefined ? {} : { maxUnanswered }),
      });
    let connection = await start();
    await standIn.botReady({ command: 'trade' });
    const stop = (): Promise<void> => connection.close();
    const restart = async (): Promise<void> => {
      await stop();
      connection = await start();
      await standIn.botReady();
    };
    try {
      const client = (): Client<true> => connection.client;
      await run({ ...stage, app, log: logger.lines, client, restart, stop });
    } finally {
      await stop();
    }
  }, standInOptions);
}

/** The same with an app in memory. */
export function withBot(
  run: (stage: BotStage<FakeApp>) => Promise<void>,
  options: StageOptions = {},
): Promise<void> {
  return withBotOn(new FakeApp(), run, options);
}

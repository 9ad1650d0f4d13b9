// The whole program: opens every part in order, and stops them in reverse.
import { openApp, type OpenApp } from './app/open-app.ts';
import type { Config } from './config.ts';
import { Closers, dataFiles, openCore, type Core } from './core.ts';
import { startDiscord } from './discord/client.ts';
import { loadCommands } from './discord/load-commands.ts';
import { loadGuyacha, shippedGuyachaFile } from './guyacha/load-guyacha.ts';
import { cryptoRandomness } from './guyacha/randomness.ts';
import { ApiTokenFile } from './http/api-tokens.ts';
import { loadReaderPage } from './http/reader-page.ts';
import { startHttp } from './http/server.ts';
import { Operation } from './operation/operation.ts';
import { startPlayground } from './playground/playground.ts';
import { startStandIn } from './playground/stand-in.ts';
import type { StandIn } from './playground/api.ts';
import type { RunOptions } from './run-program.ts';
import { systemClock } from './shared/clock.ts';

/** A running bot. */
export interface Program extends Core {
  readonly app: OpenApp;
  readonly apiUrl: string;
  /** Undefined beside a real Discord token. */
  readonly playgroundUrl: string | undefined;
  /** Undefined beside a real Discord token. */
  readonly standIn: StandIn | undefined;
  /** Takes no new work, lets what runs end, and closes everything. */
  close(): Promise<void>;
}

/** @throws AppError of any part; what was opened before is closed again. */
export async function startProgram(options: RunOptions): Promise<Program> {
  const closers = new Closers();
  try {
    return await openParts(options, closers);
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

async function openParts(options: RunOptions, closers: Closers): Promise<Program> {
  const { config, logger } = options;
  const operation = new Operation();
  closers.add(() => operation.close());
  const guyacha = await loadGuyacha(config.guyachaFile ?? shippedGuyachaFile());
  const core = await openCore(config, closers, options);
  const app = await openApp({
    ...core,
    ...config,
    guyacha,
    logger,
    clock: systemClock,
    randomness: cryptoRandomness,
    atStep: options.atStep,
  });
  closers.add(() => app.close());
  const { httpHost: host, httpPort: port, nodeIntrospection: introspection } = config;
  const page = await loadReaderPage();
  let isOnDiscord = (): boolean => false;
  const files = dataFiles(config.dataDir);
  operation.watch({ ...core, stateFile: files.state, isOnDiscord: () => isOnDiscord() });
  const { node } = core;
  const apiTokens = new ApiTokenFile(files.apiTokens);
  const http = await startHttp({
    ...{ host, port, node, app, introspection, apiTokens, page, logger },
    operator: operation,
  });
  closers.add(() => http.close());
  const stage = await openStage(config, closers);
  const discord = await startDiscord({
    token: stage.token,
    apiUrl: stage.apiUrl,
    guildId: stage.guildId,
    staffChannelId: stage.staffChannelId,
    commands: await loadCommands(),
    app,
    logger,
    onLost: options.onLost,
  });
  isOnDiscord = () => discord.isConnected();
  closers.add(() => discord.close());
  return {
    ...core,
    app,
    apiUrl: http.url,
    playgroundUrl: stage.playgroundUrl,
    standIn: stage.standIn,
    close: () => {
      operation.stop();
      return closers.closeAll();
    },
  };
}

interface Stage {
  readonly token: string;
  readonly apiUrl: string | undefined;
  readonly guildId: string | undefined;
  readonly staffChannelId: string | undefined;
  readonly playgroundUrl: string | undefined;
  readonly standIn: StandIn | undefined;
}

/** Discord when there is a token; the playground's stand-in, and never both, when there is none. */
async function openStage(config: Config, closers: Closers): Promise<Stage> {
  if (config.discordToken !== undefined) {
    return {
      token: config.discordToken.reveal(),
      apiUrl: config.discordApiUrl,
      guildId: config.discordGuildId,
      staffChannelId: config.discordStaffChannelId,
      playgroundUrl: undefined,
      standIn: undefined,
    };
  }
  const standIn = await startStandIn();
  closers.add(() => standIn.close());
  const playground = await startPlayground({ standIn, port: config.playgroundPort });
  closers.add(() => playground.close());
  return {
    token: standIn.token,
    apiUrl: standIn.url,
    guildId: standIn.guildId,
    staffChannelId: undefined,
    playgroundUrl: playground.url,
    standIn,
  };
}

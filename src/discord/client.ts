// Opens the bot's connection to Discord, and closes it without cutting off anyone's answer.
import { once } from 'node:events';
import {
  Client,
  DiscordAPIError,
  Events,
  GatewayCloseCodes,
  GatewayIntentBits,
  Options,
  RESTEvents,
  Status,
} from 'discord.js';
import { AppError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import type { App } from '../app/app.ts';
import { clockWatch } from './clock-watch.ts';
import type { Command } from './command.ts';
import { Dispatcher, MAX_UNANSWERED } from './dispatcher.ts';
import { openInteractionCalls } from './interaction-calls.ts';
import { PacketGate } from './packet-gate.ts';
import type { HandlePacket } from './packet-gate.ts';
import { People } from './people.ts';
import { registerCommands } from './register-commands.ts';
import { RESPONDER_TIMES } from './responder.ts';
import type { ResponderTimes } from './responder.ts';
import { loggable } from './rest-failures.ts';
import { StaffChannel } from './staff-channel.ts';
import { TradeWindows } from './trade-windows.ts';

/** A process that cannot reach the gateway must say so, not hang. */
const READY_TIMEOUT_MS = 60_000;
/** The gateway's word for a bad token, as the plain number that close events carry. */
const TOKEN_REFUSED_CODE: number = GatewayCloseCodes.AuthenticationFailed;
/** How long a stop waits for answers under way. */
const DRAIN_MS = 10_000;

export interface DiscordOptions {
  readonly token: string;
  /** Another Discord, such as the playground's stand-in; Discord's own when left out. */
  readonly apiUrl?: string | undefined;
  /** Registers the commands for this guild only, at once visible; everywhere when left out. */
  readonly guildId?: string | undefined;
  /** The channel that hears what froze, thawed or was rewritten; the log alone when left out. */
  readonly staffChannelId?: string | undefined;
  readonly commands: readonly Command[];
  readonly app: App;
  readonly logger: Logger;
  /** Called when Discord has ended the connection for good, as it does for a revoked token: only a restart helps. */
  readonly onLost?: (reason: AppError) => void;
  readonly times?: Partial<ResponderTimes>;
  /** How many members may wait for an answer at once; more are refused at once. */
  readonly maxUnanswered?: number;
}

export interface DiscordConnection {
  readonly client: Client<true>;
  /** False while the gateway is away; it reconnects by itself. */
  isConnected(): boolean;
  /** Takes no new interactions, lets running ones end (at most 10 s), and disconnects. */
  close(): Promise<void>;
}

/**
 * Logs in, registers the commands if they changed, and answers interactions from then on.
 * @throws AppError DISCORD_TOKEN_REFUSED, DISCORD_UNREACHABLE
 */
export async function startDiscord(options: DiscordOptions): Promise<DiscordConnection> {
  const { app, commands, logger, apiUrl, guildId } = options;
  const client = newClient(apiUrl);
  const times = { ...RESPONDER_TIMES, ...options.times };
  const gate = installGate(client, { logger, answerByMs: times.answerByMs });
  const calls = openInteractionCalls(apiUrl);
  const windows = new TradeWindows({ app, rest: client.rest, logger });
  const staff = openStaffChannel(options, client);
  const dispatcher = new Dispatcher({
    commands,
    services: { app, windows, people: new People(), catalogue: commands },
    calls,
    logger,
    times,
    maxUnanswered: options.maxUnanswered ?? MAX_UNANSWERED,
  });
  const disconnect = async (): Promise<void> => {
    gate.stopHolding();
    await dispatcher.stop(DRAIN_MS);
    await windows.close();
    await staff?.close();
    calls.close();
    // It would say that it reconnects, which it does not.
    client.removeAllListeners(Events.ShardReconnecting);
    await client.destroy();
  };
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= disconnect());
  let isStarted = false;
  watch(client, logger, (reason) => {
    // Until then the caller learns it from the failed start.
    if (isStarted) options.onLost?.(reason);
  });
  client.on(Events.InteractionCreate, (interaction) => dispatcher.dispatch(interaction));
  try {
    const ready = await logIn(client, options.token);
    const applicationId = ready.application.id;
    await registerCommands({ rest: ready.rest, applicationId, guildId, commands, logger });
    isStarted = true;
    staff?.start();
    windows.catchUp().catch((error: unknown) => {
      logger.warn(loggable(error), 'The windows of ended trades could not be brought up to date.');
    });
    logger.info({ applicationId, guilds: ready.guilds.cache.size }, 'The bot is on Discord.');
    const isConnected = (): boolean =>
      closed === undefined && ready.ws.shards.every(({ status }) => status === Status.Ready);
    return { client: ready, isConnected, close };
  } catch (error) {
    await close();
    throw connectionError(error);
  }
}

function openStaffChannel(
  { app, logger, staffChannelId: channelId }: DiscordOptions,
  { rest }: Client,
): StaffChannel | undefined {
  return channelId === undefined ? undefined : new StaffChannel({ app, rest, channelId, logger });
}

/** Nothing of Discord's is the record of anything here, so next to nothing of it is kept in memory. */
function newClient(apiUrl: string | undefined): Client {
  return new Client({
    intents: [GatewayIntentBits.Guilds],
    allowedMentions: { parse: [] },
    makeCache: Options.cacheWithLimits({
      ...Options.DefaultMakeCacheSettings,
      ApplicationCommandManager: 0,
      ApplicationEmojiManager: 0,
      AutoModerationRuleManager: 0,
      BaseGuildEmojiManager: 0,
      EntitlementManager: 0,
      GuildBanManager: 0,
      GuildEmojiManager: 0,
      GuildForumThreadManager: 0,
      GuildInviteManager: 0,
      GuildMemberManager: 0,
      GuildMessageManager: 0,
      GuildScheduledEventManager: 0,
      GuildStickerManager: 0,
      GuildTextThreadManager: 0,
      MessageManager: 0,
      PresenceManager: 0,
      ReactionManager: 0,
      ReactionUserManager: 0,
      StageInstanceManager: 0,
      ThreadManager: 0,
      ThreadMemberManager: 0,
      UserManager: 0,
      VoiceStateManager: 0,
    }),
    ...(apiUrl === undefined ? {} : { rest: { api: apiUrl } }),
  });
}

/** Puts a gate before discord.js's own handling of packets. */
function installGate(client: Client, parts: { logger: Logger; answerByMs: number }): PacketGate {
  // SAFETY: not in its types; the fuzz target `gateway` fails when a later version does without it.
  const socket = client.ws as unknown as { handlePacket: HandlePacket };
  const gate = new PacketGate({ ...parts, handle: socket.handlePacket.bind(socket) });
  socket.handlePacket = gate.take;
  return gate;
}

async function logIn(client: Client, token: string): Promise<Client<true>> {
  const ready = once(client, Events.ClientReady, { signal: AbortSignal.timeout(READY_TIMEOUT_MS) });
  // Whichever fails first is the reason; the other one must not become an unhandled rejection.
  await Promise.all([ready, client.login(token)]);
  if (!client.isReady()) throw new AppError('DISCORD_UNREACHABLE', { reason: 'it was not ready' });
  return client;
}

function watch(client: Client, logger: Logger, onLost: (reason: AppError) => void): void {
  const lose = (reason: AppError): void => {
    logger.error({ code: reason.code }, reason.message);
    onLost(reason);
  };
  client.on(Events.Error, (error) => {
    logger.error({ error: loggable(error) }, 'The Discord client reported an error.');
  });
  client.on(Events.Warn, (warning) => logger.warn({ warning }, 'The Discord client warned.'));
  client.on(Events.ShardError, (error, shardId) => {
    logger.warn({ shardId, error: loggable(error) }, 'The gateway connection broke.');
  });
  client.on(Events.ShardReconnecting, (shardId) => {
    logger.info({ shardId }, 'Reconnecting to the gateway.');
  });
  client.on(Events.ShardResume, (shardId, replayed) => {
    logger.info({ shardId, replayed }, 'The gateway session was resumed.');
  });
  client.on(Events.ShardDisconnect, ({ code }, shardId) => {
    logger.error({ shardId, code }, 'The gateway closed for good.');
    const isRefused = code === TOKEN_REFUSED_CODE;
    const reason = `the gateway closed with ${String(code)}`;
    lose(new AppError(isRefused ? 'DISCORD_TOKEN_REFUSED' : 'DISCORD_UNREACHABLE', { reason }));
  });
  const watchClock = clockWatch(logger);
  client.rest.on(RESTEvents.Response, (_request, { status, headers }) => {
    watchClock(headers.get('date'));
    // After a 401 discord.js forgets the token: every later call of this process would fail.
    if (status === 401 && client.isReady()) lose(new AppError('DISCORD_TOKEN_REFUSED'));
  });
}

function connectionError(error: unknown): unknown {
  if (error instanceof AppError) return error;
  if (isTokenRefusal(error)) return new AppError('DISCORD_TOKEN_REFUSED', {}, { cause: error });
  const reason = error instanceof Error ? error.message : 'unknown';
  return new AppError('DISCORD_UNREACHABLE', { reason }, { cause: error });
}

function isTokenRefusal(error: unknown): boolean {
  if (error instanceof DiscordAPIError) return error.status === 401;
  // discord.js words it differently before (its own check) and after (close code 4004) it is connected.
  return (
    error instanceof Error &&
    (('code' in error && error.code === 'TokenInvalid') ||
      /Authentication failed|invalid token/i.test(error.message))
  );
}

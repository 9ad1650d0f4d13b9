// The bot's own Discord layer in one life: the real dispatcher, commands, rendering and REST manager, between app and Discord.
import { Client, GatewayIntentBits, Status } from 'discord.js';
import type { App } from '../../src/app/app.ts';
import type { Command } from '../../src/discord/command.ts';
import { Dispatcher, MAX_UNANSWERED } from '../../src/discord/dispatcher.ts';
import { openInteractionCalls } from '../../src/discord/interaction-calls.ts';
import { loadCommands } from '../../src/discord/load-commands.ts';
import { PacketGate, type HandlePacket } from '../../src/discord/packet-gate.ts';
import { People } from '../../src/discord/people.ts';
import { RESPONDER_TIMES } from '../../src/discord/responder.ts';
import { TradeWindows } from '../../src/discord/trade-windows.ts';
import type { Logger } from '../../src/shared/logger.ts';
import { installDiscord } from './simulated-discord.ts';
import type { World } from './world.ts';

/** How long a stop waits for answers under way, as the bot does. */
const DRAIN_MS = 10_000;

/** What one process needs once: it holds nothing of any seed. */
interface Once {
  readonly client: Client;
  readonly commands: readonly Command[];
  /** Pictures are no part of what may be lost, and drawing them would cost more than all the rest. */
  readonly picture: Buffer;
}

let once: Once | undefined;

/** Loads the commands and makes the client; to be called outside of a seed. */
export async function prepareDiscord(): Promise<void> {
  if (once !== undefined) return;
  installDiscord();
  const client = new Client({ intents: [GatewayIntentBits.Guilds] });
  client.rest.setToken('token');
  // Past its login: what the gateway says is handled as it comes.
  client.ws.status = Status.Ready;
  once = { client, commands: await loadCommands(), picture: Buffer.from('a picture') };
}

/** Connects the app to the world's Discord. @returns what a stop does. */
export function openDiscordEdge(world: World, app: App, logger: Logger): () => Promise<void> {
  if (once === undefined) throw new Error('the Discord edge was not prepared');
  const { client, commands, picture } = once;
  const calls = openInteractionCalls(undefined);
  const shown: App = { ...app, pictureOf: () => picture };
  const windows = new TradeWindows({ app, rest: client.rest, logger });
  const dispatcher = new Dispatcher({
    ...{ commands, calls, logger, times: RESPONDER_TIMES, maxUnanswered: MAX_UNANSWERED },
    services: { app: shown, windows, people: new People(), catalogue: commands },
  });
  client.removeAllListeners();
  client.on('interactionCreate', (interaction) => dispatcher.dispatch(interaction));
  // SAFETY: not in its types; the bot itself guards the same method.
  const socket = client.ws as unknown as { handlePacket: HandlePacket };
  const { answerByMs } = RESPONDER_TIMES;
  const gate = new PacketGate({ handle: socket.handlePacket.bind(socket), logger, answerByMs });
  world.discord.receive = (packet) => {
    gate.take({ op: 0, t: 'INTERACTION_CREATE', d: packet }, { id: 0 });
  };
  return async () => {
    world.discord.receive = undefined;
    gate.stopHolding();
    await dispatcher.stop(DRAIN_MS);
    await windows.close();
    calls.close();
  };
}

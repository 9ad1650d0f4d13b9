// A tiny discord.js bot for the playground's tests: one handler for whatever comes in.
import { Client, Events, GatewayIntentBits } from 'discord.js';
import type { ApplicationCommandDataResolvable, ClientOptions, Interaction } from 'discord.js';
import type { StandIn } from '../../src/playground/api.ts';

/** A connected bot. */
export interface TestBot {
  client: Client<true>;
  /** What its handler threw, oldest first. */
  errors: unknown[];
  stop: () => Promise<void>;
}

/** Logs a real discord.js client in and registers commands in the guild. */
export async function startBot(
  standIn: StandIn,
  commands: readonly ApplicationCommandDataResolvable[],
  handle: (interaction: Interaction) => Promise<unknown>,
  options: Partial<ClientOptions> = {},
): Promise<TestBot> {
  const client = new Client({
    intents: [GatewayIntentBits.Guilds],
    rest: { api: standIn.url },
    ...options,
  });
  const errors: unknown[] = [];
  client.on(Events.Error, (error) => errors.push(error));
  client.on(Events.InteractionCreate, (interaction) => {
    handle(interaction).catch((error: unknown) => errors.push(error));
  });
  const ready = new Promise<Client<true>>((resolve) => client.once(Events.ClientReady, resolve));
  await client.login(standIn.token);
  const readyClient = await ready;
  if (commands.length > 0) {
    await readyClient.application.commands.set([...commands], standIn.guildId);
  }
  return { client: readyClient, errors, stop: () => client.destroy() };
}

// Makes Discord's list of commands the same as ours, by one request, and only when it differs.
import { createHash } from 'node:crypto';
import { Routes } from 'discord.js';
import type { REST } from 'discord.js';
import type { Logger } from '../shared/logger.ts';
import type { Command } from './command.ts';

/** The parts of a definition that members can notice; Discord adds ids, versions and defaults of its own. */
const MEANINGFUL = new Set([
  ...['type', 'name', 'description', 'options', 'required', 'autocomplete', 'choices', 'value'],
  ...['min_value', 'max_value', 'min_length', 'max_length', 'channel_types'],
]);

/**
 * Registers the commands when Discord has others. Discord allows 200 new commands a day, and clients reload their lists
 * at every change, so a restart must not count as one.
 * @param guildId registers them for this guild only, at once visible; everywhere when undefined.
 */
export async function registerCommands(parts: {
  readonly rest: Pick<REST, 'get' | 'put'>;
  readonly applicationId: string;
  readonly guildId: string | undefined;
  readonly commands: readonly Command[];
  readonly logger: Logger;
}): Promise<void> {
  const { rest, applicationId, guildId, commands, logger } = parts;
  const route =
    guildId === undefined
      ? Routes.applicationCommands(applicationId)
      : Routes.applicationGuildCommands(applicationId, guildId);
  const wanted = commands.map((command) => command.json);
  const present = (await rest.get(route)) as readonly object[];
  if (fingerprint(present) === fingerprint(wanted)) {
    logger.debug({ commands: wanted.length }, 'The commands are registered already.');
    return;
  }
  await rest.put(route, { body: wanted });
  logger.info({ commands: wanted.length, guildId }, 'The commands were registered.');
}

/** The same for two lists that mean the same, whatever their order and Discord's additions. */
function fingerprint(definitions: readonly object[]): string {
  const lines = definitions.map((definition) => JSON.stringify(essence(definition))).sort();
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}

function essence(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(essence);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(
    ([key, part]) => MEANINGFUL.has(key) && !isDefault(key, part),
  );
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, part]) => [key, essence(part)]),
  );
}

/** What Discord leaves out, or fills in, when it was not said: null, false, no items, and the type of a slash command. */
function isDefault(key: string, part: unknown): boolean {
  const isEmpty = part === undefined || part === null || part === false;
  return isEmpty || (Array.isArray(part) && part.length === 0) || (key === 'type' && part === 1);
}

// Loads the commands folder; whatever is wrong with it stops the start, because a command that is missing is found too late.
import { readdir } from 'node:fs/promises';
import type { Command } from './command.ts';

/** `commands/` beside `src/`, in the sources and in dist alike. */
const COMMANDS_FOLDER = new URL('../../commands/', import.meta.url);

/** What a build leaves beside the code. */
const BUILD_OUTPUT = /\.(?:d\.ts|js\.map|d\.ts\.map)$/;
const COMMAND_FILE = /^([a-z][a-z0-9-]{0,31})\.(?:ts|js)$/;

/**
 * Imports every file of the folder as one command.
 * @throws Error for a stray file, a file without a command as its default export, a command named otherwise than its file,
 *   and a component kind that two commands claim.
 */
export async function loadCommands(folder: URL = COMMANDS_FOLDER): Promise<readonly Command[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const commands: Command[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.isFile() && BUILD_OUTPUT.test(entry.name)) continue;
    const name = entry.isFile() ? COMMAND_FILE.exec(entry.name)?.[1] : undefined;
    if (name === undefined) throw new Error(`commands/${entry.name} is not a command file.`);
    commands.push(await loadCommand(new URL(entry.name, folder), name));
  }
  refuseSharedKinds(commands);
  return commands;
}

async function loadCommand(file: URL, name: string): Promise<Command> {
  const module = (await import(file.href)) as { readonly default?: unknown };
  const command = module.default;
  if (!isCommand(command)) {
    throw new Error(`The default export of commands/${name} is not made by defineCommand.`);
  }
  if (command.name !== name) {
    throw new Error(`commands/${name} defines /${command.name}; the two names must be the same.`);
  }
  return command;
}

function isCommand(value: unknown): value is Command {
  return (
    typeof value === 'object' &&
    value !== null &&
    'json' in value &&
    'execute' in value &&
    typeof value.execute === 'function'
  );
}

function refuseSharedKinds(commands: readonly Command[]): void {
  const owners = new Map<string, string>();
  for (const { name, components = {} } of commands) {
    for (const kind of Object.keys(components)) {
      const owner = owners.get(kind);
      if (owner !== undefined) {
        throw new Error(`/${owner} and /${name} both handle components of kind "${kind}".`);
      }
      owners.set(kind, name);
    }
  }
}

// The commands that one may pick from, found by what has been typed after the slash.
import { OPTION } from '../wire.ts';
import type { WireCommand, WireCommandOption } from '../wire.ts';

const CHAT_INPUT = 1;
const SHOWN = 60;

/** A command, or one subcommand of it, ready to be filled in. */
export interface Entry {
  /** As it is typed, without the slash: `trade offer`. */
  title: string;
  description: string;
  name: string;
  group: string | undefined;
  subcommand: string | undefined;
  options: readonly WireCommandOption[];
}

/** Every command and subcommand. */
export function entriesOf(commands: readonly WireCommand[]): Entry[] {
  return commands
    .filter(({ type }) => type === CHAT_INPUT)
    .flatMap((command) => {
      const base = { name: command.name, group: undefined, subcommand: undefined };
      const nested = (command.options ?? []).flatMap((option) =>
        nestedEntries(command.name, option),
      );
      if (nested.length > 0) return nested;
      const { name: title, description, options = [] } = command;
      return [{ ...base, title, description, options }];
    });
}

function nestedEntries(name: string, option: WireCommandOption): Entry[] {
  if (option.type === OPTION.subcommand) return [subcommandEntry(name, undefined, option)];
  if (option.type !== OPTION.group) return [];
  return (option.options ?? []).map((inner) => subcommandEntry(name, option.name, inner));
}

function subcommandEntry(
  name: string,
  group: string | undefined,
  option: WireCommandOption,
): Entry {
  const title = [name, group, option.name].filter((part) => part !== undefined).join(' ');
  const { description, options = [], name: subcommand } = option;
  return { title, description, name, group, subcommand, options };
}

/** The entries that match what was typed, those that start with it first. */
export function matching(entries: readonly Entry[], typed: string): Entry[] {
  const wanted = typed.replace(/^\//, '').trim().toLowerCase();
  const rank = ({ title, description }: Entry): number => {
    if (title.startsWith(wanted)) return 0;
    if (title.includes(wanted)) return 1;
    return description.toLowerCase().includes(wanted) ? 2 : 3;
  };
  return entries
    .map((entry) => ({ entry, rank: rank(entry) }))
    .filter((one) => one.rank < 3)
    .sort((one, other) => one.rank - other.rank)
    .slice(0, SHOWN)
    .map(({ entry }) => entry);
}

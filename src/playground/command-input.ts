// Turns what a member filled into a command into the data of an interaction, as Discord's client would.
import { ClientRefusal } from './api.ts';
import type { AutocompleteInput, CommandInput, MemberFile, OptionValue } from './api.ts';
import { storeFile } from './files.ts';
import { lengthOf } from './form.ts';
import { ADMINISTRATOR } from './guild.ts';
import { Resolved } from './interactions.ts';
import { LIMIT } from './limits.ts';
import { OPTION } from './wire.ts';
import type { WireCommand, WireCommandOption } from './wire.ts';
import type { World } from './world.ts';

const CHAT_INPUT = 1;

/** Where a member types. */
export interface Seat {
  memberId: string;
  channelId: string;
}

interface FilledOption {
  type: number;
  name: string;
  value?: string | number | boolean;
  focused?: true;
  options?: FilledOption[];
}

/** The data of a command interaction, and the command's name as the reply shows it. */
export interface FilledCommand {
  data: Record<string, unknown>;
  shownName: string;
}

/** Fills in a command; with `focused`, for an autocompletion, where required options may still be missing. */
export function fillCommand(
  world: World,
  seat: Seat,
  name: string,
  input: CommandInput | AutocompleteInput,
): FilledCommand {
  const command = findCommand(world, seat, name);
  const path = [input.group, input.subcommand].filter((part) => part !== undefined);
  const definitions = descend(command, path);
  const resolved = new Resolved(world, seat.memberId);
  const focused = 'focused' in input ? input.focused : undefined;
  const values = input.options ?? {};
  const shownName = [name, ...path].join(' ');
  for (const given of [...Object.keys(values), ...(focused === undefined ? [] : [focused])]) {
    if (!definitions.some((one) => one.name === given)) {
      throw new ClientRefusal(`/${shownName} has no option "${given}"`);
    }
  }
  let options = definitions.flatMap((definition): FilledOption[] => {
    const value = values[definition.name];
    if (definition.name === focused) return [fillFocused(definition, value)];
    if (value === undefined) {
      if (definition.required === true && focused === undefined) {
        throw new ClientRefusal(`/${shownName} needs the option "${definition.name}"`);
      }
      return [];
    }
    return [fillOption(world, seat, definition, value, resolved)];
  });
  for (const [depth, part] of [...path.entries()].reverse()) {
    const type = path.length === 2 && depth === 0 ? OPTION.group : OPTION.subcommand;
    options = [{ type, name: part, options }];
  }
  const data = {
    id: command.id,
    name: command.name,
    type: command.type,
    ...(command.guild_id === undefined ? {} : { guild_id: command.guild_id }),
    options,
    ...resolved.asPart(),
  };
  return { data, shownName };
}

/** Whether a member finds the command where they are. */
function mayUse(world: World, seat: Seat, command: WireCommand): boolean {
  const inGuild = world.channels.get(seat.channelId)?.guild_id !== undefined;
  if (!inGuild && command.guild_id !== undefined) return false;
  const contexts = command.contexts ?? undefined;
  if (contexts !== undefined && command.guild_id === undefined) {
    if (!contexts.includes(inGuild ? 0 : 1)) return false;
  }
  const needed = command.default_member_permissions;
  if (!inGuild || needed === null) return true;
  const has = BigInt(world.permissionsOf(seat.memberId));
  if ((has & ADMINISTRATOR) !== 0n) return true;
  return needed !== '0' && (has & BigInt(needed)) === BigInt(needed);
}

function findCommand(world: World, seat: Seat, name: string): WireCommand {
  const named = world.allCommands().filter((one) => one.name === name && one.type === CHAT_INPUT);
  const command = named.find((one) => mayUse(world, seat, one));
  if (command !== undefined) return command;
  const why = named.length > 0 ? 'may not be used by this member here' : 'is not registered';
  throw new ClientRefusal(`/${name} ${why}`);
}

function descend(command: WireCommand, path: readonly string[]): readonly WireCommandOption[] {
  const nests = (option: WireCommandOption): boolean =>
    option.type === OPTION.subcommand || option.type === OPTION.group;
  let options = command.options ?? [];
  for (const part of path) {
    const next = options.find((option) => option.name === part && nests(option));
    if (next === undefined) throw new ClientRefusal(`/${command.name} has no subcommand "${part}"`);
    options = next.options ?? [];
  }
  if (options.some(nests)) throw new ClientRefusal(`/${command.name} needs a subcommand`);
  return options;
}

function fillFocused(definition: WireCommandOption, value: OptionValue | undefined): FilledOption {
  const { type, name } = definition;
  if (definition.autocomplete !== true) {
    throw new ClientRefusal(`The option "${name}" does not autocomplete`);
  }
  if (value !== undefined && typeof value !== 'string' && typeof value !== 'number') {
    throw new ClientRefusal(`The option "${name}" takes what is typed`);
  }
  return { type, name, value: String(value ?? ''), focused: true };
}

function fillOption(
  world: World,
  seat: Seat,
  definition: WireCommandOption,
  value: OptionValue,
  resolved: Resolved,
): FilledOption {
  const { type, name } = definition;
  const refuse = (why: string): never => {
    throw new ClientRefusal(`The option "${name}" ${why}`);
  };
  if (type === OPTION.attachment) {
    if (typeof value !== 'object') return refuse('takes a file');
    return { type, name, value: upload(world, seat, value, resolved) };
  }
  if (typeof value === 'object') return refuse('takes no file');
  if (type === OPTION.boolean) {
    return typeof value === 'boolean' ? { type, name, value } : refuse('takes true or false');
  }
  if (type === OPTION.integer || type === OPTION.number) {
    checkNumber(definition, value, refuse);
    return { type, name, value };
  }
  if (typeof value !== 'string') return refuse('takes a text');
  if (type === OPTION.string) checkText(definition, value, refuse);
  else if (!resolve(definition, value, resolved)) refuse(`names nobody and nothing: ${value}`);
  return { type, name, value };
}

type Refuse = (why: string) => never;

function checkNumber(option: WireCommandOption, value: OptionValue, refuse: Refuse): void {
  if (typeof value !== 'number' || !Number.isFinite(value)) return refuse('takes a number');
  if (option.type === OPTION.integer && !Number.isSafeInteger(value)) {
    return refuse('takes a whole number');
  }
  const { min_value: min, max_value: max } = option;
  if (min !== undefined && value < min) return refuse(`must be at least ${min}`);
  if (max !== undefined && value > max) return refuse(`must be at most ${max}`);
  checkChoice(option, value, refuse);
}

function checkText(option: WireCommandOption, value: string, refuse: Refuse): void {
  const length = lengthOf(value);
  const { min_length: min = 0, max_length: max = LIMIT.stringOption } = option;
  if (length === 0) return refuse('is empty');
  if (length < min) return refuse(`must have at least ${min} characters`);
  if (length > max) return refuse(`must have at most ${max} characters`);
  checkChoice(option, value, refuse);
}

function checkChoice(option: WireCommandOption, value: string | number, refuse: Refuse): void {
  const choices = option.choices ?? [];
  if (choices.length > 0 && !choices.some((choice) => choice.value === value)) {
    refuse(`takes one of its choices, not ${value}`);
  }
}

function resolve(option: WireCommandOption, id: string, resolved: Resolved): boolean {
  switch (option.type) {
    case OPTION.user:
      return resolved.addUser(id);
    case OPTION.role:
      return resolved.addRole(id);
    case OPTION.mentionable:
      return resolved.addUser(id) || resolved.addRole(id);
    default: {
      const channel = resolved.addChannel(id);
      return channel !== undefined && option.channel_types?.includes(channel.type) !== false;
    }
  }
}

/** Stores a member's file and returns the id that stands for it. */
export function upload(world: World, seat: Seat, file: MemberFile, resolved: Resolved): string {
  if (file.bytes.byteLength > LIMIT.fileBytes) {
    throw new ClientRefusal(`${file.filename} is larger than ${LIMIT.fileBytes} bytes`);
  }
  const attachment = storeFile(world, seat.channelId, file, { ephemeral: true });
  resolved.addAttachment(attachment);
  return attachment.id;
}

// What a bot may register as commands, and the rules that span a command's options.
import * as z from 'zod';
import { fault, lengthOf, list, optional, readForm, text } from './form.ts';
import { LIMIT } from './limits.ts';
import { DiscordRefusal, FormErrors } from './refusals.ts';
import { OPTION } from './wire.ts';
import type { WireCommandOption } from './wire.ts';

const CHAT_INPUT = 1;
const NAME = /^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$/u;
const int = z.int();

const name = z.string().superRefine((value, context) => {
  if (!NAME.test(value) || value !== value.toLowerCase()) {
    fault(context, 'APPLICATION_COMMAND_INVALID_NAME', 'Command name is invalid');
  }
});
const localizations = z.record(z.string(), text(LIMIT.commandDescription, 1)).nullish();
const choice = z.object({
  name: text(LIMIT.choiceName, 1),
  value: z.union([text(LIMIT.choiceValue, 1), z.number()]),
  name_localizations: localizations,
});

const optionShape = {
  type: int.min(1).max(11),
  name,
  description: text(LIMIT.commandDescription, 1),
  name_localizations: localizations,
  description_localizations: localizations,
  required: optional(z.boolean()),
  autocomplete: optional(z.boolean()),
  choices: optional(list(choice, LIMIT.choices)),
  channel_types: optional(z.array(int)),
  min_value: optional(z.number()),
  max_value: optional(z.number()),
  min_length: optional(int.min(0).max(LIMIT.stringOption)),
  max_length: optional(int.min(1).max(LIMIT.stringOption)),
};
const leaf = z.object(optionShape).superRefine(checkOption);
const inSubcommand = z
  .object({ ...optionShape, options: optional(list(leaf, LIMIT.commandOptions)) })
  .superRefine(checkOption);
const topOption: z.ZodType<WireCommandOption> = z
  .object({ ...optionShape, options: optional(list(inSubcommand, LIMIT.commandOptions)) })
  .superRefine(checkOption);

const command = z
  .object({
    id: optional(z.string()),
    type: optional(int.min(1).max(3)),
    name: text(LIMIT.commandName, 1),
    description: optional(z.string()),
    name_localizations: localizations,
    description_localizations: localizations,
    default_member_permissions: z.nullish(z.union([z.string().regex(/^\d+$/), int])),
    nsfw: optional(z.boolean()),
    dm_permission: optional(z.boolean()),
    contexts: z.nullish(z.array(int.min(0).max(2))),
    integration_types: optional(z.array(int.min(0).max(1))),
    options: optional(list(topOption, LIMIT.commandOptions)),
  })
  .superRefine((value, context) => {
    checkSiblings(value.options ?? [], context);
    if ((value.type ?? CHAT_INPUT) !== CHAT_INPUT) {
      if (value.options !== undefined && value.options.length > 0) {
        const message = 'Context menu commands cannot have options';
        fault(context, 'APPLICATION_COMMAND_CONTEXT_MENU_OPTIONS', message, ['options']);
      }
      return;
    }
    if (!NAME.test(value.name) || value.name !== value.name.toLowerCase()) {
      fault(context, 'APPLICATION_COMMAND_INVALID_NAME', 'Command name is invalid', ['name']);
    }
    const length = lengthOf((value.description ?? '').trim());
    if (length === 0) {
      fault(context, 'BASE_TYPE_REQUIRED', 'This field is required', ['description']);
    } else if (length > LIMIT.commandDescription) {
      const message = `Must be between 1 and ${LIMIT.commandDescription} in length.`;
      fault(context, 'BASE_TYPE_BAD_LENGTH', message, ['description']);
    }
    if (totalLength(value) > LIMIT.commandTotal) {
      const message = `Command exceeds maximum size (${LIMIT.commandTotal})`;
      fault(context, 'APPLICATION_COMMAND_TOO_LARGE', message);
    }
  });

/** A command as the bot sent it. */
export type CommandBody = z.output<typeof command>;

const HAS_CHOICES: readonly number[] = [OPTION.string, OPTION.integer, OPTION.number];
const NESTS: readonly number[] = [OPTION.subcommand, OPTION.group];

function checkOption(option: WireCommandOption, context: z.RefinementCtx): void {
  checkSiblings(option.options ?? [], context);
  const choices = option.choices ?? [];
  if (option.autocomplete === true && choices.length > 0) {
    const message = 'Autocomplete options cannot have choices';
    fault(context, 'APPLICATION_COMMAND_OPTIONS_CHOICES_AUTOCOMPLETE', message, ['choices']);
  }
  const canChoose = HAS_CHOICES.includes(option.type);
  if (!canChoose && (choices.length > 0 || option.autocomplete === true)) {
    const message = `Option type ${option.type} cannot have choices or autocomplete`;
    fault(context, 'APPLICATION_COMMAND_OPTIONS_TYPE_INVALID', message, ['type']);
  }
  for (const [index, { value }] of choices.entries()) {
    if (typeof value !== (option.type === OPTION.string ? 'string' : 'number')) {
      const message = 'The choice is not of the type of its option';
      fault(context, 'BASE_TYPE_CONVERT', message, ['choices', index, 'value']);
    }
  }
  if (option.options !== undefined && option.options.length > 0 && !NESTS.includes(option.type)) {
    const message = `Option type ${option.type} cannot have options`;
    fault(context, 'APPLICATION_COMMAND_OPTIONS_TYPE_INVALID', message, ['options']);
  }
  if (option.type === OPTION.group) {
    for (const [index, inner] of (option.options ?? []).entries()) {
      if (inner.type === OPTION.subcommand) continue;
      const message = 'A subcommand group may hold nothing but subcommands';
      fault(context, 'APPLICATION_COMMAND_OPTIONS_TYPE_INVALID', message, ['options', index]);
    }
  }
}

function checkSiblings(options: readonly WireCommandOption[], context: z.RefinementCtx): void {
  const seen = new Set<string>();
  let optionalSeen = false;
  const nesting = options.filter(({ type }) => NESTS.includes(type)).length;
  for (const [index, option] of options.entries()) {
    if (seen.has(option.name)) {
      const message = 'Option names must be unique';
      fault(context, 'APPLICATION_COMMAND_OPTIONS_NAME_DUPLICATED', message, [
        'options',
        index,
        'name',
      ]);
    }
    seen.add(option.name);
    if (option.required === true && optionalSeen) {
      const message = 'Required options must be placed before non-required options';
      fault(context, 'APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID', message, ['options', index]);
    }
    optionalSeen ||= option.required !== true;
  }
  if (nesting > 0 && nesting < options.length) {
    const message =
      'Sub-command and sub-command group option types are mutually exclusive to all other types';
    fault(context, 'APPLICATION_COMMAND_OPTIONS_TYPE_INVALID', message, ['options']);
  }
}

interface Sized {
  name: string;
  description?: string | undefined;
  choices?: { name: string; value: string | number }[] | undefined;
  options?: Sized[] | undefined;
}

function totalLength(part: Sized): number {
  const own = lengthOf(part.name) + lengthOf(part.description ?? '');
  const choices = (part.choices ?? []).reduce(
    (sum, { name: label, value }) => sum + lengthOf(label) + lengthOf(String(value)),
    0,
  );
  return (part.options ?? []).reduce((sum, inner) => sum + totalLength(inner), own + choices);
}

/** Reads one command; throws Discord's refusal when it breaks a rule. */
export function readCommand(body: unknown): CommandBody {
  const errors = new FormErrors();
  const read = readForm(command, body, errors);
  if (read === undefined) throw errors.refusal();
  return read;
}

/** Reads the list of a bulk overwrite; throws Discord's refusal when it breaks a rule. */
export function readCommands(body: unknown): CommandBody[] {
  const errors = new FormErrors();
  const read = readForm(z.array(command), body, errors);
  if (read === undefined) throw errors.refusal();
  const seen = new Set<string>();
  const counts = new Map<number, number>();
  for (const [index, { name: own, type = CHAT_INPUT }] of read.entries()) {
    const key = `${type} ${own}`;
    if (seen.has(key)) {
      const message = 'Application command names must be unique';
      errors.add([index, 'name'], 'APPLICATION_COMMANDS_DUPLICATE_NAME', message);
    }
    seen.add(key);
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  for (const [type, count] of counts) {
    const most = type === CHAT_INPUT ? LIMIT.chatCommands : LIMIT.contextCommands;
    if (count <= most) continue;
    const message = `Maximum number of application commands reached (${most})`;
    throw new DiscordRefusal(400, 30032, message);
  }
  errors.throwIfAny();
  return read;
}

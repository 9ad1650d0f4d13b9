// The fields in which a member fills in a command's options, one kind of control for each option type.
import { OPTION } from '../wire.ts';
import type { WireCommandOption } from '../wire.ts';
import type { Client } from './client.ts';
import { h } from '../../shared/page/dom.ts';
import { avatarOf, nameOf } from './people.ts';
import { suggestionsFor } from './suggestions.ts';

/** A file on its way to the bot. */
export interface FileValue {
  filename: string;
  contentType: string;
  base64: string;
}

/** What a field holds. */
export type FieldValue = string | number | boolean | FileValue;

/** One option's field. */
export interface Field {
  option: WireCommandOption;
  element: HTMLElement;
  /** The value; undefined while it is empty. */
  value: () => Promise<FieldValue | undefined>;
  /** The value as far as it can be told at once, for autocompletion. */
  typed: () => string | undefined;
  focus: () => void;
}

/** Asks the bot what it suggests for an option. */
export type Suggest = (
  option: WireCommandOption,
) => Promise<readonly { name: string; value: string | number }[]>;

/** The field of an option. */
export function fieldFor(option: WireCommandOption, client: Client, suggest: Suggest): Field {
  switch (option.type) {
    case OPTION.boolean:
      return choiceField(option, [
        { label: 'True', value: 'true' },
        { label: 'False', value: 'false' },
      ]);
    case OPTION.user:
      return choiceField(option, userChoices(client));
    case OPTION.role:
      return choiceField(option, roleChoices(client));
    case OPTION.mentionable:
      return choiceField(option, [...userChoices(client), ...roleChoices(client)]);
    case OPTION.channel:
      return choiceField(option, channelChoices(client, option));
    case OPTION.attachment:
      return fileField(option);
    default:
      if (option.choices !== undefined && option.choices.length > 0) {
        const choices = option.choices.map(({ name, value }) => ({
          label: name,
          value: String(value),
        }));
        return choiceField(option, choices);
      }
      return textField(option, suggest);
  }
}

interface Choice {
  label: string;
  value: string;
  picture?: string;
}

function userChoices(client: Client): Choice[] {
  return (client.state?.members ?? []).map(({ user }) => ({
    label: nameOf(user),
    value: user.id,
    picture: avatarOf(user),
  }));
}

function roleChoices(client: Client): Choice[] {
  return (client.state?.roles ?? []).map(({ id, name }) => ({ label: name, value: id }));
}

function channelChoices(client: Client, option: WireCommandOption): Choice[] {
  return client
    .channels()
    .filter(({ type }) => option.channel_types?.includes(type) ?? true)
    .map(({ id, name }) => ({
      label: name === undefined ? 'Direct message' : `#${name}`,
      value: id,
    }));
}

function frame(option: WireCommandOption, control: HTMLElement): HTMLElement {
  const id = `option-${option.name}`;
  (control.matches('input, select') ? control : control.querySelector('input'))?.setAttribute(
    'id',
    id,
  );
  return h(
    'div',
    { class: 'field' },
    h(
      'label',
      { for: id },
      option.name,
      option.required === true && h('span', { class: 'required' }, ' *'),
    ),
    control,
    h('small', { class: 'hint' }, option.description),
  );
}

function choiceField(option: WireCommandOption, choices: readonly Choice[]): Field {
  const control = h(
    'select',
    { required: option.required === true },
    h('option', { value: '' }, option.required === true ? 'Choose…' : '(none)'),
    ...choices.map(({ label, value }) => h('option', { value }, label)),
  );
  const typed = (): string | undefined => (control.value === '' ? undefined : control.value);
  const convert = (value: string): FieldValue => {
    if (option.type === OPTION.boolean) return value === 'true';
    return isNumeric(option) ? Number(value) : value;
  };
  return {
    option,
    element: frame(option, control),
    value: () => Promise.resolve(control.value === '' ? undefined : convert(control.value)),
    typed,
    focus: () => control.focus(),
  };
}

function textField(option: WireCommandOption, suggest: Suggest): Field {
  const numeric = isNumeric(option);
  const completes = option.autocomplete === true;
  const control = h('input', {
    type: numeric && !completes ? 'number' : 'text',
    required: option.required === true,
    autocomplete: 'off',
    step: option.type === OPTION.integer ? 1 : numeric ? 'any' : undefined,
    min: option.min_value,
    max: option.max_value,
    minlength: option.min_length,
    maxlength: option.max_length,
  });
  // A suggestion shows its name and stands for its value, until the member types something else.
  const picked: { value: string | number | undefined } = { value: undefined };
  const wrapped = completes
    ? suggestionsFor(
        control,
        () => suggest(option),
        (value) => (picked.value = value),
      )
    : control;
  const typed = (): string | undefined => (control.value === '' ? undefined : control.value);
  const value = (): FieldValue | undefined => {
    if (control.value === '') return undefined;
    return picked.value ?? (numeric ? Number(control.value) : control.value);
  };
  return {
    option,
    element: frame(option, wrapped),
    value: () => Promise.resolve(value()),
    typed,
    focus: () => control.focus(),
  };
}

function fileField(option: WireCommandOption): Field {
  const control = h('input', { type: 'file', required: option.required === true });
  return {
    option,
    element: frame(option, control),
    value: async () => {
      const file = control.files?.[0];
      return file === undefined ? undefined : readFile(file);
    },
    typed: () => undefined,
    focus: () => control.focus(),
  };
}

/** A file as the page sends it. */
export async function readFile(file: File): Promise<FileValue> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  const contentType = file.type === '' ? 'application/octet-stream' : file.type;
  return { filename: file.name, contentType, base64: btoa(binary) };
}

function isNumeric({ type }: WireCommandOption): boolean {
  return type === OPTION.integer || type === OPTION.number;
}

// Turns what a member filled into a modal, or picked in a select, into the data of an interaction.
import { ClientRefusal } from './api.ts';
import type { MemberFile, ModalFields, ModalHandle } from './api.ts';
import { upload } from './command-input.ts';
import type { Seat } from './command-input.ts';
import { lengthOf } from './form.ts';
import { Resolved } from './interactions.ts';
import { LIMIT } from './limits.ts';
import { COMPONENT } from './wire.ts';
import type { WireComponent } from './wire.ts';
import type { World } from './world.ts';

type FieldValue = ModalFields[string];

/** Checks the values of a select and resolves the ids among them. */
export function checkSelection(
  component: WireComponent,
  values: readonly string[],
  least: number,
  resolved: Resolved,
): void {
  const name = component.custom_id ?? '';
  const most = component.max_values ?? 1;
  if (values.length < least || values.length > most) {
    const range = `${least} to ${most} values`;
    throw new ClientRefusal(`"${name}" takes ${range}, not ${values.length}`);
  }
  if (new Set(values).size !== values.length) throw new ClientRefusal(`"${name}": a value twice`);
  for (const value of values) {
    if (!isThere(component, value, resolved)) {
      throw new ClientRefusal(`"${name}" offers no ${value}`);
    }
  }
}

function isThere(component: WireComponent, value: string, resolved: Resolved): boolean {
  switch (component.type) {
    case COMPONENT.userSelect:
      return resolved.addUser(value);
    case COMPONENT.roleSelect:
      return resolved.addRole(value);
    case COMPONENT.mentionableSelect:
      return resolved.addUser(value) || resolved.addRole(value);
    case COMPONENT.channelSelect: {
      const channel = resolved.addChannel(value);
      return channel !== undefined && component.channel_types?.includes(channel.type) !== false;
    }
    default:
      return component.options?.some((option) => option.value === value) === true;
  }
}

/** The data of a modal submission. */
export function fillModal(
  world: World,
  seat: Seat,
  modal: ModalHandle,
  fields: ModalFields,
): Record<string, unknown> {
  const resolved = new Resolved(world, seat.memberId);
  const known = new Set<string>();
  const fill = (component: WireComponent): Record<string, unknown> => {
    const customId = component.custom_id ?? '';
    known.add(customId);
    const { type, id } = component;
    const value = fillField(world, seat, component, fields[customId], resolved);
    return { type, id, custom_id: customId, ...value };
  };
  const components = modal.components.map((top) => {
    const { type, id } = top;
    if (top.component !== undefined) return { type, id, component: fill(top.component) };
    if (top.components !== undefined) return { type, id, components: top.components.map(fill) };
    return { type, id };
  });
  for (const name of Object.keys(fields)) {
    if (!known.has(name)) throw new ClientRefusal(`The modal has no field "${name}"`);
  }
  return { custom_id: modal.custom_id, components, ...resolved.asPart() };
}

function fillField(
  world: World,
  seat: Seat,
  component: WireComponent,
  value: FieldValue | undefined,
  resolved: Resolved,
): Record<string, unknown> {
  const name = component.custom_id ?? '';
  switch (component.type) {
    case COMPONENT.textInput:
      return { value: checkTextInput(component, value ?? component.value ?? '') };
    case COMPONENT.checkbox:
      if (value !== undefined && typeof value !== 'boolean') {
        throw new ClientRefusal(`"${name}" is ticked or not`);
      }
      return { value: value ?? component.default ?? false };
    case COMPONENT.radioGroup: {
      const chosen = value === undefined ? defaultsOf(component) : textsOf(name, value);
      checkSelection(component, chosen, component.required === false ? 0 : 1, resolved);
      return { value: chosen[0] ?? null };
    }
    case COMPONENT.upload:
      return { values: uploadAll(world, seat, component, value, resolved) };
    default: {
      const chosen = value === undefined ? defaultsOf(component) : textsOf(name, value);
      checkSelection(component, chosen, leastOf(component, chosen), resolved);
      return { values: chosen };
    }
  }
}

/** How many values a field of a modal needs: none if it is not required and left empty. */
function leastOf(component: WireComponent, chosen: readonly unknown[]): number {
  if (component.required === false && chosen.length === 0) return 0;
  return component.min_values ?? 1;
}

function defaultsOf(component: WireComponent): string[] {
  const chosen = component.options?.filter((option) => option.default === true) ?? [];
  const ids = component.default_values?.map(({ id }) => id) ?? [];
  return [...chosen.map(({ value }) => value), ...ids];
}

function textsOf(name: string, value: FieldValue): string[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.map((one) => {
    if (typeof one !== 'string') throw new ClientRefusal(`"${name}" takes texts`);
    return one;
  });
}

function checkTextInput(component: WireComponent, value: FieldValue): string {
  const name = component.custom_id ?? '';
  if (typeof value !== 'string') throw new ClientRefusal(`"${name}" takes a text`);
  const length = lengthOf(value);
  if (length === 0) {
    if (component.required === false) return '';
    throw new ClientRefusal(`"${name}" is required`);
  }
  const { min_length: min = 0, max_length: max = LIMIT.inputValue } = component;
  if (length < min) throw new ClientRefusal(`"${name}" must have at least ${min} characters`);
  if (length > max) throw new ClientRefusal(`"${name}" must have at most ${max} characters`);
  return value;
}

function uploadAll(
  world: World,
  seat: Seat,
  component: WireComponent,
  value: FieldValue | undefined,
  resolved: Resolved,
): string[] {
  const name = component.custom_id ?? '';
  const given: readonly unknown[] = Array.isArray(value) ? value : [];
  const files = given.map((one): MemberFile => {
    if (typeof one === 'object' && one !== null && 'bytes' in one) return one as MemberFile;
    throw new ClientRefusal(`"${name}" takes files`);
  });
  const most = component.max_values ?? 1;
  if (files.length < leastOf(component, files) || files.length > most) {
    throw new ClientRefusal(`"${name}" takes another number of files than ${files.length}`);
  }
  return files.map((file) => upload(world, seat, file, resolved));
}

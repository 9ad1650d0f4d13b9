// The components that a bot may send in a message or a modal, with the limits that Discord puts on each.
import * as z from 'zod';
import { fault, list, optional, text } from './form.ts';
import { LIMIT } from './limits.ts';
import type { FormErrors } from './refusals.ts';
import { COMPONENT, LINK_BUTTON } from './wire.ts';
import type { WireComponent } from './wire.ts';

const int = z.int();
const id = optional(int.min(0));
const customId = text(LIMIT.customId, 1);
const emoji = optional(
  z.object({
    id: optional(z.coerce.string()),
    name: optional(z.string()),
    animated: optional(z.boolean()),
  }),
);

/** A picture address: http, https or a file of the same message. */
const mediaUrl = z.string().superRefine((value, context) => {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\/./i.exec(value)?.[1]?.toLowerCase();
  if (scheme === undefined) fault(context, 'URL_TYPE_INVALID_URL', 'Not a well formed URL.');
  else if (!['http', 'https', 'attachment'].includes(scheme)) {
    const allowed = "('http', 'https', 'attachment')";
    fault(context, 'URL_TYPE_INVALID_SCHEME', `Scheme "${scheme}" is not in ${allowed}.`);
  }
});

/** A link: http or https. */
export const linkUrl = text(2048, 1).superRefine((value, context) => {
  if (!URL.canParse(value)) fault(context, 'URL_TYPE_INVALID_URL', 'Not a well formed URL.');
  else if (!['http:', 'https:', 'discord:'].includes(new URL(value).protocol)) {
    const allowed = "('http', 'https', 'discord')";
    fault(context, 'URL_TYPE_INVALID_SCHEME', `Scheme is not in ${allowed}.`);
  }
});

/** A picture of an embed or a component. */
export const media = z.object({ url: mediaUrl });

const button = z
  .object({
    type: z.literal(COMPONENT.button),
    id,
    style: int.min(1).max(6),
    label: optional(text(LIMIT.buttonLabel)),
    emoji,
    custom_id: optional(customId),
    url: optional(linkUrl),
    disabled: optional(z.boolean()),
  })
  .superRefine((value, context) => {
    const link = value.style === LINK_BUTTON;
    if (link && value.url === undefined) {
      fault(context, 'BASE_TYPE_REQUIRED', 'A url is required', ['url']);
    }
    if (!link && value.custom_id === undefined) {
      fault(context, 'BUTTON_COMPONENT_CUSTOM_ID_REQUIRED', 'A custom id is required');
    }
    if (value.url !== undefined && value.custom_id !== undefined) {
      const message = 'A custom id and url cannot both be specified';
      fault(context, 'BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE', message);
    }
    if ((value.label ?? '') === '' && value.emoji === undefined) {
      const message = 'A button must have a label or emoji';
      fault(context, 'BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED', message);
    }
  });

const option = z.object({
  label: text(LIMIT.selectText, 1),
  value: text(LIMIT.selectText, 1),
  description: optional(text(LIMIT.selectText)),
  emoji,
  default: optional(z.boolean()),
});

const selectBase = {
  id,
  custom_id: customId,
  placeholder: optional(text(LIMIT.selectPlaceholder)),
  min_values: optional(int.min(0).max(LIMIT.selectOptions)),
  max_values: optional(int.min(1).max(LIMIT.selectOptions)),
  disabled: optional(z.boolean()),
  required: optional(z.boolean()),
};

interface Choosable {
  min_values?: number | undefined;
  max_values?: number | undefined;
  options?: { value: string; default?: boolean | undefined }[];
}

function checkChoosable(value: Choosable, context: z.RefinementCtx): void {
  const { options } = value;
  const max = value.max_values ?? 1;
  if ((value.min_values ?? 1) > Math.max(max, 1)) {
    fault(context, 'SELECT_COMPONENT_MIN_MAX', 'min_values must not exceed max_values', [
      'min_values',
    ]);
  }
  if (options === undefined) return;
  if (max > options.length) {
    const message = `Value should be less than or equal to ${options.length}.`;
    fault(context, 'NUMBER_TYPE_MAX', message, ['max_values']);
  }
  if (options.filter((one) => one.default === true).length > max) {
    const message = 'More options are chosen by default than max_values allows';
    fault(context, 'SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES', message, ['options']);
  }
  checkUniqueValues(options, context);
}

function checkUniqueValues(options: readonly { value: string }[], context: z.RefinementCtx): void {
  const seen = new Set<string>();
  for (const [index, { value }] of options.entries()) {
    if (seen.has(value)) {
      const message = 'The specified option value is already used';
      const path = ['options', index, 'value'];
      fault(context, 'SELECT_COMPONENT_OPTION_VALUE_DUPLICATED', message, path);
    }
    seen.add(value);
  }
}

const stringSelect = z
  .object({
    type: z.literal(COMPONENT.stringSelect),
    ...selectBase,
    options: list(option, LIMIT.selectOptions, 1),
  })
  .superRefine(checkChoosable);

const defaultValues = optional(
  list(z.object({ id: z.coerce.string(), type: z.enum(['user', 'role', 'channel']) }), 25),
);

const autoSelect = <Type extends 5 | 6 | 7 | 8>(type: Type) =>
  z
    .object({
      type: z.literal(type),
      ...selectBase,
      default_values: defaultValues,
      channel_types: optional(z.array(int)),
    })
    .superRefine(checkChoosable);

const selects = [
  stringSelect,
  autoSelect(COMPONENT.userSelect),
  autoSelect(COMPONENT.roleSelect),
  autoSelect(COMPONENT.mentionableSelect),
  autoSelect(COMPONENT.channelSelect),
] as const;

const rowOf = z
  .object({
    type: z.literal(COMPONENT.row),
    id,
    components: list(z.discriminatedUnion('type', [button, ...selects]), LIMIT.rowButtons, 1),
  })
  .superRefine((row, context) => {
    const hasSelect = row.components.some(({ type }) => type !== COMPONENT.button);
    if (hasSelect && row.components.length > 1) {
      const message = 'The specified component exceeds the maximum width';
      fault(context, 'COMPONENT_LAYOUT_WIDTH_EXCEEDED', message, ['components']);
    }
  });

const textDisplay = z.object({
  type: z.literal(COMPONENT.text),
  id,
  content: text(LIMIT.v2Text, 1),
});
const thumbnail = z.object({
  type: z.literal(COMPONENT.thumbnail),
  id,
  media,
  description: optional(text(LIMIT.mediaDescription)),
  spoiler: optional(z.boolean()),
});
const section = z.object({
  type: z.literal(COMPONENT.section),
  id,
  components: list(z.discriminatedUnion('type', [textDisplay]), LIMIT.sectionTexts, 1),
  accessory: z.discriminatedUnion('type', [thumbnail, button]),
});
const gallery = z.object({
  type: z.literal(COMPONENT.gallery),
  id,
  items: list(
    z.object({
      media,
      description: optional(text(LIMIT.mediaDescription)),
      spoiler: optional(z.boolean()),
    }),
    LIMIT.galleryItems,
    1,
  ),
});
const file = z.object({
  type: z.literal(COMPONENT.file),
  id,
  file: media,
  spoiler: optional(z.boolean()),
});
const separator = z.object({
  type: z.literal(COMPONENT.separator),
  id,
  divider: optional(z.boolean()),
  spacing: optional(int.min(1).max(2)),
});
const flat = [rowOf, textDisplay, section, gallery, file, separator] as const;
const container = z.object({
  type: z.literal(COMPONENT.container),
  id,
  accent_color: optional(int.min(0).max(0xffffff)),
  spoiler: optional(z.boolean()),
  components: list(z.discriminatedUnion('type', [...flat]), LIMIT.v2Components, 1),
});

/** The components of a message without Components V2. */
export const legacyComponents: z.ZodType<WireComponent[]> = list(
  z.discriminatedUnion('type', [rowOf]),
  LIMIT.rows,
);

/** The components of a message with the Components V2 flag. */
export const v2Components: z.ZodType<WireComponent[]> = list(
  z.discriminatedUnion('type', [...flat, container]),
  LIMIT.v2Components,
);

const textInput = z
  .object({
    type: z.literal(COMPONENT.textInput),
    id,
    custom_id: customId,
    style: int.min(1).max(2),
    label: optional(text(LIMIT.modalLabel, 1)),
    min_length: optional(int.min(0).max(LIMIT.inputValue)),
    max_length: optional(int.min(1).max(LIMIT.inputValue)),
    required: optional(z.boolean()),
    value: optional(text(LIMIT.inputValue)),
    placeholder: optional(text(LIMIT.inputPlaceholder)),
  })
  .superRefine((input, context) => {
    if ((input.min_length ?? 0) > (input.max_length ?? LIMIT.inputValue)) {
      const message = 'min_length must not exceed max_length';
      fault(context, 'TEXT_INPUT_COMPONENT_MIN_MAX', message, ['min_length']);
    }
  });

const radioOption = option.omit({ emoji: true });
const upload = z.object({
  type: z.literal(COMPONENT.upload),
  id,
  custom_id: customId,
  min_values: optional(int.min(0).max(LIMIT.files)),
  max_values: optional(int.min(1).max(LIMIT.files)),
  required: optional(z.boolean()),
});
const radioGroup = z
  .object({
    type: z.literal(COMPONENT.radioGroup),
    id,
    custom_id: customId,
    required: optional(z.boolean()),
    options: list(radioOption, 10, 2),
  })
  .superRefine(({ options }, context) => checkUniqueValues(options, context));
const checkboxGroup = z
  .object({
    type: z.literal(COMPONENT.checkboxGroup),
    id,
    custom_id: customId,
    required: optional(z.boolean()),
    min_values: optional(int.min(0).max(10)),
    max_values: optional(int.min(1).max(10)),
    options: list(radioOption, 10, 1),
  })
  .superRefine(({ options }, context) => checkUniqueValues(options, context));
const checkbox = z.object({
  type: z.literal(COMPONENT.checkbox),
  id,
  custom_id: customId,
  default: optional(z.boolean()),
});

const label = z
  .object({
    type: z.literal(COMPONENT.label),
    id,
    label: text(LIMIT.modalLabel, 1),
    description: optional(text(100, 1)),
    component: z.discriminatedUnion('type', [
      textInput,
      ...selects,
      upload,
      radioGroup,
      checkboxGroup,
      checkbox,
    ]),
  })
  .superRefine(({ component }, context) => {
    if ('disabled' in component && component.disabled === true) {
      const message = 'A component of a modal cannot be disabled';
      fault(context, 'COMPONENT_DISABLED_IN_MODAL', message, ['component', 'disabled']);
    }
    const required = !('required' in component) || component.required !== false;
    if (required && 'min_values' in component && component.min_values === 0) {
      const message = 'A required component cannot have min_values 0';
      fault(context, 'COMPONENT_REQUIRED_MIN_VALUES', message, ['component', 'min_values']);
    }
  });

const modalRow = z.object({
  type: z.literal(COMPONENT.row),
  id,
  components: list(
    z.discriminatedUnion('type', [textInput]).superRefine((input, context) => {
      if (input.label === undefined) {
        fault(context, 'BASE_TYPE_REQUIRED', 'This field is required', ['label']);
      }
    }),
    1,
    1,
  ),
});

/** A modal. */
export const modalForm = z.object({
  custom_id: customId,
  title: text(LIMIT.modalTitle, 1),
  components: list(
    z.discriminatedUnion('type', [modalRow, label, textDisplay]),
    LIMIT.modalComponents,
    1,
  ),
});

/** Every component under these, themselves included, with the path to each. */
export function* walkComponents(
  components: readonly WireComponent[],
  path: readonly PropertyKey[] = ['components'],
): Generator<{ component: WireComponent; path: PropertyKey[] }> {
  for (const [index, component] of components.entries()) {
    const here = [...path, index];
    yield { component, path: here };
    yield* walkComponents(component.components ?? [], [...here, 'components']);
    for (const key of ['accessory', 'component'] as const) {
      const child = component[key];
      if (child !== undefined) yield { component: child, path: [...here, key] };
    }
  }
}

/** Holds the rules that span the components of one message or modal. */
export function checkTogether(components: readonly WireComponent[], errors: FormErrors): void {
  const seen = new Set<string>();
  const ids = new Set<number>();
  for (const { component, path } of walkComponents(components)) {
    const name = component.custom_id;
    if (name !== undefined && seen.has(name)) {
      const message = 'Component custom id cannot be duplicated';
      errors.add([...path, 'custom_id'], 'COMPONENT_CUSTOM_ID_DUPLICATED', message);
    }
    if (name !== undefined) seen.add(name);
    const number = component.id ?? 0;
    if (number !== 0 && ids.has(number)) {
      errors.add([...path, 'id'], 'COMPONENT_ID_DUPLICATED', 'Component id cannot be duplicated');
    }
    if (number !== 0) ids.add(number);
  }
}

/** What Discord fills in where the bot left it out, by component type. */
const DEFAULTS: Readonly<Record<number, Partial<WireComponent>>> = {
  [COMPONENT.stringSelect]: { min_values: 1, max_values: 1 },
  [COMPONENT.userSelect]: { min_values: 1, max_values: 1 },
  [COMPONENT.roleSelect]: { min_values: 1, max_values: 1 },
  [COMPONENT.mentionableSelect]: { min_values: 1, max_values: 1 },
  [COMPONENT.channelSelect]: { min_values: 1, max_values: 1 },
  [COMPONENT.thumbnail]: { description: null, spoiler: false },
  [COMPONENT.file]: { spoiler: false },
  [COMPONENT.separator]: { divider: true, spacing: 1 },
  [COMPONENT.container]: { accent_color: null, spoiler: false },
};

/** Copies components and fills in their numeric ids and the defaults that Discord sends back. */
export function completeComponents(components: readonly WireComponent[]): WireComponent[] {
  const copies = structuredClone(components) as WireComponent[];
  const taken = new Set([...walkComponents(copies)].map(({ component }) => component.id ?? 0));
  let next = 1;
  for (const { component } of walkComponents(copies)) {
    for (const [key, value] of Object.entries(DEFAULTS[component.type] ?? {})) {
      const name = key as keyof WireComponent;
      if (component[name] === undefined) Object.assign(component, { [name]: value });
    }
    for (const item of component.items ?? []) {
      item.description ??= null;
      item.spoiler ??= false;
    }
    if ((component.id ?? 0) !== 0) continue;
    while (taken.has(next)) next += 1;
    taken.add(next);
    component.id = next;
  }
  return copies;
}

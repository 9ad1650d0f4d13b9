// Reads a request body by a schema and turns what does not fit into Discord's nested form errors.
import * as z from 'zod';
import type { FormErrors } from './refusals.ts';

/** The length that Discord counts: code points, not UTF-16 units. */
export function lengthOf(text: string): number {
  let count = 0;
  for (const character of text) if (character !== '') count += 1;
  return count;
}

/** A string of `min` to `max` characters; blanks alone do not count as text. */
export function text(max: number, min = 0): z.ZodType<string> {
  return z.string().superRefine((value, context) => {
    const length = lengthOf(value);
    if (length > max) {
      fault(context, 'BASE_TYPE_MAX_LENGTH', `Must be ${max} or fewer in length.`);
    } else if (min > 0 && lengthOf(value.trim()) < min) {
      if (min === 1) fault(context, 'BASE_TYPE_REQUIRED', 'This field is required');
      else fault(context, 'BASE_TYPE_BAD_LENGTH', `Must be between ${min} and ${max} in length.`);
    }
  });
}

/** A list of `min` to `max` items. */
export function list<Item extends z.ZodType>(
  item: Item,
  max: number,
  min = 0,
): z.ZodType<z.output<Item>[]> {
  return z.array(item).superRefine((items, context) => {
    if (items.length > max || items.length < min) {
      fault(context, 'BASE_TYPE_BAD_LENGTH', `Must be between ${min} and ${max} in length.`);
    }
  });
}

/** Notes a fault with the code that Discord has for it. */
export function fault(
  context: z.RefinementCtx,
  code: string,
  message: string,
  path: PropertyKey[] = [],
): void {
  context.addIssue({ code: 'custom', message, path, params: { discord: code } });
}

/** Discord reads null as "not given" nearly everywhere; so does this. */
export function optional<Inner extends z.ZodType>(
  inner: Inner,
): z.ZodType<z.output<Inner> | undefined> {
  return inner.nullish().transform((value) => value ?? undefined);
}

/** The body as the schema reads it; undefined when `errors` has been told what is wrong. */
export function readForm<Output>(
  schema: z.ZodType<Output>,
  body: unknown,
  errors: FormErrors,
  path: readonly PropertyKey[] = [],
): Output | undefined {
  const result = schema.safeParse(body, { reportInput: true });
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    const [code, message] = translate(issue);
    errors.add([...path, ...issue.path], code, message);
  }
  return undefined;
}

const TYPE_NAMES: Readonly<Record<string, [code: string, message: string]>> = {
  string: ['BASE_TYPE_CONVERT', 'Could not interpret "{}" as string.'],
  number: ['NUMBER_TYPE_COERCE', 'Value "{}" is not int.'],
  int: ['NUMBER_TYPE_COERCE', 'Value "{}" is not int.'],
  boolean: ['BOOLEAN_TYPE_CONVERT', 'Must be either true or false.'],
  array: ['LIST_TYPE_CONVERT', 'Only iterables may be used in a ListType'],
  object: ['DICT_TYPE_CONVERT', 'Only dictionaries may be used in a DictType'],
};

function translate(issue: z.core.$ZodIssue): [code: string, message: string] {
  switch (issue.code) {
    case 'custom': {
      const code: unknown = issue.params?.['discord'];
      return [typeof code === 'string' ? code : 'BASE_TYPE_INVALID', issue.message];
    }
    case 'invalid_type': {
      if (issue.input === undefined) return ['BASE_TYPE_REQUIRED', 'This field is required'];
      return TYPE_NAMES[issue.expected] ?? ['BASE_TYPE_INVALID', issue.message];
    }
    case 'too_big':
      return ['NUMBER_TYPE_MAX', `Value should be less than or equal to ${issue.maximum}.`];
    case 'too_small':
      return ['NUMBER_TYPE_MIN', `Value should be greater than or equal to ${issue.minimum}.`];
    case 'invalid_value':
      return [
        'BASE_TYPE_CHOICES',
        `Value must be one of {${issue.values.map(String).join(', ')}}.`,
      ];
    case 'invalid_union':
      return ['UNION_TYPE_CHOICES', 'Value of field "type" is not one that may stand here.'];
    case 'invalid_format':
    case 'not_multiple_of':
    case 'unrecognized_keys':
    case 'invalid_key':
    case 'invalid_element':
      return ['BASE_TYPE_INVALID', issue.message];
  }
}

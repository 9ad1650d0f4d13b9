// Changes inputs: a character here, a token there, a piece of another input, a hostile value in a JSON document.
import type { Random } from './random.ts';

export interface Mutator {
  readonly random: Random;
  readonly tokens: readonly string[];
  readonly isJson: boolean;
  readonly isBytes: boolean;
  readonly maxLength: number;
}

const CHARACTERS = Array.from(
  ' \n\r\t\0"\'\\/<>{}[]()=:;,.-+*@#$%^&|~!?`_aAzZ09eE\u007f\u0080\u00ff',
);
/** What is more than a byte: separators, an order mark, half a pair, a Kelvin sign, a combining accent. */
const WIDE = ['\u2028', '\u2029', '\ufeff', '\ud83d', '\udc00', '😀', '\u212a', '\u0301', '\ufffd'];
const NUMBERS = [
  ...['0', '-0', '-1', '1', '00', '1e400', '1e308', '-1e-7', '0.1', '255', '256', '65536'],
  ...['2147483648', '4294967296', '9007199254740993', '1000000000000', '99999999999999999999'],
];
const HOSTILE: readonly unknown[] = [
  ...[null, true, false, 0, -0, -1, 0.5, 1e308, 2 ** 53, 4_294_967_296],
  ...['', ' ', '0', '__proto__', 'constructor', '\ud800', '\u0000', 'a'.repeat(300), '../..'],
  ...[[], {}, [[]], [null], { length: -1 }, { toString: 1 }, { toJSON: 1 }],
];
const KEYS = ['__proto__', 'constructor', 'prototype', 'toString', 'length', '', 'a', '\ud800'];

/** One input made of another one. */
export function mutate(input: string, pool: readonly string[], by: Mutator): string {
  const { random, isJson, isBytes, maxLength } = by;
  let text = input;
  for (let changes = 1 + random.int(4); changes > 0; changes -= 1) {
    text =
      (isJson && random.int(4) > 0 ? changeJson(text, by) : undefined) ?? change(text, pool, by);
  }
  if (text.length > maxLength) text = text.slice(0, maxLength);
  // eslint-disable-next-line no-control-regex -- everything beyond a byte
  return isBytes ? text.replace(/[^\u0000-\u00ff]/g, '\u00e9') : text;
}

function change(text: string, pool: readonly string[], { random, tokens }: Mutator): string {
  const at = random.int(text.length + 1);
  const end = Math.min(text.length, at + 1 + random.int(random.int(8) === 0 ? text.length : 8));
  const [head, body, tail] = [text.slice(0, at), text.slice(at, end), text.slice(end)];
  switch (random.int(11)) {
    case 0:
      return head + tail;
    case 1:
      return head + character(random) + body + tail;
    case 2:
      return head + character(random) + text.slice(at + 1);
    case 3:
      return (
        head + String.fromCharCode(text.charCodeAt(at) ^ (1 << random.int(8))) + text.slice(at + 1)
      );
    case 4:
      return head + (tokens.length > 0 ? random.pick(tokens) : character(random)) + body + tail;
    case 5:
      return head + (tokens.length > 0 ? random.pick(tokens) : character(random)) + tail;
    case 6:
      return head + body.repeat(2 + random.int(random.int(16) === 0 ? 200 : 6)) + tail;
    case 7: {
      const other = random.pick(pool);
      return head + other.slice(random.int(other.length + 1));
    }
    case 8:
      return tail + body + head;
    case 9:
      return text.replace(/\d+/, (digits, offset: number) =>
        offset >= at ? random.pick(NUMBERS) : digits,
      );
    default:
      return head + random.pick(NUMBERS) + tail;
  }
}

function character(random: Random): string {
  return random.pick(random.int(4) === 0 ? WIDE : CHARACTERS);
}

/** Undefined when the text is no JSON. */
function changeJson(text: string, by: Mutator): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  // A document that is nested too deeply to be printed is changed as text.
  if (/[[{]{200}/.test(text)) return undefined;
  return JSON.stringify(changeValue(value, by, 0));
}

function changeValue(value: unknown, by: Mutator, depth: number): unknown {
  const { random } = by;
  if (typeof value !== 'object' || value === null || random.int(5 + depth) === 0) {
    return changeLeaf(value, by);
  }
  if (Array.isArray(value)) return changeArray(value as unknown[], by, depth);
  const entries = Object.entries(value);
  const at = random.int(entries.length + 1);
  const [key, item] = entries[at] ?? [random.pick(KEYS), random.pick(HOSTILE)];
  switch (random.int(6)) {
    case 0:
      entries.splice(at, 1);
      break;
    case 1:
      entries.splice(at, 1, [random.pick(KEYS), item]);
      break;
    default:
      entries.splice(at, 1, [key, changeValue(item, by, depth + 1)]);
  }
  return Object.fromEntries(entries);
}

function changeArray(items: readonly unknown[], by: Mutator, depth: number): unknown[] {
  const { random } = by;
  const at = random.int(items.length + 1);
  switch (random.int(5)) {
    case 0:
      return items.toSpliced(at, 1);
    case 1:
      return items.toSpliced(at, 0, ...Array<unknown>(1 + random.int(40)).fill(items[at]));
    default:
      return items.toSpliced(at, 1, changeValue(items[at], by, depth + 1));
  }
}

function changeLeaf(value: unknown, { random, tokens }: Mutator): unknown {
  switch (random.int(5)) {
    case 0:
      return typeof value === 'string'
        ? change(value, [value], TEXT(random, tokens))
        : random.pick(HOSTILE);
    case 1:
      return tokens.length > 0 ? random.pick(tokens) : random.pick(HOSTILE);
    case 2:
      return [value];
    case 3:
      return { [random.pick(KEYS)]: value };
    default:
      return random.pick(HOSTILE);
  }
}

const TEXT = (random: Random, tokens: readonly string[]): Mutator => ({
  ...{ random, tokens, isJson: false, isBytes: false, maxLength: 4_096 },
});

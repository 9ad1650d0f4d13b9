// Looks for inputs that take out of proportion: a piece of an input is repeated, and eight times as much of it must not
// take much more than eight times as long.
import { cpuMs } from './cpu-time.ts';
import { seededRandom } from './random.ts';
import { Broken, type Check, type Target } from './target.ts';

const DEFAULT_LENGTH = 32_768;
const STEP = 8;
/** Work in proportion gives 8, in its square 64. */
const MAX_RATIO = 30;
/** Shorter times say more about the machine than about the code. */
const LEAST_MS = 15;
/** An exponential one shows here, before it could take for ever. */
const SHORT = [12, 16, 20, 24, 28, 32];
const SHORT_MS = 150;
const TRIES = 5;

const UNITS = [
  ...[' ', '\n', '\t', 'a', '0', '9', '"', "'", '\\', '/', '-', '.', ',', ':', '=', '@', '[', '{'],
  ...[
    'a ',
    ' a',
    '\n ',
    '="',
    '" ',
    '":',
    'a.',
    '..',
    ',0',
    '0,',
    '%25',
    '<a',
    '``',
    '**',
    ':/',
    '\0',
  ],
];

interface Pump {
  readonly head: string;
  readonly unit: string;
  readonly tail: string;
}

/** What once took out of proportion, by target; looked at before any other. */
const KNOWN_PUMPS: Readonly<Record<string, readonly Pump[]>> = {
  'allowed-signers': [{ head: 'a ', unit: '="', tail: ' !' }],
  'git-stderr': [
    {
      head: 'REMOTE HOST IDENTIFICATION HAS CHANGED\nOffending X',
      unit: ' key in',
      tail: '',
    },
  ],
  redact: [{ head: '', unit: 'a.', tail: '!' }],
  'ref-listing': [{ head: '', unit: '\n', tail: '' }],
};

const inflate = ({ head, unit, tail }: Pump, length: number): string =>
  head + unit.repeat(Math.max(1, Math.floor(length / unit.length))) + tail;

/** Pumps of a target, chosen by the seed: a head and a tail of its seeds, and something between them. */
function pumpsOf(target: Target, count: number, seed: number): Pump[] {
  const random = seededRandom(seed);
  const units = [...UNITS, ...(target.tokens ?? [])].filter((unit) => unit !== '');
  const all = target.seeds.filter((input) => input.length < 2_000);
  const starts = all.length === 0 ? [''] : all;
  return Array.from({ length: count }, (_, index) => {
    const start = random.pick(starts);
    const at = random.pick([0, random.int(start.length + 1), start.length]);
    const unit = index < units.length ? (units[index] ?? 'a') : random.pick(units);
    const twice = random.int(3) === 0 ? random.pick(units) : '';
    // What does not fit at the end is what makes an expression try everything.
    const tail = random.pick([start.slice(at), '', '!', '\n', '\u0000']);
    return { head: start.slice(0, at), unit: unit + twice, tail };
  });
}

/** @throws Broken when one of the pumps takes out of proportion. */
export async function checkGrowth(
  target: Target,
  check: Check,
  count: number,
  seed: number,
): Promise<void> {
  const length = target.growthLength ?? DEFAULT_LENGTH;
  const known = KNOWN_PUMPS[target.name] ?? [];
  for (const pump of [...known, ...pumpsOf(target, count, seed)]) {
    for (const short of SHORT) {
      if ((await fastest(check, inflate(pump, short), SHORT_MS)) > SHORT_MS)
        throw broken(pump, short);
    }
    // The middle first: what is out of proportion would take minutes at the end.
    for (const [less, more] of [
      [length / STEP ** 2, length / STEP],
      [length / STEP, length],
    ] as const) {
      const [small, large] = [inflate(pump, Math.floor(less)), inflate(pump, Math.floor(more))];
      // Once more, with more patience: a busy machine is no fault of the code.
      if (
        (await isOutOfProportion(check, small, large, 2)) &&
        (await isOutOfProportion(check, small, large, TRIES))
      ) {
        throw broken(pump, more);
      }
    }
  }
}

async function isOutOfProportion(
  check: Check,
  small: string,
  large: string,
  tries: number,
): Promise<boolean> {
  const largeMs = await fastest(check, large, LEAST_MS, tries);
  if (largeMs < LEAST_MS) return false;
  const smallMs = await fastest(check, small, 0, 2 * tries);
  return largeMs > MAX_RATIO * Math.max(smallMs, LEAST_MS / MAX_RATIO);
}

/** The shortest of some tries in ms; the first below `enough` ends them. */
async function fastest(
  check: Check,
  input: string,
  enough: number,
  tries = TRIES,
): Promise<number> {
  let least = Infinity;
  for (let done = 0; done < tries; done += 1) {
    const startedAt = cpuMs();
    await check(input);
    least = Math.min(least, cpuMs() - startedAt);
    if (least < enough) break;
  }
  return least;
}

function broken({ head, unit, tail }: Pump, length: number): Broken {
  const words = JSON.stringify([head, unit, tail]);
  return new Broken(
    `it takes out of proportion: [head, unit, tail] ${words}, ${length} characters`,
  );
}

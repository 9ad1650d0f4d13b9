// Holds a soak's figures against what it must show.
import { median } from '../bench/figures.ts';
import type { SoakFigures, SoakOptions } from './run-soak.ts';

export interface Criterion {
  readonly rule: string;
  readonly found: string;
  readonly isMet: boolean;
}

/** Memory needs time to show a leak: below this the ratio is told, not judged. */
const MEMORY_JUDGED_MINUTES = 10;
const MEMORY_RATIO_MAX = 1.15;
const EARLY_MINUTE = 5;
const WINDOW_MS = 60_000;
/** The load must have been what it claims to be. */
const SENT_SHARE_MIN = 0.98;
/** Invalid Form Body: a message that Discord would never have shown. */
const INVALID_FORM = '50035';
/** Words of the log that a soak without a fault of ours never has. */
const FAULT_WORDS = [
  'An interaction broke.',
  'An interaction could not be answered.',
  'the audit found something off',
  'a settlement could not be ended',
];

/**
 * RSS of the minute that ends at minute five and of the last minute, the median of each: one sample tells when the
 * collector ran last. A soak too short for it is measured from its sixth part on.
 */
export function memoryOf(
  { samples }: SoakFigures,
  minutes: number,
): {
  readonly earlyMb: number;
  readonly endMb: number;
  readonly ratio: number;
} {
  const earlyMs = Math.min(EARLY_MINUTE, minutes / 6) * 60_000;
  const endMs = samples.at(-1)?.atMs ?? 0;
  const around = (at: number): number =>
    median(
      samples.filter(({ atMs }) => atMs <= at && atMs > at - WINDOW_MS).map(({ rssMb }) => rssMb),
    );
  const [earlyMb, endMb] = [around(earlyMs), around(endMs)];
  return { earlyMb, endMb, ratio: Math.round((endMb / Math.max(earlyMb, 1)) * 1000) / 1000 };
}

/** Every rule with what was found. */
export function judge(
  figures: SoakFigures,
  { minutes }: Pick<SoakOptions, 'minutes'>,
): readonly Criterion[] {
  const { fates, exit, audit, books, violations, warnings, planned, sent } = figures;
  const none = (rule: string, count: number): Criterion => ({
    rule,
    found: String(count),
    isMet: count === 0,
  });
  const { earlyMb, endMb, ratio } = memoryOf(figures, minutes);
  const isJudged = minutes >= MEMORY_JUDGED_MINUTES;
  const faults = FAULT_WORDS.reduce((sum, words) => sum + (warnings[words] ?? 0), 0);
  return [
    {
      rule: `the load was kept: at least ${SENT_SHARE_MIN * 100} % of what was planned`,
      found: `${sent} of ${planned}`,
      isMet: sent >= planned * SENT_SHARE_MIN,
    },
    none('interactions unanswered', fates['unanswered'] ?? 0),
    none('interactions acknowledged and never finished', fates['unfinished'] ?? 0),
    {
      rule: `memory is flat: RSS at the end within 15 % of minute five`,
      found: `${earlyMb} MB, ${endMb} MB, ratio ${ratio}${isJudged ? '' : ' (too short to be judged)'}`,
      isMet: !isJudged || ratio <= MEMORY_RATIO_MAX,
    },
    {
      rule: 'SIGTERM ends it with code 0',
      found: `code ${String(exit.code)}, signal ${String(exit.signal)}`,
      isMet: exit.code === 0,
    },
    { rule: 'the audit is clean', found: `exit ${audit.code}`, isMet: audit.code === 0 },
    none('differences between what members were told and what is there', books.differences.length),
    none('messages that Discord would refuse (50035)', violations[INVALID_FORM] ?? 0),
    none('faults in the log', faults),
  ];
}

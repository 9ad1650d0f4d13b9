// Words how far a moment is from now, as in "3 minutes ago".
const SECOND = 1000;
const UNITS: readonly [unit: Intl.RelativeTimeFormatUnit, ms: number][] = [
  ['year', 365 * 24 * 3600 * SECOND],
  ['month', 30 * 24 * 3600 * SECOND],
  ['day', 24 * 3600 * SECOND],
  ['hour', 3600 * SECOND],
  ['minute', 60 * SECOND],
  ['second', SECOND],
];
/** The language that the pages' words are in. */
export const LOCALE = 'en-US';
const relative = new Intl.RelativeTimeFormat(LOCALE, { numeric: 'auto' });

/** @param at Unix time in ms. */
export function relativeTo(at: number): string {
  const distance = at - Date.now();
  const [unit, ms] = UNITS.find(([, size]) => Math.round(Math.abs(distance) / size) >= 1) ?? [
    'second',
    SECOND,
  ];
  return relative.format(Math.round(distance / ms), unit);
}

/** Words the relative times on the page anew: those of `<time data-relative="…">`. */
export function refreshTimes(): void {
  for (const element of document.querySelectorAll<HTMLElement>('time[data-relative]')) {
    element.textContent = relativeTo(Number(element.dataset['relative']));
  }
}

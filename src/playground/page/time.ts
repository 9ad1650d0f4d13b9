// Dates and times as Discord words them; relative ones are kept up to date.
import { h } from './dom.ts';

const SECOND = 1000;
const UNITS: readonly [unit: Intl.RelativeTimeFormatUnit, ms: number][] = [
  ['year', 365 * 24 * 3600 * SECOND],
  ['month', 30 * 24 * 3600 * SECOND],
  ['day', 24 * 3600 * SECOND],
  ['hour', 3600 * SECOND],
  ['minute', 60 * SECOND],
  ['second', SECOND],
];
const FORMATS: Readonly<Record<string, Intl.DateTimeFormatOptions>> = {
  t: { timeStyle: 'short' },
  T: { timeStyle: 'medium' },
  d: { dateStyle: 'short' },
  D: { dateStyle: 'long' },
  f: { dateStyle: 'long', timeStyle: 'short' },
  F: { dateStyle: 'full', timeStyle: 'short' },
};
const LOCALE = 'en-US';
const relative = new Intl.RelativeTimeFormat(LOCALE, { numeric: 'auto' });

/** `<t:seconds:style>` as an element. */
export function timeElement(seconds: string, style = 'f'): HTMLElement {
  const at = Number(seconds) * SECOND;
  if (Number.isNaN(new Date(at).getTime())) return h('span', {}, `<t:${seconds}:${style}>`);
  const full = new Date(at).toLocaleString(LOCALE, FORMATS['F']);
  const props = { class: 'time', title: full, datetime: new Date(at).toISOString() };
  if (style !== 'R') return h('time', props, new Date(at).toLocaleString(LOCALE, FORMATS[style]));
  return h('time', { ...props, 'data-relative': at }, relativeTo(at));
}

/** Words the relative times on the page anew. */
export function refreshTimes(): void {
  for (const element of document.querySelectorAll<HTMLElement>('time[data-relative]')) {
    element.textContent = relativeTo(Number(element.dataset['relative']));
  }
}

function relativeTo(at: number): string {
  const distance = at - Date.now();
  const [unit, ms] = UNITS.find(([, size]) => Math.round(Math.abs(distance) / size) >= 1) ?? [
    'second',
    SECOND,
  ];
  return relative.format(Math.round(distance / ms), unit);
}

/** When a message was sent, as Discord words it. */
export function stampOf(iso: string): string {
  const date = new Date(iso);
  const time = date.toLocaleTimeString(LOCALE, { timeStyle: 'short' });
  const day = (offset: number): string =>
    new Date(Date.now() - offset * 24 * 3600 * SECOND).toDateString();
  if (date.toDateString() === day(0)) return `Today at ${time}`;
  if (date.toDateString() === day(1)) return `Yesterday at ${time}`;
  return `${date.toLocaleDateString(LOCALE)} ${time}`;
}

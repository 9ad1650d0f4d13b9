// Dates and times as Discord words them; relative ones are kept up to date.
import { h } from '../../shared/page/dom.ts';
import { LOCALE, relativeTo } from '../../shared/page/relative-time.ts';

const SECOND = 1000;
const FORMATS: Readonly<Record<string, Intl.DateTimeFormatOptions>> = {
  t: { timeStyle: 'short' },
  T: { timeStyle: 'medium' },
  d: { dateStyle: 'short' },
  D: { dateStyle: 'long' },
  f: { dateStyle: 'long', timeStyle: 'short' },
  F: { dateStyle: 'full', timeStyle: 'short' },
};

/** `<t:seconds:style>` as an element. */
export function timeElement(seconds: string, style = 'f'): HTMLElement {
  const at = Number(seconds) * SECOND;
  if (Number.isNaN(new Date(at).getTime())) return h('span', {}, `<t:${seconds}:${style}>`);
  const full = new Date(at).toLocaleString(LOCALE, FORMATS['F']);
  const props = { class: 'time', title: full, datetime: new Date(at).toISOString() };
  if (style !== 'R') return h('time', props, new Date(at).toLocaleString(LOCALE, FORMATS[style]));
  return h('time', { ...props, 'data-relative': at }, relativeTo(at));
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

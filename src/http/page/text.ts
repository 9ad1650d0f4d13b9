// Shows what strangers wrote as the text that it is: nothing hidden, nothing that reaches beyond its own place.
import { h } from '../../shared/page/dom.ts';
import { LOCALE, relativeTo } from '../../shared/page/relative-time.ts';
import { addressOf, type Lookup } from './address.ts';

/** Characters without a picture, but the joiners, which emoji and scripts need, and line breaks. */
const INVISIBLE = /(?![\n\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Writes characters that cannot be seen, or that turn the reading direction, as `⟨U+202E⟩`. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
  });
}

/** Somebody's text within ours; `bdi` keeps its direction to itself. */
export function foreign(text: string): HTMLElement {
  return h('bdi', { class: 'foreign' }, visible(text));
}

/** An id that leads to what it names. */
export function lookupLink(lookup: Lookup): HTMLElement {
  return h('a', { class: 'id', href: addressOf(lookup) }, foreign(lookup.id));
}

/** A moment in words, with how long ago it was. @param at Unix time in ms */
export function moment(at: number): HTMLElement {
  const date = new Date(at);
  // Times come from the chain, and any integer may stand there.
  if (Number.isNaN(date.getTime())) return h('span', {}, String(at));
  const full = date.toLocaleString(LOCALE, { dateStyle: 'medium', timeStyle: 'medium' });
  return h('span', { class: 'moment' }, h('time', { datetime: date.toISOString() }, full), ago(at));
}

/** How long ago it was, kept up to date. @param at Unix time in ms */
export function ago(at: number): HTMLElement {
  return h('time', { class: 'ago', 'data-relative': at }, relativeTo(at));
}

const THOUSANDS = new Intl.NumberFormat(LOCALE);

/** A number as people read it. */
export function digits(number: number): string {
  return THOUSANDS.format(number);
}

/** A count of things in words, as in "1 asset" or "2,000 assets". */
export function count(number: number, thing: string): string {
  return `${digits(number)} ${thing}${number === 1 ? '' : 's'}`;
}

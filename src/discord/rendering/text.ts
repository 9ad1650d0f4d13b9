// Text that fits Discord's limits and that no member can bend: clipping, escaping, times.
import { escapeMarkdown } from 'discord.js';

/** Discord's ceilings for what this bot sends. */
export const LIMITS = {
  content: 2_000,
  embedTitle: 256,
  embedDescription: 4_096,
  fieldValue: 1_024,
  footer: 2_048,
  selectOptions: 25,
  selectText: 100,
  choiceText: 100,
} as const;

/** The longest name that is shown in full. */
const NAME_MAX = 60;
const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;

/** Cuts to at most `max` UTF-16 units, never through a character, and marks the cut. */
export function clip(text: string, max: number): string {
  if (text.length <= max) return text;
  let cut = '';
  for (const character of text) {
    if (cut.length + character.length > max - 1) break;
    cut += character;
  }
  return `${cut}…`;
}

/** One line without control characters, and without the invisible ones that turn a text's direction. */
export function oneLine(text: string): string {
  return text.replace(CONTROL, ' ').replace(/ {2,}/g, ' ').trim();
}

/** A name from outside as plain text: no markdown, no mention, no link, no more than a line. */
export function escapeName(name: string, max: number = NAME_MAX): string {
  const plain = clip(oneLine(name), max);
  if (plain === '') return '(no name)';
  return (
    escapeMarkdown(plain, {
      heading: true,
      bulletedList: true,
      numberedList: true,
      maskedLink: true,
    })
      .replaceAll('<', '\\<')
      // A zero-width space takes the meaning of these and leaves their look.
      .replaceAll('@', '@\u200b')
      .replaceAll('://', ':\u200b//')
  );
}

/** An id as inline code, which shows everything as it is but its own delimiter. */
export function code(text: string, max = 48): string {
  return `\`${clip(oneLine(text), max).replaceAll('`', 'ˋ')}\``;
}

/** A member as a mention; with `allowed_mentions` empty it pings nobody. */
export function mention(memberId: string): string {
  return `<@${memberId}>`;
}

/** An instant as Discord shows it in each reader's own time: `R` for "in 5 minutes". */
export function moment(at: number, style: 'R' | 'f' | 'd' = 'R'): string {
  return `<t:${String(Math.floor(at / 1000))}:${style}>`;
}

/** Joins whole lines within `max`, and says how many did not fit. */
export function joinWithin(lines: readonly string[], max: number): string {
  const all = lines.join('\n');
  if (all.length <= max) return all;
  const kept: string[] = [];
  let length = 0;
  for (const line of lines) {
    const more = `\n…and ${String(lines.length - kept.length)} more`;
    if (length + line.length + 1 + more.length > max) return clip(kept.join('\n') + more, max);
    kept.push(line);
    length += line.length + 1;
  }
  return kept.join('\n');
}

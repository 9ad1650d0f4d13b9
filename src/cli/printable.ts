// What of anybody's names may go to a terminal, and how they go into a command for a shell.

/** Names and records are anybody's: nothing in them may move a terminal's cursor or turn its text around. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/gu;
const PLAIN_WORD = /^[\w@%+=:,./-]+$/;

/** The text on one line, with everything that cannot be seen in it spelled out. */
export function printable(text: string): string {
  return text.replace(UNSEEN, (char) => `\\u{${char.codePointAt(0)?.toString(16) ?? ''}}`);
}

/** The text as one word of a command, to be copied from a terminal into bash, zsh or a sh of POSIX 2024. */
export function shellWord(text: string): string {
  if (PLAIN_WORD.test(text)) return text;
  if (printable(text) === text) return `'${text.replaceAll("'", `'\\''`)}'`;
  const quoted = text.replace(/[\\']/g, '\\$&').replace(UNSEEN, octal);
  return `$'${quoted}'`;
}

const octal = (char: string): string =>
  [...Buffer.from(char)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');

// Turns Discord's markdown into elements: text stays text, and only http(s) links become links.
import '@skyra/discord-components-core/discord-code.js';
import '@skyra/discord-components-core/discord-mention.js';
import '@skyra/discord-components-core/discord-pre.js';
import '@skyra/discord-components-core/discord-spoiler.js';
import { h } from '../../shared/page/dom.ts';
import { timeElement } from './time.ts';

/** Gives the names that mentions stand for. */
export interface Names {
  user: (id: string) => string | undefined;
  role: (id: string) => { name: string; color: number } | undefined;
  channel: (id: string) => string | undefined;
}

interface Rule {
  pattern: RegExp;
  build: (match: RegExpExecArray, names: Names) => Node | string;
}

const INLINE: readonly Rule[] = [
  { pattern: /\\([^\w\s])/, build: ([, character = '']) => character },
  { pattern: /``([\s\S]+?)``(?!`)/, build: ([, code = '']) => codeElement(code.trim()) },
  { pattern: /`([^`\n]+)`/, build: ([, code = '']) => codeElement(code) },
  { pattern: /<@!?(\d+)>/, build: ([, id = ''], names) => mention('user', names.user(id) ?? id) },
  { pattern: /<@&(\d+)>/, build: ([, id = ''], names) => roleMention(id, names) },
  {
    pattern: /<#(\d+)>/,
    build: ([, id = ''], names) => mention('channel', names.channel(id) ?? id),
  },
  { pattern: /<\/([^:>]+):\d+>/, build: ([, name = '']) => mention('slash', name) },
  { pattern: /@(everyone|here)\b/, build: ([, name = '']) => mention('user', name) },
  {
    pattern: /<t:(-?\d+)(?::([tTdDfFR]))?>/,
    build: ([, at = '0', style]) => timeElement(at, style),
  },
  { pattern: /<a?:(\w+):\d+>/, build: ([, name = '']) => `:${name}:` },
  {
    pattern: /\[([^\]\n]+)\]\(<?(https?:\/\/[^\s)>]+)>?(?:\s+"[^"]*")?\)/,
    build: ([, label = '', url = ''], names) => link(url, inline(label, names)),
  },
  { pattern: /<(https?:\/\/[^\s>]+)>/, build: ([, url = '']) => link(url, url) },
  { pattern: /https?:\/\/[^\s<>]*[^\s<>.,:;"'\])]/, build: ([url]) => link(url, url) },
  {
    pattern: /\*\*\*([\s\S]+?)\*\*\*/,
    build: ([, text = ''], names) => h('strong', {}, h('em', {}, inline(text, names))),
  },
  {
    pattern: /\*\*([\s\S]+?)\*\*(?!\*)/,
    build: ([, text = ''], names) => h('strong', {}, inline(text, names)),
  },
  {
    pattern: /__([\s\S]+?)__(?!_)/,
    build: ([, text = ''], names) => h('u', {}, inline(text, names)),
  },
  {
    pattern: /\*(?!\s)([^*\n]+?)\*/,
    build: ([, text = ''], names) => h('em', {}, inline(text, names)),
  },
  {
    pattern: /(?<!\w)_([^_\n]+?)_(?!\w)/,
    build: ([, text = ''], names) => h('em', {}, inline(text, names)),
  },
  { pattern: /~~([\s\S]+?)~~/, build: ([, text = ''], names) => h('s', {}, inline(text, names)) },
  {
    pattern: /\|\|([\s\S]+?)\|\|/,
    build: ([, text = ''], names) => h('discord-spoiler', {}, inline(text, names)),
  },
];

function codeElement(code: string): HTMLElement {
  return h('discord-code', {}, code);
}

function mention(type: 'user' | 'channel' | 'slash', name: string): HTMLElement {
  return h('discord-mention', { type }, name);
}

function roleMention(id: string, names: Names): HTMLElement {
  const role = names.role(id);
  const color = role === undefined || role.color === 0 ? undefined : hexColor(role.color);
  return h('discord-mention', { type: 'role', color }, role?.name ?? id);
}

function link(url: string, label: Node | string): HTMLElement {
  return h('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, label);
}

/** A colour number as CSS writes it. */
export function hexColor(color: number): string {
  return `#${color.toString(16).padStart(6, '0')}`;
}

/** Inline markdown. */
export function inline(text: string, names: Names): DocumentFragment {
  const fragment = document.createDocumentFragment();
  let rest = text;
  while (rest !== '') {
    let first: { rule: Rule; match: RegExpExecArray } | undefined;
    for (const rule of INLINE) {
      const match = rule.pattern.exec(rest);
      if (match !== null && (first === undefined || match.index < first.match.index)) {
        first = { rule, match };
      }
    }
    if (first === undefined) break;
    const { rule, match } = first;
    fragment.append(rest.slice(0, match.index), rule.build(match, names));
    rest = rest.slice(match.index + match[0].length);
  }
  fragment.append(rest);
  return fragment;
}

/** Whole markdown: code blocks, headings, quotes, lists and lines. */
export function markdown(text: string, names: Names): DocumentFragment {
  const fragment = document.createDocumentFragment();
  for (const [index, part] of text.split(/```(?:[\w+-]*\n)?([\s\S]*?)```\n?/).entries()) {
    if (index % 2 === 1) fragment.append(h('discord-pre', {}, part));
    else if (part !== '') appendLines(fragment, part.replace(/\n$/, ''), names);
  }
  return fragment;
}

function appendLines(into: DocumentFragment, text: string, names: Names): void {
  const paragraph: string[] = [];
  const flush = (): void => {
    if (paragraph.length > 0)
      into.append(h('span', { class: 'text' }, inline(paragraph.join('\n'), names)));
    paragraph.length = 0;
  };
  for (const line of text.split('\n')) {
    const block = blockOf(line, names);
    if (block === undefined) paragraph.push(line);
    else {
      flush();
      into.append(block);
    }
  }
  flush();
}

function blockOf(line: string, names: Names): HTMLElement | undefined {
  const heading = /^(#{1,3}) +(.+)$/.exec(line);
  if (heading !== null) {
    const [, marks = '', text = ''] = heading;
    return h(
      'div',
      { class: `heading heading-${marks.length}`, role: 'heading', 'aria-level': marks.length + 2 },
      inline(text, names),
    );
  }
  const small = /^-# +(.+)$/.exec(line);
  if (small !== null) return h('small', { class: 'subtext' }, inline(small[1] ?? '', names));
  const quote = /^> (.*)$/.exec(line);
  if (quote !== null) return h('blockquote', {}, inline(quote[1] ?? '', names));
  const item = /^( *)(?:[-*]|(\d+)\.) +(.+)$/.exec(line);
  if (item === null) return undefined;
  const [, indent = '', number, text = ''] = item;
  const mark = number === undefined ? '•' : `${number}.`;
  const body = h('span', {}, inline(text, names));
  return h(
    'div',
    { class: `item item-${Math.min(Math.floor(indent.length / 2), 2)}` },
    h('span', { class: 'mark' }, mark),
    body,
  );
}

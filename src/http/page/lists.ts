// Lists and tables of facts, drawn a part at a time where there may be thousands.
import { h } from '../../shared/page/dom.ts';
import { count } from './text.ts';

const PART = 50;

/** A list of names and what they stand for. */
export function facts(
  rows: readonly (readonly [name: string, value: Node | string])[],
): HTMLElement {
  return h(
    'dl',
    {},
    ...rows.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
  );
}

/** A list that shows its first items, and more when asked. */
export function listOf<Item>(
  items: readonly Item[],
  draw: (item: Item) => Node,
  { ordered = false } = {},
): HTMLElement {
  const list = h(ordered ? 'ol' : 'ul', { class: 'rows' });
  const more = h('button', { type: 'button', class: 'more', onclick: () => drawPart() });
  let drawn = 0;
  const drawPart = (): void => {
    const part = items.slice(drawn, drawn + PART).map((item) => h('li', {}, draw(item)));
    list.append(...part);
    // The button that was pressed may go: whoever reads with the keyboard goes on at the first new row.
    if (drawn > 0) part[0]?.querySelector<HTMLElement>('a, summary')?.focus();
    drawn += part.length;
    const left = items.length - drawn;
    more.textContent = `Show more (${count(left, 'row')} left)`;
    more.hidden = left === 0;
  };
  drawPart();
  return h('div', {}, list, more);
}

/** A part of a section, with its own heading. */
export function part(title: string, ...content: (Node | string)[]): HTMLElement {
  return h('div', { class: 'part' }, h('h3', {}, title), ...content);
}

/** Words where there is nothing to list. */
export function nothing(words: string): HTMLElement {
  return h('p', { class: 'quiet' }, words);
}

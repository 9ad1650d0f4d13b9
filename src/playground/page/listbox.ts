// A select as Discord has it: a button that opens a list, for one choice or several, with the keyboard too.
import { h } from '../../shared/page/dom.ts';

/** One thing to choose. */
export interface ListItem {
  value: string;
  label: string;
  description?: string | undefined;
  emoji?: string | undefined;
  picture?: string | undefined;
  chosen?: boolean | undefined;
}

/** How a list behaves. */
export interface ListOptions {
  label: string;
  items: readonly ListItem[];
  placeholder: string;
  least: number;
  most: number;
  disabled: boolean;
  /** Called with what was chosen when the list closes with a choice. */
  choose: (values: string[]) => void;
}

/** A select. */
export function listbox(options: ListOptions): HTMLElement {
  const { items, placeholder, least, most } = options;
  const chosen = new Set(items.filter((item) => item.chosen === true).map(({ value }) => value));
  const opener = h('button', {
    type: 'button',
    class: 'select-opener',
    'aria-haspopup': 'listbox',
    'aria-expanded': 'false',
    'aria-label': options.label,
    disabled: options.disabled,
    onclick: () => toggle(list.hidden === true),
  });
  const list = h('div', {
    class: 'select-list',
    role: 'listbox',
    hidden: true,
    'aria-multiselectable': String(most > 1),
  });
  const root = h('div', { class: 'select' }, opener, list);

  const show = (): void => {
    const labels = items.filter(({ value }) => chosen.has(value)).map(({ label }) => label);
    opener.textContent = labels.length === 0 ? placeholder : labels.join(', ');
    opener.classList.toggle('empty', labels.length === 0);
    for (const child of list.querySelectorAll<HTMLElement>('[role=option]')) {
      child.setAttribute('aria-selected', String(chosen.has(child.dataset['value'] ?? '')));
    }
  };
  const finish = (): void => {
    toggle(false);
    opener.focus();
    if (chosen.size >= least) options.choose([...chosen]);
  };
  const pick = (value: string): void => {
    if (most === 1) chosen.clear();
    if (chosen.has(value)) chosen.delete(value);
    else if (chosen.size < most) chosen.add(value);
    show();
    if (most === 1) finish();
  };
  const toggle = (open: boolean): void => {
    list.hidden = !open;
    opener.setAttribute('aria-expanded', String(open));
    if (!open) return;
    list.querySelector<HTMLElement>('[role=option]')?.focus({ preventScroll: true });
    list.scrollIntoView({ block: 'nearest' });
  };

  list.append(...items.map((item) => optionElement(item, most > 1, pick)));
  if (items.length === 0) list.append(h('p', { class: 'hint' }, 'Nothing to choose'));
  if (most > 1)
    list.append(h('button', { type: 'button', class: 'confirm', onclick: finish }, 'Done'));
  root.addEventListener('keydown', (event) =>
    moveFocus(event, list, () => {
      toggle(false);
      opener.focus();
    }),
  );
  root.addEventListener('focusout', (event) => {
    if (!(event.relatedTarget instanceof Node) || !root.contains(event.relatedTarget))
      toggle(false);
  });
  show();
  return root;
}

function optionElement(
  item: ListItem,
  several: boolean,
  pick: (value: string) => void,
): HTMLElement {
  const words = h(
    'span',
    { class: 'option-words' },
    h('span', {}, item.label),
    item.description !== undefined && h('small', {}, item.description),
  );
  return h(
    'button',
    { type: 'button', role: 'option', 'data-value': item.value, onclick: () => pick(item.value) },
    several && h('span', { class: 'tick', 'aria-hidden': 'true' }),
    item.picture !== undefined && h('img', { src: item.picture, alt: '', class: 'small-avatar' }),
    item.emoji !== undefined && h('span', { class: 'emoji' }, item.emoji),
    words,
  );
}

function moveFocus(event: KeyboardEvent, list: HTMLElement, close: () => void): void {
  if (list.hidden) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.key === 'Escape') close();
  if (step === undefined) return;
  event.preventDefault();
  const all = [...list.querySelectorAll<HTMLElement>('button')];
  const at = all.findIndex((one) => one === document.activeElement);
  all[(at + step + all.length) % all.length]?.focus();
}

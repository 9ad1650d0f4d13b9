// The list that opens under a field while the bot suggests what to fill in.
import { h } from '../../shared/page/dom.ts';

interface Suggestion {
  name: string;
  value: string | number;
}

/** How long typing must pause before the bot is asked. */
const PAUSE_MS = 200;

/** Puts a list of suggestions under a text field; `pick` gets the value, or undefined once the text differs. */
export function suggestionsFor(
  control: HTMLInputElement,
  ask: () => Promise<readonly Suggestion[]>,
  pick: (value: string | number | undefined) => void,
): HTMLElement {
  const list = h('div', { class: 'suggestions', role: 'listbox', hidden: true });
  const root = h('div', { class: 'suggesting' }, control, list);
  control.setAttribute('role', 'combobox');
  control.setAttribute('aria-expanded', 'false');
  const state = { asked: 0, timer: 0, active: -1 };

  const open = (visible: boolean): void => {
    list.hidden = !visible;
    control.setAttribute('aria-expanded', String(visible));
    state.active = -1;
  };
  const choose = ({ name, value }: Suggestion): void => {
    control.value = name;
    pick(value);
    open(false);
    control.focus();
  };
  const say = (words: string): void => {
    list.replaceChildren(h('p', { class: 'hint' }, words));
    open(true);
  };
  const refresh = async (): Promise<void> => {
    state.asked += 1;
    const mine = state.asked;
    try {
      const found = await ask();
      if (mine !== state.asked || !root.contains(document.activeElement)) return;
      list.replaceChildren(...found.map((one) => suggestionElement(one, () => choose(one))));
      if (found.length === 0) say('No options match your search');
      else open(true);
    } catch (error) {
      if (mine === state.asked) say(error instanceof Error ? error.message : String(error));
    }
  };
  control.addEventListener('input', () => {
    pick(undefined);
    window.clearTimeout(state.timer);
    state.timer = window.setTimeout(() => void refresh(), PAUSE_MS);
  });
  control.addEventListener('focus', () => {
    if (control.value === '') void refresh();
  });
  control.addEventListener('keydown', (event) => {
    if (list.hidden === true) return;
    const items = [...list.querySelectorAll<HTMLElement>('[role=option]')];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && items.length > 0) {
      event.preventDefault();
      state.active = (state.active + step + items.length) % items.length;
      for (const [index, item] of items.entries()) {
        item.setAttribute('aria-selected', String(index === state.active));
      }
      items[state.active]?.scrollIntoView({ block: 'nearest' });
    } else if ((event.key === 'Enter' || event.key === 'Tab') && state.active >= 0) {
      if (event.key === 'Enter') event.preventDefault();
      items[state.active]?.click();
    } else if (event.key === 'Escape') {
      event.stopPropagation();
      open(false);
    }
  });
  root.addEventListener('focusout', (event) => {
    if (!(event.relatedTarget instanceof Node) || !root.contains(event.relatedTarget)) open(false);
  });
  return root;
}

function suggestionElement({ name }: Suggestion, choose: () => void): HTMLElement {
  return h('button', { type: 'button', role: 'option', tabindex: -1, onclick: choose }, name);
}

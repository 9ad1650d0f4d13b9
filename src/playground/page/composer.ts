// The line at the bottom: type a slash, pick a command, fill in its options, send it.
import type { WireCommandOption } from '../wire.ts';
import type { ActAnswer } from '../page-acts.ts';
import type { Client } from './client.ts';
import { h } from '../../shared/page/dom.ts';
import { fieldFor } from './fields.ts';
import type { Field, FieldValue } from './fields.ts';
import { entriesOf, matching } from './palette.ts';
import type { Entry } from './palette.ts';

const NO_COMMANDS = 'The bot has not registered any commands yet.';

/** The composer; `answered` gets what needs more than the timeline, such as a modal. */
export class Composer {
  readonly #client: Client;
  readonly #root: HTMLElement;
  readonly #answered: (answer: ActAnswer) => void;

  constructor(client: Client, root: HTMLElement, answered: (answer: ActAnswer) => void) {
    this.#client = client;
    this.#root = root;
    this.#answered = answered;
    this.reset(false);
  }

  /** Shows the empty line again. */
  reset(focus = true): void {
    const list = h('div', {
      class: 'palette',
      role: 'listbox',
      'aria-label': 'Commands',
      hidden: true,
      id: 'palette',
    });
    const input = h('input', {
      type: 'text',
      class: 'line',
      placeholder: 'Type / to use a command',
      'aria-label': 'Type / to use a command',
      role: 'combobox',
      'aria-controls': 'palette',
      'aria-expanded': 'false',
      autocomplete: 'off',
      spellcheck: 'false',
    });
    const slash = h(
      'button',
      {
        type: 'button',
        class: 'slash',
        'aria-label': 'Show the commands',
        onclick: () => {
          input.value = '/';
          input.focus();
          this.#showPalette(input, list);
        },
      },
      '/',
    );
    input.addEventListener('input', () => this.#showPalette(input, list));
    input.addEventListener('keydown', (event) => this.#steer(event, input, list));
    this.#root.replaceChildren(list, h('div', { class: 'bar' }, slash, input));
    if (focus) input.focus();
  }

  #showPalette(input: HTMLInputElement, list: HTMLElement): void {
    const typed = input.value;
    const open = typed !== '';
    list.hidden = !open;
    input.setAttribute('aria-expanded', String(open));
    if (!open) return;
    if (!typed.startsWith('/')) {
      list.replaceChildren(
        h(
          'p',
          { class: 'hint' },
          'Here members talk to the bot by its commands: start with a slash.',
        ),
      );
      return;
    }
    const entries = entriesOf(this.#client.state?.commands ?? []);
    const found = matching(entries, typed);
    const items = found.map((entry, index) => this.#entryElement(entry, index === 0));
    const none = entries.length === 0 ? NO_COMMANDS : 'No command matches.';
    list.replaceChildren(...(items.length > 0 ? items : [h('p', { class: 'hint' }, none)]));
  }

  #entryElement(entry: Entry, first: boolean): HTMLElement {
    return h(
      'button',
      {
        type: 'button',
        role: 'option',
        tabindex: -1,
        'aria-selected': String(first),
        onclick: () => this.#open(entry),
      },
      h('b', {}, `/${entry.title}`),
      ...entry.options.map(({ name, required }) =>
        h('code', { class: required === true ? 'needed' : '' }, name),
      ),
      h('small', {}, entry.description),
    );
  }

  #steer(event: KeyboardEvent, input: HTMLInputElement, list: HTMLElement): void {
    const items = [...list.querySelectorAll<HTMLElement>('[role=option]')];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const at = items.findIndex((item) => item.getAttribute('aria-selected') === 'true');
    if (step !== undefined && items.length > 0) {
      event.preventDefault();
      const next = (at + step + items.length) % items.length;
      for (const [index, item] of items.entries())
        item.setAttribute('aria-selected', String(index === next));
      items[next]?.scrollIntoView({ block: 'nearest' });
    } else if (event.key === 'Enter' || (event.key === 'Tab' && input.value !== '')) {
      event.preventDefault();
      items[at]?.click();
    } else if (event.key === 'Escape') {
      input.value = '';
      this.#showPalette(input, list);
    }
  }

  #open(entry: Entry): void {
    if (entry.options.length === 0) {
      this.reset();
      void this.#send(entry, []);
      return;
    }
    const fields: Field[] = [];
    const area = h('div', { class: 'fields' });
    const more = h('div', { class: 'more' });
    const suggest = (option: WireCommandOption) => this.#suggest(entry, fields, option);
    const add = (option: WireCommandOption): Field => {
      const field = fieldFor(option, this.#client, suggest);
      fields.push(field);
      area.append(field.element);
      return field;
    };
    for (const option of entry.options) {
      if (option.required === true) {
        add(option);
        continue;
      }
      const chip = h(
        'button',
        {
          type: 'button',
          class: 'chip',
          title: option.description,
          onclick: () => {
            chip.remove();
            add(option).focus();
          },
        },
        `+ ${option.name}`,
      );
      more.append(chip);
    }
    this.#root.replaceChildren(this.#form(entry, fields, area, more));
    (
      area.querySelector<HTMLElement>('input, select') ??
      this.#root.querySelector<HTMLElement>('.send')
    )?.focus();
  }

  #form(entry: Entry, fields: Field[], area: HTMLElement, more: HTMLElement): HTMLElement {
    const form = h(
      'form',
      {
        class: 'command-form',
        'aria-label': `/${entry.title}`,
        onsubmit: (event) => {
          event.preventDefault();
          void this.#send(entry, fields).then((sent) => {
            if (sent) this.reset();
          });
        },
      },
      h('header', {}, h('b', {}, `/${entry.title}`), h('small', {}, entry.description)),
      area,
      more,
      h(
        'footer',
        {},
        h('button', { type: 'button', class: 'quiet', onclick: () => this.reset() }, 'Cancel'),
        h('button', { type: 'submit', class: 'send' }, 'Send'),
      ),
    );
    form.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.reset();
    });
    return form;
  }

  async #suggest(entry: Entry, fields: readonly Field[], option: WireCommandOption) {
    const { name, group, subcommand } = entry;
    const options: Record<string, FieldValue> = {};
    for (const field of fields) {
      const typed = field.typed();
      if (field.option === option) options[option.name] = typed ?? '';
      else if (typed !== undefined) {
        const value = await field.value();
        if (value !== undefined) options[field.option.name] = value;
      }
    }
    const act = { type: 'autocomplete', name, group, subcommand, options, focused: option.name };
    const answer = await this.#client.act(act);
    if (answer.kind === 'choices') return answer.choices;
    throw new Error('Loading options failed');
  }

  /** Sends the command; false when a value could not be read. */
  async #send(entry: Entry, fields: readonly Field[]): Promise<boolean> {
    const { name, group, subcommand, title } = entry;
    const options: Record<string, FieldValue> = {};
    for (const field of fields) {
      const value = await field.value();
      if (value !== undefined) options[field.option.name] = value;
    }
    const act = { type: 'command', name, group, subcommand, options };
    void this.#client.actAloud(act, `/${title}`).then((answer) => {
      if (answer !== undefined) this.#answered(answer);
    });
    return true;
  }
}

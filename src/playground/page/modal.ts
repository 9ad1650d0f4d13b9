// A modal on the screen: its fields, the keyboard, and what the bot's client would not let through.
import type { ActAnswer, PageModal } from '../page-acts.ts';
import { COMPONENT } from '../wire.ts';
import type { WireComponent, WireSelectOption } from '../wire.ts';
import type { Client } from './client.ts';
import { selectItems } from './components.ts';
import { h } from '../../shared/page/dom.ts';
import { readFile } from './fields.ts';
import type { FileValue } from './fields.ts';
import { listbox } from './listbox.ts';
import { markdown } from './markdown.ts';

const PARAGRAPH = 2;

type Value = string | boolean | string[] | FileValue[];

interface Input {
  customId: string;
  element: HTMLElement;
  value: () => Promise<Value>;
}

/** Opens a modal; `answered` gets the bot's answer to its sending off. */
export function openModal(
  client: Client,
  modal: PageModal,
  answered: (answer: ActAnswer) => void,
): void {
  const inputs: Input[] = [];
  const body = modal.components.map((component) => partElement(component, client, inputs));
  const problem = h('p', { class: 'failed', role: 'alert' });
  const send = h('button', { type: 'submit', class: 'send' }, 'Submit');
  const submit = async (): Promise<void> => {
    const fields: Record<string, Value> = {};
    for (const { customId, value } of inputs) fields[customId] = await value();
    send.disabled = true;
    problem.textContent = '';
    try {
      const answer = await client.act({ type: 'modal', modalId: modal.id, fields });
      if (answer.kind === 'did-not-respond')
        problem.textContent = 'Something went wrong. Try again.';
      else {
        dialog.close();
        answered(answer);
      }
    } catch (error) {
      problem.textContent = error instanceof Error ? error.message : String(error);
    } finally {
      send.disabled = false;
    }
  };
  const dialog = h(
    'dialog',
    { class: 'modal', 'aria-label': modal.title, onclose: () => dialog.remove() },
    h(
      'form',
      {
        onsubmit: (event) => {
          event.preventDefault();
          void submit();
        },
      },
      h(
        'header',
        {},
        h('h2', {}, modal.title),
        h(
          'button',
          { type: 'button', class: 'close', 'aria-label': 'Close', onclick: () => dialog.close() },
          '✕',
        ),
      ),
      ...body,
      problem,
      h(
        'footer',
        {},
        h('button', { type: 'button', class: 'quiet', onclick: () => dialog.close() }, 'Cancel'),
        send,
      ),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector<HTMLElement>('input, textarea, .select-opener')?.focus();
}

function partElement(component: WireComponent, client: Client, inputs: Input[]): HTMLElement {
  if (component.type === COMPONENT.text) {
    return h('div', {}, markdown(component.content ?? '', client.names));
  }
  const inner = component.component ?? component.components?.[0];
  if (inner === undefined) return h('div');
  const input = inputFor(inner, client);
  inputs.push(input);
  const label = component.label ?? inner.label ?? '';
  const required = inner.type !== COMPONENT.checkbox && inner.required !== false;
  return h(
    'label',
    { class: 'field' },
    h('span', { class: 'field-label' }, label, required && h('span', { class: 'required' }, ' *')),
    typeof component.description === 'string' &&
      h('small', { class: 'hint' }, component.description),
    input.element,
  );
}

function inputFor(component: WireComponent, client: Client): Input {
  const customId = component.custom_id ?? '';
  switch (component.type) {
    case COMPONENT.textInput:
      return textInput(component, customId);
    case COMPONENT.checkbox: {
      const box = h('input', { type: 'checkbox', checked: component.default === true });
      return { customId, element: box, value: () => Promise.resolve(box.checked) };
    }
    case COMPONENT.upload: {
      const file = h('input', { type: 'file', multiple: (component.max_values ?? 1) > 1 });
      const read = (): Promise<FileValue[]> => Promise.all([...(file.files ?? [])].map(readFile));
      return { customId, element: file, value: read };
    }
    case COMPONENT.radioGroup:
      return tickInput(component.options ?? [], customId, 'radio');
    case COMPONENT.checkboxGroup:
      return tickInput(component.options ?? [], customId, 'checkbox');
    default:
      return selectInput(component, customId, client);
  }
}

function textInput(component: WireComponent, customId: string): Input {
  const limits = {
    required: component.required !== false,
    minlength: component.min_length,
    maxlength: component.max_length ?? 4000,
    placeholder: component.placeholder,
  };
  const element =
    component.style === PARAGRAPH
      ? h('textarea', { rows: 4, ...limits })
      : h('input', { type: 'text', autocomplete: 'off', ...limits });
  element.value = component.value ?? '';
  return { customId, element, value: () => Promise.resolve(element.value) };
}

function selectInput(component: WireComponent, customId: string, client: Client): Input {
  const items = selectItems(component, client);
  const chosen = { values: items.filter((item) => item.chosen === true).map(({ value }) => value) };
  const placeholder = component.placeholder ?? 'Make a selection';
  const element = listbox({
    label: placeholder,
    items,
    placeholder,
    least: component.required === false ? 0 : (component.min_values ?? 1),
    most: component.max_values ?? 1,
    disabled: false,
    choose: (values) => (chosen.values = values),
  });
  return { customId, element, value: () => Promise.resolve(chosen.values) };
}

function tickInput(
  options: readonly WireSelectOption[],
  customId: string,
  type: 'radio' | 'checkbox',
): Input {
  const boxes = options.map((option) =>
    h('input', { type, name: customId, value: option.value, checked: option.default === true }),
  );
  const lines = boxes.map((box, index) =>
    h(
      'label',
      { class: 'tick-line' },
      box,
      options[index]?.label,
      h('small', { class: 'hint' }, options[index]?.description),
    ),
  );
  const element = h('div', { role: 'group' }, ...lines);
  const value = (): string[] => boxes.filter((box) => box.checked).map((box) => box.value);
  return { customId, element, value: () => Promise.resolve(value()) };
}

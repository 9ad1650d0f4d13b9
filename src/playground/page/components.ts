// Draws a message's components: rows of buttons and selects, and everything of Components V2.
import '@skyra/discord-components-core/discord-action-row.js';
import '@skyra/discord-components-core/discord-button.js';
import '@skyra/discord-components-core/discord-file-attachment.js';
import { COMPONENT, LINK_BUTTON } from '../wire.ts';
import type { WireComponent, WireEmoji, WireMedia } from '../wire.ts';
import type { Client } from './client.ts';
import { h } from '../../shared/page/dom.ts';
import { listbox } from './listbox.ts';
import type { ListItem } from './listbox.ts';
import { hexColor, markdown } from './markdown.ts';
import { avatarOf, nameOf } from './people.ts';

const BUTTON_TYPES = ['secondary', 'primary', 'secondary', 'success', 'destructive', 'secondary'];

/** What the drawing of components needs. */
export interface ComponentContext {
  client: Client;
  /** Whether the components may be used now. */
  idle: boolean;
  click: (customId: string) => void;
  select: (customId: string, values: string[]) => void;
}

/** One component of any type that may stand in a message. */
export function componentElement(component: WireComponent, context: ComponentContext): HTMLElement {
  const { client } = context;
  const children = (component.components ?? []).map((child) => componentElement(child, context));
  switch (component.type) {
    case COMPONENT.row:
      return rowElement(component, context);
    case COMPONENT.text:
      return h('div', { class: 'v2-text' }, markdown(component.content ?? '', client.names));
    case COMPONENT.section: {
      const accessory = component.accessory;
      const side = accessory === undefined ? undefined : accessoryElement(accessory, context);
      return h('div', { class: 'v2-section' }, h('div', {}, ...children), side);
    }
    case COMPONENT.thumbnail:
      return pictureElement(client, component.media, component.description, 'v2-thumbnail');
    case COMPONENT.gallery: {
      const items = (component.items ?? []).map(({ media, description }) =>
        pictureElement(client, media, description, 'v2-picture'),
      );
      return h('div', { class: `v2-gallery count-${Math.min(items.length, 3)}` }, ...items);
    }
    case COMPONENT.file:
      return fileElement(
        client,
        component.name ?? 'file',
        component.file?.url ?? '',
        component.size,
      );
    case COMPONENT.separator:
      return h('div', {
        role: 'separator',
        class: `v2-separator ${component.spacing === 2 ? 'large' : 'small'} ${component.divider === false ? '' : 'line'}`,
      });
    case COMPONENT.container:
      return containerElement(component, children);
    default:
      return h(
        'p',
        { class: 'hint' },
        `A component of type ${component.type}, which the playground cannot draw.`,
      );
  }
}

function containerElement(component: WireComponent, children: HTMLElement[]): HTMLElement {
  const box = h('div', { class: 'v2-container' }, ...children);
  if (typeof component.accent_color === 'number') {
    box.style.borderLeft = `4px solid ${hexColor(component.accent_color)}`;
  }
  return box;
}

function accessoryElement(accessory: WireComponent, context: ComponentContext): HTMLElement {
  if (accessory.type !== COMPONENT.button) return componentElement(accessory, context);
  return rowElement({ type: COMPONENT.row, components: [accessory] }, context);
}

function rowElement(row: WireComponent, context: ComponentContext): HTMLElement {
  const parts = (row.components ?? []).map((component) =>
    component.type === COMPONENT.button
      ? buttonElement(component, context)
      : selectElement(component, context),
  );
  return h('discord-action-row', {}, ...parts);
}

function buttonElement(component: WireComponent, { click, idle }: ComponentContext): HTMLElement {
  const { label = '', emoji, url, custom_id: customId } = component;
  const disabled = component.disabled === true || (!idle && component.style !== LINK_BUTTON);
  const button = h(
    'discord-button',
    {
      type: BUTTON_TYPES[component.style ?? 2] ?? 'secondary',
      disabled,
      url: component.style === LINK_BUTTON ? url : undefined,
      'data-custom-id': customId,
      onclick: () => {
        if (!button.disabled && customId !== undefined) click(customId);
      },
    },
    emoji !== undefined && h('span', { class: 'emoji' }, emojiText(emoji)),
    label,
  );
  // The drawn button inside knows nothing of `disabled`; the keyboard and screen readers must.
  void button.updateComplete.then(() => {
    const inner = button.shadowRoot?.querySelector('button');
    if (inner instanceof HTMLButtonElement) inner.disabled = disabled;
  });
  return button;
}

function selectElement(
  component: WireComponent,
  { client, select, idle }: ComponentContext,
): HTMLElement {
  const customId = component.custom_id ?? '';
  return listbox({
    label: component.placeholder ?? 'Make a selection',
    items: selectItems(component, client),
    placeholder: component.placeholder ?? 'Make a selection',
    least: component.min_values ?? 1,
    most: component.max_values ?? 1,
    disabled: component.disabled === true || !idle,
    choose: (values) => select(customId, values),
  });
}

/** What a select of any kind offers. */
export function selectItems(component: WireComponent, client: Client): ListItem[] {
  const { members = [], roles = [], channels = [] } = client.state ?? {};
  const chosen = new Set(component.default_values?.map(({ id }) => id));
  const users = members.map(({ user }) => ({
    value: user.id,
    label: nameOf(user),
    description: user.username,
    picture: avatarOf(user),
    chosen: chosen.has(user.id),
  }));
  const roleItems = roles.map(({ id, name }) => ({
    value: id,
    label: name,
    chosen: chosen.has(id),
  }));
  switch (component.type) {
    case COMPONENT.userSelect:
      return users;
    case COMPONENT.roleSelect:
      return roleItems;
    case COMPONENT.mentionableSelect:
      return [...users, ...roleItems];
    case COMPONENT.channelSelect:
      return channels
        .filter(({ type }) => component.channel_types?.includes(type) ?? true)
        .map(({ id, name = '' }) => ({ value: id, label: `#${name}`, chosen: chosen.has(id) }));
    default:
      return (component.options ?? []).map((option) => ({
        value: option.value,
        label: option.label,
        description: option.description,
        emoji: option.emoji === undefined ? undefined : emojiText(option.emoji),
        chosen: option.default,
      }));
  }
}

function emojiText(emoji: WireEmoji): string {
  return emoji.id === undefined ? (emoji.name ?? '') : `:${emoji.name ?? 'emoji'}:`;
}

/** A picture of the message itself; pictures from elsewhere are not fetched, only linked to. */
export function pictureElement(
  client: Client,
  media: WireMedia | undefined,
  description: string | null | undefined,
  className: string,
): HTMLElement {
  const url = media?.url ?? '';
  const local = client.local(url);
  if (local === undefined) return outsidePicture(url);
  return h('img', { src: local, alt: description ?? '', class: className });
}

/** Stands for a picture that lies elsewhere. */
function outsidePicture(url: string): HTMLElement {
  const words = 'A picture from outside, which the playground does not fetch';
  if (!/^https?:\/\//.test(url)) return h('p', { class: 'outside' }, words);
  return h(
    'p',
    { class: 'outside' },
    `${words}: `,
    h('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, url),
  );
}

/** A file to download. */
export function fileElement(client: Client, name: string, url: string, size = 0): HTMLElement {
  const kilo = 1024;
  const small = size < kilo;
  return h('discord-file-attachment', {
    slot: 'attachments',
    name,
    bytes: small ? size : Math.round((size / kilo) * 10) / 10,
    'bytes-unit': small ? 'bytes' : 'KB',
    href: client.local(url) ?? '#',
    target: '_blank',
  });
}

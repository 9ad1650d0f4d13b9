// Draws one message as Discord shows it: author, command line, text, embeds, files, components, notices.
import '@skyra/discord-components-core/discord-attachments.js';
import '@skyra/discord-components-core/discord-command.js';
import '@skyra/discord-components-core/discord-embed.js';
import '@skyra/discord-components-core/discord-embed-description.js';
import '@skyra/discord-components-core/discord-embed-footer.js';
import '@skyra/discord-components-core/discord-message.js';
import '@skyra/discord-components-core/discord-reply.js';
import { FLAG } from '../wire.ts';
import type { WireEmbed, WireMessage } from '../wire.ts';
import type { Client, SeenMessage } from './client.ts';
import { componentElement, fileElement, pictureElement } from './components.ts';
import type { ComponentContext } from './components.ts';
import { h } from '../../shared/page/dom.ts';
import { hexColor, inline, markdown } from './markdown.ts';
import { avatarOf, nameOf } from './people.ts';
import { stampOf } from './time.ts';

const EXCERPT = 80;
const DEFAULT_EMBED_COLOR = '#202225';

/** A message as the picked member sees it. */
export function messageElement({ message }: SeenMessage, context: ComponentContext): HTMLElement {
  const { client } = context;
  const thinking = (message.flags & FLAG.loading) !== 0;
  const v2 = (message.flags & FLAG.componentsV2) !== 0;
  const hasEmbeds = (message.flags & FLAG.suppressEmbeds) === 0;
  const element = h(
    'discord-message',
    {
      author: nameOf(message.author),
      avatar: avatarOf(message.author),
      bot: message.author.bot,
      timestamp: stampOf(message.timestamp),
      edited: message.edited_timestamp !== null,
      ephemeral: (message.flags & FLAG.ephemeral) !== 0,
      highlight: message.mentions.some(({ id }) => id === client.memberId),
      'data-message-id': message.id,
    },
    lineAbove(message, client),
    thinking ? thinkingElement(message) : markdown(message.content, client.names),
  );
  if (hasEmbeds) {
    element.append(...message.embeds.map((embed) => embedElement(embed, client)));
  }
  const attachments = attachmentsElement(message, client);
  if (attachments !== undefined) element.append(attachments);
  const components = message.components.map((component) => componentElement(component, context));
  if (components.length > 0) {
    element.append(h('div', { slot: 'components', class: v2 ? 'v2' : 'rows' }, ...components));
  }
  for (const notice of client.notices) {
    if (notice.messageId !== message.id || notice.memberId !== client.memberId) continue;
    if (notice.kind === 'failed') {
      element.append(h('p', { slot: 'components', class: 'failed', role: 'alert' }, notice.text));
    }
  }
  element.dismissMessageClicked = () => {
    client.dismissed.add(message.id);
    client.onChange('message');
  };
  // The link that dismisses an ephemeral message is out of the keyboard's reach as it is drawn.
  void element.updateComplete.then(() => {
    const dismiss = element.shadowRoot?.querySelector('.discord-message-ephemeral-link');
    if (dismiss instanceof HTMLElement) dismiss.tabIndex = 0;
  });
  return element;
}

function thinkingElement(message: WireMessage): HTMLElement {
  const dots = h('span', { class: 'dots', 'aria-hidden': 'true' }, h('i'), h('i'), h('i'));
  return h('span', { class: 'thinking' }, dots, ` ${nameOf(message.author)} is thinking…`);
}

/** "Ada used /roll", or the message that this one answers. */
function lineAbove(message: WireMessage, client: Client): HTMLElement | undefined {
  const target = client.messages.get(message.message_reference?.message_id ?? '')?.message;
  if (message.message_reference !== undefined) {
    if (target === undefined) return h('discord-reply', { slot: 'reply', deleted: true });
    const excerpt = target.content || (target.embeds[0]?.title ?? 'Click to see the message');
    return h(
      'discord-reply',
      {
        slot: 'reply',
        author: nameOf(target.author),
        avatar: avatarOf(target.author),
        bot: target.author.bot,
      },
      inline(excerpt.split('\n')[0]?.slice(0, EXCERPT) ?? '', client.names),
    );
  }
  const used = message.interaction;
  if (used === undefined) return undefined;
  return h('discord-command', {
    slot: 'reply',
    author: nameOf(used.user),
    avatar: avatarOf(used.user),
    command: used.name,
    type: 'slash_command',
  });
}

function embedElement(embed: WireEmbed, client: Client): HTMLElement {
  const { image, thumbnail, footer, timestamp } = embed;
  const element = h(
    'discord-embed',
    {
      slot: 'embeds',
      color: embed.color === undefined ? DEFAULT_EMBED_COLOR : hexColor(embed.color),
      thumbnail: thumbnail === undefined ? undefined : client.local(thumbnail.url),
    },
    embedHead(embed, client),
    embedFields(embed, client),
  );
  if (image !== undefined) {
    const picture = pictureElement(client, image, undefined, 'embed-picture');
    element.append(h('div', { slot: 'fields', class: 'embed-media' }, picture));
  }
  if (footer !== undefined || timestamp !== undefined) {
    const stamp = timestamp === undefined ? undefined : stampOf(timestamp);
    const words = [footer?.text, stamp].filter((part) => part !== undefined).join(' • ');
    const icon = footer?.icon_url === undefined ? undefined : client.local(footer.icon_url);
    element.append(h('discord-embed-footer', { slot: 'footer', 'footer-image': icon }, words));
  }
  return element;
}

function embedHead({ author, title, url, description }: WireEmbed, client: Client): HTMLElement {
  const head = h('div', { slot: 'description', class: 'embed-head' });
  if (author !== undefined) {
    const icon = author.icon_url === undefined ? undefined : client.local(author.icon_url);
    const picture = icon === undefined ? undefined : h('img', { src: icon, alt: '' });
    head.append(h('div', { class: 'embed-author' }, picture, linked(author.url, author.name)));
  }
  if (title !== undefined && title !== '') {
    head.append(h('div', { class: 'embed-title' }, linked(url, inline(title, client.names))));
  }
  if (description !== undefined && description !== '') {
    head.append(h('div', { class: 'embed-description' }, markdown(description, client.names)));
  }
  return head;
}

function linked(url: string | undefined, label: Node | string): Node | string {
  if (url === undefined || !/^https?:\/\//.test(url)) return label;
  return h('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, label);
}

function embedFields({ fields = [] }: WireEmbed, client: Client): HTMLElement | undefined {
  if (fields.length === 0) return undefined;
  const parts = fields.map(({ name, value, inline: beside }) =>
    h(
      'div',
      { class: beside === true ? 'embed-field beside' : 'embed-field' },
      h('div', { class: 'embed-field-name' }, inline(name, client.names)),
      h('div', {}, markdown(value, client.names)),
    ),
  );
  return h('div', { slot: 'fields', class: 'embed-fields' }, ...parts);
}

function attachmentsElement(message: WireMessage, client: Client): HTMLElement | undefined {
  if (message.attachments.length === 0) return undefined;
  const parts = message.attachments.map((file) =>
    file.content_type?.startsWith('image/') === true
      ? pictureElement(client, file, file.description ?? file.filename, 'attached-picture')
      : fileElement(client, file.filename, file.url, file.size),
  );
  return h('discord-attachments', { slot: 'attachments' }, ...parts);
}

// The page: members on the left, the channel on the right, all of it drawn from what the playground says.
import '@skyra/discord-components-core/discord-messages.js';
import type { ActAnswer } from '../page-acts.ts';
import { Client } from './client.ts';
import type { Notice, SeenMessage } from './client.ts';
import type { ComponentContext } from './components.ts';
import { Composer } from './composer.ts';
import { byId, h } from '../../shared/page/dom.ts';
import { messageElement } from './message.ts';
import { openModal } from './modal.ts';
import { avatarOf, nameOf } from './people.ts';
import { refreshTimes } from '../../shared/page/relative-time.ts';

const TIMES_MS = 5000;
/** How near the end one must be to be taken along by new messages. */
const NEAR_END = 120;

const timeline = byId('timeline', HTMLElement);
const scroller = byId('scroller', HTMLElement);
const drawn = new Map<string, { seen: SeenMessage; element: HTMLElement; idle: boolean }>();
const busy = new Set<string>();
const reading = { atEnd: true };
const client = new Client((what) => {
  if (what === 'state' || what === 'pick' || what === 'bot') drawSides();
  if (what === 'pick' || what === 'state') drawn.clear();
  drawTimeline(what === 'pick' || what === 'state');
});
const answered = (answer: ActAnswer): void => {
  if (answer.kind === 'modal') openModal(client, answer.modal, answered);
};
const composer = new Composer(client, byId('composer', HTMLElement), answered);

function drawSides(): void {
  const { state, memberId } = client;
  if (state === undefined) return;
  const everyone = state.members.map(({ user }) =>
    h(
      'button',
      {
        type: 'button',
        role: 'radio',
        'aria-checked': String(user.id === memberId),
        class: 'member',
        onclick: () => {
          client.pickMember(user.id);
          composer.reset(false);
        },
      },
      h('img', { src: avatarOf(user), alt: '' }),
      h('span', {}, nameOf(user)),
    ),
  );
  keepFocus(byId('members', HTMLElement), everyone);
  const channels = client.channels().map(({ id, name }) =>
    h(
      'button',
      {
        type: 'button',
        class: 'channel',
        'aria-current': id === client.channelId ? 'page' : undefined,
        onclick: () => client.pickChannel(id),
      },
      name === undefined ? `@ ${nameOf(state.bot.user)} (DM)` : `# ${name}`,
    ),
  );
  keepFocus(byId('channels', HTMLElement), channels);
  byId('guild', HTMLElement).textContent = state.guildName;
  const status = byId('status', HTMLElement);
  const up = client.online && state.botConnected;
  status.className = up ? 'up' : 'down';
  status.textContent = !client.online
    ? 'The playground is not running'
    : up
      ? `${nameOf(state.bot.user)} is online`
      : `${nameOf(state.bot.user)} is offline`;
  const channel = client.channels().find(({ id }) => id === client.channelId);
  byId('title', HTMLElement).textContent =
    channel?.name === undefined ? `@ ${nameOf(state.bot.user)}` : `# ${channel.name}`;
  byId('who', HTMLElement).textContent =
    client.member === undefined ? '' : `You are ${nameOf(client.member.user)}`;
}

/** Replaces the children and leaves the focus where it was, by position. */
function keepFocus(parent: HTMLElement, children: HTMLElement[]): void {
  const at = [...parent.children].findIndex((child) => child === document.activeElement);
  parent.replaceChildren(...children);
  children[at]?.focus();
}

function drawTimeline(jump: boolean): void {
  const elements: HTMLElement[] = [];
  const focused = focusedButton();
  const own = client.notices.filter(
    ({ messageId, memberId, channelId }) =>
      messageId === undefined && memberId === client.memberId && channelId === client.channelId,
  );
  const visible = client.visible();
  const known = new Set(visible.map(({ message }) => message.id));
  for (const seen of visible) {
    elements.push(drawnMessage(seen));
    for (const notice of own) {
      const failedHere = notice.kind === 'failed' && notice.afterId === seen.message.id;
      if (failedHere) elements.push(noticeElement(notice));
    }
  }
  for (const notice of own) {
    const placed = notice.kind === 'failed' && known.has(notice.afterId ?? '');
    if (!placed) elements.push(noticeElement(notice));
  }
  if (elements.length === 0) elements.push(welcome());
  const before = [...timeline.children];
  if (before.length !== elements.length || before.some((one, index) => one !== elements[index])) {
    timeline.replaceChildren(...elements);
    if (focused !== undefined) restoreFocus(focused);
  }
  const sending = own.some(({ kind }) => kind === 'pending');
  if (jump || sending) reading.atEnd = true;
  stayAtEnd();
}

function noticeElement({ kind, text }: Notice): HTMLElement {
  return h('p', { class: `notice ${kind}`, role: kind === 'failed' ? 'alert' : 'status' }, text);
}

/** Keeps the newest message in sight for who has not scrolled away from it. */
function stayAtEnd(): void {
  if (reading.atEnd) scroller.scrollTo({ top: scroller.scrollHeight });
}

function welcome(): HTMLElement {
  const { state } = client;
  const bot = state === undefined ? 'the bot' : nameOf(state.bot.user);
  return h(
    'div',
    { class: 'welcome' },
    h('h2', {}, 'Nothing here yet'),
    h(
      'p',
      {},
      `Type / below to see what ${bot} can do. Pick another member on the left to answer as somebody else.`,
    ),
  );
}

/** The drawing of a message; drawn anew only when something about it is new. */
function drawnMessage(seen: SeenMessage): HTMLElement {
  const { id } = seen.message;
  const idle = !busy.has(id);
  const old = drawn.get(id);
  const noticed = client.notices.some(({ messageId }) => messageId === id);
  const same = old?.seen.message === seen.message && old.idle === idle;
  if (old !== undefined && same && !noticed && old.element.querySelector('.failed') === null) {
    return old.element;
  }
  const element = messageElement(seen, contextOf(id, idle));
  drawn.set(id, { seen, element, idle });
  return element;
}

function contextOf(messageId: string, idle: boolean): ComponentContext {
  const act = (customId: string, more: Record<string, unknown>): void => {
    if (busy.has(messageId)) return;
    busy.add(messageId);
    const done = client.actAloud({ messageId, customId, ...more }, 'your choice', messageId);
    void done.then((answer) => {
      busy.delete(messageId);
      drawTimeline(false);
      if (answer !== undefined) answered(answer);
    });
  };
  return {
    client,
    idle,
    click: (customId) => act(customId, { type: 'click' }),
    select: (customId, values) => act(customId, { type: 'select', values }),
  };
}

interface FocusedButton {
  messageId: string;
  customId: string;
}

function focusedButton(): FocusedButton | undefined {
  const host = document.activeElement?.closest<HTMLElement>('[data-custom-id]');
  const message = host?.closest<HTMLElement>('[data-message-id]');
  const customId = host?.dataset['customId'];
  const messageId = message?.dataset['messageId'];
  if (customId === undefined || messageId === undefined) return undefined;
  return { messageId, customId };
}

function restoreFocus({ messageId, customId }: FocusedButton): void {
  const message = drawn.get(messageId)?.element;
  const host = message?.querySelector(`[data-custom-id="${CSS.escape(customId)}"]`);
  requestAnimationFrame(() => host?.shadowRoot?.querySelector('button')?.focus());
}

function listen(): void {
  const form = byId('add-member', HTMLFormElement);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const input = byId('new-name', HTMLInputElement);
    const name = input.value.trim();
    if (name === '') return;
    client.addMember(name).then(
      () => (input.value = ''),
      (error: unknown) => window.alert(error instanceof Error ? error.message : String(error)),
    );
  });
  byId('members', HTMLElement).addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const all = [...byId('members', HTMLElement).querySelectorAll('button')];
    const at = all.findIndex((one) => one === document.activeElement);
    const next = all[(at + step + all.length) % all.length];
    next?.focus();
    next?.click();
  });
  let lastTop = 0;
  scroller.addEventListener('scroll', () => {
    const { scrollHeight, scrollTop, clientHeight } = scroller;
    // Only who moves up has left the end: content that grows before this event runs has moved the end, not the reader.
    if (scrollHeight - scrollTop - clientHeight < NEAR_END) reading.atEnd = true;
    else if (scrollTop < lastTop) reading.atEnd = false;
    lastTop = scrollTop;
  });
  // Pictures, the components' own drawing and the window's size move the end a moment later.
  const moved = new ResizeObserver(stayAtEnd);
  moved.observe(scroller);
  moved.observe(timeline);
  window.setInterval(refreshTimes, TIMES_MS);
}

listen();
client.connect();

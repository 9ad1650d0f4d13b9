// What the page knows and how it asks: the stream of events, the acts, the picked member and channel.
import type { ActAnswer } from '../page-acts.ts';
import type { PageEvent, PageState } from '../playground.ts';
import type { WireChannel, WireMember, WireMessage } from '../wire.ts';
import { nameOf } from './people.ts';
import type { Names } from './markdown.ts';

/** A message with the one member who sees it, if it is ephemeral. */
export interface SeenMessage {
  message: WireMessage;
  viewerId: string | null;
}

/** Something only this page shows: a failure, or an act on its way. */
export interface Notice {
  id: string;
  memberId: string;
  channelId: string;
  /** The message that it belongs under; undefined for one of its own. */
  messageId: string | undefined;
  /** The newest message at the time, below which it stands; undefined when there was none. */
  afterId: string | undefined;
  kind: 'failed' | 'pending';
  text: string;
}

const KEPT_NOTICES = 50;
const NO_ANSWER = 'The application did not respond';

/** The page's memory and voice. */
export class Client {
  state: PageState | undefined;
  messages = new Map<string, SeenMessage>();
  notices: Notice[] = [];
  dismissed = new Set<string>();
  memberId = '';
  channelId = '';
  online = false;
  readonly #changed: (what: PageEvent['type'] | 'notice' | 'pick') => void;
  #noticeCount = 0;
  #stream: EventSource | undefined;

  constructor(changed: Client['onChange']) {
    this.#changed = changed;
  }

  get onChange(): (what: PageEvent['type'] | 'notice' | 'pick') => void {
    return this.#changed;
  }

  /** Opens the stream; the browser opens it again when it breaks. */
  connect(): void {
    this.#stream?.close();
    const stream = new EventSource('/api/events');
    this.#stream = stream;
    stream.addEventListener('message', ({ data }) =>
      this.#hear(JSON.parse(String(data)) as PageEvent),
    );
    stream.addEventListener('error', () => {
      this.online = false;
      this.#changed('bot');
    });
  }

  /** The picked member. */
  get member(): WireMember | undefined {
    return this.state?.members.find(({ user }) => user.id === this.memberId);
  }

  /** The channels that the picked member sees. */
  channels(): WireChannel[] {
    const all = this.state?.channels ?? [];
    return all.filter(
      ({ recipients }) => recipients?.some(({ id }) => id === this.memberId) !== false,
    );
  }

  /** The messages that the picked member sees in the picked channel. */
  visible(): SeenMessage[] {
    return [...this.messages.values()].filter((seen) => this.sees(seen));
  }

  /** Whether the picked member sees a message here. */
  sees({ message, viewerId }: SeenMessage): boolean {
    if (message.channel_id !== this.channelId || this.dismissed.has(message.id)) return false;
    return viewerId === null || viewerId === this.memberId;
  }

  /** Takes another member's place. */
  pickMember(id: string): void {
    this.memberId = id;
    sessionStorage.setItem('member', id);
    if (!this.channels().some((channel) => channel.id === this.channelId)) {
      this.channelId = this.channels()[0]?.id ?? '';
    }
    this.#changed('pick');
  }

  /** Goes to another channel. */
  pickChannel(id: string): void {
    this.channelId = id;
    this.#changed('pick');
  }

  /** The names behind mentions. */
  readonly names: Names = {
    user: (id) => {
      const { members = [], bot } = this.state ?? {};
      const found = [...members, ...(bot === undefined ? [] : [bot])].find(
        ({ user }) => user.id === id,
      );
      return found === undefined ? undefined : nameOf(found.user);
    },
    role: (id) => this.state?.roles.find((role) => role.id === id),
    channel: (id) => this.state?.channels.find((channel) => channel.id === id)?.name,
  };

  /** Sends an act off in the picked member's name; throws with the server's words when it is refused. */
  async act(act: Record<string, unknown>): Promise<ActAnswer> {
    const { memberId, channelId } = this;
    return (await post('/api/act', { memberId, channelId, act })) as ActAnswer;
  }

  /** Like `act`, and shows while it is on its way, and when it fails. */
  async actAloud(
    act: Record<string, unknown>,
    label: string,
    messageId?: string,
  ): Promise<ActAnswer | undefined> {
    const pending = this.#notice(
      'pending',
      messageId === undefined ? `Sending ${label}…` : '',
      messageId,
    );
    try {
      const answer = await this.act(act);
      if (answer.kind === 'did-not-respond') {
        const words = messageId === undefined ? `${label} — ${NO_ANSWER}` : NO_ANSWER;
        this.#notice('failed', words, messageId);
      }
      return answer;
    } catch (error) {
      this.#notice('failed', error instanceof Error ? error.message : String(error), messageId);
      return undefined;
    } finally {
      this.notices = this.notices.filter((one) => one !== pending);
      this.#changed('notice');
    }
  }

  /** Adds a member and takes their place. */
  async addMember(name: string): Promise<void> {
    const member = (await post('/api/members', { name })) as WireMember;
    sessionStorage.setItem('member', member.user.id);
    this.memberId = member.user.id;
    this.connect();
  }

  #notice(kind: Notice['kind'], text: string, messageId: string | undefined): Notice {
    this.notices = this.notices.filter(
      (one) => one.kind !== 'failed' || messageId === undefined || one.messageId !== messageId,
    );
    this.#noticeCount += 1;
    const { memberId, channelId } = this;
    const notice: Notice = {
      id: `notice-${this.#noticeCount}`,
      memberId,
      channelId,
      messageId,
      afterId: this.visible().at(-1)?.message.id,
      kind,
      text,
    };
    this.notices.push(notice);
    if (this.notices.length > KEPT_NOTICES) this.notices.shift();
    this.#changed('notice');
    return notice;
  }

  #hear(event: PageEvent): void {
    switch (event.type) {
      case 'state':
        this.#takeState(event.state);
        break;
      case 'message': {
        const { message, viewerId } = event;
        this.messages.set(message.id, { message, viewerId });
        const known = this.state?.channels.some(({ id }) => id === message.channel_id);
        if (known === false) this.connect();
        break;
      }
      case 'message-deleted':
        this.messages.delete(event.messageId);
        break;
      case 'bot':
        if (this.state !== undefined) this.state.botConnected = event.connected;
        break;
      case 'commands':
      case 'members':
        this.connect();
        return;
    }
    this.#changed(event.type);
  }

  #takeState(state: PageState): void {
    // After a restart everything is another: ids that the page remembers mean nothing any more.
    if (this.state !== undefined && this.state.run !== state.run) this.notices = [];
    this.state = state;
    this.online = true;
    this.messages = new Map(state.messages.map((seen) => [seen.message.id, seen]));
    const wanted = this.memberId === '' ? (sessionStorage.getItem('member') ?? '') : this.memberId;
    const known = state.members.some(({ user }) => user.id === wanted);
    this.memberId = known ? wanted : (state.members[0]?.user.id ?? '');
    if (!this.channels().some(({ id }) => id === this.channelId)) {
      this.channelId = this.channels()[0]?.id ?? '';
    }
  }

  /** The page's own address of a file, whose address names the stand-in. */
  local(url: string): string | undefined {
    const origin = this.state?.standInOrigin ?? '';
    return origin !== '' && url.startsWith(`${origin}/`) ? url.slice(origin.length) : undefined;
  }
}

async function post(path: string, body: unknown): Promise<unknown> {
  const answer = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const result: unknown = await answer.json();
  if (answer.ok) return result;
  const { message } = Object(result) as { message?: unknown };
  throw new Error(
    typeof message === 'string' ? message : `The playground answered ${answer.status}`,
  );
}

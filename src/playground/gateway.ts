// The gateway: lets a bot identify, keeps what it was sent, and replays what it missed when it resumes.
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { RawData, WebSocket } from 'ws';
import * as z from 'zod';
import { buildGuild } from './guild.ts';
import { KEPT } from './limits.ts';
import type { World } from './world.ts';

const OP = {
  dispatch: 0,
  heartbeat: 1,
  identify: 2,
  presence: 3,
  voice: 4,
  resume: 6,
  reconnect: 7,
  requestMembers: 8,
  invalidSession: 9,
  hello: 10,
  heartbeatAck: 11,
} as const;

const CLOSE = {
  normal: 1000,
  unknownError: 4000,
  unknownOpcode: 4001,
  decodeError: 4002,
  notAuthenticated: 4003,
  authenticationFailed: 4004,
  alreadyAuthenticated: 4005,
  disallowedIntents: 4014,
} as const;

const INTENT_MEMBERS = 1 << 1;
const INTENT_PRESENCES = 1 << 8;
const INTENT_MESSAGE_CONTENT = 1 << 15;
/** Intents that need a switch in Discord's portal, which the stand-in's application does not have on. */
const PRIVILEGED = INTENT_MEMBERS | INTENT_PRESENCES | INTENT_MESSAGE_CONTENT;

const frame = z.object({ op: z.int(), d: z.unknown().optional() });
const identify = z.object({ token: z.string(), intents: z.int() });
const resume = z.object({ token: z.string(), session_id: z.string(), seq: z.int() });
const requestMembers = z.object({
  guild_id: z.string(),
  query: z.string().optional(),
  limit: z.int().optional(),
  user_ids: z.union([z.string(), z.array(z.string())]).optional(),
  nonce: z.string().optional(),
});

interface GatewayEvent {
  op: 0;
  s: number;
  t: string;
  d: unknown;
}

interface Session {
  id: string;
  seq: number;
  events: GatewayEvent[];
  socket: WebSocket | undefined;
}

/** The gateway's end of the connections. */
export class Gateway {
  readonly #world: World;
  readonly #heartbeatMs: number;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: 1 << 20 });
  readonly #sessions = new Map<string, Session>();
  /** Connections that have gone dead without a word. */
  readonly #frozen = new WeakSet<WebSocket>();
  /** What is sent once more when a bot is back. */
  #sentAgain: { event: string; data: unknown }[] = [];
  readonly #onSent: (data: unknown) => void;

  /** @param onSent hears of every event's data that was put on a living connection. */
  constructor(world: World, heartbeatMs: number, onSent: (data: unknown) => void) {
    this.#world = world;
    this.#heartbeatMs = heartbeatMs;
    this.#onSent = onSent;
  }

  /** Takes over an HTTP connection. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, (client) => this.#greet(client));
  }

  /** Whether a bot is connected and identified. */
  get connected(): boolean {
    return [...this.#sessions.values()].some(({ socket }) => socket !== undefined);
  }

  /** Sends an event to every session; a session without a connection gets it when it resumes. */
  dispatch(event: string, data: unknown): void {
    for (const session of this.#sessions.values()) this.#dispatchTo(session, event, data);
  }

  /** Breaks all connections, so that the bot may resume or has to identify anew. */
  drop(resumable: boolean): void {
    const broken = [...this.#sessions.values()].map(({ socket }) => socket);
    if (!resumable) this.#sessions.clear();
    for (const session of this.#sessions.values()) session.socket = undefined;
    for (const socket of broken) socket?.close(CLOSE.unknownError, 'Unknown error');
    this.#world.emit({ type: 'bot', connected: false });
  }

  /** Sends an event once more as soon as a bot has resumed or identified anew. */
  dispatchOnReconnect(event: string, data: unknown): void {
    this.#sentAgain.push({ event, data });
    if (this.#sentAgain.length > KEPT.gatewayEvents) this.#sentAgain.shift();
  }

  /** Asks every bot to reconnect. */
  askToReconnect(): void {
    for (const { socket } of this.#sessions.values()) {
      if (socket !== undefined) this.#send(socket, { op: OP.reconnect, d: null });
    }
  }

  /** Lets the present connections go dead. */
  freeze(): void {
    for (const { socket } of this.#sessions.values()) {
      if (socket !== undefined) this.#frozen.add(socket);
    }
  }

  /** Cuts every connection. */
  async close(): Promise<void> {
    this.#sessions.clear();
    for (const client of this.#server.clients) client.terminate();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #greet(socket: WebSocket): void {
    const state: { session: Session | undefined } = { session: undefined };
    this.#send(socket, { op: OP.hello, d: { heartbeat_interval: this.#heartbeatMs, _trace: [] } });
    socket.on('message', (raw) => this.#receive(socket, state, raw));
    // A broken connection says so by `close` as well; nothing more is to be done about the error.
    socket.on('error', () => socket.terminate());
    socket.on('close', (code) => {
      const { session } = state;
      if (session?.socket !== socket) return;
      session.socket = undefined;
      // A bot that says goodbye gives its session up; one that was cut off may come back.
      if (code === CLOSE.normal || code === 1001) this.#sessions.delete(session.id);
      this.#world.emit({ type: 'bot', connected: this.connected });
    });
  }

  #receive(socket: WebSocket, state: { session: Session | undefined }, raw: RawData): void {
    const message = parseFrame(raw);
    switch (message?.op) {
      case undefined:
        socket.close(CLOSE.decodeError, 'Error while decoding payload.');
        break;
      case OP.heartbeat:
        this.#send(socket, { op: OP.heartbeatAck });
        break;
      case OP.identify:
        if (state.session === undefined) state.session = this.#identify(socket, message.d);
        else socket.close(CLOSE.alreadyAuthenticated, 'Already authenticated.');
        break;
      case OP.resume:
        state.session = this.#resume(socket, message.d);
        break;
      case OP.presence:
      case OP.voice:
      case OP.requestMembers:
        if (state.session === undefined) socket.close(CLOSE.notAuthenticated, 'Not authenticated.');
        else if (message.op === OP.requestMembers) this.#sendMembers(state.session, message.d);
        break;
      default:
        socket.close(CLOSE.unknownOpcode, 'Unknown opcode.');
    }
  }

  #identify(socket: WebSocket, data: unknown): Session | undefined {
    const form = identify.safeParse(data);
    if (!form.success) {
      socket.close(CLOSE.decodeError, 'Error while decoding payload.');
      return undefined;
    }
    if (bare(form.data.token) !== this.#world.token) {
      socket.close(CLOSE.authenticationFailed, 'Authentication failed.');
      return undefined;
    }
    if ((form.data.intents & PRIVILEGED) !== 0) {
      socket.close(CLOSE.disallowedIntents, 'Disallowed intent(s).');
      return undefined;
    }
    const id = randomBytes(16).toString('hex');
    const session: Session = { id, seq: 0, events: [], socket };
    this.#sessions.set(id, session);
    this.#forgetOldSessions();
    this.#dispatchTo(session, 'READY', this.#ready(id));
    this.#dispatchTo(session, 'GUILD_CREATE', this.#guildCreate());
    this.#sendAgain(session);
    this.#world.emit({ type: 'bot', connected: true });
    return session;
  }

  #forgetOldSessions(): void {
    for (const session of this.#sessions.values()) {
      if (this.#sessions.size <= KEPT.gatewaySessions) return;
      this.#sessions.delete(session.id);
      session.socket?.close(CLOSE.unknownError, 'Unknown error');
    }
  }

  #resume(socket: WebSocket, data: unknown): Session | undefined {
    const form = resume.safeParse(data);
    const session = form.success ? this.#sessions.get(form.data.session_id) : undefined;
    if (!form.success || session === undefined || bare(form.data.token) !== this.#world.token) {
      this.#send(socket, { op: OP.invalidSession, d: false });
      return undefined;
    }
    const { seq } = form.data;
    const oldest = session.events[0]?.s ?? session.seq + 1;
    if (seq + 1 < oldest) {
      this.#sessions.delete(session.id);
      this.#send(socket, { op: OP.invalidSession, d: false });
      return undefined;
    }
    session.socket = socket;
    for (const event of session.events) if (event.s > seq) this.#sendEvent(socket, event);
    this.#dispatchTo(session, 'RESUMED', { _trace: [] });
    this.#sendAgain(session);
    this.#world.emit({ type: 'bot', connected: true });
    return session;
  }

  #dispatchTo(session: Session, event: string, data: unknown): void {
    session.seq += 1;
    const payload: GatewayEvent = { op: OP.dispatch, s: session.seq, t: event, d: data };
    session.events.push(payload);
    if (session.events.length > KEPT.gatewayEvents) session.events.shift();
    if (session.socket !== undefined) this.#sendEvent(session.socket, payload);
  }

  #sendAgain(session: Session): void {
    const again = this.#sentAgain;
    this.#sentAgain = [];
    for (const { event, data } of again) this.#dispatchTo(session, event, data);
  }

  #sendEvent(socket: WebSocket, event: GatewayEvent): void {
    if (this.#send(socket, event)) this.#onSent(event.d);
  }

  /** @returns whether the connection took it. */
  #send(socket: WebSocket, payload: unknown): boolean {
    if (socket.readyState !== socket.OPEN || this.#frozen.has(socket)) return false;
    socket.send(JSON.stringify(payload));
    return true;
  }

  #ready(sessionId: string): Record<string, unknown> {
    const { bot, guildId, applicationId, origin } = this.#world;
    return {
      v: 10,
      user: { ...bot.user, verified: true, mfa_enabled: true, email: null, locale: 'en-US' },
      guilds: [{ id: guildId, unavailable: true }],
      private_channels: [],
      relationships: [],
      presences: [],
      session_id: sessionId,
      session_type: 'normal',
      resume_gateway_url: gatewayUrl(origin),
      shard: [0, 1],
      application: { id: applicationId, flags: 0 },
      _trace: [],
    };
  }

  /** Without the members intent a bot is told of itself only. */
  #guildCreate(): Record<string, unknown> {
    const { guildId, guildName, bot, roles, channels, members } = this.#world;
    const owner = members.keys().next().value ?? bot.user.id;
    const own = [...channels.values()].filter((channel) => channel.guild_id !== undefined);
    return {
      ...buildGuild(guildId, guildName, owner, roles),
      joined_at: bot.joined_at,
      large: false,
      unavailable: false,
      member_count: members.size + 1,
      members: [bot],
      channels: own,
      threads: [],
      presences: [],
      voice_states: [],
      stage_instances: [],
      guild_scheduled_events: [],
      soundboard_sounds: [],
    };
  }

  #sendMembers(session: Session, data: unknown): void {
    const form = requestMembers.safeParse(data);
    if (!form.success) return;
    const { query, limit, user_ids: wanted, nonce } = form.data;
    const ids = wanted === undefined ? undefined : [wanted].flat();
    const all = [...this.#world.members.values(), this.#world.bot];
    const found =
      ids === undefined
        ? all.filter(
            ({ user }) => query !== undefined && query !== '' && user.username.startsWith(query),
          )
        : all.filter(({ user }) => ids.includes(user.id));
    this.#dispatchTo(session, 'GUILD_MEMBERS_CHUNK', {
      guild_id: this.#world.guildId,
      members: found.slice(0, limit === undefined || limit === 0 ? 100 : limit),
      chunk_index: 0,
      chunk_count: 1,
      not_found: ids?.filter((id) => !found.some(({ user }) => user.id === id)) ?? [],
      ...(nonce === undefined ? {} : { nonce }),
    });
  }
}

/** The gateway's address for an HTTP origin. */
export function gatewayUrl(origin: string): string {
  return `${origin.replace(/^http/, 'ws')}/gateway`;
}

function bare(token: string): string {
  return token.replace(/^Bot\s+/i, '');
}

function parseFrame(raw: RawData): z.output<typeof frame> | undefined {
  const bytes = Array.isArray(raw) ? Buffer.concat(raw) : Buffer.from(raw as Uint8Array);
  try {
    return frame.safeParse(JSON.parse(bytes.toString('utf8'))).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

// Starts a Discord stand-in on loopback: REST and gateway for a bot, and the members' side for tests and page.
import type { FastifyInstance } from 'fastify';
import type { AddressInfo } from 'node:net';
import type { Exchange, StandIn, StandInEvent, StandInOptions } from './api.ts';
import { Callbacks } from './callbacks.ts';
import { LiveExchange } from './exchange.ts';
import { ExchangeBook } from './exchange-book.ts';
import { Faults } from './faults.ts';
import { Gateway } from './gateway.ts';
import { TIME } from './limits.ts';
import { LOOPBACK_HOST, fromLoopback } from './loopback.ts';
import { Member } from './member.ts';
import { buildRest } from './rest.ts';
import { World } from './world.ts';

const READY_TIMEOUT_MS = 10_000;

interface Parts {
  world: World;
  book: ExchangeBook;
  gateway: Gateway;
  faults: Faults;
  server: FastifyInstance;
}

/** Starts a stand-in that listens on 127.0.0.1; every part of `options` has a default. */
export async function startStandIn(options: StandInOptions = {}): Promise<StandIn> {
  const world = new World(options);
  const book = new ExchangeBook(world, {
    firstAnswerMs: options.firstAnswerMs ?? TIME.firstAnswerMs,
    tokenLifeMs: options.tokenLifeMs ?? TIME.tokenLifeMs,
  });
  const gateway = new Gateway(world, options.heartbeatMs ?? TIME.heartbeatMs, (data) =>
    book.noteDelivery(data),
  );
  const faults = new Faults();
  const callbacks = new Callbacks(world, book);
  const server = await buildRest({ world, book, callbacks, faults });
  server.server.on('upgrade', (request, socket, head) => {
    if (fromLoopback(request.headers)) gateway.upgrade(request, socket, head);
    else socket.destroy();
  });
  await server.listen({ host: LOOPBACK_HOST, port: options.port ?? 0 });
  const { port } = server.server.address() as AddressInfo;
  world.origin = `http://${LOOPBACK_HOST}:${port}`;
  return new RunningStandIn({ world, book, gateway, faults, server });
}

class RunningStandIn implements StandIn {
  readonly url: string;
  readonly origin: string;
  readonly token: string;
  readonly applicationId: string;
  readonly guildId: string;
  readonly guildName: string;
  readonly channelId: string;
  readonly bot: StandIn['bot'];
  readonly #parts: Parts;
  readonly #redeliveries = new Set<NodeJS.Timeout>();

  constructor(parts: Parts) {
    const { world } = parts;
    this.#parts = parts;
    this.origin = world.origin;
    this.url = `${world.origin}/api`;
    this.token = world.token;
    this.applicationId = world.applicationId;
    this.guildId = world.guildId;
    this.guildName = world.guildName;
    this.channelId = world.channels.keys().next().value ?? '';
    this.bot = world.bot;
  }

  as(memberId: string, channelId = this.channelId): Member {
    const { world, book } = this.#parts;
    const dispatch = this.#dispatch.bind(this);
    return new Member({ world, book, dispatch }, { memberId, channelId });
  }

  /** Sends an interaction, and a second time when a fault wants it so. */
  #dispatch(event: string, data: unknown): void {
    const { gateway, faults } = this.#parts;
    gateway.dispatch(event, data);
    const redelivery = faults.takeRedelivery();
    if (redelivery === undefined) return;
    if (redelivery === 'on-reconnect') {
      gateway.dispatchOnReconnect(event, data);
      return;
    }
    const timer = setTimeout(() => {
      this.#redeliveries.delete(timer);
      gateway.dispatch(event, data);
    }, redelivery.afterMs);
    this.#redeliveries.add(timer);
  }

  members(): ReturnType<StandIn['members']> {
    return [...this.#parts.world.members.values()];
  }

  addMember(seed: Parameters<StandIn['addMember']>[0]): ReturnType<StandIn['addMember']> {
    return this.#parts.world.addMember(seed);
  }

  channels(): ReturnType<StandIn['channels']> {
    return [...this.#parts.world.channels.values()];
  }

  roles(): ReturnType<StandIn['roles']> {
    return this.#parts.world.roles;
  }

  commands(): ReturnType<StandIn['commands']> {
    return this.#parts.world.allCommands();
  }

  messages(channelId = this.channelId): ReturnType<StandIn['messages']> {
    return this.#parts.world.messagesOf(channelId).map(({ wire }) => wire);
  }

  viewerOf(messageId: string): string | null {
    return this.#parts.world.findMessage(messageId)?.viewerId ?? null;
  }

  directMessages(memberId: string): ReturnType<StandIn['directMessages']> {
    const member = this.#parts.world.members.get(memberId);
    return member === undefined ? [] : this.messages(this.#parts.world.dmChannel(member).id);
  }

  pingsOf(messageId: string): readonly string[] {
    return this.#parts.world.findMessage(messageId)?.pings ?? [];
  }

  violations(): ReturnType<StandIn['violations']> {
    return [...this.#parts.world.violations];
  }

  file(path: string): ReturnType<StandIn['file']> {
    return this.#parts.world.findFile(path);
  }

  redeliver(exchange: Exchange): void {
    this.#parts.gateway.dispatch('INTERACTION_CREATE', live(exchange).payload);
  }

  expireToken(exchange: Exchange): void {
    live(exchange).expired = true;
  }

  dropGateway({ resumable = true }: { resumable?: boolean } = {}): void {
    this.#parts.gateway.drop(resumable);
  }

  failNext(plan: Parameters<StandIn['failNext']>[0]): void {
    this.#parts.faults.add(plan);
  }

  askToReconnect(): void {
    this.#parts.gateway.askToReconnect();
  }

  freezeGateway(): void {
    this.#parts.gateway.freeze();
  }

  setFaults(mix: Parameters<StandIn['setFaults']>[0]): void {
    this.#parts.faults.setMix(mix);
  }

  faultCounts(): ReturnType<StandIn['faultCounts']> {
    return this.#parts.faults.counts;
  }

  botConnected(): boolean {
    return this.#parts.gateway.connected;
  }

  async botReady({
    command,
    timeoutMs = READY_TIMEOUT_MS,
  }: { command?: string; timeoutMs?: number } = {}): Promise<void> {
    const ready = (): boolean =>
      this.botConnected() &&
      (command === undefined || this.commands().some(({ name }) => name === command));
    if (ready()) return;
    await new Promise<void>((resolve, reject) => {
      const unsubscribe = this.subscribe(() => {
        if (!ready()) return;
        clearTimeout(timer);
        unsubscribe();
        resolve();
      });
      const timer = setTimeout(() => {
        unsubscribe();
        const missing = this.botConnected() ? `no command /${command ?? ''}` : 'no bot';
        reject(new Error(`After ${timeoutMs} ms there is ${missing} on the stand-in`));
      }, timeoutMs);
    });
  }

  subscribe(listener: (event: StandInEvent) => void): () => void {
    return this.#parts.world.subscribe(listener);
  }

  async close(): Promise<void> {
    const { book, gateway, server } = this.#parts;
    for (const timer of this.#redeliveries) clearTimeout(timer);
    this.#redeliveries.clear();
    book.close();
    await gateway.close();
    await server.close();
  }
}

function live(exchange: Exchange): LiveExchange {
  if (exchange instanceof LiveExchange) return exchange;
  throw new TypeError('The exchange is not of this stand-in');
}

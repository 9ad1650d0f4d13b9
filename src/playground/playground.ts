// Serves the playground: a page on loopback where one plays members against the bot on the stand-in.
import fastify from 'fastify';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { createHash, randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readPageFiles } from '../shared/page/files.ts';
import { WITHOUT_JSON_SCHEMAS } from '../shared/without-json-schemas.ts';
import { ClientRefusal } from './api.ts';
import type { StandIn, StandInEvent } from './api.ts';
import { LOOPBACK_HOST, fromLoopback } from './loopback.ts';
import { PageActs } from './page-acts.ts';
import type { WireChannel, WireCommand, WireMember, WireMessage } from './wire.ts';

/** How to serve the page. */
export interface PlaygroundOptions {
  standIn: StandIn;
  /** 0, the default, takes a free port. */
  port?: number;
}

/** A page that is being served. */
export interface Playground {
  /** Where to point a browser. */
  readonly url: string;
  close(): Promise<void>;
}

/** Everything that the page shows, at one moment. */
export interface PageState {
  guildName: string;
  /** Changes when the stand-in has been started anew. */
  run: string;
  bot: WireMember;
  botConnected: boolean;
  members: readonly WireMember[];
  channels: readonly WireChannel[];
  roles: readonly { id: string; name: string; color: number }[];
  commands: readonly WireCommand[];
  messages: readonly { message: WireMessage; viewerId: string | null }[];
  /** Where attachments' addresses start. */
  standInOrigin: string;
}

/** What the page hears while it is open. */
export type PageEvent =
  { type: 'state'; state: PageState } | Exclude<StandInEvent, { type: 'exchange' }>;

const SECURITY_HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "media-src 'self'",
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** A base64 file of 10 MiB fits, with the rest of an act. */
const BODY_LIMIT = 15 * 1024 * 1024;
const MAX_PAGES = 32;
const NAME_LENGTH = 32;
/** Where the ids of members begin who were added on the page. */
const ADDED_MEMBERS = 1_300_000_000_000_000_000n;

/** Starts the page's server on 127.0.0.1. The bundle must have been built. */
export async function startPlayground({
  standIn,
  port = 0,
}: PlaygroundOptions): Promise<Playground> {
  const { html, script, style } = await readPageFiles('playground');
  const server = fastify({
    ...WITHOUT_JSON_SCHEMAS,
    bodyLimit: BODY_LIMIT,
    forceCloseConnections: true,
  });
  const pages = new Set<ServerResponse>();
  const run = randomBytes(8).toString('hex');
  server.addHook('onRequest', async (request, reply) => {
    void reply.headers(SECURITY_HEADERS);
    if (!fromLoopback(request.headers)) {
      await reply.code(403).send({ message: 'The playground answers its own page only.' });
    }
  });
  server.setErrorHandler((error, _, reply) => {
    const status = error instanceof ClientRefusal ? 400 : 500;
    void reply
      .code(status)
      .send({ message: error instanceof Error ? error.message : String(error) });
  });
  server.get('/', (_, reply) => reply.type('text/html; charset=utf-8').send(html));
  server.get('/app.js', (_, reply) => reply.type('text/javascript; charset=utf-8').send(script));
  server.get('/app.css', (_, reply) => reply.type('text/css; charset=utf-8').send(style));
  addApi(server, standIn, () => stateOf(standIn, run), pages);
  const unsubscribe = standIn.subscribe((event) => {
    if (event.type !== 'exchange') for (const page of pages) write(page, event);
  });
  await server.listen({ host: LOOPBACK_HOST, port });
  const { port: bound } = server.server.address() as AddressInfo;
  return {
    url: `http://${LOOPBACK_HOST}:${bound}/`,
    close: async () => {
      unsubscribe();
      for (const page of pages) page.end();
      await server.close();
    },
  };
}

function addApi(
  server: FastifyInstance,
  standIn: StandIn,
  state: () => PageState,
  pages: Set<ServerResponse>,
): void {
  const acts = new PageActs(standIn);
  server.get('/api/events', (_, reply) => openStream(reply, state(), pages));
  server.post('/api/act', (request) => acts.perform(request.body));
  server.post('/api/members', ({ body }) => {
    const { name } = Object(body) as { name?: unknown };
    const displayName = typeof name === 'string' ? name.trim().slice(0, NAME_LENGTH) : '';
    if (displayName === '') throw new ClientRefusal('A member needs a name');
    const username = displayName.toLowerCase().replace(/[^a-z0-9_.]+/g, '_');
    const id = idFor(displayName);
    const known = standIn.members().find(({ user }) => user.id === id);
    return known ?? standIn.addMember({ id, username, displayName });
  });
  server.get('/attachments/*', (request, reply) => {
    const file = standIn.file(decodeURIComponent(request.url.split('?')[0] ?? ''));
    if (file === undefined) return reply.code(404).send({ message: 'No such file' });
    return reply
      .header('content-security-policy', "default-src 'none'; sandbox")
      .type(file.attachment.content_type ?? 'application/octet-stream')
      .send(Buffer.from(file.bytes));
  });
}

/** A name always gets the same id, so that a member added again after a restart is the same one. */
function idFor(name: string): string {
  const digest = createHash('sha256').update(name).digest();
  return (ADDED_MEMBERS + (digest.readBigUInt64BE() >> 12n)).toString();
}

function openStream(
  reply: FastifyReply,
  state: PageState,
  pages: Set<ServerResponse>,
): FastifyReply {
  if (pages.size >= MAX_PAGES) {
    return reply.code(503).send({ message: `At most ${MAX_PAGES} pages may be open` });
  }
  void reply.hijack();
  const page = reply.raw;
  page.writeHead(200, { ...SECURITY_HEADERS, 'content-type': 'text/event-stream' });
  pages.add(page);
  page.on('close', () => pages.delete(page));
  write(page, { type: 'state', state });
  return reply;
}

function write(page: ServerResponse, event: PageEvent): void {
  page.write(`data: ${JSON.stringify(event)}\n\n`);
}

function stateOf(standIn: StandIn, run: string): PageState {
  const channels = standIn.channels();
  return {
    guildName: standIn.guildName,
    run,
    bot: standIn.bot,
    botConnected: standIn.botConnected(),
    members: standIn.members(),
    channels,
    roles: standIn.roles().map(({ id, name, color }) => ({ id, name, color })),
    commands: standIn.commands(),
    messages: channels.flatMap(({ id }) =>
      standIn.messages(id).map((message) => ({ message, viewerId: standIn.viewerOf(message.id) })),
    ),
    standInOrigin: standIn.origin,
  };
}

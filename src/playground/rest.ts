// The REST side of the stand-in: routes, tokens, injected faults and the wording of refusals.
import { setTimeout as delay } from 'node:timers/promises';
import multipart from '@fastify/multipart';
import fastify from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { WITHOUT_JSON_SCHEMAS } from '../shared/without-json-schemas.ts';
import type { FaultPlan, Violation } from './api.ts';
import { addBotRoutes } from './bot-routes.ts';
import type { Callbacks } from './callbacks.ts';
import type { ExchangeBook } from './exchange-book.ts';
import type { Faults } from './faults.ts';
import { addInteractionRoutes } from './interaction-routes.ts';
import { LIMIT, TIME } from './limits.ts';
import { fromLoopback } from './loopback.ts';
import { DiscordRefusal, refuse } from './refusals.ts';
import type { World } from './world.ts';

/** What the routes work on. */
export interface RestParts {
  world: World;
  book: ExchangeBook;
  callbacks: Callbacks;
  faults: Faults;
}

const API = '/api/v10';

/** Builds the HTTP server; it does not listen yet. */
export async function buildRest(parts: RestParts): Promise<FastifyInstance> {
  const server = fastify({
    ...WITHOUT_JSON_SCHEMAS,
    bodyLimit: LIMIT.files * LIMIT.fileBytes,
    forceCloseConnections: true,
  });
  // As at Discord, nobody is told how long an idle connection is kept: a client goes by its own default.
  server.server.keepAliveTimeout = 0;
  await server.register(multipart);
  server.addHook('onRequest', async (request) => {
    if (!fromLoopback(request.headers)) throw new DiscordRefusal(403, 0, '403: Forbidden');
    await Promise.resolve();
  });
  injectFaults(server, parts);
  nameRefusals(server, parts);
  server.get('/attachments/*', (request, reply) => sendFile(parts.world, request, reply));
  await server.register(
    async (bot) => {
      bot.addHook('onRequest', async (request, reply) => {
        if (request.headers.authorization !== `Bot ${parts.world.token}`)
          throw refuse.unauthorized();
        setRateLimitHeaders(reply);
        await Promise.resolve();
      });
      addBotRoutes(bot, parts);
      await Promise.resolve();
    },
    { prefix: API },
  );
  await server.register(
    async (open) => {
      addInteractionRoutes(open, parts);
      await Promise.resolve();
    },
    { prefix: API },
  );
  return server;
}

/** Headers that never make a client wait. */
function setRateLimitHeaders(reply: FastifyReply): void {
  void reply.headers({
    'x-ratelimit-limit': '1000',
    'x-ratelimit-remaining': '999',
    'x-ratelimit-reset-after': '1',
    'x-ratelimit-bucket': 'playground',
  });
}

function sendFile(world: World, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const file = world.findFile(decodeURIComponent(request.url.split('?')[0] ?? ''));
  if (file === undefined) throw refuse.general(404);
  return reply
    .header('content-type', file.attachment.content_type ?? 'application/octet-stream')
    .header('x-content-type-options', 'nosniff')
    .header('content-security-policy', "default-src 'none'; sandbox")
    .send(Buffer.from(file.bytes));
}

function injectFaults(server: FastifyInstance, { faults, world, book }: RestParts): void {
  const planned = new WeakMap<FastifyRequest, FaultPlan>();
  server.addHook('onRequest', async (request, reply) => {
    const exchange = book.find(tokenIn(request.url) ?? '');
    const plan = faults.take(request.method, request.url);
    if (plan === undefined) {
      exchange?.callsAt.push(world.now());
      return;
    }
    const isLetIn = typeof plan.status !== 'number' || plan.applied === true;
    exchange?.faults.push({
      at: world.now(),
      status: plan.status,
      applied: isLetIn,
      waitMs: (plan.delayMs ?? 0) + (plan.status === TOO_MANY ? retryAfterMs(plan) : 0),
    });
    if (plan.delayMs !== undefined) await delay(plan.delayMs);
    if (plan.status === 'slow') return;
    if (isLetIn) planned.set(request, plan);
    else await reply.code(Number(plan.status)).headers(faultHeaders(plan)).send(faultBody(plan));
  });
  server.addHook('onSend', async (request, reply, payload) => {
    const plan = planned.get(request);
    if (plan === undefined) return payload;
    planned.delete(request);
    if (typeof plan.status === 'number') {
      void reply.code(plan.status).headers(faultHeaders(plan));
      void reply.removeHeader('content-length');
      return await Promise.resolve(JSON.stringify(faultBody(plan)));
    }
    reply.hijack();
    if (plan.status === 'reset') request.raw.socket.resetAndDestroy();
    else request.raw.socket.destroy();
    return payload;
  });
}

const TOO_MANY = 429;

/** The token of the interaction that a call is about. */
function tokenIn(path: string): string | undefined {
  return /\/(?:webhooks|interactions)\/\d+\/([^/?]+)/.exec(path)?.[1];
}

const retryAfterMs = (plan: FaultPlan): number => plan.retryAfterMs ?? TIME.retryAfterMs;

function faultHeaders(plan: FaultPlan): Record<string, string> {
  const json = { 'content-type': 'application/json' };
  if (plan.status !== TOO_MANY) return json;
  return {
    ...json,
    'retry-after': String(retryAfterMs(plan) / 1000),
    'x-ratelimit-scope': 'user',
  };
}

function faultBody(plan: FaultPlan): Record<string, unknown> {
  if (plan.status !== TOO_MANY) return { message: `${plan.status}: Injected fault`, code: 0 };
  const message = 'You are being rate limited.';
  return { message, retry_after: retryAfterMs(plan) / 1000, global: false };
}

function nameRefusals(server: FastifyInstance, { world, book }: RestParts): void {
  const answer = (request: FastifyRequest, reply: FastifyReply, refusal: DiscordRefusal): void => {
    const path = request.url.split('?')[0] ?? '';
    const violation: Violation = {
      at: world.now(),
      method: request.method,
      path,
      status: refusal.status,
      ...refusal.body(),
    };
    if (refusal.status < 500) {
      world.noteViolation(violation);
      book.find(tokenIn(path) ?? '')?.violations.push(violation);
    }
    void reply.code(refusal.status).send(refusal.body());
  };
  server.setNotFoundHandler((request, reply) => answer(request, reply, refuse.general(404)));
  server.setErrorHandler((error, request, reply) => {
    answer(request, reply, error instanceof DiscordRefusal ? error : asRefusal(error));
  });
}

/** What fastify itself refuses, in Discord's words; the rest is a fault of the stand-in and shows as 500. */
function asRefusal(error: unknown): DiscordRefusal {
  const status =
    error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
      ? error.statusCode
      : 500;
  if (status === 413) return refuse.tooLarge();
  if (status === 400) return refuse.invalidJson();
  if (status < 500) return new DiscordRefusal(status, 0, `${status}: Bad Request`);
  const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new DiscordRefusal(500, 0, `500: the stand-in failed: ${words}`);
}

// The HTTP API: builds the server from the table of routes, listens, and closes without cutting answers off.
import { lookup } from 'node:dns/promises';
import type { AddressInfo } from 'node:net';
import rateLimit from '@fastify/rate-limit';
import fastify, { type FastifyInstance } from 'fastify';
import type { App } from '../app/app.ts';
import type { NfgtNode } from '../chain/node.ts';
import { AppError } from '../shared/errors.ts';
import { measure } from '../shared/measurements.ts';
import type { Logger } from '../shared/logger.ts';
import { WITHOUT_JSON_SCHEMAS } from '../shared/without-json-schemas.ts';
import { AnswerCache } from './answer-cache.ts';
import type { ApiTokenFile } from './api-tokens.ts';
import { boundConnections, type ConnectionLimits } from './connections.ts';
import { isLoopbackAddress, makeGate } from './gate.ts';
import {
  COMMON_HEADERS,
  isPreflight,
  makeRequestIds,
  PREFLIGHT_HEADERS,
  REQUEST_ID,
} from './headers.ts';
import {
  CLOSE_GRACE_MS,
  CREATES_PER_WINDOW,
  CREATE_WINDOW_MS,
  CONNECTION_CHECK_INTERVAL_MS,
  HEADERS_TIMEOUT_MS,
  KEEP_ALIVE_TIMEOUT_MS,
  MAX_CONNECTIONS,
  MAX_HEADER_BYTES,
  MAX_REQUESTS_AHEAD,
  REQUEST_TIMEOUT_MS,
  SOCKET_TIMEOUT_MS,
} from './limits.ts';
import { answerBrokenConnection, sendError } from './errors.ts';
import { makeDescriptionRoute } from './openapi.ts';
import { addOperatorRoutes, type OperatorParts } from './operator-routes.ts';
import { addReaderPage, type ReaderPage } from './reader-page.ts';
import { addRoute, type Route } from './route.ts';
import { makeCreateRoute } from './routes/create-transaction.ts';
import { healthRoute } from './routes/health.ts';
import { makeHistoryRoutes } from './routes/history.ts';
import { makeIntrospectionRoutes } from './routes/introspection.ts';
import { makeNodeRoute } from './routes/node.ts';
import { makeSpotRoutes } from './routes/spot.ts';
import { makeTransactionRoutes } from './routes/transactions.ts';
import { limitCreates, type CreateLimit } from './throttle.ts';

/** What the API serves. */
export interface HttpParts {
  readonly node: Pick<NfgtNode, 'chain' | 'findState' | 'status'>;
  readonly app: Pick<App, 'createTransaction'> & {
    /** Undefined on a node without a bot. */
    readonly botOwnerId: App['botOwnerId'] | undefined;
  };
  /** Whether a validator answers introspection, too. */
  readonly introspection: boolean;
  /** Who may create; without it nobody has a token. */
  readonly apiTokens?: Pick<ApiTokenFile, 'current'>;
  /** What people see at `/`; without it the path is not there. */
  readonly page?: ReaderPage;
  /** What an operator's tools are answered from; without it their paths are not there. */
  readonly operator?: OperatorParts;
  readonly logger: Logger;
}

/** What clients may take of the server; a parameter for tests that cannot wait for, or fill, what an operator needs. */
export interface ClientLimits extends ConnectionLimits {
  /** A connection on which nothing has moved for so long is closed, also while its client does not read. */
  readonly timeoutMs: number;
  /** How many creates one address may send within a window. */
  readonly creates: CreateLimit;
}

export const CLIENT_LIMITS: ClientLimits = {
  connections: MAX_CONNECTIONS,
  requestsAhead: MAX_REQUESTS_AHEAD,
  timeoutMs: SOCKET_TIMEOUT_MS,
  creates: { max: CREATES_PER_WINDOW, windowMs: CREATE_WINDOW_MS },
};

export interface HttpServer {
  /** Where it listens, for example `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Takes no more requests and waits for those under way, for a few seconds at most. */
  close(): Promise<void>;
}

/**
 * Starts the API.
 * @param options.port 0 for any free one.
 * @throws AppError HTTP_ADDRESS_UNUSABLE when it cannot listen there, API_TOKENS_INVALID
 */
export async function startHttp(
  options: HttpParts & { readonly host: string; readonly port: number },
  limits = CLIENT_LIMITS,
): Promise<HttpServer> {
  const { host, port, logger } = options;
  const server = buildHttp(options, limits);
  const hasTokens = options.apiTokens?.current() !== undefined;
  try {
    // One address, also of `localhost`, which fastify would serve a second time beside the limits on connections.
    await server.listen({ host: (await lookup(host)).address, port });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppError(
      'HTTP_ADDRESS_UNUSABLE',
      { address: `${host}:${port}`, reason },
      { cause: error },
    );
  }
  // SAFETY: a server that listens on a host and port has an address of this form.
  const { address, family, port: bound } = server.server.address() as AddressInfo;
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`;
  logger.info({ url }, 'the HTTP API listens');
  if (!isLoopbackAddress(address) && !hasTokens) {
    logger.warn({ url }, 'the network can read here; to create it needs a token: aibot token add');
  }
  return {
    url,
    close: async () => {
      const impatient = setTimeout(() => server.server.closeAllConnections(), CLOSE_GRACE_MS);
      try {
        await server.close();
      } finally {
        clearTimeout(impatient);
      }
    },
  };
}

/** How a path that is not in the table is counted: nobody but us makes new words for a metric. */
const NO_ROUTE = { method: 'any', route: 'none' } as const;

/** Builds the server; it does not listen yet. */
export function buildHttp(parts: HttpParts, limits = CLIENT_LIMITS): FastifyInstance {
  const { logger } = parts;
  const server: FastifyInstance = fastify({
    ...WITHOUT_JSON_SCHEMAS,
    http: {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: CONNECTION_CHECK_INTERVAL_MS,
    },
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: limits.timeoutMs,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    // Requests that came before the end are answered, not refused.
    return503OnClosing: false,
    exposeHeadRoutes: false,
    genReqId: makeRequestIds(),
    routerOptions: {
      ignoreTrailingSlash: true,
      // Ids are bounded by the size of the request line; a long one is unknown, not another route.
      maxParamLength: MAX_HEADER_BYTES,
    },
    frameworkErrors: (error, request, reply) => {
      sendError(logger, error, request, reply);
    },
    clientErrorHandler: answerBrokenConnection,
  });
  boundConnections(server.server, limits);
  // The one route with a body reads it itself: its Content-Type says nothing, not even when it makes no sense.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, _payload, done) => done(null));
  server.addHook('onRequest', (request, reply, next) => {
    // Whatever a GET says, its body is not looked at; and to delete from an object slows every later look at it.
    if (request.raw.method !== 'GET') delete request.raw.headers['content-type'];
    if (request.raw.socket.destroyed) void reply.hijack();
    else if (isPreflight(request)) void reply.code(204).headers(PREFLIGHT_HEADERS).send();
    else next();
  });
  server.addHook('onSend', (request, reply, payload, next) => {
    void reply.headers(COMMON_HEADERS).header(REQUEST_ID, request.id);
    next(null, payload);
  });
  // The words, type and status of the first program, also for a method that a path does not have.
  server.setNotFoundHandler((_request, reply) => {
    measure('request', { ...NO_ROUTE, status: 404, seconds: reply.elapsedTime / 1_000 });
    return reply.code(404).type('text/plain').send('404 page not found');
  });
  server.setErrorHandler((error, request, reply) => sendError(logger, error, request, reply));
  // What its headers would say stands in the description; an answer carries `Retry-After` alone.
  const addHeaders = {
    'x-ratelimit-limit': false,
    'x-ratelimit-remaining': false,
    'x-ratelimit-reset': false,
  };
  void server.register(rateLimit, { global: false, addHeaders, addHeadersOnExceeding: addHeaders });
  const answers = new AnswerCache(() => parts.node.chain.revision());
  // SAFETY: it listens on hosts and ports only, never on a socket file.
  const listensAt = () => (server.addresses() as AddressInfo[]).map(({ address }) => address);
  const gate = makeGate(() => parts.apiTokens?.current(), listensAt);
  const serving = { rateLimit: limitCreates(limits.creates), answers, gate };
  void server.register((scope, _options, done) => {
    if (parts.page !== undefined) addReaderPage(scope, parts.page);
    if (parts.operator !== undefined) addOperatorRoutes(scope, parts.operator, gate);
    for (const route of listRoutes(parts)) addRoute(scope, route, serving);
    done();
  });
  return server;
}

/** Every route, in the order of the API's description, which is one of them. */
export function listRoutes({ node, app, introspection }: HttpParts): readonly Route[] {
  const routes = [
    healthRoute,
    makeNodeRoute(node, app.botOwnerId),
    makeCreateRoute(app),
    ...makeTransactionRoutes(node),
    ...makeSpotRoutes(node.chain),
    ...makeHistoryRoutes(node.chain),
    ...makeIntrospectionRoutes(node, introspection),
  ];
  return [...routes, makeDescriptionRoute(routes)];
}

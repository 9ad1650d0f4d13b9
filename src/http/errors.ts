// How errors leave through HTTP: one table from an error's kind to a status, and one body for all of them.
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError, type ErrorKind } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { measure } from '../shared/measurements.ts';
import { COMMON_HEADERS, JSON_TYPE } from './headers.ts';

/** The status of each kind of expected error. */
const STATUS_OF_KIND: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  missing: 404,
  conflict: 409,
  'too-large': 413,
  throttled: 429,
  unavailable: 503,
  damaged: 500,
};

/** The status that an error is answered with; 500 for a fault. */
export function statusOf(error: unknown): number {
  return error instanceof AppError ? STATUS_OF_KIND[error.kind] : 500;
}

/** Seconds after which a repeat is worth it: a push takes well under one, a remote comes back later. */
const RETRY_AFTER_SECONDS: Partial<Record<ErrorKind, number>> = { throttled: 1, unavailable: 5 };

/** Answers a request with an error: an expected one in the table's words, anything else as a fault. */
export function sendError(
  logger: Logger,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const refusal = asRefusal(error);
  if (refusal === undefined) return sendFault(logger, error, request, reply);
  const { kind, code, message } = refusal;
  const status = statusOf(refusal);
  measure('refusal', { edge: 'http', code });
  const facts = { requestId: request.id, code, method: request.method, url: request.url };
  if (status >= 500) logger.warn({ ...facts, data: refusal.data }, message);
  else logger.debug(facts, 'a request was refused');
  const seconds = RETRY_AFTER_SECONDS[kind];
  // A limit by time has said already when it is over.
  if (seconds !== undefined && !reply.hasHeader('Retry-After'))
    void reply.header('Retry-After', seconds);
  if (status === 401) void reply.header('WWW-Authenticate', 'Bearer');
  // What is left of a body that was refused unread must not be taken for the next request.
  if (kind === 'too-large') void reply.header('Connection', 'close');
  return reply
    .code(status)
    .headers(COMMON_HEADERS)
    .type(JSON_TYPE)
    .send(JSON.stringify({ error: message, code }));
}

/** What the HTTP server itself refuses is the client's mistake too, said in the table's words. */
function asRefusal(error: unknown): AppError | undefined {
  if (error instanceof AppError) return error;
  const isClientsMistake =
    error instanceof Error &&
    'statusCode' in error &&
    typeof error.statusCode === 'number' &&
    error.statusCode >= 400 &&
    error.statusCode < 500;
  if (!isClientsMistake) return undefined;
  return new AppError('INPUT_INVALID', { reason: error.message }, { cause: error });
}

function sendFault(
  logger: Logger,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const ref = randomBytes(6).toString('hex');
  measure('fault', { edge: 'http' });
  const { id: requestId, method, url } = request;
  logger.error({ err: error, ref, requestId, method, url }, 'a request failed');
  const text = `Something broke on our side. Whether the request took effect is not known here: look before you repeat it, and give the operator the reference ${ref}.`;
  return reply
    .code(500)
    .headers(COMMON_HEADERS)
    .type(JSON_TYPE)
    .send(JSON.stringify({ error: text, code: 'FAULT', ref }));
}

const STATUS_OF_CONNECTION_ERROR: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Answers what is not HTTP, or not in time, on its bare socket: there is no request to answer. */
export function answerBrokenConnection(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = STATUS_OF_CONNECTION_ERROR[error.code ?? ''] ?? 400;
  const reason = `${STATUS_CODES[status] ?? 'Bad Request'} (${error.code ?? 'unknown'})`;
  const { code, message } = new AppError('INPUT_INVALID', { reason });
  const body = JSON.stringify({ error: message, code });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    `Content-Type: ${JSON_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

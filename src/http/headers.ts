// The headers that every answer carries, how JSON is sent with them, and the preflight that lets pages from anywhere ask.
import { randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * Any page may read any answer: the node knows no cookies and no other authority that a browser would add, so there
 * is nothing that a foreign page could borrow. Nothing is cached, since every answer may change with the next push
 * and one of them carries a passphrase. Nothing is ever rendered but the page at `/`, which has a policy of its own.
 */
export const COMMON_HEADERS = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'Retry-After, X-Request-Id',
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  // What CORS lets any page read, also a page that keeps out whatever does not say this.
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
} as const;

export const JSON_TYPE = 'application/json; charset=utf-8';

/** Names the answer's request in the log. */
export const REQUEST_ID = 'X-Request-Id';

/**
 * Gives ids to requests: never one that a client chose, so that nobody's line can be passed off as another's.
 * @returns unique over all processes, and cheap: most requests leave no line at all.
 */
export function makeRequestIds(): () => string {
  const process = randomBytes(5).toString('hex');
  let count = 0;
  return () => `${process}-${(count += 1)}`;
}

/** Those of a JSON answer, in the form that costs least to send: names and values in turn, none but the length missing. */
const JSON_HEADERS = Object.entries({ ...COMMON_HEADERS, 'Content-Type': JSON_TYPE }).flat();

/**
 * Answers 200 with JSON that is all there. It goes past the framework, which would copy, check and sort the same
 * headers for each answer; that takes about as long as reading what most requests ask for.
 */
export function sendJson(reply: FastifyReply, json: string | Buffer): void {
  reply.hijack();
  const length = String(Buffer.byteLength(json));
  const id = reply.request.id;
  reply.raw.writeHead(200, [...JSON_HEADERS, REQUEST_ID, id, 'Content-Length', length]);
  reply.raw.end(json);
}

/** The first program's answer to a preflight, with the two headers that this node adds to its interface. */
export const PREFLIGHT_HEADERS = {
  'Access-Control-Allow-Headers':
    'Origin,Content-Length,Content-Type,Idempotency-Key,Authorization',
  'Access-Control-Allow-Methods': 'GET,POST,PUT,PATCH,DELETE,HEAD',
  'Access-Control-Max-Age': '43200',
} as const;

/** True for an OPTIONS request of a page from another host; without a foreign Origin it is a request like any other. */
export function isPreflight(request: FastifyRequest): boolean {
  if (request.method !== 'OPTIONS') return false;
  const { origin, host } = request.headers;
  if (origin === undefined) return false;
  return origin !== `http://${host ?? ''}` && origin !== `https://${host ?? ''}`;
}

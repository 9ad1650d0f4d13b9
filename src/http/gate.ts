// Who may use a guarded route: whoever has a token, or, where nobody has made one, a program on this machine.
import { BlockList, isIP, isIPv6 } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { AppError, type ErrorCode } from '../shared/errors.ts';
import type { ApiTokens } from './api-tokens.ts';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** What a guarded route may refuse with, beside its own. */
export const GATE_ERRORS: readonly ErrorCode[] = [
  'API_TOKEN_REQUIRED',
  'API_TOKEN_UNSET',
  'REQUEST_NOT_LOCAL',
];

/** Headers by which a proxy says that a request came to it from somewhere else. */
const FORWARDED = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];

/** Lets a request pass, or throws why not. */
export type Gate = (request: FastifyRequest) => Promise<void>;

/**
 * Makes the gate. Where tokens exist one is needed, wherever the request comes from. Where none exist, only a server
 * that nobody but this machine can reach lets anyone in: it is asked where it listens, not what a name in the
 * configuration might mean. Even then a browser is only let in from a page of this machine, and nothing that was sent
 * on by a proxy: a page from elsewhere could otherwise have its reader's node write.
 * @throws (the gate) AppError of {@link GATE_ERRORS}
 */
export function makeGate(
  currentTokens: () => ApiTokens | undefined,
  listensAt: () => readonly string[],
): Gate {
  return async ({ headers }) => {
    const tokens = currentTokens();
    if (tokens !== undefined) {
      const token = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
      if (token === undefined || (await tokens.verify(token)) === undefined) {
        throw new AppError('API_TOKEN_REQUIRED');
      }
      return;
    }
    if (!listensAt().every(isLoopbackAddress)) throw new AppError('API_TOKEN_UNSET');
    const reason = whyNotLocal(headers);
    if (reason !== undefined) throw new AppError('REQUEST_NOT_LOCAL', { reason });
  };
}

/** True for an address of this machine alone, also an IPv4 one written as IPv6. */
export function isLoopbackAddress(address: string): boolean {
  return isIP(address) !== 0 && LOOPBACK.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

function whyNotLocal(headers: FastifyRequest['headers']): string | undefined {
  const forwarded = FORWARDED.find((name) => headers[name] !== undefined);
  if (forwarded !== undefined) return `a proxy sent it on, as its header ${forwarded} says`;
  // A name that a stranger points at 127.0.0.1 makes a page of theirs one of ours, to a browser.
  if (!isLoopbackUrl(`http://${headers.host ?? ''}`)) return 'its Host is not this machine';
  const { origin } = headers;
  if (origin !== undefined && !isLoopbackUrl(origin)) return 'a page from elsewhere sent it';
  const site = headers['sec-fetch-site'];
  return origin === undefined && site === 'cross-site'
    ? 'a page from elsewhere sent it'
    : undefined;
}

function isLoopbackUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { hostname } = new URL(text);
  return hostname === 'localhost' || isLoopbackAddress(hostname.replace(/^\[(.*)\]$/, '$1'));
}

// Keeps web pages from elsewhere out: a browser may talk to the playground only from the playground.
const LOOPBACK = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

/** The only address that the playground listens on. */
export const LOOPBACK_HOST = '127.0.0.1';

/**
 * Whether a request may be served: its Host must be loopback, so that no outside name can be pointed here,
 * and its Origin, if a browser sent one, must be that same host.
 */
export function fromLoopback(headers: {
  host?: string | undefined;
  origin?: string | undefined;
}): boolean {
  const { host, origin } = headers;
  if (host === undefined || !LOOPBACK.test(host)) return false;
  return origin === undefined || origin === `http://${host}`;
}

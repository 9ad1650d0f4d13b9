// The limits of the HTTP API, named in one place: sizes, times and how many connections it holds.

/** The most bytes of a request's body; a record may not be larger either. */
export const MAX_BODY_BYTES = 64 * 1024;
/** A body over the limit is read and forgotten up to here, so that a client that writes first still sees the answer. */
export const MAX_DISCARDED_BYTES = 32 * 1024 * 1024;
/** The request line and all headers; it also bounds the ids in a path. */
export const MAX_HEADER_BYTES = 16 * 1024;
/** How many creates one client may send within a window; the full event's busiest second had 76 from all together. */
export const CREATES_PER_WINDOW = 1_000;
export const CREATE_WINDOW_MS = 10_000;
/** How many connections are held; see `connections.ts` for what happens to one more. */
export const MAX_CONNECTIONS = 1_024;
/** How many requests a client may send on one connection before it reads an answer; hardly any sends two. */
export const MAX_REQUESTS_AHEAD = 16;
/** For the headers, from the connection's first byte or, on an idle one, from its start. */
export const HEADERS_TIMEOUT_MS = 10_000;
/** For a whole request, body included. */
export const REQUEST_TIMEOUT_MS = 30_000;
/** How often connections are looked at for those two. */
export const CONNECTION_CHECK_INTERVAL_MS = 5_000;
/** A connection on which nothing moves, also one whose client does not read its answer. */
export const SOCKET_TIMEOUT_MS = 60_000;
/** Between two requests; longer than the 60 s of common proxies, so that they and not we close first. */
export const KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** How long requests under way may take while the server closes. */
export const CLOSE_GRACE_MS = 5_000;

// Keeps the connections of the API within bounds: whoever idles makes room, and nobody asks without reading answers.
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface ConnectionLimits {
  /** How many connections are held. One more takes the place of the one that has idled longest. */
  readonly connections: number;
  /** How many requests a connection may have sent ahead of the answers that it has read. */
  readonly requestsAhead: number;
}

/**
 * Holds a server to its limits. Idle connections may be as many as they like, they never keep a client out: with all
 * places taken, the connection that has idled longest is closed. A connection that sends requests and reads no answer
 * would make the process keep all those answers for it: it is closed as well.
 */
export function boundConnections(server: Server, limits: ConnectionLimits): void {
  /** Open connections and their unanswered requests. */
  const open = new Map<Socket, number>();
  /** Those without any, in the order in which they became so. */
  const idle = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    if (open.size >= limits.connections && !closeOldest(idle)) {
      socket.destroy();
      return;
    }
    open.set(socket, 0);
    idle.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      idle.delete(socket);
    });
  });
  server.prependListener('request', ({ socket }: { socket: Socket }, response: ServerResponse) => {
    const unanswered = (open.get(socket) ?? 0) + 1;
    open.set(socket, unanswered);
    idle.delete(socket);
    if (unanswered > limits.requestsAhead) socket.destroy();
    response.once('close', () => {
      if (!open.has(socket)) return;
      const left = (open.get(socket) ?? 1) - 1;
      open.set(socket, left);
      if (left === 0) idle.add(socket);
    });
  });
}

/** @returns false when none idles. */
function closeOldest(idle: Set<Socket>): boolean {
  const [oldest] = idle;
  oldest?.destroy();
  return oldest !== undefined && idle.delete(oldest);
}

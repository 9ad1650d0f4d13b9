// The clients of the rows `read-…`, in a process of their own: each asks again as soon as it has its answer, or when it is time.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { quantile } from './figures.ts';

export interface LoadOrder {
  readonly port: number;
  readonly paths: readonly string[];
  readonly connections: number;
  readonly seconds: number;
  /** How many requests are to be sent in a second; undefined for as many as are answered. */
  readonly pace: number | undefined;
}

/** Times are from the moment at which a request was due, so that a late one counts as slow. */
export interface LoadReport {
  readonly requests: number;
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly bytesEach: number;
}

const HEAD_END = '\r\n\r\n';

/**
 * A bare socket, because a client of node's own costs more than the server that is to be measured. It sends nothing
 * ahead of an answer, and keeps nothing of one.
 */
class Client {
  readonly #socket: Socket;
  #head: Buffer = Buffer.alloc(0);
  /** Bytes that the answer still lacks; undefined before its head is there. */
  #lacking: number | undefined;
  #length = 0;
  #onAnswer: (length: number) => void = () => undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      if (this.#lacking === undefined) this.#readHead(chunk);
      else this.#lacking -= chunk.length;
      if (this.#lacking === 0) this.#onAnswer(this.#length);
    });
    socket.on('error', (error) => {
      throw error;
    });
  }

  /** @returns the bytes of the answer's body. @throws Error unless it is a 200 with a length */
  async get(path: string): Promise<number> {
    this.#lacking = undefined;
    this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: bench\r\n\r\n`);
    return await new Promise((resolve) => {
      this.#onAnswer = resolve;
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #readHead(chunk: Buffer): void {
    const received = Buffer.concat([this.#head, chunk]);
    const headEnd = received.indexOf(HEAD_END);
    this.#head = headEnd === -1 ? received : Buffer.alloc(0);
    if (headEnd === -1) return;
    const head = received.toString('latin1', 0, headEnd);
    this.#length = Number(/^content-length: (\d+)$/im.exec(head)?.[1]);
    if (!head.startsWith('HTTP/1.1 200') || Number.isNaN(this.#length)) throw new Error(head);
    this.#lacking = headEnd + HEAD_END.length + this.#length - received.length;
  }
}

async function run(order: LoadOrder): Promise<LoadReport> {
  const { port, paths, connections, seconds, pace } = order;
  const timesMs: number[] = [];
  let bytes = 0;
  let next = 0;
  const startedAt = performance.now();
  const endsAt = startedAt + 1000 * seconds;
  /** When the next request is due, in ms. */
  const dueAt = (): number =>
    pace === undefined ? performance.now() : startedAt + (1000 * next) / pace;
  const work = async (): Promise<void> => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    const client = new Client(socket);
    for (let askedAt = dueAt(); askedAt < endsAt; askedAt = dueAt()) {
      next += 1;
      const path = paths[next % paths.length] ?? '/';
      if (askedAt > performance.now()) await delay(askedAt - performance.now());
      const length = await client.get(path);
      bytes += length;
      timesMs.push(performance.now() - askedAt);
    }
    client.close();
  };
  await Promise.all(Array.from({ length: connections }, work));
  const passedMs = performance.now() - startedAt;
  return {
    requests: timesMs.length,
    perSecond: Math.round((1000 * timesMs.length) / passedMs),
    p99Ms: quantile(timesMs, 0.99),
    bytesEach: Math.round(bytes / timesMs.length),
  };
}

process.once('message', (order: LoadOrder) => {
  void run(order).then((report) => process.send?.(report, () => process.disconnect()));
});

// The clients of the rows `read-…`, in a process of their own: each asks again as soon as it has its answer.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { quantile } from './figures.ts';

export interface LoadOrder {
  readonly port: number;
  readonly paths: readonly string[];
  readonly connections: number;
  readonly seconds: number;
}

export interface LoadReport {
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly bytesEach: number;
}

const HEAD_END = '\r\n\r\n';

/** A bare socket, because a client of node's own costs more than the server that is to be measured. */
class Client {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #onData: () => void = () => undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      this.#onData();
    });
    socket.on('error', (error) => {
      throw error;
    });
  }

  /** @returns the bytes of the answer. @throws Error unless it is a 200 with a length */
  async get(path: string): Promise<number> {
    this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: bench\r\n\r\n`);
    for (let length = this.#takeAnswer(); ; length = this.#takeAnswer()) {
      if (length !== undefined) return length;
      await new Promise<void>((resolve) => {
        this.#onData = resolve;
      });
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #takeAnswer(): number | undefined {
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd === -1) return undefined;
    const head = this.#received.toString('latin1', 0, headEnd);
    const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1]);
    if (!head.startsWith('HTTP/1.1 200') || Number.isNaN(length)) throw new Error(head);
    const end = headEnd + HEAD_END.length + length;
    if (this.#received.length < end) return undefined;
    this.#received = this.#received.subarray(end);
    return length;
  }
}

async function run({ port, paths, connections, seconds }: LoadOrder): Promise<LoadReport> {
  const timesMs: number[] = [];
  let bytes = 0;
  let next = 0;
  const startedAt = performance.now();
  const endsAt = startedAt + 1000 * seconds;
  const work = async (): Promise<void> => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    const client = new Client(socket);
    while (performance.now() < endsAt) {
      const askedAt = performance.now();
      next = (next + 1) % paths.length;
      const length = await client.get(paths[next] ?? '/');
      bytes += length;
      timesMs.push(performance.now() - askedAt);
    }
    client.close();
  };
  await Promise.all(Array.from({ length: connections }, work));
  const passedMs = performance.now() - startedAt;
  return {
    perSecond: Math.round((1000 * timesMs.length) / passedMs),
    p99Ms: quantile(timesMs, 0.99),
    bytesEach: Math.round(bytes / timesMs.length),
  };
}

process.once('message', (order: LoadOrder) => {
  void run(order).then((report) => process.send?.(report, () => process.disconnect()));
});

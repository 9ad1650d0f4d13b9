// A TCP proxy on loopback that cuts a connection in the middle, as a network does.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { beforeRemoval } from './temp-dir.ts';

/** Which way, and after how many bytes of that way, the next connection is cut. */
interface Cut {
  readonly way: 'up' | 'down';
  readonly afterBytes: number;
}

export interface CuttingProxy {
  readonly port: number;
  /** Bytes of the newest connection: to the server, and back. */
  readonly passed: { up: number; down: number };
  /** The next connection is cut, and only that one. */
  cutNext(cut: Cut): void;
  readonly cuts: number;
}

export async function startCuttingProxy(toPort: number): Promise<CuttingProxy> {
  const proxy = {
    port: 0,
    passed: { up: 0, down: 0 },
    cuts: 0,
    cutNext: (cut: Cut) => void (next = cut),
  };
  const sockets = new Set<Socket>();
  let next: Cut | undefined;
  const server = createServer((client) => {
    const upstream = connect(toPort, '127.0.0.1');
    const passed = (proxy.passed = { up: 0, down: 0 });
    const cut = next;
    next = undefined;
    const pass = (way: Cut['way'], from: Socket, to: Socket): void => {
      sockets.add(from);
      from.on('error', () => to.destroy());
      from.once('close', () => to.destroy());
      from.on('data', (chunk: Buffer) => {
        passed[way] += chunk.length;
        const over = cut?.way === way ? passed[way] - cut.afterBytes : 0;
        to.write(over > 0 ? chunk.subarray(0, Math.max(0, chunk.length - over)) : chunk);
        if (over <= 0) return;
        proxy.cuts += 1;
        client.destroy();
        upstream.destroy();
      });
    };
    pass('up', client, upstream);
    pass('down', upstream, client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy.port = (server.address() as AddressInfo).port;
  beforeRemoval(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return proxy;
}

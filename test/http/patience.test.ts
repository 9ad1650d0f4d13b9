// Clients that try a server's patience: those who ask all the time, who never read, and who only hold a connection.
import { execFileSync } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { encodeRecord } from '../../src/chain/record.ts';
import {
  CLIENT_LIMITS,
  startHttp,
  type ClientLimits,
  type HttpServer,
} from '../../src/http/server.ts';
import type { AssetId, OwnerId, TransactionId } from '../../src/shared/ids.ts';
import { FakeNode } from '../support/fake-node.ts';

const POLL_MS = 10;
const IDLE_CONNECTIONS = 10_000;
/** For all else that the test process has open. */
const SPARE_FILES = 500;
const openFiles = Number(execFileSync('/bin/sh', ['-c', 'ulimit -n']).toString()) || Infinity;

let fake: FakeNode;
let server: HttpServer;
let sockets: Socket[];

beforeEach(() => {
  fake = new FakeNode();
  sockets = [];
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await server.close();
});

const start = async (limits: Partial<ClientLimits> = {}): Promise<void> => {
  const { node, app, introspection, logger } = fake;
  server = await startHttp(
    { node, app, introspection, logger, host: '127.0.0.1', port: 0 },
    { ...CLIENT_LIMITS, ...limits },
  );
};

/** Opens a connection that reads only if it is told to. */
const open = (): Socket => {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(server.url).port) });
  socket.pause();
  // A connection that is cut off may end in an error; that it ends is what counts.
  socket.on('error', () => undefined);
  sockets.push(socket);
  return socket;
};

/** Asks on a connection of its own: one that is kept may just be about to be closed as idle. */
const isHealthy = async (): Promise<boolean> =>
  (await fetch(`${server.url}/api/health`, { headers: { connection: 'close' } })).ok;

/** Puts a holding on the chain whose answer is far larger than what a connection buffers. */
function fillHolding(assets: number): void {
  for (let n = 0; n < assets; n += 1) {
    const record = {
      successorHash: 'a'.repeat(128),
      transactionId: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as TransactionId,
      transactionTime: n,
      assetId: `asset-${n}` as AssetId,
      ownerId: 'collector' as OwnerId,
      metadata: { note: 'x'.repeat(8_000) },
    };
    fake.commit(record, encodeRecord(record));
  }
}

describe('a client that polls', () => {
  test('the status of 500 transactions every 10 ms is never held back', async () => {
    await start();
    fake.hold();
    const ids = await Promise.all(
      Array.from({ length: 500 }, async (_, n) => {
        const body = JSON.stringify({ owner_id: 'o', asset_id: `asset-${n}` });
        const reply = await fetch(`${server.url}/api/transaction/create`, { method: 'POST', body });
        return ((await reply.json()) as { transaction: { transaction_id: string } }).transaction
          .transaction_id;
      }),
    );
    let polls = 0;
    const committed = Promise.all(
      ids.map(async (id) => {
        for (;;) {
          const reply = await fetch(`${server.url}/api/transaction/status/${id}`);
          expect(reply.status).toBe(200);
          polls += 1;
          if (((await reply.json()) as { committed: boolean }).committed) return;
          await delay(POLL_MS);
        }
      }),
    );
    while (polls < 2 * ids.length) await delay(POLL_MS);
    fake.release();
    await committed;
  });
});

describe('a client that never reads', () => {
  const ask = `GET /api/query/spot/owner/collector HTTP/1.1\r\nHost: x\r\n\r\n`;

  test('its answer is cut off, and others are answered meanwhile', async () => {
    fillHolding(2_000);
    await start({ timeoutMs: 2_000 });
    const silent = Array.from({ length: 10 }, open);
    const cutOff = Promise.all(
      silent.map((socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()))),
    );
    for (const socket of silent) socket.write(ask);
    expect(await isHealthy()).toBe(true);
    // Only a reader is told of the end; by then the server has given up on it.
    await delay(4_000);
    for (const socket of silent) socket.resume();
    await cutOff;
    for (const socket of silent) expect(socket.bytesRead).toBeLessThan(2_000 * 8_000);
    expect(await isHealthy()).toBe(true);
  });

  test('and goes on asking is cut off before its answers fill the memory', async () => {
    fillHolding(50);
    await start();
    const socket = open();
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.write(ask.repeat(1_000));
    socket.resume();
    await closed;
    const answers = CLIENT_LIMITS.requestsAhead + 1;
    expect(socket.bytesRead).toBeLessThan(answers * 50 * 9_000);
    expect(await isHealthy()).toBe(true);
  });

  test('may send a few requests ahead', async () => {
    await start();
    const socket = open();
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    const health = 'GET /api/health HTTP/1.1\r\nHost: x\r\n';
    const ahead = CLIENT_LIMITS.requestsAhead - 1;
    socket.write(`${`${health}\r\n`.repeat(ahead)}${health}Connection: close\r\n\r\n`);
    socket.resume();
    await closed;
    expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(CLIENT_LIMITS.requestsAhead);
  });
});

describe('connections that idle', () => {
  test('make room for a new one, the one that has idled longest first', async () => {
    await start({ connections: 3 });
    const [first, second, third] = [open(), open(), open()];
    for (const socket of [first, second, third]) {
      await new Promise((resolve) => socket.once('connect', resolve));
    }
    // Having just been answered, the first one has idled least.
    first.write('GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n');
    first.resume();
    await new Promise((resolve) => first.once('data', resolve));
    const closed = new Promise<void>((resolve) => second.once('close', () => resolve()));
    second.resume();
    expect(await isHealthy()).toBe(true);
    await closed;
    expect([first.destroyed, third.destroyed]).toEqual([false, false]);
  });
});

// The server lets go of all but its limit, and a client's end that was let go of is closed as well.
const needed = 3 * CLIENT_LIMITS.connections + SPARE_FILES;
const isAllowed = openFiles >= needed;
const describeCrowd = isAllowed ? describe : describe.skip;

describeCrowd(
  `ten thousand idle connections${isAllowed ? '' : ` (skipped: needs ulimit -n ${needed})`}`,
  () => {
    test('keep nobody out, and most of them are let go', async () => {
      await start();
      let answered = 0;
      for (let opened = 0; opened < IDLE_CONNECTIONS; opened += 250) {
        const crowd = Array.from({ length: 250 }, open);
        for (const socket of crowd) socket.resume();
        await Promise.all(
          crowd.map(
            (socket) =>
              new Promise<void>((resolve) => {
                socket.once('connect', () => resolve());
                socket.once('close', () => resolve());
              }),
          ),
        );
        if (await isHealthy()) answered += 1;
      }
      expect(answered).toBe(IDLE_CONNECTIONS / 250);
      const held = (): number => sockets.filter(({ destroyed }) => !destroyed).length;
      // The ends of the last ones come a little later.
      while (held() > CLIENT_LIMITS.connections) await delay(POLL_MS);
    });
  },
);

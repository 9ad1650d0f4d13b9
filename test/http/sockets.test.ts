// The HTTP API on real sockets: what no injected request shows.
import { connect } from 'node:net';
import { request as httpRequest } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { CLIENT_LIMITS, startHttp, type HttpServer } from '../../src/http/server.ts';
import { FakeNode } from '../support/fake-node.ts';

let fake: FakeNode;
let server: HttpServer;

beforeEach(async () => {
  fake = new FakeNode();
  server = await startHttp({ ...parts(fake), host: '127.0.0.1', port: 0 });
});

afterEach(async () => {
  await server.close();
});

const parts = ({ node, app, introspection, logger }: FakeNode) => ({
  node,
  app,
  introspection,
  logger,
});
const create = (): string => `${server.url}/api/transaction/create`;
const portOf = (url: string): number => Number(new URL(url).port);

/** Writes bytes on a bare socket and returns all that comes back until the other side ends. */
async function talk(...chunks: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port: portOf(server.url) });
  const answer: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => answer.push(chunk));
  const ended = new Promise<void>((resolve, reject) => {
    socket.on('close', () => resolve());
    socket.on('error', reject);
  });
  for (const chunk of chunks) socket.write(chunk);
  await ended;
  return Buffer.concat(answer).toString('utf8');
}

describe('the HTTP server', () => {
  test('says where it listens', async () => {
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await (await fetch(`${server.url}/api/health`)).json()).toEqual({ message: 'ok' });
  });

  test('listens once at localhost, so that its limits count every connection', async () => {
    const limits = { ...CLIENT_LIMITS, connections: 1 };
    const local = await startHttp({ ...parts(fake), host: 'localhost', port: 0 }, limits);
    try {
      const port = portOf(local.url);
      const loopbacks = ['127.0.0.1', '::1'].map((host) => connect({ host, port }));
      const taken = await Promise.all(
        loopbacks.map(async (socket) => {
          const isOpen = await new Promise((resolve) => {
            socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
          });
          socket.destroy();
          return isOpen;
        }),
      );
      expect(taken.filter(Boolean)).toHaveLength(1);
    } finally {
      await local.close();
    }
  });

  test('says in words that its address is taken', async () => {
    const port = portOf(server.url);
    await expect(startHttp({ ...parts(fake), host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'HTTP_ADDRESS_UNUSABLE',
    });
  });

  test('lets a client that sends 20 MiB read its 413', async () => {
    const body = Buffer.alloc(20 * 1024 * 1024, 0x20);
    for (let round = 0; round < 3; round += 1) {
      const reply = await fetch(create(), { method: 'POST', body });
      expect([reply.status, await reply.json()]).toEqual([
        413,
        { error: expect.stringMatching(/./), code: 'BODY_TOO_LARGE' },
      ]);
    }
    expect((await fake.status()).pending).toBe(0);
  });

  test('answers 413 to a body in chunks that says no length', async () => {
    const answer = new Promise<number | undefined>((resolve, reject) => {
      const request = httpRequest(create(), { method: 'POST' }, (reply) => {
        reply.resume();
        resolve(reply.statusCode);
      });
      request.on('error', reject);
      for (let n = 0; n < 64; n += 1) request.write(Buffer.alloc(64 * 1024, 0x20));
      request.end();
    });
    expect(await answer).toBe(413);
  });

  test('answers 413 at once to a body that says it is gigantic', async () => {
    const answer = await talk(
      'POST /api/transaction/create HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999999\r\n\r\n{',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toMatch(/\r\nconnection: close\r\n/i);
  });

  test('writes nothing when a body breaks off', async () => {
    const body = '{"owner_id":"o","asset_id":"a"}';
    const socket = connect({ host: '127.0.0.1', port: portOf(server.url) });
    socket.write(
      `POST /api/transaction/create HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length + 1}\r\n\r\n${body}`,
    );
    socket.end();
    await new Promise((resolve) => socket.on('close', resolve).resume());
    expect(await (await fetch(`${server.url}/api/node`)).json()).toMatchObject({
      transactions: 0,
      pending: 0,
    });
    expect(fake.logged).toEqual([]);
  });

  test.each([
    ['what is not HTTP', 'hello\r\n\r\n', 400],
    ['a raw NUL in the path', 'GET /api/\0 HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    [
      'two lengths',
      'POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
    ],
    [
      'length and chunks at once',
      'POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
    ],
    ['headers without end', `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['an id without end', `GET /api/query/spot/asset/${'a'.repeat(20_000)} HTTP/1.1\r\n\r\n`, 431],
  ])('refuses %s in its own words', async (_, bytes, status) => {
    const answer = await talk(bytes);
    expect(answer.slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toEqual({
      error: expect.stringMatching(/./),
      code: 'INPUT_INVALID',
    });
  });

  test('answers requests on one connection in their order', async () => {
    const answer = await talk(
      'GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET /api/query/spot/owner/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    );
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual([
      'HTTP/1.1 200',
      'HTTP/1.1 404',
      'HTTP/1.1 200',
    ]);
  });

  test('is gone once it is closed, though connections were kept alive', async () => {
    await (await fetch(`${server.url}/api/health`)).text();
    const url = server.url;
    await server.close();
    await expect(fetch(`${url}/api/health`)).rejects.toThrow();
  });

  test('answers what is under way before it closes', async () => {
    const body = '{"owner_id":"o","asset_id":"a"}';
    const talking = talk(
      `POST /api/transaction/create HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    while ((await fake.status()).pending + (await fake.status()).transactions === 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await server.close();
    expect(await talking).toMatch(/^HTTP\/1\.1 200 /);
  });
});

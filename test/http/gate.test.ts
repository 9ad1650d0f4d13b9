// Who may create over HTTP: by where the server listens, by token, and never a page from elsewhere.
import { request } from 'node:http';
import { networkInterfaces } from 'node:os';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ApiTokens, makeApiToken } from '../../src/http/api-tokens.ts';
import { startHttp, type HttpServer } from '../../src/http/server.ts';
import { FakeNode } from '../support/fake-node.ts';

let fake: FakeNode;
let server: HttpServer | undefined;
let token: string;
let tokens: ApiTokens | undefined;
let warned: string[];

beforeEach(async () => {
  fake = new FakeNode();
  warned = [];
  const made = await makeApiToken('ci');
  token = made.token;
  tokens = new ApiTokens([made.kept]);
});

afterEach(async () => {
  await server?.close();
  server = undefined;
});

const listen = async (host: string, { withTokens }: { withTokens: boolean }): Promise<void> => {
  const { node, app, introspection } = fake;
  const logger = {
    ...fake.logger,
    warn: (_: object, message: string) => void warned.push(message),
  };
  const apiTokens = { current: () => (withTokens ? tokens : undefined) };
  server = await startHttp({ node, app, introspection, logger, apiTokens, host, port: 0 });
};

interface Answer {
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly headers: NodeJS.Dict<string | string[]>;
}

let count = 0;

/** Sends any header, also those that fetch keeps for itself. */
async function send(
  headers: Readonly<Record<string, string>>,
  { method = 'POST', path = '/api/transaction/create', host = '127.0.0.1' } = {},
): Promise<Answer> {
  count += 1;
  const { port } = new URL(server!.url);
  const body = JSON.stringify({ owner_id: 'o', asset_id: `asset-${count}` });
  return await new Promise((resolve, reject) => {
    const sent = request({ host, port, method, path, headers }, (reply) => {
      let text = '';
      reply.on('data', (chunk: Buffer) => (text += chunk.toString()));
      reply.on('end', () => {
        const code = text.startsWith('{')
          ? (JSON.parse(text) as { code?: string }).code
          : undefined;
        resolve({ status: reply.statusCode, code, headers: reply.headers });
      });
    });
    sent.on('error', reject);
    sent.end(method === 'POST' ? body : undefined);
  });
}

const accepted = (): number => fake.chain.all.length;
const isIPv6Here = Object.values(networkInterfaces())
  .flat()
  .some((one) => one?.address === '::1');

describe('a server that the network can reach', () => {
  const hosts = ['0.0.0.0', ...(isIPv6Here ? ['::'] : [])];

  test.each(hosts)(
    'on %s lets nobody create before a token was made, not even this machine',
    async (host) => {
      await listen(host, { withTokens: false });
      for (const headers of [{}, { authorization: `Bearer ${token}` }]) {
        expect(await send(headers)).toMatchObject({ status: 403, code: 'API_TOKEN_UNSET' });
      }
      expect(await send({}, { method: 'GET', path: '/api/node' })).toMatchObject({ status: 200 });
      expect(accepted()).toBe(0);
    },
  );

  test('says at its start that a token is missing', async () => {
    await listen('0.0.0.0', { withTokens: false });
    expect(warned).toEqual([expect.stringContaining('it needs a token')]);
  });

  test.each(hosts)('on %s lets in whoever has a token, and nobody else', async (host) => {
    await listen(host, { withTokens: true });
    const wrong = `${token.slice(0, -4)}AAAA`;
    for (const authorization of [
      '',
      'Bearer',
      'Bearer ',
      `Bearer ${wrong}`,
      `Basic ${token}`,
      token,
    ]) {
      const answer = await send({ authorization });
      expect(answer).toMatchObject({ status: 401, code: 'API_TOKEN_REQUIRED' });
      expect(answer.headers['www-authenticate']).toBe('Bearer');
    }
    expect(await send({})).toMatchObject({ status: 401, code: 'API_TOKEN_REQUIRED' });
    expect(accepted()).toBe(0);
    for (const scheme of ['Bearer', 'bearer']) {
      expect(await send({ authorization: `${scheme} ${token}` })).toMatchObject({ status: 200 });
    }
    expect(accepted()).toBe(2);
  });
});

describe('a server on loopback', () => {
  const hosts = [
    '127.0.0.1',
    '127.0.0.2',
    'localhost',
    ...(isIPv6Here ? ['::1', '::ffff:127.0.0.1'] : []),
  ];

  test.each(hosts)('on %s lets programs of this machine create without a token', async (host) => {
    await listen(host, { withTokens: false });
    const target = host === '::ffff:127.0.0.1' ? '127.0.0.1' : host;
    expect(await send({}, { host: target })).toMatchObject({ status: 200 });
    expect(warned).toEqual([]);
  });

  test('asks for a token as well, once there is one', async () => {
    await listen('127.0.0.1', { withTokens: true });
    expect(await send({})).toMatchObject({ status: 401, code: 'API_TOKEN_REQUIRED' });
    expect(await send({ authorization: `Bearer ${token}` })).toMatchObject({ status: 200 });
  });

  test.each([
    ['of another site', { origin: 'https://evil.example' }],
    [
      'of another site that calls itself text',
      { origin: 'http://evil.example', 'content-type': 'text/plain' },
    ],
    ['of a sandbox or a file', { origin: 'null' }],
    ['of a name that begins like ours', { origin: 'http://localhost.evil.example' }],
    ['of an address with ours as its user', { origin: 'http://127.0.0.1@evil.example' }],
    [
      'whose name was pointed at this machine',
      { origin: 'http://evil.example:8080', host: 'evil.example:8080' },
    ],
    ['that hides its origin', { 'sec-fetch-site': 'cross-site' }],
  ])('takes nothing from a page %s', async (_, headers) => {
    await listen('127.0.0.1', { withTokens: false });
    expect(await send(headers)).toMatchObject({ status: 403, code: 'REQUEST_NOT_LOCAL' });
    expect(accepted()).toBe(0);
  });

  test.each(['x', 'evil.example', '192.168.1.1', '127.0.0.1.evil.example'])(
    'takes nothing that was sent to the host %j',
    async (host) => {
      await listen('127.0.0.1', { withTokens: false });
      expect(await send({ host })).toMatchObject({ status: 403, code: 'REQUEST_NOT_LOCAL' });
      expect(accepted()).toBe(0);
    },
  );

  test.each([
    ['X-Forwarded-For', '127.0.0.1'],
    ['Forwarded', 'for=127.0.0.1'],
    ['Via', '1.1 proxy'],
    ['X-Real-IP', '::1'],
    ['X-Forwarded-Host', 'localhost'],
  ])('takes nothing that a proxy sent on (%s)', async (name, value) => {
    await listen('127.0.0.1', { withTokens: false });
    expect(await send({ [name]: value })).toMatchObject({ status: 403, code: 'REQUEST_NOT_LOCAL' });
    expect(accepted()).toBe(0);
  });

  test.each(['http://localhost:3000', 'http://127.0.0.1', 'https://[::1]:8443'])(
    'takes what a page of this machine sends (%s)',
    async (origin) => {
      await listen('127.0.0.1', { withTokens: false });
      expect(await send({ origin })).toMatchObject({ status: 200 });
    },
  );

  test('takes a token from a page anywhere: a browser adds none by itself', async () => {
    await listen('127.0.0.1', { withTokens: true });
    const headers = { origin: 'https://tool.example', authorization: `Bearer ${token}` };
    expect(await send(headers)).toMatchObject({ status: 200 });
  });
});

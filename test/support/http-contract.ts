// The contract of the HTTP routes, as rules that any node and app behind them must let it keep.
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { FastifyInstance, LightMyRequestResponse as Reply } from 'fastify';
import type { z } from 'zod';
import type { Route } from '../../src/http/route.ts';
import { buildHttp, listRoutes, type HttpParts } from '../../src/http/server.ts';
import * as schemas from '../../src/http/schemas.ts';

/** A node and an app behind the routes, and the remote's hand that a test may stay. */
export interface HttpStage {
  readonly parts: HttpParts;
  /** From now on what is accepted stays pending, until `release`. */
  hold(): void;
  /** Resolves once nothing is pending. */
  release(): Promise<void>;
  close(): Promise<void>;
}

interface Created {
  readonly successor_passphrase: string;
  readonly successor_hash: string;
  readonly transaction_id: string;
  readonly transaction_time: number;
  readonly asset_id: string;
  readonly owner_id: string;
  readonly metadata: unknown;
}

/** A client of the routes that needs no socket. */
class Api {
  readonly #server: FastifyInstance;
  readonly #routes: readonly Route[];

  constructor(server: FastifyInstance, routes: readonly Route[]) {
    this.#server = server;
    this.#routes = routes;
  }

  /** Sends a request and holds the answer, whatever it is, against what its route promises. */
  async send(method: string, url: string, payload?: string | Buffer, headers = {}): Promise<Reply> {
    const request = { method: method as 'GET', url, headers };
    const reply = await this.#server.inject(
      payload === undefined ? request : { ...request, payload: Buffer.from(payload) },
    );
    const route = this.#routes.find((one) => one.method === method && leadsTo(one, url));
    if (route !== undefined) expectPromised(route, reply.statusCode, reply.json());
    return reply;
  }

  async get(url: string, headers = {}): Promise<Reply> {
    return await this.send('GET', url, undefined, headers);
  }

  async create(body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    return await this.send('POST', '/api/transaction/create', JSON.stringify(body), headers);
  }

  /** Creates what must be accepted. */
  async created(body: unknown, headers: Record<string, string> = {}): Promise<Created> {
    const reply = await this.create(body, headers);
    expect([reply.statusCode, reply.statusCode === 200 ? '' : reply.body]).toEqual([200, '']);
    return reply.json<{ transaction: Created }>().transaction;
  }

  /** The answer of a GET that must succeed, checked against the route's schema. */
  async read(url: string, schema: z.ZodType): Promise<unknown> {
    const reply = await this.get(url);
    expect(reply.statusCode).toBe(200);
    expect(reply.headers['content-type']).toBe('application/json; charset=utf-8');
    return schema.parse(reply.json());
  }
}

function leadsTo({ path }: Route, url: string): boolean {
  const segments = path.split('/').map((one) => (one.startsWith(':') ? '[^/?]+' : one));
  return new RegExp(`^${segments.join('/')}$`).test(url.split('?')[0]!);
}

/** An answer has the shape, and a refusal a code, that the route's description names. */
function expectPromised(route: Route, status: number, body: unknown): void {
  // A strict shape would refuse what it does not know; here that which it strips shows the difference.
  if (status === 200) expect(route.answer.parse(body)).toEqual(body);
  else if (status < 500) expect(route.errors).toContain(schemas.RefusalAnswer.parse(body).code);
  else schemas.FaultAnswer.parse(body);
}

/** What every refusal looks like. */
export function expectRefusal(reply: Reply, status: number, code: string): void {
  expect([reply.statusCode, reply.json()]).toEqual([
    status,
    { error: expect.stringMatching(/./), code },
  ]);
  expect(reply.headers['content-type']).toBe('application/json; charset=utf-8');
}

/**
 * Runs the contract over a stage.
 * @param scope `chain` leaves out what the routes decide alone, for a stage that is too slow to be opened for each form.
 */
export function describeHttpContract(
  name: string,
  open: () => Promise<HttpStage>,
  scope: 'all' | 'chain' = 'all',
): void {
  const describeForms = (title: string, rules: () => void): void => {
    if (scope === 'all') describe(title, rules);
  };

  describe(name, () => {
    let stage: HttpStage;
    let server: FastifyInstance;
    let api: Api;

    beforeEach(async () => {
      stage = await open();
      server = buildHttp(stage.parts);
      api = new Api(server, listRoutes(stage.parts));
    });

    afterEach(async () => {
      await stage.release();
      await server.close();
      await stage.close();
    });

    /** Mints and waits until it is committed. */
    const minted = async (body: object): Promise<Created> => {
      const made = await api.created({ owner_id: 'owner', asset_id: 'asset', ...body });
      await stage.release();
      return made;
    };

    const expectNothingWritten = async (): Promise<void> => {
      await stage.release();
      expect(await api.read('/api/node', schemas.NodeAnswer)).toMatchObject({
        assets: 0,
        transactions: 0,
        pending: 0,
      });
    };

    describe('the node’s own routes', () => {
      test('say that it answers', async () => {
        expect((await api.get('/api/health')).body).toBe('{"message":"ok"}');
      });

      test('say what it is and how much it knows', async () => {
        await minted({});
        const status = await api.read('/api/node', schemas.NodeAnswer);
        expect(status).toEqual({
          role: 'validator',
          role_events: [
            { role: 'validator', reason: expect.any(String), time: expect.any(Number) },
          ],
          beacon: (await stage.parts.node.status()).beacon,
          epoch_branch: 'main',
          bot_owner_id: stage.parts.app.botOwnerId,
          assets: 1,
          transactions: 1,
          pending: 0,
          last_sync_time: (status as { last_sync_time: unknown }).last_sync_time,
          writing: 'open',
          rewritten: null,
          faults: [],
        });
      });
    });

    const BODY = { owner_id: 'owner', asset_id: 'asset', passphrase: '', metadata: { a: 1 } };
    const longKey = 'k'.repeat(200);

    describe('create', () => {
      test('answers with the record behind its passphrase, keys in the first program’s order', async () => {
        const reply = await api.create({ ...BODY, metadata: { z: '<', a: [1.0, 1e21] } });
        const { transaction } = schemas.CreateAnswer.parse(reply.json());
        expect(Object.keys(transaction)).toEqual([
          'successor_passphrase',
          'successor_hash',
          'transaction_id',
          'transaction_time',
          'asset_id',
          'owner_id',
          'metadata',
        ]);
        expect(reply.body).toContain('"metadata":{"a":[1,1e+21],"z":"\\u003c"}');
        const hash = createHash('sha512').update(transaction.successor_passphrase).digest('hex');
        expect(transaction.successor_hash).toBe(hash);
      });

      test('answers before the push, with the very bytes that the chain then has', async () => {
        stage.hold();
        const reply = await api.create(BODY);
        const { transaction_id: id } = reply.json<{ transaction: Created }>().transaction;
        expect((await api.get(`/api/transaction/status/${id}`)).body).toBe(
          '{"committed":false,"rejected":false}',
        );
        expect((await api.get(`/api/transaction/detail/${id}`)).body).toBe('{"transaction":null}');
        expect((await api.get('/api/query/spot/asset/asset')).body).toBe('{"transaction":null}');
        await stage.release();
        expect((await api.get(`/api/transaction/status/${id}`)).body).toBe(
          '{"committed":true,"rejected":false}',
        );
        const bare = reply.body.replace(/"successor_passphrase":"[^"]*",/, '');
        expect((await api.get(`/api/transaction/detail/${id}`)).body).toBe(bare);
        expect((await api.get('/api/query/spot/asset/asset')).body).toBe(bare);
      });

      test('hands over to who presents the passphrase, and to nobody else', async () => {
        const first = await minted({});
        for (const passphrase of ['wrong', undefined, null, '', first.successor_hash]) {
          const reply = await api.create({ ...BODY, passphrase });
          expectRefusal(reply, 403, 'PASSPHRASE_MISMATCH');
          expect(reply.json<{ error: string }>().error).toMatch(
            /^The submitted passphrase was incorrect\./,
          );
        }
        const second = await minted({ owner_id: 'b', passphrase: first.successor_passphrase });
        expectRefusal(
          await api.create({ ...BODY, passphrase: first.successor_passphrase }),
          403,
          'PASSPHRASE_MISMATCH',
        );
        expect(second.owner_id).toBe('b');
      });

      test('ignores the passphrase of a new asset and fields that it does not know', async () => {
        const made = await minted({ passphrase: 'anything', colour: 'red', __proto__: { x: 1 } });
        expect(Object.keys(made)).toHaveLength(7);
      });

      test('keeps one transaction pending for an asset', async () => {
        stage.hold();
        await api.created(BODY);
        const reply = await api.create(BODY);
        expectRefusal(reply, 409, 'ASSET_BUSY');
        expect(reply.json<{ error: string }>().error).toMatch(
          /^The asset ID asset is pending a transaction\./,
        );
      });

      test('reads JSON whatever the Content-Type says', async () => {
        const types = [undefined, 'text/plain', 'application/xml', 'garbage', ';;', ''];
        for (const [n, type] of types.entries()) {
          const headers: Record<string, string> =
            type === undefined ? {} : { 'content-type': type };
          await api.created({ ...BODY, asset_id: `asset-${n}` }, headers);
        }
      });

      test('takes a missing metadata for null, as the first program did', async () => {
        expect((await minted({})).metadata).toBeNull();
        const second = await api.created({ ...BODY, asset_id: 'other', metadata: null });
        expect(second.metadata).toBeNull();
      });

      test('takes the caller’s own transaction id, once', async () => {
        const id = '00000000-0000-4000-8000-000000000001';
        expect((await minted({ transaction_id: id })).transaction_id).toBe(id);
        const again = await api.create({ ...BODY, asset_id: 'other', transaction_id: id });
        expectRefusal(again, 409, 'TRANSACTION_ID_TAKEN');
      });

      test.each(['a', 'order 7/#"é'.replace('é', '~'), longKey])(
        'answers the key %s the second time as the first time',
        async (key) => {
          const headers = { 'idempotency-key': key };
          const body = { ...BODY, metadata: { b: 1, a: { d: 1, c: 2 } } };
          const first = await api.create(body, headers);
          expect(first.statusCode).toBe(200);
          expect((await api.create(body, headers)).body).toBe(first.body);
          await stage.release();
          expect((await api.create(body, headers)).body).toBe(first.body);
          expectRefusal(await api.create({ ...body, owner_id: 'x' }, headers), 409, 'KEY_REUSED');
        },
      );
    });

    describeForms('create', () => {
      test.each(['', `${longKey}k`, 'é', 'tab\tbed'])('refuses the key %j', async (key) => {
        expectRefusal(await api.create(BODY, { 'idempotency-key': key }), 400, 'INPUT_INVALID');
        await expectNothingWritten();
      });

      const deep = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
      test.each<[string, string, string]>([
        ['nothing', '', 'INPUT_INVALID'],
        ['a brace', '{', 'INPUT_INVALID'],
        ['no JSON', '{bad', 'INPUT_INVALID'],
        ['two values', '{"owner_id":"o","asset_id":"a"} {}', 'INPUT_INVALID'],
        ['null', 'null', 'INPUT_INVALID'],
        ['a list', '[]', 'INPUT_INVALID'],
        ['a text', '"owner_id"', 'INPUT_INVALID'],
        ['a number', '7', 'INPUT_INVALID'],
        ['brackets without end', '['.repeat(60_000), 'INPUT_INVALID'],
        ['a byte order mark', '\ufeff{"owner_id":"o","asset_id":"a"}', 'INPUT_INVALID'],
        ['no fields', '{}', 'ASSET_ID_INVALID'],
        [
          'fields of the prototype',
          '{"__proto__":{"owner_id":"o","asset_id":"a"}}',
          'ASSET_ID_INVALID',
        ],
        ['no owner', '{"asset_id":"a"}', 'OWNER_ID_INVALID'],
        ['an empty owner', '{"asset_id":"a","owner_id":""}', 'OWNER_ID_INVALID'],
        ['a number as owner', '{"asset_id":"a","owner_id":5}', 'OWNER_ID_INVALID'],
        [
          'an owner that is no text',
          String.raw`{"asset_id":"a","owner_id":"\ud800"}`,
          'OWNER_ID_INVALID',
        ],
        [
          'an endless owner',
          JSON.stringify({ asset_id: 'a', owner_id: 'o'.repeat(600) }),
          'OWNER_ID_INVALID',
        ],
        ['no asset', '{"owner_id":"o"}', 'ASSET_ID_INVALID'],
        ['an empty asset', '{"owner_id":"o","asset_id":""}', 'ASSET_ID_INVALID'],
        ['an object as asset', '{"owner_id":"o","asset_id":{"toString":1}}', 'ASSET_ID_INVALID'],
        ['a slash', '{"owner_id":"o","asset_id":"a/b"}', 'ASSET_ID_INVALID'],
        ['two dots', '{"owner_id":"o","asset_id":"a..b"}', 'ASSET_ID_INVALID'],
        ['a NUL', String.raw`{"owner_id":"o","asset_id":"a\u0000b"}`, 'ASSET_ID_INVALID'],
        [
          'an endless asset',
          JSON.stringify({ owner_id: 'o', asset_id: 'a'.repeat(300) }),
          'ASSET_ID_INVALID',
        ],
        ['a reserved asset', '{"owner_id":"o","asset_id":"well-known"}', 'ASSET_ID_INVALID'],
        [
          'two assets, the last one bad',
          '{"owner_id":"o","asset_id":"a","asset_id":"/"}',
          'ASSET_ID_INVALID',
        ],
        ['a key in another case', '{"owner_id":"o","asset_id":"a","Metadata":{}}', 'INPUT_INVALID'],
        [
          'metadata that is a list',
          '{"owner_id":"o","asset_id":"a","metadata":[1]}',
          'METADATA_INVALID',
        ],
        [
          'metadata that is a text',
          '{"owner_id":"o","asset_id":"a","metadata":"m"}',
          'METADATA_INVALID',
        ],
        [
          'a number that no float holds',
          '{"owner_id":"o","asset_id":"a","metadata":{"x":1e400}}',
          'METADATA_INVALID',
        ],
        [
          'deep metadata',
          `{"owner_id":"o","asset_id":"a","metadata":{"x":${deep(17)}}}`,
          'METADATA_INVALID',
        ],
        [
          'bottomless metadata',
          `{"owner_id":"o","asset_id":"a","metadata":{"x":${deep(30_000)}}}`,
          'METADATA_INVALID',
        ],
        [
          'large metadata',
          `{"owner_id":"o","asset_id":"a","metadata":{"x":"${'x'.repeat(17_000)}"}}`,
          'METADATA_INVALID',
        ],
        [
          'metadata that grows when escaped',
          `{"owner_id":"o","asset_id":"a","metadata":{"x":"${'<'.repeat(3_000)}"}}`,
          'METADATA_INVALID',
        ],
        [
          'a number as passphrase',
          '{"owner_id":"o","asset_id":"a","passphrase":5}',
          'INPUT_INVALID',
        ],
        [
          'an endless passphrase',
          `{"owner_id":"o","asset_id":"a","passphrase":"${'p'.repeat(2_000)}"}`,
          'INPUT_INVALID',
        ],
        [
          'a transaction id that is no UUID',
          '{"owner_id":"o","asset_id":"a","transaction_id":"v1.0"}',
          'TRANSACTION_ID_INVALID',
        ],
        [
          'a transaction id in capitals',
          '{"owner_id":"o","asset_id":"a","transaction_id":"AAAAAAAA-0000-4000-8000-000000000000"}',
          'TRANSACTION_ID_INVALID',
        ],
      ])('refuses %s with 400 and writes nothing', async (_, body, code) => {
        expectRefusal(await api.send('POST', '/api/transaction/create', body), 400, code);
        await expectNothingWritten();
      });

      test('refuses bytes that are not UTF-8 and writes nothing', async () => {
        const body = Buffer.from('{"owner_id":"caf\u00e9","asset_id":"a"}', 'latin1');
        expectRefusal(
          await api.send('POST', '/api/transaction/create', body),
          400,
          'INPUT_INVALID',
        );
        await expectNothingWritten();
      });

      test.each([64 * 1024 + 1, 20 * 1024 * 1024])(
        'refuses a body of %d bytes with 413 and writes nothing',
        async (size) => {
          const head = '{"owner_id":"o","asset_id":"a","x":"';
          const body = `${head}${'x'.repeat(size - head.length - 2)}"}`;
          expectRefusal(
            await api.send('POST', '/api/transaction/create', body),
            413,
            'BODY_TOO_LARGE',
          );
          await expectNothingWritten();
        },
      );

      test('takes a body of exactly the limit', async () => {
        const head = '{"owner_id":"o","asset_id":"a","x":"';
        const body = `${head}${'x'.repeat(64 * 1024 - head.length - 2)}"}`;
        expect((await api.send('POST', '/api/transaction/create', body)).statusCode).toBe(200);
      });

      test('takes the last of two equal keys', async () => {
        const body = '{"owner_id":"a","owner_id":"b","asset_id":"x","metadata":{"k":1,"k":2}}';
        const reply = await api.send('POST', '/api/transaction/create', body);
        expect(reply.json()).toMatchObject({
          transaction: { owner_id: 'b', metadata: { k: 2 } },
        });
      });

      test('carries keys that are names of the prototype like any other', async () => {
        const body =
          '{"owner_id":"o","asset_id":"__proto__","metadata":{"__proto__":{"a":1},"constructor":2,"10":3,"9":4}}';
        const reply = await api.send('POST', '/api/transaction/create', body);
        await stage.release();
        const spot = await api.get('/api/query/spot/asset/__proto__');
        for (const { body: text } of [reply, spot]) {
          expect(text).toContain('"metadata":{"10":3,"9":4,"__proto__":{"a":1},"constructor":2}');
        }
      });
    });

    describe('of requests that race', () => {
      const body = { owner_id: 'o', asset_id: 'raced' };

      test('one gets the new asset and the others are told that it is busy', async () => {
        stage.hold();
        const replies = await Promise.all(Array.from({ length: 20 }, () => api.create(body)));
        const statuses = replies.map(({ statusCode }) => statusCode).sort();
        expect(statuses).toEqual([200, ...Array.from({ length: 19 }, () => 409)]);
      });

      test('all that carry one key get one answer', async () => {
        const headers = { 'idempotency-key': 'same' };
        const replies = await Promise.all(
          Array.from({ length: 20 }, () => api.create(body, headers)),
        );
        expect(new Set(replies.map((reply) => reply.body)).size).toBe(1);
        expect(replies[0]!.statusCode).toBe(200);
      });

      test('one spends the passphrase', async () => {
        const { successor_passphrase: passphrase } = await minted({ asset_id: 'raced' });
        const replies = await Promise.all(
          ['a', 'b', 'c', 'd'].map((owner) => api.create({ ...body, owner_id: owner, passphrase })),
        );
        await stage.release();
        const winner = replies.filter(({ statusCode }) => statusCode === 200);
        expect(winner).toHaveLength(1);
        const history = (await api.read(
          '/api/query/history/asset/raced/9',
          schemas.AssetHistoryAnswer,
        )) as { transactions: Created[] };
        expect(history.transactions[0]!.owner_id).toBe(
          winner[0]!.json<{ transaction: Created }>().transaction.owner_id,
        );
        expect(history.transactions).toHaveLength(2);
      });

      test('many that do not meet are all committed', async () => {
        const made = await Promise.all(
          Array.from({ length: 50 }, (_, n) => api.created({ ...body, asset_id: `many-${n}` })),
        );
        await stage.release();
        for (const { transaction_id: id } of made) {
          expect((await api.get(`/api/transaction/status/${id}`)).json()).toEqual({
            committed: true,
            rejected: false,
          });
        }
      });
    });

    describeForms('the queries', () => {
      const UNKNOWN = [
        'unknown',
        '__proto__',
        'constructor',
        'a'.repeat(9_000),
        '%00',
        '%25zz',
        '%F0%9F%8E%81',
        "'%20OR%201=1--",
        '..',
        '%2E%2E%2F',
      ];
      test.each(UNKNOWN)('know nothing of %.40s and say so with 200', async (id) => {
        const answers: Record<string, unknown> = {
          [`/api/transaction/status/${id}`]: { committed: false, rejected: false },
          [`/api/transaction/detail/${id}`]: { transaction: null },
          [`/api/query/spot/owner/${id}`]: { assets: [] },
          [`/api/query/spot/asset/${id}`]: { transaction: null },
          [`/api/query/history/owner/${id}/5`]: { transactions: [] },
          [`/api/query/history/asset/${id}/5`]: { transactions: null },
        };
        for (const [url, answer] of Object.entries(answers)) {
          // A dotted path is resolved by clients before it is sent, and then it is another path.
          if (id === '..') continue;
          const reply = await api.get(url);
          expect([url, reply.statusCode, reply.json()]).toEqual([url, 200, answer]);
        }
        expect((await api.get('/api/health')).statusCode).toBe(200);
      });
    });

    describe('the queries', () => {
      test('list newest first what an owner has and ever received, and an asset’s way', async () => {
        const first = await minted({ owner_id: 'a', asset_id: 'one' });
        await minted({ owner_id: 'a', asset_id: 'two' });
        const passphrase = first.successor_passphrase;
        await minted({ owner_id: 'b', asset_id: 'one', passphrase });
        await minted({ owner_id: 'a', asset_id: 'three' });
        const list = async (path: string, schema: z.ZodType) => {
          const answer = (await api.read(path, schema)) as Record<string, Created[]>;
          return Object.values(answer)[0]!.map(
            ({ asset_id: assetId, owner_id: ownerId }) => `${assetId}:${ownerId}`,
          );
        };
        expect(await list('/api/query/spot/owner/a', schemas.AssetsAnswer)).toEqual([
          'three:a',
          'two:a',
        ]);
        const ownerHistory = '/api/query/history/owner/a';
        expect(await list(`${ownerHistory}/9`, schemas.TransactionsAnswer)).toEqual([
          'three:a',
          'two:a',
          'one:a',
        ]);
        expect(await list(`${ownerHistory}/2`, schemas.TransactionsAnswer)).toHaveLength(2);
        expect(await list('/api/query/history/asset/one/9', schemas.AssetHistoryAnswer)).toEqual([
          'one:b',
          'one:a',
        ]);
        expect(await list('/api/query/history/asset/one/1', schemas.AssetHistoryAnswer)).toEqual([
          'one:b',
        ]);
      });
    });

    describe('introspection', () => {
      test('lists what is committed: transactions, owners with their assets, assets with their owner', async () => {
        const first = await minted({ owner_id: 'a', asset_id: 'one' });
        const second = await minted({ owner_id: 'a', asset_id: 'two' });
        const passphrase = first.successor_passphrase;
        const third = await minted({ owner_id: 'b', asset_id: 'one', passphrase });
        stage.hold();
        await api.created({ owner_id: 'c', asset_id: 'pending' });
        const read = (list: string, schema: z.ZodType) =>
          api.read(`/api/introspection/${list}`, schema);
        const ids = [first, second, third].map(({ transaction_id: id }) => id).sort();
        expect(await read('transactions', schemas.AllTransactionsAnswer)).toEqual({
          transactions: ids,
        });
        expect(await read('owners', schemas.AllOwnersAnswer)).toEqual({
          owners: { a: ['two'], b: ['one'] },
        });
        expect(await read('assets', schemas.AllAssetsAnswer)).toEqual({
          assets: { one: 'b', two: 'a' },
        });
      });

      test('contains what a status has called committed, from then on', async () => {
        await Promise.all(
          Array.from({ length: 12 }, async (_, n) => {
            const made = await api.created({ owner_id: 'o', asset_id: `seen-${n}` });
            const status = `/api/transaction/status/${made.transaction_id}`;
            while (!(await api.get(status)).json<{ committed: boolean }>().committed) {
              await new Promise((resolve) => setTimeout(resolve, 5));
            }
            const reply = await api.get('/api/introspection/assets');
            expect(reply.json()).toMatchObject({ assets: { [`seen-${n}`]: 'o' } });
          }),
        );
      });
    });

    describeForms('the depth of a history', () => {
      test.each([
        ['1', 1],
        ['+1', 1],
        ['01', 1],
        ['2', 2],
        ['%32', 2],
        ['9223372036854775807', 2],
        [`${'0'.repeat(40)}2`, 2],
        ['0', 0],
        ['-0', 0],
        ['-1', 0],
        ['-9223372036854775808', 0],
      ])('may be %s', async (depth, length) => {
        const { successor_passphrase: passphrase } = await minted({});
        await minted({ passphrase });
        for (const kind of ['owner/owner', 'asset/asset']) {
          const reply = await api.get(`/api/query/history/${kind}/${depth}`);
          expect(reply.json<{ transactions: unknown[] }>().transactions).toHaveLength(length);
        }
      });

      test.each([
        'abc',
        '1.5',
        '0x10',
        '1_000',
        '%201',
        '1e3',
        '9223372036854775808',
        '-9223372036854775809',
        '+',
        '-',
        '--1',
        '%EF%BC%91',
        '9'.repeat(5_000),
        '1%00',
        'NaN',
      ])('may not be %.40s', async (depth) => {
        for (const kind of ['owner/owner', 'asset/asset']) {
          const reply = await api.get(`/api/query/history/${kind}/${depth}`);
          expectRefusal(reply, 400, 'DEPTH_INVALID');
          expect(reply.json<{ error: string }>().error).toMatch(
            /^Failed to parse depth parameter\./,
          );
        }
      });
    });

    describeForms('an id in a path', () => {
      test('is percent-decoded once', async () => {
        await minted({ asset_id: 'a+b=_%41', owner_id: 'o/w%2F' });
        const spot = (id: string) => api.get(`/api/query/spot/asset/${id}`);
        for (const id of ['a+b=_%2541', 'a%2Bb%3D%5F%2541', '%61+b=_%25%34%31']) {
          expect((await spot(id)).json()).toMatchObject({ transaction: { owner_id: 'o/w%2F' } });
        }
        for (const id of ['a+b=_%41', 'a+b=_%252541', 'a%20b=_%2541', 'a+b=_A']) {
          expect((await spot(id)).json()).toEqual({ transaction: null });
        }
        const assetsOf = async (id: string) =>
          (await api.get(`/api/query/spot/owner/${id}`)).json<{ assets: unknown[] }>().assets;
        expect(await assetsOf('o%2Fw%252F')).toHaveLength(1);
        expect(await assetsOf('o%252Fw%252F')).toHaveLength(0);
        expect(await assetsOf('o%2Fw%2F')).toHaveLength(0);
      });

      test('is case sensitive', async () => {
        const { transaction_id: id } = await minted({});
        const upper = id.toUpperCase();
        expect((await api.get(`/api/transaction/detail/${upper}`)).json()).toEqual({
          transaction: null,
        });
      });

      test.each(['%zz', '%', '%2', '%ff', '%C0%AF', '%ED%A0%80'])(
        'that is badly encoded (%s) is refused with 400',
        async (id) => {
          expectRefusal(await api.get(`/api/query/spot/asset/${id}`), 400, 'INPUT_INVALID');
        },
      );
    });

    describeForms('the edges of the interface', () => {
      test.each([
        ['GET', '/api'],
        ['GET', '/api/nothing'],
        ['GET', '/api/query/spot/owner'],
        ['GET', '/api/query/spot/owner/a/b'],
        ['GET', '/api/query/history/asset/a'],
        ['GET', '/API/health'],
        ['GET', '//api/health'],
        ['GET', '/api/transaction/create'],
        ['POST', '/api/health'],
        ['PUT', '/api/transaction/create'],
        ['DELETE', '/api/query/spot/asset/a'],
        ['PATCH', '/api/node'],
        ['OPTIONS', '/api/health'],
      ])('answer %s %s with the first program’s 404', async (method, url) => {
        const reply = await api.send(method, url);
        expect([reply.statusCode, reply.headers['content-type'], reply.body]).toEqual([
          404,
          'text/plain',
          '404 page not found',
        ]);
      });

      test('answer 404 to HEAD', async () => {
        expect((await api.send('HEAD', '/api/health')).statusCode).toBe(404);
      });

      test('serve a path with one trailing slash as the path without it', async () => {
        expect((await api.get('/api/health/')).body).toBe('{"message":"ok"}');
        const made = await api.send(
          'POST',
          '/api/transaction/create/',
          '{"owner_id":"o","asset_id":"a"}',
        );
        expect(made.statusCode).toBe(200);
        expect((await api.get('/api/query/spot/owner/')).statusCode).toBe(404);
      });

      test('ignore a query string', async () => {
        expect((await api.get('/api/health?x=%zz&__proto__=1')).statusCode).toBe(200);
      });

      test.each([
        ['GET', '/api/health'],
        ['GET', '/api/nothing'],
        ['GET', '/api/query/spot/asset/%zz'],
        ['POST', '/api/transaction/create'],
      ])('let any page read %s %s, and cache or render it never', async (method, url) => {
        const { headers } = await api.send(method, url, undefined, { origin: 'https://elsewhere' });
        expect(headers).toMatchObject({
          'access-control-allow-origin': '*',
          'cache-control': 'no-store',
          'x-content-type-options': 'nosniff',
          'referrer-policy': 'no-referrer',
          'cross-origin-resource-policy': 'cross-origin',
          'content-security-policy': expect.stringContaining("default-src 'none'"),
        });
      });

      test.each(['/api/transaction/create', '/api/health', '/anything'])(
        'answer the preflight for %s from a foreign page',
        async (url) => {
          const reply = await api.send('OPTIONS', url, undefined, {
            origin: 'https://elsewhere',
            'access-control-request-method': 'POST',
          });
          expect([reply.statusCode, reply.body]).toEqual([204, '']);
          expect(reply.headers).toMatchObject({
            'access-control-allow-origin': '*',
            'access-control-allow-methods': 'GET,POST,PUT,PATCH,DELETE,HEAD',
            'access-control-allow-headers':
              'Origin,Content-Length,Content-Type,Idempotency-Key,Authorization',
            'access-control-max-age': '43200',
          });
        },
      );

      test('take OPTIONS from the same host for a method that is not there', async () => {
        const headers = { host: 'node:8080', origin: 'http://node:8080' };
        expect((await api.send('OPTIONS', '/api/health', undefined, headers)).statusCode).toBe(404);
      });
    });
  });
}

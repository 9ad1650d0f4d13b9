// The HTTP contract over a node in memory, and what only such a node can be made to do.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { encodeRecord } from '../../src/chain/record.ts';
import { buildHttp } from '../../src/http/server.ts';
import { AppError, type ErrorCode } from '../../src/shared/errors.ts';
import type { CommitId, OwnerId, TransactionId } from '../../src/shared/ids.ts';
import { FakeNode } from '../support/fake-node.ts';
import { describeHttpContract, expectRefusal } from '../support/http-contract.ts';
import { asset } from '../support/open-test-node.ts';

describeHttpContract('the HTTP API over a node in memory', async () => {
  const fake = new FakeNode();
  return await Promise.resolve({
    parts: fake,
    hold: () => fake.hold(),
    release: async () => {
      fake.release();
      await Promise.resolve();
    },
    close: () => Promise.resolve(),
  });
});

describe('the HTTP API', () => {
  let fake: FakeNode;
  let server: FastifyInstance;

  beforeEach(() => {
    fake = new FakeNode();
    server = buildHttp(fake);
  });

  afterEach(async () => {
    await server.close();
  });

  const create = async (body = '{"owner_id":"o","asset_id":"a"}') =>
    await server.inject({ method: 'POST', url: '/api/transaction/create', payload: body });

  const recordOf = (n: number) => ({
    successorHash: 'a'.repeat(128),
    transactionId: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as TransactionId,
    transactionTime: n,
    assetId: asset(`asset-${n}`),
    ownerId: 'collector' as OwnerId,
    metadata: null,
  });

  test('says why a transaction was rejected', async () => {
    fake.hold();
    const { transaction } = (await create()).json<{ transaction: { transaction_id: string } }>();
    fake.release('CHAIN_ADVANCED');
    const status = await server.inject(`/api/transaction/status/${transaction.transaction_id}`);
    expect(status.body).toBe('{"committed":false,"rejected":true,"reason":"CHAIN_ADVANCED"}');
  });

  test('sends stored bytes as they stand, even where it would print them otherwise', async () => {
    const record = recordOf(1);
    const bytes = `${encodeRecord(record).toString().slice(0, -1)} , "extra": 1.0 }\n`;
    fake.commit(record, Buffer.from(bytes));
    for (const [path, answer] of [
      ['/api/query/spot/asset/asset-1', `{"transaction":${bytes}}`],
      ['/api/query/spot/owner/collector', `{"assets":[${bytes}]}`],
      ['/api/query/history/asset/asset-1/1', `{"transactions":[${bytes}]}`],
      ['/api/query/history/owner/collector/1', `{"transactions":[${bytes}]}`],
      [`/api/transaction/detail/${record.transactionId}`, `{"transaction":${bytes}}`],
    ] as const) {
      const reply = await server.inject(path);
      expect(reply.body).toBe(answer);
      expect(() => reply.json<unknown>()).not.toThrow();
    }
  });

  test('lists a holding of thousands, each asset once', async () => {
    for (let n = 0; n < 2_500; n += 1) fake.commit(recordOf(n));
    const reply = await server.inject('/api/query/spot/owner/collector');
    const { assets } = reply.json<{ assets: { transaction_time: number }[] }>();
    expect(assets.map((each) => each.transaction_time)).toEqual(
      Array.from({ length: 2_500 }, (_, n) => 2_499 - n),
    );
  });

  test('shows what it had to skip on the chain', async () => {
    const commitId = 'c'.repeat(40) as CommitId;
    fake.faults.push({ branch: 'nfgt-x', commitId, fault: 'record is not JSON in UTF-8' });
    const status = (await server.inject('/api/node')).json<Record<string, unknown>>();
    expect(status['faults']).toEqual([
      { branch: 'nfgt-x', commit_id: commitId, fault: 'record is not JSON in UTF-8' },
    ]);
  });

  test('refuses to create on an observer', async () => {
    fake.role = 'observer';
    expectRefusal(await create(), 403, 'NODE_IS_OBSERVER');
  });

  test.each<[ErrorCode, number, string | undefined]>([
    ['INPUT_INVALID', 400, undefined],
    ['DISCORD_TOKEN_REFUSED', 401, undefined],
    ['NODE_IS_OBSERVER', 403, undefined],
    ['ASSET_NOT_FOUND', 404, undefined],
    ['CHAIN_ADVANCED', 409, undefined],
    ['BODY_TOO_LARGE', 413, undefined],
    ['QUEUE_FULL', 429, '1'],
    ['BEACON_UNREACHABLE', 503, '5'],
    ['BEACON_UNUSABLE', 500, undefined],
  ])('answers %s with %d', async (code, status, retryAfter) => {
    fake.failure = new AppError(code);
    const reply = await create();
    expectRefusal(reply, status, code);
    expect(reply.headers['retry-after']).toBe(retryAfter);
  });

  test('answers a fault with a reference only, and tells the log the rest', async () => {
    for (const failure of [new Error('secret detail'), 'a thrown text', null]) {
      fake.logged.length = 0;
      fake.failure = failure ?? new TypeError('secret detail');
      const reply = await create();
      const body = reply.json<{ ref: string }>();
      expect([reply.statusCode, body]).toEqual([
        500,
        {
          error: expect.stringContaining(body.ref),
          code: 'FAULT',
          ref: expect.stringMatching(/^[0-9a-f]{12}$/),
        },
      ]);
      expect(reply.body).not.toMatch(/secret|thrown| at /);
      expect(fake.logged).toEqual([expect.objectContaining({ ref: body.ref })]);
    }
  });

  test('goes on answering after a fault', async () => {
    fake.failure = new Error('once');
    expect((await server.inject('/api/node')).statusCode).toBe(500);
    expect((await server.inject('/api/node')).statusCode).toBe(200);
  });
});

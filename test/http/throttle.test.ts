// How often a client may create: counted by address, never for programs on this machine, and never for reads.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { buildHttp, CLIENT_LIMITS } from '../../src/http/server.ts';
import { FakeNode } from '../support/fake-node.ts';
import { expectRefusal } from '../support/http-contract.ts';

const MAX = 20;
/** Longer than any test takes. */
const WINDOW_MS = 3_600_000;

describe('the limit of creates', () => {
  let fake: FakeNode;
  let server: FastifyInstance;
  let count = 0;

  beforeEach(() => {
    fake = new FakeNode();
    server = buildHttp(fake, { ...CLIENT_LIMITS, creates: { max: MAX, windowMs: WINDOW_MS } });
  });

  afterEach(async () => {
    await server.close();
  });

  const create = async (remoteAddress: string) => {
    count += 1;
    const payload = JSON.stringify({ owner_id: 'o', asset_id: `asset-${count}` });
    const url = '/api/transaction/create';
    return await server.inject({ method: 'POST', url, payload, remoteAddress });
  };

  const spend = async (remoteAddress: string): Promise<void> => {
    for (let n = 0; n < MAX; n += 1) {
      expect((await create(remoteAddress)).statusCode).toBe(200);
    }
  };

  test('refuses one more with 429, says how long to wait, and accepts nothing', async () => {
    await spend('203.0.113.7');
    const before = fake.chain.all.length + (await fake.status()).pending;
    const reply = await create('203.0.113.7');
    expectRefusal(reply, 429, 'CREATES_THROTTLED');
    expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0);
    expect(fake.chain.all.length + (await fake.status()).pending).toBe(before);
    expect((await create('203.0.113.8')).statusCode).toBe(200);
  });

  test('still lets the refused client read', async () => {
    await spend('203.0.113.7');
    const url = '/api/transaction/status/x';
    for (let n = 0; n < 100; n += 1) {
      const reply = await server.inject({ url, remoteAddress: '203.0.113.7' });
      expect(reply.statusCode).toBe(200);
      expect(reply.headers).not.toHaveProperty('x-ratelimit-limit');
    }
  });

  test('takes the addresses of one IPv6 network for one client', async () => {
    await spend('2001:db8:0:1::1');
    expectRefusal(await create('2001:db8:0:1::2'), 429, 'CREATES_THROTTLED');
    expect((await create('2001:db8:0:2::1')).statusCode).toBe(200);
  });

  test.each(['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1'])(
    'does not count programs on this machine (%s)',
    async (address) => {
      await spend(address);
      expect((await create(address)).statusCode).toBe(200);
    },
  );
});

// Introspection over the real index: whatever was added or forgotten, and however reads and writes interleave, an answer is what is committed.
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import type { ChainIndex } from '../../src/chain/chain-index.ts';
import { encodeRecord, recordDigest } from '../../src/chain/record.ts';
import { openChainIndex } from '../../src/db/sqlite-chain-index.ts';
import { seededRandomness } from '../../src/guyacha/randomness.ts';
import { JsonStream } from '../../src/http/json-stream.ts';
import { buildHttp } from '../../src/http/server.ts';
import type { AssetId, CommitId, OwnerId, TransactionId } from '../../src/shared/ids.ts';
import { FakeNode } from '../support/fake-node.ts';
import { expectRefusal } from '../support/http-contract.ts';

interface Everything {
  readonly transactions: string[];
  readonly owners: Record<string, string[]>;
  readonly assets: Record<string, string>;
}

/** A chain that grows at random, and what a plain count says is on it. */
class GrowingChain {
  readonly #index: ChainIndex;
  readonly #random = seededRandomness('introspection');
  readonly #owners = new Map<string, string>();
  readonly #transactions = new Map<string, string[]>();
  #count = 0;

  constructor(index: ChainIndex) {
    this.#index = index;
  }

  /** Mints or hands over `size` assets in one write. */
  grow(size: number): void {
    const additions = Array.from({ length: size }, () => this.#addition());
    this.#index.apply(additions, []);
  }

  forgetOne(): void {
    const assetId = [...this.#owners.keys()][this.#random.uniformInt(this.#owners.size)]!;
    this.#index.forgetAsset(assetId as AssetId);
    this.#owners.delete(assetId);
    this.#transactions.delete(assetId);
  }

  forgetAll(): void {
    this.#index.clear();
    this.#owners.clear();
    this.#transactions.clear();
  }

  expected(): Everything {
    const owners = new Map<string, string[]>();
    for (const [asset, owner] of this.#owners) {
      owners.set(owner, [...(owners.get(owner) ?? []), asset]);
    }
    return sorted({
      transactions: [...this.#transactions.values()].flat(),
      owners: Object.fromEntries(owners),
      assets: Object.fromEntries(this.#owners),
    });
  }

  #addition() {
    this.#count += 1;
    const number = this.#random.uniformInt(2_000);
    // Names of many kinds, so that the order of bytes and the order of UTF-16 differ.
    const assetId = `${['a', 'é', '\ufffd', '🎁', '"\\'][number % 5]!}-${number}` as AssetId;
    const ownerId = `${['o', '🎲', '__proto__'][number % 3]!}${this.#random.uniformInt(40)}`;
    const transactionId = this.#uuid();
    this.#owners.set(assetId, ownerId);
    this.#transactions.set(assetId, [...(this.#transactions.get(assetId) ?? []), transactionId]);
    const record = {
      successorHash: 'a'.repeat(128),
      transactionId: transactionId as TransactionId,
      transactionTime: this.#count,
      assetId,
      ownerId: ownerId as OwnerId,
      metadata: null,
    };
    const bytes = encodeRecord(record);
    const commitId = recordDigest(bytes).slice(0, 40) as CommitId;
    return { assetId, branchCommit: commitId, transactions: [{ commitId, record, bytes }] };
  }

  #uuid(): string {
    const tail = String(this.#count).padStart(12, '0');
    return `${this.#random
      .uniformInt(2 ** 32)
      .toString(16)
      .padStart(8, '0')}-0000-4000-8000-${tail}`;
  }
}

function sorted({ transactions, owners, assets }: Everything): Everything {
  const lists = Object.entries(owners).map(([owner, list]) => [owner, list.toSorted()]);
  return {
    transactions: transactions.toSorted(),
    owners: Object.fromEntries(lists) as Record<string, string[]>,
    assets,
  };
}

describe('introspection', () => {
  let index: ChainIndex;
  let chain: GrowingChain;
  let fake: FakeNode;
  let server: FastifyInstance;

  beforeEach(() => {
    index = openChainIndex(':memory:');
    chain = new GrowingChain(index);
    fake = new FakeNode();
    const node = {
      chain: index,
      status: () => fake.status(),
      findState: (id: TransactionId) => fake.findState(id),
    };
    const { app, logger } = fake;
    server = buildHttp({ node, app, logger, introspection: true });
  });

  afterEach(async () => {
    await server.close();
    index.close();
  });

  const get = async (list: string): Promise<unknown> => {
    const reply = await server.inject(`/api/introspection/${list}`);
    expect([reply.statusCode, reply.headers['content-type']]).toEqual([
      200,
      'application/json; charset=utf-8',
    ]);
    expect(Number(reply.headers['content-length'])).toBe(Buffer.byteLength(reply.body));
    return reply.json<Record<string, unknown>>()[list];
  };

  const getAll = async (): Promise<Everything> => {
    const lists = await Promise.all(['transactions', 'owners', 'assets'].map(get));
    const [transactions, owners, assets] = lists;
    return sorted({ transactions, owners, assets } as Everything);
  };

  test('of an empty chain has three empty lists', async () => {
    expect(await getAll()).toEqual({ transactions: [], owners: {}, assets: {} });
  });

  test('is what is committed, however the chain grows, shrinks and begins anew', async () => {
    for (let round = 0; round < 12; round += 1) {
      chain.grow(round % 3 === 0 ? 900 : 7);
      expect(await getAll()).toEqual(chain.expected());
      if (round % 4 === 2) chain.forgetOne();
      if (round === 8) chain.forgetAll();
      expect(await getAll()).toEqual(chain.expected());
    }
  });

  test('answers each request with one moment that is not older than the request', async () => {
    chain.grow(1_500);
    for (let round = 0; round < 20; round += 1) {
      chain.grow(20);
      const moments: Everything['assets'][] = [chain.expected().assets];
      const asked = get('assets');
      // Others write in the turns in which the answer is put together.
      for (let turn = 0; turn < 10; turn += 1) {
        await nextTurn();
        chain.grow(3);
        moments.push(chain.expected().assets);
      }
      expect(moments).toContainEqual(await asked);
    }
  });

  test('lists assets, owners and transactions in the order of their bytes', async () => {
    chain.grow(1_500);
    const lists = await Promise.all(['assets', 'owners', 'transactions'].map(get));
    for (const list of lists) {
      const keys = Array.isArray(list) ? (list as string[]) : Object.keys(list as object);
      const bytes = keys.map((key) => Buffer.from(key));
      expect(bytes.length).toBeGreaterThan(100);
      expect(bytes.toSorted((a, b) => Buffer.compare(a, b))).toEqual(bytes);
    }
  });

  test('is off on a validator that was not told otherwise, and on for an observer', async () => {
    await server.close();
    server = buildHttp({ ...fakeParts(), introspection: false });
    for (const list of ['transactions', 'owners', 'assets']) {
      expectRefusal(await server.inject(`/api/introspection/${list}`), 404, 'INTROSPECTION_OFF');
    }
    fake.role = 'observer';
    expect(await getAll()).toEqual({ transactions: [], owners: {}, assets: {} });
  });

  const fakeParts = () => {
    const { node, app, logger } = fake;
    return { node, app, logger };
  };
});

describe('a stream of JSON', () => {
  test.each([[0], [1], [2], [3_000]])(
    'has the length that it says, with %d lines',
    async (count) => {
      const lines = Array.from({ length: count }, (_, n) =>
        Buffer.from(`"${'é'.repeat(n % 100)}"`),
      );
      const stream = new JsonStream(['[', ']'], lines);
      const sent = await text(stream.open());
      expect(Buffer.byteLength(sent)).toBe(stream.length);
      expect(JSON.parse(sent)).toHaveLength(count);
    },
  );
});

// A chain that others wrote, served and continued over HTTP by the real app, compared with its facts and with plain git.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { startHttp } from '../../src/http/server.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { EMPTY_GUYACHA, openRealHouse } from '../support/real-house.ts';
import type { RealHouse } from '../support/real-house.ts';
import { git, tempDir } from '../support/temp-dir.ts';

const SAMPLE = new URL('../../../shared/beacon-sample/', import.meta.url).pathname;
const hasSample = existsSync(join(SAMPLE, 'chain.bundle'));
const describeSample = hasSample ? describe : describe.skip;
const TITLE = hasSample
  ? 'the sample chain over HTTP'
  : 'the sample chain over HTTP (skipped: needs ../shared/beacon-sample)';
const RETRY_MS = 20;
const RETRIES = 500;

interface Facts {
  readonly assets: number;
  readonly transactions: number;
  readonly most_assets_held: readonly (readonly [string, number])[];
}

interface WireRecord {
  readonly transaction_id: string;
  readonly transaction_time: number;
  readonly asset_id: string;
  readonly owner_id: string;
  readonly successor_hash: string;
}

type Created = WireRecord & { readonly successor_passphrase: string };

interface Served {
  readonly house: RealHouse;
  readonly get: (path: string) => Promise<string>;
  readonly create: (body: object) => Promise<{ readonly status: number; readonly body: string }>;
  /** An asset of the chain with its newest record and the passphrase that moves it. */
  readonly pick: (index: number) => Promise<{
    readonly tip: WireRecord;
    readonly passphrase: string;
  }>;
}

const readJson = (name: string): unknown => JSON.parse(readFileSync(join(SAMPLE, name), 'utf8'));
const facts = (): Facts => readJson('facts.json') as Facts;

/** Serves a clone of the sample chain, as BEACON_URL would name it. */
async function withSample(run: (served: Served) => Promise<void>): Promise<void> {
  const folder = tempDir();
  const beacon = join(folder, 'beacon.git');
  git(folder, ['clone', '--quiet', '--bare', join(SAMPLE, 'chain.bundle'), beacon]);
  const dataDir = join(folder, 'data');
  const env = { BEACON_URL: beacon };
  const house = await openRealHouse({ dataDir, env, guyacha: EMPTY_GUYACHA });
  const { core, app } = house;
  const parts = { node: core.node, app, introspection: true, logger: silentLogger };
  const http = await startHttp({ ...parts, host: '127.0.0.1', port: 0 });
  const get = async (path: string): Promise<string> => {
    const reply = await fetch(`${http.url}/api/${path}`);
    const text = await reply.text();
    if (reply.status !== 200) throw new Error(`GET ${path} gave ${reply.status}: ${text}`);
    return text;
  };
  const passphrases = readJson('passphrases.json') as Record<string, string>;
  try {
    await run({
      house,
      get,
      create: async (body) => {
        const request = { method: 'POST', body: JSON.stringify(body) };
        const reply = await fetch(`${http.url}/api/transaction/create`, request);
        return { status: reply.status, body: await reply.text() };
      },
      pick: async (index) => {
        const branch = house.git('for-each-ref', '--format=%(refname:short)', 'refs/heads/nfgt-*');
        const assetId = branch.split('\n')[index]!.slice('nfgt-'.length);
        const tip = recordOf(await get(`query/spot/asset/${assetId}`));
        return { tip, passphrase: passphrases[tip.transaction_id]! };
      },
    });
    expect((await app.audit()).findings).toEqual([]);
  } finally {
    await http.close();
    await house.close();
  }
}

const recordOf = (body: string): WireRecord =>
  (JSON.parse(body) as { transaction: WireRecord }).transaction;

/** Polls the status as a client does. */
async function committed(get: Served['get'], transactionId: string): Promise<void> {
  for (let attempt = 0; attempt < RETRIES; attempt += 1) {
    const status = JSON.parse(await get(`transaction/status/${transactionId}`)) as {
      committed: boolean;
      rejected: boolean;
    };
    if (status.rejected) throw new Error(`${transactionId} was rejected`);
    if (status.committed) return;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  throw new Error(`${transactionId} was never committed`);
}

/** The metadata.json behind each tag, byte for byte, as plain git has it. */
function readTags(house: RealHouse, beacon: string): ReadonlyMap<string, string> {
  const tags = house.git('tag').split('\n');
  const wanted = tags.map((tag) => `refs/tags/${tag}:metadata.json`).join('\n');
  const batch = Buffer.from(git(beacon, ['cat-file', '--batch'], `${wanted}\n`));
  const records = new Map<string, string>();
  let offset = 0;
  for (const tag of tags) {
    const lineEnd = batch.indexOf('\n', offset);
    const size = Number(batch.toString('utf8', offset, lineEnd).split(' ')[2]);
    records.set(tag, batch.toString('utf8', lineEnd + 1, lineEnd + 1 + size));
    offset = lineEnd + 1 + size + 1;
  }
  return records;
}

describeSample(TITLE, () => {
  test('is counted as its facts say, and its largest holders hold what they held', () =>
    withSample(async ({ get }) => {
      const { assets, transactions, most_assets_held: holders } = facts();
      const counts = { role: 'validator', assets, transactions, pending: 0, faults: [] };
      expect(JSON.parse(await get('node'))).toMatchObject(counts);
      expect(holders.length).toBeGreaterThan(0);
      for (const [memberId, count] of holders) {
        const ownerId = Buffer.from(memberId).toString('base64');
        const answer = await get(`query/spot/owner/${encodeURIComponent(ownerId)}`);
        const { assets: held } = JSON.parse(answer) as { assets: WireRecord[] };
        expect(new Set(held.map((record) => record.asset_id)).size).toBe(count);
        expect(held.every((record) => record.owner_id === ownerId)).toBe(true);
        const times = held.map((record) => record.transaction_time);
        expect(times).toEqual(times.toSorted((a, b) => b - a));
        const [newest] = held;
        const tip = recordOf(await get(`query/spot/asset/${newest!.asset_id}`));
        expect(tip).toEqual(newest);
      }
    }));

  test('is served byte for byte, every transaction of it, as plain git has it', () =>
    withSample(async ({ house, get }) => {
      const records = readTags(house, house.core.beacon.description);
      expect(records.size).toBe(facts().transactions);
      const ids = [...records.keys()];
      for (let start = 0; start < ids.length; start += 64) {
        await Promise.all(
          ids.slice(start, start + 64).map(async (id) => {
            const bytes = records.get(id)!;
            expect(await get(`transaction/detail/${id}`)).toBe(`{"transaction":${bytes}}`);
            expect(await get(`transaction/status/${id}`)).toBe(
              '{"committed":true,"rejected":false}',
            );
          }),
        );
      }
    }));

  test('has the history of its longest chain as plain git has it', () =>
    withSample(async ({ house, get }) => {
      const ids = house.git('for-each-ref', '--format=%(refname)', 'refs/heads/nfgt-*').split('\n');
      const lengths = house.core.index;
      const longest = ids
        .map((ref) => ref.slice('refs/heads/nfgt-'.length))
        .map((id) => ({ id, length: lengths.findTip(id as never)?.position ?? 0 }))
        .sort((a, b) => b.length - a.length)[0]!;
      expect(longest.length).toBeGreaterThan(1);
      const answer = await get(`query/history/asset/${longest.id}/1000`);
      const { transactions } = JSON.parse(answer) as { transactions: WireRecord[] };
      const commits = house.git('log', '--format=%H', `refs/heads/nfgt-${longest.id}`, '^main');
      const expected = commits
        .split('\n')
        .map((commit) => house.git('show', `${commit}:metadata.json`))
        .map((bytes) => JSON.parse(bytes) as WireRecord);
      expect(transactions).toEqual(expected);
    }));

  test('is handed over with a known passphrase, and on with the one that was answered', () =>
    withSample(async ({ house, get, create, pick }) => {
      const { tip, passphrase } = await pick(0);
      const { asset_id } = tip;
      const branch = `refs/heads/nfgt-${asset_id}`;
      const before = house.git('rev-parse', branch);
      const owners = ['first heir', 'second heir'];
      let presented = passphrase;
      for (const owner_id of owners) {
        const reply = await create({ asset_id, owner_id, passphrase: presented, metadata: {} });
        expect(reply.status).toBe(200);
        const made = recordOf(reply.body) as Created;
        await committed(get, made.transaction_id);
        expect(recordOf(await get(`query/spot/asset/${asset_id}`)).owner_id).toBe(owner_id);
        const hash = createHash('sha512').update(made.successor_passphrase).digest('hex');
        expect(made.successor_hash).toBe(hash);
        const tag = house.git('rev-parse', `refs/tags/${made.transaction_id}`);
        expect(tag).toBe(house.git('rev-parse', branch));
        presented = made.successor_passphrase;
      }
      expect(house.git('rev-parse', `${branch}~${owners.length}`)).toBe(before);
      const late = await create({ asset_id, owner_id: 'late', passphrase, metadata: {} });
      expect(late.status).toBe(403);
    }));

  test('is not moved with a wrong passphrase, and not a row or ref changes', () =>
    withSample(async ({ house, create, pick }) => {
      const { tip, passphrase } = await pick(1);
      const { passphrase: foreign } = await pick(2);
      const { asset_id } = tip;
      const before = house.snapshot();
      const wrong = [
        ...['', 'wrong', foreign, `${passphrase} `, passphrase.toLowerCase(), tip.successor_hash],
        ...[null, undefined],
      ];
      for (const presented of wrong) {
        const body = { asset_id, owner_id: 'thief', passphrase: presented, metadata: {} };
        const reply = await create(body);
        expect([reply.status, JSON.parse(reply.body)]).toEqual([
          403,
          expect.objectContaining({ code: 'PASSPHRASE_MISMATCH' }),
        ]);
      }
      expect(house.snapshot()).toEqual(before);
    }));

  test('lets one of many who race for an asset through, and tells the others to wait', () =>
    withSample(async ({ house, get, create, pick }) => {
      const { tip, passphrase } = await pick(3);
      const { asset_id } = tip;
      const tagsBefore = house.git('tag').split('\n').length;
      const runners = Array.from({ length: 8 }, (_, n) => `runner ${n}`);
      house.holdChain();
      const replies = await Promise.all(
        runners.map((owner_id) => create({ asset_id, owner_id, passphrase, metadata: {} })),
      );
      const statuses = replies.map(({ status }) => status);
      expect(statuses.toSorted((a, b) => a - b)).toEqual([200, ...Array<number>(7).fill(409)]);
      const made = recordOf(replies.find(({ status }) => status === 200)!.body);
      const { transaction_id: id } = made;
      expect(await get(`transaction/status/${id}`)).toBe('{"committed":false,"rejected":false}');
      expect(recordOf(await get(`query/spot/asset/${asset_id}`))).toEqual(tip);
      house.releaseChain();
      await committed(get, made.transaction_id);
      const stands = recordOf(await get(`query/spot/asset/${asset_id}`));
      expect(stands.transaction_id).toBe(made.transaction_id);
      await house.settled();
      expect(house.git('tag').split('\n')).toHaveLength(tagsBefore + 1);
      expect(JSON.parse(await get('node'))).toMatchObject({ pending: 0 });
    }));
});

// The HTTP contract over the real node, with a beacon in memory; and, where it is about the chain, over the real app and git.
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { CommitDraft, PushResult } from '../../src/chain/beacon.ts';
import { makeCreateTransaction } from '../../src/app/create-transaction.ts';
import { Settlements } from '../../src/app/settlements.ts';
import { buildHttp } from '../../src/http/server.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { RecoveryJournal } from '../../src/vault/recovery-journal.ts';
import { openVault } from '../../src/vault/vault.ts';
import { MemoryBeacon, MemoryRemote } from '../support/beacon-memory.ts';
import { describeHttpContract, type HttpStage } from '../support/http-contract.ts';
import { asset, openTestNode, type TestNode } from '../support/open-test-node.ts';
import { EMPTY_GUYACHA, openRealHouse } from '../support/real-house.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const DRAIN_MS = 5_000;
/** The most transactions that may wait for the beacon: docs/limits.md. */
const PLACES = 10_000;

/** A beacon whose pushes can be made to wait, as behind a slow connection. */
class SlowBeacon extends MemoryBeacon {
  readonly #waiting: (() => void)[] = [];
  #isHeld = false;
  /** How many pushes the remote did not take. */
  refusals = 0;

  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    for (const go of this.#waiting.splice(0)) go();
  }

  override async push(drafts: readonly CommitDraft[]): Promise<PushResult> {
    if (this.#isHeld) await new Promise<void>((go) => this.#waiting.push(go));
    const result = await super.push(drafts);
    if (result.outcome === 'refused') this.refusals += 1;
    return result;
  }
}

/** A real node with its vault, and an app that creates over it; its databases are in memory unless there is a `home`. */
async function openStage(
  beacon: SlowBeacon,
  home?: string,
): Promise<HttpStage & Pick<TestNode, 'accept'>> {
  const dir = home ?? tempDir();
  const { node, database, accept, close } = await openTestNode(
    beacon,
    home === undefined
      ? {}
      : { stateFile: join(home, 'state.sqlite'), indexFile: join(home, 'index.sqlite') },
  );
  const vault = await openVault({ keyFile: join(dir, 'vault.key'), headers: database });
  const logger = silentLogger;
  const recovery = new RecoveryJournal({ file: join(dir, 'recovery.journal'), vault, logger });
  await recovery.rewrite([]);
  const common = { database, node, vault, recovery, clock: systemClock, logger };
  const settlements = new Settlements(common);
  const release = async (): Promise<void> => {
    beacon.release();
    await until(async () => (await node.status()).pending === 0);
    await settlements.drain(DRAIN_MS);
  };
  return {
    parts: {
      node,
      app: {
        createTransaction: makeCreateTransaction({ ...common, settlements }),
        botOwnerId: 'bot-owner',
      },
      introspection: true,
      logger: silentLogger,
    },
    accept,
    hold: () => beacon.hold(),
    release,
    close: async () => {
      await close();
      await recovery.close();
    },
  };
}

describeHttpContract('the HTTP API over the real node', () => openStage(new SlowBeacon()));

test('a node with all places taken refuses a create at once, writes nothing, and takes it when there is room', async () => {
  const stage = await openStage(new SlowBeacon());
  const server = buildHttp(stage.parts);
  const create = (key: string) =>
    server.inject({
      method: 'POST',
      url: '/api/transaction/create',
      headers: { 'idempotency-key': key },
      payload: JSON.stringify({ owner_id: 'owner', asset_id: 'one-more' }),
    });
  const pending = async (): Promise<number> => (await stage.parts.node.status()).pending;
  stage.hold();
  const names = Array.from({ length: PLACES }, (_, number) => asset(`asset-${number}`));
  await Promise.all(names.map((assetId) => stage.accept([{ assetId }])));
  const refused = await create('again');
  expect(refused.statusCode).toBe(429);
  expect(refused.headers['retry-after']).toBe('1');
  expect(refused.json()).toMatchObject({ code: 'QUEUE_FULL' });
  expect(await pending()).toBe(PLACES);
  await stage.release();
  // Under the same key: what was refused was not remembered as done.
  expect((await create('again')).statusCode).toBe(200);
  await stage.release();
  expect((await stage.parts.node.status()).transactions).toBe(PLACES + 1);
  await stage.close();
});

describe('the status of a transaction after a restart', () => {
  const BODY = { owner_id: 'owner', asset_id: 'asset' };

  const create = async ({ parts }: HttpStage): Promise<string> => {
    const server = buildHttp(parts);
    const payload = JSON.stringify(BODY);
    const reply = await server.inject({ method: 'POST', url: '/api/transaction/create', payload });
    expect(reply.statusCode).toBe(200);
    return reply.json<{ transaction: { transaction_id: string } }>().transaction.transaction_id;
  };
  const statusOf = async ({ parts }: HttpStage, id: string): Promise<string> =>
    (await buildHttp(parts).inject(`/api/transaction/status/${id}`)).body;
  const pendingOf = async ({ parts }: HttpStage): Promise<number> =>
    (await buildHttp(parts).inject('/api/node')).json<{ pending: number }>().pending;

  test('keeps the reason of a rejection', async () => {
    const [remote, dir] = [new MemoryRemote(), tempDir()];
    const before = await openStage(new SlowBeacon(remote), dir);
    remote.failPushes({ kind: 'refuse', reason: 'pre-receive hook declined', retryable: false });
    const id = await create(before);
    await before.release();
    const rejected = '{"committed":false,"rejected":true,"reason":"BEACON_REFUSED"}';
    expect(await statusOf(before, id)).toBe(rejected);
    await before.close();

    const after = await openStage(new SlowBeacon(remote), dir);
    expect(await statusOf(after, id)).toBe(rejected);
    expect(await pendingOf(after)).toBe(0);
    await after.close();
  });

  test('stays pending while the beacon is away, and is committed once it is back', async () => {
    const [remote, dir] = [new MemoryRemote(), tempDir()];
    const before = await openStage(new SlowBeacon(remote), dir);
    remote.unreachable = true;
    const id = await create(before);
    await before.close();

    // A node opens only with a beacon that answers; this one goes away before it has taken anything.
    remote.unreachable = false;
    const beacon = new SlowBeacon(remote);
    beacon.hold();
    const after = await openStage(beacon, dir);
    remote.unreachable = true;
    beacon.release();
    const pending = '{"committed":false,"rejected":false}';
    expect([await statusOf(after, id), await pendingOf(after)]).toEqual([pending, 1]);
    await until(() => Promise.resolve(beacon.refusals > 0));
    expect([await statusOf(after, id), await pendingOf(after)]).toEqual([pending, 1]);

    remote.unreachable = false;
    await after.release();
    expect(await statusOf(after, id)).toBe('{"committed":true,"rejected":false}');
    await after.close();
  });
});

const openRealStage = async (): Promise<HttpStage> => {
  const house = await openRealHouse({ guyacha: EMPTY_GUYACHA });
  const { core, app } = house;
  return {
    parts: { node: core.node, app, introspection: true, logger: silentLogger },
    hold: () => house.holdChain(),
    release: async () => {
      house.releaseChain();
      await house.settled();
    },
    close: () => house.close(),
  };
};

describeHttpContract('the HTTP API over the real app and git', openRealStage, 'chain');

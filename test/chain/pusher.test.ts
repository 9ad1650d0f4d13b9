// The pusher when something will not go: one group that the remote cannot take must never hold up the others.
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Beacon, CommitDraft, PushResult } from '../../src/chain/beacon.ts';
import { encodeRecord } from '../../src/chain/record.ts';
import { hashPassphrase } from '../../src/chain/succession.ts';
import type { SettlementId, TransactionId } from '../../src/shared/ids.ts';
import { v7 as uuidv7 } from 'uuid';
import { MemoryBeacon, MemoryRemote } from '../support/beacon-memory.ts';
import { asset, openTestNode, owner, type TestNode } from '../support/open-test-node.ts';

let remote: MemoryRemote;
let open: TestNode[];

beforeEach(() => {
  remote = new MemoryRemote();
  open = [];
});

afterEach(async () => {
  for (const each of open) await each.close();
});

async function openOne(beacon: Beacon = new MemoryBeacon(remote)): Promise<TestNode> {
  const opened = await openTestNode(beacon);
  open.push(opened);
  return opened;
}

/** A remote that refuses every push with one of these assets, without saying which ref it dislikes. */
class PickyBeacon extends MemoryBeacon {
  readonly disliked: ReadonlySet<string>;
  tries = 0;

  constructor(to: MemoryRemote, ...disliked: readonly string[]) {
    super(to);
    this.disliked = new Set(disliked);
  }

  override async push(drafts: readonly CommitDraft[]): Promise<PushResult> {
    this.tries += 1;
    if (drafts.some(({ assetId }) => this.disliked.has(assetId))) {
      return { outcome: 'refused', stale: [], reason: 'failed to update ref', retryable: true };
    }
    return super.push(drafts);
  }
}

const outcomesOf = ({ node }: TestNode, groupIds: readonly SettlementId[]) =>
  Promise.all(groupIds.map((groupId) => node.outcomeOf(groupId)));

const COMMITTED = { state: 'committed' };

describe('a group that the remote cannot take', () => {
  test('because its tag is taken by something that is no transaction is rejected', async () => {
    const { node, accept } = await openOne();
    const transactionId = '00000000-0000-4000-8000-000000000001' as never;
    remote.tags.set(transactionId, remote.epoch);
    const poison = await accept([{ assetId: asset('poison'), transactionId }]);
    const good = await accept([{ assetId: asset('good') }]);
    expect(await node.outcomeOf(good.groupId)).toEqual(COMMITTED);
    expect(await node.outcomeOf(poison.groupId)).toEqual({
      state: 'rejected',
      reason: 'CHAIN_ADVANCED',
    });
  });

  test('for a reason that the remote does not tell is set aside, and the others go on', async () => {
    const beacon = new PickyBeacon(remote, 'poison-1', 'poison-2', 'poison-3');
    const opened = await openOne(beacon);
    const { accept } = opened;
    const accepted: SettlementId[] = [];
    for (let n = 0; n < 12; n += 1) {
      if (n % 4 === 1) await accept([{ assetId: asset(`poison-${(n + 3) / 4}`) }]);
      accepted.push((await accept([{ assetId: asset(`good-${n}`) }])).groupId);
    }
    expect(await outcomesOf(opened, accepted)).toEqual(accepted.map(() => COMMITTED));
    // Who comes later does not wait for the ones that were set aside, however often those have failed.
    for (let n = 0; n < 5; n += 1) {
      await delay(300);
      const before = beacon.tries;
      const late = await accept([{ assetId: asset(`late-${n}`) }]);
      expect(await opened.node.outcomeOf(late.groupId)).toEqual(COMMITTED);
      expect(beacon.tries - before).toBeLessThanOrEqual(2);
    }
    expect((await opened.node.status()).pending).toBe(3);
  });

  test('because another chain’s branch stands where its own would need a folder’s name is never accepted', async () => {
    const { node, accept } = await openOne();
    const record = encodeRecord({
      successorHash: hashPassphrase('x'),
      transactionId: '00000000-0000-4000-8000-000000000001' as TransactionId,
      transactionTime: 1,
      assetId: asset('a/b'),
      ownerId: owner('stranger'),
      metadata: null,
    });
    const commit = remote.addCommit({ parents: [remote.epoch], record });
    remote.branches.set('nfgt-a/b', commit);
    remote.tags.set('00000000-0000-4000-8000-000000000001', commit);
    await node.sync();
    await expect(accept([{ assetId: asset('a') }])).rejects.toMatchObject({
      code: 'ASSET_ID_INVALID',
    });
  });

  test('is taken once the remote has changed its mind', async () => {
    const beacon = new PickyBeacon(remote, 'moody');
    const { node, accept } = await openOne(beacon);
    const { groupId } = await accept([{ assetId: asset('moody') }]);
    await delay(500);
    (beacon.disliked as Set<string>).clear();
    expect(await node.outcomeOf(groupId)).toEqual(COMMITTED);
  });
});

test('takes up a group whenever it is submitted, also in the very moment in which the pusher comes to rest', async () => {
  const { node, accept, database } = await openOne();
  const journalOnly = async (name: string): Promise<SettlementId> => {
    const groupId = uuidv7() as SettlementId;
    const draft = {
      assetId: asset(name),
      ownerId: owner('a'),
      metadata: null,
      predecessorPassphrase: undefined,
      transactionId: undefined,
    };
    const group = await node.check(groupId, [draft]);
    await database.transaction(({ journal }) => node.journal(journal, group));
    return groupId;
  };
  for (let ticks = 0; ticks < 40; ticks += 1) {
    const late = await journalOnly(`late-${ticks}`);
    const first = await accept([{ assetId: asset(`first-${ticks}`) }]);
    await node.outcomeOf(first.groupId);
    for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
    node.submit(late);
    const outcome = await Promise.race([
      node.outcomeOf(late),
      delay(2_000, `stuck after ${ticks} ticks`, { ref: false }),
    ]);
    expect(outcome).toEqual(COMMITTED);
  }
});

describe('a push whose answer was lost', () => {
  /** The remote takes in this push only when it is told to, long after the connection has ended. */
  class SlowBeacon extends MemoryBeacon {
    late: readonly CommitDraft[] = [];
    isReadOnly = false;

    override async push(drafts: readonly CommitDraft[]): Promise<PushResult> {
      if (this.late.length === 0) {
        this.late = drafts;
        return { outcome: 'unknown', reason: 'the connection ended' };
      }
      if (this.isReadOnly) {
        return { outcome: 'refused', stale: [], reason: 'permission denied', retryable: false };
      }
      return super.push(drafts);
    }

    async arrive(): Promise<void> {
      await super.push(this.late);
    }
  }

  test('is not called refused because the next one was: the remote may still take it in', async () => {
    const beacon = new SlowBeacon(remote);
    beacon.isReadOnly = true;
    const { node, accept } = await openOne(beacon);
    const { groupId } = await accept([{}]);
    const early = await Promise.race([node.outcomeOf(groupId), delay(1_000, undefined)]);
    expect(early).toBeUndefined();
    await beacon.arrive();
    expect(await node.outcomeOf(groupId)).toEqual(COMMITTED);
  });
});

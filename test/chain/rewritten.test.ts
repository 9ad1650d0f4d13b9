// A remote whose chain is rewritten: writing stops, what was known stays, and all goes on once it is put back.
import { join } from 'node:path';
import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { CommitDraft, PushResult } from '../../src/chain/beacon.ts';
import { encodeRecord } from '../../src/chain/record.ts';
import { branchOf } from '../../src/chain/refs.ts';
import { hashPassphrase } from '../../src/chain/succession.ts';
import type { NodeEvents } from '../../src/chain/node.ts';
import type { CommitId, TransactionId } from '../../src/shared/ids.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import type { BeaconFixture } from '../support/beacon-contract.ts';
import { gitFixture, sshFixture } from '../support/beacon-git.ts';
import { MemoryBeacon, memoryFixture, MemoryRemote } from '../support/beacon-memory.ts';
import { asset, openTestNode, owner, type TestNode } from '../support/open-test-node.ts';
import { beforeRemoval, tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const STOPPED = { code: 'CHAIN_REWRITTEN' };
const id = (n: number): TransactionId =>
  `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as TransactionId;

const record = (n: number, name = 'lamp'): Buffer =>
  encodeRecord({
    successorHash: hashPassphrase(`passphrase-${n}`),
    transactionId: id(n),
    transactionTime: n,
    assetId: asset(name),
    ownerId: owner(`owner-${n}`),
    metadata: {},
  });

/** A node with a lamp of two transactions and a desk of one, in files of its own. */
interface Stage extends TestNode {
  readonly fixture: BeaconFixture;
  /** Of the lamp's two commits. */
  readonly commits: readonly [CommitId, CommitId];
  readonly transactionIds: readonly string[];
  readonly passphrase: string;
  readonly epoch: CommitId;
  readonly errors: object[];
  /** The same node in a new process; without its index when that is gone. */
  restart(given?: { readonly withoutIndex: boolean }): Promise<TestNode>;
}

async function openStage(
  fixture: BeaconFixture,
  role: 'auto' | 'observer' = 'auto',
): Promise<Stage> {
  const folder = tempDir();
  const files = {
    stateFile: join(folder, 'state.sqlite'),
    indexFile: join(folder, 'index.sqlite'),
  };
  const errors: object[] = [];
  const logger = { ...silentLogger, error: (facts: object) => void errors.push(facts) };
  const beacon = await fixture.open();
  const writer = await openTestNode(beacon, { ...files, logger });
  const settle = async (drafts: Parameters<TestNode['accept']>[0]) => {
    const group = await writer.accept(drafts);
    expect(await writer.node.outcomeOf(group.groupId)).toEqual({ state: 'committed' });
    return group;
  };
  const lamp = await settle([{ assetId: asset('lamp') }]);
  const first = writer.index.findBranchCommit(asset('lamp'))!;
  const next = await settle([
    {
      assetId: asset('lamp'),
      ownerId: owner('new owner'),
      predecessorPassphrase: lamp.passphrases[0],
    },
  ]);
  await settle([{ assetId: asset('desk') }]);
  await writer.node.sync();
  let live: TestNode = writer;
  if (role === 'observer') {
    await writer.close();
    live = await openTestNode(beacon, { indexFile: files.indexFile, logger, role });
  }
  beforeRemoval(() => live.close());
  return {
    ...live,
    fixture,
    commits: [first, live.index.findBranchCommit(asset('lamp'))!],
    transactionIds: [...lamp.transactionIds, ...next.transactionIds],
    passphrase: next.passphrases[0]!,
    epoch: beacon.epoch,
    errors,
    restart: async ({ withoutIndex } = { withoutIndex: false }) => {
      const knownEpoch = withoutIndex ? undefined : live.index.findEpoch();
      await live.close();
      if (withoutIndex) {
        for (const end of ['', '-wal', '-shm']) rmSync(`${files.indexFile}${end}`, { force: true });
      }
      live = await openTestNode(await fixture.open({ knownEpoch: () => knownEpoch }), {
        ...files,
        logger,
      });
      return live;
    },
  };
}

const rewritingOf = async ({ node }: TestNode) => (await node.status()).rewriting;

/** Ways to rewrite the lamp's chain, with the refs that are then named and the way back. */
const WAYS: readonly {
  readonly name: string;
  readonly rewrite: (stage: Stage) => { ref: string; expected: string; found: string | undefined };
}[] = [
  {
    name: 'a branch that was set back',
    rewrite: ({ fixture, commits: [first, second] }) => {
      fixture.setBranch('nfgt-lamp', first);
      return { ref: 'nfgt-lamp', expected: second, found: first };
    },
  },
  {
    name: 'a branch that was set back to the epoch',
    rewrite: ({ fixture, commits, epoch }) => {
      fixture.setBranch('nfgt-lamp', epoch);
      return { ref: 'nfgt-lamp', expected: commits[1], found: epoch };
    },
  },
  {
    name: 'a branch that was moved to another history',
    rewrite: ({ fixture, commits, epoch }) => {
      const other = fixture.addCommit({ parents: [epoch], record: record(1) });
      fixture.setBranch('nfgt-lamp', other);
      fixture.setTag(id(1), other);
      return { ref: 'nfgt-lamp', expected: commits[1], found: other };
    },
  },
  {
    name: 'a branch that was set back and goes on in another way',
    rewrite: ({ fixture, commits: [first, second] }) => {
      const other = fixture.addCommit({ parents: [first], record: record(1) });
      fixture.setBranch('nfgt-lamp', other);
      fixture.setTag(id(1), other);
      return { ref: 'nfgt-lamp', expected: second, found: other };
    },
  },
  {
    name: 'a branch that has no history any more',
    rewrite: ({ fixture, commits }) => {
      const orphan = fixture.addCommit({ parents: [], record: record(1) });
      fixture.setBranch('nfgt-lamp', orphan);
      return { ref: 'nfgt-lamp', expected: commits[1], found: orphan };
    },
  },
  {
    name: 'a deleted branch',
    rewrite: ({ fixture, commits }) => {
      fixture.deleteBranch('nfgt-lamp');
      return { ref: 'nfgt-lamp', expected: commits[1], found: undefined };
    },
  },
  {
    name: 'a moved tag of a committed transaction',
    rewrite: ({ fixture, commits: [first, second], transactionIds: [, last = ''] }) => {
      fixture.setTag(last, first);
      return { ref: last, expected: second, found: first };
    },
  },
  {
    name: 'a deleted tag of a committed transaction',
    rewrite: ({ fixture, commits, transactionIds: [ref = ''] }) => {
      fixture.deleteTag(ref);
      return { ref, expected: commits[0], found: undefined };
    },
  },
  {
    name: 'an epoch branch that was moved to another history',
    rewrite: ({ fixture, epoch }) => {
      const other = fixture.addCommit({ parents: [], record: undefined, message: 'Another epoch' });
      fixture.setBranch('main', other);
      return { ref: 'main', expected: epoch, found: other };
    },
  },
  {
    name: 'a deleted epoch branch',
    rewrite: ({ fixture, epoch }) => {
      fixture.deleteBranch('main');
      return { ref: 'main', expected: epoch, found: undefined };
    },
  },
];

/** Puts everything back to where it stood. */
function putBack({ fixture, commits, transactionIds, epoch }: Stage): void {
  fixture.setBranch('main', epoch);
  fixture.setBranch('nfgt-lamp', commits[1]);
  for (const [at, transactionId] of transactionIds.entries()) {
    fixture.setTag(transactionId, commits[at]!);
  }
}

describe.each([
  ['in memory', memoryFixture],
  ['in a directory', gitFixture],
  ['behind ssh', sshFixture],
])('on a remote %s', (_, makeFixture) => {
  test.each(WAYS)(
    '$name stops the writing, is named, and takes nothing of what was known',
    async ({ rewrite }) => {
      const stage = await openStage(makeFixture());
      const { node, accept, commits, errors } = stage;
      const { ref, expected, found } = rewrite(stage);
      await node.sync();
      const rewriting = await rewritingOf(stage);
      expect(rewriting).toMatchObject({ total: 1, refs: [{ name: ref, expected, found }] });
      await expect(accept([{ assetId: asset('new') }])).rejects.toMatchObject(STOPPED);
      expect(node.chain.findTip(asset('lamp'))).toMatchObject({
        commitId: commits[1],
        ownerId: 'new owner',
        position: 2,
      });
      expect(node.chain.listAssetHistory(asset('lamp'), 9)).toHaveLength(2);

      await node.sync();
      await node.sync();
      expect(errors).toHaveLength(1);
      expect(await rewritingOf(stage)).toEqual(rewriting);

      putBack(stage);
      await node.sync();
      expect(await node.status()).toMatchObject({ rewriting: null, faults: [] });
      const { groupId } = await accept([
        { assetId: asset('lamp'), predecessorPassphrase: stage.passphrase },
      ]);
      expect(await node.outcomeOf(groupId)).toEqual({ state: 'committed' });
    },
  );

  test.each(WAYS)(
    '$name is still known after a restart, also with a new index when the branch is ours',
    async ({ name, rewrite }) => {
      const stage = await openStage(makeFixture());
      const { ref } = rewrite(stage);
      await stage.node.sync();
      const before = await rewritingOf(stage);
      const again = await stage.restart();
      expect(await rewritingOf(again)).toMatchObject({
        since: before?.since,
        refs: [{ name: ref }],
      });
      await expect(again.accept([{ assetId: asset('new') }])).rejects.toMatchObject(STOPPED);
      expect(again.node.chain.findTip(asset('lamp'))?.commitId).toBe(stage.commits[1]);
      // Where the epoch branch stood, and on which commit a tag, only the index knows.
      if (name.includes('epoch branch') || name.includes('moved tag')) return;
      const blank = await stage.restart({ withoutIndex: true });
      expect(await rewritingOf(blank)).not.toBeNull();
      await expect(blank.accept([{ assetId: asset('new') }])).rejects.toMatchObject(STOPPED);
      putBack(stage);
      await blank.node.sync();
      expect(await rewritingOf(blank)).toBeNull();
    },
  );

  test('an observer says so, keeps what it knew, and goes on reading other branches', async () => {
    const fixture = makeFixture();
    const stage = await openStage(fixture, 'observer');
    fixture.deleteBranch('nfgt-lamp');
    const other = fixture.addCommit({ parents: [stage.epoch], record: record(7, 'chair') });
    fixture.setBranch('nfgt-chair', other);
    fixture.setTag(id(7), other);
    await stage.node.sync();
    const status = await stage.node.status();
    expect(status).toMatchObject({ role: 'observer', rewriting: { total: 1 }, assets: 3 });
    expect(stage.node.chain.findTip(asset('lamp'))?.position).toBe(2);
    expect(stage.node.chain.findTip(asset('chair'))?.commitId).toBe(other);
  });

  test('a foreign commit on top of ours, a new branch and a merge that ours is in are no rewriting', async () => {
    const fixture = makeFixture();
    const stage = await openStage(fixture);
    const { commits, epoch, node } = stage;
    const onTop = fixture.addCommit({ parents: [commits[1]], record: record(1) });
    fixture.setBranch('nfgt-lamp', onTop);
    fixture.setTag(id(1), onTop);
    const desk = stage.index.findBranchCommit(asset('desk'))!;
    const side = fixture.addCommit({ parents: [epoch], record: record(3, 'desk') });
    const merge = fixture.addCommit({ parents: [side, desk], record: record(2, 'desk') });
    fixture.setBranch('nfgt-desk', merge);
    fixture.setBranch('unrelated', side);
    fixture.setTag('v1', side);
    await node.sync();
    await node.sync();
    expect(await rewritingOf(stage)).toBeNull();
    expect(node.chain.findTip(asset('lamp'))?.commitId).toBe(onTop);
  });
});

describe('what waits when the chain is rewritten', () => {
  let remote: MemoryRemote;
  let fixture: ReturnType<typeof memoryFixture>;

  beforeEach(() => {
    fixture = memoryFixture();
    ({ remote } = fixture);
  });

  test('stays pending while the stop lasts, however often the remote is asked, and is committed after it', async () => {
    const stage = await openStage(fixture);
    const { node, accept, commits } = stage;
    fixture.setBranch('nfgt-lamp', commits[0]);
    const lamp = await accept([
      { assetId: asset('lamp'), predecessorPassphrase: stage.passphrase },
    ]);
    // The refused push is what makes the node look.
    await until(async () => (await rewritingOf(stage)) !== null);
    const { pushes } = remote;
    for (let n = 0; n < 5; n += 1) {
      await delay(50);
      await node.sync();
    }
    expect(await node.status()).toMatchObject({ pending: 1 });
    expect(remote.pushes).toBe(pushes);
    putBack(stage);
    await node.sync();
    expect(await node.outcomeOf(lamp.groupId)).toEqual({ state: 'committed' });
  });

  test('survives a restart as pending, and what was accepted before is pushed once all is put back', async () => {
    const stage = await openStage(fixture);
    fixture.deleteBranch('nfgt-lamp');
    const lamp = await stage.accept([
      { assetId: asset('lamp'), predecessorPassphrase: stage.passphrase },
    ]);
    await until(async () => (await rewritingOf(stage)) !== null);
    const again = await stage.restart();
    await delay(100);
    expect(await again.node.status()).toMatchObject({ pending: 1, rewriting: { total: 1 } });
    putBack(stage);
    await again.node.sync();
    expect(await again.node.outcomeOf(lamp.groupId)).toEqual({ state: 'committed' });
  });

  test.each(['only its branch', 'its branch and its tag'])(
    'and had reached the remote, whose answer got lost, is neither lost nor doubled when %s is deleted before anyone looked',
    async (what) => {
      /** Its next push lands, and its branch is deleted before the answer, which gets lost. */
      class Thief extends MemoryBeacon {
        landed: CommitId | undefined;
        isWaiting = false;

        override async push(drafts: readonly CommitDraft[]): Promise<PushResult> {
          const result = await super.push(drafts);
          const [draft] = drafts;
          if (!this.isWaiting || draft === undefined) return result;
          this.isWaiting = false;
          this.landed = remote.branches.get(branchOf(draft.assetId));
          fixture.deleteBranch(branchOf(draft.assetId));
          if (what !== 'only its branch') fixture.deleteTag(draft.transactionId);
          return { outcome: 'unknown', reason: 'the answer was lost' };
        }
      }
      const thief = new Thief(remote);
      const stage = await openStage({ ...fixture, open: () => Promise.resolve(thief) });
      const { node, accept } = stage;
      thief.isWaiting = true;
      const { groupId, transactionIds } = await accept([
        { assetId: asset('lamp'), predecessorPassphrase: stage.passphrase },
      ]);
      const transactionId = transactionIds[0] as TransactionId;
      await until(async () => (await rewritingOf(stage)) !== null);
      expect(await node.findState(transactionId)).toMatchObject({ state: 'pending' });
      putBack(stage);
      await node.sync();
      expect(await node.outcomeOf(groupId)).toEqual({ state: 'committed' });
      // The very same commit: nothing was made twice.
      expect(remote.branches.get('nfgt-lamp')).toBe(thief.landed);
      expect(remote.tags.get(transactionId)).toBe(thief.landed);
    },
  );

  test('and was answered as committed stays committed when its branch is deleted before the next sync', async () => {
    const stage = await openStage(fixture);
    const { node, accept } = stage;
    const { groupId } = await accept([{ assetId: asset('chair') }]);
    expect(await node.outcomeOf(groupId)).toEqual({ state: 'committed' });
    fixture.deleteBranch('nfgt-chair');
    await node.sync();
    expect(await rewritingOf(stage)).toMatchObject({ refs: [{ name: 'nfgt-chair' }] });
    expect(await node.outcomeOf(groupId)).toEqual({ state: 'committed' });
    expect(node.chain.findTip(asset('chair'))).toBeDefined();
  });
});

describe('a remote that only seems rewritten', () => {
  /** Shows a listing of a test's making once, and the true one after it. */
  class CutBeacon extends MemoryBeacon {
    cut: (() => Awaited<ReturnType<MemoryBeacon['advertise']>>) | undefined;

    override async advertise(): ReturnType<MemoryBeacon['advertise']> {
      const { cut } = this;
      this.cut = undefined;
      const whole = await super.advertise();
      return cut?.() ?? whole;
    }
  }

  test('because one listing was cut short stops nothing', async () => {
    const remote = new MemoryRemote();
    const beacon = new CutBeacon(remote);
    const stage = await openStage({ ...memoryFixture(), open: () => Promise.resolve(beacon) });
    beacon.cut = () => ({ branches: new Map([['main', remote.epoch]]), tags: new Map() });
    await stage.node.sync();
    expect(await rewritingOf(stage)).toBeNull();
    expect(stage.errors).toEqual([]);
  });

  test('because it is away stops nothing, and ends no stop', async () => {
    const fixture = memoryFixture();
    const stage = await openStage(fixture);
    fixture.remote.unreachable = true;
    await expect(stage.node.sync()).rejects.toMatchObject({ code: 'BEACON_UNREACHABLE' });
    expect(await rewritingOf(stage)).toBeNull();
    fixture.remote.unreachable = false;
    fixture.deleteBranch('nfgt-lamp');
    await stage.node.sync();
    fixture.remote.unreachable = true;
    await expect(stage.node.sync()).rejects.toMatchObject({ code: 'BEACON_UNREACHABLE' });
    expect(await rewritingOf(stage)).not.toBeNull();
  });
});

test('an empty repository where the chain was is named as what it is, and gets nothing from us', async () => {
  const fixture = memoryFixture();
  const stage = await openStage(fixture);
  fixture.remote.branches.clear();
  fixture.remote.tags.clear();
  await stage.node.sync();
  expect(await rewritingOf(stage)).toMatchObject({ total: 6 });
  await expect(stage.accept([{ assetId: asset('new') }])).rejects.toMatchObject(STOPPED);
  const again = await stage.restart();
  expect(await again.node.status()).toMatchObject({ rewriting: { total: 6 }, assets: 2 });
  expect(fixture.remote.branches.size).toBe(0);
});

test('a rewriting that comes and goes is told each time, and one that grows tells what is new', async () => {
  const fixture = memoryFixture();
  const stage = await openStage(fixture);
  const told: (keyof NodeEvents)[] = [];
  for (const name of ['chain-rewritten', 'chain-restored'] as const) {
    stage.node.on(name, () => void told.push(name));
  }
  fixture.deleteBranch('nfgt-lamp');
  await stage.node.sync();
  await stage.node.sync();
  const desk = stage.index.findBranchCommit(asset('desk'))!;
  fixture.deleteBranch('nfgt-desk');
  await stage.node.sync();
  fixture.setBranch('nfgt-desk', desk);
  putBack(stage);
  await stage.node.sync();
  expect(told).toEqual(['chain-rewritten', 'chain-rewritten', 'chain-restored']);
  expect(stage.errors).toHaveLength(2);
});

describe('an attacker with a late tag', () => {
  /** An untagged commit on top of ours makes every node read the branch anew once its tag is there. */
  async function lure(): Promise<Stage & { readonly bait: CommitId }> {
    const fixture = memoryFixture();
    const stage = await openStage(fixture);
    const bait = fixture.addCommit({ parents: [stage.commits[1]], record: record(1) });
    fixture.setBranch('nfgt-lamp', bait);
    await stage.node.sync();
    expect(stage.node.chain.findTip(asset('lamp'))?.position).toBe(2);
    return { ...stage, bait };
  }

  test('whose branch moves to another history in the same moment takes nothing from us', async () => {
    const stage = await lure();
    const { fixture, epoch } = stage;
    const other = fixture.addCommit({ parents: [epoch], record: record(2) });
    fixture.setTag(id(1), stage.bait);
    fixture.setTag(id(2), other);
    fixture.setBranch('nfgt-lamp', other);
    await stage.node.sync();
    await stage.node.sync();
    expect(stage.node.chain.findTip(asset('lamp'))?.commitId).toBe(stage.commits[1]);
    expect(await rewritingOf(stage)).toMatchObject({ refs: [{ name: 'nfgt-lamp', found: other }] });
  });

  test('who deletes our tag in the same moment does not make us forget its transaction', async () => {
    const stage = await lure();
    const { fixture, transactionIds } = stage;
    fixture.setTag(id(1), stage.bait);
    fixture.deleteTag(transactionIds[1]!);
    await stage.node.sync();
    expect(stage.node.chain.findTransaction(transactionIds[1] as TransactionId)).toBeDefined();
    expect(await rewritingOf(stage)).toMatchObject({ refs: [{ name: transactionIds[1] }] });
    fixture.setTag(transactionIds[1]!, stage.commits[1]);
    await stage.node.sync();
    expect(await rewritingOf(stage)).toBeNull();
    expect(stage.node.chain.findTip(asset('lamp'))).toMatchObject({
      commitId: stage.bait,
      position: 3,
    });
  });
});

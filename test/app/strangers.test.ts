// Strangers with the right to push, and a remote that dies half-way: whatever they leave, rows and chain agree again.
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { CommitDraft, PushResult } from '../../src/chain/beacon.ts';
import { branchOf } from '../../src/chain/refs.ts';
import type { AssetId, CommitId, TransactionId } from '../../src/shared/ids.ts';
import { MemoryBeacon, MemoryRemote, moveByStranger } from '../support/beacon-memory.ts';
import { newKey, openTestApp, person, type TestApp } from '../support/open-test-app.ts';
import { until } from '../support/until.ts';

let remote: MemoryRemote;
let open: TestApp[];
const [anna, ben] = [person(0), person(1)];

beforeEach(() => {
  remote = new MemoryRemote();
  open = [];
});

afterEach(async () => {
  for (const each of open) await each.close();
});

type Push = (drafts: readonly CommitDraft[]) => Promise<PushResult>;
type Script = (drafts: readonly CommitDraft[], push: Push) => Promise<PushResult>;

const DECLINED = { outcome: 'refused', stale: [], reason: 'declined', retryable: false } as const;

/** A remote whose next push, or every one from now on, a test takes into its own hands. */
class ScriptedBeacon extends MemoryBeacon {
  next: Script | undefined;
  always: Script | undefined;

  override async push(drafts: readonly CommitDraft[]): Promise<PushResult> {
    const script = this.next ?? this.always;
    this.next = undefined;
    const push: Push = (each) => super.push(each);
    return script === undefined ? push(drafts) : script(drafts, push);
  }
}

/** Anna has coins and two pens. */
async function openOne(): Promise<TestApp & { readonly beacon: ScriptedBeacon }> {
  const beacon = new ScriptedBeacon(remote);
  const house = await openTestApp(remote, { beacon });
  open.push(house);
  await house.app.daily({ key: newKey(), member: anna });
  for (const assetId of ['pen-0', 'pen-1']) {
    await house.app.mint({ key: newKey(), member: anna, assetId });
    await house.settled();
  }
  return { ...house, beacon };
}

const holderOf = ({ database }: TestApp, assetId: string) =>
  database.read(
    async ({ settlements }) => (await settlements.findHolding(assetId as AssetId))?.holder,
  );

describe('an asset that a stranger moves', () => {
  test('while it is in an open trade leaves the offer, and the trade neither sticks nor settles', async () => {
    const house = await openOne();
    const { app } = house;
    await app.startTrade({ key: newKey(), from: anna, to: ben });
    await app.addToTrade({ member: anna, assetId: 'pen-0' });
    const { trade } = await app.addToTrade({ member: anna, assetId: 'pen-1' });
    const expected = { tradeId: trade.tradeId, version: trade.version };
    for (const member of [anna, ben]) await app.lockTrade({ member, expected });
    moveByStranger(remote, 'pen-0');
    await house.node.sync();
    await delay(10);
    await app.confirmTrade({ member: anna, other: undefined, expected });
    await expect(
      app.confirmTrade({ member: ben, other: undefined, expected }),
    ).rejects.toMatchObject({ code: 'TRADE_UNFUNDED' });
    await app.removeFromTrade({ member: anna, assetId: 'pen-0' });
    const { trade: changed } = await app.showTrade(anna.memberId);
    const anew = { tradeId: changed.tradeId, version: changed.version };
    for (const member of [anna, ben]) await app.lockTrade({ member, expected: anew });
    for (const member of [anna, ben]) {
      await app.confirmTrade({ member, other: undefined, expected: anew });
    }
    await house.settled();
    expect(await holderOf(house, 'pen-1')).toBe(ben.memberId);
    expect(await app.audit()).toMatchObject({ findings: [], counts: { reservations: 0 } });
  });

  test('on top of our own transaction, before its rows are settled, leaves custody', async () => {
    const house = await openOne();
    house.beacon.next = async (drafts, push) => {
      await push(drafts);
      moveByStranger(remote, 'pen-0');
      return { outcome: 'unknown', reason: 'the answer was lost' };
    };
    await house.app.gift({ key: newKey(), from: anna, to: ben, assetId: 'pen-0' });
    await house.settled();
    expect(await house.app.audit()).toMatchObject({ findings: [], counts: { reservations: 0 } });
    expect(await holderOf(house, 'pen-0')).toBeUndefined();
  });
});

describe('a stranger who takes the id of a transaction of ours', () => {
  test('for an asset of their own voids it, and the holder keeps the asset and can give it away', async () => {
    const house = await openOne();
    let taken: TransactionId | undefined;
    house.beacon.next = ([draft]) => {
      if (draft === undefined) throw new Error('nothing was pushed');
      taken = draft.transactionId;
      moveByStranger(remote, 'of-a-stranger', taken);
      return Promise.resolve({ outcome: 'unknown', reason: 'the answer was lost' });
    };
    await house.app.gift({ key: newKey(), from: anna, to: ben, assetId: 'pen-0' });
    await house.settled();
    expect(await holderOf(house, 'pen-0')).toBe(anna.memberId);
    expect(await house.node.findState(taken!)).toEqual({
      state: 'rejected',
      reason: 'CHAIN_ADVANCED',
    });
    await house.app.gift({ key: newKey(), from: anna, to: ben, assetId: 'pen-0' });
    await house.settled();
    expect(await holderOf(house, 'pen-0')).toBe(ben.memberId);
    expect(await house.app.audit()).toMatchObject({ findings: [], counts: { reservations: 0 } });
  });

  test('to move an asset of ours takes it out of custody, and freezes nothing else', async () => {
    const house = await openOne();
    let ours: TransactionId | undefined;
    house.beacon.next = ([draft]) => {
      ours = draft?.transactionId;
      return Promise.resolve({ outcome: 'refused', stale: [], reason: 'no', retryable: false });
    };
    await house.app.gift({ key: newKey(), from: anna, to: ben, assetId: 'pen-0' });
    await house.settled();
    moveByStranger(remote, 'pen-0', ours);
    await house.node.sync();
    await delay(10);
    await house.settled();
    expect(await holderOf(house, 'pen-0')).toBeUndefined();
    expect(await house.app.audit()).toMatchObject({ findings: [], counts: { reservations: 0 } });
    await house.app.gift({ key: newKey(), from: anna, to: ben, assetId: 'pen-1' });
    await house.settled();
    expect(await holderOf(house, 'pen-1')).toBe(ben.memberId);
  });
});

describe('a group of which the remote kept one half', () => {
  /** Anna trades both pens to Ben, and the remote dies in the middle: it has kept the first. */
  async function tradeHalf(
    { isTagged, always }: { readonly isTagged: boolean; readonly always?: Script },
    thenStranger: () => void,
  ) {
    const house = await openOne();
    let half: CommitDraft | undefined;
    const { app } = house;
    await app.startTrade({ key: newKey(), from: anna, to: ben });
    await app.addToTrade({ member: anna, assetId: 'pen-0' });
    const { trade } = await app.addToTrade({ member: anna, assetId: 'pen-1' });
    const expected = { tradeId: trade.tradeId, version: trade.version };
    for (const member of [anna, ben]) await app.lockTrade({ member, expected });
    house.beacon.next = ([first]) => {
      if (first === undefined) throw new Error('nothing was pushed');
      half = first;
      const commit = remote.addDraft(first);
      remote.branches.set(branchOf(first.assetId), commit);
      if (isTagged) remote.tags.set(first.transactionId, commit);
      thenStranger();
      house.beacon.always = always;
      // Nothing of it is in the air any more.
      return Promise.resolve({ outcome: 'refused', stale: [], reason: 'died', retryable: true });
    };
    for (const member of [anna, ben]) {
      await app.confirmTrade({ member, other: undefined, expected });
    }
    await house.settled();
    await delay(10);
    if (half === undefined) throw new Error('nothing was pushed');
    return { house, half, tradeState: (await app.getTrade(trade.tradeId)).trade.state };
  }

  test.each([
    ['with its tag', true],
    ['without its tag', false],
  ])(
    '%s, is voided when a stranger takes the other, and what reached the chain is kept as the chain has it',
    async (_how, isTagged) => {
      const { house, tradeState } = await tradeHalf({ isTagged }, () =>
        moveByStranger(remote, 'pen-1'),
      );
      expect(tradeState).toBe('failed');
      const { app, node } = house;
      expect(await app.audit()).toMatchObject({ findings: [], counts: { reservations: 0 } });
      expect(await holderOf(house, 'pen-0')).toBe(ben.memberId);
      expect(await holderOf(house, 'pen-1')).toBeUndefined();
      const tip = remote.branches.get(branchOf('pen-0' as AssetId));
      expect(node.chain.findTip('pen-0' as AssetId)?.commitId).toBe(tip);
      expect([...remote.tags.values()]).toContain(tip);
      await app.gift({ key: newKey(), from: ben, to: anna, assetId: 'pen-0' });
      await house.settled();
      expect(await holderOf(house, 'pen-0')).toBe(anna.memberId);
    },
  );

  test.each([
    ['for good', DECLINED],
    ['for no named reason', { ...DECLINED, retryable: true }],
  ])(
    'that the remote refuses %s to complete, is voided all the same, and followed once its tag is there',
    async (_how, refusal) => {
      const always: Script = (drafts, push) =>
        drafts.some(({ assetId }) => assetId === 'pen-0') ? Promise.resolve(refusal) : push(drafts);
      const { house, half, tradeState } = await tradeHalf({ isTagged: false, always }, () =>
        moveByStranger(remote, 'pen-1'),
      );
      expect(tradeState).toBe('failed');
      expect(await holderOf(house, 'pen-0')).toBe(anna.memberId);
      house.beacon.always = undefined;
      remote.tags.set(half.transactionId, remote.branches.get(branchOf(half.assetId))!);
      await house.node.sync();
      await until(async () => (await holderOf(house, 'pen-0')) === ben.memberId);
      const { app } = house;
      expect(await app.audit()).toMatchObject({ findings: [], counts: { reservations: 0 } });
      await app.gift({ key: newKey(), from: ben, to: anna, assetId: 'pen-0' });
      await house.settled();
      expect(await holderOf(house, 'pen-0')).toBe(anna.memberId);
    },
    120_000,
  );

  test('which a stranger then moves on, is brought to its end without it', async () => {
    const { house, tradeState } = await tradeHalf({ isTagged: true }, () =>
      moveByStranger(remote, 'pen-0'),
    );
    expect(tradeState).toBe('settled');
    expect(await holderOf(house, 'pen-0')).toBeUndefined();
    expect(await holderOf(house, 'pen-1')).toBe(ben.memberId);
    expect(await house.app.audit()).toMatchObject({ findings: [], counts: { reservations: 0 } });
  });
});

describe('a commit of ours whose group was given up', () => {
  /** A gift of Anna's to Ben, of which the remote keeps the commit under something else, and no tag. */
  async function buried(pile: (commit: CommitId) => CommitId) {
    const house = await openOne();
    let kept: { readonly id: TransactionId; readonly commit: CommitId } | undefined;
    house.beacon.next = ([draft]) => {
      if (draft === undefined) throw new Error('nothing was pushed');
      const commit = remote.addDraft(draft);
      kept = { id: draft.transactionId, commit };
      remote.branches.set(branchOf(draft.assetId), pile(commit));
      return Promise.resolve({ outcome: 'unknown', reason: 'the remote died' });
    };
    const key = newKey();
    await house.app.gift({ key, from: anna, to: ben, assetId: 'pen-0' });
    await house.settled();
    const { settlement } = await house.app.gift({ key, from: anna, to: ben, assetId: 'pen-0' });
    if (kept === undefined) throw new Error('nothing was pushed');
    return { house, settlement, ...kept };
  }

  test('and that a stranger built on is followed when its tag comes', async () => {
    const { house, settlement, id, commit } = await buried((parent) =>
      remote.addCommit({ parents: [parent], record: undefined, message: 'junk' }),
    );
    expect(settlement.state).toBe('voided');
    expect(await holderOf(house, 'pen-0')).toBe(anna.memberId);
    remote.tags.set(id, commit);
    await house.node.sync();
    await until(async () => (await holderOf(house, 'pen-0')) === ben.memberId);
    expect((await house.app.audit()).findings).toEqual([]);
    await house.app.gift({ key: newKey(), from: ben, to: anna, assetId: 'pen-0' });
    await house.settled();
    expect(await holderOf(house, 'pen-0')).toBe(anna.memberId);
  });

  test('and that a stranger merged into something else holds nothing up', async () => {
    const { house, settlement } = await buried((ours) => {
      const other = remote.addCommit({ parents: [remote.epoch], record: undefined, message: 'x' });
      return remote.addCommit({ parents: [other, ours], record: undefined, message: 'merge' });
    });
    expect(settlement.state).toBe('voided');
    expect((await house.app.audit()).counts).toMatchObject({ reservations: 0 });
    await house.app.gift({ key: newKey(), from: anna, to: ben, assetId: 'pen-1' });
    await house.settled();
    expect(await holderOf(house, 'pen-1')).toBe(ben.memberId);
  });

  test('and that a stranger copied to another branch holds nothing up', async () => {
    const { house, settlement } = await buried((ours) => {
      const { record } = remote.commits.get(ours)!;
      const copy = remote.addCommit({ parents: [remote.epoch], record });
      remote.branches.set('nfgt-zzz', copy);
      remote.branches.set('nfgt-pen-0', ours);
      moveByStranger(remote, 'pen-0');
      return remote.branches.get('nfgt-pen-0')!;
    });
    expect(settlement.state).toBe('voided');
    expect(house.node.chain.findTip('zzz' as AssetId)).toBeUndefined();
  });
});

describe('a hand-over anew that the remote declines', () => {
  test('is tried again with growing pauses, for every try leaves its rows', async () => {
    const house = await openOne();
    const { database, beacon } = house;
    beacon.always = () => Promise.resolve(DECLINED);
    await database.transaction(async ({ redeliveries, settlements }) => {
      for (const { assetId, holder, transactionId } of await settlements.listAllHoldings()) {
        const tipTransactionId = transactionId;
        await redeliveries.putRedelivery({ assetId, holder, tipTransactionId, owedSince: 1 });
      }
    });
    const rows = async (): Promise<number> =>
      (await database.read(({ vault }) => vault.listAll())).length;
    const before = await rows();
    const owed = (await database.read(({ redeliveries }) => redeliveries.listRedeliveries()))
      .length;
    for (let round = 0; round < 20; round += 1) {
      await house.app.audit();
      await house.settled();
    }
    expect((await rows()) - before).toBe(owed);
  });
});

test('two clicks at once on the last confirmation show the trade on its way', async () => {
  const { app } = await openOne();
  await app.startTrade({ key: newKey(), from: anna, to: ben });
  const { trade } = await app.addToTrade({ member: anna, assetId: 'pen-0' });
  const expected = { tradeId: trade.tradeId, version: trade.version };
  for (const member of [anna, ben]) await app.lockTrade({ member, expected });
  await app.confirmTrade({ member: anna, other: undefined, expected });
  const clicks = [ben, ben, anna, ben].map((member) =>
    app.confirmTrade({ member, other: undefined, expected }),
  );
  for (const view of await Promise.all(clicks)) expect(view.trade.version).toBe(trade.version);
  expect((await app.getTrade(trade.tradeId)).settlement).toBeDefined();
});

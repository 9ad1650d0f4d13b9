// Strangers with the right to push, and a remote that dies half-way: whatever they leave, rows and chain agree again.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import BetterSqlite3 from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Advertisement, CommitDraft, PushResult } from '../../src/chain/beacon.ts';
import { branchOf } from '../../src/chain/refs.ts';
import type { AssetId, CommitId, TransactionId } from '../../src/shared/ids.ts';
import { MemoryBeacon, MemoryRemote, moveByStranger } from '../support/beacon-memory.ts';
import { newKey, openTestApp, person, type TestApp } from '../support/open-test-app.ts';
import { tempDir } from '../support/temp-dir.ts';
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
  /** Branches that the next look shows, and no other. */
  glimpse: ReadonlyMap<string, CommitId> | undefined;

  override async advertise(): Promise<Advertisement> {
    const seen = await super.advertise();
    const { glimpse = [] } = this;
    this.glimpse = undefined;
    return { ...seen, branches: new Map([...seen.branches, ...glimpse]) };
  }

  override async push(drafts: readonly CommitDraft[]): Promise<PushResult> {
    const script = this.next ?? this.always;
    this.next = undefined;
    const push: Push = (each) => super.push(each);
    return script === undefined ? push(drafts) : script(drafts, push);
  }
}

type House = TestApp & { readonly beacon: ScriptedBeacon };

/** Anna has coins and two pens. */
async function openOne(options: Parameters<typeof openTestApp>[1] = {}): Promise<House> {
  const beacon = new ScriptedBeacon(remote);
  const house = await openTestApp(remote, { beacon, ...options });
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
  const junkOn = (parent: CommitId): CommitId =>
    remote.addCommit({ parents: [parent], record: undefined, message: 'junk' });

  /** A gift of Anna's to Ben, of which the remote keeps the commit under something else, and no tag. */
  async function buried(
    pile: (commit: CommitId) => CommitId,
    options: Parameters<typeof openTestApp>[1] = {},
  ) {
    const house = await openOne({ latePushMs: 200, ...options });
    let kept: { readonly id: TransactionId; readonly commit: CommitId } | undefined;
    house.beacon.next = ([draft]) => {
      if (draft === undefined) throw new Error('nothing was pushed');
      const commit = remote.addDraft(draft);
      kept = { id: draft.transactionId, commit };
      remote.branches.set(branchOf(draft.assetId), pile(commit));
      // To be blamed five times would take six seconds.
      house.beacon.always = () => Promise.resolve(DECLINED);
      return Promise.resolve({ outcome: 'unknown', reason: 'the remote died' });
    };
    const key = newKey();
    await house.app.gift({ key, from: anna, to: ben, assetId: 'pen-0' });
    await house.settled();
    house.beacon.always = undefined;
    const { settlement } = await house.app.gift({ key, from: anna, to: ben, assetId: 'pen-0' });
    if (kept === undefined) throw new Error('nothing was pushed');
    return { house, settlement, ...kept };
  }

  test('and that a stranger built on is followed when its tag comes', async () => {
    const { house, settlement, id, commit } = await buried(junkOn);
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

  test('is followed also when another movement was under way as its tag came', async () => {
    const { house, id, commit } = await buried(junkOn);
    house.beacon.next = () => {
      remote.tags.set(id, commit);
      return Promise.resolve(DECLINED);
    };
    await house.app.gift({ key: newKey(), from: anna, to: person(2), assetId: 'pen-0' });
    await house.settled();
    await until(async () => (await holderOf(house, 'pen-0')) === ben.memberId);
    expect((await house.app.audit()).findings).toEqual([]);
  });

  test('is not followed where it was not made for: on top of what came later', async () => {
    const { house, id, commit } = await buried(junkOn);
    await house.node.sync();
    await house.app.gift({ key: newKey(), from: anna, to: person(2), assetId: 'pen-0' });
    await house.settled();
    expect(await holderOf(house, 'pen-0')).toBe(person(2).memberId);
    const { record } = remote.commits.get(commit)!;
    const replay = remote.addCommit({ parents: [remote.branches.get('nfgt-pen-0')!], record });
    remote.branches.set('nfgt-pen-0', replay);
    remote.tags.set(id, replay);
    await house.node.sync();
    await until(async () => (await holderOf(house, 'pen-0')) === undefined);
    expect((await house.app.audit()).findings).toEqual([]);
  });

  test('holds up no other asset when its passphrase does not open', async () => {
    const folder = tempDir();
    const { house, id, commit } = await buried(junkOn, { folder });
    const rows = new BetterSqlite3(join(folder, 'state.sqlite'));
    rows.exec('DROP TRIGGER vault_entries_forward');
    rows
      .prepare(
        `UPDATE vault_entries SET sealed = (SELECT sealed FROM vault_entries
           WHERE transaction_id <> ? LIMIT 1) WHERE transaction_id = ?`,
      )
      .run(id, id);
    rows.close();
    remote.tags.set(id, commit);
    await house.node.sync();
    const { findings } = await house.app.audit();
    expect(findings.every(({ assetId }) => assetId === 'pen-0')).toBe(true);
    await house.app.gift({ key: newKey(), from: anna, to: ben, assetId: 'pen-1' });
    await house.settled();
    expect(await holderOf(house, 'pen-1')).toBe(ben.memberId);
    await house.close();
    open = [await openTestApp(remote, { folder })];
  });

  test('is missed, once it was followed, when the chain loses it, also without an index', async () => {
    const folder = tempDir();
    const { house, id, commit } = await buried(junkOn, { folder });
    remote.tags.set(id, commit);
    await house.node.sync();
    await until(async () => (await holderOf(house, 'pen-0')) === ben.memberId);
    await house.close();
    for (const end of ['', '-wal', '-shm']) {
      rmSync(join(folder, `index.sqlite${end}`), { force: true });
    }
    remote.branches.set('nfgt-pen-0', remote.commits.get(commit)!.parents[0]!);
    remote.tags.delete(id);
    const again = await openTestApp(remote, { folder });
    open = [again];
    expect((await again.node.status()).rewriting).not.toBeNull();
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

describe('a branch that shows something else while nobody knows whether our push arrived', () => {
  const unrelated = (): CommitId =>
    remote.addCommit({ parents: [remote.epoch], record: undefined, message: 'junk' });

  /** Anna sells a pen to Ben. */
  async function sell(script: (house: House) => Script) {
    const house = await openOne();
    const { app } = house;
    await app.daily({ key: newKey(), member: ben });
    await app.startTrade({ key: newKey(), from: anna, to: ben });
    await app.addToTrade({ member: anna, assetId: 'pen-0' });
    const { trade } = await app.setTradeCoins({ member: ben, amount: '100' });
    const expected = { tradeId: trade.tradeId, version: trade.version };
    for (const member of [anna, ben]) await app.lockTrade({ member, expected });
    house.beacon.next = script(house);
    for (const member of [anna, ben]) {
      await app.confirmTrade({ member, other: undefined, expected });
    }
    return { house, stateOf: async () => (await app.getTrade(trade.tradeId)).trade.state };
  }

  const expectSold = async ({ app, ...house }: House): Promise<void> => {
    await house.settled();
    expect(await holderOf({ app, ...house }, 'pen-0')).toBe(ben.memberId);
    expect(await app.balance(anna.memberId)).toBe(1_100);
    expect(await app.balance(ben.memberId)).toBe(900);
  };

  test('because it was rewritten ends nothing: it is settled when the branch is put back', async () => {
    let ours: CommitId | undefined;
    const { house, stateOf } = await sell(() => async (drafts, push) => {
      await push(drafts);
      ours = remote.branches.get('nfgt-pen-0');
      remote.branches.set('nfgt-pen-0', unrelated());
      return { outcome: 'unknown', reason: 'the answer was lost' };
    });
    await until(async () => (await house.node.status()).rewriting !== null);
    await delay(500);
    expect(await stateOf()).toBe('settling');
    remote.branches.set('nfgt-pen-0', ours!);
    await house.node.sync();
    await expectSold(house);
  });

  test('in one look alone ends nothing: it is settled when the push arrives', async () => {
    let arrive: (() => Promise<PushResult>) | undefined;
    const { house, stateOf } = await sell(({ beacon }) => (drafts, push) => {
      arrive = () => push(drafts);
      beacon.glimpse = new Map([['nfgt-pen-0', unrelated()]]);
      beacon.always = () => Promise.resolve({ ...DECLINED, retryable: true });
      return Promise.resolve({ outcome: 'unknown', reason: 'the answer was lost' });
    });
    await delay(500);
    expect(await stateOf()).toBe('settling');
    await arrive!();
    house.beacon.always = undefined;
    await expectSold(house);
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

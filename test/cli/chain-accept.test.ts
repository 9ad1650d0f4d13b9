// `aibot chain accept`: gives up exactly what was shown, in one step, and everything that the bot still moves stays whole.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { encodeRecord, recordDigest } from '../../src/chain/record.ts';
import { branchOf } from '../../src/chain/refs.ts';
import { hashPassphrase } from '../../src/chain/succession.ts';
import { ACCEPT_STEPS, acceptFromOutside, type AcceptReport } from '../../src/cli/chain-accept.ts';
import type { Person } from '../../src/app/app.ts';
import { memberAccount } from '../../src/ledger/ledger-store.ts';
import type {
  AssetId,
  CommitId,
  IdempotencyKey,
  MemberId,
  OwnerId,
  TransactionId,
} from '../../src/shared/ids.ts';
import { parseConfig } from '../../src/config.ts';
import { Closers, openBareNode, openCore } from '../../src/core.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { sshFixture } from '../support/beacon-git.ts';
import { asset } from '../support/open-test-node.ts';
import {
  EMPTY_GUYACHA,
  HOUSE_GUYACHA,
  openRealHouse,
  takeSnapshot,
  type RealHouse,
} from '../support/real-house.ts';
import { beforeRemoval, git, tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const AIBOT = new URL('../../dist/program/src/cli/aibot.js', import.meta.url).pathname;
const [ANN, BEN, CAL] = ['101', '102', '103'].map((id): Person => ({
  memberId: id as MemberId,
  name: `m${id}`,
  pictureUrl: undefined,
  isBot: false,
})) as [Person, Person, Person];

let dataDir: string;
let keys = 0;

beforeEach(() => {
  if (!existsSync(AIBOT)) throw new Error('run `npm run build` first');
  dataDir = join(tempDir(), 'data');
});

const newKey = (): IdempotencyKey => `test:${(keys += 1)}` as IdempotencyKey;
const beacon = (...args: string[]): string => git(join(dataDir, 'beacon.git'), args);

async function openHouse(guyacha = EMPTY_GUYACHA): Promise<RealHouse> {
  const house = await openRealHouse({ dataDir, guyacha });
  beforeRemoval(() => house.close());
  return house;
}

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real command, in a process of its own. */
const aibot = (...args: string[]): Promise<Ran> => aibotIn({ DATA_DIR: dataDir }, ...args);

async function aibotIn(
  settings: Readonly<Record<string, string>>,
  ...args: string[]
): Promise<Ran> {
  const env = { PATH: process.env['PATH'], ...settings };
  const child = spawn(process.execPath, [AIBOT, ...args], { cwd: tempDir(), env });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, stdout, stderr };
}

async function shown(): Promise<AcceptReport> {
  const { code, stdout, stderr } = await aibot('chain', 'accept', '--json');
  expect({ code, stderr }).toMatchObject({ code: 65 });
  return JSON.parse(stdout) as AcceptReport;
}

/** Shows and accepts, as an operator would. */
async function accept(): Promise<AcceptReport> {
  const before = await shown();
  const { code, stdout, stderr } = await aibot('chain', 'accept', '--json', '--yes', before.digest);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const report = JSON.parse(stdout) as AcceptReport;
  expect(report).toEqual({ ...before, isAccepted: true });
  return report;
}

const tipOf = (house: RealHouse, assetId: AssetId) => {
  const tip = house.core.node.chain.findTip(assetId);
  if (tip === undefined) throw new Error(`${assetId} is not on the chain`);
  return tip;
};

const holderOf = async ({ core }: RealHouse, assetId: AssetId) =>
  (await core.database.read(({ settlements }) => settlements.findHolding(assetId)))?.holder;

async function gift(house: RealHouse, assetId: AssetId, from: Person, to: Person) {
  const { settlement } = await house.app.gift({ key: newKey(), from, to, assetId });
  const ended = await house.app.waitForSettlement(settlement.settlementId, 15_000);
  expect(ended.state).toBe('settled');
  return tipOf(house, assetId);
}

/** An asset that Ann was given, who gave it to Ben, who gave it to Cal: three transactions. */
async function travelled(house: RealHouse) {
  const [assetId = asset('')] = await house.grantAssets(ANN.memberId, 1);
  const tips = [
    tipOf(house, assetId),
    await gift(house, assetId, ANN, BEN),
    await gift(house, assetId, BEN, CAL),
  ] as const;
  return { assetId, ref: `refs/heads/${branchOf(assetId)}`, tips };
}

function dropIndex(): void {
  for (const end of ['', '-wal', '-shm']) {
    rmSync(join(dataDir, `index.sqlite${end}`), { force: true });
  }
}

/** An asset that was set back by one transaction, in a data directory whose bot is stopped. */
async function rewritten() {
  const house = await openHouse();
  const made = await travelled(house);
  await house.close();
  beacon('update-ref', made.ref, made.tips[1].commitId);
  return made;
}

/** A commit without a past and without a record. */
function orphan(): string {
  const repository = join(dataDir, 'beacon.git');
  const tree = git(repository, ['mktree'], '');
  return git(repository, ['commit-tree', tree, '-m', 'nothing']);
}

const newId = (): TransactionId =>
  `00000000-0000-4000-8000-${String((keys += 1)).padStart(12, '0')}` as TransactionId;

const idOf = ({ transactionId }: { readonly transactionId: TransactionId }) => ({ transactionId });

/** A commit of somebody else, with its tag. */
function foreignCommit(
  assetId: AssetId,
  parent: string,
  ownerId = 'a stranger',
  { transactionId, successorHash } = {
    transactionId: newId(),
    successorHash: hashPassphrase('not ours'),
  },
): CommitId {
  const record = encodeRecord({
    ...{ transactionId, assetId, ownerId: ownerId as OwnerId, metadata: {} },
    transactionTime: Date.now(),
    successorHash,
  });
  const repository = join(dataDir, 'beacon.git');
  const blob = git(repository, ['hash-object', '-w', '--stdin'], record);
  const others = git(repository, ['ls-tree', parent])
    .split('\n')
    .filter((line) => line !== '' && !line.endsWith('\tmetadata.json'));
  const lines = [...others, `100644 blob ${blob}\tmetadata.json`];
  const tree = git(repository, ['mktree'], `${lines.join('\n')}\n`);
  const message = recordDigest(record);
  const commit = git(repository, ['commit-tree', tree, '-p', parent, '-m', message]);
  beacon('update-ref', `refs/tags/${transactionId}`, commit);
  return commit as CommitId;
}

/** After an acceptance: clean before the start and after it, nothing is owed any more, and writing goes on. */
async function expectSound({ movedOn = false, guyacha = EMPTY_GUYACHA } = {}): Promise<RealHouse> {
  // What others have moved on while the bot was stopped is for its start to follow.
  if (!movedOn) expect(await aibot('audit')).toMatchObject({ code: 0 });
  const house = await openHouse(guyacha);
  await house.settled();
  const { rewriting } = await house.core.node.status();
  expect(rewriting).toBeNull();
  expect((await house.app.audit()).findings).toEqual([]);
  expect(house.app.listAlarms()).toEqual([]);
  const owed = await house.core.database.read(({ redeliveries }) =>
    redeliveries.listRedeliveries(),
  );
  expect(owed).toEqual([]);
  // Writing goes on, on other assets as well.
  const [other = asset('')] = await house.grantAssets(ANN.memberId, 1);
  await gift(house, other, ANN, BEN);
  return house;
}

describe('a branch that was set back', () => {
  test.each([
    ['by one', 1],
    ['by several', 0],
  ])(
    '%s: the bot hands it over anew to who has it, and it is movable again',
    async (_, keptUntil) => {
      const house = await openHouse();
      const { assetId, ref, tips } = await travelled(house);
      await house.close();
      const kept = tips[keptUntil]!;
      beacon('update-ref', ref, kept.commitId);
      const report = await accept();
      expect(report.refs).toMatchObject([{ name: branchOf(assetId), found: kept.commitId }]);
      expect(report.lost.map(({ transactionId }) => transactionId)).toEqual(
        tips.slice(keptUntil + 1).map(({ transactionId }) => transactionId),
      );
      expect(report.lost.at(-1)?.movement).toMatchObject({
        kind: 'gift',
        from: BEN.memberId,
        to: CAL.memberId,
      });
      expect(report.assets).toMatchObject([
        { assetId, outcome: 'handed-over-anew', holder: CAL.memberId, ownerId: kept.ownerId },
      ]);

      const after = await expectSound();
      expect(await holderOf(after, assetId)).toBe(CAL.memberId);
      const tip = tipOf(after, assetId);
      expect(tip.ownerId).toBe(tips[2].ownerId);
      expect(tip.position).toBe(keptUntil + 2);
      for (const { transactionId } of tips.slice(keptUntil + 1)) {
        expect(await after.core.node.findState(transactionId)).toEqual({
          state: 'rejected',
          reason: 'TRANSACTION_LOST',
        });
      }
      await gift(after, assetId, CAL, ANN);
    },
    60_000,
  );

  test('keeps the spent passphrase out of what is published', async () => {
    const house = await openHouse();
    const { assetId, ref, tips } = await travelled(house);
    await house.close();
    beacon('update-ref', ref, tips[0].commitId);
    await accept();
    const left = (await openHouse()).tables()['reveals'] as { transaction_id: string }[];
    const lost = tips.slice(1).map(({ transactionId }) => transactionId as string);
    expect(left.filter(({ transaction_id: id }) => lost.includes(id))).toEqual([]);
    expect(assetId).not.toBe('');
  });

  test('with a stranger’s branch on its commits, and no index, is handed over anew', async () => {
    const { assetId, tips } = await rewritten();
    beacon('update-ref', 'refs/heads/nfgt-0', foreignCommit(asset('0'), tips[1].commitId));
    dropIndex();
    const report = await accept();
    expect(report.assets).toMatchObject([
      { assetId, outcome: 'handed-over-anew', holder: CAL.memberId },
    ]);
    const after = await expectSound();
    expect(await holderOf(after, assetId)).toBe(CAL.memberId);
    await gift(after, assetId, CAL, ANN);
  });

  test('and put back after it was accepted, as a push that goes on from there, is followed', async () => {
    const { assetId, ref, tips } = await rewritten();
    await accept();
    beacon('update-ref', ref, tips[2].commitId);
    const after = await expectSound({ movedOn: true });
    expect(tipOf(after, assetId).transactionId).toBe(tips[2].transactionId);
    expect(await holderOf(after, assetId)).toBe(CAL.memberId);
    await after.close();

    // It counts again: losing it once more is a rewriting, whatever became of the index.
    beacon('update-ref', ref, tips[1].commitId);
    dropIndex();
    const again = await accept();
    expect(again.assets).toMatchObject([{ outcome: 'handed-over-anew', holder: CAL.memberId }]);
    const sound = await expectSound();
    expect(await holderOf(sound, assetId)).toBe(CAL.memberId);
    await gift(sound, assetId, CAL, ANN);
  });

  test('is handed over anew as soon as the beacon takes it, in a bot that runs on', async () => {
    const { assetId, tips } = await rewritten();
    await accept();
    const hook = join(dataDir, 'beacon.git', 'hooks', 'pre-receive');
    mkdirSync(dirname(hook), { recursive: true });
    writeFileSync(hook, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const after = await openHouse();
    await after.settled();
    expect(tipOf(after, assetId).transactionId).toBe(tips[1].transactionId);
    rmSync(hook);
    await until(() => Promise.resolve(tipOf(after, assetId).ownerId === tips[2].ownerId), 60_000);
    await after.settled();
    expect(await holderOf(after, assetId)).toBe(CAL.memberId);
    await gift(after, assetId, CAL, ANN);
  });

  test('twice, and accepted twice, is handed over anew twice', async () => {
    const house = await openHouse();
    const { assetId, ref, tips } = await travelled(house);
    await house.close();
    for (let round = 0; round < 2; round += 1) {
      beacon('update-ref', ref, tips[1].commitId);
      await accept();
      const after = await expectSound();
      expect(tipOf(after, assetId)).toMatchObject({ position: 3, ownerId: tips[2].ownerId });
      await after.close();
    }
  });

  test('goes on by another node from where it was accepted, and is let go as ever', async () => {
    const { assetId, ref, tips } = await rewritten();
    await accept();
    beacon('update-ref', ref, foreignCommit(assetId, tips[1].commitId));
    const after = await expectSound({ movedOn: true });
    expect(await holderOf(after, assetId)).toBeUndefined();
    expect(tipOf(after, assetId).ownerId).toBe('a stranger');
  });
});

describe('a branch', () => {
  test.each(['deleted', 'set back to the epoch'])(
    'that was %s is minted anew to who has it',
    async (how) => {
      const house = await openHouse(HOUSE_GUYACHA);
      const assetId = asset('fresh-1');
      const { settlement } = await house.app.mint({ key: newKey(), member: ANN, assetId });
      await house.app.waitForSettlement(settlement.settlementId, 15_000);
      const minted = tipOf(house, assetId);
      await gift(house, assetId, ANN, BEN);
      const epoch = house.core.beacon.epoch;
      await house.close();
      const ref = `refs/heads/${branchOf(assetId)}`;
      if (how === 'deleted') beacon('update-ref', '-d', ref);
      else beacon('update-ref', ref, epoch);
      const report = await accept();
      expect(report.lost).toHaveLength(2);
      expect(report.assets).toMatchObject([
        { assetId, outcome: 'minted-anew', holder: BEN.memberId, tipTransactionId: null },
      ]);

      const after = await expectSound({ guyacha: HOUSE_GUYACHA });
      expect(await holderOf(after, assetId)).toBe(BEN.memberId);
      expect(tipOf(after, assetId).position).toBe(1);
      expect(tipOf(after, assetId).transactionId).not.toBe(minted.transactionId);
      await gift(after, assetId, BEN, CAL);
    },
    60_000,
  );

  test('that was moved to a foreign line takes the asset out of custody, and says so', async () => {
    const house = await openHouse();
    const { assetId, ref, tips } = await travelled(house);
    const epoch = house.core.beacon.epoch;
    await house.close();
    beacon('update-ref', ref, foreignCommit(assetId, epoch));
    const report = await accept();
    expect(report.lost).toHaveLength(3);
    expect(report.assets).toMatchObject([
      { outcome: 'let-go', reason: 'foreign', holder: CAL.memberId, ownerId: 'a stranger' },
    ]);
    const after = await expectSound();
    expect(await holderOf(after, assetId)).toBeUndefined();
    expect(tipOf(after, assetId).ownerId).toBe('a stranger');
    const none = after.app.gift({ key: newKey(), from: CAL, to: ANN, assetId });
    await expect(none).rejects.toMatchObject({ code: 'ASSET_NOT_YOURS' });
    expect(tips).toHaveLength(3);
  });

  test('that names one of ours by a passphrase that is nowhere is named for that', async () => {
    const house = await openHouse();
    const { assetId, ref, tips } = await travelled(house);
    await house.close();
    beacon('update-ref', ref, foreignCommit(assetId, tips[0].commitId, tips[1].ownerId));
    const report = await accept();
    expect(report.assets).toMatchObject([
      { outcome: 'let-go', reason: 'no-passphrase', holder: CAL.memberId },
    ]);
    await expectSound();
  });

  test('whose record copies our transaction but not our hash is foreign, not ours', async () => {
    const house = await openHouse();
    const { assetId, ref, tips } = await travelled(house);
    await house.close();
    const copied = { transactionId: tips[2].transactionId, ownerId: tips[2].ownerId };
    const commit = foreignCommit(assetId, tips[1].commitId, copied.ownerId, {
      transactionId: copied.transactionId,
      successorHash: hashPassphrase('not ours'),
    });
    beacon('update-ref', ref, commit);
    const report = await accept();
    expect(report.lost.map(({ transactionId }) => transactionId)).toEqual([copied.transactionId]);
    expect(report.assets).toMatchObject([{ outcome: 'let-go', reason: 'no-passphrase' }]);
    await expectSound();
  });

  test('whose record copies our transaction and our hash for another owner is handed over anew', async () => {
    const house = await openHouse();
    const { assetId, ref, tips } = await travelled(house);
    await house.close();
    beacon('update-ref', ref, foreignCommit(assetId, tips[1].commitId, 'a thief', tips[2]));
    const report = await accept();
    expect(report.assets).toMatchObject([
      { outcome: 'handed-over-anew', holder: CAL.memberId, ownerId: 'a thief' },
    ]);
    const after = await expectSound();
    expect(tipOf(after, assetId)).toMatchObject({ ownerId: tips[2].ownerId, position: 4 });
    await gift(after, assetId, CAL, ANN);
  });

  test('that stands on something that is no chain lets the asset go', async () => {
    const house = await openHouse();
    const { assetId, ref } = await travelled(house);
    await house.close();
    beacon('update-ref', ref, orphan());
    const report = await accept();
    expect(report.assets).toMatchObject([{ assetId, outcome: 'let-go', reason: 'occupied' }]);
    await expectSound();
  });
});

describe('a tag', () => {
  test.each(['moved', 'deleted'])(
    'of the tip that was %s: the hand-over is made again',
    async (how) => {
      const house = await openHouse();
      const { assetId, tips } = await travelled(house);
      await house.close();
      const ref = `refs/tags/${tips[2].transactionId}`;
      if (how === 'moved') beacon('update-ref', ref, tips[0].commitId);
      else beacon('update-ref', '-d', ref);
      const report = await accept();
      expect(report.assets).toMatchObject([
        { outcome: 'handed-over-anew', tipTransactionId: tips[1].transactionId },
      ]);
      const after = await expectSound();
      expect(tipOf(after, assetId)).toMatchObject({ ownerId: tips[2].ownerId, position: 3 });
      await after.close();
      expect(await aibot('chain', 'show')).toMatchObject({ code: 0 });
    },
  );

  test.each(['moved', 'deleted'])(
    'of the only transaction that was %s: it is minted anew',
    async (how) => {
      const house = await openHouse();
      const [assetId = asset('')] = await house.grantAssets(ANN.memberId, 1);
      const { transactionId, ownerId, commitId } = tipOf(house, assetId);
      const epoch = house.core.beacon.epoch;
      await house.close();
      const ref = `refs/tags/${transactionId}`;
      if (how === 'moved') beacon('update-ref', ref, epoch);
      else beacon('update-ref', '-d', ref);
      const report = await accept();
      expect(report.assets).toMatchObject([
        { outcome: 'minted-anew', holder: ANN.memberId, branchCommit: commitId },
      ]);
      const after = await expectSound();
      expect(await holderOf(after, assetId)).toBe(ANN.memberId);
      expect(tipOf(after, assetId)).toMatchObject({ ownerId, position: 1 });
      await gift(after, assetId, ANN, BEN);
    },
  );

  test('from the middle that was deleted only shortens the history; its return lengthens it', async () => {
    const house = await openHouse();
    const { assetId, tips } = await travelled(house);
    await house.close();
    const ref = `refs/tags/${tips[1].transactionId}`;
    beacon('update-ref', '-d', ref);
    const report = await accept();
    expect(report.assets).toMatchObject([{ outcome: 'unchanged', holder: CAL.memberId }]);
    const after = await expectSound();
    expect(tipOf(after, assetId)).toMatchObject({ position: 2, ...idOf(tips[2]) });
    beacon('update-ref', ref, tips[1].commitId);
    await after.core.node.sync();
    expect(tipOf(after, assetId)).toMatchObject({ position: 3, ...idOf(tips[2]) });
    expect((await after.app.audit()).findings).toEqual([]);
    await gift(after, assetId, CAL, ANN);
  });

  test('that returns before the hand-over is made again is followed instead', async () => {
    const house = await openHouse();
    const { assetId, tips } = await travelled(house);
    await house.close();
    const ref = `refs/tags/${tips[2].transactionId}`;
    beacon('update-ref', '-d', ref);
    await accept();
    beacon('update-ref', ref, tips[2].commitId);
    const after = await expectSound({ movedOn: true });
    expect(tipOf(after, assetId)).toMatchObject({ position: 3, ...idOf(tips[2]) });
    await gift(after, assetId, CAL, ANN);
  });
});

describe('the epoch branch', () => {
  test.each(['moved', 'deleted'])('that was %s is refused, with the way back', async (how) => {
    const house = await openHouse();
    const { ref, tips } = await travelled(house);
    const epoch = house.core.beacon.epoch;
    await house.close();
    const before = takeSnapshot(dataDir).tables;
    if (how === 'moved') beacon('update-ref', 'refs/heads/main', orphan());
    else beacon('update-ref', '-d', 'refs/heads/main');
    beacon('update-ref', ref, tips[1].commitId);
    const refused = await aibot('chain', 'accept');
    expect(refused.code).toBe(65);
    expect(refused.stderr).toContain('The epoch branch main was rewritten');
    expect(refused.stderr).toContain(`update-ref refs/heads/main ${epoch}`);
    expect(takeSnapshot(dataDir).tables).toEqual(before);
    beacon('update-ref', 'refs/heads/main', epoch);
    await accept();
    await expectSound();
  });
});

test('what somebody is owed is minted by nobody else, neither a member nor the catalogue', async () => {
  const house = await openHouse(HOUSE_GUYACHA);
  const owed = (assetId: AssetId, holder: Person) =>
    house.core.database.transaction(({ redeliveries }) =>
      redeliveries.putRedelivery({
        ...{ assetId, holder: holder.memberId },
        ...{ tipTransactionId: null, owedSince: 1 },
      }),
    );
  const assetId = asset('fresh-1');
  await owed(assetId, BEN);
  const before = house.snapshot();
  const minted = house.app.mint({ key: newKey(), member: CAL, assetId });
  await expect(minted).rejects.toMatchObject({ code: 'NOT_MINTABLE' });
  const created = house.app.createTransaction({
    key: undefined,
    assetId,
    ownerId: 'a caller',
    metadata: {},
    passphrase: undefined,
    transactionId: undefined,
  });
  await expect(created).rejects.toMatchObject({ code: 'NOT_MINTABLE' });
  expect(house.snapshot()).toEqual(before);
});

test('what is to be handed over anew is moved by no caller of the API, who may know the passphrase', async () => {
  const house = await openHouse();
  const { assetId, tips } = await travelled(house);
  await house.core.database.transaction(({ redeliveries }) =>
    redeliveries.putRedelivery({
      ...{ assetId, holder: CAL.memberId },
      ...{ tipTransactionId: tips[2].transactionId, owedSince: 1 },
    }),
  );
  const passphrase = await house.core.database.read(async ({ vault }) => {
    const entry = await vault.findEntry(tips[2].transactionId);
    if (entry === undefined) throw new Error('the vault has no such entry');
    return house.core.vault.open(entry.sealed, entry);
  });
  const before = house.snapshot();
  const created = house.app.createTransaction({
    key: undefined,
    assetId,
    ownerId: 'a thief',
    metadata: {},
    passphrase,
    transactionId: undefined,
  });
  await expect(created).rejects.toMatchObject({ code: 'ASSET_BUSY' });
  expect(house.snapshot()).toEqual(before);
});

describe('what was settled', () => {
  /** A trade of five assets of Ann against Ben's coins. */
  async function settleTrade(house: RealHouse) {
    const assets = await house.grantAssets(ANN.memberId, 5);
    await house.grantCoins(BEN.memberId, 500);
    const { app } = house;
    const { trade } = await app.startTrade({ key: newKey(), from: ANN, to: BEN });
    const { tradeId } = trade;
    for (const assetId of assets) await app.addToTrade({ member: ANN, assetId });
    let view = await app.setTradeCoins({ member: BEN, amount: '500' });
    const step = () => ({ tradeId, version: view.trade.version });
    for (const member of [ANN, BEN]) view = await app.lockTrade({ member, expected: step() });
    for (const [member, other] of [
      [ANN, BEN],
      [BEN, ANN],
    ] as const) {
      view = await app.confirmTrade({ member, other, expected: step() });
    }
    await house.settled();
    return { assets, tradeId };
  }

  const balances = ({ core }: RealHouse) =>
    core.database.read(async ({ ledger }) => ({
      ann: await ledger.balanceOf(memberAccount(ANN.memberId)),
      ben: await ledger.balanceOf(memberAccount(BEN.memberId)),
    }));

  test('a trade of five assets of which one was set back stays whole, coins and all', async () => {
    const house = await openHouse();
    const { assets, tradeId } = await settleTrade(house);
    const before = await balances(house);
    expect(before).toEqual({ ann: 500, ben: 0 });
    const [one] = assets;
    const mint = house.core.node.chain.listAssetHistory(one!, 9).at(-1)!;
    await house.close();
    beacon('update-ref', `refs/heads/${branchOf(one!)}`, mint.commitId);
    const report = await accept();
    expect(report.lost).toMatchObject([
      { movement: { kind: 'trade', tradeId, from: ANN.memberId, to: BEN.memberId } },
    ]);
    expect(report.assets).toHaveLength(1);
    const after = await expectSound();
    expect(await balances(after)).toEqual(before);
    for (const assetId of assets) expect(await holderOf(after, assetId)).toBe(BEN.memberId);
    await gift(after, one!, BEN, CAL);
    expect((await after.app.getTrade(tradeId)).trade.state).toBe('settled');
  });

  /** Rolls until the one lamp of the banner is won. */
  async function rollLamp(house: RealHouse) {
    await house.grantCoins(ANN.memberId, 60);
    const rolled = await house.app.roll({ key: newKey(), member: ANN, count: 1, bannerId: 'rare' });
    await house.app.waitForSettlement(rolled.settlement.settlementId, 15_000);
    return asset('only-lamp');
  }

  test('a roll whose mint was lost is minted anew to the winner, and nothing is paid twice', async () => {
    const house = await openHouse(HOUSE_GUYACHA);
    const assetId = await rollLamp(house);
    await house.close();
    beacon('update-ref', '-d', `refs/heads/${branchOf(assetId)}`);
    const report = await accept();
    expect(report.assets).toMatchObject([
      { outcome: 'minted-anew', holder: ANN.memberId, refund: null },
    ]);
    const after = await expectSound({ guyacha: HOUSE_GUYACHA });
    expect(await holderOf(after, assetId)).toBe(ANN.memberId);
    expect((await balances(after)).ann).toBe(0);
    await gift(after, assetId, ANN, BEN);
  });

  test('a roll whose prize is a stranger’s now is paid back, once, on the statement', async () => {
    const house = await openHouse(HOUSE_GUYACHA);
    const assetId = await rollLamp(house);
    const { transactionId } = tipOf(house, assetId);
    const epoch = house.core.beacon.epoch;
    await house.close();
    beacon('update-ref', `refs/heads/${branchOf(assetId)}`, foreignCommit(assetId, epoch));
    const report = await accept();
    expect(report.assets).toMatchObject([
      { outcome: 'let-go', holder: ANN.memberId, refund: { amountGc: 60 } },
    ]);
    const after = await expectSound({ guyacha: HOUSE_GUYACHA });
    expect((await balances(after)).ann).toBe(60);
    const { lines } = await after.app.statement({ memberId: ANN.memberId, page: 1, pageSize: 5 });
    expect(lines[0]).toMatchObject({ code: 'correction', changeGc: 60 });
    expect(await after.core.node.findState(transactionId)).toMatchObject({ state: 'rejected' });
  });
});

describe('what was under way', () => {
  /** What would be left if the process were killed now: the rest of the test goes on from a copy. */
  async function leaveAsKilled(house: RealHouse): Promise<void> {
    expect(house.tables()['reservations']).not.toEqual([]);
    const copy = join(tempDir(), 'data');
    cpSync(dataDir, copy, { recursive: true });
    await house.close();
    dataDir = copy;
    rmSync(join(dataDir, 'beacon.git', 'hooks', 'pre-receive'));
  }

  test('was committed but not settled when the process died: it is settled first, then handed over anew', async () => {
    let copied: string | undefined;
    const house = await openRealHouse({
      dataDir,
      guyacha: EMPTY_GUYACHA,
      atStep: (step) => {
        if (step !== 'outcome-known' || !isArmed) return;
        copied ??= join(tempDir(), 'data');
        cpSync(dataDir, copied, { recursive: true });
      },
    });
    beforeRemoval(() => house.close());
    let isArmed = false;
    const [assetId = asset('')] = await house.grantAssets(ANN.memberId, 1);
    const minted = tipOf(house, assetId);
    isArmed = true;
    await gift(house, assetId, ANN, BEN);
    await house.close();
    if (copied === undefined) throw new Error('the step was not passed');
    dataDir = copied;
    beacon('update-ref', `refs/heads/${branchOf(assetId)}`, minted.commitId);
    const report = await accept();
    expect(report.ended).toEqual([]);
    expect(report.assets).toMatchObject([{ outcome: 'handed-over-anew', holder: BEN.memberId }]);
    const after = await expectSound();
    expect(await holderOf(after, assetId)).toBe(BEN.memberId);
    await gift(after, assetId, BEN, CAL);
  });

  test('goes on from what is lost, so it is voided, its coins go back, and the asset is free', async () => {
    const house = await openHouse();
    const { assetId, ref, tips } = await travelled(house);
    const other = await travelled(house);
    house.holdChain();
    const pending = await house.app.gift({ key: newKey(), from: CAL, to: ANN, assetId });
    const apart = await house.app.gift({
      key: newKey(),
      from: CAL,
      to: ANN,
      assetId: other.assetId,
    });
    await leaveAsKilled(house);
    beacon('update-ref', ref, tips[1].commitId);
    const report = await accept();
    expect(report.ended).toMatchObject([
      { groupId: pending.settlement.settlementId, kind: 'gift', assetIds: [assetId] },
    ]);
    const after = await openHouse();
    await after.settled();
    const { settlementId } = pending.settlement;
    expect(await after.app.waitForSettlement(settlementId, 1)).toMatchObject({
      state: 'voided',
      reason: 'TRANSACTION_LOST',
    });
    const done = await after.app.waitForSettlement(apart.settlement.settlementId, 15_000);
    expect(done.state).toBe('settled');
    await after.close();
    const sound = await expectSound();
    expect(await holderOf(sound, assetId)).toBe(CAL.memberId);
    expect(await holderOf(sound, other.assetId)).toBe(ANN.memberId);
  });
});

describe('the decision', () => {
  test('is none when nothing is rewritten, and says so with 0', async () => {
    const house = await openHouse();
    await travelled(house);
    await house.close();
    const before = takeSnapshot(dataDir);
    const ran = await aibot('chain', 'accept');
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toContain('Nothing is rewritten');
    expect(takeSnapshot(dataDir)).toEqual(before);
  });

  test('shown changes nothing, neither here nor on the beacon', async () => {
    await rewritten();
    const before = takeSnapshot(dataDir);
    const first = await shown();
    expect(await shown()).toEqual(first);
    expect(takeSnapshot(dataDir)).toEqual(before);
    const { stdout } = await aibot('chain', 'accept');
    expect(stdout).toContain(`npx aibot chain accept --yes ${first.digest}`);
    expect(stdout).toContain('stays; the bot hands it over anew at its next start');
  });

  test('accepted a second time says when it was', async () => {
    await rewritten();
    const { digest } = await accept();
    const again = await aibot('chain', 'accept', '--yes', digest);
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(again.stdout).toContain('This was accepted at ');
  });

  test('is refused for a rewriting that has changed since, and for a digest of nothing', async () => {
    const { ref, tips } = await rewritten();
    const { digest } = await shown();
    beacon('update-ref', ref, tips[0].commitId);
    const before = takeSnapshot(dataDir);
    for (const given of [digest, '0'.repeat(32), '']) {
      const refused = await aibot('chain', 'accept', '--yes', given);
      expect(refused.code).toBe(75);
      expect(refused.stderr).toContain('is not rewritten in the way that');
    }
    expect(takeSnapshot(dataDir)).toEqual(before);
  });

  test('is refused beside a running bot', async () => {
    const house = await openHouse();
    await travelled(house);
    const refused = await aibot('chain', 'accept');
    expect(refused.code).toBe(75);
    expect(refused.stderr).toContain('Another process works on the data directory');
  });

  test('of several rewritings at once is one', async () => {
    const house = await openHouse();
    const [back, gone, foreign, tagged] = [
      await travelled(house),
      await travelled(house),
      await travelled(house),
      await travelled(house),
    ];
    const epoch = house.core.beacon.epoch;
    await house.close();
    beacon('update-ref', back.ref, back.tips[0].commitId);
    beacon('update-ref', '-d', gone.ref);
    beacon('update-ref', foreign.ref, foreignCommit(foreign.assetId, epoch));
    beacon('update-ref', '-d', `refs/tags/${tagged.tips[2].transactionId}`);
    const report = await accept();
    const outcomes = new Map(report.assets.map(({ assetId, outcome }) => [assetId, outcome]));
    expect(outcomes.get(back.assetId)).toBe('handed-over-anew');
    expect(outcomes.get(gone.assetId)).toBe('minted-anew');
    expect(outcomes.get(foreign.assetId)).toBe('let-go');
    expect(outcomes.get(tagged.assetId)).toBe('handed-over-anew');
    const after = await expectSound();
    for (const { assetId } of [back, gone, tagged]) {
      expect(await holderOf(after, assetId)).toBe(CAL.memberId);
      await gift(after, assetId, CAL, ANN);
    }
  });

  test.each(ACCEPT_STEPS)('killed at the step “%s” is made whole or not at all', async (step) => {
    const { assetId } = await rewritten();
    const { digest } = await shown();
    const before = takeSnapshot(dataDir);
    const worker = new URL('../../dist/test/support/accept-worker.js', import.meta.url).pathname;
    const child = spawn(process.execPath, [worker, dataDir, digest, step]);
    const [, signal] = (await once(child, 'close')) as [unknown, string];
    expect(signal).toBe('SIGKILL');
    const isUntouched = isDeepStrictEqual(takeSnapshot(dataDir), before);
    expect(isUntouched).toBe(step === 'shown');
    if (isUntouched) await accept();
    const after = await expectSound();
    expect(await holderOf(after, assetId)).toBe(CAL.memberId);
    await gift(after, assetId, CAL, ANN);
  });

  /** The bot's state is put back to where Ann had the asset, who gave it to Ben, who gave it to Cal. */
  async function withOlderState() {
    const house = await openHouse();
    const [assetId = asset('')] = await house.grantAssets(ANN.memberId, 1);
    const first = tipOf(house, assetId);
    await house.close();
    const state = join(dataDir, 'state.sqlite');
    cpSync(state, `${state}.old`);
    const again = await openHouse();
    const second = await gift(again, assetId, ANN, BEN);
    await gift(again, assetId, BEN, CAL);
    await again.close();
    renameSync(`${state}.old`, state);
    return { assetId, first, second };
  }

  test('takes from the recovery journal whose it is, and what moves it, when the state is an older one', async () => {
    const { assetId, second } = await withOlderState();
    beacon('update-ref', `refs/heads/${branchOf(assetId)}`, second.commitId);
    const report = await accept();
    expect(report.assets).toMatchObject([{ outcome: 'handed-over-anew', holder: CAL.memberId }]);
    const after = await expectSound();
    expect(await holderOf(after, assetId)).toBe(CAL.memberId);
    await gift(after, assetId, CAL, ANN);
  });

  test('does so without an index as well', async () => {
    const { assetId, first } = await withOlderState();
    dropIndex();
    beacon('update-ref', '-d', `refs/tags/${first.transactionId}`);
    const report = await accept();
    expect(report.assets).toMatchObject([{ holder: CAL.memberId }]);
    const after = await expectSound();
    expect(await holderOf(after, assetId)).toBe(CAL.memberId);
    await gift(after, assetId, CAL, ANN);
  });

  test('counts, though an older state gives it a number that the index has followed before', async () => {
    const { ref, tips, assetId } = await rewritten();
    const state = join(dataDir, 'state.sqlite');
    cpSync(state, `${state}.old`);
    await accept();
    // Moved on from there, so that the older state sees a rewriting of its own.
    renameSync(`${state}.old`, state);
    beacon('update-ref', ref, tips[0].commitId);
    const report = await accept();
    expect(report.rewrittenAgain).toBe(0);
    const after = await expectSound();
    expect(await holderOf(after, assetId)).toBe(CAL.memberId);
  });

  test.each(['recoverable', 'prepared', 'submitted', 'outcome-known', 'settled'] as const)(
    'killed at “%s” of a hand-over anew, the next start finishes it, once',
    async (killedAt) => {
      const { assetId, tips } = await rewritten();
      await accept();
      let copied: string | undefined;
      const house = await openRealHouse({
        dataDir,
        guyacha: EMPTY_GUYACHA,
        atStep: (step) => {
          if (step !== killedAt || copied !== undefined) return;
          copied = join(tempDir(), 'data');
          cpSync(dataDir, copied, { recursive: true });
        },
      });
      beforeRemoval(() => house.close());
      await house.settled();
      await house.close();
      if (copied === undefined) throw new Error('the step was not passed');
      dataDir = copied;
      const after = await expectSound();
      expect(await holderOf(after, assetId)).toBe(CAL.memberId);
      expect(tipOf(after, assetId)).toMatchObject({ ownerId: tips[2].ownerId, position: 3 });
      await gift(after, assetId, CAL, ANN);
    },
  );

  test('survives the loss of the index, before and after', async () => {
    const { assetId } = await rewritten();
    dropIndex();
    const report = await accept();
    expect(report.assets).toMatchObject([{ assetId, outcome: 'handed-over-anew' }]);
    dropIndex();
    const after = await expectSound();
    expect(await holderOf(after, assetId)).toBe(CAL.memberId);
  });

  test('of an observer without a state is what its index follows', async () => {
    const house = await openHouse();
    const { ref, assetId, tips } = await travelled(house);
    await house.close();
    const beaconUrl = join(dataDir, 'beacon.git');
    const env = { DATA_DIR: join(tempDir(), 'observer'), BEACON_URL: beaconUrl };
    const observe = async () => {
      const closers = new Closers();
      beforeRemoval(() => closers.closeAll());
      const config = parseConfig({ ...env, NODE_ROLE: 'observer' });
      const surroundings = { logger: silentLogger, ambient: process.env };
      const { node } = await openBareNode(config, closers, surroundings);
      const seen = { tip: node.chain.findTip(assetId), rewriting: (await node.status()).rewriting };
      await closers.closeAll();
      return seen;
    };
    expect((await observe()).tip).toMatchObject(idOf(tips[2]));
    beacon('update-ref', ref, tips[0].commitId);
    expect(await observe()).toMatchObject({ tip: idOf(tips[2]), rewriting: { total: 1 } });
    const shown = await aibotIn(env, 'chain', 'accept', '--json');
    expect(shown.code).toBe(65);
    const { digest } = JSON.parse(shown.stdout) as AcceptReport;
    const accepted = await aibotIn(env, 'chain', 'accept', '--yes', digest);
    expect(accepted).toMatchObject({ code: 0, stderr: '' });
    expect(existsSync(join(env.DATA_DIR, 'state.sqlite'))).toBe(false);
    expect(await observe()).toMatchObject({ tip: idOf(tips[0]), rewriting: null });
  });
});

test('behind ssh, a chain of others is given up, and nothing of it is ours to hand over', async () => {
  const fixture = sshFixture();
  const { path } = fixture;
  const env = { DATA_DIR: dataDir, BEACON_URL: `ssh://git@example.invalid${path}` };
  const ambient = {
    ...process.env,
    PATH: `${join(path, '..', 'bin')}:${process.env['PATH'] ?? ''}`,
  };
  const surroundings = { logger: silentLogger, ambient };
  const open = async () => {
    const closers = new Closers();
    beforeRemoval(() => closers.closeAll());
    return { closers, core: await openCore(parseConfig(env), closers, surroundings) };
  };
  const { core, closers } = await open();
  const assetId = asset('theirs');
  const ids = [newId(), newId()] as const;
  const recordOf = (transactionId: TransactionId) =>
    encodeRecord({
      ...{ transactionId, assetId, ownerId: 'o' as OwnerId, metadata: {}, transactionTime: 1 },
      successorHash: hashPassphrase('theirs'),
    });
  const first = fixture.addCommit({ parents: [core.beacon.epoch], record: recordOf(ids[0]) });
  const second = fixture.addCommit({ parents: [first], record: recordOf(ids[1]) });
  fixture.setBranch(branchOf(assetId), second);
  fixture.setTag(ids[0], first);
  fixture.setTag(ids[1], second);
  await core.node.sync();
  expect(core.node.chain.findTip(assetId)?.transactionId).toBe(ids[1]);
  await closers.closeAll();
  fixture.setBranch(branchOf(assetId), first);
  const ask = (digest: string | undefined) =>
    acceptFromOutside(parseConfig(env), { digest }, surroundings);
  const before = await ask(undefined);
  expect(before).toMatchObject({
    isAccepted: false,
    lost: [{ transactionId: ids[1], isOwn: false, movement: null }],
    assets: [{ outcome: 'outside', holder: null, tipTransactionId: ids[0] }],
  });
  expect(await ask(before.digest)).toMatchObject({ isAccepted: true, rewrittenAgain: 0 });
  const again = await open();
  expect((await again.core.node.status()).rewriting).toBeNull();
  expect(again.core.node.chain.findTip(assetId)?.transactionId).toBe(ids[0]);
});

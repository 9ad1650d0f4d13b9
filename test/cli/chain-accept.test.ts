// `aibot chain accept`: gives up exactly what was shown, in one step, and everything that the bot still moves stays whole.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { encodeRecord, recordDigest } from '../../src/chain/record.ts';
import { branchOf } from '../../src/chain/refs.ts';
import { hashPassphrase } from '../../src/chain/succession.ts';
import type { AcceptReport } from '../../src/cli/chain-accept.ts';
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
import { asset } from '../support/open-test-node.ts';
import {
  EMPTY_GUYACHA,
  HOUSE_GUYACHA,
  openRealHouse,
  takeSnapshot,
  type RealHouse,
} from '../support/real-house.ts';
import { beforeRemoval, git, tempDir } from '../support/temp-dir.ts';

const OBSERVER = { NODE_ROLE: 'observer' };
const AIBOT = new URL('../../dist/program/src/cli/aibot.js', import.meta.url).pathname;
const [ANN, BEN, CAL] = ['101', '102', '103'].map((id): Person => ({
  memberId: id as MemberId,
  name: `m${id}`,
  pictureUrl: undefined,
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
async function aibot(...args: string[]): Promise<Ran> {
  const env = { PATH: process.env['PATH'], DATA_DIR: dataDir };
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

const newId = (): TransactionId =>
  `00000000-0000-4000-8000-${String((keys += 1)).padStart(12, '0')}` as TransactionId;

const idOf = ({ transactionId }: { readonly transactionId: TransactionId }) => ({ transactionId });

/** A commit of somebody else, with its tag. */
function foreignCommit(
  assetId: AssetId,
  parent: string,
  ownerId = 'a stranger',
  transactionId = newId(),
): CommitId {
  const record = encodeRecord({
    ...{ transactionId, assetId, ownerId: ownerId as OwnerId, metadata: {} },
    transactionTime: Date.now(),
    successorHash: hashPassphrase('not ours'),
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
async function expectSound({
  movedOn = false,
  guyacha = EMPTY_GUYACHA,
} = {}): Promise<RealHouse> {
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

  test('and put back after it was accepted, as a push that goes on from there, is followed', async () => {
    const house = await openHouse();
    const { assetId, ref, tips } = await travelled(house);
    await house.close();
    beacon('update-ref', ref, tips[1].commitId);
    await accept();
    beacon('update-ref', ref, tips[2].commitId);
    const after = await expectSound({ movedOn: true });
    expect(tipOf(after, assetId).transactionId).toBe(tips[2].transactionId);
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
    const house = await openHouse();
    const { assetId, ref, tips } = await travelled(house);
    await house.close();
    beacon('update-ref', ref, tips[1].commitId);
    await accept();
    beacon('update-ref', ref, foreignCommit(assetId, tips[1].commitId));
    const after = await expectSound({ movedOn: true });
    expect(await holderOf(after, assetId)).toBeUndefined();
    expect(tipOf(after, assetId).ownerId).toBe('a stranger');
  });
});

describe('a branch', () => {
  test.each(['deleted', 'set back to the epoch'])(
    'that was %s is minted anew to who has it, and nobody else mints it first',
    async (how) => {
      const house = await openHouse(HOUSE_GUYACHA);
      const assetId = asset('fresh/1');
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

      // Before it is minted anew nobody gets what is Ben's: here the beacon lets nothing through.
      const held = await openRealHouse({ dataDir, guyacha: HOUSE_GUYACHA, env: OBSERVER });
      const again = held.app.mint({ key: newKey(), member: CAL, assetId });
      await expect(again).rejects.toMatchObject({ code: 'NODE_IS_OBSERVER' });
      await held.close();

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
    const commit = foreignCommit(assetId, tips[1].commitId, copied.ownerId, copied.transactionId);
    beacon('update-ref', ref, commit);
    const report = await accept();
    expect(report.lost.map(({ transactionId }) => transactionId)).toEqual([copied.transactionId]);
    expect(report.assets).toMatchObject([{ outcome: 'let-go', reason: 'no-passphrase' }]);
    await expectSound();
  });

  test('that stands on something that is no chain lets the asset go', async () => {
    const house = await openHouse();
    const { assetId, ref } = await travelled(house);
    await house.close();
    const tree = git(join(dataDir, 'beacon.git'), ['mktree'], '');
    const orphan = git(join(dataDir, 'beacon.git'), ['commit-tree', tree, '-m', 'nothing']);
    beacon('update-ref', ref, orphan);
    const report = await accept();
    expect(report.assets).toMatchObject([{ assetId, outcome: 'let-go', reason: 'occupied' }]);
    await expectSound();
  });
});

describe('a tag', () => {
  test.each(['moved', 'deleted'])('of the tip that was %s: the hand-over is made again', async (how) => {
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
  });

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
  test.each(['moved', 'deleted'])('that was %s is not accepted, with the way back', async (how) => {
    const house = await openHouse();
    const { ref, tips } = await travelled(house);
    const epoch = house.core.beacon.epoch;
    await house.close();
    const before = takeSnapshot(dataDir).tables;
    if (how === 'moved') beacon('update-ref', 'refs/heads/main', tips[0].commitId);
    else beacon('update-ref', '-d', 'refs/heads/main');
    beacon('update-ref', ref, tips[1].commitId);
    const refused = await aibot('chain', 'accept');
    if (how === 'deleted') {
      expect(refused.code).toBe(65);
      expect(refused.stderr).toContain('The epoch branch main was rewritten');
      expect(refused.stderr).toContain(`update-ref refs/heads/main ${epoch}`);
      expect(takeSnapshot(dataDir).tables).toEqual(before);
    } else {
      // It only went on: that is no rewriting, and the rest can be accepted.
      expect(refused.stdout).toContain('Rewritten refs');
    }
    beacon('update-ref', 'refs/heads/main', epoch);
    if (how === 'deleted') {
      await accept();
      await expectSound();
    }
  });
});

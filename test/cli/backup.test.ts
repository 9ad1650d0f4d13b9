// Restore drills: a backup under load, everything wiped, restored; the audit is clean and every asset can be moved.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { v4 as uuidv4 } from 'uuid';
import type { Person } from '../../src/app/app.ts';
import { BACKUP_STEPS, takeBackup, type BackupOptions } from '../../src/cli/backup.ts';
import { RESTORE_STEPS, restoreBackup } from '../../src/cli/restore.ts';
import { verifyBackup } from '../../src/cli/verify-backup.ts';
import { parseConfig, type Config } from '../../src/config.ts';
import { Closers, openCore } from '../../src/core.ts';
import { AppError } from '../../src/shared/errors.ts';
import type { IdempotencyKey, MemberId } from '../../src/shared/ids.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { openRealHouse, type RealHouse } from '../support/real-house.ts';
import { beforeRemoval, git, tempDir } from '../support/temp-dir.ts';

const WORKER = new URL('../../dist/test/support/backup-worker.js', import.meta.url).pathname;
const surroundings = { logger: silentLogger, ambient: process.env };
const people: readonly Person[] = ['101', '102', '103'].map((id) => ({
  memberId: id as MemberId,
  name: id,
  pictureUrl: undefined,
  isBot: false,
}));
const [ann = people[0], ben = people[1]] = people;

let env: Record<string, string>;
let dir: string;

beforeEach(() => {
  env = { DATA_DIR: join(tempDir(), 'data') };
  dir = join(tempDir(), 'backup');
});

const config = (): Config => parseConfig(env);
const newKey = (): IdempotencyKey => `test:${uuidv4()}` as IdempotencyKey;
const backUp = (given: Partial<BackupOptions> = {}) =>
  takeBackup(config(), { dir, withKey: true, recipient: undefined, ...given }, surroundings);
const restore = (identityFile?: string) =>
  restoreBackup(config(), { dir, identityFile }, surroundings);
const verify = (identityFile?: string) =>
  verifyBackup(config(), { dir, identityFile }, surroundings);
const wipe = (): void => rmSync(config().dataDir, { recursive: true });

async function open(): Promise<RealHouse> {
  const { DATA_DIR, ...others } = env;
  const house = await openRealHouse({ dataDir: DATA_DIR ?? '', env: others });
  beforeRemoval(() => house.close());
  return house;
}

/** Opens what every start opens, and closes it again. */
async function tryCore(): Promise<void> {
  const closers = new Closers();
  try {
    await openCore(config(), closers, surroundings);
  } finally {
    await closers.closeAll();
  }
}

async function give(house: RealHouse, from: Person, to: Person, assetId: string): Promise<void> {
  const { settlement } = await house.app.gift({ key: newKey(), from, to, assetId });
  const { state } = await house.app.waitForSettlement(settlement.settlementId, 15_000);
  if (state !== 'settled') throw new Error(`a gift is ${state}`);
}

/** Members give each other what they have and pay, until they are told to stop. */
function startLoad(house: RealHouse): { readonly stop: () => Promise<number> } {
  let isOver = false;
  const live = async (me: Person, other: Person): Promise<number> => {
    let acts = 0;
    for (; !isOver; acts += 1) {
      try {
        const [mine] = await house.app.findTradeable(me.memberId, '');
        if (mine !== undefined) await give(house, me, other, mine.assetId);
        await house.app.pay({ key: newKey(), from: me, to: other, amount: '1' });
      } catch (error) {
        // Two may want the same asset at once.
        if (!(error instanceof AppError)) throw error;
      }
    }
    return acts;
  };
  const lives = people.map((me, n) => live(me, people[(n + 1) % people.length] ?? me));
  return {
    stop: async () => {
      isOver = true;
      const acts = await Promise.all(lives);
      await house.settled();
      return acts.reduce((sum, each) => sum + each, 0);
    },
  };
}

async function openWithAssets(): Promise<RealHouse> {
  const house = await open();
  for (const { memberId } of people) {
    await house.grantCoins(memberId, 1_000);
    await house.grantAssets(memberId, 4);
  }
  return house;
}

async function takeActs(house: RealHouse, work: () => Promise<unknown>): Promise<void> {
  const load = startLoad(house);
  // The load is under way when somebody's asset has moved.
  const before = house.core.node.chain.searchAssets('', 1_000).length;
  expect(before).toBeGreaterThan(0);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await work();
  expect(await load.stop()).toBeGreaterThan(0);
}

/** Audits, and moves every asset that anybody holds once. */
async function expectWhole(house: RealHouse, atLeast: number): Promise<void> {
  expect((await house.app.audit()).findings).toEqual([]);
  const holdings = await house.core.database.read(({ settlements }) =>
    settlements.listAllHoldings(),
  );
  const held = holdings.filter(({ holder }) => holder !== 'bot');
  expect(held.length).toBeGreaterThanOrEqual(atLeast);
  for (const { assetId, holder } of held) {
    const from = people.find(({ memberId }) => memberId === holder);
    const to = people.find(({ memberId }) => memberId !== holder);
    if (from === undefined || to === undefined) throw new Error(`nobody is ${holder}`);
    await give(house, from, to, assetId);
  }
  expect((await house.app.audit()).findings).toEqual([]);
}

describe('a drill', () => {
  test('with our own beacon: the backup alone brings back everything as it was then', async () => {
    const house = await openWithAssets();
    await takeActs(house, () => backUp());
    await house.close();
    expect(await verify()).toMatchObject({ findings: [], sawBeacon: true });
    wipe();
    await restore();
    expect(existsSync(join(config().dataDir, 'restore.unfinished'))).toBe(false);
    await expectWhole(await open(), 12);
  });

  test('with an old backup: beacon and recovery journal on other disks lose no asset', async () => {
    env['BEACON_URL'] = join(tempDir(), 'beacon.git');
    env['RECOVERY_JOURNAL'] = join(tempDir(), 'recovery.journal');
    const house = await openWithAssets();
    await takeActs(house, () => backUp());
    // Long after the backup: everything has moved, and there is more of it.
    await takeActs(house, () => house.grantAssets(ann?.memberId ?? '', 2));
    const after = (await house.core.node.status()).assets;
    await house.close();
    wipe();
    await restore();
    const restored = await open();
    expect((await restored.core.node.status()).assets).toBe(after);
    await expectWhole(restored, 14);
  });

  test('with an old backup and no journal: verify and audit name the assets, and the rest goes on', async () => {
    env['BEACON_URL'] = join(tempDir(), 'beacon.git');
    const house = await open();
    const [moved = '', kept = ''] = await house.grantAssets(ann?.memberId ?? '', 2);
    await backUp();
    if (ann === undefined || ben === undefined) throw new Error('nobody');
    await give(house, ann, ben, moved);
    await house.close();
    // The present journal is there still, and would be used.
    expect((await verify()).findings).toEqual([]);
    const key = join(tempDir(), 'vault.key');
    copyFileSync(join(config().dataDir, 'vault.key'), key);
    wipe();
    const { findings } = await verify();
    expect(findings.map(({ invariant, detail }) => [invariant, detail.split(' ')[0]])).toEqual([
      ['recovery', moved],
    ]);
    await restore();
    const restored = await open();
    const audit = await restored.app.audit();
    expect(audit.findings).toMatchObject([{ invariant: 'recovery' }]);
    await expect(give(restored, ann, ben, moved)).rejects.toMatchObject({ code: 'ASSET_FROZEN' });
    await give(restored, ann, ben, kept);
  });
});

describe('a backup', () => {
  test('keeps the key out unless it is asked for, and is for its owner alone', async () => {
    await (await open()).close();
    const { files } = await backUp({ withKey: false });
    expect(files.map(({ name }) => name)).toEqual([
      'state.sqlite',
      'beacon.bundle',
      'recovery.journal',
    ]);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(dir)) expect(statSync(join(dir, name)).mode & 0o777).toBe(0o600);
    // Its own key file opens it; a restore without one says nothing but waits for it at the start.
    expect((await verify()).findings).toEqual([]);
  });

  test('is refused where something is already, and leaves nothing behind', async () => {
    await (await open()).close();
    mkdirSync(dir);
    writeFileSync(join(dir, 'mine'), '');
    await expect(backUp()).rejects.toMatchObject({ code: 'BACKUP_DIR_NOT_EMPTY' });
    expect(readdirSync(dir)).toEqual(['mine']);
    expect(readdirSync(join(dir, '..'))).toEqual(['backup']);
  });

  test('for a recipient opens with its identity only', async () => {
    await (await open()).close();
    const files = await Promise.all(
      ['right', 'wrong'].map(async (name) => {
        const identity = await generateIdentity();
        const file = join(tempDir(), name);
        writeFileSync(file, `# created for a test\n${identity}\n`);
        return { identity, file };
      }),
    );
    const [right, wrong] = files;
    if (right === undefined || wrong === undefined) throw new Error('no identity');
    await backUp({ recipient: await identityToRecipient(right.identity) });
    const stored = readFileSync(join(dir, 'state.sqlite.age'), 'latin1');
    expect(stored.startsWith('age-encryption.org/v1')).toBe(true);
    wipe();
    await expect(restore()).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await expect(verify(wrong.file)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    expect((await verify(right.file)).findings).toEqual([]);
    await restore(right.file);
    expect((await (await open()).app.audit()).findings).toEqual([]);
  });

  test('that was altered is refused before anything is touched', async () => {
    await (await open()).close();
    await backUp();
    wipe();
    appendFileSync(join(dir, 'state.sqlite'), 'x');
    await expect(restore()).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
    await expect(verify()).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
    expect(existsSync(config().dataDir)).toBe(false);
  });
});

describe('a restore', () => {
  test('is refused while a bot runs, and where data is', async () => {
    const house = await open();
    await backUp();
    await expect(restore()).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE' });
    await house.close();
    await expect(restore()).rejects.toMatchObject({ code: 'DATA_DIR_NOT_EMPTY' });
  });

  test('is refused without the beacon that it belongs to', async () => {
    env['BEACON_URL'] = join(tempDir(), 'beacon.git');
    await (await open()).close();
    await backUp();
    wipe();
    delete env['BEACON_URL'];
    await expect(restore()).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });

  test('brings back every ref of our own beacon', async () => {
    const house = await openWithAssets();
    await backUp();
    const refs = house.git('for-each-ref');
    await house.close();
    wipe();
    await restore();
    const beacon = join(config().dataDir, 'beacon.git');
    expect(git(beacon, ['for-each-ref'])).toBe(refs);
    expect(git(beacon, ['config', 'receive.denyDeletes'])).toBe('true');
    git(beacon, ['fsck', '--strict']);
  });
});

/** Runs the work in a process of its own that kills itself at the step. */
async function killedAt(what: 'backup' | 'restore', step: string): Promise<void> {
  if (!existsSync(WORKER)) throw new Error('run `npm run build` first');
  const child = spawn(process.execPath, [WORKER, what, dir, step], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
}

describe('killed with SIGKILL', () => {
  test.each(BACKUP_STEPS)(
    'at %s, a backup is whole or not there, and the next one works',
    async (step) => {
      await (await openWithAssets()).close();
      await killedAt('backup', step);
      expect(existsSync(dir)).toBe(step === 'placed');
      if (step !== 'placed') await backUp();
      expect((await verify()).findings).toEqual([]);
      await expectWhole(await open(), 12);
    },
    60_000,
  );

  test.each(RESTORE_STEPS.filter((step) => step !== 'restored'))(
    'at %s, a restore begins anew, and no bot starts on half of it',
    async (step) => {
      await (await openWithAssets()).close();
      await backUp();
      wipe();
      await killedAt('restore', step);
      await expect(tryCore()).rejects.toMatchObject({ code: 'RESTORE_UNFINISHED' });
      await restore();
      await expectWhole(await open(), 12);
    },
    60_000,
  );

  test('at its very end, a restore is done', async () => {
    await (await openWithAssets()).close();
    await backUp();
    wipe();
    await killedAt('restore', 'restored');
    await expectWhole(await open(), 12);
  });
});

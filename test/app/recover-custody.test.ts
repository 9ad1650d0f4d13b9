// After an old backup: what the recovery journal knows is taken over, what nobody knows is named and frozen by itself.
import { copyFileSync, cpSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openDatabase } from '../../src/db/open-database.ts';
import { MemoryRemote, moveByStranger } from '../support/beacon-memory.ts';
import { newKey, openTestApp, person, type TestApp } from '../support/open-test-app.ts';
import { tempDir } from '../support/temp-dir.ts';

const [ann, ben] = [person(1), person(2)];
let remote: MemoryRemote;
let folder: string;
let open: TestApp | undefined;

beforeEach(() => {
  remote = new MemoryRemote();
  folder = tempDir();
});

afterEach(() => close());

async function start(options: Parameters<typeof openTestApp>[1] = {}): Promise<TestApp> {
  open = await openTestApp(remote, { folder, ...options });
  return open;
}

async function close(): Promise<void> {
  await open?.close();
  open = undefined;
}

/** A backup of the state, without the recovery journal, as it is now. */
async function backUp(): Promise<string> {
  await close();
  const backup = join(tempDir(), 'state.sqlite');
  copyFileSync(join(folder, 'state.sqlite'), backup);
  return backup;
}

/** Puts the backup back as a restore does; the recovery journal stays as it is, or goes. */
async function restore(backup: string, journal: 'kept' | 'lost', takenAt: number): Promise<void> {
  await close();
  for (const name of ['state.sqlite', 'state.sqlite-wal', 'state.sqlite-shm', 'index.sqlite']) {
    rmSync(join(folder, name), { force: true });
  }
  copyFileSync(backup, join(folder, 'state.sqlite'));
  if (journal === 'lost') rmSync(join(folder, 'recovery.journal'));
  const database = await openDatabase({ file: join(folder, 'state.sqlite') });
  await database.transaction(({ restores }) =>
    restores.insertRestore({ restoredAt: takenAt + 1, takenAt }),
  );
  await database.close();
}

async function gift(house: TestApp, from: typeof ann, to: typeof ann, assetId: string) {
  await house.app.gift({ key: newKey(), from, to, assetId });
  await house.settled();
}

async function mint(house: TestApp, member: typeof ann, assetId: string): Promise<void> {
  await house.app.mint({ key: newKey(), member, assetId });
  await house.settled();
}

const findings = async (house: TestApp) => (await house.app.audit()).findings;

/** Ann has pen-0 before the backup; afterwards it goes to Ben, who mints pen-1. */
async function liveOn(): Promise<{ readonly backup: string; readonly takenAt: number }> {
  await mint(await start(), ann, 'pen-0');
  const backup = await backUp();
  const takenAt = Date.now();
  const house = await start();
  await gift(house, ann, ben, 'pen-0');
  await mint(house, ben, 'pen-1');
  return { backup, takenAt };
}

describe('with the recovery journal', () => {
  test('an old backup loses no asset: each belongs to whom the chain says and can be moved', async () => {
    const { backup, takenAt } = await liveOn();
    await restore(backup, 'kept', takenAt);
    const house = await start();
    expect(await findings(house)).toEqual([]);
    for (const assetId of ['pen-0', 'pen-1']) {
      expect((await house.app.viewAsset(assetId)).holder).toBe(ben.memberId);
      await gift(house, ben, ann, assetId);
      expect((await house.app.viewAsset(assetId)).holder).toBe(ann.memberId);
    }
    expect(await findings(house)).toEqual([]);
  });

  test('a settlement that was under way in the backup ends before what came after it is taken over', async () => {
    await mint(await start(), ann, 'pen-0');
    await close();
    // The backup is taken while the gift is on its way.
    const copies = tempDir();
    const house = await start({
      atStep: (step) => {
        if (step === 'prepared' && !existsSync(join(copies, 'state.sqlite'))) {
          cpSync(folder, copies, { recursive: true });
        }
      },
    });
    await gift(house, ann, ben, 'pen-0');
    await close();
    const backup = join(copies, 'whole.sqlite');
    const copy = await openDatabase({ file: join(copies, 'state.sqlite') });
    await copy.close();
    copyFileSync(join(copies, 'state.sqlite'), backup);
    await gift(await start(), ben, ann, 'pen-0');
    await restore(backup, 'kept', Date.now());
    const restored = await start();
    expect(await findings(restored)).toEqual([]);
    expect((await restored.app.viewAsset('pen-0')).holder).toBe(ann.memberId);
    await gift(restored, ann, ben, 'pen-0');
  });

  test('is made anew from the vault when it is lost, with what callers of the API were handed', async () => {
    const house = await start();
    await mint(house, ann, 'pen-0');
    const created = await house.app.createTransaction({
      assetId: 'theirs',
      ownerId: 'them',
      passphrase: undefined,
      metadata: null,
      transactionId: undefined,
      key: newKey(),
    });
    await house.settled();
    await close();
    rmSync(join(folder, 'recovery.journal'));
    const { recovery } = await start();
    const { entries } = await recovery.read();
    expect(entries).toHaveLength(6);
    expect(entries.find(({ assetId }) => assetId === 'theirs')).toMatchObject({
      transactionId: created.record.transactionId,
      custody: 'caller',
      holder: null,
    });
    expect(entries.find(({ assetId }) => assetId === 'pen-0')?.holder).toBe(ann.memberId);
  });
});

describe('without it', () => {
  test('names exactly the assets that it cannot move, freezes them and nothing else', async () => {
    const { backup, takenAt } = await liveOn();
    await restore(backup, 'lost', takenAt);
    const house = await start();
    const named = (await findings(house)).map(({ invariant, detail }) => [
      invariant,
      detail.split(' ')[0],
    ]);
    expect(named).toEqual([
      ['recovery', 'pen-0'],
      ['recovery', 'pen-1'],
    ]);
    await expect(gift(house, ann, ben, 'pen-0')).rejects.toMatchObject({ code: 'ASSET_FROZEN' });
    await mint(house, ann, 'pen-2');
    await gift(house, ann, ben, 'pen-2');
    expect((await house.app.viewAsset('pen-2')).holder).toBe(ben.memberId);
  });

  test('an asset is thawed when the journal is found after all', async () => {
    const { backup, takenAt } = await liveOn();
    await close();
    const kept = join(tempDir(), 'recovery.journal');
    copyFileSync(join(folder, 'recovery.journal'), kept);
    await restore(backup, 'lost', takenAt);
    expect(await findings(await start())).toHaveLength(2);
    await close();
    copyFileSync(kept, join(folder, 'recovery.journal'));
    const house = await start();
    expect(await findings(house)).toEqual([]);
    await gift(house, ben, ann, 'pen-0');
  });

  test("an asset of a stranger's, older than the backup, is nobody's loss", async () => {
    await mint(await start(), ann, 'pen-0');
    moveByStranger(remote, 'elsewhere');
    const backup = await backUp();
    await restore(backup, 'lost', Date.now() + 1);
    expect(await findings(await start())).toEqual([]);
  });
});

describe('a recovery journal that cannot be written', () => {
  test('refuses what is new before anything is charged, lets coins move, and lets the rest end', async () => {
    const house = await start();
    await house.app.daily({ key: newKey(), member: ann });
    const before = await house.app.balance(ann.memberId);
    rmSync(join(folder, 'recovery.journal'));
    const roll = { member: ann, count: 1, bannerId: 'lamps' };
    await expect(house.app.roll({ key: newKey(), ...roll })).rejects.toMatchObject({
      code: 'RECOVERY_JOURNAL_UNWRITABLE',
    });
    expect(await house.app.balance(ann.memberId)).toBe(before);
    await house.app.pay({ key: newKey(), from: ann, to: ben, amount: '10' });
    expect(await findings(house)).toEqual([]);
  });

  test('does not keep the bot from starting', async () => {
    writeFileSync(join(folder, 'file'), '');
    const house = await start({ recoveryFile: join(folder, 'no such folder', 'journal') });
    await expect(mint(house, ann, 'pen-0')).rejects.toMatchObject({
      code: 'RECOVERY_JOURNAL_UNWRITABLE',
    });
    expect(await findings(house)).toEqual([]);
  });
});

// The start of the house: what an earlier start could not finish is taken up, and nothing that others do is missed.
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openDatabase } from '../../src/db/open-database.ts';
import { parseGuyacha } from '../../src/guyacha/load-guyacha.ts';
import { AppError } from '../../src/shared/errors.ts';
import { MemoryBeacon, MemoryRemote, moveByStranger } from '../support/beacon-memory.ts';
import { openTestApp, testGuyacha, type TestApp } from '../support/open-test-app.ts';
import { tempDir } from '../support/temp-dir.ts';

let remote: MemoryRemote;
let open: TestApp[];

beforeEach(() => {
  remote = new MemoryRemote();
  open = [];
});

afterEach(async () => {
  for (const each of open) await each.close();
});

async function openOne(options: Parameters<typeof openTestApp>[1] = {}): Promise<TestApp> {
  const opened = await openTestApp(remote, options);
  open.push(opened);
  return opened;
}

async function close(house: TestApp): Promise<void> {
  open = open.filter((each) => each !== house);
  await house.close();
}

const stockOf = ({ database }: TestApp): Promise<number> =>
  database.read(({ settlements }) => settlements.countHoldings('bot'));

describe('the catalogue', () => {
  test('is minted by the next start when the remote refused it at the first', async () => {
    const folder = tempDir();
    const failures = { kind: 'refuse', reason: 'no right to push', retryable: false } as const;
    remote.failPushes(...Array.from({ length: 8 }, () => failures));
    const first = await openOne({ folder });
    expect(await stockOf(first)).toBe(0);
    await close(first);
    while (remote.takeFailure() !== undefined);
    expect(await stockOf(await openOne({ folder }))).toBe(4);
  });

  test('is minted at once without the asset that somebody else was quicker to mint', async () => {
    class RacedBeacon extends MemoryBeacon {
      override async push(
        ...drafts: Parameters<MemoryBeacon['push']>
      ): ReturnType<MemoryBeacon['push']> {
        if (remote.tags.size === 0) moveByStranger(remote, 'lamp-1');
        return super.push(...drafts);
      }
    }
    const house = await openOne({ beacon: new RacedBeacon(remote) });
    expect(await stockOf(house)).toBe(3);
    expect((await house.app.audit()).findings).toEqual([]);
  });
});

describe('what a stranger moves', () => {
  test('while the bot is starting leaves custody, and nothing freezes', async () => {
    const folder = tempDir();
    await close(await openOne({ folder }));
    // The catalogue has gained an asset. Its mint's answer is lost, and the look at the remote meets the stranger.
    remote.failPushes({ kind: 'cut' });
    const house = await openOne({
      folder,
      guyacha: parseGuyacha(testGuyacha(5), 'more.yaml'),
      atStep: (step) => {
        if (step === 'submitted') moveByStranger(remote, 'lamp-0');
      },
    });
    expect((await house.app.audit()).findings).toEqual([]);
    expect(await stockOf(house)).toBe(4);
  });

  test('leaves custody also when the database was too busy to hear of it', async () => {
    const database = await openDatabase({ file: ':memory:' });
    let isBusy = false;
    const transaction = database.transaction.bind(database);
    database.transaction = async (work) => {
      if (isBusy) throw new AppError('QUEUE_FULL');
      return await transaction(work);
    };
    const house = await openOne({ database });
    isBusy = true;
    moveByStranger(remote, 'lamp-0');
    await house.node.sync();
    await delay(20);
    isBusy = false;
    expect((await house.app.audit()).findings).toEqual([]);
    expect(await stockOf(house)).toBe(3);
  });
});

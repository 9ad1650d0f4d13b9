// Transactions that share a write to disk: each is all or nothing, and none can hold up the others.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import type { Database, Stores } from '../../src/app/ports/database.ts';
import { Connection, openWriter } from '../../src/db/connection.ts';
import { GroupCommit } from '../../src/db/group-commit.ts';
import { migrate } from '../../src/db/migrate.ts';
import type { MemberId } from '../../src/shared/ids.ts';
import {
  DATABASES,
  memberId,
  newAssetId,
  newSettlementId,
  openTestDatabase,
} from '../support/temp-database.ts';
import { beforeRemoval, tempDir } from '../support/temp-dir.ts';

const ANN = memberId(1);
const countCards = async ({ rolls }: Stores, member: MemberId = ANN): Promise<number> =>
  (await rolls.listCards(member)).reduce((sum, { count }) => sum + count, 0);

describe.each(DATABASES)('transactions in $where', ({ open }) => {
  test('each sees what the ones before it wrote', async () => {
    const db = await open();
    const counts = await Promise.all(
      Array.from({ length: 200 }, () =>
        db.transaction(async (stores) => {
          const before = await countCards(stores);
          await stores.rolls.addCard(ANN, 'card');
          return before;
        }),
      ),
    );
    expect(counts).toEqual(Array.from({ length: 200 }, (_, index) => index));
  });

  test('what throws loses its own writes only', async () => {
    const db = await open();
    const results = await Promise.allSettled(
      Array.from({ length: 100 }, (_, index) =>
        db.transaction(async ({ rolls }) => {
          await rolls.addCard(ANN, `card-${index}`);
          if (index % 3 === 0) throw new Error(`no ${index}`);
          await rolls.addCard(ANN, 'all');
          return index;
        }),
      ),
    );
    expect(results).toEqual(
      results.map((_result, index) =>
        index % 3 === 0
          ? { status: 'rejected', reason: new Error(`no ${index}`) }
          : { status: 'fulfilled', value: index },
      ),
    );
    const cards = await db.read(({ rolls }) => rolls.listCards(ANN));
    expect(cards).toHaveLength(66 + 1);
    expect(cards.find(({ cardId }) => cardId === 'all')?.count).toBe(66);
  });

  test('a work that throws before it awaits anything is refused like any other', async () => {
    const db = await open();
    const failing = db.transaction(() => {
      throw new Error('at once');
    });
    await expect(failing).rejects.toThrow('at once');
    expect(await db.transaction(countCards)).toBe(0);
  });

  test('a store is dead once its work has ended', async () => {
    const db = await open();
    const kept: Stores[] = [];
    await db.transaction(async (stores) => {
      kept.push(stores);
      await stores.rolls.addCard(ANN, 'card');
    });
    await db.read((stores) => Promise.resolve(kept.push(stores)));
    await expect(
      db.transaction((stores) => {
        kept.push(stores);
        throw new Error('failed');
      }),
    ).rejects.toThrow('failed');
    expect(kept).toHaveLength(3);
    for (const { rolls } of kept) {
      await expect(rolls.addCard(ANN, 'late')).rejects.toThrow(/had ended/);
    }
    expect(await db.read((stores) => countCards(stores))).toBe(1);
  });

  test('a transaction or read inside a work is refused at once, however deep', async () => {
    const db = await open();
    const nested = async (begin: () => Promise<unknown>) => {
      await Promise.resolve();
      await begin();
    };
    for (const begin of [() => db.transaction(countCards), () => db.read(countCards)]) {
      await expect(db.transaction(() => nested(begin))).rejects.toThrow(/inside another/);
      await expect(db.read(() => nested(begin))).rejects.toThrow(/inside another/);
    }
    expect(await db.transaction(countCards)).toBe(0);
  });

  test('what a work sets off may use the database once the work has ended', async () => {
    const db = await open();
    let later: Promise<number> | undefined;
    await db.transaction(async ({ rolls }) => {
      await rolls.addCard(ANN, 'card');
      later = delay(5).then(() => db.transaction(countCards));
    });
    expect(await later).toBe(1);
  });

  test('a work that awaits anything but its stores is ended, undone, and holds up nobody', async () => {
    const db = await open();
    const idle = new Promise<never>(() => undefined);
    const slow = [() => delay(20), () => idle].map((wait) =>
      db.transaction(async ({ rolls }) => {
        await rolls.addCard(ANN, 'slow');
        await wait();
      }),
    );
    const quick = db.transaction(({ rolls }) => rolls.addCard(ANN, 'quick'));
    for (const each of slow) await expect(each).rejects.toThrow(/other than its stores/);
    await quick;
    await expect(db.read(() => idle)).rejects.toThrow(/other than its stores/);
    expect(await db.read((stores) => stores.rolls.listCards(ANN))).toEqual([
      { cardId: 'quick', count: 1 },
    ]);
  });

  test('a read cannot write', async () => {
    const db = await open();
    await expect(db.read(({ rolls }) => rolls.addCard(ANN, 'card'))).rejects.toThrow(/readonly/);
    await db.transaction(({ rolls }) => rolls.addCard(ANN, 'card'));
    expect(await db.read((stores) => countCards(stores))).toBe(1);
  });

  test('a read sees what every finished transaction wrote, and nothing of a failed one', async () => {
    const db = await open();
    for (let round = 1; round <= 20; round += 1) {
      const [failed] = await Promise.allSettled([
        db.transaction(async ({ rolls }) => {
          await rolls.addCard(ANN, 'failed');
          throw new Error('failed');
        }),
        db.transaction(({ rolls }) => rolls.addCard(ANN, 'card')),
      ]);
      expect(failed.status).toBe('rejected');
      expect(await db.read((stores) => countCards(stores))).toBe(round);
    }
  });

  test('a read that throws says so, and the next one works', async () => {
    const db = await open();
    await expect(db.read(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
    expect(await db.read((stores) => countCards(stores))).toBe(0);
  });

  test('closing waits for what has begun and refuses what comes after', async () => {
    const db = await open();
    const begun = [
      db.transaction(({ rolls }) => rolls.addCard(ANN, 'card')),
      db.transaction((stores) => countCards(stores)),
      db.read((stores) => countCards(stores)),
    ];
    await Promise.all([db.close(), db.close()]);
    expect(await begun[1]).toBe(1);
    await expect(Promise.all(begun)).resolves.toBeDefined();
    await expect(db.transaction(countCards)).rejects.toThrow(/closed/);
    await expect(db.read(countCards)).rejects.toThrow(/closed/);
  });
});

describe('a batch that cannot be written', () => {
  async function openParts() {
    const file = join(tempDir(), 'state.db');
    const handle = openWriter(file);
    await migrate(handle, file);
    const commits = new GroupCommit(new Connection(handle));
    beforeRemoval(async () => {
      await commits.idle();
      handle.close();
    });
    return { file, handle, commits };
  }

  test('fails for everyone in it when the commit fails, and leaves nothing', async () => {
    const { handle, commits } = await openParts();
    const results = await Promise.allSettled([
      commits.transaction(({ rolls }) => rolls.addCard(ANN, 'first')),
      commits.transaction(async ({ settlements }) => {
        // The only rule that SQLite can be told to check as late as the commit.
        handle.pragma('defer_foreign_keys = ON');
        const by = { kind: 'settlement', settlementId: newSettlementId() } as const;
        await settlements.reserve(newAssetId(), by, 1);
      }),
      commits.transaction(({ rolls }) => rolls.addCard(ANN, 'third')),
    ]);
    for (const result of results) {
      expect(result).toMatchObject({
        status: 'rejected',
        reason: { message: expect.stringContaining('FOREIGN KEY') },
      });
    }
    expect(await commits.transaction(countCards)).toBe(0);
  });

  test('fails for everyone in it when the disk is full, and the next one works', async () => {
    const { handle, commits } = await openParts();
    const pages = handle.pragma('page_count', { simple: true }) as number;
    handle.pragma(`max_page_count = ${pages + 2}`);
    const results = await Promise.allSettled([
      commits.transaction(({ rolls }) => rolls.addCard(ANN, 'first')),
      commits.transaction(async ({ rolls }) => {
        for (let card = 0; card < 1_000; card += 1)
          await rolls.addCard(ANN, `c-${card}`.padEnd(99));
      }),
    ]);
    expect(results[1]).toMatchObject({ status: 'rejected' });
    handle.pragma('max_page_count = 1000000');
    const stored = await commits.transaction(countCards);
    expect(stored).toBe(results[0].status === 'fulfilled' ? 1 : 0);
    await commits.transaction(({ rolls }) => rolls.addCard(ANN, 'after'));
    expect(await commits.transaction(countCards)).toBe(stored + 1);
  });

  test('fails for everyone in it when the transaction is gone under their feet', async () => {
    const { handle, commits } = await openParts();
    const results = await Promise.allSettled([
      commits.transaction(({ rolls }) => rolls.addCard(ANN, 'first')),
      commits.transaction(async ({ rolls }) => {
        await rolls.addCard(ANN, 'second');
        handle.exec('ROLLBACK');
      }),
      commits.transaction(({ rolls }) => rolls.addCard(ANN, 'third')),
    ]);
    for (const result of results) expect(result.status).toBe('rejected');
    expect(await commits.transaction(countCards)).toBe(0);
  });

  test('is refused before it begins when too many wait already', async () => {
    const { commits } = await openParts();
    const waiting = Array.from({ length: 10_000 }, () =>
      commits.transaction(() => Promise.resolve(1)),
    );
    await expect(commits.transaction(countCards)).rejects.toMatchObject({ code: 'QUEUE_FULL' });
    expect((await Promise.all(waiting)).length).toBe(10_000);
    expect(await commits.transaction(countCards)).toBe(0);
  });
});

test('another process that holds the file makes a batch fail, not hang', async () => {
  const file = join(tempDir(), 'state.db');
  const db: Database = await openTestDatabase(file);
  const other = openWriter(file);
  other.exec('BEGIN IMMEDIATE');
  await expect(db.transaction(({ rolls }) => rolls.addCard(ANN, 'card'))).rejects.toThrow(/locked/);
  expect(await db.read((stores) => countCards(stores))).toBe(0);
  other.exec('ROLLBACK');
  other.close();
  await db.transaction(({ rolls }) => rolls.addCard(ANN, 'card'));
});

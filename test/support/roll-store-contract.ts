// What every RollStore must do.
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Database } from '../../src/app/ports/database.ts';
import type { RollRow } from '../../src/app/ports/roll-store.ts';
import type { SettlementId } from '../../src/shared/ids.ts';
import {
  memberId,
  newSettlementId,
  prepareSettlement,
  type OpenTestDatabase,
} from './temp-database.ts';

const ANN = memberId(1);

/** Runs the suite against the rolls of this database. */
export function describeRollStore(name: string, open: OpenTestDatabase): void {
  describe(`RollStore in ${name}`, () => {
    let db: Database;

    beforeEach(async () => {
      db = await open();
    });

    const rolls = (
      settlementId: SettlementId,
      entries: readonly string[],
      bannerId = 'banner',
    ): RollRow[] =>
      entries.map((entryId, position) => ({
        settlementId,
        position,
        memberId: ANN,
        bannerId,
        entryId,
        createdAt: 3,
      }));
    const roll = (entries: readonly string[], bannerId?: string) =>
      db.transaction(async (stores) => {
        const settlementId = await prepareSettlement(stores);
        await stores.rolls.insertRolls(rolls(settlementId, entries, bannerId));
        return settlementId;
      });
    const end = (settlementId: SettlementId, state: 'settled' | 'voided') =>
      db.transaction(({ settlements }) =>
        settlements.resolveSettlement(settlementId, { state, reason: null, at: 4 }),
      );
    const wins = async (bannerId = 'banner') =>
      Object.fromEntries(await db.read((stores) => stores.rolls.countWins(bannerId)));

    test('a banner that nobody rolled on has no wins', async () => {
      expect(await wins()).toEqual({});
    });

    test('wins are counted by entry and banner from the moment of the roll', async () => {
      await roll(['a', 'b', 'a']);
      await roll(['a']);
      await roll(['a'], 'other');
      expect(await wins()).toEqual({ a: 3, b: 1 });
      expect(await wins('other')).toEqual({ a: 1 });
    });

    test('a voided settlement gives its wins back, once; a settled one keeps them', async () => {
      const first = await roll(['a', 'a', 'b']);
      const second = await roll(['a']);
      await end(first, 'voided');
      await end(first, 'voided');
      await end(second, 'settled');
      expect(await wins()).toEqual({ a: 1 });
    });

    test('an entry may have any name, also one that an object has by nature', async () => {
      await roll(['__proto__', 'constructor', 'ü "quoted"']);
      const counted = await db.read((stores) => stores.rolls.countWins('banner'));
      expect([...counted.keys()].sort()).toEqual(['__proto__', 'constructor', 'ü "quoted"']);
    });

    test('a roll belongs to a settlement that has not ended', async () => {
      const ended = await roll(['a']);
      await end(ended, 'voided');
      const insert = (settlementId: SettlementId) =>
        db.transaction((stores) =>
          stores.rolls.insertRolls([{ ...rolls(settlementId, ['a'])[0]!, position: 7 }]),
        );
      await expect(insert(ended)).rejects.toThrow(/has not ended/);
      await expect(insert(newSettlementId())).rejects.toThrow(/FOREIGN KEY/);
    });

    test('cards are counted and listed by id', async () => {
      await db.transaction(async (stores) => {
        await stores.rolls.addCard(ANN, 'b');
        await stores.rolls.addCard(ANN, 'a');
        await stores.rolls.addCard(ANN, 'b');
        await stores.rolls.addCard(memberId(2), 'c');
      });
      expect(await db.read((stores) => stores.rolls.listCards(ANN))).toEqual([
        { cardId: 'a', count: 1 },
        { cardId: 'b', count: 2 },
      ]);
    });

    test('the last claim of each kind is remembered', async () => {
      await db.transaction(async (stores) => {
        expect(await stores.rolls.findClaim(ANN, 'daily')).toBeUndefined();
        await stores.rolls.setClaim(ANN, 'daily', 10);
        await stores.rolls.setClaim(ANN, 'mint', 20);
        await stores.rolls.setClaim(ANN, 'daily', 30);
      });
      await db.read(async (stores) => {
        expect(await stores.rolls.findClaim(ANN, 'daily')).toBe(30);
        expect(await stores.rolls.findClaim(ANN, 'mint')).toBe(20);
        expect(await stores.rolls.findClaim(memberId(2), 'mint')).toBeUndefined();
      });
    });
  });
}

// What every VaultStore and VaultHeaderStore must do.
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Database } from '../../src/app/ports/database.ts';
import type { AssetId } from '../../src/shared/ids.ts';
import type { VaultEntry } from '../../src/vault/vault-store.ts';
import { newAssetId, newTransactionId, type OpenTestDatabase } from './temp-database.ts';

type NewEntry = Omit<VaultEntry, 'state'>;

/** Runs the suite against the vault of this database. */
export function describeVaultStore(name: string, open: OpenTestDatabase): void {
  describe(`VaultStore in ${name}`, () => {
    let db: Database;
    let assetId: AssetId;

    beforeEach(async () => {
      db = await open();
      assetId = newAssetId();
    });

    const entry = (given: Partial<NewEntry> = {}): NewEntry => ({
      transactionId: newTransactionId(),
      assetId,
      custody: 'bot',
      sealed: Buffer.from([1, 2, 255]),
      createdAt: 3,
      ...given,
    });
    const insert = async (...entries: readonly NewEntry[]) => {
      await db.transaction(async ({ vault }) => {
        for (const each of entries) await vault.insertEntry(each);
      });
    };
    const promote = ({ transactionId }: NewEntry) =>
      db.transaction(({ vault }) => vault.promote(transactionId));
    const stateOf = async ({ transactionId }: NewEntry) =>
      (await db.read(({ vault }) => vault.findEntry(transactionId)))?.state;

    test('an entry comes back as it was, waiting', async () => {
      const first = entry();
      await insert(first);
      await db.read(async ({ vault }) => {
        expect(await vault.findEntry(first.transactionId)).toEqual({ ...first, state: 'waiting' });
        expect(await vault.findEntry(newTransactionId())).toBeUndefined();
        expect(await vault.findCurrent(assetId)).toBeUndefined();
        expect(await vault.listCurrent()).toEqual([]);
      });
    });

    test('live are those that wait and those that move their asset, whoever keeps them', async () => {
      const [spent, current, waiting, lost] = [entry(), entry(), entry({ createdAt: 4 }), entry()];
      const theirs = entry({ custody: 'caller', assetId: newAssetId(), createdAt: 5 });
      await insert(spent, current, waiting, lost, theirs);
      for (const each of [spent, current, theirs]) await promote(each);
      await db.transaction(({ vault }) => vault.discard(lost.transactionId));
      expect(await db.read(({ vault }) => vault.listLive())).toEqual([
        { ...current, state: 'current' },
        { ...waiting, state: 'waiting' },
        { ...theirs, state: 'current' },
      ]);
    });

    test('a promoted entry is the current one, and the one before it is spent', async () => {
      const [first, second] = [entry(), entry()];
      await insert(first, second);
      await promote(first);
      await promote(second);
      await db.read(async ({ vault }) => {
        expect(await vault.findCurrent(assetId)).toEqual({ ...second, state: 'current' });
        expect(await vault.listCurrent()).toEqual([{ ...second, state: 'current' }]);
      });
      expect(await stateOf(first)).toBe('spent');
    });

    test('promoting again changes nothing, not even after a later one took its place', async () => {
      const [first, second] = [entry(), entry()];
      await insert(first, second);
      await promote(first);
      await promote(first);
      await promote(second);
      await promote(first);
      expect([await stateOf(first), await stateOf(second)]).toEqual(['spent', 'current']);
    });

    test('a discarded entry stays, void, and the current one stays current', async () => {
      const [first, second] = [entry(), entry()];
      await insert(first, second);
      await promote(first);
      await db.transaction(async ({ vault }) => {
        await vault.discard(second.transactionId);
        await vault.discard(second.transactionId);
      });
      expect([await stateOf(first), await stateOf(second)]).toEqual(['current', 'void']);
    });

    test('a key that stands on the chain is never discarded, a discarded one never promoted', async () => {
      const [first, second] = [entry(), entry()];
      await insert(first, second);
      await promote(first);
      const discard = ({ transactionId }: NewEntry) =>
        db.transaction(({ vault }) => vault.discard(transactionId));
      await expect(discard(first)).rejects.toThrow(/stands on the chain/);
      await discard(second);
      await expect(promote(second)).rejects.toThrow(/void/);
    });

    test('an entry that does not exist is neither promoted nor discarded in silence', async () => {
      await expect(promote(entry())).rejects.toThrow(/no vault entry/);
      await expect(
        db.transaction(({ vault }) => vault.discard(newTransactionId())),
      ).rejects.toThrow(/no vault entry/);
    });

    test('a retired asset has no current entry; retiring it again is harmless', async () => {
      const first = entry();
      await insert(first);
      await promote(first);
      await db.transaction(async ({ vault }) => {
        await vault.retire(assetId);
        await vault.retire(assetId);
      });
      expect(await db.read(({ vault }) => vault.findCurrent(assetId))).toBeUndefined();
      expect(await stateOf(first)).toBe('spent');
    });

    test('what a caller keeps takes the place of what the bot kept, and is never listed as the bot’s', async () => {
      const first = entry();
      const second = entry({ custody: 'caller' });
      await insert(first, second);
      await promote(first);
      await promote(second);
      await db.read(async ({ vault }) => {
        expect(await vault.findCurrent(assetId)).toBeUndefined();
        expect(await vault.listCurrent()).toEqual([]);
      });
      expect([await stateOf(first), await stateOf(second)]).toEqual(['spent', 'current']);
    });

    test('a transaction has one entry', async () => {
      const first = entry();
      await insert(first);
      await expect(insert({ ...first, sealed: Buffer.of(9) })).rejects.toThrow(/UNIQUE/);
      expect((await db.read(({ vault }) => vault.findEntry(first.transactionId)))?.sealed).toEqual(
        first.sealed,
      );
    });

    test('current entries of all assets are listed by asset', async () => {
      const entries = ['c', 'a', 'b'].map((id) => entry({ assetId: id as AssetId }));
      await insert(...entries);
      for (const each of entries) await promote(each);
      const listed = await db.read(({ vault }) => vault.listCurrent());
      expect(listed.map((each) => each.assetId)).toEqual(['a', 'b', 'c']);
    });

    test('the header is written once, comes back as it was, and can be replaced whole', async () => {
      const header = {
        kdf: 'argon2id',
        parameters: 'v=19$m=65536,t=3,p=1',
        salt: Buffer.from([0, 1]),
        wrappedKey: Buffer.from([2, 3]),
      } as const;
      expect(await db.read(({ vaultHeader }) => vaultHeader.findHeader())).toBeUndefined();
      const write = () => db.transaction(({ vaultHeader }) => vaultHeader.insertHeader(header));
      await write();
      expect(await db.read(({ vaultHeader }) => vaultHeader.findHeader())).toEqual(header);
      const other = { ...header, salt: Buffer.from('another salt'), wrappedKey: Buffer.from([9]) };
      await db.transaction(({ vaultHeader }) => vaultHeader.replaceHeader(other));
      expect(await db.read(({ vaultHeader }) => vaultHeader.findHeader())).toEqual(other);
      await expect(write()).rejects.toThrow(/UNIQUE/);
    });
  });
}

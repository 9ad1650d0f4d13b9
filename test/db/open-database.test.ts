// The file: its settings, its mode, its schema's history, and the rules that hold for whoever writes to it.
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import BetterSqlite3 from 'better-sqlite3';
import { openReader, openWriter } from '../../src/db/connection.ts';
import { openDatabase } from '../../src/db/open-database.ts';
import { memberAccount } from '../../src/ledger/ledger-store.ts';
import { guyaCoin } from '../../src/shared/guya-coin.ts';
import type { CommitId, OwnerId } from '../../src/shared/ids.ts';
import { openTrade, setCoins } from '../../src/trade/trade.ts';
import {
  giveCoins,
  makeHandOver,
  memberId,
  newAssetId,
  newHoldId,
  newKey,
  newSettlementId,
  newTradeId,
  newTransactionId,
  openTestDatabase,
  ownerIdOf,
  prepareSettlement,
} from '../support/temp-database.ts';
import { tempDir } from '../support/temp-dir.ts';

const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8);

describe('the file', () => {
  test('is for its owner alone, with all that SQLite puts beside it', async () => {
    const file = join(tempDir(), 'made', 'state.db');
    const db = await openTestDatabase(file);
    await db.transaction(({ rolls }) => rolls.addCard(memberId(1), 'card'));
    expect(readdirSync(join(file, '..')).sort()).toEqual([
      'state.db',
      'state.db-shm',
      'state.db-wal',
    ]);
    for (const suffix of ['', '-wal', '-shm']) expect(modeOf(file + suffix)).toBe('600');
    expect(modeOf(join(file, '..'))).toBe('700');
  });

  test('is made private again when it was not', async () => {
    const file = join(tempDir(), 'state.db');
    await (await openDatabase({ file })).close();
    chmodSync(file, 0o644);
    await (await openDatabase({ file })).close();
    expect(modeOf(file)).toBe('600');
  });

  test('stands alone once it is closed, with all that was written', async () => {
    const file = join(tempDir(), 'state.db');
    const db = await openDatabase({ file });
    await db.transaction(({ rolls }) => rolls.addCard(memberId(1), 'card'));
    await db.close();
    expect(existsSync(`${file}-wal`)).toBe(false);
    const again = await openTestDatabase(file);
    expect(await again.read(({ rolls }) => rolls.listCards(memberId(1)))).toHaveLength(1);
  });

  test('is written so that a commit outlives a power failure', () => {
    const handle = openWriter(join(tempDir(), 'state.db'));
    const setting = (name: string) => handle.pragma(name, { simple: true });
    expect(setting('journal_mode')).toBe('wal');
    expect(setting('synchronous')).toBe(2);
    expect(setting('foreign_keys')).toBe(1);
    handle.close();
  });

  test('that is no database is refused and left as it is', async () => {
    const file = join(tempDir(), 'state.db');
    const text = 'something else, long enough to be read as a header '.repeat(20);
    writeFileSync(file, text);
    await expect(openDatabase({ file })).rejects.toThrow(/not a database/);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });
});

describe('the schema', () => {
  test('is made once; opening again changes no byte', async () => {
    const file = join(tempDir(), 'state.db');
    await (await openDatabase({ file })).close();
    const before = readFileSync(file);
    await (await openDatabase({ file })).close();
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test('of a newer program is refused and left as it is', async () => {
    const file = join(tempDir(), 'state.db');
    await (await openDatabase({ file })).close();
    const raw = new BetterSqlite3(file);
    raw.exec(`INSERT INTO kysely_migration VALUES ('9999-from-the-future', '2030-01-01')`);
    raw.close();
    const before = readFileSync(file);
    await expect(openDatabase({ file })).rejects.toMatchObject({
      code: 'DATABASE_TOO_NEW',
      data: { file, migration: '9999-from-the-future' },
    });
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test('is all there or not at all: a failed migration leaves what was there', async () => {
    const file = join(tempDir(), 'state.db');
    const raw = new BetterSqlite3(file);
    // In the way of the last table that the first migration makes.
    raw.exec('CREATE TABLE claims (mine TEXT)');
    raw.close();
    await expect(openDatabase({ file })).rejects.toThrow(/0001-first-schema.*failed/);
    const after = new BetterSqlite3(file);
    const tables = after.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`).pluck();
    expect(tables.all()).toEqual(['claims']);
    after.close();
  });

  test('has strict tables only, so that a text never stands where an amount should', async () => {
    const file = join(tempDir(), 'state.db');
    await openTestDatabase(file);
    const handle = openReader(file);
    const loose = handle
      .prepare(
        `SELECT name FROM pragma_table_list
         WHERE schema = 'main' AND NOT strict AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'kysely%'`,
      )
      .pluck();
    expect(loose.all()).toEqual([]);
    handle.close();
  });
});

describe('whoever writes SQL by hand', () => {
  /** One row in every table that has rules of its own. */
  async function openFilled() {
    const file = join(tempDir(), 'state.db');
    const db = await openDatabase({ file });
    const [ann, ben] = [memberId(1), memberId(2)];
    await db.transaction(async (stores) => {
      await giveCoins(stores, ann, 100);
      const settlementId = await prepareSettlement(stores, { handOvers: [makeHandOver()] });
      const hold = {
        holdId: newHoldId(),
        accountId: memberAccount(ann),
        amountGc: guyaCoin(60),
        settlementId,
        placedAt: 1,
      };
      await stores.ledger.placeHold(hold, 'roll-price');
      const roll = { settlementId, position: 0, memberId: ann, createdAt: 1 };
      await stores.rolls.insertRolls([{ ...roll, bannerId: 'b', entryId: 'e' }]);
      const tradeId = newTradeId();
      const opening = { tradeId, proposer: ann, counterparty: ben, now: 1, expiryMs: 1 };
      const trade = openTrade(opening);
      await stores.trades.insertTrade(trade, newKey());
      await stores.trades.updateTrade({ ...setCoins(trade, ann, 1), state: 'cancelled' });
      const [assetId, transactionId] = [newAssetId(), newTransactionId()];
      const custody = 'bot' as const;
      const sealed = Buffer.of(1);
      await stores.vault.insertEntry({ transactionId, assetId, custody, sealed, createdAt: 1 });
      await stores.vault.promote(transactionId);
      await stores.vaultHeader.insertHeader({
        kdf: 'key-file',
        parameters: '',
        salt: Buffer.of(1),
        wrappedKey: Buffer.of(1),
      });
      const groupId = newSettlementId();
      await stores.journal.insertEntries([
        {
          transactionId,
          groupId,
          position: 0,
          assetId,
          ownerId: 'o' as OwnerId,
          record: Buffer.of(1),
          parent: 'a'.repeat(40) as CommitId,
          committer: 'c',
          commitTimeSeconds: 1,
          acceptedAt: 1,
        },
      ]);
      const committed = { state: 'committed', reason: null, resolvedAt: 2 } as const;
      await stores.journal.resolveGroups([groupId], committed);
      await stores.settlements.putOwner(ownerIdOf(ann), ann);
    });
    await db.close();
    const handle = openWriter(file);
    return handle;
  }

  test.each([
    'transfers',
    'statement_lines',
    'holds',
    'settlements',
    'hand_overs',
    'trades',
    'vault_entries',
    'vault_header',
    'journal',
    'rolls',
  ])('deletes nothing of %s', async (table) => {
    const handle = await openFilled();
    const count = () => handle.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
    const before = count();
    expect(before).toBeGreaterThan(0);
    expect(() => handle.exec(`DELETE FROM ${table}`)).toThrow(/never deleted|last copy|only way/);
    expect(count()).toBe(before);
    handle.close();
  });

  test.each([
    ['a transfer', 'UPDATE transfers SET amount_gc = 1'],
    ['a statement line', 'UPDATE statement_lines SET balance_after_gc = 1'],
    ['a settled settlement', `UPDATE settlements SET state = 'voided' WHERE state = 'settled'`],
    ['a settlement’s key', `UPDATE settlements SET key = 'x' WHERE state = 'prepared'`],
    ['a hand-over', `UPDATE hand_overs SET to_holder = 'bot'`],
    ['a hold’s amount', 'UPDATE holds SET amount_gc = 1'],
    ['an ended trade', `UPDATE trades SET state = 'open'`],
    ['an ended trade’s offer', `UPDATE trades SET sides = '[]'`],
    ['a sealed passphrase', `UPDATE vault_entries SET sealed = x'00'`],
    ['a current key back to waiting', `UPDATE vault_entries SET state = 'waiting'`],
    ['a committed transaction', `UPDATE journal SET state = 'rejected'`],
    ['a record', `UPDATE journal SET record = x'00'`],
    ['a roll', `UPDATE rolls SET entry_id = 'x'`],
    ['whose owner id it is', `UPDATE owners SET member_id = '9'`],
    [
      'a member’s balance to below zero',
      `UPDATE accounts SET balance_gc = -1 WHERE account_id = 'bank'`,
    ],
    ['a balance to a text', `UPDATE accounts SET balance_gc = 'x'`],
    ['a count of wins to below zero', 'UPDATE wins SET count = -1'],
  ])('changes not %s', async (_what, statement) => {
    const handle = await openFilled();
    expect(() => handle.exec(statement)).toThrow(
      /never|once|stays|for ever|only goes|CHECK|cannot store/,
    );
    handle.close();
  });

  test.each([
    ['an amount of zero', `'t', 'bank', 'member:1', 0, 'daily'`],
    ['a negative amount', `'t', 'bank', 'member:1', -1, 'daily'`],
    ['an amount beyond the limit', `'t', 'issuance', 'member:1', 1000000000001, 'daily'`],
    ['an unknown code', `'t', 'issuance', 'member:1', 1, 'theft'`],
    ['an account of no known kind', `'t', 'issuance', 'pocket', 1, 'daily'`],
    ['one account on both sides', `'t', 'bank', 'bank', 1, 'daily'`],
  ])('adds no transfer with %s', async (_what, values) => {
    const handle = await openFilled();
    const settlement = `(SELECT settlement_id FROM settlements LIMIT 1)`;
    expect(() =>
      handle.exec(
        `INSERT INTO transfers (transfer_id, debit_account, credit_account, amount_gc, code, settlement_id, created_at)
         VALUES (${values}, ${settlement}, 1)`,
      ),
    ).toThrow(/CHECK/);
    handle.close();
  });

  test('cannot hide a changed balance from the audit', async () => {
    const handle = await openFilled();
    handle.exec(`UPDATE accounts SET balance_gc = balance_gc + 5 WHERE account_id = 'member:1001'`);
    handle.exec(
      `UPDATE settlements SET state = 'voided', resolved_at = 3 WHERE state = 'prepared'`,
    );
    const { name: file } = handle;
    handle.close();
    const db = await openTestDatabase(file);
    expect(await db.read(({ ledger }) => ledger.audit())).toEqual([
      'the balances sum to 5 gc instead of zero',
      'member:1001 keeps 45 gc, its transfers give 40',
      "the last line of member:1001's statement is not its balance",
      expect.stringMatching(/^hold .* is open, its settlement .* has ended$/),
    ]);
  });

  test('cannot make the program trust a damaged column', async () => {
    const handle = await openFilled();
    const { name: file } = handle;
    handle.exec('DROP TRIGGER settlements_end_once');
    handle.exec('DROP TRIGGER trades_stay_ended');
    handle.exec(`UPDATE settlements SET effects = '{"captures": "all"}'`);
    handle.exec(`UPDATE trades SET sides = '[]'`);
    const [settlementId, tradeId] = ['settlements', 'trades'].map((table) =>
      handle
        .prepare(`SELECT ${table.slice(0, -1)}_id FROM ${table} LIMIT 1`)
        .pluck()
        .get(),
    ) as [never, never];
    handle.close();
    const db = await openTestDatabase(file);
    await expect(
      db.read(({ settlements }) => settlements.findSettlement(settlementId)),
    ).rejects.toThrow(/effects of settlement .* damaged/);
    await expect(db.read(({ trades }) => trades.findTrade(tradeId))).rejects.toThrow(
      /sides of trade .* damaged/,
    );
  });
});

// What an operator accepted of a rewritten chain: when, of which assets, and what the bot has to hand over anew.
import { sql, type Kysely } from 'kysely';

const ACCEPTED = [
  `CREATE TABLE accepted_rewritings (
    number INTEGER PRIMARY KEY CHECK (number > 0),
    digest TEXT NOT NULL CHECK (length(digest) = 32),
    accepted_at INTEGER NOT NULL CHECK (accepted_at >= 0)
  ) STRICT`,
  `CREATE TABLE accepted_assets (
    number INTEGER NOT NULL REFERENCES accepted_rewritings,
    asset_id TEXT NOT NULL CHECK (length(asset_id) BETWEEN 1 AND 240),
    PRIMARY KEY (number, asset_id)
  ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX accepted_assets_by_id ON accepted_assets (asset_id)`,
  ...['accepted_rewritings', 'accepted_assets'].flatMap((table) => [
    `CREATE TRIGGER ${table}_stay BEFORE DELETE ON ${table}
      BEGIN SELECT RAISE(ABORT, 'what was accepted is never deleted'); END`,
    `CREATE TRIGGER ${table}_unchanged BEFORE UPDATE ON ${table}
      BEGIN SELECT RAISE(ABORT, 'what was accepted is never changed'); END`,
  ]),
  `CREATE TABLE redeliveries (
    asset_id TEXT PRIMARY KEY CHECK (length(asset_id) BETWEEN 1 AND 240),
    holder TEXT NOT NULL CHECK (length(holder) BETWEEN 1 AND 40),
    tip_transaction_id TEXT CHECK (length(tip_transaction_id) BETWEEN 1 AND 200),
    owed_since INTEGER NOT NULL CHECK (owed_since >= 0)
  ) STRICT, WITHOUT ROWID`,
  // Of an asset whose chain was set back and accepted so, whatever the chain names is what moves it: a passphrase that
  // was spent, or that of a transaction that was rejected because another one, now gone, was quicker.
  `DROP TRIGGER vault_entries_forward`,
  `CREATE TRIGGER vault_entries_forward BEFORE UPDATE ON vault_entries
    WHEN NOT ((OLD.state = 'waiting' AND NEW.state IN ('current', 'void'))
        OR (OLD.state = 'current' AND NEW.state = 'spent')
        OR (OLD.state IN ('spent', 'void') AND NEW.state = 'current'
          AND EXISTS (SELECT 1 FROM accepted_assets WHERE asset_id = OLD.asset_id)))
      OR (NEW.transaction_id, NEW.asset_id, NEW.custody, NEW.sealed, NEW.created_at)
        IS NOT (OLD.transaction_id, OLD.asset_id, OLD.custody, OLD.sealed, OLD.created_at)
    BEGIN SELECT RAISE(ABORT, 'a vault entry only goes from waiting to current or void, then to spent'); END`,
];

/** Adds the tables, and lets an accepted chain say which passphrase is the current one. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of ACCEPTED) await sql.raw(statement).execute(db);
}

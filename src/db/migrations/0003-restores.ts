// Restored backups, and the assets whose passphrase they did not have.
import { sql, type Kysely } from 'kysely';

const RESTORES = [
  `CREATE TABLE restores (
    restored_at INTEGER PRIMARY KEY CHECK (restored_at >= 0),
    taken_at INTEGER NOT NULL CHECK (taken_at >= 0),
    reconciled_at INTEGER
  ) STRICT`,
  `CREATE TRIGGER restores_stay BEFORE DELETE ON restores
    BEGIN SELECT RAISE(ABORT, 'a restore is never deleted'); END`,
  `CREATE TABLE lost_assets (
    asset_id TEXT PRIMARY KEY CHECK (length(asset_id) BETWEEN 1 AND 240),
    transaction_id TEXT NOT NULL CHECK (length(transaction_id) BETWEEN 1 AND 200),
    noticed_at INTEGER NOT NULL CHECK (noticed_at >= 0)
  ) STRICT, WITHOUT ROWID`,
];

/** Adds the tables. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of RESTORES) await sql.raw(statement).execute(db);
}

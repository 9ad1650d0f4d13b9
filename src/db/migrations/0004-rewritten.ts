// What an operator let go when the chain was rewritten: transactions that were committed and are on the chain no more.
import { sql, type Kysely } from 'kysely';

const REWRITTEN = [
  `CREATE TABLE lost_transactions (
    transaction_id TEXT PRIMARY KEY REFERENCES journal (transaction_id),
    asset_id TEXT NOT NULL CHECK (length(asset_id) BETWEEN 1 AND 240),
    accepted_at INTEGER NOT NULL CHECK (accepted_at >= 0)
  ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX lost_transactions_by_asset ON lost_transactions (asset_id)`,
  `CREATE TRIGGER lost_transactions_stay BEFORE DELETE ON lost_transactions
    BEGIN SELECT RAISE(ABORT, 'what was let go is never deleted'); END`,
  // A chain that was set back, and accepted so, is moved by the passphrase that was spent before.
  `DROP TRIGGER vault_entries_forward`,
  `CREATE TRIGGER vault_entries_forward BEFORE UPDATE ON vault_entries
    WHEN NOT ((OLD.state = 'waiting' AND NEW.state IN ('current', 'void'))
        OR (OLD.state = 'current' AND NEW.state = 'spent')
        OR (OLD.state = 'spent' AND NEW.state = 'current'
          AND EXISTS (SELECT 1 FROM lost_transactions WHERE asset_id = OLD.asset_id)))
      OR (NEW.transaction_id, NEW.asset_id, NEW.custody, NEW.sealed, NEW.created_at)
        IS NOT (OLD.transaction_id, OLD.asset_id, OLD.custody, OLD.sealed, OLD.created_at)
    BEGIN SELECT RAISE(ABORT, 'a vault entry only goes from waiting to current or void, then to spent'); END`,
];

/** Adds the table, and lets a spent passphrase become the current one of a chain that was set back. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of REWRITTEN) await sql.raw(statement).execute(db);
}

// Lets the vault follow a transaction that was rejected, and that the chain came to have all the same.
import { sql, type Kysely } from 'kysely';

const RETURNED = [
  `DROP TRIGGER vault_entries_forward`,
  `CREATE TRIGGER vault_entries_forward BEFORE UPDATE ON vault_entries
    WHEN NOT ((OLD.state = 'waiting' AND NEW.state IN ('current', 'void'))
        OR (OLD.state = 'current' AND NEW.state = 'spent')
        OR (OLD.state = 'void' AND NEW.state = 'current')
        OR (OLD.state = 'spent' AND NEW.state = 'current'
          AND EXISTS (SELECT 1 FROM accepted_assets WHERE asset_id = OLD.asset_id)))
      OR (NEW.transaction_id, NEW.asset_id, NEW.custody, NEW.sealed, NEW.created_at)
        IS NOT (OLD.transaction_id, OLD.asset_id, OLD.custody, OLD.sealed, OLD.created_at)
    BEGIN SELECT RAISE(ABORT, 'a vault entry only goes from waiting to current or void, then to spent'); END`,
  // Looked through at the start and before every audit; nearly all of the journal is committed.
  `CREATE INDEX journal_rejected ON journal (sequence) WHERE state = 'rejected'`,
];

/** A commit that a dying remote kept counts as soon as anybody sets its tag, long after its group was given up. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of RETURNED) await sql.raw(statement).execute(db);
}

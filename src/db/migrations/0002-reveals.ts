// Passphrases that were presented and wait, sealed, to be revealed once they are spent.
import { sql, type Kysely } from 'kysely';

const REVEALS = [
  `CREATE TABLE reveals (
    transaction_id TEXT PRIMARY KEY REFERENCES journal (transaction_id),
    sealed BLOB NOT NULL CHECK (length(sealed) BETWEEN 1 AND 8192)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TRIGGER reveals_unchanged BEFORE UPDATE ON reveals
    BEGIN SELECT RAISE(ABORT, 'a sealed passphrase is never changed'); END`,
  // The passphrase of a rejected transaction still moves its asset: it must never come to light.
  `CREATE TRIGGER reveals_of_rejected AFTER UPDATE OF state ON journal WHEN NEW.state = 'rejected'
    BEGIN DELETE FROM reveals WHERE transaction_id = NEW.transaction_id; END`,
];

/** Adds the table. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of REVEALS) await sql.raw(statement).execute(db);
}

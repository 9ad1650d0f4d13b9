// Keeps a second process off a data directory: the lock is SQLite's own, so it ends with the process that holds it.
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { AppError } from '../shared/errors.ts';

/** The lock's file name inside the data directory. */
const LOCK_FILE = 'lock.sqlite';

/**
 * Takes the data directory for this process.
 * @returns gives it back.
 * @throws AppError DATA_DIR_IN_USE
 */
export function lockDataDir(dataDir: string): () => void {
  const file = join(dataDir, LOCK_FILE);
  const db = new BetterSqlite3(file, { timeout: 0 });
  chmodSync(file, 0o600);
  try {
    // The exclusive lock of an open transaction is the operating system's: no kill leaves it behind.
    db.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if (isBusy(error)) {
      throw new AppError('DATA_DIR_IN_USE', { dir: dataDir });
    }
    throw error;
  }
  return () => db.close();
}

/** Goes by the code, not by the class: see `sqlite-errors.ts`. */
function isBusy(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && code.startsWith('SQLITE_BUSY');
}

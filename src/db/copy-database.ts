// Copies a database that another process may be writing to, and checks what a copied one holds.
import BetterSqlite3 from 'better-sqlite3';
import { chmodSync, closeSync, openSync } from 'node:fs';
import { openReader } from './connection.ts';

/** All at once: a copy in steps begins again whenever another process has written in between. */
const ALL_PAGES = 0x7fffffff;

/** Copies one consistent state, as of now, into one file (sqlite.org/backup.html); who writes meanwhile does not wait. */
export async function copyFile(source: string, target: string): Promise<void> {
  closeSync(openSync(target, 'wx', 0o600));
  const reader = openReader(source);
  try {
    await reader.backup(target, { progress: () => ALL_PAGES });
  } finally {
    reader.close();
  }
  chmodSync(target, 0o600);
}

/**
 * Copies the authoritative database.
 * @returns the name of the newest migration, which says what schema the copy has.
 */
export async function copyDatabase(source: string, target: string): Promise<string> {
  await copyFile(source, target);
  const copy = new BetterSqlite3(target);
  try {
    // The log's files would otherwise come beside it as soon as somebody looks into it.
    copy.pragma('journal_mode = DELETE');
    const newest = copy.prepare<[], string>('SELECT max(name) FROM kysely_migration').pluck().get();
    return newest ?? 'none';
  } finally {
    copy.close();
  }
}

/** What SQLite itself finds wrong with a file; nothing when it is sound. */
export function listDatabaseFaults(file: string): readonly string[] {
  const db = new BetterSqlite3(file, { readonly: true });
  try {
    const lines = db.pragma('integrity_check') as readonly { integrity_check: string }[];
    const faults = lines.map((line) => line.integrity_check).filter((line) => line !== 'ok');
    const broken = (db.pragma('foreign_key_check') as readonly unknown[]).length;
    return broken === 0 ? faults : [...faults, `${broken} rows refer to rows that are not there`];
  } finally {
    db.close();
  }
}

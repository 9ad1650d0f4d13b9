// Brings a database to the newest schema: numbered migrations, forward only, all in one transaction.
import type BetterSqlite3 from 'better-sqlite3';
import { Kysely, Migrator, SqliteDialect, type Migration } from 'kysely';
import { AppError } from '../shared/errors.ts';
import { up as firstSchema } from './migrations/0001-first-schema.ts';
import { up as reveals } from './migrations/0002-reveals.ts';
import { up as restores } from './migrations/0003-restores.ts';
import { up as rewritten } from './migrations/0004-rewritten.ts';
import { up as acceptedRewritings } from './migrations/0005-accepted-rewritings.ts';
import { up as returned } from './migrations/0006-returned.ts';

/** In code, not in a folder that is read at run time: the build and the tests then see the same list. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-first-schema': { up: firstSchema },
  '0002-reveals': { up: reveals },
  '0003-restores': { up: restores },
  '0004-rewritten': { up: rewritten },
  '0005-accepted-rewritings': { up: acceptedRewritings },
  '0006-returned': { up: returned },
};

/**
 * Runs what is missing, all or nothing.
 * @throws AppError DATABASE_TOO_NEW when a newer version of the program has migrated it already.
 */
export async function migrate(handle: BetterSqlite3.Database, file: string): Promise<void> {
  handle.exec('BEGIN IMMEDIATE');
  try {
    refuseNewer(handle, file);
    // Kysely's migrator opens no transaction on SQLite; this one, on the same connection, holds all that it does. The
    // instance is dropped, not destroyed: destroying it would close the connection.
    const db = new Kysely<unknown>({ dialect: new SqliteDialect({ database: handle }) });
    const provider = { getMigrations: () => Promise.resolve({ ...MIGRATIONS }) };
    const { error, results } = await new Migrator({ db, provider }).migrateToLatest();
    if (error !== undefined) {
      const failed = results?.find((result) => result.status === 'Error')?.migrationName;
      throw new Error(`migration ${failed ?? 'list'} of ${file} failed`, { cause: error });
    }
    handle.exec('COMMIT');
  } catch (error) {
    if (handle.inTransaction) handle.exec('ROLLBACK');
    throw error;
  }
}

function refuseNewer(handle: BetterSqlite3.Database, file: string): void {
  const table = handle
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'kysely_migration'`)
    .get();
  if (table === undefined) return;
  const names = handle.prepare<[], string>('SELECT name FROM kysely_migration ORDER BY name');
  const unknown = names
    .pluck()
    .all()
    .find((name) => !Object.hasOwn(MIGRATIONS, name));
  if (unknown !== undefined) {
    throw new AppError('DATABASE_TOO_NEW', { file, migration: unknown });
  }
}

// What a SQLite error means to the stores: which rule of the schema a statement ran into.
import BetterSqlite3 from 'better-sqlite3';

const UNIQUE = new Set(['SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_PRIMARYKEY']);

/** True when the statement would have made a second row of a unique `table.column`. */
export function isTaken(error: unknown, column: string): boolean {
  return (
    error instanceof BetterSqlite3.SqliteError &&
    UNIQUE.has(error.code) &&
    error.message.endsWith(`: ${column}`)
  );
}

/** True when the statement broke the CHECK constraint of this name. */
export function breaksCheck(error: unknown, name: string): boolean {
  return (
    error instanceof BetterSqlite3.SqliteError &&
    error.code === 'SQLITE_CONSTRAINT_CHECK' &&
    error.message.endsWith(`: ${name}`)
  );
}

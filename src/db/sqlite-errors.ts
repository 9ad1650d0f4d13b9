// What a SQLite error means to the stores: which rule of the schema a statement ran into.

const UNIQUE = new Set(['SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_PRIMARYKEY']);
const CHECK = new Set(['SQLITE_CONSTRAINT_CHECK']);

/**
 * A statement that failed, with its SQL; the values that were bound stay out of it. The library's own errors are no
 * native errors and have the class of whoever loaded it first, so nobody could tell them by their class.
 */
export class StatementError extends Error {
  override readonly name = 'StatementError';
  /** SQLite's extended result code, for example `SQLITE_CONSTRAINT_CHECK`; undefined when SQLite was not reached. */
  readonly code: string | undefined;
  readonly sql: string;

  constructor(sql: string, cause: unknown) {
    const { code, message } = cause as { readonly code?: unknown; readonly message?: unknown };
    super(typeof message === 'string' ? message : 'a statement failed', { cause });
    this.code = typeof code === 'string' ? code : undefined;
    this.sql = sql;
  }
}

/** True when the statement would have made a second row of a unique `table.column`. */
export function isTaken(error: unknown, column: string): boolean {
  return breaks(error, UNIQUE, column);
}

/** True when the statement broke the CHECK constraint of this name. */
export function breaksCheck(error: unknown, name: string): boolean {
  return breaks(error, CHECK, name);
}

function breaks(error: unknown, codes: ReadonlySet<string>, rule: string): boolean {
  return (
    error instanceof StatementError &&
    error.code !== undefined &&
    codes.has(error.code) &&
    error.message.endsWith(`: ${rule}`)
  );
}

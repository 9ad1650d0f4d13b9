// What a SQLite error means to the stores: which rule of the schema a statement ran into.

const UNIQUE = new Set(['SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_PRIMARYKEY']);
const CHECK = new Set(['SQLITE_CONSTRAINT_CHECK']);

/** True when the statement would have made a second row of a unique `table.column`. */
export function isTaken(error: unknown, column: string): boolean {
  return breaks(error, UNIQUE, column);
}

/** True when the statement broke the CHECK constraint of this name. */
export function breaksCheck(error: unknown, name: string): boolean {
  return breaks(error, CHECK, name);
}

/**
 * Goes by the error's code, not by its class: the native library makes every error with the class of whoever loaded it
 * first, and in tests that is another realm's.
 */
function breaks(error: unknown, codes: ReadonlySet<string>, rule: string): boolean {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  return (
    typeof code === 'string' &&
    codes.has(code) &&
    typeof message === 'string' &&
    message.endsWith(`: ${rule}`)
  );
}

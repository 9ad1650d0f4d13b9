// Counts what is written to each table of the state database, so that the oracle reads again only what may have changed.
import type { Handle } from './house.ts';

/** A statement as better-sqlite3 prepares it; only what is needed here. */
interface Prepared {
  readonly readonly: boolean;
  run: (...given: unknown[]) => unknown;
}

/** A query without parameters. */
interface Query<Row> {
  readonly source: string;
  all(): readonly Row[];
}

/** What the schema says; the same for every seed. */
interface Schema {
  readonly tables: readonly string[];
  /** The text of each table's triggers. */
  readonly triggers: ReadonlyMap<string, readonly string[]>;
}

let schema: Schema | undefined;
const tablesOfSql = new Map<string, readonly string[]>();

/**
 * Watches every statement that is prepared on the handle from now on. Which tables a statement writes to is taken from
 * its text and from those of the triggers that this sets off: each table that is named there counts, so that one too many
 * may be read again and none too few.
 */
export class TableWrites {
  readonly #counts = new Map<string, number>();
  /** Times when any table may have changed. */
  #rollbacks = 0;
  readonly #watched = new WeakSet<object>();

  constructor(handle: Handle) {
    schema ??= readSchema(handle);
    const prepare = handle.prepare.bind(handle) as unknown as (sql: string) => Prepared;
    handle.prepare = ((sql: string) => {
      const statement = prepare(sql);
      if (!this.#watched.has(statement)) this.#watch(statement, sql);
      return statement;
    }) as unknown as Handle['prepare'];
  }

  #watch(statement: Prepared, sql: string): void {
    this.#watched.add(statement);
    const isRollback = sql.startsWith('ROLLBACK');
    if (statement.readonly && !isRollback && sql !== 'COMMIT') return;
    const run = statement.run.bind(statement);
    const tables = writtenBy(sql);
    statement.run = (...given) => {
      if (isRollback) this.#rollbacks += 1;
      for (const table of tables) this.#counts.set(table, (this.#counts.get(table) ?? 0) + 1);
      try {
        return run(...given);
      } catch (error) {
        // SQLite may have rolled everything back.
        this.#rollbacks += 1;
        throw error;
      }
    };
  }

  /** The same query, asked again only when a table that it names may have changed. */
  remembered<Row>(query: Query<Row>): Query<Row> {
    const { source } = query;
    const hasChanged = this.changes(source);
    let rows: readonly Row[] = [];
    const all = (): readonly Row[] => {
      if (hasChanged()) rows = query.all();
      return rows;
    };
    return { source, all };
  }

  /** @returns whether a table that the query names may have changed since it was asked last; true at first. */
  changes(sql: string): () => boolean {
    const tables = namedIn(sql);
    let seen = -1;
    return () => {
      let now = this.#rollbacks;
      for (const table of tables) now += this.#counts.get(table) ?? 0;
      if (now === seen) return false;
      seen = now;
      return true;
    };
  }
}

function readSchema(handle: Handle): Schema {
  const rows = handle
    .prepare<[], { readonly type: string; readonly tbl_name: string; readonly sql: string }>(
      `SELECT type, tbl_name, sql FROM sqlite_master WHERE type IN ('table', 'trigger')`,
    )
    .all();
  const triggers = new Map<string, string[]>();
  for (const { type, tbl_name: table, sql } of rows) {
    if (type === 'trigger') triggers.set(table, [...(triggers.get(table) ?? []), sql]);
  }
  return {
    tables: rows.filter(({ type }) => type === 'table').map(({ tbl_name: table }) => table),
    triggers,
  };
}

function namedIn(sql: string): readonly string[] {
  const words = new Set(sql.match(/\w+/g));
  return (schema?.tables ?? []).filter((table) => words.has(table));
}

/** The tables that a statement or its triggers may write to. */
function writtenBy(sql: string): readonly string[] {
  const known = tablesOfSql.get(sql);
  if (known !== undefined) return known;
  const written = new Set(namedIn(sql));
  // A set may grow while it is walked through: what a trigger writes to sets off further ones.
  for (const table of written) {
    for (const trigger of schema?.triggers.get(table) ?? []) {
      for (const each of namedIn(trigger)) written.add(each);
    }
  }
  tablesOfSql.set(sql, [...written]);
  return [...written];
}

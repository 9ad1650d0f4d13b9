// One connection to a SQLite file: its settings, its prepared statements, its savepoints.
import BetterSqlite3 from 'better-sqlite3';
import { StatementError } from './sqlite-errors.ts';
import type { Statement } from './statement.ts';

/** How long a statement waits for another process that holds the file. */
const BUSY_TIMEOUT_MS = 5_000;
/** What the write-ahead log shrinks back to after it has grown. */
const JOURNAL_SIZE_LIMIT_BYTES = 64 * 1024 * 1024;
/** When the log is copied into the file: rarely, for the same pages are written again and again under load. */
const CHECKPOINT_PAGES = 8_000;
const CACHE_KIB = 32 * 1024;

export class Connection {
  readonly handle: BetterSqlite3.Database;
  readonly #prepared = new Map<Statement<never, unknown>, BetterSqlite3.Statement>();
  readonly #savepoint: BetterSqlite3.Statement;
  readonly #release: BetterSqlite3.Statement;
  readonly #rollbackTo: BetterSqlite3.Statement;
  #isReadOnly = false;

  constructor(handle: BetterSqlite3.Database) {
    this.handle = handle;
    this.#savepoint = handle.prepare('SAVEPOINT part');
    this.#release = handle.prepare('RELEASE part');
    this.#rollbackTo = handle.prepare('ROLLBACK TO part');
  }

  /** @returns how many rows the statement itself (not its triggers) changed. */
  run<Parameters>(statement: Statement<Parameters, unknown>, parameters: Parameters): number {
    return this.#use(statement, (prepared) => prepared.run(...statement.bind(parameters))).changes;
  }

  first<Parameters, Row>(
    statement: Statement<Parameters, Row>,
    parameters: Parameters,
  ): Row | undefined {
    return this.#use(statement, (prepared) => prepared.get(...statement.bind(parameters))) as
      Row | undefined;
  }

  all<Parameters, Row>(statement: Statement<Parameters, Row>, parameters: Parameters): Row[] {
    return this.#use(statement, (prepared) => prepared.all(...statement.bind(parameters))) as Row[];
  }

  /** Runs SQL that is no query: a transaction's beginning and end. */
  control(sql: 'BEGIN' | 'BEGIN IMMEDIATE' | 'COMMIT' | 'ROLLBACK'): void {
    try {
      this.handle.exec(sql);
    } catch (error) {
      throw new StatementError(sql, error);
    }
  }

  /** Several statements, all or nothing, inside the transaction that is open. */
  atomic<T>(work: () => T): T {
    this.beginPart();
    try {
      const result = work();
      this.keepPart();
      return result;
    } catch (error) {
      // A full disk can have rolled everything back already; then there is no savepoint to return to.
      if (this.handle.inTransaction) this.undoPart();
      throw error;
    }
  }

  /** Opens a part of the transaction; parts nest, the newest is kept or undone first. */
  beginPart(): void {
    this.#savepoint.run();
  }

  keepPart(): void {
    this.#release.run();
  }

  undoPart(): void {
    this.#rollbackTo.run();
    this.#release.run();
  }

  /**
   * Refuses statements that write until the work is over. SQLite's own `PRAGMA query_only` would have every statement of
   * the connection compiled again, each time.
   */
  async readOnly<T>(work: () => Promise<T>): Promise<T> {
    this.#isReadOnly = true;
    try {
      return await work();
    } finally {
      this.#isReadOnly = false;
    }
  }

  #use<T>(statement: Statement<never, unknown>, use: (prepared: BetterSqlite3.Statement) => T): T {
    try {
      let prepared = this.#prepared.get(statement);
      if (prepared === undefined) {
        prepared = this.handle.prepare(statement.sql);
        this.#prepared.set(statement, prepared);
      }
      if (this.#isReadOnly && !prepared.readonly) {
        throw new Error('attempt to write in a readonly work');
      }
      return use(prepared);
    } catch (error) {
      throw new StatementError(statement.sql, error);
    }
  }
}

/**
 * Opens the connection that writes. A commit on it is on the disk when it returns.
 * @param file its path, or the bytes of a database that is then opened in memory.
 */
export function openWriter(file: string | Buffer): BetterSqlite3.Database {
  const handle = new BetterSqlite3(file, { timeout: BUSY_TIMEOUT_MS });
  try {
    setUpWriter(handle);
    return handle;
  } catch (error) {
    handle.close();
    throw error;
  }
}

function setUpWriter(handle: BetterSqlite3.Database): void {
  handle.pragma('journal_mode = WAL');
  handle.pragma('synchronous = FULL');
  handle.pragma('foreign_keys = ON');
  handle.pragma('trusted_schema = OFF');
  handle.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  handle.pragma(`journal_size_limit = ${JOURNAL_SIZE_LIMIT_BYTES}`);
  handle.pragma(`cache_size = -${CACHE_KIB}`);
}

/** Opens a connection that cannot write. */
export function openReader(file: string): BetterSqlite3.Database {
  const handle = new BetterSqlite3(file, { readonly: true, timeout: BUSY_TIMEOUT_MS });
  handle.pragma('trusted_schema = OFF');
  handle.pragma(`cache_size = -${CACHE_KIB}`);
  return handle;
}

// The authoritative database over two connections: a writer that commits in groups, a reader beside it.
import type BetterSqlite3 from 'better-sqlite3';
import type { Database, Stores } from '../app/ports/database.ts';
import { Connection } from './connection.ts';
import { GroupCommit, runWork, type Work } from './group-commit.ts';
import { refuseNestedWork } from './nested-works.ts';
import { bindStores, WorkScope } from './work-scope.ts';

export class SqliteDatabase implements Database {
  readonly #writer: BetterSqlite3.Database;
  readonly #commits: GroupCommit;
  readonly #reads: SnapshotReads | undefined;
  #closed: Promise<void> | undefined;

  /** @param reader undefined for a database in memory, which no second connection can see. */
  constructor(writer: BetterSqlite3.Database, reader: BetterSqlite3.Database | undefined) {
    this.#writer = writer;
    this.#commits = new GroupCommit(new Connection(writer));
    this.#reads = reader && new SnapshotReads(reader);
  }

  async transaction<T>(work: Work<T>): Promise<T> {
    this.#refuse();
    return await this.#commits.transaction(work);
  }

  async read<T>(work: Work<T>): Promise<T> {
    this.#refuse();
    return await (this.#reads ?? this.#commits).read(work);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  #refuse(): void {
    refuseNestedWork();
    if (this.#closed !== undefined) throw new Error('the database is closed');
  }

  async #close(): Promise<void> {
    await this.#commits.idle();
    await this.#reads?.close();
    this.#writer.pragma('optimize');
    // The last connection to close moves the write-ahead log into the file: a backup is then that one file.
    this.#writer.close();
  }
}

/** Reads over a connection of their own: each sees one state, none waits for the writer. */
class SnapshotReads {
  readonly #connection: Connection;
  readonly #storesOf: (scope: WorkScope) => Stores;
  #last: Promise<unknown> = Promise.resolve();

  constructor(handle: BetterSqlite3.Database) {
    this.#connection = new Connection(handle);
    this.#storesOf = bindStores(this.#connection);
  }

  read<T>(work: Work<T>): Promise<T> {
    const result = this.#last.then(() => this.#run(work));
    // The failure is the caller's; the next read only waits for the end.
    this.#last = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  async close(): Promise<void> {
    await this.#last;
    this.#connection.handle.close();
  }

  async #run<T>(work: Work<T>): Promise<T> {
    const scope = new WorkScope();
    this.#connection.control('BEGIN');
    try {
      return await runWork(scope, this.#storesOf(scope), work);
    } finally {
      this.#connection.control('COMMIT');
    }
  }
}

// The chain index in a SQLite file of its own: a projection that may be deleted and is then read again from git.
import { chmodSync, rmSync } from 'node:fs';
import BetterSqlite3 from 'better-sqlite3';
import type {
  BranchAddition,
  ChainChange,
  ChainFault,
  ChainIndex,
  ChainTotals,
  IndexedTransaction,
  IndexMark,
  KeyRange,
} from '../chain/chain-index.ts';
import { branchOf } from '../chain/refs.ts';
import type { AssetId, CommitId, OwnerId, TransactionId } from '../shared/ids.ts';

/** Raised whenever the tables, or what sync lets into them, change; an index of another version is made again. */
const SCHEMA_VERSION = 4;

/** When the write-ahead log is copied into the file: 16 MB of it. */
const CHECKPOINT_PAGES = 4_000;

const SCHEMA = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE assets (
    asset_id TEXT PRIMARY KEY,
    branch_commit TEXT NOT NULL,
    length INTEGER NOT NULL,
    tip_transaction_id TEXT,
    owner_id TEXT,
    tip_time INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX assets_by_owner ON assets (owner_id, tip_time DESC, tip_transaction_id);
  CREATE TABLE transactions (
    transaction_id TEXT PRIMARY KEY,
    asset_id TEXT NOT NULL,
    owner_id TEXT NOT NULL,
    transaction_time INTEGER NOT NULL,
    successor_hash TEXT NOT NULL,
    commit_id TEXT NOT NULL UNIQUE,
    position INTEGER NOT NULL,
    record BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX transactions_by_asset ON transactions (asset_id, position);
  CREATE INDEX transactions_by_hash ON transactions (substr(successor_hash, 1, 16));
  CREATE INDEX transactions_by_owner ON transactions (owner_id, transaction_time DESC, transaction_id);
  CREATE TABLE faults (
    branch TEXT NOT NULL,
    commit_id TEXT NOT NULL,
    fault TEXT NOT NULL,
    PRIMARY KEY (branch, commit_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX faults_by_kind ON faults (fault, branch);
`;

const COLUMNS = `t.transaction_id, t.asset_id, t.owner_id, t.transaction_time, t.successor_hash, t.commit_id,
  t.position, t.record`;

interface Row {
  readonly transaction_id: string;
  readonly asset_id: string;
  readonly owner_id: string;
  readonly transaction_time: number;
  readonly successor_hash: string;
  readonly commit_id: string;
  readonly position: number;
  readonly record: Buffer;
}

// SAFETY: every row was written by `apply` below, from values that carried these brands.
const toTransaction = (row: Row): IndexedTransaction => ({
  transactionId: row.transaction_id as TransactionId,
  assetId: row.asset_id as AssetId,
  ownerId: row.owner_id as OwnerId,
  transactionTime: row.transaction_time,
  successorHash: row.successor_hash,
  commitId: row.commit_id as CommitId,
  position: row.position,
  record: row.record,
});

/**
 * Opens the index, or makes an empty one. Because everything in it stands in git as well, its newest writes may be lost
 * with the power, and a file that is damaged or of another version is replaced.
 * @param file path of the SQLite file, or `:memory:`.
 */
export function openChainIndex(file: string): ChainIndex {
  try {
    return openFile(file);
  } catch (error) {
    if (!isDamage(error)) throw error;
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
    return openFile(file);
  }
}

function openFile(file: string): ChainIndex {
  const db = new BetterSqlite3(file);
  try {
    if (file !== ':memory:') chmodSync(file, 0o600);
    return openIndexOn(db);
  } catch (error) {
    db.close();
    throw error;
  }
}

/** The index on a connection that is open; its tables are made when they are not there. */
export function openIndexOn(db: BetterSqlite3.Database): ChainIndex {
  db.pragma('journal_mode = WAL');
  // In WAL this flushes at checkpoints only; without those a power cut could leave old pages among new ones.
  db.pragma('synchronous = NORMAL');
  // A checkpoint flushes and stands still; ids are random, so that under load the same pages change all the time.
  db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  if (db.pragma('quick_check(1)', { simple: true }) !== 'ok') throw new Damaged(db.name);
  if (db.pragma('user_version', { simple: true }) !== SCHEMA_VERSION) makeTables(db);
  return new SqliteChainIndex(db);
}

class Damaged extends Error {
  readonly code = 'SQLITE_CORRUPT';
}

/** Goes by the code, not by the class: see `sqlite-errors.ts`. */
function isDamage(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && /^SQLITE_(?:CORRUPT|NOTADB)/.test(code);
}

function makeTables(db: BetterSqlite3.Database): void {
  const tables = db
    .prepare<[], { name: string }>(
      `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`,
    )
    .all();
  for (const { name } of tables) db.exec(`DROP TABLE "${name}"`);
  db.exec(SCHEMA);
  db.pragma(`user_version = ${SCHEMA_VERSION}`);
}

class SqliteChainIndex implements ChainIndex {
  readonly #db: BetterSqlite3.Database;
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #records: ReturnType<typeof prepareRecordReads>;
  readonly #survey: ReturnType<typeof prepareSurvey>;
  /** Counted anew after a write only: whoever asks for the node's status must not make it count every time. */
  #totals: ChainTotals | undefined;
  #generation = 0;
  #revision = 0;
  /** Kept in memory because sync compares all of it with every advertisement. */
  readonly #branchCommits = new Map<AssetId, CommitId>();
  readonly #transactionCommits = new Map<TransactionId, CommitId>();

  constructor(db: BetterSqlite3.Database) {
    this.#db = db;
    this.#statements = prepareStatements(db);
    this.#records = prepareRecordReads(db);
    this.#survey = prepareSurvey(db);
    for (const row of this.#statements.branchCommits.iterate()) {
      this.#branchCommits.set(row.asset_id as AssetId, row.branch_commit as CommitId);
    }
    for (const [transactionId, commitId] of this.#statements.transactionCommits.iterate()) {
      this.#transactionCommits.set(transactionId, commitId);
    }
  }

  revision(): number {
    return this.#revision;
  }

  apply(additions: readonly BranchAddition[], faults: readonly ChainFault[]): void {
    if (additions.some(({ isWhole }) => isWhole)) this.#forgot();
    else this.#changed();
    this.#db.transaction(() => {
      for (const addition of additions) {
        if (addition.isWhole === true) this.#deleteAsset(addition.assetId);
        this.#append(addition);
      }
      for (const { branch, commitId, fault } of faults) {
        this.#statements.putFault.run(branch, commitId, fault);
      }
    })();
    for (const { assetId, branchCommit, transactions } of additions) {
      this.#branchCommits.set(assetId, branchCommit);
      for (const { record, commitId } of transactions) {
        if (!this.#transactionCommits.has(record.transactionId)) {
          this.#transactionCommits.set(record.transactionId, commitId);
        }
      }
    }
  }

  #append(addition: BranchAddition): void {
    const { assetId, branchCommit, transactions } = addition;
    let length = this.#statements.length.get(assetId)?.length ?? 0;
    for (const { commitId, record, bytes } of transactions) {
      if (this.#statements.hasTransaction.get(record.transactionId) !== undefined) continue;
      length += 1;
      this.#statements.putTransaction.run(
        record.transactionId,
        assetId,
        record.ownerId,
        record.transactionTime,
        record.successorHash,
        commitId,
        length,
        bytes,
      );
    }
    this.#statements.putAsset.run({ assetId, branchCommit, length });
  }

  clear(): void {
    this.#forgot();
    this.#db.exec(
      'DELETE FROM transactions; DELETE FROM assets; DELETE FROM faults; DELETE FROM meta;',
    );
    this.#branchCommits.clear();
    this.#transactionCommits.clear();
  }

  /** Rows may be numbered anew from here, so no mark from before says anything any more. */
  #forgot(): void {
    this.#generation += 1;
    this.#changed();
  }

  #changed(): void {
    this.#revision += 1;
    this.#totals = undefined;
  }

  forgetAsset(assetId: AssetId): void {
    this.#forgot();
    const gone = this.listAssetHistory(assetId, Number.MAX_SAFE_INTEGER);
    this.#db.transaction(() => this.#deleteAsset(assetId))();
    this.#branchCommits.delete(assetId);
    for (const { transactionId } of gone) this.#transactionCommits.delete(transactionId);
  }

  #deleteAsset(assetId: AssetId): void {
    this.#statements.forgetTransactions.run(assetId);
    this.#statements.forgetAsset.run(assetId);
    this.#statements.forgetFaults.run(branchOf(assetId));
  }

  findIdentity(): string | undefined {
    return this.#statements.getMeta.get('identity');
  }

  setIdentity(identity: string): void {
    this.#statements.setMeta.run('identity', identity);
  }

  findEpoch(): CommitId | undefined {
    // SAFETY: written by `setEpoch` alone.
    return this.#statements.getMeta.get('epoch') as CommitId | undefined;
  }

  setEpoch(commitId: CommitId): void {
    if (this.findEpoch() !== commitId) this.#statements.setMeta.run('epoch', commitId);
  }

  findRewrittenAt(): number | undefined {
    const value = this.#statements.getMeta.get('rewritten_at');
    return value === undefined ? undefined : Number(value);
  }

  setRewrittenAt(at: number | undefined): void {
    if (at === undefined) this.#statements.deleteMeta.run('rewritten_at');
    else this.#statements.setMeta.run('rewritten_at', String(at));
  }

  findAccepted(): number {
    return Number(this.#statements.getMeta.get('accepted') ?? 0);
  }

  setAccepted(number: number): void {
    if (this.findAccepted() !== number) this.#statements.setMeta.run('accepted', String(number));
  }

  findTip(assetId: AssetId): IndexedTransaction | undefined {
    const row = this.#statements.tip.get(assetId);
    return row && toTransaction(row);
  }

  findTransaction(transactionId: TransactionId): IndexedTransaction | undefined {
    const row = this.#statements.transaction.get(transactionId);
    return row && toTransaction(row);
  }

  hasTipWithHash(successorHash: string): boolean {
    return this.#statements.tipWithHash.get(successorHash, successorHash) !== undefined;
  }

  hasCommit(assetId: AssetId, commitId: CommitId): boolean {
    const { hasCommit } = this.#statements;
    return hasCommit.get(commitId, assetId, branchOf(assetId), commitId) !== undefined;
  }

  findBranchCommit(assetId: AssetId): CommitId | undefined {
    return this.#branchCommits.get(assetId);
  }

  listOwnerAssets(
    ownerId: OwnerId,
    page: { readonly limit: number; readonly offset: number },
  ): IndexedTransaction[] {
    return this.#statements.ownerAssets.all(ownerId, page.limit, page.offset).map(toTransaction);
  }

  countOwnerAssets(ownerId: OwnerId): number {
    return this.#statements.countOwnerAssets.get(ownerId)?.count ?? 0;
  }

  listAssetHistory(assetId: AssetId, depth: number): IndexedTransaction[] {
    return this.#statements.assetHistory.all(assetId, depth).map(toTransaction);
  }

  findTipRecord(assetId: AssetId): string | undefined {
    return this.#records.tip.get(assetId);
  }

  findRecord(transactionId: TransactionId): string | undefined {
    return this.#records.transaction.get(transactionId);
  }

  listOwnerAssetRecords(ownerId: OwnerId): string[] {
    return this.#records.ownerAssets.all(ownerId);
  }

  listOwnerHistoryRecords(ownerId: OwnerId, depth: number): string[] {
    return this.#records.ownerHistory.all(ownerId, depth);
  }

  listAssetHistoryRecords(assetId: AssetId, depth: number): string[] {
    return this.#records.assetHistory.all(assetId, depth);
  }

  listBranchCommits(): ReadonlyMap<AssetId, CommitId> {
    return this.#branchCommits;
  }

  listTransactionCommits(): ReadonlyMap<TransactionId, CommitId> {
    return this.#transactionCommits;
  }

  hasAssetBelow(assetId: AssetId): boolean {
    // The zero follows the slash: between the two lies everything that begins with id and slash.
    return this.#statements.assetBelow.get(`${assetId}/`, `${assetId}0`) !== undefined;
  }

  searchAssets(text: string, limit: number): AssetId[] {
    const pattern = `%${text.replace(/[\\%_]/g, (char) => `\\${char}`)}%`;
    return this.#statements.search.all(pattern, limit).map((row) => row.asset_id as AssetId);
  }

  listFaults(limit: number, fault?: string): ChainFault[] {
    const { faults, faultsOfKind } = this.#statements;
    const rows = fault === undefined ? faults.all(limit) : faultsOfKind.all(fault, limit);
    return rows.map((row) => ({
      branch: row.branch,
      commitId: row.commit_id as CommitId,
      fault: row.fault,
    }));
  }

  findFault(branch: string, commitId: CommitId): string | undefined {
    return this.#statements.findFault.get(branch, commitId);
  }

  forgetFault(branch: string, commitId: CommitId): void {
    this.#changed();
    this.#statements.forgetFault.run(branch, commitId);
  }

  totals(): ChainTotals {
    this.#totals ??= this.#statements.totals.get() ?? { assets: 0, transactions: 0 };
    return this.#totals;
  }

  currentMark(): IndexMark {
    return { generation: this.#generation, row: this.#survey.lastRow.get() ?? 0 };
  }

  listChanges(
    since: IndexMark,
    limit: number,
  ): { changes: ChainChange[]; mark: IndexMark } | undefined {
    const { generation, row } = since;
    if (generation !== this.#generation) return undefined;
    const changes = this.#survey.changes.all(row, limit);
    return { changes, mark: { generation, row: changes.at(-1)?.row ?? row } };
  }

  listTransactionIds({ from, below, limit }: KeyRange): TransactionId[] {
    return this.#survey.transactionIds.all(from, below ?? BEYOND_TEXT, limit);
  }

  listAssetOwners({ from, below, limit }: KeyRange): [AssetId, OwnerId][] {
    return this.#survey.assetOwners.all(from, below ?? BEYOND_TEXT, limit);
  }

  listOwnersWithAssets({ from, below, limit }: KeyRange): [OwnerId, AssetId[]][] {
    return this.#survey.owners
      .all(from, below ?? BEYOND_TEXT, limit)
      .map((ownerId) => [ownerId, this.#survey.assetsOfOwner.all(ownerId)]);
  }

  close(): void {
    this.#db.close();
  }
}

function prepareStatements(db: BetterSqlite3.Database) {
  return {
    ...prepareWrites(db),
    getMeta: db.prepare<[string], string>('SELECT value FROM meta WHERE key = ?').pluck(),
    transactionCommits: db
      .prepare<[], [TransactionId, CommitId]>('SELECT transaction_id, commit_id FROM transactions')
      .raw(),
    branchCommits: db.prepare<[], { asset_id: string; branch_commit: string }>(
      'SELECT asset_id, branch_commit FROM assets',
    ),
    length: db.prepare<[string], { length: number }>(
      'SELECT length FROM assets WHERE asset_id = ?',
    ),
    tip: db.prepare<[string], Row>(
      `SELECT ${COLUMNS} FROM assets a JOIN transactions t ON t.transaction_id = a.tip_transaction_id
       WHERE a.asset_id = ?`,
    ),
    transaction: db.prepare<[string], Row>(
      `SELECT ${COLUMNS} FROM transactions t WHERE t.transaction_id = ?`,
    ),
    tipWithHash: db.prepare<[string, string], { one: number }>(
      `SELECT 1 AS one FROM transactions t JOIN assets a ON a.asset_id = t.asset_id
       WHERE substr(t.successor_hash, 1, 16) = substr(?, 1, 16) AND t.successor_hash = ?
         AND a.tip_transaction_id = t.transaction_id`,
    ),
    hasTransaction: db.prepare<[string], { one: number }>(
      'SELECT 1 AS one FROM transactions WHERE transaction_id = ?',
    ),
    hasCommit: db.prepare<[string, string, string, string], { one: number }>(
      `SELECT 1 AS one FROM transactions WHERE commit_id = ? AND asset_id = ?
       UNION ALL SELECT 1 FROM faults WHERE branch = ? AND commit_id = ? LIMIT 1`,
    ),
    ownerAssets: db.prepare<[string, number, number], Row>(
      `SELECT ${COLUMNS} FROM assets a JOIN transactions t ON t.transaction_id = a.tip_transaction_id
       WHERE a.owner_id = ? ORDER BY a.tip_time DESC, a.tip_transaction_id LIMIT ? OFFSET ?`,
    ),
    countOwnerAssets: db.prepare<[string], { count: number }>(
      'SELECT count(*) AS count FROM assets WHERE owner_id = ?',
    ),
    assetHistory: db.prepare<[string, number], Row>(
      `SELECT ${COLUMNS} FROM transactions t WHERE t.asset_id = ? ORDER BY t.position DESC LIMIT ?`,
    ),
    assetBelow: db.prepare<[string, string], { one: number }>(
      'SELECT 1 AS one FROM assets WHERE asset_id > ? AND asset_id < ? LIMIT 1',
    ),
    search: db.prepare<[string, number], { asset_id: string }>(
      String.raw`SELECT asset_id FROM assets WHERE asset_id LIKE ? ESCAPE '\' ORDER BY asset_id LIMIT ?`,
    ),
    faults: db.prepare<[number], { branch: string; commit_id: string; fault: string }>(
      'SELECT branch, commit_id, fault FROM faults ORDER BY branch, commit_id LIMIT ?',
    ),
    faultsOfKind: db.prepare<
      [string, number],
      { branch: string; commit_id: string; fault: string }
    >(
      'SELECT branch, commit_id, fault FROM faults WHERE fault = ? ORDER BY branch, commit_id LIMIT ?',
    ),
    findFault: db
      .prepare<[string, string], string>(
        'SELECT fault FROM faults WHERE branch = ? AND commit_id = ?',
      )
      .pluck(),
    totals: db.prepare<[], ChainTotals>(
      `SELECT (SELECT count(*) FROM assets WHERE length > 0) AS assets,
              (SELECT count(*) FROM transactions) AS transactions`,
    ),
  };
}

/** A record is text: only bytes that are UTF-8 came through `parseRecord`. Text is cheaper than a buffer for each row. */
const RECORD = 'CAST(t.record AS TEXT)';

function prepareRecordReads(db: BetterSqlite3.Database) {
  const prepare = <Given extends unknown[]>(sql: string): BetterSqlite3.Statement<Given, string> =>
    db.prepare<Given, string>(sql).pluck();
  return {
    tip: prepare<[string]>(
      `SELECT ${RECORD} FROM assets a JOIN transactions t ON t.transaction_id = a.tip_transaction_id
       WHERE a.asset_id = ?`,
    ),
    transaction: prepare<[string]>(
      `SELECT ${RECORD} FROM transactions t WHERE t.transaction_id = ?`,
    ),
    ownerAssets: prepare<[string]>(
      `SELECT ${RECORD} FROM assets a JOIN transactions t ON t.transaction_id = a.tip_transaction_id
       WHERE a.owner_id = ? ORDER BY a.tip_time DESC, a.tip_transaction_id`,
    ),
    ownerHistory: prepare<[string, number]>(
      `SELECT ${RECORD} FROM transactions t WHERE t.owner_id = ?
       ORDER BY t.transaction_time DESC, t.transaction_id LIMIT ?`,
    ),
    assetHistory: prepare<[string, number]>(
      `SELECT ${RECORD} FROM transactions t WHERE t.asset_id = ? ORDER BY t.position DESC LIMIT ?`,
    ),
  };
}

/** SQLite sorts every text before every blob. */
const BEYOND_TEXT = Buffer.alloc(0);
type Bounds = [from: string, below: string | Buffer, limit: number];

function prepareSurvey(db: BetterSqlite3.Database) {
  return {
    lastRow: db.prepare<[], number>('SELECT max(rowid) FROM transactions').pluck(),
    // A rowid is one more than the largest there is; nothing but `clear` and `forgetAsset` takes any away.
    changes: db.prepare<[number, number], ChainChange & { row: number }>(
      `SELECT t.rowid AS row, t.transaction_id AS transactionId, t.asset_id AS assetId,
              t.owner_id AS ownerId, p.owner_id AS previousOwnerId
       FROM transactions t
       LEFT JOIN transactions p ON p.asset_id = t.asset_id AND p.position = t.position - 1
       WHERE t.rowid > ? ORDER BY t.rowid LIMIT ?`,
    ),
    transactionIds: db
      .prepare<Bounds, TransactionId>(
        `SELECT transaction_id FROM transactions WHERE transaction_id >= ? AND transaction_id < ?
         ORDER BY transaction_id LIMIT ?`,
      )
      .pluck(),
    assetOwners: db
      .prepare<Bounds, [AssetId, OwnerId]>(
        `SELECT asset_id, owner_id FROM assets
         WHERE asset_id >= ? AND asset_id < ? AND owner_id IS NOT NULL ORDER BY asset_id LIMIT ?`,
      )
      .raw(),
    owners: db
      .prepare<Bounds, OwnerId>(
        `SELECT DISTINCT owner_id FROM assets WHERE owner_id >= ? AND owner_id < ?
         ORDER BY owner_id LIMIT ?`,
      )
      .pluck(),
    assetsOfOwner: db
      .prepare<[OwnerId], AssetId>(
        `SELECT asset_id FROM assets WHERE owner_id = ? ORDER BY tip_time DESC, tip_transaction_id`,
      )
      .pluck(),
  };
}

function prepareWrites(db: BetterSqlite3.Database) {
  return {
    setMeta: db.prepare<[string, string]>(
      'INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
    ),
    deleteMeta: db.prepare<[string]>('DELETE FROM meta WHERE key = ?'),
    putTransaction: db.prepare<[string, string, string, number, string, string, number, Buffer]>(
      'INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    ),
    putAsset: db.prepare<{ assetId: string; branchCommit: string; length: number }>(
      `INSERT INTO assets
       SELECT @assetId, @branchCommit, @length, t.transaction_id, t.owner_id, t.transaction_time
       FROM (SELECT 1) LEFT JOIN transactions t ON t.asset_id = @assetId AND t.position = @length
       WHERE true
       ON CONFLICT DO UPDATE SET branch_commit = excluded.branch_commit, length = excluded.length,
         tip_transaction_id = excluded.tip_transaction_id, owner_id = excluded.owner_id,
         tip_time = excluded.tip_time`,
    ),
    putFault: db.prepare<[string, string, string]>(
      'INSERT INTO faults VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET fault = excluded.fault',
    ),
    forgetTransactions: db.prepare<[string]>('DELETE FROM transactions WHERE asset_id = ?'),
    forgetAsset: db.prepare<[string]>('DELETE FROM assets WHERE asset_id = ?'),
    forgetFault: db.prepare<[string, string]>(
      'DELETE FROM faults WHERE branch = ? AND commit_id = ?',
    ),
    forgetFaults: db.prepare<[string]>('DELETE FROM faults WHERE branch = ?'),
  };
}

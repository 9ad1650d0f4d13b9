// What must hold after every fault, looked at from outside: aibot's own audit, plain git, plain SQL, what people were told.
import BetterSqlite3 from 'better-sqlite3';
import { setTimeout as delay } from 'node:timers/promises';
import { auditFromOutside } from '../../src/cli/audit.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { replayByGit, type Replay } from '../support/plain-replay.ts';
import { git } from '../support/temp-dir.ts';
import type { Outcome } from './callers.ts';
import type { Told } from './members.ts';
import type { World } from './world.ts';

/** How long recovery may take until nothing is open any more. */
const QUIET_LIMIT_MS = 90_000;

/** Where the state of both nodes and the chain lie. */
type Inspected = Pick<World, 'config' | 'stateFile' | 'validatorStateFile' | 'beacon'>;

interface JournalRow {
  readonly transaction_id: string;
  readonly state: 'committed' | 'rejected' | 'pending';
  readonly record: Buffer;
}

/** Waits until neither node has anything under way. @returns what is still open after a long time. */
export async function waitForQuiet(world: World): Promise<readonly string[]> {
  const giveUpAt = performance.now() + QUIET_LIMIT_MS;
  for (;;) {
    const open = [world.stateFile, world.validatorStateFile].flatMap((file) => listOpen(file));
    if (open.length === 0) return [];
    if (performance.now() > giveUpAt) return open;
    await delay(50);
  }
}

/** Sees the world after each fault, and remembers the chain: what once stood there stays. */
export class Inspector {
  readonly #world: Inspected;
  #chain: Replay = {};

  constructor(world: Inspected) {
    this.#world = world;
  }

  /** How many transactions stand on the chain. */
  get transactions(): number {
    return Object.values(this.#chain).reduce((sum, history) => sum + history.length, 0);
  }

  /** @returns every invariant that does not hold, in words. */
  async inspect(told: readonly Told[], outcomes: readonly Outcome[]): Promise<readonly string[]> {
    const { config, stateFile, validatorStateFile, beacon } = this.#world;
    const surroundings = { logger: silentLogger, ambient: process.env };
    const { findings } = await auditFromOutside(config, surroundings);
    const broken = findings.map(({ invariant, detail }) => `audit: ${invariant}: ${detail}`);
    broken.push(...this.#readChain(beacon));
    const known = new Map(
      Object.values(this.#chain).flatMap((history) => history.map(idAndRecord)),
    );
    for (const file of [stateFile, validatorStateFile]) {
      broken.push(...withDatabase(file, (db) => checkJournal(db, known)));
    }
    broken.push(...withDatabase(stateFile, (db) => this.#checkRows(db, told)));
    for (const { transactionId, assetId, committed } of outcomes) {
      if (known.has(transactionId) !== committed) {
        broken.push(`a caller was told of ${transactionId} of ${assetId}: ${String(committed)}`);
      }
    }
    return broken;
  }

  /** Exactly one tag for each transaction, on its branch; nothing that stood there is gone. */
  #readChain(beacon: string): readonly string[] {
    const before = this.#chain;
    try {
      this.#chain = replayByGit(beacon);
      git(beacon, ['fsck', '--connectivity-only', '--no-dangling', '--no-progress']);
    } catch (error) {
      return [`git: ${error instanceof Error ? error.message : String(error)}`];
    }
    return Object.entries(before).flatMap(([assetId, history]) => {
      const now = this.#chain[assetId] ?? [];
      const isKept = history.every(({ commitId }, at) => now[at]?.commitId === commitId);
      return isKept ? [] : [`git: the history of ${assetId} was rewritten`];
    });
  }

  #checkRows(db: BetterSqlite3.Database, told: readonly Told[]): readonly string[] {
    return [
      ...checkHoldings(db, this.#chain),
      ...db.prepare<[], string>(COINS_THAT_DO_NOT_ADD_UP).pluck().all(),
      ...checkTold(db, told),
    ];
  }
}

/** The rows of a state file, read beside whoever writes it. */
export function withDatabase<T>(file: string, look: (db: BetterSqlite3.Database) => T): T {
  const db = new BetterSqlite3(file, { readonly: true, timeout: 20_000 });
  try {
    return look(db);
  } finally {
    db.close();
  }
}

function listOpen(file: string): readonly string[] {
  return withDatabase(file, (db) =>
    db
      .prepare<[], string>(
        `SELECT kind || ' ' || settlement_id || ' is still open' FROM settlements
          WHERE state = 'prepared'
        UNION ALL SELECT transaction_id || ' of ' || asset_id || ' is still pending' FROM journal
          WHERE state = 'pending'`,
      )
      .pluck()
      .all(),
  );
}

function idAndRecord({ record }: Replay[string][number]): [string, string] {
  const { transaction_id: id } = JSON.parse(record) as { readonly transaction_id: string };
  return [id, record];
}

/** What a node calls committed stands on the chain as it was accepted; what it calls rejected does not. */
function checkJournal(
  db: BetterSqlite3.Database,
  known: ReadonlyMap<string, string>,
): readonly string[] {
  const rows = db
    .prepare<[], JournalRow>('SELECT transaction_id, state, record FROM journal')
    .all();
  return rows.flatMap(({ transaction_id: id, state, record }) => {
    const onChain = known.get(id);
    if (state === 'committed' && onChain !== record.toString('utf8')) {
      return [`journal: ${id} is called committed and is not on the chain`];
    }
    const isStray = state === 'rejected' && onChain !== undefined;
    return isStray ? [`journal: ${id} is called rejected and is on the chain`] : [];
  });
}

function checkHoldings(db: BetterSqlite3.Database, chain: Replay): readonly string[] {
  interface Row {
    readonly asset_id: string;
    readonly owner_id: string;
    readonly transaction_id: string;
  }
  const rows = db.prepare<[], Row>('SELECT asset_id, owner_id, transaction_id FROM holdings').all();
  return rows.flatMap((row) => {
    const tip = chain[row.asset_id]?.at(-1);
    const now = tip === undefined ? undefined : (JSON.parse(tip.record) as Row);
    const isSame = now?.owner_id === row.owner_id && now.transaction_id === row.transaction_id;
    return isSame ? [] : [`holdings: ${row.asset_id} is another's on the chain than in the rows`];
  });
}

/** From the transfers alone: the balances, the sum of all, and that what was called off moved nothing. */
const COINS_THAT_DO_NOT_ADD_UP = `
WITH changes AS (
  SELECT debit_account AS account, -amount_gc AS gc, settlement_id FROM transfers
  UNION ALL SELECT credit_account, amount_gc, settlement_id FROM transfers
)
SELECT 'coins: ' || account_id || ' has ' || balance_gc || ' gc and its transfers make '
    || coalesce((SELECT sum(gc) FROM changes WHERE account = account_id), 0)
  FROM accounts
  WHERE balance_gc <> coalesce((SELECT sum(gc) FROM changes WHERE account = account_id), 0)
UNION ALL SELECT 'coins: all accounts make ' || sum(balance_gc) || ' gc' FROM accounts
  HAVING sum(balance_gc) <> 0
UNION ALL SELECT 'coins: ' || settlement_id || ' was called off and moved ' || sum(gc) || ' gc of '
    || account
  FROM changes JOIN settlements USING (settlement_id)
  WHERE state = 'voided' GROUP BY settlement_id, account HAVING sum(gc) <> 0
UNION ALL SELECT 'coins: ' || hold_id || ' is held for nothing'
  FROM holds JOIN settlements USING (settlement_id)
  WHERE holds.state = 'placed' AND settlements.state <> 'prepared'`;

function checkTold(db: BetterSqlite3.Database, told: readonly Told[]): readonly string[] {
  const find = db.prepare<[string], string>('SELECT state FROM settlements WHERE key = ?').pluck();
  return told.flatMap(({ key, word, text }) => {
    const state = find.get(key);
    const isTrue =
      word === 'done'
        ? state === 'settled'
        : word === 'undone'
          ? state === 'voided'
          : state === undefined;
    return isTrue ? [] : [`told: ${key} is ${state ?? 'unknown'}, and the member read: ${text}`];
  });
}

// The members' own books: what they were told, added up, held against the bot's rows.
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import type { Outcome } from './tally.ts';
import type { Effect } from './told.ts';
import type { TradeBook } from './trade-book.ts';

interface Row {
  readonly settlementId: string;
  readonly key: string;
  readonly state: 'prepared' | 'settled' | 'voided';
}

export interface Comparison {
  /** Movements whose end the members were told, and the rows agree. */
  readonly told: number;
  /** Movements whose end nobody was told, for which the rows had to be believed. */
  readonly believed: number;
  readonly trades: number;
  readonly membersCompared: number;
  readonly assetsCompared: number;
  /** Everything that does not agree; there must be nothing. */
  readonly differences: readonly string[];
}

/** Adds up what members were told and compares it, coin by coin and asset by asset, with `state.sqlite`. */
export function compareWithRows(
  dataDir: string,
  outcomes: ReadonlyMap<string, Outcome>,
  trades: TradeBook,
): Comparison {
  const db = new BetterSqlite3(join(dataDir, 'state.sqlite'), { readonly: true });
  try {
    return new Books(db, outcomes, trades).compare();
  } finally {
    db.close();
  }
}

class Books {
  readonly #db: BetterSqlite3.Database;
  readonly #outcomes: ReadonlyMap<string, Outcome>;
  readonly #trades: TradeBook;
  readonly #coins = new Map<string, number>();
  readonly #holders = new Map<string, string>();
  readonly #differences: string[] = [];
  readonly #counts = { told: 0, believed: 0, trades: 0 };

  constructor(
    db: BetterSqlite3.Database,
    outcomes: ReadonlyMap<string, Outcome>,
    trades: TradeBook,
  ) {
    this.#db = db;
    this.#outcomes = outcomes;
    this.#trades = trades;
  }

  compare(): Comparison {
    const withRow = new Set<string>();
    for (const row of this.#rows()) {
      if (row.state === 'prepared') this.#differ(`${row.key} is still under way`);
      const interactionId = /^interaction:(\d+)$/.exec(row.key)?.[1];
      if (interactionId !== undefined) {
        withRow.add(interactionId);
        this.#takeMovement(row, this.#outcomes.get(interactionId));
      } else if (row.key.startsWith('trade:')) {
        this.#takeTrade(row);
      }
    }
    for (const { id, what, told } of this.#outcomes.values()) {
      const isClaimed = told?.state === 'settled' || told?.state === 'voided';
      if (isClaimed && !withRow.has(id))
        this.#differ(`${what} ${id} was told ${told.state}, and has no row`);
    }
    const membersCompared = this.#compareCoins();
    const assetsCompared = this.#compareHoldings();
    return { ...this.#counts, membersCompared, assetsCompared, differences: this.#differences };
  }

  #rows(): readonly Row[] {
    return this.#db
      .prepare<[], Row>(
        `SELECT settlement_id AS settlementId, key, state FROM settlements
          WHERE kind <> 'catalogue' ORDER BY resolved_at, settlement_id`,
      )
      .all();
  }

  #takeMovement(row: Row, outcome: Outcome | undefined): void {
    if (outcome === undefined) {
      this.#differ(`${row.key} is a row of an interaction that nobody sent`);
      return;
    }
    const { told, what } = outcome;
    if (told?.state === 'settled' || told?.state === 'voided') {
      this.#counts.told += 1;
      if (told.state !== row.state) {
        this.#differ(`${what} ${row.key} was told ${told.state} and is ${row.state}`);
      } else if (told.state === 'settled') {
        this.#apply(told.effect);
      }
      return;
    }
    if (told?.state === 'refused') {
      this.#differ(`${what} ${row.key} was refused (${told.code}) and has a row`);
    }
    this.#counts.believed += 1;
    if (row.state === 'settled') this.#apply(this.#effectOf(row));
  }

  #takeTrade(row: Row): void {
    if (row.state !== 'settled') return;
    this.#counts.trades += 1;
    const tradeId = row.key.split(':')[1] ?? '';
    const known = this.#trades.find(tradeId);
    if (known === undefined) {
      this.#differ(`trade ${tradeId} settled, and nobody knew of it`);
      return;
    }
    const [ann, ben] = known.sides;
    for (const [from, to] of [
      [ann, ben],
      [ben, ann],
    ] as const) {
      const amount = known.coins.get(from) ?? 0;
      this.#apply({
        coins: [
          { memberId: from, changeGc: -amount },
          { memberId: to, changeGc: amount },
        ],
        assets: (known.assets.get(from) ?? []).map((assetId) => ({ assetId, to })),
      });
    }
  }

  #apply({ coins, assets }: Effect): void {
    for (const { memberId, changeGc } of coins) {
      this.#coins.set(memberId, (this.#coins.get(memberId) ?? 0) + changeGc);
    }
    for (const { assetId, to } of assets) this.#holders.set(assetId, to);
  }

  /** From the rows themselves, where no member can tell. */
  #effectOf({ settlementId }: Row): Effect {
    const transfers = this.#db
      .prepare<[string], { debit: string; credit: string; amount: number }>(
        `SELECT debit_account AS debit, credit_account AS credit, amount_gc AS amount
          FROM transfers WHERE settlement_id = ?`,
      )
      .all(settlementId);
    const changes = transfers.flatMap(({ debit, credit, amount }) => [
      { account: debit, changeGc: -amount },
      { account: credit, changeGc: amount },
    ]);
    const coins = changes
      .filter(({ account }) => account.startsWith('member:'))
      .map(({ account, changeGc }) => ({ memberId: account.slice('member:'.length), changeGc }));
    const assets = this.#db
      .prepare<[string], { assetId: string; to: string }>(
        `SELECT asset_id AS assetId, to_holder AS "to" FROM hand_overs WHERE settlement_id = ?`,
      )
      .all(settlementId);
    return { coins, assets };
  }

  #compareCoins(): number {
    const accounts = this.#db
      .prepare<[], { memberId: string; balanceGc: number }>(
        `SELECT substr(account_id, 8) AS memberId, balance_gc AS balanceGc FROM accounts
          WHERE account_id GLOB 'member:*'`,
      )
      .all();
    const actual = new Map(accounts.map(({ memberId, balanceGc }) => [memberId, balanceGc]));
    const members = new Set([...actual.keys(), ...this.#coins.keys()]);
    for (const memberId of members) {
      const [mine, rows] = [this.#coins.get(memberId) ?? 0, actual.get(memberId) ?? 0];
      if (mine !== rows) this.#differ(`${memberId} was told of ${mine} gc and has ${rows} gc`);
    }
    const escrows = this.#db
      .prepare<[], number>(
        `SELECT count(*) FROM accounts WHERE account_id GLOB 'escrow:*' AND balance_gc <> 0`,
      )
      .pluck()
      .get();
    if (escrows !== 0) this.#differ(`${String(escrows)} holds still keep coins`);
    return members.size;
  }

  #compareHoldings(): number {
    const holdings = this.#db
      .prepare<[], { assetId: string; holder: string }>(
        `SELECT asset_id AS assetId, holder FROM holdings WHERE holder <> 'bot'`,
      )
      .all();
    const actual = new Map(holdings.map(({ assetId, holder }) => [assetId, holder]));
    const assets = new Set([...actual.keys(), ...this.#holders.keys()]);
    for (const assetId of assets) {
      const [mine, rows] = [this.#holders.get(assetId), actual.get(assetId)];
      if (mine !== rows)
        this.#differ(`${assetId} went to ${mine ?? 'nobody'} and is held by ${rows ?? 'nobody'}`);
    }
    return assets.size;
  }

  #differ(what: string): void {
    this.#differences.push(what);
  }
}

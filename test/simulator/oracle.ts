// The oracle: what must always be true, read from the rows and the remote with its own eyes, not the program's.
import { createHash } from 'node:crypto';
import type { SettlementKind } from '../../src/app/ports/settlement-store.ts';
import type { AssetId, TransactionId } from '../../src/shared/ids.ts';
import { COIN_PRIZE_GC, DAILY_GC, ROLL_PRICE_GC, type Handle } from './house.ts';
import { TableWrites } from './table-writes.ts';
import type { World } from './world.ts';

/** What a member has asked for under one key. */
export interface Request {
  readonly key: string;
  readonly kind: Exclude<SettlementKind, 'trade' | 'catalogue'>;
  readonly memberId: string;
  readonly to?: string;
  /** In gc; undefined when the member said "all". */
  readonly amountGc?: number | undefined;
  readonly rolls?: number;
  readonly assetId?: string;
}

interface SettlementRow {
  readonly settlement_id: string;
  readonly key: string;
  readonly kind: SettlementKind;
  readonly state: 'prepared' | 'settled' | 'voided';
  readonly effects: string;
}

interface TransferRow {
  readonly sequence: number;
  readonly settlement_id: string;
  readonly debit: string;
  readonly credit: string;
  readonly gc: number;
}

interface TradeRow {
  readonly trade_id: string;
  readonly state: string;
  readonly version: number;
  readonly sides: string;
  readonly settlement_id: string | null;
}

export interface Side {
  readonly memberId: string;
  readonly assets: readonly string[];
  readonly coinsGc: number;
}

interface HoldingRow {
  readonly asset_id: string;
  readonly holder: string;
  readonly owner_id: string;
  readonly transaction_id: string;
}

interface ChainRecord {
  readonly transaction_id: string;
  readonly asset_id: string;
  readonly owner_id: string;
  readonly successor_hash: string;
}

const sha512 = (text: string): string => createHash('sha512').update(text).digest('hex');

export class Oracle {
  readonly #world: World;
  /** Every movement that was ever asked for, by key. */
  readonly requests = new Map<string, Request>();
  /** What members have confirmed: `trade:version member`. */
  readonly confirmed = new Set<string>();
  /** What they saw when they did: the sides of `trade:version`. */
  readonly offers = new Map<string, string>();
  /** What the transfers make of each account, up to the last one that was read. */
  readonly #posted = new Map<string, number>();
  #lastTransfer = 0;
  /** Settlements to look at next time. */
  #touched = new Set<string>();
  readonly #ended = new Map<string, string>();
  readonly #records = new Map<string, ChainRecord>();
  readonly #hashes = new Map<string, string>();
  readonly #statements: ReturnType<typeof prepare>;
  checks = 0;

  constructor(world: World) {
    this.#world = world;
    this.#statements = prepare(world.state, new TableWrites(world.state));
  }

  /** Breaks the world when an invariant does not hold. */
  check(after: string): void {
    this.checks += 1;
    const before = this.#world.broken;
    this.#checkLedger();
    this.#checkSettlements();
    this.#checkTrades();
    this.#checkCustody();
    this.#checkJournal();
    if (this.#world.broken !== before) this.#world.trace.say(`found after: ${after}`);
  }

  findByKey(key: string): SettlementRow | undefined {
    return this.#statements.byKey.get(key);
  }

  #expect(holds: boolean, what: () => string): void {
    if (!holds) this.#world.break(what());
  }

  /** Sum zero, nobody below zero, every balance what its transfers make; a transfer is read once, for none ever changes. */
  #checkLedger(): void {
    const { haveTransfersChanged, transfers, balances } = this.#statements;
    const added = haveTransfersChanged() ? transfers.all(this.#lastTransfer) : [];
    for (const transfer of added) {
      const { sequence, settlement_id: settlement, debit, credit, gc } = transfer;
      this.#lastTransfer = sequence;
      this.#touched.add(settlement);
      for (const [account, change] of [
        [debit, -gc],
        [credit, gc],
      ] as const) {
        this.#posted.set(account, (this.#posted.get(account) ?? 0) + change);
      }
    }
    let sum = 0;
    for (const { account_id: id, balance_gc: balance } of balances.all()) {
      const posted = this.#posted.get(id) ?? 0;
      sum += balance;
      this.#expect(balance === posted, () => `${id} has ${balance} gc, its transfers ${posted}`);
      this.#expect(balance >= 0 || id === 'issuance', () => `${id} is below zero`);
    }
    this.#expect(sum === 0, () => `the sum of all accounts is ${sum}`);
  }

  /** Every settlement that may have changed: open ones, those that were, those that moved coins. */
  #checkSettlements(): void {
    const { prepared, byId, strayHolds, strayReservations } = this.#statements;
    const open = prepared.all();
    for (const { settlement_id: id } of open) this.#touched.add(id);
    for (const id of this.#touched) {
      const row = byId.get(id);
      if (row !== undefined) this.#follow(row);
    }
    this.#touched = new Set(open.map(({ settlement_id: id }) => id));
    for (const { settlement_id: id } of strayHolds.all()) {
      this.#world.break(`a hold belongs to the settlement ${id}, which is not open`);
    }
    for (const { asset_id: id } of strayReservations.all()) {
      this.#world.break(`the reservation of ${id} belongs to nothing that is open`);
    }
  }

  #follow(row: SettlementRow): void {
    const known = this.#ended.get(row.settlement_id);
    if (known === row.state) return;
    const isOnward = known === undefined || known === 'prepared';
    this.#expect(isOnward, () => `${row.key} was ${known} and is ${row.state}`);
    this.#ended.set(row.settlement_id, row.state);
    this.#world.count(`${row.kind} ${row.state}`);
    this.#checkSettlement(row);
    this.#checkGroup(row);
  }

  /** All of a group is on the chain or nothing, but for what the remote itself has kept a part of. */
  #checkGroup({ settlement_id: id, key, state }: SettlementRow): void {
    const { tags } = this.#world.remote;
    for (const { transaction_id: transaction } of this.#statements.groupOf.all(id)) {
      const isThere = tags.has(transaction);
      if (state === 'settled') {
        this.#expect(isThere, () => `${key} is settled and ${transaction} is not on the chain`);
      } else if (state === 'voided' && !this.#world.halfWritten.has(transaction)) {
        this.#expect(!isThere, () => `${key} is voided and ${transaction} is on the chain`);
      }
    }
  }

  /** A settlement moved exactly the coins that was asked for; called at each of its states once. */
  #checkSettlement(row: SettlementRow): void {
    const statements = this.#statements;
    const { settlement_id: id, key, kind, state } = row;
    const request = this.requests.get(key);
    if (kind !== 'trade' && kind !== 'catalogue') {
      this.#expect(request?.kind === kind, () => `nobody asked for the ${kind} ${key}`);
    }
    const moved = new Map(
      statements.movedBy.all(id).map(({ account_id: account, gc }) => [account, gc]),
    );
    const expected = this.#expectedCoins(row, request, statements, moved);
    for (const account of new Set([...moved.keys(), ...expected.keys()])) {
      if (!account.startsWith('member:')) continue;
      const [is, should] = [moved.get(account) ?? 0, expected.get(account) ?? 0];
      this.#expect(
        is === should,
        () => `${key} (${kind}, ${state}) moved ${is} gc of ${account} instead of ${should}`,
      );
    }
    this.#checkHandOvers(row, request, statements);
  }

  #expectedCoins(
    { settlement_id: id, kind, state }: SettlementRow,
    request: Request | undefined,
    statements: ReturnType<typeof prepare>,
    moved: ReadonlyMap<string, number>,
  ): Map<string, number> {
    const expected = new Map<string, number>();
    const add = (member: string | undefined, gc: number): unknown =>
      expected.set(`member:${member}`, (expected.get(`member:${member}`) ?? 0) + gc);
    if (state === 'voided' || kind === 'catalogue') return expected;
    if (kind === 'daily') add(request?.memberId, DAILY_GC);
    if (kind === 'payment') {
      const paid = request?.amountGc ?? moved.get(`member:${request?.to}`) ?? 0;
      add(request?.memberId, -paid);
      add(request?.to, paid);
    }
    if (kind === 'roll') {
      const rolls = statements.rollsOf.all(id);
      this.#expect(
        rolls.length === request?.rolls,
        () => `a roll of ${request?.rolls} made ${rolls.length} draws`,
      );
      const won = rolls.filter(({ entry_id: entry }) => entry === 'coins').length;
      add(request?.memberId, -ROLL_PRICE_GC * rolls.length);
      if (state === 'settled') add(request?.memberId, COIN_PRIZE_GC * won);
    }
    if (kind === 'trade') {
      const trade = statements.tradeOf.get(id);
      const [first, second] = sidesOf(trade);
      for (const [side, other] of [
        [first, second],
        [second, first],
      ]) {
        add(side?.memberId, -(side?.coinsGc ?? 0));
        if (state === 'settled') add(side?.memberId, other?.coinsGc ?? 0);
      }
    }
    return expected;
  }

  /** What goes to whom is what was asked for; of a trade, what both have seen and confirmed. */
  #checkHandOvers(
    { settlement_id: id, key, kind }: SettlementRow,
    request: Request | undefined,
    statements: ReturnType<typeof prepare>,
  ): void {
    const handOvers = statements.handOversOf.all(id);
    const facts = handOvers.map(({ asset_id: asset, to_holder: to }) => `${asset}>${to}`);
    if (kind === 'gift' || kind === 'mint') {
      const to = kind === 'gift' ? request?.to : request?.memberId;
      this.#expect(
        facts.join() === `${request?.assetId}>${to}`,
        () => `${key} hands over ${facts.join()}`,
      );
    }
    if (kind !== 'trade') return;
    const trade = statements.tradeOf.get(id);
    const [first, second] = sidesOf(trade);
    const expected = [
      ...(first?.assets ?? []).map((asset) => `${asset}>${second?.memberId}`),
      ...(second?.assets ?? []).map((asset) => `${asset}>${first?.memberId}`),
    ];
    this.#expect(
      facts.toSorted().join() === expected.toSorted().join(),
      () => `${key} hands over ${facts.join()}`,
    );
    const offer = `${trade?.trade_id}:${trade?.version}`;
    for (const side of [first, second]) {
      this.#expect(
        this.confirmed.has(`${offer} ${side?.memberId}`),
        () => `${side?.memberId} never confirmed ${offer}`,
      );
    }
    const seen = this.offers.get(offer);
    const isSeen = seen === undefined || seen === offerOf([first, second]);
    this.#expect(isSeen, () => `what was confirmed of ${offer} was ${seen}`);
  }

  /** An open trade has reserved what is offered in it, and nothing else. */
  #checkTrades(): void {
    const { openTrades, reservedBy } = this.#statements;
    for (const trade of openTrades.all()) {
      const offered = sidesOf(trade).flatMap(({ assets }) => assets);
      const reserved = reservedBy.all(trade.trade_id).map(({ asset_id: id }) => id);
      this.#expect(
        offered.toSorted().join() === reserved.toSorted().join(),
        () =>
          `trade ${trade.trade_id} offers ${offered.join()} and has reserved ${reserved.join()}`,
      );
    }
  }

  /** One current passphrase for each asset in custody, whose hash is on the chain; one owner, here and there. */
  #checkCustody(): void {
    const { holdings, current, moving } = this.#statements;
    const keys = new Map(current.all().map((key) => [key.asset_id, key]));
    const busy = new Set(moving.all().map(({ asset_id: id }) => id));
    for (const holding of holdings.all()) {
      const { asset_id: asset, transaction_id: id } = holding;
      const key = keys.get(asset);
      keys.delete(asset);
      this.#expect(
        key?.transaction_id === id,
        () => `${asset} is held by ${id}, its passphrase is of ${key?.transaction_id}`,
      );
      const tip = this.tipOf(asset);
      if (tip === undefined) {
        this.#world.break(`${asset} is in custody and not on the chain`);
      } else if (tip.transaction_id === id) {
        this.#expect(
          tip.owner_id === holding.owner_id,
          () => `${asset} has another owner on the chain`,
        );
        const hash = key === undefined ? undefined : this.#hashOf(key);
        const answers = hash === undefined || hash === tip.successor_hash;
        this.#expect(answers, () => `the passphrase of ${asset} does not answer the chain`);
      } else if (!busy.has(asset)) {
        this.#expect(
          this.#wasTakenSince(asset, id),
          () => `${asset} stands at ${tip.transaction_id}, its holding at ${id}`,
        );
      }
    }
    for (const asset of keys.keys())
      this.#world.break(`a passphrase is kept for ${asset}, which nobody holds`);
  }

  /** Journal and chain say the same; what has no end yet may be on its way. */
  #checkJournal(): void {
    const { decided, unreserved } = this.#statements;
    for (const { asset_id: asset } of unreserved.all()) {
      this.#world.break(`${asset} is on its way and not reserved`);
    }
    const { tags } = this.#world.remote;
    for (const { transaction_id: id } of decided.all()) {
      this.#expect(tags.has(id), () => `${id} is committed in the journal and not on the chain`);
    }
  }

  /** True when no transaction of the asset is under way, and the program has its newest one. */
  isQuiet(assetId: string): boolean {
    const tip = this.tipOf(assetId);
    const isBusy = this.#statements.moving.all().some(({ asset_id: id }) => id === assetId);
    return !isBusy && tip !== undefined && this.isSettled(tip.transaction_id);
  }

  /** True for a transaction that the journal knows as committed. */
  isSettled(transactionId: string): boolean {
    const decided = this.#statements.decided.all();
    return decided.some(({ transaction_id: id }) => id === transactionId);
  }

  /** When nothing is under way: every transaction on the chain is a stranger's or committed in the journal, and tagged. */
  checkChain(): void {
    const { remote } = this.#world;
    const journal = new Map(
      this.#statements.journal.all().map(({ transaction_id: id, state }) => [id, state]),
    );
    const onChain = new Set<string>();
    for (const branch of remote.branches.keys()) {
      if (!branch.startsWith('nfgt-')) continue;
      for (const { transaction_id: id } of this.#historyOf(branch.slice('nfgt-'.length))) {
        onChain.add(id);
        const isOurs = journal.has(id) || this.#world.isOfStranger(id);
        this.#expect(isOurs, () => `${id} is on the chain and nobody wrote it`);
        this.#expect(!journal.has(id) || remote.tags.has(id), () => `${id} has no tag`);
      }
    }
    for (const [id, state] of journal) {
      if (state === 'committed') this.#expect(onChain.has(id), () => `${id} is not on the chain`);
    }
    for (const { asset_id: asset, transaction_id: id } of this.listHeld()) {
      const isTip = this.tipOf(asset)?.transaction_id === id;
      this.#expect(isTip, () => `${asset} is held, and somebody else has moved it`);
    }
  }

  /** A passphrase that was published answers no asset any more, and is published once. */
  checkReveals(): void {
    const tips = new Set<string>();
    const lines = new Set<string>();
    for (const branch of this.#world.remote.branches.keys()) {
      const tip = this.tipOf(branch.slice('nfgt-'.length));
      if (tip !== undefined) tips.add(tip.successor_hash);
    }
    for (const [path, content] of this.#world.remote.reserved) {
      if (!path.startsWith('proofs/')) continue;
      for (const line of content.toString('utf8').trim().split('\n')) {
        const { predecessor_passphrase: passphrase } = JSON.parse(line) as {
          readonly predecessor_passphrase: string;
        };
        this.#expect(!lines.has(line), () => `revealed twice: ${line}`);
        lines.add(line);
        const isSpent = !tips.has(sha512(passphrase));
        this.#expect(isSpent, () => `a passphrase was revealed that still moves an asset: ${line}`);
      }
    }
  }

  /** The transactions whose passphrases may still be needed. */
  listKeys(): readonly string[] {
    return this.#statements.keys.all().map(({ transaction_id: id }) => id);
  }

  /** What is in custody. */
  listHeld(): readonly HoldingRow[] {
    return this.#statements.holdings.all();
  }

  /** A stranger has moved the asset since, and the program need not have seen it yet. */
  #wasTakenSince(assetId: string, transactionId: string): boolean {
    for (const record of this.#historyOf(assetId)) {
      if (record.transaction_id === transactionId) return false;
      if (this.#world.isOfStranger(record.transaction_id)) return true;
    }
    return false;
  }

  /** The newest record of an asset on the remote. */
  tipOf(assetId: string): ChainRecord | undefined {
    for (const record of this.#historyOf(assetId)) return record;
    return undefined;
  }

  *#historyOf(assetId: string): Generator<ChainRecord> {
    const { rewriting, remote } = this.#world;
    const { branches, commits } = remote;
    const branch = `nfgt-${assetId}`;
    // What was rewritten is put back: until then the truth is what stood there.
    const isRewritten = rewriting?.isBranch === true && rewriting.name === branch;
    let at = isRewritten ? rewriting.was : branches.get(branch);
    while (at !== undefined) {
      const commit = commits.get(at);
      if (commit?.record === undefined) return;
      let record = this.#records.get(at);
      if (record === undefined) {
        record = JSON.parse(commit.record.toString('utf8')) as ChainRecord;
        this.#records.set(at, record);
      }
      yield record;
      at = commit.parents[0];
    }
  }

  #hashOf(key: {
    readonly transaction_id: string;
    readonly asset_id: string;
    readonly sealed: Buffer;
  }): string | undefined {
    const known = this.#hashes.get(key.transaction_id);
    const { vault } = this.#world.life;
    // At the very start of a life nobody can open anything yet.
    if (known !== undefined || vault === undefined) return known;
    const sealedFor = {
      assetId: key.asset_id as AssetId,
      transactionId: key.transaction_id as TransactionId,
    };
    const hash = sha512(vault.open(key.sealed, sealedFor));
    this.#hashes.set(key.transaction_id, hash);
    return hash;
  }
}

/** The sides of an offer as they are compared. */
export function offerOf(sides: readonly (Side | undefined)[]): string {
  return JSON.stringify(
    sides.map((side) => [side?.memberId, side?.assets.toSorted(), side?.coinsGc]),
  );
}

function sidesOf(trade: TradeRow | undefined): readonly Side[] {
  return trade === undefined ? [] : (JSON.parse(trade.sides) as Side[]);
}

function prepare(handle: Handle, writes: TableWrites) {
  const all = <Row>(sql: string) => writes.remembered(handle.prepare<[], Row>(sql));
  const of = <Row>(sql: string) => handle.prepare<[string], Row>(sql);
  const settlement = 'SELECT settlement_id, key, kind, state, effects FROM settlements';
  const trade = 'SELECT trade_id, state, version, sides, settlement_id FROM trades';
  type Asset = { readonly asset_id: string };
  return {
    balances: all<{ account_id: string; balance_gc: number }>(
      'SELECT account_id, balance_gc FROM accounts',
    ),
    haveTransfersChanged: writes.changes('transfers'),
    transfers: handle.prepare<[number], TransferRow>(
      `SELECT sequence, settlement_id, debit_account AS debit, credit_account AS credit,
        amount_gc AS gc FROM transfers WHERE sequence > ?`,
    ),
    prepared: all<{ settlement_id: string }>(
      `SELECT settlement_id FROM settlements WHERE state = 'prepared'`,
    ),
    byId: of<SettlementRow>(`${settlement} WHERE settlement_id = ?`),
    byKey: of<SettlementRow>(`${settlement} WHERE key = ?`),
    strayHolds: all<{ settlement_id: string }>(
      `SELECT settlement_id FROM holds INDEXED BY holds_open JOIN settlements USING (settlement_id)
        WHERE holds.state = 'placed' AND settlements.state <> 'prepared'`,
    ),
    strayReservations: all<Asset>(
      `SELECT asset_id FROM reservations AS r
        LEFT JOIN settlements AS s ON s.settlement_id = r.settlement_id
        LEFT JOIN trades AS t ON t.trade_id = r.trade_id
        WHERE ifnull(s.state, '') <> 'prepared' AND ifnull(t.state, '') <> 'open'`,
    ),
    movedBy: of<{ account_id: string; gc: number }>(
      `SELECT account AS account_id, sum(gc) AS gc FROM
        (SELECT debit_account AS account, -amount_gc AS gc, settlement_id FROM transfers
          UNION ALL SELECT credit_account, amount_gc, settlement_id FROM transfers)
        WHERE settlement_id = ? GROUP BY account`,
    ),
    rollsOf: of<{ entry_id: string }>('SELECT entry_id FROM rolls WHERE settlement_id = ?'),
    handOversOf: of<{ asset_id: string; to_holder: string }>(
      'SELECT asset_id, to_holder FROM hand_overs WHERE settlement_id = ?',
    ),
    tradeOf: of<TradeRow>(`${trade} WHERE settlement_id = ?`),
    openTrades: all<TradeRow>(`${trade} WHERE state = 'open'`),
    reservedBy: of<Asset>('SELECT asset_id FROM reservations WHERE trade_id = ?'),
    holdings: all<HoldingRow>('SELECT asset_id, holder, owner_id, transaction_id FROM holdings'),
    current: all<{ asset_id: string; transaction_id: string; sealed: Buffer }>(
      `SELECT asset_id, transaction_id, sealed FROM vault_entries
        WHERE state = 'current' AND custody = 'bot'`,
    ),
    keys: all<{ transaction_id: string }>(
      `SELECT transaction_id FROM vault_entries WHERE state IN ('waiting', 'current')`,
    ),
    moving: all<Asset>(
      `SELECT asset_id FROM reservations JOIN settlements USING (settlement_id)
        WHERE settlements.state = 'prepared'`,
    ),
    journal: all<{ transaction_id: string; state: string }>(
      'SELECT transaction_id, state FROM journal',
    ),
    groupOf: of<{ transaction_id: string }>(
      'SELECT transaction_id FROM journal WHERE group_id = ?',
    ),
    unreserved: all<Asset>(
      `SELECT journal.asset_id FROM journal LEFT JOIN reservations ON
          reservations.asset_id = journal.asset_id AND reservations.settlement_id = journal.group_id
        WHERE journal.state = 'pending' AND reservations.asset_id IS NULL`,
    ),
    decided: all<{ transaction_id: string }>(
      `SELECT transaction_id FROM journal WHERE state = 'committed'`,
    ),
  };
}

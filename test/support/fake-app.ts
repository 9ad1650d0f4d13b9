// A small, honest App in memory for the tests of the Discord edge: it refuses what the real one refuses, and can be slow.
import { randomUUID } from 'node:crypto';
import type {
  Alarm,
  App,
  AssetChoice,
  AssetFacts,
  AuditReport,
  CreatedTransaction,
  Person,
  RollAnswer,
  RolledDraw,
  SettlementView,
  StatementPage,
  TradeExpectation,
  TradeView,
} from '../../src/app/app.ts';
import { AppError } from '../../src/shared/errors.ts';
import type { ErrorCode } from '../../src/shared/errors.ts';
import { formatGuyaCoin, guyaCoin, parseGuyaCoin } from '../../src/shared/guya-coin.ts';
import type {
  AssetId,
  IdempotencyKey,
  MemberId,
  OwnerId,
  SettlementId,
  TradeId,
  TransactionId,
} from '../../src/shared/ids.ts';
import {
  addAsset,
  cancelTrade,
  confirmSide,
  expireTrade,
  lockSide,
  openTrade,
  removeAsset,
  setCoins,
  sidesOf,
} from '../../src/trade/trade.ts';
import type { Trade } from '../../src/trade/trade.ts';

/** What the tests of the commands need of an app, whichever it is. */
export interface House {
  readonly app: App;
  grantCoins(memberId: string, gc: number): Promise<void>;
  /** Gives the member as many assets as asked, new ones, newest last. */
  grantAssets(memberId: string, count: number): Promise<readonly AssetId[]>;
  /** From now on nothing gets committed. */
  holdChain(): void;
  /** What was held is committed, and nothing is held any more. */
  releaseChain(): void;
  close(): Promise<void>;
}

/** The one place where the tests of the commands get their app from. */
export function openHouse(): Promise<House> {
  const app = new FakeApp();
  return Promise.resolve({
    app,
    grantCoins: (memberId, gc) => {
      app.credit(memberId as MemberId, gc, 'daily');
      return Promise.resolve();
    },
    grantAssets: (memberId, count) =>
      Promise.resolve(
        Array.from({ length: count }, () =>
          app.grant(memberId as MemberId, `page ${randomUUID().slice(0, 8)}`),
        ),
      ),
    holdChain: () => {
      app.isChainHeld = true;
    },
    releaseChain: () => app.releaseChain(),
    close: () => Promise.resolve(),
  });
}

/** A picture of one pixel, the smallest PNG there is. */
const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
  'base64',
);
const ROLL_PRICE_GC = 60;
const DAILY_GC = 600;
const DAY_MS = 86_400_000;

interface Holding {
  readonly facts: AssetFacts;
  holder: MemberId | 'bot';
  obtainedAt: number;
  transactionId: TransactionId;
  reservedBy: string | undefined;
}

type Line = StatementPage['lines'][number];
type Move = { assetId: AssetId; from: MemberId | 'bot' | null; to: MemberId | 'bot' };
type Pending = { view: SettlementView; apply: () => void; undo: () => void };

export class FakeApp implements App {
  readonly botOwnerId = 'bot-owner';
  /** Every use case takes this long. */
  delayMs = 0;
  /** Thrown by the next use case, after what it did when `isFaultLate`. */
  fault: Error | undefined;
  isFaultLate = false;
  isChainHeld = false;
  /** What the next rolls give; coins when there is none left. */
  readonly draws: RolledDraw[] = [];
  /** How often each use case was asked, redeliveries included. */
  readonly asked = new Map<string, number>();

  readonly #holdings = new Map<string, Holding>();
  readonly #balances = new Map<MemberId, number>();
  readonly #lines = new Map<MemberId, Line[]>();
  readonly #answers = new Map<IdempotencyKey, Promise<unknown>>();
  readonly #pending = new Map<SettlementId, Pending>();
  readonly #settlements = new Map<SettlementId, SettlementView>();
  readonly #waiters = new Set<() => void>();
  readonly #trades = new Map<TradeId, { trade: Trade; window: TradeView['window'] }>();
  readonly #dailyAt = new Map<MemberId, number>();
  readonly #settlementListeners = new Set<(view: SettlementView) => void>();
  readonly #alarmListeners = new Set<() => void>();
  readonly #tradeListeners = new Set<(view: TradeView) => void>();

  grant(holder: MemberId | 'bot', name: string, assetId = `m-${randomUUID()}`, stars = 3): AssetId {
    const facts = { assetId: assetId as AssetId, name, stars, series: 'Manga' };
    this.#holdings.set(assetId, {
      facts,
      holder,
      obtainedAt: Date.now() + this.#holdings.size,
      transactionId: randomUUID() as TransactionId,
      reservedBy: undefined,
    });
    return facts.assetId;
  }

  credit(memberId: MemberId, changeGc: number, code: Line['code']): void {
    const balanceAfterGc = (this.#balances.get(memberId) ?? 0) + changeGc;
    if (balanceAfterGc < 0) {
      throw new AppError('INSUFFICIENT_FUNDS', {
        needed: formatGuyaCoin(-changeGc),
        balance: formatGuyaCoin(balanceAfterGc - changeGc),
      });
    }
    this.#balances.set(memberId, balanceAfterGc);
    const account = `member:${memberId}`;
    const line = {
      changeGc,
      balanceAfterGc,
      code,
      createdAt: Date.now(),
      amountGc: Math.abs(changeGc),
    };
    const accounts = {
      debitAccount: changeGc > 0 ? 'bank' : account,
      creditAccount: changeGc > 0 ? account : 'bank',
    };
    const ids = { transferId: randomUUID(), settlementId: randomUUID() };
    const lines = this.#lines.get(memberId) ?? [];
    this.#lines.set(memberId, [{ ...line, ...accounts, ...ids } as unknown as Line, ...lines]);
  }

  releaseChain(): void {
    this.isChainHeld = false;
    for (const id of [...this.#pending.keys()]) this.#end(id, 'settled', null);
  }

  /** What is held gets refused by the chain. */
  refuseChain(reason: ErrorCode): void {
    for (const id of [...this.#pending.keys()]) this.#end(id, 'voided', reason);
  }

  expire(tradeId: TradeId): void {
    const row = this.#row(tradeId);
    this.#save(expireTrade(row.trade, row.trade.expiresAt));
  }

  roll: App['roll'] = ({ key, member, count, bannerId }) =>
    this.#once('roll', key, () => {
      if (bannerId !== undefined && bannerId !== 'spring') throw new AppError('BANNER_NOT_FOUND');
      const priceGc = ROLL_PRICE_GC * count;
      this.credit(member.memberId, -priceGc, 'roll-price');
      const draws = Array.from({ length: count }, () => this.draws.shift() ?? COIN_DRAW);
      const moves = draws.flatMap(({ prize }): Move[] =>
        prize.kind === 'nfgt'
          ? [{ assetId: prize.asset.assetId, from: 'bot', to: member.memberId }]
          : [],
      );
      const wonGc = draws.reduce(
        (sum, { prize }) => sum + (prize.kind === 'coins' ? prize.amountGc : 0),
        0,
      );
      const settlement = this.#move('roll', moves, {
        apply: () => wonGc > 0 && this.credit(member.memberId, wonGc, 'roll-prize'),
        undo: () => this.credit(member.memberId, priceGc, 'hold-released'),
      });
      return { settlement, bannerName: 'Spring', priceGc, draws } satisfies RollAnswer;
    });

  mint: App['mint'] = ({ key, member, assetId }) =>
    this.#once('mint', key, () => {
      if (assetId !== 'm-mintable') throw new AppError('NOT_MINTABLE', { assetId });
      this.grant('bot', 'Fresh page', assetId);
      const moves = [{ assetId: assetId as AssetId, from: null, to: member.memberId }];
      return { settlement: this.#move('mint', moves), asset: this.#facts(assetId) };
    });

  gift: App['gift'] = ({ key, from, to, assetId }) =>
    this.#once('gift', key, () => {
      refuseOther(from, to);
      this.#free(assetId, from.memberId);
      const moves = [{ assetId: assetId as AssetId, from: from.memberId, to: to.memberId }];
      return { settlement: this.#move('gift', moves), asset: this.#facts(assetId) };
    });

  pay: App['pay'] = ({ key, from, to, amount }) =>
    this.#once('pay', key, () => {
      refuseOther(from, to);
      const amountGc = parseGuyaCoin(amount, this.#balances.get(from.memberId) ?? 0);
      this.credit(from.memberId, 0 - amountGc, 'payment');
      this.credit(to.memberId, amountGc, 'payment');
      return { amountGc, balanceGc: this.#balances.get(from.memberId) ?? 0 };
    });

  daily: App['daily'] = ({ key, member }) =>
    this.#once('daily', key, () => {
      const last = this.#dailyAt.get(member.memberId);
      const nextAt = Date.now() + DAY_MS;
      if (last !== undefined) {
        throw new AppError('DAILY_TAKEN', { nextAtSeconds: Math.floor((last + DAY_MS) / 1000) });
      }
      this.#dailyAt.set(member.memberId, Date.now());
      this.credit(member.memberId, DAILY_GC, 'daily');
      const balanceGc = this.#balances.get(member.memberId) ?? 0;
      return { amountGc: guyaCoin(DAILY_GC), balanceGc, nextAt };
    });

  startTrade: App['startTrade'] = ({ key, from, to }) =>
    this.#once('startTrade', key, () => {
      refuseOther(from, to);
      const trade = openTrade({
        tradeId: randomUUID().slice(0, 6).toUpperCase() as TradeId,
        proposer: from.memberId,
        counterparty: to.memberId,
        now: Date.now(),
        expiryMs: 900_000,
      });
      this.#trades.set(trade.tradeId, { trade, window: undefined });
      return this.#tradeView(trade.tradeId);
    });

  addToTrade: App['addToTrade'] = ({ member, assetId, expected }) =>
    this.#edit('addToTrade', member, expected, (trade) => {
      const next = addAsset(trade, member.memberId, assetId as AssetId);
      this.#free(assetId, member.memberId).reservedBy = trade.tradeId;
      return next;
    });

  removeFromTrade: App['removeFromTrade'] = ({ member, assetId, expected }) =>
    this.#edit('removeFromTrade', member, expected, (trade) => {
      const next = removeAsset(trade, member.memberId, assetId as AssetId);
      this.#holding(assetId).reservedBy = undefined;
      return next;
    });

  setTradeCoins: App['setTradeCoins'] = ({ member, amount, expected }) =>
    this.#edit('setTradeCoins', member, expected, (trade) => {
      const balance = this.#balances.get(member.memberId) ?? 0;
      const coinsGc = amount === 'none' ? 0 : parseGuyaCoin(amount, balance);
      const next = setCoins(trade, member.memberId, coinsGc);
      if (coinsGc <= balance) return next;
      const data = { needed: formatGuyaCoin(coinsGc), balance: formatGuyaCoin(balance) };
      throw new AppError('INSUFFICIENT_FUNDS', data);
    });

  lockTrade: App['lockTrade'] = ({ member, expected }) =>
    this.#edit('lockTrade', member, expected, (trade) =>
      lockSide(trade, member.memberId, expected.version),
    );

  confirmTrade: App['confirmTrade'] = async ({ member, expected }) => {
    const seen = this.#row(expected.tradeId).trade;
    sidesOf(seen, member.memberId);
    if (seen.settlementId !== null) return this.#tradeView(seen.tradeId);
    const view = await this.#edit('confirmTrade', member, expected, (trade) =>
      confirmSide(trade, member.memberId, expected.version),
    );
    return view.trade.state === 'settling' ? this.#settleTrade(view.trade) : view;
  };

  cancelTrade: App['cancelTrade'] = ({ member, expected }) =>
    this.#edit('cancelTrade', member, expected && { ...expected, version: undefined }, (trade) => {
      const next = cancelTrade(trade, member.memberId);
      this.#freeAll(trade.tradeId);
      return next;
    });

  showTrade: App['showTrade'] = (memberId) =>
    this.#ask('showTrade', () => this.#tradeView(this.#activeTrade(memberId).tradeId));

  listEndedTrades: App['listEndedTrades'] = () => Promise.resolve([]);

  getTrade: App['getTrade'] = (tradeId) => this.#ask('getTrade', () => this.#tradeView(tradeId));

  rememberTradeWindow: App['rememberTradeWindow'] = (tradeId, window) =>
    this.#ask('rememberTradeWindow', () => {
      this.#row(tradeId).window = window;
    });

  inventory: App['inventory'] = ({ memberId, page, pageSize }) =>
    this.#ask('inventory', () => {
      const held = this.#heldBy(memberId);
      const pages = Math.max(1, Math.ceil(held.length / pageSize));
      const shown = Math.min(page, pages);
      const assets = held.slice((shown - 1) * pageSize, shown * pageSize).map((holding) => ({
        ...holding.facts,
        obtainedAt: holding.obtainedAt,
        status: holding.reservedBy === undefined ? ('held' as const) : ('reserved' as const),
      }));
      return { assets, total: held.length, page: shown, pages, cards: [] };
    });

  balance: App['balance'] = (memberId) =>
    this.#ask('balance', () => this.#balances.get(memberId) ?? 0);

  statement: App['statement'] = ({ memberId, page, pageSize }) =>
    this.#ask('statement', () => {
      const all = this.#lines.get(memberId) ?? [];
      const pages = Math.max(1, Math.ceil(all.length / pageSize));
      const shown = Math.min(page, pages);
      const lines = all.slice((shown - 1) * pageSize, shown * pageSize);
      return { lines, balanceGc: this.#balances.get(memberId) ?? 0, page: shown, pages };
    });

  viewAsset: App['viewAsset'] = (assetId) =>
    this.#ask('viewAsset', () => {
      const { facts, holder, transactionId, obtainedAt, reservedBy } = this.#holding(assetId);
      return {
        ...facts,
        holder,
        ownerId: `owner-of-${holder}`,
        transactionId,
        chainLength: 2,
        transactionTime: obtainedAt,
        commitId: 'c0ffee'.padEnd(40, '0'),
        status: reservedBy === undefined ? ('held' as const) : ('reserved' as const),
      };
    });

  pictureOf: App['pictureOf'] = () => PICTURE;

  listBanners: App['listBanners'] = () => [
    { bannerId: 'spring', name: 'Spring', priceGc: ROLL_PRICE_GC, endsAt: Date.now() + DAY_MS },
  ];

  findTradeable: App['findTradeable'] = (memberId, text) =>
    this.#ask('findTradeable', () =>
      this.#choices(
        this.#heldBy(memberId).filter((holding) => holding.reservedBy === undefined),
        text,
      ),
    );

  findInTrade: App['findInTrade'] = (memberId, text) =>
    this.#ask('findInTrade', () => {
      const [mine] = sidesOf(this.#activeTrade(memberId), memberId);
      return this.#choices(
        mine.assets.map((assetId) => this.#holding(assetId)),
        text,
      );
    });

  findMintable: App['findMintable'] = () =>
    this.#ask('findMintable', () => [{ assetId: 'm-mintable' as AssetId, label: 'Fresh page' }]);

  findAssets: App['findAssets'] = (text) =>
    this.#ask('findAssets', () => this.#choices([...this.#holdings.values()], text));

  waitForSettlement: App['waitForSettlement'] = async (settlementId, timeoutMs) => {
    const until = Date.now() + timeoutMs;
    for (;;) {
      const view = this.#settlement(settlementId);
      const leftMs = until - Date.now();
      if (view.state !== 'prepared' || leftMs <= 0) return view;
      await this.#nextEnd(leftMs);
    }
  };

  onSettlement: App['onSettlement'] = (listener) => {
    this.#settlementListeners.add(listener);
    return () => this.#settlementListeners.delete(listener);
  };

  onTradeChanged: App['onTradeChanged'] = (listener) => {
    this.#tradeListeners.add(listener);
    return () => this.#tradeListeners.delete(listener);
  };

  alarms: readonly Alarm[] = [];
  listAlarms: App['listAlarms'] = () => this.alarms;

  onAlarmsLooked: App['onAlarmsLooked'] = (listener) => {
    this.#alarmListeners.add(listener);
    return () => this.#alarmListeners.delete(listener);
  };

  /** As after an audit that found this. */
  look(alarms: readonly Alarm[]): void {
    this.alarms = alarms;
    for (const listener of this.#alarmListeners) listener();
  }

  createTransaction: App['createTransaction'] = (): Promise<CreatedTransaction> =>
    Promise.reject(new AppError('NODE_IS_OBSERVER'));

  audit: App['audit'] = (): Promise<AuditReport> =>
    Promise.resolve({ findings: [], counts: {}, at: Date.now() });

  async #ask<Answer>(name: string, work: () => Answer): Promise<Answer> {
    this.asked.set(name, (this.asked.get(name) ?? 0) + 1);
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    const { fault, isFaultLate } = this;
    this.fault = undefined;
    if (fault !== undefined && !isFaultLate) throw fault;
    const answer = work();
    if (fault !== undefined) throw fault;
    return answer;
  }

  #once<Answer>(name: string, key: IdempotencyKey, work: () => Answer): Promise<Answer> {
    const earlier = this.#answers.get(key) as Promise<Answer> | undefined;
    if (earlier !== undefined) return earlier;
    const answer = this.#ask(name, work);
    this.#answers.set(key, answer);
    // A refusal is not kept: what came to nothing may be asked for again.
    if (!this.isFaultLate) answer.catch(() => this.#answers.delete(key));
    return answer;
  }

  async #edit(
    name: string,
    member: Person,
    expected: { tradeId: TradeId; version: number | undefined } | TradeExpectation | undefined,
    change: (trade: Trade) => Trade,
  ): Promise<TradeView> {
    const view = await this.#ask(name, () => {
      const trade =
        expected === undefined
          ? this.#activeTrade(member.memberId)
          : this.#row(expected.tradeId).trade;
      sidesOf(trade, member.memberId);
      const version = expected?.version;
      if (trade.state === 'open' && version !== undefined && version !== trade.version) {
        throw new AppError('TRADE_CHANGED', { tradeId: trade.tradeId });
      }
      const next = change(trade);
      if (next !== trade) this.#save(next);
      return this.#tradeView(trade.tradeId);
    });
    return view;
  }

  #save(trade: Trade): void {
    this.#row(trade.tradeId).trade = trade;
    const view = this.#tradeView(trade.tradeId);
    for (const listener of this.#tradeListeners) listener(view);
  }

  #settleTrade(trade: Trade): TradeView {
    const [a, b] = trade.sides;
    const moves = [
      ...a.assets.map((assetId) => ({ assetId, from: a.memberId, to: b.memberId })),
      ...b.assets.map((assetId) => ({ assetId, from: b.memberId, to: a.memberId })),
    ];
    for (const side of trade.sides) {
      if (side.coinsGc > 0) this.credit(side.memberId, -side.coinsGc, 'trade-price');
    }
    const { tradeId } = trade;
    const finish = (state: 'settled' | 'failed'): void => {
      const row = this.#row(tradeId);
      row.trade = { ...row.trade, state };
      const [first, second] = state === 'settled' ? [b, a] : [a, b];
      if (a.coinsGc > 0) this.credit(first.memberId, a.coinsGc, 'trade-price');
      if (b.coinsGc > 0) this.credit(second.memberId, b.coinsGc, 'trade-price');
    };
    const effects = { apply: () => finish('settled'), undo: () => finish('failed') };
    const { settlementId } = this.#move('trade', moves, effects, tradeId);
    this.#row(tradeId).trade = { ...trade, settlementId };
    return this.#tradeView(tradeId);
  }

  #move(
    kind: SettlementView['kind'],
    moves: readonly Move[],
    effects: { apply?: () => unknown; undo?: () => unknown } = {},
    tradeId: TradeId | null = null,
  ): SettlementView {
    const settlementId = randomUUID() as SettlementId;
    const handOvers = moves.map((move) => ({
      ...move,
      transactionId: randomUUID() as TransactionId,
      toOwnerId: `owner-of-${move.to}` as OwnerId,
    }));
    const view: SettlementView = {
      settlementId,
      kind,
      state: 'prepared',
      reason: null,
      handOvers,
      tradeId,
    };
    for (const { assetId } of moves) this.#holding(assetId).reservedBy = settlementId;
    const release = (): void => {
      for (const { assetId } of moves) this.#holding(assetId).reservedBy = undefined;
    };
    this.#settlements.set(settlementId, view);
    this.#pending.set(settlementId, {
      view,
      apply: () => {
        release();
        for (const { assetId, to, transactionId } of handOvers) {
          Object.assign(this.#holding(assetId), { holder: to, transactionId });
        }
        effects.apply?.();
      },
      undo: () => {
        release();
        effects.undo?.();
      },
    });
    if (!this.isChainHeld) setImmediate(() => this.#end(settlementId, 'settled', null));
    return view;
  }

  #end(settlementId: SettlementId, state: 'settled' | 'voided', reason: ErrorCode | null): void {
    const pending = this.#pending.get(settlementId);
    if (pending === undefined) return;
    this.#pending.delete(settlementId);
    const view = { ...pending.view, state, reason };
    this.#settlements.set(settlementId, view);
    if (state === 'settled') pending.apply();
    else pending.undo();
    for (const wake of this.#waiters) wake();
    for (const listener of this.#settlementListeners) listener(view);
  }

  async #nextEnd(timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs).unref();
      this.#waiters.add(wake);
    });
  }

  #settlement(settlementId: SettlementId): SettlementView {
    const view = this.#settlements.get(settlementId);
    if (view === undefined) throw new Error('no such settlement');
    return view;
  }

  #tradeView(tradeId: TradeId): TradeView {
    const { trade, window } = this.#row(tradeId);
    const assets = trade.sides.flatMap((side) => side.assets);
    return {
      trade,
      window,
      assets: new Map(assets.map((assetId) => [assetId, this.#facts(assetId)])),
      settlement: trade.settlementId === null ? undefined : this.#settlement(trade.settlementId),
    };
  }

  #row(tradeId: TradeId): { trade: Trade; window: TradeView['window'] } {
    const row = this.#trades.get(tradeId);
    if (row === undefined) throw new AppError('TRADE_NOT_FOUND');
    return row;
  }

  #activeTrade(memberId: MemberId): Trade {
    const rows = [...this.#trades.values()];
    const row = rows.find(
      ({ trade }) =>
        ['open', 'settling'].includes(trade.state) &&
        trade.sides.some((side) => side.memberId === memberId),
    );
    if (row === undefined) throw new AppError('TRADE_NOT_FOUND');
    return row.trade;
  }

  #holding(assetId: string): Holding {
    const holding = this.#holdings.get(assetId);
    if (holding === undefined) throw new AppError('ASSET_NOT_FOUND', { assetId });
    return holding;
  }

  #facts = (assetId: string): AssetFacts => this.#holding(assetId).facts;

  #free(assetId: string, memberId: MemberId): Holding {
    const holding = this.#holdings.get(assetId);
    if (holding?.holder !== memberId) throw new AppError('ASSET_NOT_YOURS', { assetId });
    const { reservedBy } = holding;
    if (reservedBy !== undefined)
      throw new AppError('ASSET_RESERVED', { assetId, holder: reservedBy });
    return holding;
  }

  #freeAll(owner: string): void {
    for (const holding of this.#holdings.values()) {
      if (holding.reservedBy === owner) holding.reservedBy = undefined;
    }
  }

  #heldBy(memberId: MemberId): Holding[] {
    return [...this.#holdings.values()]
      .filter((holding) => holding.holder === memberId)
      .sort((a, b) => b.obtainedAt - a.obtainedAt);
  }

  #choices(holdings: readonly Holding[], text: string): AssetChoice[] {
    return holdings
      .map(({ facts }) => ({ assetId: facts.assetId, label: facts.name.slice(0, 100) }))
      .filter(({ assetId, label }) =>
        `${assetId} ${label}`.toLowerCase().includes(text.toLowerCase()),
      )
      .slice(0, 25);
  }
}

const COIN_DRAW: RolledDraw = {
  entryId: 'coins-20',
  name: 'A handful of coins',
  stars: 1,
  prize: { kind: 'coins', amountGc: 20 },
  rerolledFrom: [],
};

function refuseOther(from: Person, to: Person): void {
  if (from.memberId === to.memberId) throw new AppError('SELF_PAYMENT');
  if (to.isBot) throw new AppError('BOT_RECIPIENT');
}

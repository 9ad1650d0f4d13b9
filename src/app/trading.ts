// Use cases of a trade until both have confirmed: start, offer, lock, confirm, cancel, expire.
import { randomInt } from 'node:crypto';
import { memberAccount } from '../ledger/ledger-store.ts';
import type { Clock } from '../shared/clock.ts';
import { AppError, hasCode } from '../shared/errors.ts';
import { formatGuyaCoin, parseGuyaCoin } from '../shared/guya-coin.ts';
import type { AssetId, MemberId, TradeId } from '../shared/ids.ts';
import { Listeners } from '../shared/listeners.ts';
import type { Logger } from '../shared/logger.ts';
import {
  addAsset,
  cancelTrade,
  confirmSide,
  expireTrade,
  lockSide,
  openTrade,
  removeAsset,
  reopenOffer,
  setCoins,
  sidesOf,
  type Trade,
} from '../trade/trade.ts';
import type { App, TradeExpectation, TradeView } from './app.ts';
import type { Catalogue } from './catalogue.ts';
import type { Custody } from './custody.ts';
import { assertOtherPerson } from './people.ts';
import type { Database, Stores } from './ports/database.ts';
import { settleTrade } from './settle-trade.ts';
import { toView, type Settlements } from './settlements.ts';

/** No vowels and nothing that looks like something else: codes are read aloud and never spell words. */
const CODE_LETTERS = 'BCDFGHJKLMNPQRSTVWXZ2345679';
const CODE_LENGTH = 6;
const MAX_EXPIRED_AT_ONCE = 100;
/** Whose windows a new process brings up to date. */
const ENDED_WINDOW_MS = 60 * 60 * 1000;
const MAX_ENDED_SHOWN = 100;

export interface TradingOptions {
  readonly database: Database;
  readonly settlements: Settlements;
  readonly custody: Custody;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tradeExpiryMs: number;
}

interface Step {
  readonly memberId: MemberId;
  /** Undefined: the member's active trade, whatever its version. */
  readonly tradeId: TradeId | undefined;
  readonly version: number | undefined;
}

export class Trading {
  readonly #options: TradingOptions;
  readonly #changed: Listeners<TradeView>;

  constructor(options: TradingOptions) {
    this.#options = options;
    this.#changed = new Listeners(options.logger);
  }

  start: App['startTrade'] = async ({ key, from, to }) => {
    assertOtherPerson(from, to);
    const { database, clock, tradeExpiryMs } = this.#options;
    await this.expire();
    const started = await database.transaction(async ({ trades }) => {
      const earlier = await trades.findTradeByKey(key);
      if (earlier !== undefined) return earlier;
      const trade = openTrade({
        tradeId: makeTradeId(),
        proposer: from.memberId,
        counterparty: to.memberId,
        now: clock.now(),
        expiryMs: tradeExpiryMs,
      });
      await trades.insertTrade(trade, key);
      return trade;
    });
    return await this.#show(started);
  };

  add: App['addToTrade'] = ({ member, assetId: text, expected }) =>
    this.#edit(stepOf(member.memberId, expected), async (trade, stores) => {
      const assetId = text as AssetId;
      const next = addAsset(trade, member.memberId, assetId);
      await this.#options.custody.assertHolder(stores, assetId, member.memberId);
      const by = { kind: 'trade', tradeId: trade.tradeId } as const;
      await stores.settlements.reserve(assetId, by, this.#options.clock.now());
      return next;
    });

  remove: App['removeFromTrade'] = ({ member, assetId: text, expected }) =>
    this.#edit(stepOf(member.memberId, expected), async (trade, stores) => {
      const assetId = text as AssetId;
      const next = removeAsset(trade, member.memberId, assetId);
      const by = { kind: 'trade', tradeId: trade.tradeId } as const;
      await stores.settlements.freeReservation(assetId, by);
      return next;
    });

  setCoins: App['setTradeCoins'] = ({ member, amount, expected }) =>
    this.#edit(stepOf(member.memberId, expected), async (trade, { ledger }) => {
      const balanceGc = await ledger.balanceOf(memberAccount(member.memberId));
      const isNone = amount.trim().toLowerCase() === 'none';
      const coinsGc = isNone ? 0 : parseGuyaCoin(amount, balanceGc);
      // The state is asked first: whose side is locked learns that, and not what they could afford.
      const next = setCoins(trade, member.memberId, coinsGc);
      if (coinsGc > balanceGc) throw insufficient(coinsGc, balanceGc);
      return next;
    });

  lock: App['lockTrade'] = ({ member, expected }) =>
    this.#edit(stepOf(member.memberId, expected), (trade) =>
      Promise.resolve(lockSide(trade, member.memberId, expected.version)),
    );

  cancel: App['cancelTrade'] = ({ member, expected }) =>
    this.#edit(
      { memberId: member.memberId, tradeId: expected?.tradeId, version: undefined },
      async (trade, { settlements }) => {
        const next = cancelTrade(trade, member.memberId);
        await settlements.freeReservations({ kind: 'trade', tradeId: trade.tradeId });
        return next;
      },
    );

  confirm: App['confirmTrade'] = async (click) => {
    try {
      return await this.#confirm(click);
    } catch (error) {
      // Of two clicks at once the other one was quicker: the trade is on its way.
      if (!hasCode(error, 'TRADE_CLOSED')) throw error;
      const seen = await this.get(click.expected.tradeId);
      if (seen.settlement === undefined) throw error;
      return seen;
    }
  };

  async #confirm({
    member,
    other,
    expected,
  }: Parameters<App['confirmTrade']>[0]): Promise<TradeView> {
    const { memberId } = member;
    const confirmed = (trade: Trade): Trade => confirmSide(trade, memberId, expected.version);
    const seen = await this.get(expected.tradeId);
    // A repeated click on a trade that is on its way shows it, and does nothing more; a stranger's is refused.
    if (seen.settlement !== undefined) {
      sidesOf(seen.trade, memberId);
      return seen;
    }
    // The last confirmation is written with the settlement, in one database transaction, and not before.
    const { trade } = await this.#edit(stepOf(memberId, expected), (current) =>
      Promise.resolve(isComplete(confirmed(current)) ? current : confirmed(current)),
    );
    if (isComplete(confirmed(trade))) {
      const people = [member, ...(other === undefined ? [] : [other])];
      await this.#settle({ trade, memberId, people });
    }
    return await this.get(trade.tradeId);
  }

  async #settle(confirmation: Parameters<typeof settleTrade>[1]): Promise<void> {
    const { tradeId } = confirmation.trade;
    try {
      await settleTrade(this.#options, confirmation);
    } catch (error) {
      if (!(error instanceof AppError) || !UNFUNDED.has(error.code)) throw error;
      await this.#reopen(tradeId);
      throw new AppError('TRADE_UNFUNDED', { tradeId }, { cause: error });
    }
  }

  async #reopen(tradeId: TradeId): Promise<void> {
    const { database } = this.#options;
    const reopened = await database.transaction(async ({ trades }) => {
      const trade = await trades.findTrade(tradeId);
      if (trade === undefined) throw new AppError('TRADE_NOT_FOUND');
      const next = reopenOffer(trade);
      await trades.updateTrade(next);
      return next;
    });
    this.#announce(await this.#show(reopened));
  }

  show: App['showTrade'] = async (memberId) => {
    await this.expire();
    const { database } = this.#options;
    const trade = await database.read((stores) => stores.trades.findActiveTrade(memberId));
    if (trade === undefined) throw new AppError('TRADE_NOT_FOUND');
    return await this.#show(trade);
  };

  get: App['getTrade'] = async (tradeId) => {
    const { database } = this.#options;
    const trade = await database.read((stores) => stores.trades.findTrade(tradeId));
    if (trade === undefined) throw new AppError('TRADE_NOT_FOUND');
    return await this.#show(trade);
  };

  listEnded: App['listEndedTrades'] = async () => {
    const { database, clock } = this.#options;
    const since = Math.max(0, clock.now() - ENDED_WINDOW_MS);
    const ended = await database.read(({ trades }) => trades.listEnded(since, MAX_ENDED_SHOWN));
    return await Promise.all(ended.map((trade) => this.#show(trade)));
  };

  /** Ends the open trades whose time is up and frees what they reserved. */
  async expire(): Promise<void> {
    const { database, clock } = this.#options;
    const now = clock.now();
    const due = await database.read(({ trades }) => trades.listExpired(now, MAX_EXPIRED_AT_ONCE));
    for (const { tradeId } of due) {
      const ended = await database.transaction(async ({ trades, settlements }) => {
        const trade = await trades.findTrade(tradeId);
        const next = trade && expireTrade(trade, now);
        if (next === undefined || next === trade) return undefined;
        await trades.updateTrade(next);
        await settlements.freeReservations({ kind: 'trade', tradeId });
        return next;
      });
      if (ended !== undefined) this.#announce(await this.#show(ended));
    }
  }

  onChanged(listener: (view: TradeView) => void): () => void {
    return this.#changed.add(listener);
  }

  #announce(view: TradeView): void {
    this.#changed.tell(view);
  }

  async #edit(
    step: Step,
    change: (trade: Trade, stores: Stores) => Promise<Trade>,
  ): Promise<TradeView> {
    await this.expire();
    const { database } = this.#options;
    const { trade, isChanged } = await database.transaction(async (stores) => {
      const before = await findFor(stores, step);
      const after = await change(before, stores);
      if (after !== before) await stores.trades.updateTrade(after);
      return { trade: after, isChanged: after !== before };
    });
    const view = await this.#show(trade);
    if (isChanged) this.#announce(view);
    return view;
  }

  async #show(trade: Trade): Promise<TradeView> {
    const { database, catalogue } = this.#options;
    const { window, settlement } = await database.read(async (stores) => ({
      window: await stores.trades.findWindow(trade.tradeId),
      settlement:
        trade.settlementId === null
          ? undefined
          : await stores.settlements.findSettlement(trade.settlementId),
    }));
    const assets = trade.sides.flatMap((side) => side.assets);
    return {
      trade,
      assets: new Map(assets.map((assetId) => [assetId, catalogue.factsOf(assetId)])),
      window,
      settlement: settlement && toView(settlement),
    };
  }
}

const isComplete = (trade: Trade): boolean => trade.state === 'settling';

/** What makes a locked offer impossible; the members have to change it. */
const UNFUNDED: ReadonlySet<string> = new Set([
  'INSUFFICIENT_FUNDS',
  'ASSET_NOT_YOURS',
  'PASSPHRASE_NOT_HELD',
]);

function stepOf(memberId: MemberId, expected: TradeExpectation | undefined): Step {
  return { memberId, tradeId: expected?.tradeId, version: expected?.version };
}

/** @throws AppError TRADE_NOT_FOUND, TRADE_NOT_YOURS, TRADE_CHANGED */
async function findFor({ trades }: Stores, step: Step): Promise<Trade> {
  const { memberId, tradeId, version } = step;
  const trade =
    tradeId === undefined
      ? await trades.findActiveTrade(memberId)
      : await trades.findTrade(tradeId);
  if (trade === undefined) throw new AppError('TRADE_NOT_FOUND');
  sidesOf(trade, memberId);
  if (trade.state === 'open' && version !== undefined && version !== trade.version) {
    throw new AppError('TRADE_CHANGED', { tradeId: trade.tradeId });
  }
  return trade;
}

function insufficient(needed: number, balance: number): AppError {
  return new AppError('INSUFFICIENT_FUNDS', {
    needed: formatGuyaCoin(needed),
    balance: formatGuyaCoin(balance),
  });
}

function makeTradeId(): TradeId {
  const letters = Array.from({ length: CODE_LENGTH }, () =>
    CODE_LETTERS.charAt(randomInt(CODE_LETTERS.length)),
  );
  return letters.join('') as TradeId;
}

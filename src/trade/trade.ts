// The life of a trade: a pure state machine; every function gives the next trade or refuses, and touches nothing.
import { AppError } from '../shared/errors.ts';
import { guyaCoin } from '../shared/guya-coin.ts';
import type { AssetId, MemberId, SettlementId, TradeId } from '../shared/ids.ts';

/** The most assets that one side may offer. */
export const MAX_ASSETS_A_SIDE = 25;

/** `settling`: both confirmed, the settlement is under way. The last four states are final. */
export type TradeState = 'open' | 'settling' | 'settled' | 'cancelled' | 'expired' | 'failed';

/** What one member puts in, and how far they have agreed. */
export interface TradeSide {
  readonly memberId: MemberId;
  readonly assets: readonly AssetId[];
  /** 0 for no coins. */
  readonly coinsGc: number;
  readonly locked: boolean;
  readonly confirmed: boolean;
}

export interface Trade {
  readonly tradeId: TradeId;
  readonly state: TradeState;
  /** Counts the changes of what is offered; a confirmation is bound to it. */
  readonly version: number;
  /** The proposer, then the counterparty. */
  readonly sides: readonly [TradeSide, TradeSide];
  readonly settlementId: SettlementId | null;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** A new, empty trade. @throws AppError SELF_PAYMENT when both are the same member. */
export function openTrade(opening: {
  readonly tradeId: TradeId;
  readonly proposer: MemberId;
  readonly counterparty: MemberId;
  readonly now: number;
  readonly expiryMs: number;
}): Trade {
  if (opening.proposer === opening.counterparty) throw new AppError('SELF_PAYMENT');
  const side = (memberId: MemberId): TradeSide => ({
    memberId,
    assets: [],
    coinsGc: 0,
    locked: false,
    confirmed: false,
  });
  return {
    tradeId: opening.tradeId,
    state: 'open',
    version: 1,
    sides: [side(opening.proposer), side(opening.counterparty)],
    settlementId: null,
    createdAt: opening.now,
    expiresAt: opening.now + opening.expiryMs,
  };
}

/** Adds an asset to the member's side; adding it again changes nothing. */
export function addAsset(trade: Trade, memberId: MemberId, assetId: AssetId): Trade {
  const side = editableSide(trade, memberId);
  if (side.assets.includes(assetId)) return trade;
  if (side.assets.length >= MAX_ASSETS_A_SIDE) {
    throw new AppError('TRADE_FULL', { limit: MAX_ASSETS_A_SIDE });
  }
  return changeOffer(trade, { ...side, assets: [...side.assets, assetId] });
}

/** Takes an asset off the member's side. @throws AppError ASSET_NOT_YOURS when it is not in there. */
export function removeAsset(trade: Trade, memberId: MemberId, assetId: AssetId): Trade {
  const side = editableSide(trade, memberId);
  if (!side.assets.includes(assetId)) throw new AppError('ASSET_NOT_YOURS', { assetId });
  return changeOffer(trade, { ...side, assets: side.assets.filter((id) => id !== assetId) });
}

/**
 * Sets the coins that the member offers, 0 for none.
 * @throws AppError AMOUNT_INVALID for anything else that is not an amount.
 */
export function setCoins(trade: Trade, memberId: MemberId, coinsGc: number): Trade {
  const side = editableSide(trade, memberId);
  if (coinsGc !== 0) guyaCoin(coinsGc);
  return side.coinsGc === coinsGc ? trade : changeOffer(trade, { ...side, coinsGc });
}

/**
 * The member agrees to what both sides hold now. Locking again changes nothing.
 * @param version the offer's version that the member saw.
 */
export function lockSide(trade: Trade, memberId: MemberId, version: number): Trade {
  const side = openSide(trade, memberId);
  refuseOldVersion(trade, version);
  if (trade.sides.every(isEmpty)) throw new AppError('TRADE_EMPTY', { tradeId: trade.tradeId });
  return side.locked ? trade : replaceSide(trade, { ...side, locked: true });
}

/**
 * The member confirms the locked offer of this version; when both have, the trade is settling.
 * @throws AppError TRADE_NOT_LOCKED until both sides are locked, TRADE_CHANGED for another version.
 */
export function confirmSide(trade: Trade, memberId: MemberId, version: number): Trade {
  const side = openSide(trade, memberId);
  refuseOldVersion(trade, version);
  if (!trade.sides.every((each) => each.locked)) {
    throw new AppError('TRADE_NOT_LOCKED', { tradeId: trade.tradeId });
  }
  if (side.confirmed) return trade;
  const next = replaceSide(trade, { ...side, confirmed: true });
  return next.sides.every((each) => each.confirmed) ? { ...next, state: 'settling' } : next;
}

/** Makes both members look again: what was locked could not be settled. Any trade but an open one stays as it is. */
export function reopenOffer(trade: Trade): Trade {
  return trade.state === 'open' ? changeOffer(trade, trade.sides[0]) : trade;
}

/** Either member ends an open trade. */
export function cancelTrade(trade: Trade, memberId: MemberId): Trade {
  openSide(trade, memberId);
  return { ...trade, state: 'cancelled' };
}

/** Ends an open trade whose time is up; any other stays as it is. */
export function expireTrade(trade: Trade, now: number): Trade {
  return trade.state === 'open' && trade.expiresAt <= now ? { ...trade, state: 'expired' } : trade;
}

/** The member's side, then the other one. @throws AppError TRADE_NOT_YOURS for a stranger. */
export function sidesOf(trade: Trade, memberId: MemberId): readonly [TradeSide, TradeSide] {
  const [first, second] = trade.sides;
  if (first.memberId === memberId) return [first, second];
  if (second.memberId === memberId) return [second, first];
  throw new AppError('TRADE_NOT_YOURS');
}

function isEmpty(side: TradeSide): boolean {
  return side.assets.length === 0 && side.coinsGc === 0;
}

function openSide(trade: Trade, memberId: MemberId): TradeSide {
  const [mine] = sidesOf(trade, memberId);
  if (trade.state !== 'open') {
    throw new AppError('TRADE_CLOSED', { tradeId: trade.tradeId, state: trade.state });
  }
  return mine;
}

function editableSide(trade: Trade, memberId: MemberId): TradeSide {
  const side = openSide(trade, memberId);
  if (side.locked) throw new AppError('TRADE_LOCKED', { tradeId: trade.tradeId });
  return side;
}

function refuseOldVersion(trade: Trade, version: number): void {
  if (version !== trade.version) throw new AppError('TRADE_CHANGED', { tradeId: trade.tradeId });
}

function replaceSide(trade: Trade, side: TradeSide): Trade {
  const [first, second] = trade.sides;
  const sides: Trade['sides'] = first.memberId === side.memberId ? [side, second] : [first, side];
  return { ...trade, sides };
}

/** Whatever changes what is offered makes both members look again. */
function changeOffer(trade: Trade, side: TradeSide): Trade {
  const [first, second] = replaceSide(trade, side).sides;
  const unsettle = (each: TradeSide): TradeSide => ({ ...each, locked: false, confirmed: false });
  return { ...trade, version: trade.version + 1, sides: [unsettle(first), unsettle(second)] };
}

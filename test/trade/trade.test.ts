// The rules of a trade's life, by example and for random sequences of what two members and a stranger do.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AppError } from '../../src/shared/errors.ts';
import { MAX_AMOUNT_GC } from '../../src/shared/guya-coin.ts';
import type { AssetId, MemberId, TradeId } from '../../src/shared/ids.ts';
import {
  addAsset,
  cancelTrade,
  confirmSide,
  expireTrade,
  lockSide,
  MAX_ASSETS_A_SIDE,
  openTrade,
  removeAsset,
  reopenOffer,
  setCoins,
  sidesOf,
  type Trade,
} from '../../src/trade/trade.ts';

const [ANN, BEN, EVE] = ['1', '2', '3'] as [MemberId, MemberId, MemberId];
const EXPIRY = 1_000;

const start = (): Trade =>
  openTrade({
    tradeId: 'K7Q2XY' as TradeId,
    proposer: ANN,
    counterparty: BEN,
    now: 0,
    expiryMs: EXPIRY,
  });
const asset = (number: number): AssetId => `asset-${number}` as AssetId;
const lockBoth = (trade: Trade): Trade =>
  lockSide(lockSide(trade, ANN, trade.version), BEN, trade.version);
const codeOf = (action: () => unknown): string | undefined => {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
};

type Action =
  | { readonly kind: 'add' | 'remove'; readonly member: MemberId; readonly asset: AssetId }
  | { readonly kind: 'coins'; readonly member: MemberId; readonly coinsGc: number }
  | { readonly kind: 'lock' | 'confirm'; readonly member: MemberId; readonly age: number }
  | { readonly kind: 'cancel'; readonly member: MemberId }
  | { readonly kind: 'expire'; readonly now: number }
  | { readonly kind: 'reopen' };

function apply(trade: Trade, action: Action): Trade {
  switch (action.kind) {
    case 'add':
      return addAsset(trade, action.member, action.asset);
    case 'remove':
      return removeAsset(trade, action.member, action.asset);
    case 'coins':
      return setCoins(trade, action.member, action.coinsGc);
    case 'lock':
      return lockSide(trade, action.member, trade.version - action.age);
    case 'confirm':
      return confirmSide(trade, action.member, trade.version - action.age);
    case 'cancel':
      return cancelTrade(trade, action.member);
    case 'expire':
      return expireTrade(trade, action.now);
    case 'reopen':
      return reopenOffer(trade);
  }
}

/** The trade after the action, or as it was when the action is refused. */
function tryApply(trade: Trade, action: Action): { next: Trade; refusal: string | undefined } {
  let next = trade;
  const refusal = codeOf(() => {
    next = apply(trade, action);
  });
  return { next, refusal };
}

const member = fc.constantFrom(ANN, ANN, ANN, BEN, BEN, BEN, EVE);
const anAsset = fc.integer({ min: 0, max: 3 }).map(asset);
const age = fc.constantFrom(0, 0, 0, 0, 1, -1);
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('add' as const), member, asset: anAsset }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('remove' as const), member, asset: anAsset }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('coins' as const),
      member,
      coinsGc: fc.constantFrom(0, 1, 50, MAX_AMOUNT_GC, -1, 0.5, Number.NaN, MAX_AMOUNT_GC + 1),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('lock' as const), member, age }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('confirm' as const), member, age }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), member }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('expire' as const),
      now: fc.constantFrom(EXPIRY - 1, EXPIRY),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
);

/** Runs random actions and checks each step. */
function forEveryStep(
  check: (step: { before: Trade; after: Trade; action: Action; refusal?: string }) => void,
): void {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      let before = start();
      for (const each of actions) {
        const { next, refusal } = tryApply(before, each);
        const step = { before, after: next, action: each };
        check(refusal === undefined ? step : { ...step, refusal });
        before = next;
      }
    }),
    { numRuns: 300 },
  );
}

const offerOf = (trade: Trade) =>
  JSON.stringify(trade.sides.map(({ assets, coinsGc }) => [assets, coinsGc]));

describe('whatever happens to a trade', () => {
  test('a change of the offer opens both locks, clears both confirmations and makes a new version', () => {
    forEveryStep(({ before, after }) => {
      if (offerOf(before) === offerOf(after)) return;
      expect(after.version).toBe(before.version + 1);
      expect(after.sides.some(({ locked, confirmed }) => locked || confirmed)).toBe(false);
    });
  });

  test('the version never goes back', () => {
    forEveryStep(({ before, after }) => {
      expect(after.version).toBeGreaterThanOrEqual(before.version);
    });
  });

  test('a final state is final, and a settling trade is out of the members’ hands', () => {
    forEveryStep(({ before, after }) => {
      if (before.state === 'open') return;
      expect(after).toEqual(before);
    });
  });

  test('it settles only when both members confirmed the same locked offer', () => {
    forEveryStep(({ before, after, action: { kind } }) => {
      if (before.state === 'settling' || after.state !== 'settling') return;
      expect(kind).toBe('confirm');
      expect(offerOf(after)).toBe(offerOf(before));
      expect(after.version).toBe(before.version);
      expect(after.sides.every(({ locked, confirmed }) => locked && confirmed)).toBe(true);
    });
  });

  test('nobody has confirmed what is not locked by both', () => {
    forEveryStep(({ after }) => {
      if (!after.sides.some(({ confirmed }) => confirmed)) return;
      expect(after.sides.every(({ locked }) => locked)).toBe(true);
    });
  });

  test('a stranger is refused, always', () => {
    forEveryStep(({ before, after, action: each, refusal }) => {
      if (!('member' in each) || each.member !== EVE) return;
      expect(refusal).toBe('TRADE_NOT_YOURS');
      expect(after).toBe(before);
    });
  });

  test('a member changes their own side only, and not while it is locked', () => {
    forEveryStep(({ before, after, action: each }) => {
      if (offerOf(before) === offerOf(after) || !('member' in each)) return;
      const [mineBefore, othersBefore] = sidesOf(before, each.member);
      const [, othersAfter] = sidesOf(after, each.member);
      expect(mineBefore.locked).toBe(false);
      expect([othersAfter.assets, othersAfter.coinsGc]).toEqual([
        othersBefore.assets,
        othersBefore.coinsGc,
      ]);
    });
  });

  test('an answer to an older or newer version changes nothing', () => {
    forEveryStep(({ before, after, action: each, refusal }) => {
      if (!('age' in each) || each.age === 0) return;
      expect(refusal).toBeDefined();
      expect(after).toBe(before);
    });
  });

  test('coins offered are an amount or none, and assets are offered once', () => {
    forEveryStep(({ after }) => {
      for (const { coinsGc, assets } of after.sides) {
        expect(Number.isSafeInteger(coinsGc) && coinsGc >= 0 && coinsGc <= MAX_AMOUNT_GC).toBe(
          true,
        );
        expect(new Set(assets).size).toBe(assets.length);
      }
    });
  });

  test('who takes part never changes', () => {
    forEveryStep(({ after }) => {
      expect(after.sides.map(({ memberId }) => memberId)).toEqual([ANN, BEN]);
    });
  });
});

describe('a trade', () => {
  test('is not with oneself', () => {
    const opening = {
      tradeId: 'X' as TradeId,
      proposer: ANN,
      counterparty: ANN,
      now: 0,
      expiryMs: 1,
    };
    expect(codeOf(() => openTrade(opening))).toBe('SELF_PAYMENT');
  });

  test('goes from offer over lock to confirmation', () => {
    const offered = setCoins(addAsset(start(), ANN, asset(1)), BEN, 60);
    const locked = lockBoth(offered);
    const half = confirmSide(locked, BEN, locked.version);
    expect(half.state).toBe('open');
    expect(confirmSide(half, ANN, half.version).state).toBe('settling');
  });

  test('cannot be locked while it is empty', () => {
    expect(codeOf(() => lockSide(start(), ANN, 1))).toBe('TRADE_EMPTY');
  });

  test('cannot be confirmed before both have locked', () => {
    const half = lockSide(setCoins(start(), BEN, 5), ANN, 2);
    expect(codeOf(() => confirmSide(half, ANN, 2))).toBe('TRADE_NOT_LOCKED');
  });

  test('has a locked side that its member cannot change', () => {
    const locked = lockSide(addAsset(start(), ANN, asset(1)), ANN, 2);
    for (const change of [
      () => addAsset(locked, ANN, asset(2)),
      () => removeAsset(locked, ANN, asset(1)),
      () => setCoins(locked, ANN, 5),
    ]) {
      expect(codeOf(change)).toBe('TRADE_LOCKED');
    }
  });

  test('opens a lock when the other side changes', () => {
    const locked = lockSide(addAsset(start(), ANN, asset(1)), ANN, 2);
    const changed = setCoins(locked, BEN, 5);
    expect(changed.sides.map((side) => side.locked)).toEqual([false, false]);
    expect(codeOf(() => lockSide(changed, BEN, 2))).toBe('TRADE_CHANGED');
  });

  test('says the same again without a change', () => {
    const offered = setCoins(addAsset(start(), ANN, asset(1)), ANN, 5);
    expect(addAsset(offered, ANN, asset(1))).toBe(offered);
    expect(setCoins(offered, ANN, 5)).toBe(offered);
    const locked = lockSide(offered, ANN, offered.version);
    expect(lockSide(locked, ANN, locked.version)).toBe(locked);
    const confirmed = confirmSide(lockBoth(offered), ANN, offered.version);
    expect(confirmSide(confirmed, ANN, confirmed.version)).toBe(confirmed);
  });

  test('gives nothing back that is not in it', () => {
    expect(codeOf(() => removeAsset(start(), ANN, asset(1)))).toBe('ASSET_NOT_YOURS');
  });

  test('takes coins that are an amount, and none', () => {
    for (const coinsGc of [-1, 0.5, Number.NaN, MAX_AMOUNT_GC + 1]) {
      expect(codeOf(() => setCoins(start(), ANN, coinsGc))).toBe('AMOUNT_INVALID');
    }
    expect(setCoins(setCoins(start(), ANN, 5), ANN, 0).sides[0].coinsGc).toBe(0);
  });

  test(`holds ${MAX_ASSETS_A_SIDE} assets a side, no more`, () => {
    let trade = start();
    for (let number = 0; number < MAX_ASSETS_A_SIDE; number += 1) {
      trade = addAsset(trade, ANN, asset(number));
    }
    expect(codeOf(() => addAsset(trade, ANN, asset(99)))).toBe('TRADE_FULL');
    expect(addAsset(trade, ANN, asset(0))).toBe(trade);
  });

  test('expires at its time, not before, and only while it is open', () => {
    const trade = addAsset(start(), ANN, asset(1));
    expect(expireTrade(trade, EXPIRY - 1)).toBe(trade);
    expect(expireTrade(trade, EXPIRY).state).toBe('expired');
    const cancelled = cancelTrade(trade, BEN);
    expect(expireTrade(cancelled, EXPIRY)).toBe(cancelled);
  });

  test('is looked at again by both when its locked offer could not settle', () => {
    const locked = lockBoth(setCoins(start(), ANN, 5));
    const reopened = reopenOffer(locked);
    expect(reopened).toEqual({ ...setCoins(start(), ANN, 5), version: locked.version + 1 });
    const cancelled = cancelTrade(locked, ANN);
    expect(reopenOffer(cancelled)).toBe(cancelled);
  });
});

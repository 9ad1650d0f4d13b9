// Use case: both members have confirmed; assets and coins of both sides change hands in one settlement.
import { v5 as uuidv5 } from 'uuid';
import { memberAccount } from '../ledger/ledger-store.ts';
import { AppError } from '../shared/errors.ts';
import { guyaCoin } from '../shared/guya-coin.ts';
import type { HoldId, IdempotencyKey, MemberId } from '../shared/ids.ts';
import { confirmSide, type Trade, type TradeSide } from '../trade/trade.ts';
import type { Person } from './app.ts';
import type { Custody, Delivery } from './custody.ts';
import type { Stores } from './ports/database.ts';
import type { Preparation, MovementPlan, Settlements } from './settlements.ts';

interface Confirmation {
  /** As it stood before the last confirmation. */
  readonly trade: Trade;
  /** Whose confirmation completes it. */
  readonly memberId: MemberId;
  /** The members as far as they are known; used only when names are public. */
  readonly people: readonly Person[];
}

/**
 * Prepares and submits the trade's settlement.
 * @throws AppError TRADE_CHANGED, TRADE_CLOSED, ASSET_NOT_YOURS, INSUFFICIENT_FUNDS; the trade is then as it was.
 */
export async function settleTrade(
  { settlements, custody }: { readonly settlements: Settlements; readonly custody: Custody },
  { trade, memberId, people }: Confirmation,
): Promise<void> {
  const [first, second] = trade.sides;
  const deliveries = [...deliver(first, second, people), ...deliver(second, first, people)];
  const key = `trade:${trade.tradeId}:${trade.version}` as IdempotencyKey;
  await settlements.move({ key, kind: 'trade' }, async () => {
    // First of all: of a frozen asset the rows may say anything.
    settlements.freezes.refuse({ kind: 'trade', drafts: deliveries });
    const prepare: MovementPlan<null>['prepare'] = async (stores, preparation) => {
      const { settlementId } = preparation;
      const current = (await stores.trades.findTrade(trade.tradeId)) ?? trade;
      // Throws when the offer changed or the trade ended since.
      const confirmed = confirmSide(current, memberId, trade.version);
      if (confirmed.state !== 'settling')
        throw new AppError('TRADE_NOT_LOCKED', { tradeId: trade.tradeId });
      await custody.confirm(stores, deliveries);
      await stores.settlements.moveReservations(trade.tradeId, settlementId);
      await stores.trades.updateTrade({ ...confirmed, settlementId });
      const captures = await holdCoins(stores, [first, second], preparation);
      return { effects: { captures, tradeId: trade.tradeId }, answer: null };
    };
    return { ...(await custody.plan(deliveries)), custody: 'bot', prepare };
  });
}

function deliver(giver: TradeSide, receiver: TradeSide, people: readonly Person[]): Delivery[] {
  return giver.assets.map((assetId) => ({
    assetId,
    from: giver.memberId,
    to: receiver.memberId,
    person: people.find(({ memberId }) => memberId === receiver.memberId),
    costGc: receiver.coinsGc,
  }));
}

/** Both sides' coins go into escrow, in the order of the accounts so that two trades never wait for each other. */
async function holdCoins(
  stores: Stores,
  [first, second]: Trade['sides'],
  { settlementId, at }: Preparation,
) {
  const payments = [
    {
      payer: memberAccount(first.memberId),
      payee: memberAccount(second.memberId),
      coinsGc: first.coinsGc,
    },
    {
      payer: memberAccount(second.memberId),
      payee: memberAccount(first.memberId),
      coinsGc: second.coinsGc,
    },
  ]
    .filter(({ coinsGc }) => coinsGc > 0)
    .sort((a, b) => (a.payer < b.payer ? -1 : 1));
  const captures = [];
  for (const { payer, payee, coinsGc } of payments) {
    const holdId = uuidv5(payer, settlementId) as HoldId;
    const hold = {
      holdId,
      accountId: payer,
      amountGc: guyaCoin(coinsGc),
      settlementId,
      placedAt: at,
    };
    await stores.ledger.placeHold(hold, 'trade-price');
    captures.push({ holdId, creditAccount: payee, code: 'trade-price' as const });
  }
  return captures;
}

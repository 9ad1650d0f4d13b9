// The shape of a settlement's effects in its JSON column.
import * as z from 'zod';
import type { SettlementEffects } from '../app/ports/settlement-store.ts';
import type { TransferCode } from '../ledger/ledger-store.ts';
import type { AccountId, HoldId, MemberId, SettlementId, TradeId } from '../shared/ids.ts';
import { parseColumn, text } from './json-column.ts';

const TRANSFER_CODES = [
  'bank-funding',
  'daily',
  'payment',
  'roll-price',
  'roll-prize',
  'trade-price',
  'hold-released',
  'correction',
] as const satisfies readonly TransferCode[];

const code = z.enum(TRANSFER_CODES);
const effectsColumn = z.strictObject({
  captures: z.array(
    z.strictObject({ holdId: text<HoldId>(), creditAccount: text<AccountId>(), code }),
  ),
  payouts: z.array(
    z.strictObject({ creditAccount: text<AccountId>(), amountGc: z.int().positive(), code }),
  ),
  cards: z.array(z.strictObject({ memberId: text<MemberId>(), cardId: text() })),
  tradeId: text<TradeId>().nullable(),
});

/** Reads the column of a settlement. */
export function parseEffects(json: string, settlementId: SettlementId): SettlementEffects {
  return parseColumn(effectsColumn, json, `effects of settlement ${settlementId}`);
}

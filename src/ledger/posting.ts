// How coins move within a settlement: plain payments, and payments of the bank, which can never run dry.
import { hasCode } from '../shared/errors.ts';
import { guyaCoin } from '../shared/guya-coin.ts';
import type { AccountId, SettlementId } from '../shared/ids.ts';
import { BANK, ISSUANCE, type LedgerStore, type TransferCode } from './ledger-store.ts';
import { transferIdOf } from './transfer-id.ts';

/** What every payment of a settlement says. */
interface Payment {
  readonly amountGc: number;
  readonly code: TransferCode;
  readonly settlementId: SettlementId;
  /** 0, 1, … among the settlement's payments; it makes a repeat the same transfer. */
  readonly position: number;
  /** ms since the epoch. */
  readonly at: number;
}

/**
 * Moves coins from one account to another.
 * @throws AppError INSUFFICIENT_FUNDS, AMOUNT_INVALID; KEY_REUSED when the position was used for another payment.
 */
export async function pay(
  ledger: LedgerStore,
  payment: Payment & { readonly from: AccountId; readonly to: AccountId },
): Promise<void> {
  const { from, to, amountGc, code, settlementId, position, at } = payment;
  await ledger.insertTransfer({
    transferId: transferIdOf(settlementId, 'payment', position),
    debitAccount: from,
    creditAccount: to,
    amountGc: guyaCoin(amountGc),
    code,
    settlementId,
    createdAt: at,
  });
}

/**
 * Pays out of the bank. What it lacks is issued first, so that the bank never refuses and never falls below zero.
 * @throws AppError AMOUNT_INVALID; KEY_REUSED when the position was used for another payment.
 */
export async function payFromBank(
  ledger: LedgerStore,
  payout: Payment & { readonly creditAccount: AccountId },
): Promise<void> {
  const payment = { ...payout, from: BANK, to: payout.creditAccount };
  try {
    // Paying comes first: a repeat finds its payment made, and then issues nothing a second time.
    await pay(ledger, payment);
  } catch (error) {
    if (!hasCode(error, 'INSUFFICIENT_FUNDS')) throw error;
    await fundBank(ledger, payout);
    await pay(ledger, payment);
  }
}

async function fundBank(ledger: LedgerStore, payout: Omit<Payment, 'code'>): Promise<void> {
  const { amountGc, settlementId, position, at } = payout;
  const missingGc = amountGc - (await ledger.balanceOf(BANK));
  await ledger.insertTransfer({
    transferId: transferIdOf(settlementId, 'funding', position),
    debitAccount: ISSUANCE,
    creditAccount: BANK,
    amountGc: guyaCoin(missingGc),
    code: 'bank-funding',
    settlementId,
    createdAt: at,
  });
}

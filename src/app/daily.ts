// Use case: a member takes the daily coins.
import { memberAccount } from '../ledger/ledger-store.ts';
import { payFromBank } from '../ledger/posting.ts';
import { AppError } from '../shared/errors.ts';
import type { GuyaCoin } from '../shared/guya-coin.ts';
import type { App } from './app.ts';
import type { Settlements } from './settlements.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Daily coins come once in 24 hours, counted from the last time. */
export function makeDaily(settlements: Settlements, amountGc: GuyaCoin): App['daily'] {
  return async ({ key, member }) => {
    const { memberId } = member;
    const { answer } = await settlements.move({
      key,
      kind: 'daily',
      drafts: [],
      handOvers: [],
      custody: 'bot',
      prepare: async ({ ledger, rolls }, { settlementId, at }) => {
        const last = await rolls.findClaim(memberId, 'daily');
        if (last !== undefined && at < last + DAY_MS) {
          throw new AppError('DAILY_TAKEN', { nextAtSeconds: Math.ceil((last + DAY_MS) / 1000) });
        }
        await rolls.setClaim(memberId, 'daily', at);
        const creditAccount = memberAccount(memberId);
        const payout = { creditAccount, amountGc, code: 'daily', settlementId } as const;
        await payFromBank(ledger, { ...payout, position: 0, at });
        const balanceGc = await ledger.balanceOf(creditAccount);
        return { answer: { amountGc, balanceGc, nextAt: at + DAY_MS } };
      },
    });
    return answer;
  };
}

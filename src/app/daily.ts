// Use case: a member takes the daily coins.
import { memberAccount } from '../ledger/ledger-store.ts';
import { payFromBank } from '../ledger/posting.ts';
import type { GuyaCoin } from '../shared/guya-coin.ts';
import type { App } from './app.ts';
import { takeClaim } from './claim.ts';
import type { Settlements } from './settlements.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Daily coins come once in 24 hours, counted from the last time. */
export function makeDaily(settlements: Settlements, amountGc: GuyaCoin): App['daily'] {
  return async ({ key, member }) => {
    const { memberId } = member;
    const { answer } = await settlements.move({ key, kind: 'daily' }, () => ({
      drafts: [],
      handOvers: [],
      custody: 'bot',
      prepare: async ({ ledger, rolls }, { settlementId, at }) => {
        const claim = { memberId, kind: 'daily', pauseMs: DAY_MS, at } as const;
        const nextAt = await takeClaim(rolls, claim);
        const creditAccount = memberAccount(memberId);
        const payout = { creditAccount, amountGc, code: 'daily', settlementId } as const;
        await payFromBank(ledger, { ...payout, position: 0, at });
        const balanceGc = await ledger.balanceOf(creditAccount);
        return { answer: { amountGc, balanceGc, nextAt } };
      },
    }));
    return answer;
  };
}

// Use case: a member pays coins to another member.
import { pay } from '../ledger/posting.ts';
import { memberAccount } from '../ledger/ledger-store.ts';
import { parseGuyaCoin, type GuyaCoin } from '../shared/guya-coin.ts';
import type { App } from './app.ts';
import { assertOtherPerson } from './people.ts';
import type { MovementPlan, Settlements } from './settlements.ts';

export function makePay(settlements: Settlements): App['pay'] {
  return async ({ key, from, to, amount }) => {
    assertOtherPerson(from, to);
    const payer = memberAccount(from.memberId);
    const plan = (): MovementPlan<{ amountGc: GuyaCoin; balanceGc: number }> => ({
      drafts: [],
      handOvers: [],
      custody: 'bot',
      prepare: async ({ ledger }, { settlementId, at }) => {
        const balanceGc = await ledger.balanceOf(payer);
        const amountGc = parseGuyaCoin(amount, balanceGc);
        await pay(ledger, {
          from: payer,
          to: memberAccount(to.memberId),
          amountGc,
          code: 'payment',
          settlementId,
          position: 0,
          at,
        });
        return { answer: { amountGc, balanceGc: balanceGc - amountGc } };
      },
    });
    return (await settlements.move({ key, kind: 'payment' }, plan)).answer;
  };
}

// Use case: a member gives an asset to another member.
import type { AssetId } from '../shared/ids.ts';
import type { App } from './app.ts';
import type { Catalogue } from './catalogue.ts';
import type { Custody } from './custody.ts';
import { assertOtherPerson } from './people.ts';
import type { Settlements } from './settlements.ts';

export function makeGift(parts: {
  readonly settlements: Settlements;
  readonly custody: Custody;
  readonly catalogue: Catalogue;
}): App['gift'] {
  const { settlements, custody, catalogue } = parts;
  return async ({ key, from, to, assetId: text }) => {
    assertOtherPerson(from, to);
    const assetId = text as AssetId;
    const asset = catalogue.factsOf(assetId);
    const deliveries = [
      { assetId, from: from.memberId, to: to.memberId, person: to, costGc: 0 },
    ] as const;
    const { view } = await settlements.move({ key, kind: 'gift' }, async () => {
      // Of a frozen asset the rows may say anything: its holder must not be told that it is not theirs.
      settlements.freezes.refuse({ kind: 'gift', drafts: [{ assetId }] });
      return {
        ...(await custody.plan(deliveries)),
        custody: 'bot',
        prepare: async (stores) => {
          await custody.confirm(stores, deliveries);
          return { answer: null };
        },
      };
    });
    return { settlement: view, asset };
  };
}

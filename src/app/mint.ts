// Use case: a member mints an asset of the catalogue that is open to everyone, once in a while.
import { AppError } from '../shared/errors.ts';
import type { AssetId } from '../shared/ids.ts';
import type { NfgtNode } from '../chain/node.ts';
import type { App } from './app.ts';
import type { Catalogue } from './catalogue.ts';
import { takeClaim } from './claim.ts';
import type { Custody } from './custody.ts';
import type { Settlements } from './settlements.ts';

export function makeMint(parts: {
  readonly settlements: Settlements;
  readonly custody: Custody;
  readonly catalogue: Catalogue;
  readonly node: NfgtNode;
  readonly cooldownMs: number;
}): App['mint'] {
  const { settlements, custody, catalogue, node, cooldownMs } = parts;
  return async ({ key, member, assetId: text }) => {
    const { memberId } = member;
    const assetId = text as AssetId;
    const asset = catalogue.factsOf(assetId);
    const deliveries = [{ assetId, from: null, to: memberId, person: member, costGc: 0 }] as const;
    const { view } = await settlements.move({ key, kind: 'mint' }, async () => {
      const isOpen = catalogue.find(assetId)?.held === 'open';
      if (!isOpen || node.chain.findTip(assetId) !== undefined) {
        throw new AppError('NOT_MINTABLE', { assetId: text.slice(0, 100) });
      }
      return {
        ...(await custody.plan(deliveries)),
        custody: 'bot',
        prepare: async (stores, { at }) => {
          await takeClaim(stores.rolls, { memberId, kind: 'mint', pauseMs: cooldownMs, at });
          await custody.confirm(stores, deliveries);
          return { answer: null };
        },
      };
    });
    return { settlement: view, asset };
  };
}

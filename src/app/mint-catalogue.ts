// Use case of the first start: the bot mints to itself what the catalogue gives as prizes, in as few groups as fit.
import { createHash } from 'node:crypto';
import type { NfgtNode } from '../chain/node.ts';
import { MAX_GROUP_TRANSACTIONS } from '../chain/open-node.ts';
import type { IdempotencyKey, SettlementId } from '../shared/ids.ts';
import type { Catalogue } from './catalogue.ts';
import type { Custody, Delivery } from './custody.ts';
import type { Settlements } from './settlements.ts';

/**
 * Mints what is missing. What stands on the chain already, whoever owns it, is left alone.
 * @returns the settlements that were prepared.
 */
export async function mintCatalogue(parts: {
  readonly settlements: Settlements;
  readonly custody: Custody;
  readonly catalogue: Catalogue;
  readonly node: NfgtNode;
}): Promise<readonly SettlementId[]> {
  const { settlements, custody, catalogue, node } = parts;
  const missing = catalogue
    .list('bot')
    .filter(({ assetId }) => node.chain.findTip(assetId) === undefined)
    .map(({ assetId }): Delivery => ({
      assetId,
      from: null,
      to: 'bot',
      person: undefined,
      costGc: 0,
    }));
  const minted: SettlementId[] = [];
  for (let start = 0; start < missing.length; start += MAX_GROUP_TRANSACTIONS) {
    const deliveries = missing.slice(start, start + MAX_GROUP_TRANSACTIONS);
    const { view } = await settlements.move({
      key: await keyOf(settlements, deliveries),
      kind: 'catalogue',
      ...(await custody.plan(deliveries)),
      custody: 'bot',
      prepare: () => Promise.resolve({ answer: null }),
    });
    minted.push(view.settlementId);
  }
  return minted;
}

/** The same assets are the same movement, unless it was voided: what the chain refused once is tried anew. */
async function keyOf(
  settlements: Settlements,
  deliveries: readonly Delivery[],
): Promise<IdempotencyKey> {
  const ids = deliveries.map(({ assetId }) => assetId).join('\n');
  const digest = createHash('sha256').update(ids).digest('hex');
  for (let voided = 0; ; voided += 1) {
    const key = `catalogue:${digest}${voided === 0 ? '' : `:${voided}`}` as IdempotencyKey;
    const earlier = await settlements.findAnswer({ key, kind: 'catalogue' });
    if (earlier?.view.state !== 'voided') return key;
  }
}

// Use case of the first start: the bot mints to itself what the catalogue gives as prizes, in as few groups as fit.
import type { NfgtNode } from '../chain/node.ts';
import { MAX_GROUP_TRANSACTIONS } from '../chain/open-node.ts';
import type { SettlementId } from '../shared/ids.ts';
import type { Catalogue } from './catalogue.ts';
import type { Custody, Delivery } from './custody.ts';
import type { Database } from './ports/database.ts';
import type { Settlements } from './settlements.ts';
import { untriedKey } from './untried-key.ts';

/**
 * Mints what is missing. What stands on the chain already, whoever owns it, is left alone, and so is what is owed to
 * somebody because the chain has lost it.
 * @returns the settlements that were prepared.
 */
export async function mintCatalogue(parts: {
  readonly settlements: Settlements;
  readonly custody: Custody;
  readonly catalogue: Catalogue;
  readonly node: NfgtNode;
  readonly database: Database;
}): Promise<readonly SettlementId[]> {
  const { settlements, custody, catalogue, node, database } = parts;
  const redeliveries = await database.read((stores) => stores.redeliveries.listRedeliveries());
  const owed = new Set(redeliveries.map(({ assetId }) => assetId));
  const missing = catalogue
    .list('bot')
    .filter(({ assetId }) => node.chain.findTip(assetId) === undefined && !owed.has(assetId))
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
    const kind = 'catalogue';
    const subject = deliveries.map(({ assetId }) => assetId);
    const key = await untriedKey(settlements, { stem: 'catalogue', kind, subject });
    const { view } = await settlements.move({ key, kind }, async () => ({
      ...(await custody.plan(deliveries)),
      custody: 'bot',
      prepare: () => Promise.resolve({ answer: null }),
    }));
    minted.push(view.settlementId);
  }
  return minted;
}

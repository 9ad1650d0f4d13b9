// Use cases that only look: inventory, statement, one asset, and the lists behind autocomplete.
import type { IndexedTransaction } from '../chain/chain-index.ts';
import type { NfgtNode } from '../chain/node.ts';
import { memberAccount } from '../ledger/ledger-store.ts';
import { AppError } from '../shared/errors.ts';
import type { AssetId } from '../shared/ids.ts';
import type { App, AssetView } from './app.ts';
import { MAX_CHOICES, type Catalogue } from './catalogue.ts';
import type { OwnerIds } from './owner-ids.ts';
import type { Database, Stores } from './ports/database.ts';

/** How many of a member's free assets an autocomplete searches. */
const MAX_SEARCHED = 10_000;

type Views = Pick<
  App,
  | 'inventory'
  | 'statement'
  | 'balance'
  | 'viewAsset'
  | 'findTradeable'
  | 'findInTrade'
  | 'findMintable'
  | 'findAssets'
>;

interface ViewOptions {
  readonly database: Database;
  readonly node: NfgtNode;
  readonly catalogue: Catalogue;
  readonly ownerIds: OwnerIds;
}

export function makeViews(options: ViewOptions): Views {
  const { database, node, catalogue } = options;
  return {
    inventory: makeInventory(options),
    viewAsset: makeViewAsset(options),
    balance: (memberId) => database.read(({ ledger }) => ledger.balanceOf(memberAccount(memberId))),
    statement: async ({ memberId, page: wanted, pageSize }) => {
      const account = memberAccount(memberId);
      return await database.read(async ({ ledger }) => {
        const total = await ledger.countStatement(account);
        const { page, pages, offset } = pageOf(wanted, total, pageSize);
        const lines = await ledger.listStatement(account, { limit: pageSize, offset });
        return { lines, balanceGc: await ledger.balanceOf(account), page, pages };
      });
    },
    findTradeable: async (memberId, text) => {
      const held = await database.read(({ settlements }) =>
        settlements.listFreeHoldings(memberId, MAX_SEARCHED),
      );
      return catalogue.choices(
        held.map(({ assetId }) => assetId),
        text,
      );
    },
    findInTrade: async (memberId, text) => {
      const trade = await database.read(({ trades }) => trades.findActiveTrade(memberId));
      const side = trade?.sides.find((each) => each.memberId === memberId);
      return catalogue.choices(side?.assets ?? [], text);
    },
    findMintable: (text) => {
      const open = catalogue.list('open').map(({ assetId }) => assetId);
      const unminted = open.filter((assetId) => node.chain.findTip(assetId) === undefined);
      return Promise.resolve(catalogue.choices(unminted, text));
    },
    findAssets: (text) => {
      const byName = ['bot', 'open'] as const;
      const known = byName
        .flatMap((held) => catalogue.list(held))
        .map(({ assetId }) => assetId)
        .filter((assetId) => node.chain.findTip(assetId) !== undefined);
      const byId = node.chain.searchAssets(text.trim(), MAX_CHOICES);
      return Promise.resolve(catalogue.choices(new Set([...known, ...byId]), text));
    },
  };
}

function makeInventory({ database, node, catalogue, ownerIds }: ViewOptions): App['inventory'] {
  return async ({ memberId, page: wanted, pageSize }) => {
    const ownerId = ownerIds.ownerIdOf(memberId);
    const total = node.chain.countOwnerAssets(ownerId);
    const { page, pages, offset } = pageOf(wanted, total, pageSize);
    const tips = node.chain.listOwnerAssets(ownerId, { limit: pageSize, offset });
    return await database.read(async (stores) => {
      const assets = [];
      for (const tip of tips) {
        const status = await statusOf(stores, tip);
        assets.push({ ...catalogue.factsOf(tip.assetId), obtainedAt: tip.transactionTime, status });
      }
      const cards = (await stores.rolls.listCards(memberId)).map((card) => {
        const { name, stars } = catalogue.cardFacts(card.cardId);
        return { ...card, name, stars };
      });
      return { assets, total, page, pages, cards };
    });
  };
}

function makeViewAsset({ database, node, catalogue, ownerIds }: ViewOptions): App['viewAsset'] {
  return async (text) => {
    const assetId = text as AssetId;
    const tip = node.chain.findTip(assetId);
    if (tip === undefined) throw new AppError('ASSET_NOT_FOUND', { assetId: text.slice(0, 200) });
    return await database.read(async (stores) => ({
      ...catalogue.factsOf(assetId),
      holder:
        tip.ownerId === ownerIds.ownerIdOf('bot')
          ? 'bot'
          : await stores.settlements.findMemberOf(tip.ownerId),
      ownerId: tip.ownerId,
      transactionId: tip.transactionId,
      chainLength: tip.position,
      transactionTime: tip.transactionTime,
      commitId: tip.commitId,
      status: await statusOf(stores, tip),
    }));
  };
}

async function statusOf(
  { settlements }: Stores,
  { assetId }: IndexedTransaction,
): Promise<AssetView['status']> {
  if ((await settlements.findReservation(assetId)) !== undefined) return 'reserved';
  return (await settlements.findHolding(assetId)) === undefined ? 'outside' : 'held';
}

/** A page beyond the end is the last one, and there is always a first one. */
function pageOf(
  wanted: number,
  total: number,
  pageSize: number,
): { readonly page: number; readonly pages: number; readonly offset: number } {
  const pages = Math.max(1, Math.ceil(total / pageSize));
  const page = Math.min(Math.max(1, Math.trunc(wanted) || 1), pages);
  return { page, pages, offset: (page - 1) * pageSize };
}

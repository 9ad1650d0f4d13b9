// GET /api/introspection/…: everything that is committed, for those who may ask this node for it.
import type { NfgtNode } from '../../chain/node.ts';
import { AppError } from '../../shared/errors.ts';
import type { JsonStream } from '../json-stream.ts';
import { defineRoute, type Route } from '../route.ts';
import { AllAssetsAnswer, AllOwnersAnswer, AllTransactionsAnswer, NoParams } from '../schemas.ts';
import { WholeChain, type Listing } from '../whole-chain.ts';

const TRANSACTIONS: Listing = {
  frame: ['{"transactions":[', ']}'],
  list: (chain, range) =>
    chain.listTransactionIds(range).map((id) => [id, JSON.stringify(id)] as const),
  keysOf: ({ transactionId }) => [transactionId],
};

const OWNERS: Listing = {
  frame: ['{"owners":{', '}}'],
  list: (chain, range) =>
    chain
      .listOwnersWithAssets(range)
      .map(([owner, assets]) => [owner, `${JSON.stringify(owner)}:${JSON.stringify(assets)}`]),
  keysOf: ({ ownerId, previousOwnerId }) => [ownerId, previousOwnerId],
};

const ASSETS: Listing = {
  frame: ['{"assets":{', '}}'],
  list: (chain, range) =>
    chain
      .listAssetOwners(range)
      .map(([asset, owner]) => [asset, `${JSON.stringify(asset)}:${JSON.stringify(owner)}`]),
  keysOf: ({ assetId }) => [assetId],
};

/** @param isForced true when a validator answers, too; an observer always does. */
export function makeIntrospectionRoutes(
  node: Pick<NfgtNode, 'chain' | 'status'>,
  isForced: boolean,
): Route[] {
  const read = async (whole: WholeChain): Promise<JsonStream> => {
    // A node's role may change with what the beacon lets it do.
    if (!isForced && (await node.status()).role !== 'observer') {
      throw new AppError('INTROSPECTION_OFF');
    }
    return await whole.read();
  };
  const transactions = new WholeChain(node.chain, TRANSACTIONS);
  const owners = new WholeChain(node.chain, OWNERS);
  const assets = new WholeChain(node.chain, ASSETS);
  return [
    defineRoute({
      method: 'GET',
      path: '/api/introspection/transactions',
      summary: 'The ids of all committed transactions',
      params: NoParams,
      answer: AllTransactionsAnswer,
      errors: ['INTROSPECTION_OFF'],
      handle: () => read(transactions),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/introspection/owners',
      summary: 'Every owner of an asset, with all assets',
      params: NoParams,
      answer: AllOwnersAnswer,
      errors: ['INTROSPECTION_OFF'],
      handle: () => read(owners),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/introspection/assets',
      summary: 'Every asset with its owner',
      params: NoParams,
      answer: AllAssetsAnswer,
      errors: ['INTROSPECTION_OFF'],
      handle: () => read(assets),
    }),
  ];
}

// GET /api/query/spot/…: who owns what, now, as far as it is committed.
import type { ChainReader } from '../../chain/node.ts';
import type { AssetId, OwnerId } from '../../shared/ids.ts';
import { listOfRecords, oneRecord } from '../records.ts';
import { defineRoute, type Route } from '../route.ts';
import { AssetsAnswer, ById, TransactionAnswer } from '../schemas.ts';

// SAFETY of the casts: an id is only looked up here, and one that is not an id is simply not found.
export function makeSpotRoutes(chain: ChainReader): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/query/spot/owner/:id',
      summary: 'The newest transactions of all assets of an owner, newest first',
      params: ById,
      answer: AssetsAnswer,
      errors: ['INPUT_INVALID'],
      isOfChain: true,
      handle: ({ id }) => listOfRecords('assets', chain.listOwnerAssetRecords(id as OwnerId)),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/query/spot/asset/:id',
      summary: 'The newest transaction of an asset',
      params: ById,
      answer: TransactionAnswer,
      errors: ['INPUT_INVALID'],
      isOfChain: true,
      handle: ({ id }) => oneRecord('transaction', chain.findTipRecord(id as AssetId)),
    }),
  ];
}

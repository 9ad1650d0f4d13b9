// GET /api/query/history/…: how an asset and an owner came to where they are, newest first.
import type { ChainReader } from '../../chain/node.ts';
import { AppError } from '../../shared/errors.ts';
import type { AssetId, OwnerId } from '../../shared/ids.ts';
import { listOfRecords } from '../records.ts';
import { defineRoute, type Route } from '../route.ts';
import { AssetHistoryAnswer, ByIdAndDepth, TransactionsAnswer } from '../schemas.ts';

const DECIMAL = /^[+-]?[0-9]+$/;

// SAFETY of the casts: an id is only looked up here, and one that is not an id is simply not found.
export function makeHistoryRoutes(chain: ChainReader): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/query/history/owner/:id/:depth',
      summary: 'The newest transactions that made this owner the owner of something',
      params: ByIdAndDepth,
      answer: TransactionsAnswer,
      errors: ['DEPTH_INVALID', 'INPUT_INVALID'],
      isOfChain: true,
      handle: ({ id, depth }) => {
        const limit = parseDepth(depth);
        const found = limit === 0 ? [] : chain.listOwnerHistoryRecords(id as OwnerId, limit);
        return listOfRecords('transactions', found);
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/query/history/asset/:id/:depth',
      summary: 'The newest transactions of an asset; null when nobody knows the asset',
      params: ByIdAndDepth,
      answer: AssetHistoryAnswer,
      errors: ['DEPTH_INVALID', 'INPUT_INVALID'],
      isOfChain: true,
      handle: ({ id, depth }) => {
        const limit = parseDepth(depth);
        const assetId = id as AssetId;
        const found = limit === 0 ? [] : chain.listAssetHistoryRecords(assetId, limit);
        // Nothing found is nothing known, unless nothing was asked for.
        if (found.length === 0 && (limit > 0 || chain.findTipRecord(assetId) === undefined)) {
          return { transactions: null };
        }
        return listOfRecords('transactions', found);
      },
    }),
  ];
}

/**
 * Reads a depth as Go's ParseInt(text, 10, 64) does, which the first program used.
 * @returns how many transactions are asked for: 0 for a negative depth.
 * @throws AppError DEPTH_INVALID
 */
export function parseDepth(text: string): number {
  if (!DECIMAL.test(text)) throw new AppError('DEPTH_INVALID');
  // BigInt knows no leading plus.
  const depth = BigInt(text.replace(/^\+/, ''));
  if (depth !== BigInt.asIntN(64, depth)) throw new AppError('DEPTH_INVALID');
  if (depth <= 0n) return 0;
  return Number(depth < Number.MAX_SAFE_INTEGER ? depth : Number.MAX_SAFE_INTEGER);
}

// GET /api/transaction/…: where one transaction stands, and what it says.
import type { NfgtNode } from '../../chain/node.ts';
import type { TransactionId } from '../../shared/ids.ts';
import { oneRecord } from '../records.ts';
import { defineRoute, type Route } from '../route.ts';
import { ById, StatusAnswer, TransactionAnswer } from '../schemas.ts';

// SAFETY of the casts: an id is only looked up here, and one that is not an id is simply not found.
export function makeTransactionRoutes(node: Pick<NfgtNode, 'chain' | 'findState'>): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/transaction/status/:id',
      summary: 'Whether a transaction is committed or rejected; neither while pending or unknown',
      params: ById,
      answer: StatusAnswer,
      errors: ['INPUT_INVALID'],
      handle: async ({ id }) => {
        const found = await node.findState(id as TransactionId);
        return {
          committed: found?.state === 'committed',
          rejected: found?.state === 'rejected',
          ...(found?.state === 'rejected' && found.reason !== null && { reason: found.reason }),
        };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/transaction/detail/:id',
      summary: 'The record of a committed transaction',
      params: ById,
      answer: TransactionAnswer,
      errors: ['INPUT_INVALID'],
      isOfChain: true,
      handle: ({ id }) => oneRecord('transaction', node.chain.findRecord(id as TransactionId)),
    }),
  ];
}

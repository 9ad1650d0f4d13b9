// GET /api/node: what this node is, how much it knows, and what on the chain it had to skip.
import type { NfgtNode } from '../../chain/node.ts';
import { defineRoute, type Route } from '../route.ts';
import { NodeAnswer, NoParams } from '../schemas.ts';

export function makeNodeRoute(
  node: Pick<NfgtNode, 'status'>,
  botOwnerId: string | undefined,
): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/node',
    summary: 'What this node is and how much of the chain it knows',
    params: NoParams,
    answer: NodeAnswer,
    handle: async () => {
      const status = await node.status();
      return {
        role: status.role,
        role_events: status.roleEvents.map(({ role, reason, at }) => ({ role, reason, time: at })),
        beacon: status.beacon,
        epoch_branch: status.epochBranch,
        bot_owner_id: botOwnerId ?? null,
        assets: status.assets,
        transactions: status.transactions,
        pending: status.pending,
        last_sync_time: status.lastSyncAt,
        faults: status.faults.map(({ branch, commitId, fault }) => ({
          branch,
          commit_id: commitId,
          fault,
        })),
      };
    },
  });
}

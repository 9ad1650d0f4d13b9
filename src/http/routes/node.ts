// GET /api/node: what this node is, how much it knows, and what on the chain it had to skip.
import type { z } from 'zod';
import type { NfgtNode, NodeStatus } from '../../chain/node.ts';
import { defineRoute, type Route } from '../route.ts';
import { NodeAnswer, NoParams } from '../schemas.ts';

type Answer = z.output<typeof NodeAnswer>;

/** Whether this node writes, and if the chain was rewritten, since when and in which refs. */
function describeWriting({ role, rewriting }: NodeStatus): Pick<Answer, 'writing' | 'rewritten'> {
  const writing = rewriting !== null ? 'stopped' : role === 'validator' ? 'open' : 'off';
  if (rewriting === null) return { writing, rewritten: null };
  const { since, total, refs } = rewriting;
  return {
    writing,
    rewritten: {
      since,
      total,
      refs: refs.map(({ kind, name, expected, found }) => ({
        ...{ kind, name, expected: expected ?? null, found: found ?? null },
      })),
    },
  };
}

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
        ...describeWriting(status),
        faults: status.faults.map(({ branch, commitId, fault }) => ({
          branch,
          commit_id: commitId,
          fault,
        })),
      };
    },
  });
}

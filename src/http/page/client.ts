// Asks the node's API, and tells a node that refuses from one that does not answer.
import type { z } from 'zod';
import type {
  AssetHistoryAnswer,
  AssetsAnswer,
  NodeAnswer,
  RecordSchema,
  StatusAnswer,
  TransactionAnswer,
  TransactionsAnswer,
} from '../schemas.ts';
import type { Lookup } from './address.ts';

export type NodeStatus = z.output<typeof NodeAnswer>;
export type ChainRecord = z.output<typeof RecordSchema>;

/** What the node knows of what was looked up. */
export type Found =
  | { readonly kind: 'asset'; readonly history: readonly ChainRecord[] }
  | {
      readonly kind: 'owner';
      readonly assets: readonly ChainRecord[];
      readonly history: readonly ChainRecord[];
    }
  | {
      readonly kind: 'transaction';
      readonly status: z.output<typeof StatusAnswer>;
      readonly record: ChainRecord | null;
    };

/** The node answered, and said no; the message is for people. */
export class Refused extends Error {}

/** How many transactions of a history are asked for; no chain of the largest event came near it. */
export const HISTORY_DEPTH = 10_000;
const PATIENCE_MS = 15_000;

/** What the node says of itself. */
export async function askNode(): Promise<NodeStatus> {
  return await ask<NodeStatus>('/api/node');
}

/**
 * Looks something up.
 * @throws Refused when the node does not take the id; any other error when it does not answer.
 */
export async function lookUp({ kind, id }: Lookup): Promise<Found> {
  // A browser takes these two for steps up the path, however they are written.
  if (id === '.' || id === '..') throw new Refused('This id cannot be asked for over HTTP.');
  const name = encodeURIComponent(id);
  switch (kind) {
    case 'asset': {
      const { transactions } = await ask<z.output<typeof AssetHistoryAnswer>>(
        `/api/query/history/asset/${name}/${HISTORY_DEPTH}`,
      );
      return { kind, history: transactions ?? [] };
    }
    case 'owner': {
      const [spot, past] = await Promise.all([
        ask<z.output<typeof AssetsAnswer>>(`/api/query/spot/owner/${name}`),
        ask<z.output<typeof TransactionsAnswer>>(
          `/api/query/history/owner/${name}/${HISTORY_DEPTH}`,
        ),
      ]);
      return { kind, assets: spot.assets, history: past.transactions };
    }
    case 'transaction': {
      const [status, detail] = await Promise.all([
        ask<z.output<typeof StatusAnswer>>(`/api/transaction/status/${name}`),
        ask<z.output<typeof TransactionAnswer>>(`/api/transaction/detail/${name}`),
      ]);
      return { kind, status, record: detail.transaction };
    }
  }
}

/** The page comes from the node that it asks, so answers have the form that the node's own schemas promise. */
async function ask<Answer>(path: string): Promise<Answer> {
  const reply = await fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS) });
  if (reply.ok) return (await reply.json()) as Answer;
  if (reply.status >= 500) throw new Error(`The node failed (${reply.status}).`);
  throw new Refused(readRefusal(await reply.text()) ?? `The node refused it (${reply.status}).`);
}

function readRefusal(body: string): string | undefined {
  try {
    const { error } = Object(JSON.parse(body)) as { error?: unknown };
    return typeof error === 'string' ? error : undefined;
  } catch {
    // Not every refusal is JSON: the first program's 404 is not.
    return undefined;
  }
}

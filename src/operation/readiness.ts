// Readiness: what keeps this process from its work at present, in codes for an operator's tools.
import { setTimeout as delay } from 'node:timers/promises';
import type { Watched } from './looked-up.ts';

/** Each code stands in docs/operation.md. */
export type NotReady =
  | 'STARTING'
  | 'STOPPING'
  | 'NOT_SYNCED'
  | 'BEACON_UNREACHABLE'
  | 'CHAIN_REWRITTEN'
  | 'DATABASE_UNAVAILABLE'
  | 'DISCORD_DISCONNECTED';

/** A probe that waits longer than this tells its asker nothing: its own limit is over by then. */
const PATIENCE_MS = 2_000;

/** @returns nothing when all is well. */
export async function listNotReady(watched: Watched): Promise<readonly NotReady[]> {
  const { node, database, isOnDiscord } = watched;
  const [status, isWritable] = await Promise.all([
    inTime(node.status()),
    // Takes the write lock and gives it back: nothing is written for it.
    inTime(database.transaction(() => Promise.resolve(true))),
  ]);
  const found: NotReady[] = [];
  if (status === undefined || isWritable === undefined) found.push('DATABASE_UNAVAILABLE');
  if (status?.lastSyncAt === null) found.push('NOT_SYNCED');
  if (status?.isBeaconAway === true) found.push('BEACON_UNREACHABLE');
  if (status !== undefined && status.rewriting !== null) found.push('CHAIN_REWRITTEN');
  if (isOnDiscord?.() === false) found.push('DISCORD_DISCONNECTED');
  return found;
}

/** What the work gives, or undefined when it fails or takes too long. */
async function inTime<T>(work: Promise<T>): Promise<T | undefined> {
  const patience = new AbortController();
  const { signal } = patience;
  const late = delay(PATIENCE_MS, undefined, { signal }).catch(() => undefined);
  try {
    return await Promise.race([work.catch(() => undefined), late]);
  } finally {
    patience.abort();
  }
}

// Hands over anew what the chain has lost by a rewriting that was accepted: what is a holder's stays theirs.
import type { NfgtNode } from '../chain/node.ts';
import { AppError, type ErrorCode } from '../shared/errors.ts';
import type { AssetId } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import type { Custody } from './custody.ts';
import type { Database, Stores } from './ports/database.ts';
import type { Redelivery } from './ports/redelivery-store.ts';
import type { Settlements } from './settlements.ts';
import { untriedKey } from './untried-key.ts';

export interface RedeliverParts {
  readonly database: Database;
  readonly node: Pick<NfgtNode, 'chain'>;
  readonly settlements: Settlements;
  readonly custody: Custody;
  readonly logger: Logger;
}

/** What is to be done about one; `taken`: somebody else has minted it meanwhile. */
type NextStep = 'hand-over' | 'mint' | 'wait' | 'done' | 'taken';

/** Refusals of everything: the rest would be refused as well. */
const OF_ALL_ASSETS: ReadonlySet<ErrorCode> = new Set([
  'BEACON_UNREACHABLE',
  'CHAIN_REWRITTEN',
  'NODE_IS_OBSERVER',
  'QUEUE_FULL',
  'RECOVERY_JOURNAL_UNWRITABLE',
]);

/** The pause after a hand-over anew that came to nothing; each is twice as long as the one before. */
const RETRY_BASE_MS = 5_000;
const RETRY_MAX_MS = 300_000;

/** How often an asset was tried, and when it may be tried again, in ms of `performance.now()`. */
interface Tries {
  readonly count: number;
  readonly notBefore: number;
}

/**
 * Makes the function that prepares a movement for everything that is owed and not under way, and forgets what was
 * delivered. What cannot go now goes when it is called again, with growing pauses, for every try leaves its rows; each
 * reason is told once.
 * @param isStopping asked between two assets.
 */
export function makeRedeliver(
  parts: RedeliverParts,
  isStopping: () => boolean,
): () => Promise<void> {
  const { database, logger } = parts;
  const told = new Map<AssetId, string>();
  const tries = new Map<AssetId, Tries>();
  return async () => {
    const owed = await database.read(({ redeliveries }) => redeliveries.listRedeliveries());
    for (const redelivery of owed) {
      if (isStopping()) return;
      const { assetId, holder } = redelivery;
      try {
        await followReturned(parts, redelivery);
        await takeStep(parts, redelivery, tries);
        told.delete(assetId);
      } catch (error) {
        // What is wrong with one asset, be it a bug, holds up none of the others.
        const why = error instanceof AppError ? error.code : String(error);
        if (told.get(assetId) !== why) {
          const log = error instanceof AppError ? 'warn' : 'error';
          logger[log]({ err: error, assetId, holder }, 'an asset cannot be handed over anew now');
        }
        told.set(assetId, why);
        if (error instanceof AppError && OF_ALL_ASSETS.has(error.code)) return;
      }
    }
  };
}

async function takeStep(
  parts: RedeliverParts,
  redelivery: Redelivery,
  tries: Map<AssetId, Tries>,
): Promise<void> {
  const { database, logger } = parts;
  const { assetId, holder } = redelivery;
  const step = await database.read((stores) => findStep(stores, parts, redelivery));
  if (step === 'wait') return;
  if (step === 'hand-over' || step === 'mint') {
    const { count, notBefore } = tries.get(assetId) ?? { count: 0, notBefore: -Infinity };
    if (performance.now() < notBefore) return;
    await deliver(parts, redelivery, step);
    const pauseMs = Math.min(RETRY_BASE_MS * 2 ** count, RETRY_MAX_MS);
    tries.set(assetId, { count: count + 1, notBefore: performance.now() + pauseMs });
    return;
  }
  tries.delete(assetId);
  await database.transaction(({ redeliveries }) => redeliveries.removeRedelivery(assetId));
  if (step === 'done') return;
  logger.error(
    { assetId, holder },
    'an asset is lost: somebody else minted it after the chain had lost it',
  );
}

async function findStep(
  { settlements }: Stores,
  { node }: RedeliverParts,
  { assetId, tipTransactionId }: Redelivery,
): Promise<NextStep> {
  const reservation = await settlements.findReservation(assetId);
  if (reservation?.by.kind === 'settlement') return 'wait';
  const holding = await settlements.findHolding(assetId);
  if (tipTransactionId === null) {
    if (holding !== undefined) return 'done';
    return node.chain.findTip(assetId) === undefined ? 'mint' : 'taken';
  }
  // Whoever has moved it since has moved it from there.
  if (holding?.transactionId !== tipTransactionId) return 'done';
  return reservation === undefined ? 'hand-over' : 'wait';
}

async function deliver(
  { settlements, custody, logger }: RedeliverParts,
  { assetId, holder, tipTransactionId, owedSince }: Redelivery,
  step: 'hand-over' | 'mint',
): Promise<void> {
  const kind = step === 'mint' ? 'mint' : 'gift';
  const from = step === 'mint' ? null : holder;
  const deliveries = [{ assetId, from, to: holder, person: undefined, costGc: 0 }] as const;
  const subject = [assetId, tipTransactionId ?? '', String(owedSince)];
  const key = await untriedKey(settlements, { stem: 'redelivery', kind, subject });
  const { view } = await settlements.move({ key, kind }, async () => ({
    ...(await custody.plan(deliveries)),
    custody: 'bot',
    prepare: async (stores) => {
      await custody.confirm(stores, deliveries);
      return { answer: null };
    },
  }));
  const facts = { assetId, holder, settlementId: view.settlementId };
  logger.info(facts, 'handed over anew, because the chain had lost it');
}

/**
 * The chain may come back to a transaction that it had lost: somebody pushed it again, as a push that goes on from what
 * was accepted. If it is ours, it moves the asset once more, and the rows follow it.
 */
async function followReturned(
  { custody, logger }: RedeliverParts,
  { assetId, holder }: Redelivery,
): Promise<void> {
  const isFollowed = await custody.followTip(assetId, () => Promise.resolve(holder));
  if (isFollowed) logger.warn({ assetId }, 'a lost transaction is on the chain again');
}

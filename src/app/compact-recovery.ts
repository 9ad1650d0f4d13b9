// Keeps the recovery journal whole and small: adds what the vault has and it lacks, drops what can move nothing any more.
import type { ChainReader } from '../chain/node.ts';
import type { Clock } from '../shared/clock.ts';
import { AppError } from '../shared/errors.ts';
import type { AssetId, TransactionId } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import type { RecoveryEntry } from '../vault/recovery-entry.ts';
import type { RecoveryContents, RecoveryJournal } from '../vault/recovery-journal.ts';
import type { Database, Stores } from './ports/database.ts';
import type { Holder } from './ports/settlement-store.ts';

/**
 * How long every record is kept, whatever became of it: a beacon of our own that is restored from a backup stands where
 * it stood then, and what was spent since is wanted again.
 */
const KEPT_FOR_MS = 30 * 24 * 60 * 60 * 1000;

export interface CompactRecoveryOptions {
  readonly database: Database;
  readonly chain: Pick<ChainReader, 'findTip'>;
  readonly recovery: RecoveryJournal;
  readonly contents: RecoveryContents;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Rewrites the journal when there is something to add, to drop or to mend. A journal that cannot be written keeps
 * nobody from starting: new movements are refused until it can.
 */
export async function compactRecovery(options: CompactRecoveryOptions): Promise<void> {
  const { database, recovery, contents, logger } = options;
  const live = await database.read(listLive);
  const liveIds = new Set(live.map(({ transactionId }) => transactionId));
  const known = new Set(contents.entries.map(({ transactionId }) => transactionId));
  const kept = contents.entries.filter((entry) => isWanted(entry, liveIds, options));
  const missing = live.filter(({ transactionId }) => !known.has(transactionId));
  const dropped = contents.entries.length - kept.length;
  const isWhole = contents.soundBytes > 0 && !contents.isTorn && contents.damagedLines.length === 0;
  if (isWhole && dropped === 0 && missing.length === 0) return;
  try {
    await recovery.rewrite([...kept, ...missing]);
    const facts = { kept: kept.length, added: missing.length, dropped, torn: contents.isTorn };
    logger.info(facts, 'rewrote the recovery journal');
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    logger.error({ err: error }, 'the recovery journal cannot be written; nothing new is accepted');
  }
}

/** Only what certainly moves nothing is dropped; an asset that the chain does not show may be on another chain. */
function isWanted(
  { transactionId, assetId, createdAt }: RecoveryEntry,
  live: ReadonlySet<TransactionId>,
  { chain, clock }: CompactRecoveryOptions,
): boolean {
  if (createdAt > clock.now() - KEPT_FOR_MS || live.has(transactionId)) return true;
  const tip = chain.findTip(assetId);
  return tip === undefined || tip.transactionId === transactionId;
}

/** Everything in the vault that moves its asset or may come to, as the journal writes it. */
async function listLive(stores: Stores): Promise<readonly RecoveryEntry[]> {
  const holders = new Map<TransactionId, Holder>();
  for (const { handOvers } of await stores.settlements.listPrepared()) {
    for (const { transactionId, to } of handOvers) holders.set(transactionId, to);
  }
  const held = new Map<AssetId, Holder>();
  for (const { assetId, holder } of await stores.settlements.listAllHoldings()) {
    held.set(assetId, holder);
  }
  return (await stores.vault.listLive()).map(({ state, ...entry }) => ({
    ...entry,
    holder: holderOf({ ...entry, state }, holders, held),
  }));
}

function holderOf(
  {
    transactionId,
    assetId,
    custody,
    state,
  }: Pick<RecoveryEntry, 'transactionId' | 'assetId' | 'custody'> & { readonly state: string },
  holders: ReadonlyMap<TransactionId, Holder>,
  held: ReadonlyMap<AssetId, Holder>,
): Holder | null {
  if (custody === 'caller') return null;
  const holder = state === 'waiting' ? holders.get(transactionId) : held.get(assetId);
  return holder ?? null;
}

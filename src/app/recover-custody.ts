// Brings custody to the chain's present after a restore: takes passphrases from the recovery journal, names what is lost.
import type { IndexedTransaction } from '../chain/chain-index.ts';
import type { ChainReader } from '../chain/node.ts';
import type { Clock } from '../shared/clock.ts';
import type { AssetId, OwnerId } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import type { RecoveryEntry } from '../vault/recovery-entry.ts';
import type { Vault } from '../vault/vault.ts';
import type { Database, Stores } from './ports/database.ts';
import { answersTip } from './tip-key.ts';

export interface RecoverCustodyOptions {
  readonly database: Database;
  readonly chain: Pick<ChainReader, 'findTip' | 'searchAssets'>;
  readonly vault: Vault;
  /** What the recovery journal holds. */
  readonly entries: readonly RecoveryEntry[];
  /** True for an asset that this bot mints, or an owner that it knows: an unknown tip of theirs was its own work. */
  readonly isOurs: (assetId: AssetId, ownerId: OwnerId) => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface RecoveredCustody {
  /** Assets that can be moved again. */
  readonly recovered: readonly AssetId[];
  /** Assets whose settlement is still under way; call again when it has ended. */
  readonly moving: readonly AssetId[];
  /** Assets that cannot be moved, found now. */
  readonly lost: readonly AssetId[];
}

/** A tip of the chain with the entry that answers its hash. */
interface Answer {
  readonly entry: RecoveryEntry;
  readonly tip: IndexedTransaction;
}

/** Entries that are written in one database transaction. */
const ANSWERS_A_TRANSACTION = 200;

/**
 * Promotes what the recovery journal knows of the chain's tips and the vault does not; after a restore it then finds
 * what is lost. In a bot that was never restored it finds nothing to do. Repeating it is harmless.
 */
export async function recoverCustody(options: RecoverCustodyOptions): Promise<RecoveredCustody> {
  const { database, logger } = options;
  const answers = await listAnswers(options);
  const recovered: AssetId[] = [];
  const moving = new Set<AssetId>();
  for (let start = 0; start < answers.length; start += ANSWERS_A_TRANSACTION) {
    const some = answers.slice(start, start + ANSWERS_A_TRANSACTION);
    await database.transaction(async (stores) => {
      for (const answer of some) {
        const { assetId } = answer.entry;
        if (await isMoving(stores, assetId)) moving.add(assetId);
        else if (await takeOver(stores, answer)) recovered.push(assetId);
      }
    });
  }
  const lost = await noticeLost(options, moving);
  if (recovered.length > 0) {
    logger.warn(
      { assets: recovered },
      'took passphrases that the vault lacks from the recovery journal',
    );
  }
  if (lost.length > 0) {
    logger.error(
      { assets: lost },
      'assets are frozen: their passphrases were made after the backup',
    );
  }
  return { recovered, moving: [...moving], lost };
}

/** Checked outside any database transaction: an answer to an argon2 hash takes its time. */
async function listAnswers(options: RecoverCustodyOptions): Promise<readonly Answer[]> {
  const { database, chain, entries } = options;
  const tips = entries.flatMap((entry) => {
    const tip = chain.findTip(entry.assetId);
    return tip?.transactionId === entry.transactionId ? [{ entry, tip }] : [];
  });
  const unknown = await database.read(async ({ vault }) => {
    const missing: Answer[] = [];
    for (const answer of tips) {
      if ((await vault.findEntry(answer.entry.transactionId)) === undefined) missing.push(answer);
    }
    return missing;
  });
  const answers: Answer[] = [];
  const onBroken = (err: unknown): void =>
    options.logger.error({ err }, 'the recovery journal holds a passphrase that does not open');
  for (const answer of unknown) {
    if (await answersTip(options.vault, answer.entry, answer.tip, onBroken)) answers.push(answer);
  }
  return answers;
}

async function isMoving({ settlements }: Stores, assetId: AssetId): Promise<boolean> {
  return (await settlements.findReservation(assetId))?.by.kind === 'settlement';
}

/** @returns false when the vault has come to know it meanwhile. */
async function takeOver(stores: Stores, { entry, tip }: Answer): Promise<boolean> {
  const { holder, ...kept } = entry;
  const { assetId, transactionId } = entry;
  if ((await stores.vault.findEntry(transactionId)) !== undefined) return false;
  await stores.vault.insertEntry(kept);
  await stores.vault.promote(transactionId);
  await stores.restores.removeLost(assetId);
  if (holder === null) {
    await stores.settlements.removeHolding(assetId);
    return true;
  }
  const { ownerId, transactionTime: obtainedAt } = tip;
  await stores.settlements.putHolding({ assetId, holder, ownerId, transactionId, obtainedAt });
  if (holder !== 'bot') await stores.settlements.putOwner(ownerId, holder);
  return true;
}

/** Forgets what is lost no longer, and after a restore freezes and remembers what is. */
async function noticeLost(
  options: RecoverCustodyOptions,
  moving: Set<AssetId>,
): Promise<readonly AssetId[]> {
  const { database, chain, clock } = options;
  return await database.transaction(async (stores) => {
    for (const { assetId, transactionId } of await stores.restores.listLost()) {
      // Whoever has moved it since has its passphrase.
      if (chain.findTip(assetId)?.transactionId !== transactionId) {
        await stores.restores.removeLost(assetId);
      }
    }
    const restore = await stores.restores.findOpenRestore();
    if (restore === undefined) return [];
    const tips = await listUnknown(options, stores, restore.takenAt);
    for (const { assetId } of tips) if (await isMoving(stores, assetId)) moving.add(assetId);
    // What is under way may still explain a tip.
    if (moving.size > 0) return [];
    const noticedAt = clock.now();
    for (const { assetId, transactionId } of tips) {
      await stores.vault.retire(assetId);
      await stores.settlements.removeHolding(assetId);
      await stores.restores.putLost({ assetId, transactionId, noticedAt });
    }
    await stores.restores.closeRestores(noticedAt);
    return tips.map(({ assetId }) => assetId);
  });
}

/** Tips without a passphrase: of what the backup had in custody, and of what has come into the bot's hands since. */
async function listUnknown(
  { chain, isOurs }: RecoverCustodyOptions,
  { settlements, vault }: Stores,
  takenAt: number,
): Promise<readonly IndexedTransaction[]> {
  const unknown: IndexedTransaction[] = [];
  for (const assetId of chain.searchAssets('', Number.MAX_SAFE_INTEGER)) {
    const tip = chain.findTip(assetId);
    if (tip === undefined || (await vault.findEntry(tip.transactionId)) !== undefined) continue;
    const wasHeld = (await settlements.findHolding(assetId)) !== undefined;
    const isRecent = tip.transactionTime >= takenAt;
    const isOwn =
      isRecent &&
      (isOurs(assetId, tip.ownerId) || (await settlements.findMemberOf(tip.ownerId)) !== undefined);
    if (wasHeld || isOwn) unknown.push(tip);
  }
  return unknown;
}

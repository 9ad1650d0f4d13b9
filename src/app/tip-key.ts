// Looks for what moves an asset from the tip of its chain: in the vault, whatever became of it there, then in the journal.
import type { IndexedTransaction } from '../chain/chain-index.ts';
import { answersHash } from '../chain/succession.ts';
import { hasCode } from '../shared/errors.ts';
import type { RecoveryEntry } from '../vault/recovery-entry.ts';
import type { VaultEntry } from '../vault/vault-store.ts';
import type { Vault } from '../vault/vault.ts';
import type { Database } from './ports/database.ts';

/** A sealed successor passphrase that answers the hash of a tip. */
export interface TipKey {
  readonly entry: Omit<VaultEntry, 'state'>;
  /** False when only the recovery journal has it. */
  readonly isInVault: boolean;
}

/**
 * To be called outside any database transaction: an answer to an argon2 hash takes its time.
 * @throws AppError VAULT_SEAL_BROKEN when the vault's own row does not open.
 */
export async function findTipKey(
  parts: {
    readonly database: Database;
    readonly vault: Vault;
    readonly recoveryEntries: readonly RecoveryEntry[];
  },
  tip: IndexedTransaction,
): Promise<TipKey | undefined> {
  const { transactionId } = tip;
  const kept = await parts.database.read(({ vault }) => vault.findEntry(transactionId));
  const entry = kept ?? parts.recoveryEntries.find((each) => each.transactionId === transactionId);
  if (entry?.assetId !== tip.assetId) return undefined;
  // A row of the vault that was altered comes back from a backup: what it moves is not given up for that.
  const isSound = (): Promise<boolean> =>
    kept === undefined
      ? answersTip(parts.vault, entry, tip)
      : answersHash(parts.vault.open(kept.sealed, kept), tip.successorHash);
  if (!(await isSound())) return undefined;
  const { assetId, custody, sealed, createdAt } = entry;
  return {
    entry: { transactionId, assetId, custody, sealed, createdAt },
    isInVault: kept !== undefined,
  };
}

/** False also when the seal is broken: then the passphrase moves nothing. */
export async function answersTip(
  vault: Vault,
  entry: Pick<VaultEntry, 'sealed' | 'assetId' | 'transactionId'>,
  { successorHash }: Pick<IndexedTransaction, 'successorHash'>,
  onBroken: (error: unknown) => void = () => undefined,
): Promise<boolean> {
  try {
    return await answersHash(vault.open(entry.sealed, entry), successorHash);
  } catch (error) {
    if (!hasCode(error, 'VAULT_SEAL_BROKEN')) throw error;
    onBroken(error);
    return false;
  }
}

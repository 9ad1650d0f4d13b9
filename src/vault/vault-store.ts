// The port to the vault's rows: successor passphrases, sealed; never one in the clear.
import type { AssetId, TransactionId } from '../shared/ids.ts';

/**
 * `waiting`: its transaction is not committed yet. `current`: it moves the asset. `spent`: a later one took its place.
 * `void`: its transaction was rejected. Nothing is ever deleted: a row is the last copy of a key.
 */
export type VaultEntryState = 'waiting' | 'current' | 'spent' | 'void';

/** Who keeps the passphrase: the bot for its members, or a caller of the HTTP API who received it. */
export type Custody = 'bot' | 'caller';

export interface VaultEntry {
  /** The transaction whose successor hash this passphrase answers. */
  readonly transactionId: TransactionId;
  readonly assetId: AssetId;
  readonly custody: Custody;
  readonly sealed: Buffer;
  readonly state: VaultEntryState;
  readonly createdAt: number;
}

export interface VaultStore {
  insertEntry(entry: Omit<VaultEntry, 'state'>): Promise<void>;
  findEntry(transactionId: TransactionId): Promise<VaultEntry | undefined>;
  /** The current entry in the bot's custody; there is at most one for an asset. */
  findCurrent(assetId: AssetId): Promise<VaultEntry | undefined>;
  listCurrent(): Promise<readonly VaultEntry[]>;
  /** Every entry there ever was, oldest first. */
  listAll(): Promise<readonly VaultEntry[]>;
  /** Every entry that moves its asset or may come to, whoever keeps it: those that are waiting or current. */
  listLive(): Promise<readonly VaultEntry[]>;
  /** The waiting entry becomes current; the asset's current one becomes spent. Repeating it is harmless. */
  promote(transactionId: TransactionId): Promise<void>;
  /**
   * The chain was set back to this entry's transaction, and accepted so, or came to have it though it was given up:
   * whatever became of it, it is the current one again, and what was current is spent.
   */
  takeBack(transactionId: TransactionId): Promise<void>;
  /** The waiting entry becomes void. */
  discard(transactionId: TransactionId): Promise<void>;
  /** The asset left the bot's custody by another's hand: its current entry becomes spent. */
  retire(assetId: AssetId): Promise<void>;
}

/** The vault's own rows: how the data key is wrapped. */
export interface VaultHeader {
  readonly kdf: 'argon2id' | 'key-file';
  /** PHC-like parameters of the key derivation, empty for a key file. */
  readonly parameters: string;
  readonly salt: Buffer;
  /** The data key, sealed under the passphrase's key; opening it is the key check. */
  readonly wrappedKey: Buffer;
}

export interface VaultHeaderStore {
  findHeader(): Promise<VaultHeader | undefined>;
  insertHeader(header: VaultHeader): Promise<void>;
  /** Puts another wrapping of the data key in the place of the present one. */
  replaceHeader(header: VaultHeader): Promise<void>;
}

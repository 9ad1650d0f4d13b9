// The vault: seals successor passphrases under a data key, which is itself sealed under the operator's key.
import { randomBytes, type KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { AppError } from '../shared/errors.ts';
import type { AssetId, TransactionId } from '../shared/ids.ts';
import { deriveKey, enclose, KEY_BYTES, seal, unseal, type Context } from './aead.ts';
import { makeKeyFile, readKeyFile } from './key-file.ts';
import { newParameters, passphraseKey } from './passphrase-key.ts';
import type { VaultHeader, VaultHeaderStore } from './vault-store.ts';

const SALT_BYTES = 16;

/** What a sealed passphrase answers: the transaction, of that asset, whose successor hash it fits. */
export interface SealedFor {
  readonly assetId: AssetId;
  readonly transactionId: TransactionId;
}

/** The part of a database that the vault needs to keep its header. */
interface VaultHeaders {
  transaction<T>(
    work: (stores: { readonly vaultHeader: VaultHeaderStore }) => Promise<T>,
  ): Promise<T>;
  read<T>(work: (stores: { readonly vaultHeader: VaultHeaderStore }) => Promise<T>): Promise<T>;
}

export interface VaultOptions {
  /** The operator's passphrase; undefined for a key file. */
  readonly passphrase?: string | undefined;
  /** Where the key file is, or will be made; not touched when there is a passphrase. */
  readonly keyFile: string;
  readonly headers: VaultHeaders;
}

/** An open vault. It holds keys that nothing prints, and hands out passphrases only one by one. */
export class Vault {
  /** True when a key file was made just now: without a backup of it, losing the file loses every asset. */
  readonly hasNewKeyFile: boolean;
  readonly #dataKey: KeyObject;
  readonly #sealingKey: KeyObject;

  constructor(dataKey: KeyObject, hasNewKeyFile: boolean) {
    this.hasNewKeyFile = hasNewKeyFile;
    this.#dataKey = dataKey;
    this.#sealingKey = enclose(deriveKey(dataKey, 'vault:seal'));
  }

  /** Seals a successor passphrase for its row. */
  seal(passphrase: string, sealedFor: SealedFor): Buffer {
    return seal(this.#sealingKey, Buffer.from(passphrase, 'utf8'), contextOf(sealedFor));
  }

  /** @throws AppError VAULT_SEAL_BROKEN when the bytes were altered or belong to another row. */
  open(sealed: Uint8Array, sealedFor: SealedFor): string {
    const passphrase = unseal(this.#sealingKey, sealed, contextOf(sealedFor));
    if (passphrase === undefined) {
      throw new AppError('VAULT_SEAL_BROKEN', { assetId: sealedFor.assetId });
    }
    return passphrase.toString('utf8');
  }

  /**
   * Seals for another part of the program, with a key and a context of its own: what it has sealed opens neither as a
   * row of the vault nor for another purpose or transaction.
   */
  sealerFor(purpose: string): Pick<Vault, 'seal' | 'open'> {
    const key = enclose(this.deriveKey(`seal:${purpose}`));
    const context = ({ assetId, transactionId }: SealedFor): Context => [
      purpose,
      assetId,
      transactionId,
    ];
    return {
      seal: (text, sealedFor) => seal(key, Buffer.from(text, 'utf8'), context(sealedFor)),
      open: (sealed, sealedFor) => {
        const text = unseal(key, sealed, context(sealedFor));
        if (text === undefined) {
          throw new AppError('VAULT_SEAL_BROKEN', { assetId: sealedFor.assetId });
        }
        return text.toString('utf8');
      },
    };
  }

  /** A 32-byte key for another part of the program; the same purpose gives the same key for the vault's whole life. */
  deriveKey(purpose: string): Buffer {
    return deriveKey(this.#dataKey, `purpose:${purpose}`);
  }
}

/**
 * Opens the vault, or makes it when the database has none.
 * @throws AppError VAULT_PASSPHRASE_WRONG, VAULT_KEY_MISSING, VAULT_KEY_EXPOSED, VAULT_KEY_INVALID,
 *   VAULT_KEY_OTHER_KIND; then nothing was written anywhere.
 */
export async function openVault(options: VaultOptions): Promise<Vault> {
  const header = await options.headers.read(({ vaultHeader }) => vaultHeader.findHeader());
  if (header === undefined) return await makeVault(options);
  const isUnfinished = options.passphrase === undefined && existsSync(nextKeyFile(options.keyFile));
  try {
    return new Vault(enclose(await openDataKey(header, options)), false);
  } catch (error) {
    if (!isUnfinished || !(error instanceof AppError)) throw error;
    throw new AppError('VAULT_REKEY_UNFINISHED', {}, { cause: error });
  }
}

/** The operator's key: a passphrase, or a file. */
type OperatorKey = Pick<VaultOptions, 'passphrase' | 'keyFile'>;

/** Where a new key file stands until the header is sealed under it. */
export function nextKeyFile(keyFile: string): string {
  return `${keyFile}.next`;
}

/** @throws AppError as {@link openVault}. */
export async function openDataKey(header: VaultHeader, key: OperatorKey): Promise<Buffer> {
  const wrappingKey = await wrappingKeyOf(header, key);
  const dataKey = unseal(wrappingKey, header.wrappedKey, headerContext(header));
  if (dataKey === undefined) throw new AppError('VAULT_PASSPHRASE_WRONG');
  return dataKey;
}

async function wrappingKeyOf(
  { kdf, parameters, salt }: VaultHeader,
  { passphrase, keyFile }: OperatorKey,
): Promise<KeyObject> {
  if (kdf === 'argon2id') {
    if (passphrase !== undefined) return await fromPassphrase(passphrase, parameters, salt);
    throw new AppError('VAULT_KEY_OTHER_KIND', {
      made: 'a passphrase',
      given: 'a key file',
      remedy: 'Set VAULT_PASSPHRASE.',
    });
  }
  if (passphrase !== undefined) {
    throw new AppError('VAULT_KEY_OTHER_KIND', {
      made: 'a key file',
      given: 'a passphrase',
      remedy: 'Unset VAULT_PASSPHRASE.',
    });
  }
  const key = await readKeyFile(keyFile);
  if (key === undefined) throw new AppError('VAULT_KEY_MISSING', { file: keyFile });
  return fromKeyFile(key, salt);
}

async function makeVault({ passphrase, keyFile, headers }: VaultOptions): Promise<Vault> {
  const salt = randomBytes(SALT_BYTES);
  const dataKey = randomBytes(KEY_BYTES);
  if (passphrase !== undefined) {
    const parameters = newParameters();
    const wrappingKey = await fromPassphrase(passphrase, parameters, salt);
    await writeHeader(headers, wrappingKey, dataKey, { kdf: 'argon2id', parameters, salt });
    return new Vault(enclose(dataKey), false);
  }
  // A file without a header is left by a crash between the two, or put there by the operator: it is the key then.
  const present = await readKeyFile(keyFile);
  const wrappingKey = fromKeyFile(present ?? (await makeKeyFile(keyFile)), salt);
  await writeHeader(headers, wrappingKey, dataKey, { kdf: 'key-file', parameters: '', salt });
  return new Vault(enclose(dataKey), present === undefined);
}

/** Seals the data key, which is wiped, for a new header. @throws AppError VAULT_KEY_MISSING and the key file's others */
export async function sealDataKey(
  dataKey: Buffer,
  { passphrase, keyFile }: OperatorKey,
): Promise<VaultHeader> {
  const salt = randomBytes(SALT_BYTES);
  const facts =
    passphrase === undefined
      ? { kdf: 'key-file' as const, parameters: '', salt }
      : { kdf: 'argon2id' as const, parameters: newParameters(), salt };
  const wrappingKey = await wrappingKeyOf(
    { ...facts, wrappedKey: Buffer.alloc(0) },
    { passphrase, keyFile },
  );
  const wrappedKey = seal(wrappingKey, dataKey, headerContext(facts));
  dataKey.fill(0);
  return { ...facts, wrappedKey };
}

async function writeHeader(
  headers: VaultHeaders,
  wrappingKey: KeyObject,
  dataKey: Buffer,
  facts: Omit<VaultHeader, 'wrappedKey'>,
): Promise<void> {
  const header = { ...facts, wrappedKey: seal(wrappingKey, dataKey, headerContext(facts)) };
  await headers.transaction(({ vaultHeader }) => vaultHeader.insertHeader(header));
}

async function fromPassphrase(
  passphrase: string,
  parameters: string,
  salt: Buffer,
): Promise<KeyObject> {
  return enclose(await passphraseKey(passphrase, parameters, salt));
}

function fromKeyFile(key: Buffer, salt: Buffer): KeyObject {
  const wrappingKey = enclose(deriveKey(key, 'vault:key-file', salt));
  key.fill(0);
  return wrappingKey;
}

function headerContext({ kdf, parameters }: Omit<VaultHeader, 'wrappedKey'>): Context {
  return ['vault-header', kdf, parameters];
}

function contextOf({ assetId, transactionId }: SealedFor): Context {
  return ['successor-passphrase', assetId, transactionId];
}

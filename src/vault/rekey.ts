// Changes what opens the vault: the data key stays, and is sealed anew under another passphrase or key file.
import { link, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError } from '../shared/errors.ts';
import { makeKeyFile, readKeyFile, syncFolder } from './key-file.ts';
import { nextKeyFile, openDataKey, sealDataKey, type VaultOptions } from './vault.ts';

/** Named points of a change, in order; the crash tests kill the process at each. */
export const REKEY_STEPS = ['key-made', 'header-written', 'old-key-kept', 'key-placed'] as const;

export interface RekeyOptions extends VaultOptions {
  /** The passphrase from now on; undefined for a new key file. */
  readonly newPassphrase: string | undefined;
  readonly atStep?: (step: (typeof REKEY_STEPS)[number]) => void;
}

/**
 * Changes the key, or finishes a change that was killed: at every moment either the old key opens the vault or the new
 * one. An old key file is kept beside its place, because it opens older backups.
 * @throws AppError VAULT_PASSPHRASE_WRONG and the vault's others; then nothing was changed
 */
export async function rekeyVault(options: RekeyOptions): Promise<void> {
  const { keyFile, headers, newPassphrase, atStep } = options;
  const next = { passphrase: newPassphrase, keyFile: nextKeyFile(keyFile) };
  const header = await headers.read(({ vaultHeader }) => vaultHeader.findHeader());
  if (header === undefined) throw new AppError('VAULT_KEY_MISSING', { file: keyFile });
  if (!(await opens(header, next))) {
    const dataKey = await openDataKey(header, options);
    if (newPassphrase === undefined && (await readKeyFile(next.keyFile)) === undefined) {
      (await makeKeyFile(next.keyFile)).fill(0);
    }
    atStep?.('key-made');
    const sealed = await sealDataKey(dataKey, next);
    await headers.transaction(({ vaultHeader }) => vaultHeader.replaceHeader(sealed));
  }
  atStep?.('header-written');
  await placeKeyFile(options);
  atStep?.('key-placed');
}

/** True when an earlier run has come as far as the header. */
async function opens(...given: Parameters<typeof openDataKey>): Promise<boolean> {
  try {
    (await openDataKey(...given)).fill(0);
    return true;
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}

async function placeKeyFile({ keyFile, newPassphrase, atStep }: RekeyOptions): Promise<void> {
  const next = nextKeyFile(keyFile);
  const present = await stat(keyFile).catch(() => undefined);
  if (present !== undefined) {
    // The name is the file's own, so that a run that goes on makes no second copy.
    await link(keyFile, `${keyFile}.old-${Math.floor(present.mtimeMs)}`).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
    await syncFolder(dirname(keyFile));
  }
  atStep?.('old-key-kept');
  if (newPassphrase === undefined) await rename(next, keyFile);
  else for (const file of [next, keyFile]) await rm(file, { force: true });
  await syncFolder(dirname(keyFile));
}

// Changes the vault's key from a shell; the secrets come from the environment or from stdin, never from the arguments.
import { createInterface } from 'node:readline/promises';
import { existsSync } from 'node:fs';
import { Writable } from 'node:stream';
import { MIN_VAULT_PASSPHRASE, type Config } from '../config.ts';
import { dataFiles } from '../core.ts';
import { lockDataDir } from '../db/data-dir-lock.ts';
import { openDatabase } from '../db/open-database.ts';
import { AppError } from '../shared/errors.ts';
import { rekeyVault, type RekeyOptions } from '../vault/rekey.ts';

/**
 * Seals the vault's data key under another key. The bot must not run.
 * @param newPassphrase undefined for a new key file
 * @throws AppError INPUT_INVALID, DATA_DIR_IN_USE and those of the vault; then nothing was changed
 */
export async function rekeyFromOutside(
  config: Config,
  { newPassphrase, atStep }: Pick<RekeyOptions, 'newPassphrase' | 'atStep'>,
): Promise<void> {
  if (newPassphrase !== undefined && newPassphrase.length < MIN_VAULT_PASSPHRASE) {
    const reason = `the new passphrase must have at least ${MIN_VAULT_PASSPHRASE} characters`;
    throw new AppError('INPUT_INVALID', { reason });
  }
  const { state, vaultKey: keyFile } = dataFiles(config.dataDir);
  if (!existsSync(state)) {
    throw new AppError('INPUT_INVALID', { reason: `there is no database at ${state}` });
  }
  const unlock = lockDataDir(config.dataDir);
  try {
    const headers = await openDatabase({ file: state });
    try {
      const passphrase = config.vaultPassphrase?.reveal();
      await rekeyVault({ passphrase, keyFile, headers, newPassphrase, ...(atStep && { atStep }) });
    } finally {
      await headers.close();
    }
  } finally {
    unlock();
  }
}

/** The new passphrase, from VAULT_NEW_PASSPHRASE or one line of stdin, which a terminal does not show. */
export async function readNewPassphrase(
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const given = env['VAULT_NEW_PASSPHRASE'];
  if (given !== undefined && given !== '') return given;
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({
    input: process.stdin,
    output: silent,
    terminal: process.stdin.isTTY,
  });
  try {
    process.stderr.write('The new passphrase: ');
    return await lines.question('');
  } finally {
    process.stderr.write('\n');
    lines.close();
  }
}

// A change of the vault's key: killed anywhere, the old or the new key opens it, and the next run finishes it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { rekeyFromOutside } from '../../src/cli/vault.ts';
import { parseConfig } from '../../src/config.ts';
import { Closers, openState } from '../../src/core.ts';
import { lockDataDir } from '../../src/db/data-dir-lock.ts';
import type { AssetId, TransactionId } from '../../src/shared/ids.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { REKEY_STEPS } from '../../src/vault/rekey.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { tempDir } from '../support/temp-dir.ts';

const WORKER = new URL('../../dist/test/support/backup-worker.js', import.meta.url).pathname;
const OLD = 'the old passphrase';
const NEW = 'the new passphrase';
const SEALED_FOR = { assetId: 'a' as AssetId, transactionId: 't' as TransactionId };

let dataDir: string;
let sealed: Buffer;

beforeEach(() => {
  dataDir = tempDir();
});

const configOf = (passphrase: string | undefined) =>
  parseConfig({ DATA_DIR: dataDir, VAULT_PASSPHRASE: passphrase });

async function withVault<T>(passphrase: string | undefined, use: (vault: Vault) => T): Promise<T> {
  const closers = new Closers();
  try {
    return use((await openState(configOf(passphrase), closers, silentLogger)).vault);
  } finally {
    await closers.closeAll();
  }
}

const make = async (passphrase: string | undefined): Promise<void> => {
  sealed = await withVault(passphrase, (vault) => vault.seal('moves it', SEALED_FOR));
};
const opened = (passphrase: string | undefined): Promise<string> =>
  withVault(passphrase, (vault) => vault.open(sealed, SEALED_FOR));

async function killAt(from: string | undefined, to: string | undefined, step: string) {
  if (!existsSync(WORKER)) throw new Error('run `npm run build` first');
  const env = { PATH: process.env['PATH'], DATA_DIR: dataDir, VAULT_PASSPHRASE: from };
  const child = spawn(process.execPath, [WORKER, 'rekey', to ?? '', step], {
    env,
    stdio: 'ignore',
  });
  expect((await once(child, 'close'))[1]).toBe('SIGKILL');
}

const WAYS = [
  ['a passphrase to another', OLD, NEW],
  ['a key file to a passphrase', undefined, NEW],
  ['a passphrase to a key file', OLD, undefined],
  ['a key file to another', undefined, undefined],
] as const;

describe.each(WAYS)('from %s', (_what, from, to) => {
  test('the new key opens what the old one sealed', async () => {
    await make(from);
    await rekeyFromOutside(configOf(from), { newPassphrase: to });
    expect(await opened(to)).toBe('moves it');
    expect(readdirSync(dataDir)).not.toContain('vault.key.next');
    const kept = readdirSync(dataDir).filter((name) => name.startsWith('vault.key.old-'));
    expect(kept).toHaveLength(from === undefined ? 1 : 0);
  });

  test.each(REKEY_STEPS)('killed at %s, the next run finishes it', async (step) => {
    await make(from);
    await killAt(from, to, step);
    await rekeyFromOutside(configOf(from), { newPassphrase: to }).catch((error: unknown) => {
      // Nothing was left to do: the old key opens it no longer.
      if (step !== 'key-placed') throw error;
    });
    expect(await opened(to)).toBe('moves it');
  });
});

test('is refused with a wrong key, while a bot runs, and to a short passphrase; nothing is changed', async () => {
  await make(OLD);
  const rekey = (from: string, to: string) =>
    rekeyFromOutside(configOf(from), { newPassphrase: to });
  await rekey(OLD, NEW);
  await expect(opened(OLD)).rejects.toMatchObject({ code: 'VAULT_PASSPHRASE_WRONG' });
  await rekey(NEW, OLD);
  await expect(rekey('not the passphrase', NEW)).rejects.toMatchObject({
    code: 'VAULT_PASSPHRASE_WRONG',
  });
  await expect(rekey(OLD, 'short')).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  const unlock = lockDataDir(dataDir);
  await expect(rekey(OLD, NEW)).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE' });
  unlock();
  expect(await opened(OLD)).toBe('moves it');
});

test('a start in the middle of a change says how to go on', async () => {
  await make(undefined);
  await killAt(undefined, undefined, 'header-written');
  expect(existsSync(join(dataDir, 'vault.key.next'))).toBe(true);
  await expect(opened(undefined)).rejects.toMatchObject({ code: 'VAULT_REKEY_UNFINISHED' });
});

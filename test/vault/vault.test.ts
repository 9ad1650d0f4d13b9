// The vault: what opens it, what does not, and what a sealed passphrase is worth to anyone else.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Database } from '../../src/app/ports/database.ts';
import { AppError } from '../../src/shared/errors.ts';
import type { AssetId, TransactionId } from '../../src/shared/ids.ts';
import { openVault, type SealedFor, type Vault } from '../../src/vault/vault.ts';
import { openTestDatabase } from '../support/temp-database.ts';
import { tempDir } from '../support/temp-dir.ts';

const PASSPHRASE = 'correct horse battery staple';
const SECRET = 'the successor passphrase';
const ROW = { assetId: 'asset' as AssetId, transactionId: 'transaction' as TransactionId };

let folder: string;
let keyFile: string;
let headers: Database;

beforeEach(async () => {
  folder = tempDir();
  keyFile = join(folder, 'vault.key');
  headers = await openTestDatabase(join(folder, 'state.db'));
});

const open = (given: { passphrase?: string; keyFile?: string } = {}): Promise<Vault> =>
  openVault({ keyFile, headers, ...given });
/** Every file and a digest of its bytes; SQLite's shared memory is no part of what is on the disk. */
const snapshot = (): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder)
      .filter((name) => !name.endsWith('-shm'))
      .sort()
      .map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex'),
      ]),
  );
const refusalOf = async (opening: Promise<Vault>): Promise<AppError> => {
  const error: unknown = await opening.then(
    () => new Error('the vault opened'),
    (reason: unknown) => reason,
  );
  if (error instanceof AppError) return error;
  throw error;
};

describe('a vault with a key file', () => {
  test('makes the file once, for its owner alone, and says so', async () => {
    const first = await open();
    expect(first.hasNewKeyFile).toBe(true);
    const key = readFileSync(keyFile);
    expect(key).toHaveLength(32);
    expect((statSync(keyFile).mode & 0o777).toString(8)).toBe('600');
    expect(readdirSync(folder).filter((name) => name.startsWith('vault'))).toEqual(['vault.key']);
    const second = await open();
    expect(second.hasNewKeyFile).toBe(false);
    expect(readFileSync(keyFile).equals(key)).toBe(true);
    expect(second.open(first.seal(SECRET, ROW), ROW)).toBe(SECRET);
  });

  test('opens after a restart', async () => {
    const sealed = (await open()).seal(SECRET, ROW);
    await headers.close();
    headers = await openTestDatabase(join(folder, 'state.db'));
    expect((await open()).open(sealed, ROW)).toBe(SECRET);
  });

  test('takes the file that a crash left before the vault was made', async () => {
    const key = Buffer.alloc(32, 7);
    writeFileSync(keyFile, key, { mode: 0o600 });
    writeFileSync(`${keyFile}.new`, 'half', { mode: 0o644 });
    const vault = await open();
    expect(vault.hasNewKeyFile).toBe(false);
    expect(readFileSync(keyFile).equals(key)).toBe(true);
  });

  test('is not fooled by what a crash left of an unfinished file', async () => {
    writeFileSync(`${keyFile}.new`, 'half', { mode: 0o644 });
    await open();
    expect(readFileSync(keyFile)).toHaveLength(32);
    expect((statSync(keyFile).mode & 0o777).toString(8)).toBe('600');
    expect(existsSync(`${keyFile}.new`)).toBe(false);
  });

  test('does not open when the file is gone, and makes no new one', async () => {
    await open();
    rmSync(keyFile);
    const before = snapshot();
    expect(await refusalOf(open())).toMatchObject({
      code: 'VAULT_KEY_MISSING',
      data: { file: keyFile },
    });
    expect(snapshot()).toEqual(before);
  });

  test('does not open with another key; nothing on the disk changes', async () => {
    await open();
    writeFileSync(keyFile, Buffer.alloc(32, 7));
    const before = snapshot();
    expect((await refusalOf(open())).code).toBe('VAULT_PASSPHRASE_WRONG');
    expect(snapshot()).toEqual(before);
  });

  test.each([0o640, 0o604, 0o660, 0o666, 0o644])('does not use a file of mode %i', async (mode) => {
    await open();
    chmodSync(keyFile, mode);
    expect(await refusalOf(open())).toMatchObject({
      code: 'VAULT_KEY_EXPOSED',
      data: { file: keyFile, mode: mode.toString(8).padStart(4, '0') },
    });
  });

  test('does not take an exposed or damaged file for a new vault either', async () => {
    writeFileSync(keyFile, Buffer.alloc(32, 7), { mode: 0o644 });
    expect((await refusalOf(open())).code).toBe('VAULT_KEY_EXPOSED');
    chmodSync(keyFile, 0o600);
    for (const size of [0, 31, 33]) {
      writeFileSync(keyFile, Buffer.alloc(size, 7));
      expect((await refusalOf(open())).code).toBe('VAULT_KEY_INVALID');
    }
    expect(await headers.read(({ vaultHeader }) => vaultHeader.findHeader())).toBeUndefined();
  });

  test('does not take a folder for a key', async () => {
    mkdirSync(keyFile, { mode: 0o700 });
    expect((await refusalOf(open())).code).toBe('VAULT_KEY_INVALID');
  });

  test('is not opened with a passphrase', async () => {
    await open();
    const before = snapshot();
    const refusal = await refusalOf(open({ passphrase: PASSPHRASE }));
    expect(refusal).toMatchObject({ code: 'VAULT_KEY_OTHER_KIND' });
    expect(refusal.message).toContain('Unset VAULT_PASSPHRASE');
    expect(snapshot()).toEqual(before);
  });
});

describe('a vault with a passphrase', () => {
  test('opens with it, makes no key file, and keeps its argon2id parameters', async () => {
    const sealed = (await open({ passphrase: PASSPHRASE })).seal(SECRET, ROW);
    const again = await open({ passphrase: PASSPHRASE });
    expect(again.open(sealed, ROW)).toBe(SECRET);
    expect(again.hasNewKeyFile).toBe(false);
    expect(existsSync(keyFile)).toBe(false);
    expect(await headers.read(({ vaultHeader }) => vaultHeader.findHeader())).toMatchObject({
      kdf: 'argon2id',
      parameters: 'v=19$m=65536,t=3,p=1',
    });
  });

  test('opens whichever way the keyboard writes the same letters', async () => {
    const sealed = (await open({ passphrase: 'Gr\u00fc\u00dfe' })).seal(SECRET, ROW);
    expect((await open({ passphrase: 'Gru\u0308\u00dfe' })).open(sealed, ROW)).toBe(SECRET);
  });

  test('does not open with another; nothing on the disk changes', async () => {
    await open({ passphrase: PASSPHRASE });
    const before = snapshot();
    for (const passphrase of [`${PASSPHRASE} `, PASSPHRASE.toUpperCase(), '']) {
      expect((await refusalOf(open({ passphrase }))).code).toBe('VAULT_PASSPHRASE_WRONG');
    }
    expect(snapshot()).toEqual(before);
    expect((await open({ passphrase: PASSPHRASE })).hasNewKeyFile).toBe(false);
  });

  test('is not opened with a key file, and makes none', async () => {
    await open({ passphrase: PASSPHRASE });
    const refusal = await refusalOf(open());
    expect(refusal).toMatchObject({ code: 'VAULT_KEY_OTHER_KIND' });
    expect(refusal.message).toContain('Set VAULT_PASSPHRASE');
    expect(existsSync(keyFile)).toBe(false);
  });

  test.each([
    '',
    'v=19$m=65536,t=3',
    'v=19$m=99999999,t=3,p=1',
    'v=19$m=65536,t=999,p=1',
    'v=16$m=65536,t=3,p=1',
  ])('refuses a header with the parameters “%s”', async (parameters) => {
    await headers.transaction(({ vaultHeader }) =>
      vaultHeader.insertHeader({
        kdf: 'argon2id',
        parameters,
        salt: Buffer.alloc(16),
        wrappedKey: Buffer.alloc(61),
      }),
    );
    await expect(open({ passphrase: PASSPHRASE })).rejects.toThrow(/unknown argon2id parameters/);
  });
});

describe('a sealed passphrase', () => {
  let vault: Vault;

  beforeEach(async () => {
    vault = await open();
  });

  const opens = (sealed: Uint8Array, sealedFor: SealedFor = ROW): string | undefined => {
    try {
      return vault.open(sealed, sealedFor);
    } catch (error) {
      if (error instanceof AppError && error.code === 'VAULT_SEAL_BROKEN') return undefined;
      throw error;
    }
  };

  test('opens for its own row, whatever its letters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), fc.string(), (text, a, b) => {
        const row = { assetId: a as AssetId, transactionId: b as TransactionId };
        expect(vault.open(vault.seal(text, row), row)).toBe(text);
      }),
    );
  });

  test('does not open in another row: neither another asset nor another transaction', () => {
    const sealed = vault.seal(SECRET, ROW);
    expect(opens(sealed, { ...ROW, assetId: 'other' as AssetId })).toBeUndefined();
    expect(opens(sealed, { ...ROW, transactionId: 'other' as TransactionId })).toBeUndefined();
    expect(
      opens(sealed, {
        assetId: ROW.transactionId as string as AssetId,
        transactionId: ROW.assetId as string as TransactionId,
      }),
    ).toBeUndefined();
  });

  test('does not open where the same letters are cut in another place', () => {
    const sealed = vault.seal(SECRET, {
      assetId: 'a","b' as AssetId,
      transactionId: 'c' as TransactionId,
    });
    const other = { assetId: 'a' as AssetId, transactionId: 'b","c' as TransactionId };
    expect(opens(sealed, other)).toBeUndefined();
  });

  test('does not open after any bit of it changed, nor shortened, nor lengthened', () => {
    const sealed = vault.seal(SECRET, ROW);
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const altered = Buffer.from(sealed);
      altered[bit >> 3]! ^= 1 << (bit & 7);
      expect(opens(altered)).toBeUndefined();
    }
    for (let length = 0; length < sealed.length; length += 1) {
      expect(opens(sealed.subarray(0, length))).toBeUndefined();
    }
    expect(opens(Buffer.concat([sealed, Buffer.of(0)]))).toBeUndefined();
  });

  test('names the asset when it is broken, and nothing secret', () => {
    const broken = () => vault.open(Buffer.alloc(60), ROW);
    expect(broken).toThrow(expect.objectContaining({ data: { assetId: 'asset' } }));
  });

  test('is different each time and shows nothing of what is in it', () => {
    const sealed = Array.from({ length: 100 }, () => vault.seal(SECRET, ROW).toString('latin1'));
    expect(new Set(sealed).size).toBe(sealed.length);
    expect(sealed.some((text) => text.includes('successor'))).toBe(false);
  });

  test('does not open in another vault', async () => {
    const sealed = vault.seal(SECRET, ROW);
    const other = await openVault({
      keyFile: join(tempDir(), 'vault.key'),
      headers: await openTestDatabase(':memory:'),
    });
    expect(() => other.open(sealed, ROW)).toThrow(
      expect.objectContaining({ code: 'VAULT_SEAL_BROKEN' }),
    );
  });
});

describe('a derived key', () => {
  test('is the same for the vault’s whole life, and another for every purpose', async () => {
    const [first, second] = [await open(), await open()];
    expect(first.deriveKey('owner-ids').equals(second.deriveKey('owner-ids'))).toBe(true);
    expect(first.deriveKey('owner-ids')).toHaveLength(32);
    expect(first.deriveKey('owner-ids').equals(first.deriveKey('other'))).toBe(false);
  });

  test('is the caller’s own: changing it changes nothing in the vault', async () => {
    const vault = await open();
    const key = vault.deriveKey('owner-ids');
    const before = Buffer.from(key);
    key.fill(0);
    expect(vault.deriveKey('owner-ids').equals(before)).toBe(true);
  });
});

test('an open vault shows no secret, however it is printed', async () => {
  const vault = await open();
  const shown = inspect(vault, { depth: 9, showHidden: true }) + JSON.stringify(vault);
  const secrets = [readFileSync(keyFile), vault.deriveKey('owner-ids')];
  for (const secret of secrets) {
    for (const encoding of ['hex', 'base64', 'latin1'] as const) {
      expect(shown).not.toContain(secret.toString(encoding));
    }
  }
  expect(Object.keys(vault)).toEqual(['hasNewKeyFile']);
});

test('no refusal repeats the passphrase', async () => {
  await open({ passphrase: PASSPHRASE });
  const refusal = await refusalOf(open({ passphrase: 'a wrong secret' }));
  expect(inspect(refusal, { depth: 9, showHidden: true })).not.toContain('a wrong secret');
});

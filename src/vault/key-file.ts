// The vault's key file: 32 random bytes that only their owner may read.
import { randomBytes } from 'node:crypto';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError } from '../shared/errors.ts';
import { KEY_BYTES } from './aead.ts';

const OWNER_ONLY = 0o600;
const GROUP_AND_WORLD = 0o077;

/**
 * Reads the key.
 * @returns undefined when there is no such file.
 * @throws AppError VAULT_KEY_EXPOSED when others may read or write it, VAULT_KEY_INVALID when it is not a key.
 */
export async function readKeyFile(file: string): Promise<Buffer | undefined> {
  const handle = await openIfPresent(file);
  if (handle === undefined) return undefined;
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new AppError('VAULT_KEY_INVALID', { file, reason: 'not a file' });
    // Windows has no such modes and shows every file as readable by all.
    if (process.platform !== 'win32' && (stats.mode & GROUP_AND_WORLD) !== 0) {
      const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
      throw new AppError('VAULT_KEY_EXPOSED', { file, mode });
    }
    if (stats.size !== KEY_BYTES) {
      const reason = `it has ${stats.size} bytes instead of ${KEY_BYTES}`;
      throw new AppError('VAULT_KEY_INVALID', { file, reason });
    }
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** Makes the file, whole and durable before anything is sealed with it: a crash leaves either no key or this one. */
export async function makeKeyFile(file: string): Promise<Buffer> {
  const key = randomBytes(KEY_BYTES);
  const unfinished = `${file}.new`;
  const handle = await open(unfinished, 'w', OWNER_ONLY);
  try {
    await handle.chmod(OWNER_ONLY);
    await handle.writeFile(key);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(unfinished, file);
  await syncFolder(dirname(file));
  return key;
}

async function openIfPresent(file: string) {
  try {
    return await open(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Makes a rename within the folder survive a power failure. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

// The files of a backup: what its manifest says of each, how one is written, and how one is read back.
import type { Decrypter, Encrypter } from 'age-encryption';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import * as z from 'zod';
import { AppError } from '../shared/errors.ts';

/** What a backup may hold; an encrypted file has `.age` after its name. */
const BACKUP_FILES = ['state.sqlite', 'beacon.bundle', 'recovery.journal', 'vault.key'] as const;
export type BackupFile = (typeof BACKUP_FILES)[number];

const MANIFEST = 'manifest.json';
const OWNER_ONLY = 0o600;

const manifestShape = z.strictObject({
  format: z.literal('aibot-backup 1'),
  /** ms since the epoch, before the first file was copied. */
  takenAt: z.int().nonnegative(),
  /** The newest migration of the database. */
  schema: z.string(),
  /** `embedded`, or where the beacon was. */
  beacon: z.string(),
  encrypted: z.boolean(),
  files: z.array(
    z.strictObject({
      name: z.enum(BACKUP_FILES),
      bytes: z.int().nonnegative(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});
export type Manifest = z.output<typeof manifestShape>;

/** Its cryptography is large, and most commands need none of it. */
const loadAge = () => import('age-encryption');

/** @throws AppError INPUT_INVALID for text that is no recipient of age. */
export async function encrypterFor(recipient: string): Promise<Encrypter> {
  const { Encrypter: AgeEncrypter } = await loadAge();
  const encrypter = new AgeEncrypter();
  try {
    encrypter.addRecipient(recipient);
  } catch (cause) {
    const reason = 'the recipient is not a public key of age (age1…)';
    throw new AppError('INPUT_INVALID', { reason }, { cause });
  }
  return encrypter;
}

/** Reads the identities of a file as age-keygen writes it. @throws AppError INPUT_INVALID */
export async function decrypterFrom(identityFile: string): Promise<Decrypter> {
  const { Decrypter: AgeDecrypter } = await loadAge();
  const decrypter = new AgeDecrypter();
  try {
    const lines = (await readFile(identityFile, 'utf8')).split(/\r?\n/).map((line) => line.trim());
    for (const line of lines) if (line !== '' && !line.startsWith('#')) decrypter.addIdentity(line);
  } catch {
    // Without its cause: what the library says of a line may repeat the secret.
    const reason = `${identityFile} cannot be read as an identity of age`;
    throw new AppError('INPUT_INVALID', { reason });
  }
  return decrypter;
}

/** Writes one file into the backup, encrypted or as it is, and flushes it. */
export async function storeFile(
  dir: string,
  name: BackupFile,
  source: string,
  encrypter: Encrypter | undefined,
): Promise<Manifest['files'][number]> {
  const target = pathOf(dir, name, encrypter !== undefined);
  const hash = createHash('sha256');
  let bytes = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  const plain = createReadStream(source);
  const stream = encrypter === undefined ? plain : fromWeb(await encrypter.encrypt(toWeb(plain)));
  await pipeline(stream, measure, createWriteStream(target, { flags: 'wx', mode: OWNER_ONLY }));
  await flush(target);
  return { name, bytes, sha256: hash.digest('hex') };
}

/** Writes the manifest; a backup without one is none. */
export async function writeManifest(dir: string, manifest: Manifest): Promise<void> {
  const handle = await open(join(dir, MANIFEST), 'wx', OWNER_ONLY);
  try {
    await handle.writeFile(`${JSON.stringify(manifest, undefined, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Reads the manifest and holds every file against it. @throws AppError BACKUP_DAMAGED */
export async function checkBackup(dir: string): Promise<Manifest> {
  const manifest = await readManifest(dir);
  for (const { name, bytes, sha256 } of manifest.files) {
    const path = pathOf(dir, name, manifest.encrypted);
    const found = await stat(path).catch(() => undefined);
    if (found?.size !== bytes) throw damaged(dir, `${name} is missing or has another size`);
    const hash = createHash('sha256');
    await pipeline(createReadStream(path), hash);
    if (hash.digest('hex') !== sha256) throw damaged(dir, `${name} has other bytes than written`);
  }
  return manifest;
}

async function readManifest(dir: string): Promise<Manifest> {
  try {
    return manifestShape.parse(JSON.parse(await readFile(join(dir, MANIFEST), 'utf8')));
  } catch (cause) {
    throw new AppError('BACKUP_DAMAGED', { dir, reason: 'it has no readable manifest' }, { cause });
  }
}

/** Writes one file of the backup to a new place and flushes it. @throws AppError BACKUP_DAMAGED, INPUT_INVALID */
export async function fetchFile(
  dir: string,
  name: BackupFile,
  target: string,
  decrypter: Decrypter | undefined,
): Promise<void> {
  const stored = createReadStream(pathOf(dir, name, decrypter !== undefined));
  const stream = decrypter === undefined ? stored : await decrypt(stored, decrypter);
  await pipeline(stream, createWriteStream(target, { flags: 'wx', mode: OWNER_ONLY }));
  await flush(target);
}

/** @throws AppError INPUT_INVALID when the identity is another's. */
async function decrypt(stored: Readable, decrypter: Decrypter): Promise<Readable> {
  try {
    return fromWeb(await decrypter.decrypt(toWeb(stored)));
  } catch (cause) {
    stored.destroy();
    const reason = 'the identity does not open this backup';
    throw new AppError('INPUT_INVALID', { reason }, { cause });
  }
}

function pathOf(dir: string, name: BackupFile, isEncrypted: boolean): string {
  return join(dir, isEncrypted ? `${name}.age` : name);
}

async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

type WebStream = Parameters<Decrypter['decrypt']>[0] & object;

// SAFETY: node's web streams are the standard's; only the two type declarations know nothing of each other.
function toWeb(stream: Readable): Extract<WebStream, { getReader: unknown }> {
  return Readable.toWeb(stream) as unknown as Extract<WebStream, { getReader: unknown }>;
}

function fromWeb(stream: unknown): Readable {
  return Readable.fromWeb(stream as ReadableStream);
}

function damaged(dir: string, reason: string): AppError {
  return new AppError('BACKUP_DAMAGED', { dir, reason });
}

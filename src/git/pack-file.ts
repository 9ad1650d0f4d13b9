// Packs: many objects as one file, and the index that tells git where each of them begins.
import { createHash, randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import type { GitObject, ObjectFormat } from './git-objects.ts';

/** What git calls files of this directory that are being written; whoever finds an old one may remove it. */
export const TEMPORARY_PREFIX = 'tmp_';

/** The numbers of the types in a pack (gitformat-pack). */
const PACK_TYPES = { commit: 1, tree: 2, blob: 3 } as const;
const PACK_VERSION = 2;
const PACK_HEAD_BYTES = 12;
const INDEX_MAGIC = Buffer.from('ff744f63', 'hex');
const INDEX_VERSION = 2;
const FAN_OUT = 256;
/** An offset from here on would need the index's table of large offsets. */
const MAX_PACK_BYTES = 0x8000_0000;
/** A transaction's objects have a few hundred bytes: zlib's usual 270 kB for each cost more than the compression. */
const ZLIB_OPTIONS = { level: 1, windowBits: 12, memLevel: 4, chunkSize: 1_024 } as const;
/** Deflate with a window of 32 KiB, level 0. */
const ZLIB_HEAD = Buffer.from('7801', 'hex');
const MAX_STORED_BYTES = 0xffff;
/** The largest prime below 65,536. */
const ADLER_BASE = 65_521;
/** Nobody changes a pack. */
const FILE_MODE = 0o444;

export interface Pack {
  readonly format: ObjectFormat;
  readonly bytes: Buffer;
  readonly entries: readonly PackEntry[];
}

/** Where an object stands in its pack. */
interface PackEntry {
  /** Its binary id. */
  readonly id: Buffer;
  readonly offset: number;
  /** Over the entry as it is stored. */
  readonly crc32: number;
}

/**
 * A pack of whole objects, each once, in the form of gitformat-pack version 2: no deltas, because a transaction is three
 * small objects that have nothing in common with any other.
 * @throws RangeError when it would be 2 GiB or larger
 */
export function encodePack(format: ObjectFormat, objects: readonly GitObject[]): Pack {
  const unique = new Map(objects.map((object) => [object.id, object]));
  const head = Buffer.alloc(PACK_HEAD_BYTES);
  head.write('PACK', 'latin1');
  head.writeUInt32BE(PACK_VERSION, 4);
  head.writeUInt32BE(unique.size, 8);
  const parts: Buffer[] = [head];
  const entries: PackEntry[] = [];
  let offset = head.length;
  for (const { id, type, content } of unique.values()) {
    const start = entryHead(PACK_TYPES[type], content.length);
    const data = type === 'tree' ? store(content) : deflateSync(content, ZLIB_OPTIONS);
    parts.push(start, data);
    entries.push({ id: Buffer.from(id, 'hex'), offset, crc32: crc32(data, crc32(start)) });
    offset += start.length + data.length;
  }
  if (offset >= MAX_PACK_BYTES) throw new RangeError('a pack must stay below 2 GiB');
  const body = Buffer.concat(parts, offset);
  return { format, bytes: Buffer.concat([body, hashOf(format, body)]), entries };
}

/**
 * A zlib stream (RFC 1950) that holds the bytes as they are, in stored blocks of deflate (RFC 1951): a tree is little but
 * a hash, which nothing makes smaller.
 */
function store(content: Buffer): Buffer {
  const parts: Buffer[] = [ZLIB_HEAD];
  let start = 0;
  do {
    const block = content.subarray(start, start + MAX_STORED_BYTES);
    start += MAX_STORED_BYTES;
    const head = Buffer.alloc(5);
    head.writeUInt8(start >= content.length ? 1 : 0);
    head.writeUInt16LE(block.length, 1);
    head.writeUInt16LE(0xffff - block.length, 3);
    parts.push(head, block);
  } while (start < content.length);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(adler32(content));
  return Buffer.concat([...parts, checksum]);
}

function adler32(bytes: Buffer): number {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % ADLER_BASE;
    b = (b + a) % ADLER_BASE;
  }
  return b * 0x1_0000 + a;
}

/** Type and size: four bits of the size beside the type, then seven in each byte, the lowest first. */
function entryHead(type: number, size: number): Buffer {
  const bytes: number[] = [];
  let left = Math.floor(size / 16);
  let byte = (type << 4) | (size % 16);
  for (; left > 0; left = Math.floor(left / 128)) {
    bytes.push(byte | 0x80);
    byte = left % 128;
  }
  return Buffer.from([...bytes, byte]);
}

/**
 * The index of a pack in the form of gitformat-pack version 2: how many ids begin with each byte or a lower one, then the
 * sorted ids, their checksums and offsets as tables, then the hashes of the pack and of the index itself.
 */
export function encodePackIndex({ format, bytes, entries }: Pack): Buffer {
  const sorted = entries.toSorted((a, b) => Buffer.compare(a.id, b.id));
  const head = Buffer.alloc(INDEX_MAGIC.length + 4 * (1 + FAN_OUT));
  INDEX_MAGIC.copy(head);
  head.writeUInt32BE(INDEX_VERSION, 4);
  for (let byte = 0, counted = 0; byte < FAN_OUT; byte += 1) {
    while (sorted[counted]?.id[0] === byte) counted += 1;
    head.writeUInt32BE(counted, 8 + 4 * byte);
  }
  const checksums = Buffer.alloc(4 * sorted.length);
  const offsets = Buffer.alloc(4 * sorted.length);
  for (const [place, entry] of sorted.entries()) {
    checksums.writeUInt32BE(entry.crc32, 4 * place);
    offsets.writeUInt32BE(entry.offset, 4 * place);
  }
  const ids = sorted.map(({ id }) => id);
  const body = Buffer.concat([head, ...ids, checksums, offsets, trailerOf(format, bytes)]);
  return Buffer.concat([body, hashOf(format, body)]);
}

/**
 * Puts a pack into a directory of packs as `git index-pack` does: both files flushed under temporary names, the pack
 * renamed before the index, without which git does not look at it. The names are not on the disk before the directory is
 * flushed.
 * @throws Error of the file system; git sees nothing of the pack then.
 */
export async function writePack(directory: string, pack: Pack): Promise<void> {
  const name = join(directory, `pack-${trailerOf(pack.format, pack.bytes).toString('hex')}`);
  const nonce = randomBytes(6).toString('hex');
  const drafts = [
    { draft: `${TEMPORARY_PREFIX}pack_${nonce}`, file: `${name}.pack`, bytes: pack.bytes },
    { draft: `${TEMPORARY_PREFIX}idx_${nonce}`, file: `${name}.idx`, bytes: encodePackIndex(pack) },
  ].map((file) => ({ ...file, draft: join(directory, file.draft) }));
  try {
    await Promise.all(drafts.map(({ draft, bytes }) => writeFlushed(draft, bytes)));
    for (const { draft, file } of drafts) await rename(draft, file);
  } catch (error) {
    await Promise.all(drafts.map(({ draft }) => rm(draft, { force: true })));
    throw error;
  }
}

async function writeFlushed(path: string, bytes: Buffer): Promise<void> {
  const handle = await open(path, 'wx', FILE_MODE);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The hash that a pack ends with, and that its files are named by. */
function trailerOf(format: ObjectFormat, pack: Buffer): Buffer {
  return pack.subarray(pack.length - (format === 'sha1' ? 20 : 32));
}

function hashOf(format: ObjectFormat, bytes: Buffer): Buffer {
  return createHash(format).update(bytes).digest();
}

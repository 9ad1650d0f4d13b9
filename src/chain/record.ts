// A transaction's record: the bytes of `metadata.json`, written as the existing nodes write them, read with distrust.
import { createHash } from 'node:crypto';
import { AppError } from '../shared/errors.ts';
import type { AssetId, OwnerId, TransactionId } from '../shared/ids.ts';

/** Anything that JSON can hold. */
export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };
export type JsonObject = Readonly<Record<string, JsonValue>>;

/** What one transaction says. */
export interface TransactionRecord {
  /** SHA-512 hex, or a PHC string for a passphrase that a person chose; never the passphrase. */
  readonly successorHash: string;
  readonly transactionId: TransactionId;
  /** Unix time in ms. */
  readonly transactionTime: number;
  readonly assetId: AssetId;
  readonly ownerId: OwnerId;
  readonly metadata: JsonValue;
  /** What a hand-over commits to before the predecessor passphrase is revealed; see proofs.ts. */
  readonly predecessorProof?: string | undefined;
}

/** The most bytes that a record may have; a larger one on the chain is skipped, never read into the index. */
export const MAX_RECORD_BYTES = 64 * 1024;

const MAX_METADATA_BYTES = 16 * 1024;
const MAX_METADATA_DEPTH = 16;

/**
 * The bytes of `metadata.json`: compact, no newline at the end, keys in the order of the wire format, metadata keys
 * sorted by their bytes at every level, and the escapes and numbers of Go's encoding/json, because the first nodes
 * are written in Go and the commit message is the hash of these very bytes.
 */
export function encodeRecord(record: TransactionRecord): Buffer {
  const members = [
    ['successor_hash', record.successorHash],
    ['transaction_id', record.transactionId],
    ['transaction_time', record.transactionTime],
    ['asset_id', record.assetId],
    ['owner_id', record.ownerId],
    ['metadata', record.metadata],
  ] as const;
  const { predecessorProof: proof } = record;
  const added = proof === undefined ? [] : [['predecessor_proof', proof] as const];
  const body = [...members, ...added]
    .map(([key, value]) => `"${key}":${encodeJson(value)}`)
    .join(',');
  return Buffer.from(`{${body}}`, 'utf8');
}

/** Lowercase hex of SHA-512 over the record's bytes: the commit message that the wire format asks for. */
export function recordDigest(bytes: Uint8Array): string {
  return createHash('sha512').update(bytes).digest('hex');
}

function encodeJson(value: JsonValue): string {
  if (typeof value === 'string') return encodeString(value);
  if (typeof value === 'number') return encodeNumber(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return `[${value.map(encodeJson).join(',')}]`;
  // As in Go, ill-formed text is mended before keys are compared: of two keys that then are one, the last counts.
  const members = new Map(
    Object.entries(value as JsonObject).map(([key, item]) => [key.toWellFormed(), item]),
  );
  const entries = [...members].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return `{${entries.map(([key, item]) => `${encodeString(key)}:${encodeJson(item)}`).join(',')}}`;
}

/** Go escapes `<`, `>`, `&`, U+2028 and U+2029 for HTML's sake, and has no short form of backspace and form feed. */
function encodeString(text: string): string {
  return JSON.stringify(text.toWellFormed()).replace(
    // Escapes are matched whole, so that the `b` of an escaped backslash and a `b` is not taken for a backspace.
    /\\.|[<>&\u2028\u2029]/g,
    (found) => {
      if (found === '\\b') return '\\u0008';
      if (found === '\\f') return '\\u000c';
      if (found.startsWith('\\')) return found;
      return `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`;
    },
  );
}

/** Go prints a float64 as JavaScript does, but keeps the sign of negative zero. */
function encodeNumber(value: number): string {
  if (Object.is(value, -0)) return '-0';
  // JSON.stringify would quietly write null: a record that does not say what it was asked to say.
  if (!Number.isFinite(value)) throw new RangeError(`${value} is not a number that JSON can hold`);
  return JSON.stringify(value);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const PROOF_PATTERN = /^[0-9a-f]{128}$/;
/** The fault of a record whose successor hash nobody can answer. */
export const UNKNOWN_HASH_FORM = 'successor_hash has no known form';

const HASH_PATTERN = /^(?:[0-9a-f]{128}|\$argon2(?:id|i|d)\$[\x21-\x7e]{1,300})$/;

/**
 * Reads a record from the chain.
 * @returns the record, or the reason, in words for the log, why these bytes are not one.
 */
export function parseRecord(bytes: Uint8Array): TransactionRecord | { readonly fault: string } {
  if (bytes.length > MAX_RECORD_BYTES) return { fault: `record of ${bytes.length} bytes` };
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes));
  } catch {
    return { fault: 'record is not JSON in UTF-8' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { fault: 'record is not an object' };
  }
  const fields = value as Record<string, unknown>;
  const hash = fields['successor_hash'];
  const time = fields['transaction_time'];
  const texts = ['transaction_id', 'asset_id', 'owner_id'] as const;
  const bad = texts.find((key) => typeof fields[key] !== 'string' || fields[key] === '');
  if (bad !== undefined) return { fault: `${bad} is not a non-empty text` };
  if (typeof hash !== 'string' || !HASH_PATTERN.test(hash)) {
    return { fault: UNKNOWN_HASH_FORM };
  }
  if (!Number.isSafeInteger(time) || (time as number) < 0) {
    return { fault: 'transaction_time is not a whole number of milliseconds' };
  }
  const metadata = (fields['metadata'] ?? null) as JsonValue;
  if (hasInfiniteNumber(metadata)) return { fault: 'metadata holds a number that is too large' };
  const proof = fields['predecessor_proof'];
  return {
    successorHash: hash,
    transactionId: fields['transaction_id'] as TransactionId,
    transactionTime: time as number,
    assetId: fields['asset_id'] as AssetId,
    ownerId: fields['owner_id'] as OwnerId,
    metadata,
    // The format allows any further member; one of this name that is something else proves nothing.
    ...(typeof proof === 'string' && PROOF_PATTERN.test(proof) && { predecessorProof: proof }),
  };
}

/**
 * Checks metadata that a caller sent.
 * @throws AppError METADATA_INVALID when it is not an object, too large or too deep.
 */
export function checkMetadata(value: unknown): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new AppError('METADATA_INVALID', { reason: 'it is not a JSON object' });
  }
  if (nestsDeeper(value, MAX_METADATA_DEPTH)) {
    throw new AppError('METADATA_INVALID', {
      reason: `it nests deeper than ${MAX_METADATA_DEPTH} levels`,
    });
  }
  const metadata = value as JsonObject;
  if (hasInfiniteNumber(metadata)) {
    throw new AppError('METADATA_INVALID', { reason: 'it holds a number that is too large' });
  }
  if (Buffer.byteLength(encodeJson(metadata)) > MAX_METADATA_BYTES) {
    throw new AppError('METADATA_INVALID', {
      reason: `it is larger than ${MAX_METADATA_BYTES} bytes`,
    });
  }
  return metadata;
}

/**
 * JSON.parse reads 1e400 as Infinity, where Go's parser refuses the whole text. A loop instead of recursion, because
 * a record from the chain may nest as deep as its size allows.
 */
function hasInfiniteNumber(value: JsonValue): boolean {
  const open: JsonValue[] = [value];
  while (open.length > 0) {
    const item = open.pop();
    if (typeof item === 'number' && !Number.isFinite(item)) return true;
    if (typeof item !== 'object' || item === null) continue;
    for (const inner of Object.values(item as JsonObject)) open.push(inner);
  }
  return false;
}

/** True for a value of more than so many arrays and objects in each other; it looks no deeper than that. */
export function nestsDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((item) => nestsDeeper(item, levels - 1));
}

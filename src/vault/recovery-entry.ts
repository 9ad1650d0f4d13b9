// A line of the recovery journal: sealed successor passphrases, sealed once more with all that says whose they are.
import { createHash, type KeyObject } from 'node:crypto';
import * as z from 'zod';
import type { AssetId, MemberId, TransactionId } from '../shared/ids.ts';
import { seal, unseal } from './aead.ts';
import type { Custody } from './vault-store.ts';

/** A sealed successor passphrase, and what the database would have known of it. */
export interface RecoveryEntry {
  readonly transactionId: TransactionId;
  readonly assetId: AssetId;
  readonly custody: Custody;
  /** Whose the asset is once the transaction is committed; null when the bot does not keep it. */
  readonly holder: MemberId | 'bot' | null;
  /** As in the vault. */
  readonly sealed: Buffer;
  /** ms since the epoch. */
  readonly createdAt: number;
}

/** Why a line does not open: its bytes are not those that were written, or another vault wrote it. */
export type LineFault = 'damaged' | 'other-key';

const CONTEXT = ['recovery-journal'];
const CHECKSUM_CHARS = 16;

const id = <Id extends string>(): z.ZodType<Id> =>
  z.custom<Id>((value) => typeof value === 'string' && value !== '');
const wireEntries = z.array(
  z.strictObject({
    transactionId: id<TransactionId>(),
    assetId: id<AssetId>(),
    custody: z.enum(['bot', 'caller']),
    holder: id<MemberId | 'bot'>().nullable(),
    sealed: z.base64().transform((text) => Buffer.from(text, 'base64')),
    createdAt: z.int().nonnegative(),
  }),
);

/** One line with its line break: a checksum, a space, the sealed entries in URL-safe base64. */
export function encodeLine(key: KeyObject, entries: readonly RecoveryEntry[]): string {
  const wire = entries.map((entry) => ({ ...entry, sealed: entry.sealed.toString('base64') }));
  const body = seal(key, Buffer.from(JSON.stringify(wire)), CONTEXT).toString('base64url');
  return `${checksumOf(body)} ${body}\n`;
}

/** @param line without its line break */
export function decodeLine(key: KeyObject, line: string): readonly RecoveryEntry[] | LineFault {
  const body = line.slice(CHECKSUM_CHARS + 1);
  if (line !== `${checksumOf(body)} ${body}`) return 'damaged';
  const message = unseal(key, Buffer.from(body, 'base64url'), CONTEXT);
  if (message === undefined) return 'other-key';
  // Whoever sealed it held the key, so it can only be a form of a later version.
  const parsed = wireEntries.safeParse(JSON.parse(message.toString('utf8')));
  return parsed.success ? parsed.data : 'other-key';
}

function checksumOf(body: string): string {
  return createHash('sha256').update(body).digest('hex').slice(0, CHECKSUM_CHARS);
}

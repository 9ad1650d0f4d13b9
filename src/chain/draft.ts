// Reads what a caller wants on the chain: nothing of it is trusted before it went through here.
import { AppError } from '../shared/errors.ts';
import { isTransactionId, type TransactionId } from '../shared/ids.ts';
import type { TransactionDraft } from './node.ts';
import { checkMetadata } from './record.ts';
import { parseAssetId, parseOwnerId } from './refs.ts';

const MAX_PASSPHRASE_BYTES = 1_024;

/** A transaction as a caller asks for it, before any of it was checked. */
export interface UncheckedDraft {
  readonly assetId: unknown;
  readonly ownerId: unknown;
  /** The predecessor passphrase; null or undefined for a mint. */
  readonly passphrase: unknown;
  /** A JSON object; null or undefined writes `null`. */
  readonly metadata: unknown;
  /** The caller's own UUID; null or undefined to have one made. */
  readonly transactionId: unknown;
}

/** @throws AppError ASSET_ID_INVALID, OWNER_ID_INVALID, METADATA_INVALID, TRANSACTION_ID_INVALID, INPUT_INVALID */
export function parseDraft(draft: UncheckedDraft): TransactionDraft {
  const { metadata } = draft;
  const transactionId = parseTransactionId(draft.transactionId);
  return {
    assetId: parseAssetId(draft.assetId),
    ownerId: parseOwnerId(draft.ownerId),
    metadata: metadata === undefined || metadata === null ? null : checkMetadata(metadata),
    predecessorPassphrase: parsePassphrase(draft.passphrase),
    transactionId,
  };
}

function parseTransactionId(text: unknown): TransactionId | undefined {
  if (text === undefined || text === null) return undefined;
  if (typeof text === 'string' && isTransactionId(text)) return text;
  throw new AppError('TRANSACTION_ID_INVALID');
}

function parsePassphrase(passphrase: unknown): string | undefined {
  if (passphrase === undefined || passphrase === null) return undefined;
  if (typeof passphrase !== 'string' || Buffer.byteLength(passphrase) > MAX_PASSPHRASE_BYTES) {
    const reason = `passphrase must be a text of at most ${MAX_PASSPHRASE_BYTES} bytes`;
    throw new AppError('INPUT_INVALID', { reason });
  }
  return passphrase;
}

// POST /api/transaction/create: puts a transaction on the chain for a caller who keeps their own passphrases.
import { createHash } from 'node:crypto';
import type { App } from '../../app/app.ts';
import { encodeRecord } from '../../chain/record.ts';
import { AppError, type ErrorCode } from '../../shared/errors.ts';
import type { IdempotencyKey } from '../../shared/ids.ts';
import { readJsonObject } from '../read-json.ts';
import { defineRoute, type Route } from '../route.ts';
import { CreateAnswer, CreateBody, NoParams } from '../schemas.ts';

const PRINTABLE = /^[\x20-\x7e]{1,200}$/;
const KNOWN_KEYS = new Set(Object.keys(CreateBody.shape));

/** None of them has written anything; what was accepted earlier under the same id or key goes its way. */
const CREATE_ERRORS: readonly ErrorCode[] = [
  'INPUT_INVALID',
  'ASSET_ID_INVALID',
  'OWNER_ID_INVALID',
  'METADATA_INVALID',
  'TRANSACTION_ID_INVALID',
  'PASSPHRASE_MISMATCH',
  'NODE_IS_OBSERVER',
  'ASSET_BUSY',
  'ASSET_RESERVED',
  'CHAIN_ADVANCED',
  'TRANSACTION_ID_TAKEN',
  'KEY_REUSED',
  'BODY_TOO_LARGE',
  'CREATES_THROTTLED',
  'QUEUE_FULL',
  'BEACON_UNREACHABLE',
  'CHAIN_REWRITTEN',
  'FEATURE_FROZEN',
];

export function makeCreateRoute(app: Pick<App, 'createTransaction'>): Route {
  return defineRoute({
    method: 'POST',
    path: '/api/transaction/create',
    summary: 'Accepts a transaction; it is pending until the beacon has it',
    params: NoParams,
    body: CreateBody,
    answer: CreateAnswer,
    errors: CREATE_ERRORS,
    isThrottled: true,
    isGuarded: true,
    handle: async (_params, request) => {
      const key = parseKey(request.headers['idempotency-key']);
      const body = await readJsonObject(request.raw);
      refuseMisspelledKeys(body);
      const { record, successorPassphrase } = await app.createTransaction({
        assetId: body['asset_id'],
        ownerId: body['owner_id'],
        passphrase: body['passphrase'],
        metadata: body['metadata'],
        transactionId: body['transaction_id'],
        key,
        requestId: request.id,
      });
      // The record's own bytes follow the passphrase, so that caller and chain see the same text.
      const fields = encodeRecord(record).toString('utf8').slice(1);
      return `{"transaction":{"successor_passphrase":${JSON.stringify(successorPassphrase)},${fields}}`;
    },
  });
}

/**
 * Clients of HTTP have a key space of their own, so that none can claim to be a Discord interaction. The key is kept
 * as its hash: with the same request it brings a passphrase back, so it does not lie readable in the database.
 */
function parseKey(header: string | string[] | undefined): IdempotencyKey | undefined {
  if (header === undefined) return undefined;
  if (typeof header !== 'string' || !PRINTABLE.test(header)) {
    const reason = 'Idempotency-Key must be 1 to 200 printable ASCII characters';
    throw new AppError('INPUT_INVALID', { reason });
  }
  return `http:${createHash('sha256').update(header).digest('hex')}` as IdempotencyKey;
}

/**
 * The first program took `Metadata` for `metadata`. Here keys are exact; but to ignore such a key as unknown would
 * put a transaction on the chain that lacks what the caller sent, so it is refused.
 */
function refuseMisspelledKeys(body: Readonly<Record<string, unknown>>): void {
  for (const key of Object.keys(body)) {
    const lower = key.toLowerCase();
    if (lower !== key && KNOWN_KEYS.has(lower)) {
      throw new AppError('INPUT_INVALID', { reason: `the key ${lower} is written in lower case` });
    }
  }
}

// Use case of the HTTP route: a caller who keeps their own passphrases puts a transaction on the chain.
import { v4 as uuidv4 } from 'uuid';
import { parseDraft } from '../chain/draft.ts';
import type { NfgtNode, TransactionDraft } from '../chain/node.ts';
import { encodeRecord, parseRecord } from '../chain/record.ts';
import { AppError } from '../shared/errors.ts';
import type { IdempotencyKey, TransactionId } from '../shared/ids.ts';
import type { Vault } from '../vault/vault.ts';
import type { App, CreatedTransaction } from './app.ts';
import { assertNotOwed } from './custody.ts';
import type { Database } from './ports/database.ts';
import type { MoveRequest, Settlements } from './settlements.ts';

export function makeCreateTransaction(parts: {
  readonly settlements: Settlements;
  readonly database: Database;
  readonly node: NfgtNode;
  readonly vault: Vault;
}): App['createTransaction'] {
  const { settlements } = parts;
  return async (request) => {
    const draft = parseDraft(request);
    const wanted: MoveRequest = {
      // Only a key that the caller alone knows may bring the passphrase back: transaction ids stand on the chain.
      key: request.key ?? (`create:${uuidv4()}` as IdempotencyKey),
      kind: 'create',
      origin: request.requestId === undefined ? {} : { requestId: request.requestId },
    };
    const moved = await settlements.move<TransactionId | null>(wanted, () => ({
      drafts: [draft],
      handOvers: [],
      custody: 'caller',
      prepare: async (stores, { transactionIds }) => {
        await assertNotOwed(stores, draft.assetId, undefined);
        return { answer: transactionIds.get(draft.assetId) ?? null };
      },
    }));
    const made = moved.group?.transactions[0];
    if (made !== undefined) {
      return { record: made.record, successorPassphrase: made.successorPassphrase };
    }
    return await repeatAnswer(parts, moved.answer, draft);
  };
}

/** A repeated request gets the passphrase of its first time again: the answer may have been lost on the way. */
async function repeatAnswer(
  { database, vault }: { readonly database: Database; readonly vault: Vault },
  transactionId: TransactionId | null,
  draft: TransactionDraft,
): Promise<CreatedTransaction> {
  const found = await database.read(async ({ journal, vault: entries }) =>
    transactionId === null
      ? undefined
      : {
          entry: await journal.findEntry(transactionId),
          kept: await entries.findEntry(transactionId),
        },
  );
  if (found?.entry === undefined || found.kept === undefined) throw new AppError('KEY_REUSED');
  const record = parseRecord(found.entry.record);
  const { assetId, ownerId, metadata } = draft;
  // Only the very same request may learn the passphrase, not anyone who happens upon its key.
  if (
    'fault' in record ||
    !encodeRecord({ ...record, assetId, ownerId, metadata }).equals(found.entry.record)
  ) {
    throw new AppError('KEY_REUSED');
  }
  const { transactionId: id } = record;
  return {
    record,
    successorPassphrase: vault.open(found.kept.sealed, { assetId, transactionId: id }),
  };
}

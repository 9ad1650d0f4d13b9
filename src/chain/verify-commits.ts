// The rules that one commit can be held to alone, and what is kept of it for the rules that look beyond it.
import { isTransactionId, type CommitId } from '../shared/ids.ts';
import {
  MAX_RECORD_BYTES,
  parseRecord,
  recordDigest,
  UNKNOWN_HASH_FORM,
  type TransactionRecord,
} from './record.ts';
import type { FindingKind } from './verify-kinds.ts';
import type { SourceCommit, SourceSignature } from './verify-source.ts';

/** What is kept of a commit once its bytes are gone. */
export interface CommitFacts {
  readonly commitId: CommitId;
  readonly parents: readonly CommitId[];
  readonly commitTimeSeconds: number;
  readonly treeDigest: string | undefined;
  readonly signature: SourceSignature | undefined;
  /** The short id that its committer has as name and e-mail. */
  readonly committerId: string | undefined;
  /** Why its author and committer are unusual. */
  readonly authorNote: string | undefined;
  /** Undefined when the record cannot be read. */
  readonly transaction: Omit<TransactionRecord, 'metadata' | 'ownerId'> | undefined;
  readonly faults: readonly CommitFault[];
}

interface CommitFault {
  readonly kind: FindingKind;
  readonly detail: string;
}

const REGULAR_FILE = '100644';

/** Holds a commit to the rules that need nothing but itself. */
export function digestCommit(commit: SourceCommit): CommitFacts {
  const { commitId, parents, commitTimeSeconds, treeDigest, signature } = commit;
  const { transaction, faults } = digestRecord(commit);
  if (parents.length > 1) {
    faults.push({ kind: 'merge-commit', detail: `it has ${parents.length} parents` });
  }
  if (treeDigest === undefined) {
    faults.push({ kind: 'object-unreadable', detail: 'its tree cannot be read' });
  }
  return {
    commitId,
    parents,
    commitTimeSeconds,
    treeDigest,
    signature,
    committerId: shortIdOf(commit.committer),
    authorNote: noteOfAuthor(commit),
    transaction,
    faults,
  };
}

interface DigestedRecord {
  readonly transaction: CommitFacts['transaction'];
  readonly faults: CommitFault[];
}

const unread = (kind: FindingKind, detail: string): DigestedRecord => ({
  transaction: undefined,
  faults: [{ kind, detail }],
});

function digestRecord({ recordFile, treeDigest, message }: SourceCommit): DigestedRecord {
  // An unreadable tree is one finding, not two.
  if (treeDigest === undefined) return { transaction: undefined, faults: [] };
  switch (recordFile.state) {
    case 'absent':
      return unread('record-missing', 'its tree has no metadata.json');
    case 'no-file':
      return unread('record-not-a-file', `metadata.json has the mode ${recordFile.mode}`);
    case 'unreadable':
      return unread('object-unreadable', 'its record cannot be read');
    case 'too-large':
      return unread('record-too-large', `the record has ${recordFile.size} bytes`);
    case 'read':
      return digestBytes(recordFile.bytes, recordFile.mode, message);
  }
}

function digestBytes(bytes: Buffer, mode: string, message: string): DigestedRecord {
  const faults: CommitFault[] = [];
  if (mode !== REGULAR_FILE) {
    faults.push({ kind: 'record-not-a-file', detail: `metadata.json has the mode ${mode}` });
  }
  if (bytes.length > MAX_RECORD_BYTES) {
    const detail = `the record has ${bytes.length} bytes`;
    return { transaction: undefined, faults: [...faults, { kind: 'record-too-large', detail }] };
  }
  const digest = recordDigest(bytes);
  if (message !== digest) {
    const detail = `the record's hash is ${digest.slice(0, 16)}…, the message ${excerpt(message, 16)}`;
    faults.push({ kind: 'message-mismatch', detail });
  }
  const record = parseRecord(bytes);
  if ('fault' in record) {
    const isForm = record.fault === UNKNOWN_HASH_FORM;
    const kind = isForm ? 'successor-hash-form' : 'record-malformed';
    return { transaction: undefined, faults: [...faults, { kind, detail: record.fault }] };
  }
  const { successorHash, transactionId, transactionTime, assetId, predecessorProof } = record;
  if (!isTransactionId(transactionId)) {
    const detail = `transaction_id ${excerpt(transactionId, 40)} is not a lowercase UUID`;
    faults.push({ kind: 'record-malformed', detail });
  }
  const transaction = { successorHash, transactionId, transactionTime, assetId, predecessorProof };
  return { transaction, faults };
}

function noteOfAuthor({ author, committer }: SourceCommit): string | undefined {
  if (author === committer && shortIdOf(author) !== undefined) return undefined;
  return `author ${excerpt(author, 60)}, committer ${excerpt(committer, 60)}`;
}

function shortIdOf(identity: string): string | undefined {
  const [, name, email] = /^(.*) <(.*)>$/.exec(identity) ?? [];
  return name !== '' && name === email ? name : undefined;
}

/** Foreign text for a detail: quoted, and no longer than asked. */
function excerpt(text: string, length: number): string {
  return JSON.stringify(text.length > length ? `${text.slice(0, length)}…` : text);
}

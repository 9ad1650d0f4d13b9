// What comes from the chain or wants onto it: records, ids, drafts, the validators' file, the signers' list, reveals.
import fc from 'fast-check';
import { parseDraft } from '../../../src/chain/draft.ts';
import {
  addReveals,
  isProofFile,
  parseRevealLines,
  parseReveals,
  proofFileNumber,
} from '../../../src/chain/proofs.ts';
import {
  checkMetadata,
  encodeRecord,
  MAX_RECORD_BYTES,
  parseRecord,
  type TransactionRecord,
} from '../../../src/chain/record.ts';
import { assetOfBranch, branchOf, parseAssetId, parseOwnerId } from '../../../src/chain/refs.ts';
import { answersHash, hashPassphrase, isPlainHash } from '../../../src/chain/succession.ts';
import {
  MAX_WELL_KNOWN_BYTES,
  NODE_FILE,
  parseNodeFile,
  parseSigners,
  presentValidator,
  SIGNERS_FILE,
} from '../../../src/chain/well-known.ts';
import {
  isCommitId,
  isMemberId,
  isTransactionId,
  type AssetId,
  type OwnerId,
  type TransactionId,
} from '../../../src/shared/ids.ts';
import { bytesOf, inputOf, refusing } from '../refusals.ts';
import { must, pure, type Target } from '../target.ts';

const HASH = 'a1'.repeat(64);
const ID = '11111111-2222-4333-8444-555555555555';
const RECORD: TransactionRecord = {
  successorHash: HASH,
  transactionId: ID as TransactionId,
  transactionTime: 1_700_000_000_000,
  assetId: 'aHR0cHM6Ly9leGFtcGxlLm9yZy9hLnBuZw==' as AssetId,
  ownerId: 'owner' as OwnerId,
  metadata: { name: 'Crane', tags: ['a<b', '\u2028'], cost: 1.5, deep: { z: null, a: [true] } },
};
const RECORDS: readonly TransactionRecord[] = [
  RECORD,
  { ...RECORD, predecessorProof: 'b2'.repeat(64) },
  { ...RECORD, successorHash: '$argon2id$v=19$m=65536,t=3,p=1$c2FsdHNhbHQ$aGFzaA', metadata: null },
];

/** Reading what was written gives what was written, and writing that gives the same bytes. */
function checkRecord(input: string): void {
  const read = parseRecord(bytesOf(input));
  if ('fault' in read) {
    must(read.fault !== '' && read.fault.length < 200, 'a fault is a short sentence');
    return;
  }
  must(input.length <= MAX_RECORD_BYTES, 'a record is within its limit');
  must(read.transactionTime >= 0 && Number.isSafeInteger(read.transactionTime), 'a time is whole');
  // What this node writes is held to a depth; a record that nests deeper is kept as the bytes that it came in.
  if (refusing(['METADATA_INVALID'], () => checkMetadata(read.metadata ?? {})) === undefined)
    return;
  const bytes = encodeRecord(read);
  const again = parseRecord(bytes);
  must(!('fault' in again), 'an accepted record is accepted again when it is written anew');
  must(encodeRecord(again).equals(bytes), 'writing what was read gives the same bytes');
}

const jsonObject = fc
  .dictionary(fc.string({ unit: 'binary', maxLength: 6 }), fc.jsonValue({ maxDepth: 3 }), {
    maxKeys: 5,
  })
  .map((value) => JSON.stringify(value));

/** The same value as JSON sees it. */
const sameJson = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

function checkMetadataText(input: string): void {
  let value: unknown;
  try {
    value = JSON.parse(input);
  } catch {
    return;
  }
  const metadata = refusing(['METADATA_INVALID'], () => checkMetadata(value));
  if (metadata === undefined) return;
  must(sameJson(metadata, value), 'metadata is taken as it is');
  const bytes = encodeRecord({ ...RECORD, metadata });
  const read = parseRecord(bytes);
  must(!('fault' in read), 'a record with accepted metadata can be read');
  must(encodeRecord(read).equals(bytes), 'metadata comes back as it was written');
  must(
    refusing(['METADATA_INVALID'], () => checkMetadata(read.metadata)) !== undefined,
    'metadata that was accepted once is accepted again',
  );
}

/** git's rules for a ref's name (git-check-ref-format), as they are written down; held against git by `git-ref-names`. */
export function isRefName(name: string): boolean {
  const parts = name.split('/');
  return (
    parts.every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock')) &&
    parts.length > 1 &&
    !name.includes('..') &&
    !name.includes('@{') &&
    !name.endsWith('.') &&
    // eslint-disable-next-line no-control-regex -- git refuses control characters
    !/[\u0000-\u0020\u007f~^:?*[\\]/.test(name)
  );
}

function checkAssetId(input: string): void {
  const assetId = refusing(['ASSET_ID_INVALID'], () => parseAssetId(input));
  if (assetId === undefined) return;
  const branch = branchOf(assetId);
  must(isRefName(`refs/heads/${branch}`), 'an accepted asset id makes a branch that git allows');
  must(!branch.includes('/'), 'a branch is one path component');
  must(Buffer.byteLength(branch) <= 250, 'a branch with .lock is a legal file name');
  must(assetOfBranch(branch) === assetId, 'the asset of its branch is the asset');
}

function checkDraft(input: string): void {
  let value: unknown;
  try {
    value = JSON.parse(input);
  } catch {
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const fields = value as Record<string, unknown>;
  const [assetId, ownerId, passphrase] = [
    fields['assetId'],
    fields['ownerId'],
    fields['passphrase'],
  ];
  const [metadata, transactionId] = [fields['metadata'], fields['transactionId']];
  const draft = refusing(
    [
      'ASSET_ID_INVALID',
      'OWNER_ID_INVALID',
      'METADATA_INVALID',
      'TRANSACTION_ID_INVALID',
      'INPUT_INVALID',
    ],
    () => parseDraft({ assetId, ownerId, passphrase, metadata, transactionId }),
  );
  if (draft === undefined) return;
  must(draft.assetId === assetId && draft.ownerId === ownerId, 'ids are taken as they are');
  must(sameJson(draft.metadata, metadata ?? null), 'metadata is taken as it is');
  const record = {
    ...RECORD,
    assetId: draft.assetId,
    ownerId: draft.ownerId,
    metadata: draft.metadata,
    transactionId: draft.transactionId ?? RECORD.transactionId,
  };
  const bytes = encodeRecord(record);
  must(bytes.length <= MAX_RECORD_BYTES, 'a draft that was accepted fits into a record');
  const read = parseRecord(bytes);
  must(
    !('fault' in read) && read.ownerId === draft.ownerId,
    'a draft that was accepted can be read back',
  );
}

const ENTRY = {
  id: 'a1b2c3',
  publicKey: 'ssh-ed25519 AAAAC3Nz',
  introspectionUrl: 'https://n.example/',
};

function checkNodeFile(input: string): void {
  const content = bytesOf(input);
  const read = parseNodeFile(content);
  const changed = presentValidator(new Map([[NODE_FILE, content]]), ENTRY).get(NODE_FILE);
  if (changed === undefined) return;
  must(
    changed.length <= MAX_WELL_KNOWN_BYTES,
    'the file is never written larger than it may be read',
  );
  const again = parseNodeFile(changed);
  must(!('fault' in again), 'the file that was written can be read');
  must(
    again.validators.some((one) =>
      sameJson(one, {
        id: ENTRY.id,
        public_key: ENTRY.publicKey,
        introspection_url: ENTRY.introspectionUrl,
      }),
    ),
    'the validator stands in the file',
  );
  if ('fault' in read) return;
  must(sameJson(again.members, read.members), 'members of others stay as they are');
  must(
    presentValidator(new Map([[NODE_FILE, changed]]), ENTRY).get(NODE_FILE) === undefined,
    'presenting oneself twice changes nothing',
  );
}

function checkSigners(input: string): void {
  const content = bytesOf(input);
  const { signers, fault } = parseSigners(content);
  must((fault?.length ?? 0) < 200, 'a fault is short');
  const text = content.toString('utf8');
  for (const { id, publicKey } of signers) {
    must(
      text.includes(id) && text.includes(publicKey),
      'a signer stands in the file as it was read',
    );
    must(/^[\w.@+-]+$/.test(id), 'an id is a word');
  }
  const changed = presentValidator(new Map([[SIGNERS_FILE, content]]), ENTRY).get(SIGNERS_FILE);
  if (changed === undefined || fault !== undefined) return;
  const after = parseSigners(changed);
  must(after.fault === undefined, 'a sound list stays sound when a validator adds itself');
  must(after.signers.length === signers.length + 1, 'a validator that adds itself adds one signer');
  must(
    after.signers.slice(0, -1).every((one, i) => sameJson(one, signers[i])),
    'the others stay',
  );
}

const REVEAL = { transaction_id: ID, asset_id: 'crane', predecessor_passphrase: 'secret words' };

function checkReveals(input: string): void {
  const content = bytesOf(input);
  const lines = parseRevealLines(content);
  const reveals = parseReveals(content);
  must(lines.filter((line) => line !== undefined).length === reveals.length, 'both readings agree');
  must(lines.length - reveals.length <= 100, 'a file is not read on after a hundred broken lines');
  must(lines.length <= content.length + 1, 'there are no more lines than bytes');
  const path = 'proofs/a1b2c3/0.jsonl';
  const own = {
    transactionId: 'new' as TransactionId,
    assetId: 'a' as AssetId,
    predecessorPassphrase: 'p',
  };
  const { files } = addReveals(new Map([[path, content]]), 'a1b2c3', [...reveals, own]);
  const added = [...files.values()].flatMap((file) => parseReveals(file));
  const isKnown = reveals.some(({ transactionId }) => transactionId === own.transactionId);
  must(isKnown || added.some((one) => sameJson(one, own)), 'an added reveal can be read back');
}

export const chainTargets: readonly Target[] = [
  pure({
    name: 'record',
    covers: ['src/chain/record.ts#parseRecord', 'src/chain/record.ts#encodeRecord'],
    seeds: RECORDS.map((record) => inputOf(encodeRecord(record))),
    tokens: [
      '1e400',
      '"metadata":',
      '"successor_hash":',
      '\\ud800',
      '\\u0000',
      '"__proto__":',
      '[[[[',
      '{"a":',
    ],
    isJson: true,
    isBytes: true,
    growthLength: MAX_RECORD_BYTES,
    check: checkRecord,
  }),
  pure({
    name: 'metadata',
    covers: ['src/chain/record.ts#checkMetadata'],
    seeds: [
      '{}',
      JSON.stringify(RECORD.metadata),
      '{"a":{"a":{"a":{"a":{"a":[[[[[[[[[[[0]]]]]]]]]]]}}}}}',
    ],
    valid: jsonObject,
    tokens: [
      '1e400',
      '-0',
      '1e21',
      '1e-7',
      '\\ud800',
      '\\udc00',
      '"__proto__":1',
      '\u2028',
      '\\b',
      '\\\\b',
    ],
    isJson: true,
    check: checkMetadataText,
  }),
  pure({
    name: 'asset-id',
    covers: ['src/chain/refs.ts#parseAssetId', 'src/chain/refs.ts#assetOfBranch'],
    seeds: [RECORD.assetId, 'crane-1', 'well-known', 'a@b', 'ünï', '@'],
    tokens: ['.lock', '..', '@{', '.', '/', '@', '-', 'nfgt-', '~1', '^{}', ':', '\u0000'],
    maxLength: 300,
    check: checkAssetId,
  }),
  pure({
    name: 'ids',
    covers: [
      'src/chain/refs.ts#parseOwnerId',
      'src/shared/ids.ts#isTransactionId',
      'src/shared/ids.ts#isMemberId',
      'src/shared/ids.ts#isCommitId',
    ],
    seeds: ['owner', ID, 'a1'.repeat(20), 'a1'.repeat(32), '1200000000000000001'],
    maxLength: 700,
    check: (input) => {
      const ownerId = refusing(['OWNER_ID_INVALID'], () => parseOwnerId(input));
      must(
        ownerId === undefined || Buffer.byteLength(ownerId) <= 512,
        'an owner id is within its limit',
      );
      must(!isTransactionId(input) || /^[0-9a-f-]{36}$/.test(input), 'a UUID is 36 characters');
      must(!isMemberId(input) || BigInt(input) < 10n ** 20n, 'a member id is a number');
      must(
        !isCommitId(input) || [40, 64].includes(input.length),
        'a commit id has a hash’s length',
      );
    },
  }),
  pure({
    name: 'draft',
    covers: ['src/chain/draft.ts#parseDraft'],
    seeds: [
      JSON.stringify({
        assetId: 'crane',
        ownerId: 'o',
        passphrase: 'p',
        metadata: { a: 1 },
        transactionId: ID,
      }),
      JSON.stringify({ assetId: 'crane', ownerId: 'o' }),
    ],
    tokens: [ID, ID.toUpperCase(), '.lock', '\\ud800', 'well-known'],
    isJson: true,
    check: checkDraft,
  }),
  pure({
    name: 'node-file',
    covers: ['src/chain/well-known.ts#parseNodeFile', 'src/chain/well-known.ts#presentValidator'],
    seeds: [
      JSON.stringify({
        format_version: 1,
        validators: [{ id: 'x', public_key: 'k', introspection_url: null }],
        more: { a: [1] },
      }),
      JSON.stringify({ format_version: 1, validators: [{ id: ENTRY.id }, { id: ENTRY.id }] }),
      '{"format_version":2}',
    ],
    tokens: ['"format_version":1', '"validators":[', '"__proto__":{}', '{"a":', '[', '1e400'],
    isJson: true,
    isBytes: true,
    growthLength: 256 * 1024,
    check: checkNodeFile,
  }),
  pure({
    name: 'allowed-signers',
    covers: ['src/chain/well-known.ts#parseSigners'],
    seeds: [
      'a1b2c3 namespaces="git" ssh-ed25519 AAAAC3Nz\n# a comment\nb ssh-rsa AAAAB3Nz a comment\r\n',
      '*@x.org cert-authority,valid-before="2030" ssh-ed25519 AAAA',
      'a,b namespaces="git,file" ssh-rsa AAAA= c',
    ],
    tokens: ['namespaces="git" ', '="', '" ', 'ssh-ed25519 ', 'cert-authority ', '#', '\r\n'],
    isBytes: true,
    growthLength: 256 * 1024,
    check: checkSigners,
  }),
  pure({
    name: 'reveals',
    covers: [
      'src/chain/proofs.ts#parseReveals',
      'src/chain/proofs.ts#parseRevealLines',
      'src/chain/proofs.ts#addReveals',
    ],
    seeds: [`${JSON.stringify(REVEAL)}\n`, `${JSON.stringify(REVEAL)}\n{}\nnull\n[1]\n`],
    tokens: ['{}\n', '\n', '"transaction_id":', '"__proto__":', 'null'],
    isBytes: true,
    maxLength: 600,
    slower: { times: 5, reason: 'a broken line costs an exception, and is read several times' },
    check: checkReveals,
  }),
  pure({
    name: 'proof-path',
    covers: ['src/chain/proofs.ts#proofFileNumber', 'src/chain/proofs.ts#isProofFile'],
    seeds: ['proofs/a1b2c3/0.jsonl', 'proofs/a/999999999.jsonl'],
    tokens: ['proofs/', '../', '.jsonl', '/'],
    maxLength: 200,
    check: (input) => {
      const number = proofFileNumber(input, 'a1b2c3');
      if (number === undefined) return;
      must(
        isProofFile(input) && Number.isSafeInteger(number),
        'a validator’s file is a file of reveals',
      );
      must(!input.includes('..'), 'no path leads out of the folder');
    },
  }),
  pure({
    name: 'successor-hash',
    covers: ['src/chain/succession.ts#answersHash', 'src/chain/succession.ts#isPlainHash'],
    seeds: [
      hashPassphrase('secret'),
      '$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA',
      '$argon2i$v=16$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA',
    ],
    tokens: ['$', 'm=64', 't=1', 'p=1', ',', 'm=0', 't=0', 'p=0', 'v=19', 'v=99', 'argon2d'],
    maxLength: 400,
    slower: { times: 20, reason: 'argon2 runs on a thread, and is meant to take its time' },
    check: async (input) => {
      // The costs are held to their limits by the code; here dear ones would only slow the run.
      if (/[mtp]=\d{4}|[tp]=\d{2}/.test(input)) return;
      must(
        !(await answersHash('another', input)),
        'no passphrase answers a hash that was not made of it',
      );
      must(!isPlainHash(input) || input.length === 128, 'a plain hash is 128 characters');
    },
  }),
];

// Passphrases come to light when they are spent and never before, and validators present themselves beside each other.
import { createSecretKey, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import argon2 from 'argon2';
import BetterSqlite3 from 'better-sqlite3';
import { join } from 'node:path';
import type { Beacon } from '../../src/chain/beacon.ts';
import { addReveals, parseReveals, predecessorProof, type Reveal } from '../../src/chain/proofs.ts';
import { Publisher } from '../../src/chain/publisher.ts';
import { encodeRecord, parseRecord } from '../../src/chain/record.ts';
import { hashPassphrase } from '../../src/chain/succession.ts';
import type { ValidatorEntry } from '../../src/chain/well-known.ts';
import { AppError } from '../../src/shared/errors.ts';
import type { AssetId, TransactionId } from '../../src/shared/ids.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { Vault } from '../../src/vault/vault.ts';
import { MemoryBeacon, MemoryRemote } from '../support/beacon-memory.ts';
import { asset, openTestNode, owner, type TestNode } from '../support/open-test-node.ts';
import { tempDir } from '../support/temp-dir.ts';

const sealer = new Vault(createSecretKey(Buffer.alloc(32, 7)), false).sealerFor('test');
const ENTRY: ValidatorEntry = {
  id: 'abc123',
  publicKey: 'ssh-ed25519 AAAA',
  introspectionUrl: 'https://node.example',
};

let remote: MemoryRemote;
let opened: TestNode;
let stateFile: string;

beforeEach(async () => {
  remote = new MemoryRemote();
  stateFile = join(tempDir(), 'state.sqlite');
  opened = await openTestNode(new MemoryBeacon(remote), { sealer, stateFile });
});
afterEach(() => opened.close());

/** Publishes once, as a stop does. */
async function publish(
  options: Partial<ConstructorParameters<typeof Publisher>[0]> = {},
): Promise<void> {
  const publisher = new Publisher({
    beacon: new MemoryBeacon(remote),
    index: opened.index,
    database: opened.database,
    sealer,
    entry: ENTRY,
    mayWrite: async () => (await opened.node.status()).role === 'validator',
    clock: systemClock,
    logger: silentLogger,
    ...options,
  });
  await publisher.close();
}

const revealed = (): Reveal[] =>
  [...remote.reserved].flatMap(([path, content]) =>
    path.startsWith('proofs/') ? parseReveals(content) : [],
  );

/** Rows that still hold a passphrase. */
function countSealed(): number {
  const db = new BetterSqlite3(stateFile, { readonly: true });
  const { count } = db.prepare('SELECT count(*) AS count FROM reveals').get() as { count: number };
  db.close();
  return count;
}

async function mint(assetId = 'asset'): Promise<string> {
  const { groupId, passphrases } = await opened.accept([{ assetId: asset(assetId) }]);
  await opened.node.outcomeOf(groupId);
  return passphrases[0]!;
}

async function handOver(passphrase: string, assetId = 'asset') {
  const accepted = await opened.accept([
    { assetId: asset(assetId), ownerId: owner('next'), predecessorPassphrase: passphrase },
  ]);
  const outcome = await opened.node.outcomeOf(accepted.groupId);
  return { ...accepted, outcome, transactionId: accepted.transactionIds[0] as TransactionId };
}

/** A mint that another program wrote, with any successor hash. */
function foreignMint(assetId: string, successorHash: string): void {
  const transactionId = randomUUID() as TransactionId;
  const record = encodeRecord({
    successorHash,
    transactionId,
    transactionTime: 1,
    assetId: asset(assetId),
    ownerId: owner('them'),
    metadata: {},
  });
  const commit = remote.addCommit({ parents: [remote.epoch], record });
  remote.branches.set(`nfgt-${assetId}`, commit);
  remote.tags.set(transactionId, commit);
}

describe('a spent passphrase', () => {
  test('is revealed after its hand-over is committed, and answers both hashes', async () => {
    const passphrase = await mint();
    const { transactionId } = await handOver(passphrase);
    await publish();
    expect(revealed()).toEqual([
      { transactionId, assetId: 'asset', predecessorPassphrase: passphrase },
    ]);
    const [tip, first] = opened.node.chain.listAssetHistory(asset('asset'), 9);
    expect(first?.successorHash).toBe(hashPassphrase(passphrase));
    expect(parseRecord(tip!.record)).toMatchObject({
      predecessorProof: predecessorProof(transactionId, passphrase),
    });
    expect(countSealed()).toBe(0);
  });

  test('stands in no record, and nowhere readable in the database before', async () => {
    const passphrase = await mint();
    await handOver(passphrase);
    for (const { record } of remote.commits.values()) {
      expect(record?.includes(passphrase) ?? false).toBe(false);
    }
    expect(countSealed()).toBe(1);
    const db = new BetterSqlite3(stateFile, { readonly: true });
    const row = db.prepare('SELECT sealed FROM reveals').get() as { sealed: Buffer };
    db.close();
    expect(row.sealed.includes(passphrase)).toBe(false);
  });

  test('stays hidden while its transaction is pending', async () => {
    const passphrase = await mint();
    const draft = {
      assetId: asset('asset'),
      ownerId: owner('next'),
      metadata: {},
      predecessorPassphrase: passphrase,
      transactionId: undefined,
    };
    const group = await opened.node.check(randomUUID() as never, [draft]);
    await opened.database.transaction(({ journal }) => opened.node.journal(journal, group));
    await publish();
    expect(revealed()).toEqual([]);
    expect(countSealed()).toBe(1);
  });

  test('of a refused push is forgotten at once and never revealed', async () => {
    const passphrase = await mint();
    remote.failPushes({ kind: 'refuse', reason: 'a hook said no', retryable: false });
    const { outcome } = await handOver(passphrase);
    expect(outcome.state).toBe('rejected');
    expect(countSealed()).toBe(0);
    await publish();
    expect(revealed()).toEqual([]);
    const again = await handOver(passphrase);
    await publish();
    expect(revealed().map(({ transactionId }) => transactionId)).toEqual([again.transactionId]);
  });

  test('waits as long as another asset still answers to it', async () => {
    const passphrase = await mint();
    foreignMint('twin', hashPassphrase(passphrase));
    await opened.node.sync();
    await handOver(passphrase);
    await publish();
    expect(revealed()).toEqual([]);
    await handOver(passphrase, 'twin');
    await publish();
    expect(revealed().map(({ assetId }) => assetId)).toEqual(['asset', 'twin']);
  });

  test('that was guarded by argon2id is never revealed, and its record commits to nothing', async () => {
    foreignMint('lamp', await argon2.hash('chosen', { type: argon2.argon2id }));
    await opened.node.sync();
    await handOver('chosen', 'lamp');
    await publish();
    expect(revealed()).toEqual([]);
    expect(String(opened.node.chain.findTip(asset('lamp'))?.record)).not.toContain('proof');
    expect(countSealed()).toBe(0);
  });

  test('is revealed once, also when the answer to the publication was lost', async () => {
    await handOver(await mint());
    const beacon = new MemoryBeacon(remote);
    const losing: Beacon = Object.assign(Object.create(beacon) as Beacon, {
      writeReserved: async (change: Parameters<Beacon['writeReserved']>[0]) => {
        await beacon.writeReserved(change);
        throw new AppError('BEACON_UNREACHABLE', { reason: 'the answer was lost' });
      },
    });
    await publish({ beacon: losing });
    await publish();
    expect(revealed()).toHaveLength(1);
    expect(countSealed()).toBe(0);
  });

  test('is published later when the branch cannot be written, and its hand-over is committed all the same', async () => {
    const beacon = new MemoryBeacon(remote);
    const warnings: object[] = [];
    const failing: Beacon = Object.assign(Object.create(beacon) as Beacon, {
      writeReserved: () => Promise.reject(new AppError('BEACON_REFUSED', { reason: 'no' })),
    });
    const { outcome } = await handOver(await mint());
    const logger = { ...silentLogger, warn: (facts: object) => void warnings.push(facts) };
    await publish({ beacon: failing, logger });
    expect(outcome.state).toBe('committed');
    expect(warnings).not.toHaveLength(0);
    await publish();
    expect(revealed()).toHaveLength(1);
  });

  test('does not open for another transaction or another purpose', () => {
    const sealedFor = { assetId: asset('a'), transactionId: 'one' as TransactionId };
    const sealed = sealer.seal('secret', sealedFor);
    expect(sealer.open(sealed, sealedFor)).toBe('secret');
    const vault = new Vault(createSecretKey(Buffer.alloc(32, 7)), false);
    const others = [
      () => sealer.open(sealed, { ...sealedFor, transactionId: 'two' as TransactionId }),
      () => vault.open(sealed, sealedFor),
      () => vault.sealerFor('other').open(sealed, sealedFor),
    ];
    for (const open of others) expect(open).toThrow(/seal/i);
  });
});

describe('the files of reveals', () => {
  const reveals = Array.from({ length: 2_000 }, (_, n) => ({
    transactionId: `${n}` as TransactionId,
    assetId: 'x'.repeat(100) as AssetId,
    predecessorPassphrase: `passphrase-${n}`,
  }));

  test('stay within 64 KiB each and hold every reveal once, in order', () => {
    const { files, lastFile } = addReveals(new Map(), 'abc123', reveals);
    expect(lastFile).toBeGreaterThan(3);
    expect([...files.values()].filter(({ length }) => length > 64 * 1024)).toEqual([]);
    expect([...files.values()].flatMap(parseReveals)).toEqual(reveals);
    expect(addReveals(files, 'abc123', reveals).files.size).toBe(0);
    expect(addReveals(files, 'other', reveals.slice(0, 1)).files.size).toBe(1);
  });

  test('that cannot be read are left alone', () => {
    const files = new Map([['proofs/abc123/0.jsonl', undefined]]);
    const added = addReveals(files, 'abc123', reveals.slice(0, 1));
    expect([...added.files.keys()]).toEqual(['proofs/abc123/1.jsonl']);
  });

  test('may hold lines that are no reveals', () => {
    const lines = ['', 'x', '{}', '[1]', 'null', '{"transaction_id":1}', '{"a":"\u0000"}'];
    expect(parseReveals(Buffer.from(lines.join('\n')))).toEqual([]);
  });
});

describe('a validator presents itself', () => {
  const nodeJson = (): unknown => JSON.parse(String(remote.reserved.get('node.json')));
  const entryOf = ({ id, publicKey, introspectionUrl }: ValidatorEntry) => ({
    id,
    public_key: publicKey,
    introspection_url: introspectionUrl,
  });

  test('with its key and URL, once', async () => {
    await publish();
    const { tip } = await new MemoryBeacon(remote).readReserved(0, () => false);
    await publish();
    expect(nodeJson()).toEqual({ format_version: 1, validators: [entryOf(ENTRY)] });
    expect(String(remote.reserved.get('allowed_signers'))).toBe(
      'abc123 namespaces="git" ssh-ed25519 AAAA\n',
    );
    expect(remote.branches.get('well-known')).toBe(tip);
  });

  test('beside others who do so at the same time', async () => {
    const entries = Array.from({ length: 6 }, (_, n) => ({ ...ENTRY, id: `node-${n}` }));
    await Promise.all(entries.map((entry) => publish({ entry })));
    const { validators } = nodeJson() as { validators: object[] };
    expect(validators).toHaveLength(6);
    expect(validators).toEqual(expect.arrayContaining(entries.map(entryOf)));
    expect(String(remote.reserved.get('allowed_signers')).split('\n')).toHaveLength(7);
  });

  test('anew when its key or URL changed; its old key stays among the signers', async () => {
    await publish();
    const moved = { ...ENTRY, publicKey: 'ssh-ed25519 BBBB', introspectionUrl: null };
    await publish({ entry: moved });
    expect(nodeJson()).toEqual({ format_version: 1, validators: [entryOf(moved)] });
    expect(String(remote.reserved.get('allowed_signers'))).toMatch(/AAAA\n.*BBBB\n/);
  });

  test('and leaves what others wrote as it is', async () => {
    const theirs = { id: 'they', more: [1, { x: null }] };
    const file = { format_version: 1, validators: ['odd', theirs], note: 'hello' };
    remote.reserved.set('node.json', Buffer.from(JSON.stringify(file)));
    remote.reserved.set('allowed_signers', Buffer.from('# a comment\n* ssh-rsa AAAA'));
    await publish();
    expect(nodeJson()).toEqual({ ...file, validators: ['odd', theirs, entryOf(ENTRY)] });
    expect(String(remote.reserved.get('allowed_signers'))).toBe(
      '# a comment\n* ssh-rsa AAAA\nabc123 namespaces="git" ssh-ed25519 AAAA\n',
    );
  });

  test.each(['', 'no JSON', '[]', '{"format_version":1}', '{"format_version":1,"validators":{}}'])(
    'in a new file where %j stands, which nobody can read',
    async (text) => {
      remote.reserved.set('node.json', Buffer.from(text));
      await publish();
      expect(nodeJson()).toMatchObject({ validators: [entryOf(ENTRY)] });
    },
  );

  test.each([
    ['of a later format', Buffer.from('{"format_version":2,"people":[]}')],
    ['that is far too large', Buffer.alloc(2_000_000, ' ')],
  ])('but does not touch a node.json %s', async (_what, content) => {
    remote.reserved.set('node.json', content);
    await publish();
    expect(remote.reserved.get('node.json')).toBe(content);
    expect(remote.reserved.has('allowed_signers')).toBe(true);
  });

  test('and an observer does not', async () => {
    await publish({ mayWrite: () => Promise.resolve(false) });
    expect(remote.branches.has('well-known')).toBe(false);
  });
});

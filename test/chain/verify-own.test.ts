// Verification of what our own validators add to a chain: signatures, proofs of succession, and the reserved branch.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { predecessorProof } from '../../src/chain/proofs.ts';
import { encodeRecord } from '../../src/chain/record.ts';
import { hashPassphrase } from '../../src/chain/succession.ts';
import { signerOfSeed } from '../../src/git/ssh-signature.ts';
import type { CommitId, TransactionId } from '../../src/shared/ids.ts';
import { addCommit } from '../support/beacon-git.ts';
import { asset, owner } from '../support/open-test-node.ts';
import {
  makeOwnChain,
  resign,
  runOwnNode,
  withoutSignature,
  type OwnChain,
  type OwnKind,
} from '../support/own-chain.ts';
import { makeSshKey, type KEY_KINDS } from '../support/ssh-keys.ts';
import { tempDir } from '../support/temp-dir.ts';
import { named, verifyRepository, type Named } from '../support/verify-repository.ts';

const FRESH_ID = '11111111-2222-4333-8444-555555555555' as TransactionId;
const PROVEN = { of: 2, proven: 2, notProven: 0, notProvable: 0 };
const SIGNED = { of: 4, commits: 4, good: 4, notChecked: 0 };
const CLEAN = { isClean: true, notes: { total: 0 } };

/** The lamp's tip with a signature that ssh-keygen made of it. */
const signedByKeygen = (kind: keyof typeof KEY_KINDS, namespace: string) => (commit: string) => {
  const file = join(tempDir(), 'payload');
  const payload = withoutSignature(commit);
  writeFileSync(file, payload);
  const args = ['-Y', 'sign', '-q', '-f', makeSshKey(kind).file, '-n', namespace, file];
  execFileSync('ssh-keygen', args, { stdio: 'ignore' });
  const armored = readFileSync(`${file}.sig`, 'utf8').trimEnd().replaceAll('\n', '\n ');
  return payload.replace('\n\n', `\ngpgsig ${armored}\n\n`);
};

/** Adds a transaction to the lamp by plain git: unsigned, and sound. */
function addPlain(
  chain: OwnChain,
  { id = FRESH_ID, successorHash = hashPassphrase(id), predecessorProof: proof = '' } = {},
): string {
  const record = encodeRecord({
    successorHash,
    transactionId: id,
    transactionTime: Date.UTC(2100, 0, 1),
    assetId: asset('lamp'),
    ownerId: owner('eve'),
    metadata: {},
    ...(proof !== '' && { predecessorProof: proof }),
  });
  const commit = addCommit(chain.path, {
    parents: [chain.git('rev-parse', 'nfgt-lamp') as CommitId],
    record,
  });
  chain.git('update-ref', 'refs/heads/nfgt-lamp', commit);
  chain.git('update-ref', `refs/tags/${id}`, commit);
  return commit;
}

const line = (transactionId: string, passphrase: string, assetId = 'lamp'): string =>
  JSON.stringify({
    transaction_id: transactionId,
    asset_id: assetId,
    predecessor_passphrase: passphrase,
  });

/** Adds a line to the one file of reveals. @returns the new tip of `well-known` */
const reveal = (chain: OwnChain, text: string): string =>
  chain.writeFile(chain.proofFile, `${chain.readFile(chain.proofFile)}\n${text}\n`);

describe('a chain of our own node that was stopped cleanly is clean, all signed and all proven', () => {
  test('with a key of the node’s own', async () => {
    const { path } = await makeOwnChain();
    const report = await verifyRepository(path);
    expect(report).toMatchObject({ ...CLEAN, signed: SIGNED, handOvers: PROVEN });
  });

  test.each(['ed25519', 'rsa'] as const)('with an %s key of ssh', async (kind) => {
    const folder = tempDir();
    await runOwnNode(folder, makeSshKey(kind).text);
    const report = await verifyRepository(join(folder, 'beacon.git'));
    expect(report).toMatchObject({ ...CLEAN, signed: SIGNED, handOvers: PROVEN });
  });
});

describe('what cannot be checked is counted and no finding', () => {
  test('an unsigned transaction that nobody revealed', async () => {
    const chain = await makeOwnChain();
    addPlain(chain);
    const report = await verifyRepository(chain.path);
    expect(report).toMatchObject({
      ...CLEAN,
      signed: { ...SIGNED, of: 5 },
      handOvers: { ...PROVEN, of: 3, notProven: 1 },
    });
  });

  test('a transaction after the hash of a passphrase that a person chose', async () => {
    const chain = await makeOwnChain();
    addPlain(chain, {
      successorHash: '$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo',
    });
    addPlain(chain, { id: FRESH_ID.replace(/5$/, '6') as TransactionId });
    const report = await verifyRepository(chain.path);
    const handOvers = { of: 4, proven: 2, notProven: 1, notProvable: 1 };
    expect(report).toMatchObject({ ...CLEAN, handOvers });
  });

  test('a signature by a key of another kind', async () => {
    const chain = await makeOwnChain();
    await chain.replaceTip(signedByKeygen('ecdsa', 'git'));
    const report = await verifyRepository(chain.path);
    expect(report).toMatchObject({
      ...CLEAN,
      signed: { of: 4, commits: 4, good: 3, notChecked: 1 },
    });
  });

  test('files, reveals and keys of others beside ours', async () => {
    const chain = await makeOwnChain();
    chain.writeFile('notes/words.txt', 'anything');
    const listed = chain.readFile('allowed_signers');
    const others =
      '# others\n\na,b cert-authority ssh-ed25519 AAAA\nc valid-before="20300101" ecdsa-sha2-nistp256 AAAA x y\n';
    chain.writeFile('allowed_signers', `${listed}\n${others}`);
    chain.writeFile('proofs/fff000/1.jsonl', chain.readFile(chain.proofFile));
    const report = await verifyRepository(chain.path);
    expect(report).toMatchObject({ ...CLEAN, signed: SIGNED, handOvers: PROVEN });
  });
});

type Damage = (chain: OwnChain) => readonly Named[] | Promise<readonly Named[]>;

const onTip =
  (kind: OwnKind, change: (commit: string) => string | Promise<string>): Damage =>
  async (chain) => [[kind, 'nfgt-lamp', await chain.replaceTip(change)]];

const broken =
  (file: (chain: OwnChain) => string, content: string | Buffer, mode?: string): Damage =>
  (chain) => [['well-known-broken', 'well-known', chain.writeFile(file(chain), content, mode)]];

const DAMAGES: Readonly<Record<OwnKind, Readonly<Record<string, Damage>>>> = {
  'signature-wrong': {
    'a commit that was changed after it was signed': onTip('signature-wrong', (commit) =>
      commit.replace(/^((?:author|committer) .*)\+0000$/gm, '$1+0100'),
    ),
    'a signature of another commit': async (chain) => {
      const other = /^gpgsig.*\n(?: .*\n)*/m.exec(chain.git('cat-file', 'commit', 'nfgt-ring'));
      const change = (commit: string) => commit.replace(/^gpgsig.*\n(?: .*\n)*/m, other![0]);
      return [['signature-wrong', 'nfgt-lamp', await chain.replaceTip(change)]];
    },
    'a signature that was cut short': onTip('signature-wrong', (commit) =>
      commit.replace(/\n .{70}\n/, '\n'),
    ),
    'a signature that is for something else than git': onTip(
      'signature-wrong',
      signedByKeygen('ed25519', 'file'),
    ),
    'two signatures': onTip('signature-wrong', (commit) =>
      commit.replace(/^gpgsig.*\n(?: .*\n)*/m, '$&$&'),
    ),
  },
  'signer-unlisted': {
    'a key that nobody is listed with': onTip(
      'signer-unlisted',
      resign(signerOfSeed(randomBytes(32))),
    ),
    'a key that is listed for another committer': async (chain) => {
      const signer = signerOfSeed(randomBytes(32));
      const listed = chain.readFile('allowed_signers');
      chain.writeFile('allowed_signers', `${listed}\nfff000 ${signer.publicKey}\n`);
      return [['signer-unlisted', 'nfgt-lamp', await chain.replaceTip(resign(signer))]];
    },
    'a commit in the name of another committer': onTip('signer-unlisted', (commit) =>
      resign(signerOfSeed(Buffer.alloc(32, 1)))(
        commit.replace(/^(author|committer) .*>/gm, '$1 fff000 <fff000>'),
      ),
    ),
    'a list without the key, for every commit that it signed': (chain) => {
      const own = chain
        .git('rev-list', 'well-known', 'nfgt-lamp', 'nfgt-ring', '^main')
        .split('\n');
      chain.writeFile('allowed_signers', '');
      const branchOf = (id: string): string => {
        const names = chain.git('branch', '--contains', id, '--format=%(refname:short)');
        return names.split('\n')[0]!;
      };
      return own.map((id) => ['signer-unlisted', branchOf(id), id] as const);
    },
  },
  'reveal-wrong': {
    'another passphrase than the predecessor’s': (chain) => {
      const text = chain.readFile(chain.proofFile).split('\n')[0]!;
      const { transaction_id: id } = JSON.parse(text) as { transaction_id: string };
      const commit = chain.git('rev-parse', `refs/tags/${id}`);
      reveal(chain, line(id, 'a guess'));
      return [['reveal-wrong', 'nfgt-lamp', commit]];
    },
    'a record that commits to another passphrase': (chain) => {
      const commit = addPlain(chain, { predecessorProof: predecessorProof(FRESH_ID, 'another') });
      reveal(chain, line(FRESH_ID, chain.passphrase));
      return [['reveal-wrong', 'nfgt-lamp', commit]];
    },
    'a record that commits to nothing': (chain) => {
      const commit = addPlain(chain);
      reveal(chain, line(FRESH_ID, chain.passphrase));
      return [['reveal-wrong', 'nfgt-lamp', commit]];
    },
    'a proof copied from another record': (chain) => {
      const { transactionIds, passphrase } = chain;
      const copied = predecessorProof(transactionIds[1] as TransactionId, passphrase);
      const commit = addPlain(chain, { predecessorProof: copied });
      reveal(chain, line(FRESH_ID, passphrase));
      return [['reveal-wrong', 'nfgt-lamp', commit]];
    },
  },
  'reveal-unknown': {
    'a transaction that is not on the chain': (chain) => [
      ['reveal-unknown', 'well-known', reveal(chain, line(FRESH_ID, 'x'))],
    ],
    'a transaction of another asset': (chain) => [
      ['reveal-unknown', 'well-known', reveal(chain, line(chain.transactionIds[1]!, 'x', 'ring'))],
    ],
    'a mint': (chain) => [
      ['reveal-unknown', 'well-known', reveal(chain, line(chain.transactionIds[0]!, 'x'))],
    ],
  },
  'well-known-broken': {
    'a node.json that is no JSON': broken(() => 'node.json', '{bad'),
    'a node.json without validators': broken(() => 'node.json', '{"format_version":1}'),
    'a node.json that is a link': broken(() => 'node.json', '/etc/passwd', '120000'),
    'signers that are no text': broken(() => 'allowed_signers', Buffer.of(0xff, 0x0a)),
    'signers with a line of another form': broken(() => 'allowed_signers', 'somebody\n'),
    'signers of more than a megabyte': broken(() => 'allowed_signers', '#'.repeat(1_100_000)),
    'a file of proofs with a line that is none': broken(() => 'proofs/fff000/1.jsonl', '{}\n'),
    'a file of proofs that is no text': broken(() => 'proofs/fff000/2.jsonl', Buffer.of(0xff)),
  },
};

const sorted = (remarks: readonly Named[]): string[] =>
  remarks.map((remark) => remark.join(' ')).sort();

describe.each(Object.entries(DAMAGES))('%s is found, and nothing else, for', (_kind, damages) => {
  test.each(Object.entries(damages))('%s', async (_, damage) => {
    const chain = await makeOwnChain();
    const expected = await damage(chain);
    const { findings, notes, isClean } = await verifyRepository(chain.path);
    expect(sorted(named(findings.shown))).toEqual(sorted(expected));
    expect([isClean, notes.shown]).toEqual([false, []]);
  });
});

describe('the reserved branch', () => {
  test('that leads nowhere is one finding, and leaves who signed undecided', async () => {
    const chain = await makeOwnChain();
    writeFileSync(join(chain.path, 'refs/heads/well-known'), `${'1'.repeat(40)}\n`);
    const { findings, signed } = await verifyRepository(chain.path);
    expect(findings.byKind).toEqual({ 'object-unreadable': 1 });
    expect(signed).toEqual({ of: 4, commits: 4, good: 0, notChecked: 4 });
  });

  test('is no asset, whatever stands on it', async () => {
    const chain = await makeOwnChain();
    chain.writeFile('metadata.json', chain.git('show', 'nfgt-lamp:metadata.json'));
    const { counts, isClean } = await verifyRepository(chain.path);
    expect([isClean, counts.assets, counts.transactions]).toEqual([true, 2, 4]);
  });
});

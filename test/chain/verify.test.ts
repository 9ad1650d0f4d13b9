// Verification: sound chains are clean, and each kind of damage is found, named, and told from every other.
/* eslint-disable jest/no-standalone-expect -- the rule does not see that testSample is a test */
import { existsSync, readFileSync, rmSync, writeFileSync, chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { encodeRecord, recordDigest } from '../../src/chain/record.ts';
import { hashPassphrase } from '../../src/chain/succession.ts';
import { NOTE_KINDS, type FindingKind } from '../../src/chain/verify-kinds.ts';
import { openGitBeacon } from '../../src/git/open-git-beacon.ts';
import type { TransactionId } from '../../src/shared/ids.ts';
import { sshFixture } from '../support/beacon-git.ts';
import { branchName, makeChain, type DamagedChain } from '../support/damaged-chain.ts';
import { writeEventChain } from '../support/event-chain.ts';
import type { OwnKind } from '../support/own-chain.ts';
import { asset, openTestNode, owner } from '../support/open-test-node.ts';
import { beforeRemoval, git, tempDir } from '../support/temp-dir.ts';
import { named, verifyRepository, type Named } from '../support/verify-repository.ts';

const SAMPLE = new URL('../../../shared/beacon-sample/', import.meta.url).pathname;
const hasSample = existsSync(join(SAMPLE, 'chain.bundle'));
const testSample = hasSample ? test : test.skip;
const LONG = { assetId: asset('long'), ownerId: owner('somebody'), metadata: null };
const transactionIdOf = (index: number): TransactionId =>
  `11111111-2222-4333-8444-${String(index).padStart(12, '0')}` as TransactionId;
const NOWHERE = '1'.repeat(40);
const NOTHING_PROVEN = { proven: 0, notProvable: 0 };

describe('a sound chain is clean', () => {
  testSample(
    hasSample
      ? 'the sample of the first event'
      : 'the sample (skipped: needs ../shared/beacon-sample)',
    async () => {
      const path = join(tempDir(), 'sample.git');
      git(tempDir(), ['clone', '--quiet', '--bare', join(SAMPLE, 'chain.bundle'), path]);
      const facts: unknown = JSON.parse(readFileSync(join(SAMPLE, 'facts.json'), 'utf8'));
      const report = await verifyRepository(path);
      expect(report).toMatchObject({ isClean: true, notes: { total: 0 } });
      const { assets, transactions } = report.counts;
      expect(facts).toMatchObject({ assets, transactions });
      const handOvers = transactions - assets;
      expect(report.handOvers).toEqual({ ...NOTHING_PROVEN, of: handOvers, notProven: handOvers });
      expect(report.signed).toEqual({ of: transactions, commits: 0, good: 0, notChecked: 0 });
    },
  );

  test('one that our own node made', async () => {
    const url = join(tempDir(), 'beacon.git');
    const beacon = await openGitBeacon({ url, epochBranch: 'main', workDir: join(tempDir(), 'w') });
    const { node, accept, close } = await openTestNode(beacon);
    beforeRemoval(async () => {
      await close();
      await beacon.close();
    });
    const mints = await accept([{ assetId: asset('a') }, { assetId: asset('ü😀') }]);
    await node.outcomeOf(mints.groupId);
    const predecessorPassphrase = mints.passphrases[0];
    const next = { assetId: asset('a'), ownerId: owner('b'), predecessorPassphrase };
    await node.outcomeOf((await accept([next])).groupId);
    const report = await verifyRepository(url);
    expect(report).toMatchObject({ isClean: true, notes: { total: 0 } });
    expect(report.counts).toEqual({ assets: 2, transactions: 3, tags: 3, annotatedTags: 0 });
    expect(report.handOvers).toEqual({ ...NOTHING_PROVEN, of: 1, notProven: 1 });
  });

  test('a generated one, read in place and through ssh alike', async () => {
    const { path } = sshFixture();
    rmSync(path, { recursive: true });
    await writeEventChain({ gitDir: path, seed: 'v', assets: 120, transactions: 150 });
    const bin = { ...process.env, PATH: `${join(path, '..', 'bin')}:${process.env['PATH'] ?? ''}` };
    const url = `ssh://git@example.invalid${path}`;
    const [inPlace, copied] = [
      await verifyRepository(path),
      await verifyRepository(url, { ambient: bin }),
    ];
    expect(inPlace).toMatchObject({ isClean: true, counts: { assets: 120, transactions: 150 } });
    expect({ ...copied, beacon: '' }).toEqual({ ...inPlace, beacon: '' });
  });

  test('one of a repository with SHA-256 ids', async () => {
    const { path } = await makeChain('sha256');
    expect(await verifyRepository(path)).toMatchObject({ isClean: true, counts: { assets: 6 } });
  });

  test('one with annotated tags, which are counted, also tags of tags', async () => {
    const { path, three, git } = await makeChain();
    const [first = '', second = ''] = three.transactionIds;
    git('tag', '-f', '-a', '-m', 'words', first, three.commitIds[0]!);
    git('tag', '-f', '-a', '-m', 'words', second, three.commitIds[1]!);
    git('tag', '-f', '-a', '-m', 'words', second, `refs/tags/${second}`);
    const report = await verifyRepository(path);
    expect(report).toMatchObject({ isClean: true, counts: { tags: 16, annotatedTags: 2 } });
  });

  test('one whose successor hash is that of a passphrase which a person chose', async () => {
    const { path, add, epoch } = await makeChain();
    const successorHash = '$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo';
    add({ assetId: 'new', parents: [epoch], record: { successorHash } });
    expect(await verifyRepository(path)).toMatchObject({ isClean: true });
  });

  test('one with a commit signed in a way that is not checked, which is counted', async () => {
    const { path, three, git: run } = await makeChain();
    const [, , tip = ''] = three.commitIds;
    const lines = run('cat-file', 'commit', tip).split('\n\n');
    lines[0] =
      lines[0]! + '\ngpgsig -----BEGIN PGP SIGNATURE-----\n parent 0\n -----END PGP SIGNATURE-----';
    const signed = git(path, ['hash-object', '-w', '-t', 'commit', '--stdin'], lines.join('\n\n'));
    run('update-ref', `refs/heads/${branchName(three)}`, signed);
    run('update-ref', `refs/tags/${three.transactionIds[2]!}`, signed);
    const report = await verifyRepository(path);
    expect(report).toMatchObject({
      isClean: true,
      signed: { of: 16, commits: 1, good: 0, notChecked: 1 },
    });
  });

  test('one with the reserved branch beside it, and one that starts from an older epoch', async () => {
    const chain = await makeChain();
    chain.git('update-ref', 'refs/heads/well-known', chain.epoch);
    const tree = chain.git('rev-parse', `${chain.epoch}^{tree}`);
    const newer = chain.git('commit-tree', tree, '-p', chain.epoch, '-m', 'newer');
    chain.git('update-ref', 'refs/heads/main', newer);
    chain.add({ assetId: 'new', parents: [newer] });
    const report = await verifyRepository(chain.path);
    expect(report).toMatchObject({ isClean: true, notes: { total: 0 }, counts: { assets: 7 } });
  });
});

/** Where a finding must be: branch and commit. */
type Place = readonly [branch: string | null, commitId: string];
/** What a damage does, and where its kind must be found then, and nothing else. */
type Damage = (chain: DamagedChain) => Place | readonly Place[];

const onTip = ({ three }: DamagedChain) => ({
  assetId: three.assetId,
  parents: [three.commitIds[2]!],
});

/** A transaction at the end of an interaction chain, unsound in one way. */
const withTip =
  (change: (chain: DamagedChain) => Partial<Parameters<DamagedChain['add']>[0]>): Damage =>
  (chain) => [branchName(chain.three), chain.add({ ...onTip(chain), ...change(chain) })];

const withBytes = (bytes: Buffer) => withTip(() => ({ bytes, tags: [] }));

const FRESH_ID = '11111111-2222-4333-8444-555555555555';

/** The record of the tip as another transaction's, with some of its members changed to anything. */
const withMembers = (changes: Readonly<Record<string, unknown>>, tags: readonly string[] = []) =>
  withTip((chain) => {
    const text = chain.git('show', `${chain.three.commitIds[2]!}:metadata.json`);
    const record = JSON.parse(text) as Record<string, unknown>;
    const fresh = { ...record, transaction_id: FRESH_ID, successor_hash: 'e'.repeat(128) };
    return { bytes: Buffer.from(JSON.stringify({ ...fresh, ...changes })), tags };
  });

/** Something done to the second of three transactions by its commit and tag. */
const toSecond =
  (act: (chain: DamagedChain, commitId: string, tag: string) => void): Damage =>
  (chain) => {
    const { commitIds, transactionIds } = chain.three;
    act(chain, commitIds[1]!, `refs/tags/${transactionIds[1]!}`);
    return [branchName(chain.three), commitIds[1]!];
  };

/** Edits the lines of `packed-refs`, which git itself keeps sound. */
function editPackedRefs({ path, git }: DamagedChain, line: Buffer): void {
  git('pack-refs', '--all');
  const file = join(path, 'packed-refs');
  const [head = '', ...lines] = readFileSync(file, 'latin1').trimEnd().split('\n');
  lines.push(line.toString('latin1'));
  lines.sort((a, b) => (a.slice(41) < b.slice(41) ? -1 : 1));
  writeFileSync(file, Buffer.from(`${[head, ...lines].join('\n')}\n`, 'latin1'));
}

/** Each kind of finding that any chain can have, with what leads to it; the others are in verify-own.test.ts. */
const DAMAGES: Readonly<Record<Exclude<FindingKind, OwnKind>, Readonly<Record<string, Damage>>>> = {
  'merge-commit': {
    'a commit with two parents': withTip(({ three, other }) => ({
      parents: [three.commitIds[2]!, other.commitIds.at(-1)!],
    })),
  },
  'unrelated-root': {
    'a branch with another first commit': ({ add }) => [
      'nfgt-new',
      add({ assetId: 'new', parents: [] }),
    ],
  },
  'foreign-start': {
    'a branch that starts off another asset, named after it': ({ add, three }) => [
      'nfgt-zzz',
      add({ assetId: 'zzz', parents: [three.commitIds[1]!] }),
    ],
    'a branch that starts off another asset, named before it': ({ add, three }) => [
      'nfgt-0',
      add({ assetId: '0', parents: [three.commitIds[2]!] }),
    ],
  },
  'empty-branch': {
    'a branch on the epoch': ({ git, epoch }) => {
      git('update-ref', 'refs/heads/nfgt-new', epoch);
      return ['nfgt-new', epoch];
    },
    'a branch on another asset': ({ git, three }) => {
      git('update-ref', 'refs/heads/nfgt-0', three.commitIds[1]!);
      return ['nfgt-0', three.commitIds[1]!];
    },
    'a symbolic branch': ({ git, three }) => {
      git('symbolic-ref', 'refs/heads/nfgt-0', `refs/heads/${branchName(three)}`);
      return ['nfgt-0', three.commitIds[2]!];
    },
  },
  'nested-branch': {
    'a branch below another': (chain) => {
      const commitId = chain.add({ assetId: 'new/below', parents: [chain.epoch] });
      const above = { assetId: 'x', record: { assetId: asset('new') } };
      const tip = chain.add({ ...above, parents: [chain.epoch] });
      chain.git('update-ref', '-d', 'refs/heads/nfgt-x');
      editPackedRefs(chain, Buffer.from(`${tip} refs/heads/nfgt-new`));
      return ['nfgt-new/below', commitId];
    },
  },
  'branch-not-text': {
    'a branch whose name is not UTF-8': (chain) => {
      const tip = chain.add({ assetId: 'x', parents: [chain.epoch] });
      chain.git('update-ref', '-d', 'refs/heads/nfgt-x');
      editPackedRefs(chain, Buffer.from(`${tip} refs/heads/nfgt-\u00fe`, 'latin1'));
      return ['nfgt-\\xfe', tip];
    },
  },
  'object-unreadable': {
    'a branch on a commit that is not there': ({ path }) => {
      writeFileSync(join(path, 'refs/heads/nfgt-new'), `${NOWHERE}\n`);
      return ['nfgt-new', NOWHERE];
    },
    'a branch that holds no id': ({ path }) => {
      writeFileSync(join(path, 'refs/heads/nfgt-new'), 'nonsense\n');
      return ['nfgt-new', '0'.repeat(40)];
    },
    'a branch on a blob': ({ path, blob }) => {
      const id = blob('x');
      writeFileSync(join(path, 'refs/heads/nfgt-new'), `${id}\n`);
      return ['nfgt-new', id];
    },
    'a missing tree': toSecond(({ objectFile, git }, commitId) => {
      rmSync(objectFile(git('rev-parse', `${commitId}^{tree}`)));
    }),
    'a broken record': toSecond(({ objectFile, git }, commitId) => {
      const file = objectFile(git('rev-parse', `${commitId}:metadata.json`));
      chmodSync(file, 0o600);
      writeFileSync(file, 'nonsense');
    }),
  },
  'record-missing': {
    'a commit without a record': withTip(() => ({ recordEntry: () => undefined, tags: [] })),
  },
  'record-not-a-file': {
    'a symbolic link': withTip(() => ({
      recordEntry: (id) => `120000 blob ${id}\tmetadata.json`,
      tags: [],
    })),
    'a submodule': withTip(({ epoch }) => ({
      recordEntry: () => `160000 commit ${epoch}\tmetadata.json`,
      tags: [],
    })),
    'a directory': withTip(({ git, epoch }) => ({
      recordEntry: () => `040000 tree ${git('rev-parse', `${epoch}^{tree}`)}\tmetadata.json`,
      tags: [],
    })),
    'an executable file': withTip(() => ({
      recordEntry: (id) => `100755 blob ${id}\tmetadata.json`,
    })),
  },
  'record-too-large': {
    'a record of 70,000 bytes': withMembers({ metadata: 'x'.repeat(70_000) }),
    'a record of 20 MB': withBytes(Buffer.alloc(20_000_000, 0x20)),
  },
  'record-malformed': {
    'no JSON': withBytes(Buffer.from('{bad')),
    'no UTF-8': withBytes(Buffer.of(0x22, 0xff, 0x22)),
    'no object': withBytes(Buffer.from('[1]')),
    'an owner that is a number': withMembers({ owner_id: 5 }),
    'a time with a fraction': withMembers({ transaction_time: 1.5 }),
    'a transaction id that is no UUID': withMembers({ transaction_id: 'HEAD-1' }, ['HEAD-1']),
  },
  'asset-mismatch': {
    'a record of another asset': withTip(({ other }) => ({ record: { assetId: other.assetId } })),
    'a record of an asset that is not there': withTip(() => ({
      record: { assetId: asset('nowhere') },
    })),
    'a renamed branch': ({ git, three }) => {
      git('update-ref', 'refs/heads/nfgt-new', three.commitIds[2]!);
      git('update-ref', '-d', `refs/heads/${branchName(three)}`);
      return three.commitIds.map((commitId): Place => ['nfgt-new', commitId]);
    },
  },
  'message-mismatch': {
    'a changed message': withTip(() => ({ message: 'f'.repeat(128) })),
    'a changed record': withTip(({ git, three }) => ({
      message: git('show', '--no-patch', '--format=%B', three.commitIds[2]!),
    })),
  },
  'transaction-id-reused': {
    'a transaction with the id of another': withTip(({ other }) => ({
      record: { transactionId: other.transactionIds[0]! },
      tags: [],
    })),
  },
  'time-backwards': {
    'a transaction before the one that it follows': withTip(() => ({
      record: { transactionTime: Date.UTC(2020, 0, 1) },
    })),
  },
  'successor-hash-form': {
    'a bcrypt hash': withMembers({ successor_hash: '$2b$12$abcdefghijklmnopqrstuv' }),
  },
  'successor-hash-reused': {
    'the hash of an earlier transaction': withTip(({ git, three }) => {
      const text = git('show', `${three.commitIds[0]!}:metadata.json`);
      const { successor_hash: successorHash } = JSON.parse(text) as { successor_hash: string };
      return { record: { successorHash } };
    }),
  },
  'file-added': {
    'a file more': withTip(({ git, blob, epoch }) => ({
      files: [git('ls-tree', epoch), `100644 blob ${blob('#!/bin/sh')}\tevil.sh`],
    })),
  },
  'file-removed': { 'a file less': withTip(() => ({ files: [] })) },
  'file-changed': {
    'a changed file': withTip(({ blob }) => ({
      files: [`100644 blob ${blob('mine')}\tLICENSE`],
    })),
    'a file of another mode': withTip(({ git, epoch }) => ({
      files: [git('ls-tree', epoch).replace('100644', '100755')],
    })),
  },
  'tag-missing': {
    'a deleted tag': toSecond(({ git }, _, tag) => git('update-ref', '-d', tag)),
  },
  'tag-misplaced': {
    'a tag moved to the next transaction': toSecond(({ git, three }, _, tag) =>
      git('update-ref', tag, three.commitIds[2]!),
    ),
    'a tag moved to the epoch': toSecond(({ git, epoch }, _, tag) => git('update-ref', tag, epoch)),
  },
  'tag-not-on-commit': {
    'a tag on a blob': toSecond(({ git, blob }, _, tag) => git('update-ref', tag, blob('x'))),
    'a tag on nothing': toSecond(({ path }, _, tag) =>
      writeFileSync(join(path, tag), `${NOWHERE}\n`),
    ),
  },
  'tag-misnamed': {
    'a renamed tag': toSecond(({ git }, commitId, tag) => {
      git('update-ref', 'refs/tags/v1.0', commitId);
      git('update-ref', '-d', tag);
    }),
  },
  'second-tag': {
    'two tags on one transaction': toSecond(({ git }, commitId) =>
      git('update-ref', 'refs/tags/v1.0', commitId),
    ),
  },
  'stray-tag': {
    'a tag on the epoch': ({ git, epoch }) => {
      git('update-ref', 'refs/tags/v1.0', epoch);
      return [null, epoch];
    },
    'a tag on a blob': ({ git, blob }) => {
      const id = blob('x');
      git('update-ref', `refs/tags/${FRESH_ID}`, id);
      return [null, id];
    },
    'the tags of a deleted branch': ({ git, three }) => {
      git('update-ref', '-d', `refs/heads/${branchName(three)}`);
      return three.commitIds.map((commitId): Place => [null, commitId]);
    },
  },
};

const isPlace = (places: Place | readonly Place[]): places is Place => !Array.isArray(places[0]);

const byCommit = (remarks: readonly Named[]): Named[] =>
  [...remarks].sort((a, b) => ((a[2] ?? '') < (b[2] ?? '') ? -1 : 1));

describe.each(Object.entries(DAMAGES))('%s is found, and nothing else, for', (kind, damages) => {
  test.each(Object.entries(damages))('%s', async (_, damage) => {
    const chain = await makeChain();
    const places = damage(chain);
    const { findings, notes, isClean } = await verifyRepository(chain.path);
    const expected = (isPlace(places) ? [places] : places).map((place): Named => [kind, ...place]);
    expect(byCommit(named(findings.shown))).toEqual(byCommit(expected));
    expect([isClean, notes.shown]).toEqual([false, []]);
  });
});

test('several damages of one commit are all found', async () => {
  const chain = await makeChain();
  const { three, other } = chain;
  const commitId = chain.add({
    ...onTip(chain),
    parents: [three.commitIds[2]!, other.commitIds[0]!],
    message: 'words',
    record: { transactionTime: 1, assetId: other.assetId },
    files: [],
    tags: [],
  });
  const { findings } = await verifyRepository(chain.path);
  expect(Object.keys(findings.byKind)).toEqual([
    'asset-mismatch',
    'file-removed',
    'merge-commit',
    'message-mismatch',
    'tag-missing',
    'time-backwards',
  ]);
  expect(new Set(findings.shown.map((finding) => finding.commitId))).toEqual(new Set([commitId]));
});

describe('what is unusual is a note and no finding', () => {
  const NOTES: Readonly<Record<string, (chain: DamagedChain) => Named>> = {
    'a branch that is neither epoch nor asset': ({ git, epoch }) => {
      git('update-ref', 'refs/heads/feature', epoch);
      return ['other-branch', 'feature', epoch];
    },
    'an asset of a reserved name': ({ add, epoch }) => [
      'reserved-asset-id',
      'nfgt-well-known',
      add({ assetId: 'well-known', parents: [epoch] }),
    ],
    'an asset id with a slash': ({ add, epoch }) => [
      'asset-id-with-slash',
      'nfgt-with/slash',
      add({ assetId: 'with/slash', parents: [epoch] }),
    ],
    'an author who is not a short id': (chain) => [
      'author-form',
      branchName(chain.three),
      chain.add({ ...onTip(chain), author: 'A Person <a@example.com>' }),
    ],
    'a committer who is not the author': (chain) => [
      'author-form',
      branchName(chain.three),
      chain.add({ ...onTip(chain), committer: 'fff000 <fff000>' }),
    ],
    'a commit date that runs backwards': (chain) => [
      'commit-date-backwards',
      branchName(chain.three),
      chain.add({ ...onTip(chain), atSeconds: 1 }),
    ],
  };

  test.each(Object.entries(NOTES))('%s', async (_, make) => {
    const chain = await makeChain();
    const expected = make(chain);
    const report = await verifyRepository(chain.path);
    expect(named(report.notes.shown)).toEqual([expected]);
    expect(report.isClean).toBe(true);
    expect(Object.keys(NOTE_KINDS)).toContain(expected[0]);
  });
});

describe('a hostile repository does no harm', () => {
  test('hundreds of broken objects are each a finding', async () => {
    const chain = await makeChain();
    const count = 130;
    const commits = Array.from(
      { length: count },
      (_, index) =>
        `commit refs/heads/nfgt-broken${index}\ncommitter a <a> 1 +0000\ndata 0\nfrom ${chain.epoch}\n` +
        `M 100644 inline metadata.json\ndata 6\n${100_000 + index}\n`,
    );
    git(chain.path, ['fast-import', '--quiet'], commits.join(''));
    const format = '--format=%(objectname):metadata.json';
    const names = chain.git('for-each-ref', format, 'refs/heads/nfgt-broken*');
    const ids = git(chain.path, ['cat-file', '--batch-check=%(objectname)'], `${names}\n`);
    for (const id of ids.split('\n')) {
      const file = chain.objectFile(id);
      chmodSync(file, 0o600);
      writeFileSync(file, 'nonsense');
    }
    const { findings } = await verifyRepository(chain.path, { maxFindings: 10 });
    expect(findings.byKind).toEqual({ 'object-unreadable': count });
    expect(findings.shown).toHaveLength(10);
  });

  test('branches all along one history take one walk, not one each', async () => {
    const { path, epoch } = await makeChain();
    const length = 3_000;
    const records = Array.from({ length }, (_, index) => {
      const record = { transactionTime: index, transactionId: transactionIdOf(index) };
      return encodeRecord({ ...LONG, ...record, successorHash: hashPassphrase(`${index}`) });
    });
    const commits = records.map(
      (bytes, index) =>
        `commit refs/heads/nfgt-long\ncommitter a <a> ${index} +0000\ndata 128\n${recordDigest(bytes)}` +
        `${index === 0 ? `from ${epoch}\n` : ''}M 100644 inline metadata.json\n` +
        `data ${bytes.length}\n${bytes.toString()}\n` +
        `reset refs/heads/nfgt-stray${index}\nfrom refs/heads/nfgt-long\n\n`,
    );
    git(path, ['fast-import', '--quiet', '--date-format=raw-permissive'], commits.join(''));
    git(path, ['pack-refs', '--all']);
    const { findings, counts } = await verifyRepository(path);
    expect(findings.byKind).toEqual({ 'empty-branch': length, 'tag-missing': length });
    expect(counts.transactions).toBe(16 + length);
  });

  test('settings, replacements and grafts of the repository change nothing of what is read', async () => {
    const chain = await makeChain();
    const forged = chain.add({ ...onTip(chain), message: 'forged' });
    const fine = chain.add(onTip(chain));
    chain.git('update-ref', `refs/heads/${branchName(chain.three)}`, forged);
    chain.git('replace', forged, fine);
    const marker = join(chain.path, 'ran');
    for (const name of [
      'core.sshCommand',
      'core.fsmonitor',
      'core.gitProxy',
      'uploadpack.packObjectsHook',
    ]) {
      chain.git('config', name, `touch ${marker};`);
    }
    chain.git('config', 'extensions.partialClone', 'origin');
    chain.git('config', 'remote.origin.promisor', 'true');
    chain.git('config', 'remote.origin.url', 'ssh://example.invalid/x');
    chain.git('update-ref', '-d', `refs/tags/${chain.three.transactionIds[0]!}`);
    rmSync(chain.objectFile(chain.git('rev-parse', `${chain.other.commitIds[0]!}:metadata.json`)));
    const { findings } = await verifyRepository(chain.path);
    expect(findings.byKind).toMatchObject({
      'message-mismatch': 1,
      'object-unreadable': 1,
      'tag-missing': 1,
    });
    expect(existsSync(marker)).toBe(false);
  });

  test('a second record beside the first is a file more', async () => {
    const chain = await makeChain();
    const [tip = ''] = chain.three.commitIds.slice(-1);
    const entry = (name: string, id: string): Buffer =>
      Buffer.concat([Buffer.from(`100644 ${name}\0`), Buffer.from(id, 'hex')]);
    const bytes = Buffer.concat([
      entry('LICENSE', chain.git('rev-parse', `${tip}:LICENSE`)),
      entry('metadata.json', chain.git('rev-parse', `${tip}:metadata.json`)),
      entry('metadata.json', chain.blob('{}')),
    ]);
    const doubled = git(
      chain.path,
      ['hash-object', '-w', '--literally', '-t', 'tree', '--stdin'],
      bytes,
    );
    const commit = chain.git('cat-file', 'commit', tip).replace(/^tree .*/, `tree ${doubled}`);
    const commitId = git(chain.path, ['hash-object', '-w', '-t', 'commit', '--stdin'], commit);
    chain.git('update-ref', `refs/heads/${branchName(chain.three)}`, commitId);
    chain.git('update-ref', `refs/tags/${chain.three.transactionIds[2]!}`, commitId);
    const { findings } = await verifyRepository(chain.path);
    expect(named(findings.shown)).toEqual([['file-added', branchName(chain.three), commitId]]);
  });
});

describe('a repository that is no beacon is refused', () => {
  test('without an epoch branch', async () => {
    const { path } = await makeChain();
    await expect(verifyRepository(path, { epochBranch: 'trunk' })).rejects.toMatchObject({
      code: 'BEACON_UNUSABLE',
    });
  });

  test('a directory that is no repository, also inside of one', async () => {
    const { path } = await makeChain();
    for (const folder of [tempDir(), join(path, 'objects', 'info')]) {
      await expect(verifyRepository(folder)).rejects.toMatchObject({ code: 'BEACON_UNUSABLE' });
    }
  });
});

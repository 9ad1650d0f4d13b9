// Commits signed here, held against git's and ssh's own judgement.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { signerOfKey, signerOfSeed, type CommitSigner } from '../../src/git/ssh-signature.ts';
import { makeDraft, pushAccepted } from '../support/beacon-contract.ts';
import { gitFixture, sshFixture } from '../support/beacon-git.ts';
import { makeSshKey, verifyCommit, type KEY_KINDS } from '../support/ssh-keys.ts';
import { git, tempDir } from '../support/temp-dir.ts';

async function signerOf(text: string): Promise<CommitSigner> {
  const signer = await signerOfKey(text);
  if ('fault' in signer) throw new Error(signer.fault);
  return signer;
}

/** The commit with its text changed, as a new object. */
function altered(gitDir: string, commit: string, from: string | RegExp, to: string): string {
  const text = git(gitDir, ['cat-file', 'commit', commit]);
  expect(text).toMatch(from);
  return git(
    gitDir,
    ['hash-object', '-w', '-t', 'commit', '--stdin', '--literally'],
    text.replace(from, to),
  );
}

const USABLE = ['ed25519', 'rsa', 'rsa in PEM', 'rsa in PKCS #8'] as const;

describe.each(USABLE)('with an %s key', (kind: keyof typeof KEY_KINDS) => {
  test('git accepts the commit as the key’s, and refuses it as another’s', async () => {
    const key = makeSshKey(kind);
    const fixture = gitFixture();
    const beacon = await fixture.open({ signer: await signerOf(key.text) });
    const [commit = ''] = await pushAccepted(beacon, makeDraft(beacon.epoch));
    expect(verifyCommit(fixture.path, commit, [key.publicKey])).toMatchObject({ isGood: true });
    expect(verifyCommit(fixture.path, commit, [makeSshKey().publicKey]).isGood).toBe(false);
    git(fixture.path, ['fsck', '--strict']);
  });

  test('the same payload always gets the same signature', async () => {
    const { text } = makeSshKey(kind);
    const payload = randomBytes(400);
    const first = await (await signerOf(text)).sign(payload);
    expect(await (await signerOf(text)).sign(payload)).toBe(first);
    expect(await (await signerOf(text)).sign(randomBytes(400))).not.toBe(first);
  });

  test('ssh-keygen takes the signature for the namespace of git and for no other', async () => {
    const { text, publicKey } = makeSshKey(kind);
    const payload = randomBytes(1000);
    const directory = tempDir();
    const signature = join(directory, 'signature');
    const allowed = join(directory, 'allowed_signers');
    writeFileSync(signature, await (await signerOf(text)).sign(payload));
    writeFileSync(allowed, `we ${publicKey}\n`);
    const verify = (namespace: string, input: Buffer): number | null => {
      const args = ['-Y', 'verify', '-f', allowed, '-I', 'we', '-n', namespace, '-s', signature];
      return spawnSync('ssh-keygen', args, { input }).status;
    };
    expect(verify('git', payload)).toBe(0);
    expect(verify('file', payload)).not.toBe(0);
    expect(verify('git', payload.subarray(1))).not.toBe(0);
  });
});

test.each([
  ['the message', /[0-9a-f]{16}$/, '0'.repeat(16)],
  ['the committer', /committer abc123/, 'committer abc124'],
  ['the parent', /parent [0-9a-f]{8}/, 'parent 00000000'],
])('git refuses a commit of which %s was altered', async (_what, from, to) => {
  const key = makeSshKey();
  const fixture = gitFixture();
  const beacon = await fixture.open({ signer: await signerOf(key.text) });
  const [commit = ''] = await pushAccepted(beacon, makeDraft(beacon.epoch));
  const forged = altered(fixture.path, commit, from, to);
  expect(verifyCommit(fixture.path, forged, [key.publicKey]).isGood).toBe(false);
});

test('a key made of a seed signs what git accepts, and is the same for the same seed', async () => {
  const seed = randomBytes(32);
  const signer = signerOfSeed(seed);
  expect(signerOfSeed(Buffer.from(seed)).publicKey).toBe(signer.publicKey);
  const fixture = sshFixture();
  const beacon = await fixture.open({ signer });
  const [commit = ''] = await pushAccepted(beacon, makeDraft(beacon.epoch));
  expect(verifyCommit(fixture.path, commit, [signer.publicKey]).isGood).toBe(true);
});

test('in a repository of SHA-256 objects git finds the signature as well', async () => {
  const key = makeSshKey();
  const fixture = gitFixture();
  const root = join(fixture.path, '..');
  git(root, ['init', '-q', '--bare', '--object-format=sha256', fixture.path]);
  const beacon = await fixture.open({ signer: await signerOf(key.text) });
  const [commit = ''] = await pushAccepted(beacon, makeDraft(beacon.epoch));
  expect(verifyCommit(fixture.path, commit, [key.publicKey]).isGood).toBe(true);
});

test('a draft that is pushed again after a crash becomes the very same commit', async () => {
  const key = makeSshKey('rsa');
  const fixture = gitFixture();
  const before = await fixture.open({ signer: await signerOf(key.text) });
  const drafts = [makeDraft(before.epoch), makeDraft(before.epoch)];
  const commits = await pushAccepted(before, ...drafts);
  await before.close();
  const after = await fixture.open({ signer: await signerOf(key.text) });
  await expect(pushAccepted(after, ...drafts)).resolves.toEqual(commits);
});

test.each(USABLE)('the public key of an %s key is the one that ssh-keygen names', async (kind) => {
  const key = makeSshKey(kind);
  expect((await signerOf(key.text)).publicKey).toBe(key.publicKey);
});

test.each([
  ['an ecdsa key', () => makeSshKey('ecdsa').text, /never signs the same twice/],
  ['an encrypted key', () => makeSshKey('ed25519', 'secret').text, /encrypted/],
  ['an encrypted key in PEM', () => makeSshKey('rsa in PEM', 'secret').text, /encrypted/],
  ['a public key', () => makeSshKey().publicKey, /no private key/],
  ['nothing', () => '', /no private key/],
  [
    'a damaged key',
    () => makeSshKey().text.replace(/^(.*\n.{30}).{9}/, '$1AAAAAAAAA'),
    /no private key/,
  ],
])('%s cannot sign, and the reason is said', async (_what, text, reason) => {
  const signer = await signerOfKey(text());
  expect('fault' in signer ? signer.fault : 'it can').toMatch(reason);
});

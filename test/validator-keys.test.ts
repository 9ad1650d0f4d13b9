// Which key a validator signs with, as an operator configures it, on the embedded beacon and on a remote.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parseConfig } from '../src/config.ts';
import { Closers, dataFiles, openBareNode, openCore } from '../src/core.ts';
import { silentLogger } from '../src/shared/logger.ts';
import { openValidatorKeys } from '../src/validator-keys.ts';
import { makeDraft, pushAccepted } from './support/beacon-contract.ts';
import { gitFixture, sshFixture } from './support/beacon-git.ts';
import { makeSshKey, verifyCommit } from './support/ssh-keys.ts';
import { beforeRemoval, git, tempDir } from './support/temp-dir.ts';

interface Opened {
  readonly commit: string;
  readonly publicKey: string;
  readonly said: readonly unknown[];
}

/** Opens the parts as the program does, pushes one transaction, and closes them. */
async function pushOne(env: Readonly<Record<string, string>>, ambient = {}): Promise<Opened> {
  const closers = new Closers();
  beforeRemoval(() => closers.closeAll());
  const said: unknown[] = [];
  const logger = { ...silentLogger, info: (facts: object) => said.push(facts) };
  const config = parseConfig(env);
  const core = await openCore(config, closers, { logger, ambient: { ...process.env, ...ambient } });
  const [commit = ''] = await pushAccepted(core.beacon, makeDraft(core.beacon.epoch));
  const { signer } = await openValidatorKeys(config, core.vault, silentLogger);
  await closers.closeAll();
  return { commit, publicKey: signer.publicKey, said };
}

test('without an ssh key commits on the embedded beacon are signed with the vault’s, said in the log', async () => {
  const dataDir = tempDir();
  const { commit, publicKey, said } = await pushOne({ DATA_DIR: dataDir });
  expect(verifyCommit(dataFiles(dataDir).beacon, commit, [publicKey]).isGood).toBe(true);
  expect(said).toContainEqual({ reason: 'no ssh key is configured' });
  expect((await pushOne({ DATA_DIR: dataDir })).publicKey).toBe(publicKey);
});

test.each(['BEACON_SSH_KEY', 'BEACON_SSH_KEY_FILE'])(
  'commits on a remote are signed with the key of %s',
  async (name) => {
    const key = makeSshKey();
    const fixture = sshFixture();
    const { commit, publicKey } = await pushOne(
      {
        DATA_DIR: tempDir(),
        BEACON_URL: `ssh://git@example.invalid${fixture.path}`,
        [name]: name === 'BEACON_SSH_KEY' ? key.text : key.file,
      },
      { PATH: `${join(fixture.path, '..', 'bin')}:${process.env['PATH'] ?? ''}` },
    );
    expect(publicKey).toBe(key.publicKey);
    expect(verifyCommit(fixture.path, commit, [key.publicKey]).isGood).toBe(true);
  },
);

test.each([
  ['that never signs the same twice', () => makeSshKey('ecdsa').file, /the same twice/],
  ['that is encrypted', () => makeSshKey('ed25519', 'secret').file, /encrypted/],
  ['that is not there', () => join(tempDir(), 'no-key'), /ENOENT/],
  [
    'that is none',
    () => {
      const file = join(tempDir(), 'key');
      writeFileSync(file, 'no key');
      return file;
    },
    /no private key/,
  ],
])('a key file %s leaves the signing to the vault’s key', async (_what, file, reason) => {
  const vault = {
    deriveKey: () => Buffer.alloc(32, 1),
    sealerFor: () => ({ seal: () => Buffer.alloc(1), open: () => '' }),
  };
  const reasons: string[] = [];
  const logger = { ...silentLogger, info: (facts: object) => reasons.push(JSON.stringify(facts)) };
  const config = parseConfig({ BEACON_URL: 'ssh://x/y', BEACON_SSH_KEY_FILE: file() });
  const { signer } = await openValidatorKeys(config, vault, logger);
  expect(signer.publicKey).toMatch(/^ssh-ed25519 /);
  expect(reasons.join()).toMatch(reason);
});

test('an observer is given no key to sign with, and keeps none', async () => {
  const dataDir = tempDir();
  await pushOne({ DATA_DIR: dataDir });
  const closers = new Closers();
  beforeRemoval(() => closers.closeAll());
  const mirror = { DATA_DIR: tempDir(), BEACON_URL: dataFiles(dataDir).beacon };
  const config = parseConfig({ ...mirror, NODE_ROLE: 'observer' });
  const surroundings = { logger: silentLogger, ambient: process.env };
  const { node } = await openBareNode(config, closers, surroundings);
  expect((await node.status()).role).toBe('observer');
  await closers.closeAll();
  expect(existsSync(dataFiles(mirror.DATA_DIR).vaultKey)).toBe(false);
});

test('two validators on one beacon list their keys on it, and git accepts the commits of both by that list', async () => {
  const fixture = gitFixture();
  await fixture.open();
  const beacon = fixture.path;
  const [one, two] = await Promise.all(
    ['one', 'two'].map((name) =>
      pushOne({
        DATA_DIR: tempDir(),
        BEACON_URL: beacon,
        NODE_PUBLIC_URL: `https://${name}.example/`,
      }),
    ),
  );
  const signers = git(beacon, ['show', 'well-known:allowed_signers']);
  expect(signers.split('\n')).toHaveLength(2);
  for (const { commit, publicKey } of [one!, two!]) {
    expect(signers).toContain(publicKey);
    expect(verifyCommit(beacon, commit, [one!.publicKey, two!.publicKey]).isGood).toBe(true);
  }
  const file = JSON.parse(git(beacon, ['show', 'well-known:node.json'])) as {
    validators: { introspection_url: string }[];
  };
  expect(file.validators.map((entry) => entry.introspection_url).toSorted()).toEqual([
    'https://one.example',
    'https://two.example',
  ]);
  const tip = git(beacon, ['rev-parse', 'well-known']);
  expect(verifyCommit(beacon, tip, [one!.publicKey, two!.publicKey]).isGood).toBe(true);
});

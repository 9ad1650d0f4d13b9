// A git beacon under the failures that remotes, crashes and strangers bring.
/* eslint-disable jest/no-standalone-expect -- the rule does not see that testAsRoot is a test */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import type { Beacon } from '../../src/chain/beacon.ts';
import { branchOf } from '../../src/chain/refs.ts';
import { syncIndex } from '../../src/chain/sync.ts';
import { openChainIndex } from '../../src/db/sqlite-chain-index.ts';
import type { AssetId, CommitId } from '../../src/shared/ids.ts';
import { makeDraft, pushAccepted } from '../support/beacon-contract.ts';
import { addCommit, gitFixture, sshFixture } from '../support/beacon-git.ts';
import { git, tempDir } from '../support/temp-dir.ts';

/** Installs a hook in the remote. */
function setHook(path: string, name: string, script: string): void {
  mkdirSync(join(path, 'hooks'), { recursive: true });
  writeFileSync(join(path, 'hooks', name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(path, 'hooks', name), 0o755);
}

/** Command lines of the processes that work in a directory. */
function processesIn(directory: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`).startsWith(directory);
    } catch {
      return false;
    }
  });
}

/** Waits until no process works there: one that was killed needs a moment to be gone. */
async function untilNobodyWorksIn(directory: string): Promise<void> {
  while (processesIn(directory).length > 0) await sleep(20);
}

describe('opening', () => {
  test('a path where nothing is becomes a bare repository that keeps what it has', async () => {
    const fixture = gitFixture();
    const beacon = await fixture.open();
    const setting = (name: string): string => git(fixture.path, ['config', '--get', name]);
    expect(setting('core.bare')).toBe('true');
    expect(setting('receive.denyDeletes')).toBe('true');
    expect(setting('receive.denyNonFastForwards')).toBe('true');
    expect(git(fixture.path, ['ls-tree', '--name-only', beacon.epoch])).toBe('README.md');
  });

  test('every beacon starts from the same epoch commit', async () => {
    const [one, two] = [await gitFixture().open(), await sshFixture().open()];
    expect(one.epoch).toBe(two.epoch);
  });

  test('a beacon opened again keeps its chains', async () => {
    const fixture = gitFixture();
    const beacon = await fixture.open();
    const draft = makeDraft(beacon.epoch);
    await pushAccepted(beacon, draft);
    const again = await fixture.open();
    expect((await again.advertise()).tags.has(draft.transactionId)).toBe(true);
  });

  test('may share its listing with the first look, and with no other', async () => {
    const fixture = gitFixture();
    const epoch = (await fixture.open()).epoch;
    const beacon = await fixture.open({ sharesOpening: true });
    fixture.setBranch('nfgt-later', epoch);
    expect((await beacon.advertise()).branches.has('nfgt-later')).toBe(false);
    expect((await beacon.advertise()).branches.has('nfgt-later')).toBe(true);
  });

  test('a file URL means the directory', async () => {
    const fixture = gitFixture();
    const beacon = await fixture.open({ url: `file://${fixture.path}` });
    expect(beacon.description).toBe(fixture.path);
  });

  test('a repository without the epoch branch but with others cannot be used', async () => {
    const fixture = gitFixture();
    await fixture.open();
    await expect(fixture.open({ epochBranch: 'epoch-2' })).rejects.toMatchObject({
      code: 'BEACON_UNUSABLE',
    });
  });

  test.each([
    [
      'a directory that is no repository',
      (root: string) => (writeFileSync(join(root, 'x'), ''), root),
    ],
    ['a file', (root: string) => (writeFileSync(join(root, 'x'), ''), join(root, 'x'))],
    ['a transport that runs commands', () => 'ext::sh -c true'],
    ['an unencrypted transport', () => 'http://127.0.0.1/x'],
    ['a host that is an option', () => 'ssh://-oProxyCommand=true/x'],
    ['an scp-like host that is an option', () => '-oProxyCommand=true:x'],
    ['a URL with a line break', () => '/x\n[core]'],
  ])('%s cannot be used', async (_, urlOf) => {
    await expect(gitFixture().open({ url: urlOf(tempDir()) })).rejects.toMatchObject({
      code: 'BEACON_UNUSABLE',
    });
  });

  test('an empty remote that takes no epoch cannot be used', async () => {
    const fixture = sshFixture();
    setHook(fixture.path, 'pre-receive', 'exit 1');
    await expect(fixture.open()).rejects.toMatchObject({ code: 'BEACON_UNUSABLE' });
  });

  test('a remote that does not answer is unreachable, and its password is not repeated', async () => {
    const url = 'https://name:secret@127.0.0.1:9/beacon.git';
    const error: unknown = await gitFixture()
      .open({ url })
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'BEACON_UNREACHABLE' });
    expect(JSON.stringify([error, String((error as Error).cause)])).not.toContain('secret');
  });

  test('a beacon of SHA-256 objects works as any other', async () => {
    const fixture = gitFixture();
    git(join(fixture.path, '..'), ['init', '-q', '--bare', '--object-format=sha256', fixture.path]);
    const beacon = await fixture.open();
    const draft = makeDraft(beacon.epoch);
    const [commitId] = await pushAccepted(beacon, draft);
    expect(commitId).toHaveLength(64);
  });

  const testAsRoot = process.getuid?.() === 0 ? test : test.skip;
  testAsRoot(
    'a repository that another user owns is usable, for it was named on purpose',
    async () => {
      const fixture = gitFixture();
      await (await fixture.open()).close();
      execFileSync('chown', ['-R', '65534', fixture.path]);
      const beacon = await fixture.open();
      await expect(pushAccepted(beacon, makeDraft(beacon.epoch))).resolves.toHaveLength(1);
    },
  );

  test('an ssh key is a file that only we can read, and no part of a command', async () => {
    const fixture = sshFixture();
    const root = tempDir();
    const log = join(root, 'arguments');
    fixture.wrapSsh(`echo "$@" >> '${log}'; exec sh -c "$last"`);
    const workDir = join(root, 'work');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(root, 'key')]);
    const key = readFileSync(join(root, 'key'), 'utf8');
    await fixture.open({ workDir, sshKey: key.trimEnd().replaceAll('\n', '\\n') });
    expect(statSync(join(workDir, 'ssh_key')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(workDir, 'ssh_key'), 'utf8')).toBe(key);
    expect(readFileSync(log, 'utf8')).toContain(`IdentityFile="${join(workDir, 'ssh_key')}" `);
    expect(readFileSync(log, 'utf8')).not.toContain(key.split('\n')[1]);
  });
});

describe.each([
  ['in a directory', gitFixture],
  ['behind ssh', sshFixture],
])('a push to a beacon %s', (_, makeFixture) => {
  test('whose answer is lost after the refs were written is unknown, and repeating it is accepted', async () => {
    const fixture = makeFixture();
    const beacon = await fixture.open();
    setHook(fixture.path, 'reference-transaction', '[ "$1" = committed ] && kill -9 $PPID; exit 0');
    const drafts = [makeDraft(beacon.epoch), makeDraft(beacon.epoch)];
    await expect(beacon.push(drafts)).resolves.toMatchObject({ outcome: 'unknown' });
    expect((await beacon.advertise()).tags.size).toBe(2);
    setHook(fixture.path, 'reference-transaction', 'exit 0');
    await expect(pushAccepted(beacon, ...drafts)).resolves.toHaveLength(2);
  });

  test('that takes too long is unknown and leaves no process behind', async () => {
    const fixture = makeFixture();
    const beacon = await fixture.open({ pushTimeoutMs: 500 });
    setHook(fixture.path, 'pre-receive', 'sleep 60');
    await expect(beacon.push([makeDraft(beacon.epoch)])).resolves.toMatchObject({
      outcome: 'unknown',
    });
    await beacon.close();
    await untilNobodyWorksIn(join(fixture.path, '..'));
    expect(processesIn(join(fixture.path, '..'))).toEqual([]);
  });

  test('that a hook declines is refused for good with the hook’s words', async () => {
    const fixture = makeFixture();
    const beacon = await fixture.open();
    setHook(fixture.path, 'pre-receive', 'echo the shop is closed; exit 1');
    const result = await beacon.push([makeDraft(beacon.epoch)]);
    expect(result).toMatchObject({ outcome: 'refused', stale: [], retryable: false });
    expect(JSON.stringify(result)).toContain('the shop is closed');
  });

  test('that meets another writer’s lock is refused, to be tried again', async () => {
    const fixture = makeFixture();
    const beacon = await fixture.open();
    const draft = makeDraft(beacon.epoch);
    writeFileSync(join(fixture.path, 'refs', 'tags', `${draft.transactionId}.lock`), '');
    await expect(beacon.push([draft])).resolves.toMatchObject({
      outcome: 'refused',
      stale: [],
      retryable: true,
    });
  });

  test('whose draft could not be a commit or a ref is refused for good', async () => {
    const beacon = await makeFixture().open();
    const bad = [
      makeDraft(beacon.epoch, { committer: 'x> <y' }),
      makeDraft(beacon.epoch, { assetId: 'a b' as AssetId }),
      makeDraft(beacon.epoch, { assetId: 'a\nb' as AssetId }),
      makeDraft('HEAD' as CommitId),
      makeDraft(beacon.epoch, { commitTimeSeconds: 0.5 }),
    ];
    for (const draft of bad) {
      await expect(beacon.push([draft])).resolves.toMatchObject({
        outcome: 'refused',
        retryable: false,
      });
    }
    await expect(pushAccepted(beacon, makeDraft(beacon.epoch))).resolves.toHaveLength(1);
  });

  test('makes the commit that plain git makes', async () => {
    const fixture = makeFixture();
    const beacon = await fixture.open();
    const mint = makeDraft(beacon.epoch);
    const [tip] = await pushAccepted(beacon, mint);
    const next = makeDraft(tip!, { assetId: mint.assetId });
    const [commitId] = await pushAccepted(beacon, next);
    const tree = git(fixture.path, [
      'rev-parse',
      `${addCommit(fixture.path, { parents: [tip!], record: next.record })}^{tree}`,
    ]);
    const message = git(fixture.path, ['log', '-1', '--format=%B', commitId!]);
    const identity = '-c user.name=abc123 -c user.email=abc123'.split(' ');
    const env = ['GIT_COMMITTER_DATE', 'GIT_AUTHOR_DATE'].map((name) => `${name}=1700000000 +0000`);
    const names = ['AUTHOR', 'COMMITTER'].flatMap((who) => [
      `GIT_${who}_NAME=abc123`,
      `GIT_${who}_EMAIL=abc123`,
    ]);
    const plain = execFileSync(
      'env',
      [...env, ...names, 'git', ...identity, 'commit-tree', tree, '-p', tip!],
      { cwd: fixture.path, input: message },
    );
    expect(plain.toString().trim()).toBe(commitId);
  });
});

test('a push without history whose end nobody knows is made anew with all of it', async () => {
  const fixture = sshFixture();
  const [bin, log] = ['bin', 'pushes'].map((name) => join(fixture.path, '..', name)) as [
    string,
    string,
  ];
  const real = execFileSync('which', ['git'], { encoding: 'utf8' }).trim();
  const note = `case " $* " in *" push "*) echo "\${GIT_OBJECT_DIRECTORY:-everything}" >> '${log}';; esac`;
  writeFileSync(join(bin, 'git'), `#!/bin/sh\n${note}\nexec '${real}' "$@"\n`, { mode: 0o755 });
  const beacon = await fixture.open();
  const seen = (): readonly boolean[] =>
    readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line === 'everything');
  const draft = makeDraft(beacon.epoch);
  setHook(fixture.path, 'pre-receive', 'kill -9 $PPID');
  await expect(beacon.push([draft])).resolves.toMatchObject({ outcome: 'unknown' });
  setHook(fixture.path, 'pre-receive', 'exit 0');
  // Others that go through in between change nothing about that.
  await pushAccepted(beacon, makeDraft(beacon.epoch));
  await pushAccepted(beacon, draft);
  await pushAccepted(beacon, makeDraft(beacon.epoch));
  expect(seen().slice(-4)).toEqual([false, false, true, false]);
});

describe('a beacon of our own', () => {
  test('takes a batch in one file, without a ref file for any of it', async () => {
    const fixture = gitFixture();
    const beacon = await fixture.open();
    await pushAccepted(beacon, ...Array.from({ length: 3 }, () => makeDraft(beacon.epoch)));
    const loose = ['heads', 'tags'].flatMap((kind) =>
      readdirSync(join(fixture.path, 'refs', kind)),
    );
    expect(loose).toEqual([]);
    expect(git(fixture.path, ['for-each-ref']).split('\n')).toHaveLength(7);
    git(fixture.path, ['fsck', '--strict']);
  });

  test('with a hook gets a push, so that the hook sees the whole batch at once', async () => {
    const fixture = gitFixture();
    const beacon = await fixture.open();
    const log = join(fixture.path, 'log');
    setHook(fixture.path, 'post-receive', `cat >> '${log}'; echo end >> '${log}'`);
    await pushAccepted(beacon, makeDraft(beacon.epoch), makeDraft(beacon.epoch));
    const lines = readFileSync(log, 'utf8').trim().split('\n');
    expect(lines).toHaveLength(5);
    expect(lines.at(-1)).toBe('end');
  });

  test('gets a batch anew, in a pack of its own, with every try', async () => {
    const fixture = gitFixture();
    const beacon = await fixture.open();
    const draft = makeDraft(beacon.epoch);
    const packs = (): number =>
      readdirSync(join(fixture.path, 'objects/pack')).filter((name) => name.endsWith('.pack'))
        .length;
    const lock = join(fixture.path, 'refs/tags', `${draft.transactionId}.lock`);
    writeFileSync(lock, '');
    await expect(beacon.push([draft])).resolves.toMatchObject({ outcome: 'refused' });
    const tried = packs();
    rmSync(lock);
    await pushAccepted(beacon, draft);
    expect(packs()).toBe(tried + 1);
  });

  test('is cleared of half-written packs that are old', async () => {
    const fixture = gitFixture();
    await (await fixture.open()).close();
    const [old, fresh] = ['tmp_pack_old', 'tmp_pack_new'].map((name) =>
      join(fixture.path, 'objects/pack', name),
    );
    for (const file of [old!, fresh!]) writeFileSync(file, 'x');
    utimesSync(old!, 1, 1);
    await fixture.open();
    expect([existsSync(old!), existsSync(fresh!)]).toEqual([false, true]);
  });

  test('may start from an epoch branch with a slash', async () => {
    const beacon = await gitFixture().open({ epochBranch: 'epoch/2026' });
    await expect(pushAccepted(beacon, makeDraft(beacon.epoch))).resolves.toHaveLength(1);
  });

  test('does not take a commit whose parent is gone', async () => {
    const fixture = gitFixture();
    const beacon = await fixture.open();
    const parent = addCommit(fixture.path, { parents: [beacon.epoch], record: Buffer.from('{}') });
    await beacon.readBranches(new Map([['nfgt-x', parent]]), () => false);
    const draft = makeDraft(parent, { assetId: 'x' as AssetId });
    fixture.setBranch('nfgt-x', parent);
    git(fixture.path, ['update-ref', '-d', 'refs/heads/nfgt-x']);
    git(fixture.path, ['prune', '--expire=now']);
    await expect(beacon.push([draft])).resolves.toMatchObject({ outcome: 'refused' });
    git(fixture.path, ['fsck', '--strict', '--connectivity-only']);
  });

  test('takes further batches after strangers have pushed to it', async () => {
    const fixture = gitFixture();
    const beacon = await fixture.open();
    const mint = makeDraft(beacon.epoch);
    const [tip] = await pushAccepted(beacon, mint);
    const record = Buffer.from('{}');
    const foreign = addCommit(fixture.path, { parents: [tip!], record });
    const clone = tempDir();
    git(clone, ['clone', '--quiet', '--bare', fixture.path, 'clone.git']);
    git(join(clone, 'clone.git'), [
      'push',
      '--quiet',
      fixture.path,
      `${foreign}:refs/heads/${branchOf(mint.assetId)}`,
    ]);
    const next = makeDraft(foreign, { assetId: mint.assetId });
    await expect(beacon.push([makeDraft(tip!, { assetId: mint.assetId })])).resolves.toMatchObject({
      outcome: 'refused',
    });
    await expect(pushAccepted(beacon, next, makeDraft(beacon.epoch))).resolves.toHaveLength(2);
  });
});

describe.each([
  ['in a directory', gitFixture],
  ['behind ssh', sshFixture],
])('a stranger’s commit on a beacon %s', (_, makeFixture) => {
  test('with a large tree does not keep its asset from moving on', async () => {
    const fixture = makeFixture();
    const beacon = await fixture.open();
    const blob = git(fixture.path, ['hash-object', '-w', '--stdin'], 'x');
    const lines = Array.from({ length: 30_000 }, (__, at) => `100644 blob ${blob}\t${at}.txt\n`);
    const tree = git(fixture.path, ['mktree'], lines.join(''));
    const tip = git(fixture.path, ['commit-tree', tree, '-p', beacon.epoch], 'x') as CommitId;
    fixture.setBranch('nfgt-x', tip);
    const next = makeDraft(tip, { assetId: 'x' as AssetId });
    await expect(pushAccepted(beacon, next)).resolves.toHaveLength(1);
  });

  test('with a tree that git’s check refuses is no reason to try for ever', async () => {
    const fixture = makeFixture();
    const beacon = await fixture.open();
    git(fixture.path, ['config', 'receive.fsckObjects', 'true']);
    const blob = git(fixture.path, ['hash-object', '-w', '--stdin'], 'x');
    const entry = (name: string): Buffer =>
      Buffer.concat([Buffer.from(`100644 ${name}\0`), Buffer.from(blob, 'hex')]);
    const bytes = Buffer.concat([entry('z'), entry('a')]);
    const args = ['hash-object', '-w', '-t', 'tree', '--literally', '--stdin'];
    const tree = git(fixture.path, args, bytes);
    const tip = git(fixture.path, ['commit-tree', tree, '-p', beacon.epoch], 'x') as CommitId;
    fixture.setBranch('nfgt-x', tip);
    const result = await beacon.push([makeDraft(tip, { assetId: 'x' as AssetId })]);
    expect(result).toMatchObject({ outcome: 'refused', retryable: false });
  });
});

describe('an unreachable remote', () => {
  test('refuses a push that cannot even begin, to be tried again', async () => {
    const fixture = sshFixture();
    const beacon = await fixture.open();
    fixture.wrapSsh('echo "ssh: connect to host x port 22: Connection refused" >&2; exit 255');
    await expect(beacon.push([makeDraft(beacon.epoch)])).resolves.toMatchObject({
      outcome: 'refused',
      stale: [],
      retryable: true,
    });
    await expect(beacon.advertise()).rejects.toMatchObject({ code: 'BEACON_UNREACHABLE' });
    await expect(beacon.checkPushRight()).rejects.toMatchObject({ code: 'BEACON_UNREACHABLE' });
  });
});

describe('a remote that only lets us read', () => {
  test('makes an observer, and refuses a push for good', async () => {
    const fixture = sshFixture();
    await fixture.open();
    fixture.wrapSsh(`case "$last" in git-receive-pack*)
      echo "ERROR: The key you are authenticating with has been marked as read only." >&2; exit 1;; esac
      exec sh -c "$last"`);
    const beacon = await fixture.open();
    const right = await beacon.checkPushRight();
    expect(right.granted).toBe(false);
    expect(JSON.stringify(right)).toContain('marked as read only');
    await expect(beacon.push([makeDraft(beacon.epoch)])).resolves.toMatchObject({
      outcome: 'refused',
      stale: [],
      retryable: false,
    });
  });
});

describe('a crash', () => {
  test('of the remote’s writer leaves locks that the next opening clears', async () => {
    const fixture = gitFixture();
    const beacon = await fixture.open();
    setHook(fixture.path, 'reference-transaction', '[ "$1" = prepared ] && kill -9 $PPID; exit 0');
    const draft = makeDraft(beacon.epoch);
    await expect(beacon.push([draft])).resolves.toMatchObject({ outcome: 'unknown' });
    setHook(fixture.path, 'reference-transaction', 'exit 0');
    await expect(beacon.push([draft])).resolves.toMatchObject({ retryable: true });
    const again = await fixture.open();
    await expect(pushAccepted(again, draft)).resolves.toHaveLength(1);
  });

  test('between two batches leaves nothing of the first in the second', async () => {
    const fixture = gitFixture();
    const workDir = join(fixture.path, '..', 'work');
    const beacon = await fixture.open({ workDir });
    const lost = makeDraft(beacon.epoch);
    setHook(fixture.path, 'pre-receive', 'exit 1');
    await beacon.push([lost]);
    await beacon.close();
    setHook(fixture.path, 'pre-receive', 'exit 0');
    const again = await fixture.open({ workDir });
    await pushAccepted(again, makeDraft(again.epoch));
    expect((await again.advertise()).tags.has(lost.transactionId)).toBe(false);
  });

  test('of the long-lived helpers costs nothing but their start', async () => {
    const fixture = gitFixture();
    const beacon = await fixture.open();
    await pushAccepted(beacon, makeDraft(beacon.epoch));
    for (const pid of processesIn(join(fixture.path, '..'))) process.kill(Number(pid), 'SIGKILL');
    await sleep(50);
    await expect(pushAccepted(beacon, makeDraft(beacon.epoch))).resolves.toHaveLength(1);
  });
});

describe.each([
  ['in a directory', gitFixture],
  ['behind ssh', sshFixture],
])('what strangers put on a beacon %s', (_, makeFixture) => {
  test('refs of other kinds are not seen, and annotated tags stand for their commits', async () => {
    const fixture = makeFixture();
    const beacon = await fixture.open();
    git(fixture.path, ['tag', '-a', '-m', 'x', 'annotated', beacon.epoch]);
    git(fixture.path, ['tag', '-a', '-m', 'x', 'nested', 'annotated']);
    const blob = git(fixture.path, ['hash-object', '-w', '--stdin'], 'x');
    git(fixture.path, ['update-ref', 'refs/tags/blob', blob]);
    git(fixture.path, ['update-ref', 'refs/notes/x', beacon.epoch]);
    git(fixture.path, ['update-ref', 'refs/pull/1/head', beacon.epoch]);
    const { branches, tags } = await beacon.advertise();
    expect([...branches.keys()]).toEqual(['main']);
    expect(Object.fromEntries(tags)).toEqual({
      annotated: beacon.epoch,
      nested: beacon.epoch,
      blob,
    });
  });

  test('branch names that look like options or patterns are read as names', async () => {
    const fixture = makeFixture();
    const beacon = await fixture.open();
    const names = ['-d', '--upload-pack=false', 'nfgt-+x', 'nfgt-\'"$(x)`'];
    const tips = new Map(
      names.map((name, index) => {
        const id = addCommit(fixture.path, {
          parents: [beacon.epoch],
          record: Buffer.from(String(index)),
        });
        fixture.setBranch(name, id);
        return [name, id] as const;
      }),
    );
    const chains = await beacon.readBranches(tips, () => false);
    expect(names.map((name) => chains.get(name)?.length)).toEqual([1, 1, 1, 1]);
  });

  test('a branch with a damaged object does not keep the others from being read', async () => {
    const fixture = makeFixture();
    const beacon = await fixture.open();
    const [good, bad] = ['good', 'bad'].map((text) =>
      addCommit(fixture.path, { parents: [beacon.epoch], record: Buffer.from(text) }),
    );
    fixture.setBranch('nfgt-good', good!);
    fixture.setBranch('nfgt-bad', bad!);
    const blob = git(fixture.path, ['rev-parse', `${bad!}:metadata.json`]);
    const file = join(fixture.path, 'objects', blob.slice(0, 2), blob.slice(2));
    expect(existsSync(file)).toBe(true);
    chmodSync(file, 0o600);
    writeFileSync(file, 'no object at all');
    const tips = new Map([
      ['nfgt-bad', bad!],
      ['nfgt-good', good!],
    ]);
    const chains = await beacon.readBranches(tips, () => false);
    expect(chains.get('nfgt-good')?.[0]?.record?.toString()).toBe('good');
  });

  test('a metadata.json that is a directory is no record', async () => {
    const fixture = makeFixture();
    const beacon = await fixture.open();
    const blob = git(fixture.path, ['hash-object', '-w', '--stdin'], 'x');
    const inner = git(fixture.path, ['mktree'], `100644 blob ${blob}\tx\n`);
    const tree = git(fixture.path, ['mktree'], `040000 tree ${inner}\tmetadata.json\n`);
    const id = git(fixture.path, ['commit-tree', tree, '-p', beacon.epoch], 'x') as CommitId;
    fixture.setBranch('nfgt-x', id);
    const chains = await beacon.readBranches(new Map([['nfgt-x', id]]), () => false);
    expect(chains.get('nfgt-x')).toMatchObject([{ record: undefined }]);
  });

  test('hundreds of new branches are read at once', async () => {
    const fixture = makeFixture();
    const [beacon, other] = [await fixture.open(), await fixture.open()];
    const drafts = Array.from({ length: 250 }, () => makeDraft(beacon.epoch));
    await pushAccepted(other, ...drafts);
    const { branches } = await beacon.advertise();
    const tips = new Map(
      drafts.map((draft) => [branchOf(draft.assetId), branches.get(branchOf(draft.assetId))!]),
    );
    const chains = await beacon.readBranches(tips, () => false);
    expect(drafts.map((draft) => chains.get(branchOf(draft.assetId))?.[0]?.record)).toEqual(
      drafts.map(({ record }) => record),
    );
  });
});

test('a sync of hundreds of new branches behind ssh lists them once and fetches them once', async () => {
  const fixture = sshFixture();
  const [beacon, other] = [await fixture.open(), await fixture.open()];
  const drafts = Array.from({ length: 250 }, () => makeDraft(beacon.epoch));
  await pushAccepted(other, ...drafts);
  const log = join(tempDir(), 'commands');
  fixture.wrapSsh(`echo "$last" >> '${log}'; exec sh -c "$last"`);
  const index = openChainIndex(':memory:');
  expect(await syncIndex(beacon, index)).toEqual([]);
  expect(index.totals()).toEqual({ assets: 250, transactions: 250 });
  expect(readFileSync(log, 'utf8').trim().split('\n')).toHaveLength(2);
  index.close();
});

test('closing ends every child process, also twice', async () => {
  const fixture = sshFixture();
  const beacon = await fixture.open();
  const [tip] = await pushAccepted(beacon, makeDraft(beacon.epoch));
  await beacon.readBranches(new Map([['nfgt-x', tip!]]), () => false);
  expect(processesIn(join(fixture.path, '..')).length).toBeGreaterThan(0);
  await beacon.close();
  await beacon.close();
  expect(processesIn(join(fixture.path, '..'))).toEqual([]);
});

describe('the reserved branch', () => {
  const write = (beacon: Beacon, basedOn: CommitId | undefined, path: string) =>
    beacon.writeReserved({
      basedOn,
      files: new Map([[path, Buffer.from(path)]]),
      message: 'words',
      committer: 'abc123',
      commitTimeSeconds: 1,
    });

  test('keeps links, programs and submodules of strangers, and never reads them', async () => {
    const fixture = gitFixture();
    const beacon = await fixture.open();
    const blob = git(fixture.path, ['hash-object', '-w', '--stdin'], '/etc/passwd');
    const folder = git(fixture.path, ['mktree'], `100755 blob ${blob}\trun\n`);
    const entries = [
      `120000 blob ${blob}\tnode.json`,
      `160000 commit ${'1'.repeat(40)}\tmodule`,
      `040000 tree ${folder}\tbin`,
    ];
    const tree = git(fixture.path, ['mktree', '--missing'], `${entries.join('\n')}\n`);
    const tip = git(fixture.path, ['commit-tree', tree], 'strange') as CommitId;
    fixture.setBranch('well-known', tip);
    const { files } = await beacon.readReserved(1_000, () => true);
    expect(files).toEqual(
      new Map([
        ['bin/run', undefined],
        ['module', undefined],
        ['node.json', undefined],
      ]),
    );
    await expect(write(beacon, tip, 'proofs/x/0.jsonl')).resolves.toBe('written');
    const listed = git(fixture.path, ['ls-tree', '-r', 'well-known']).split('\n');
    expect(listed.map((line) => line.replace(/ \w+ \w+\t/, ' '))).toEqual([
      '100755 bin/run',
      '160000 module',
      '120000 node.json',
      '100644 proofs/x/0.jsonl',
    ]);
    git(fixture.path, ['fsck', '--strict', '--connectivity-only']);
  });

  test('that a hook protects is not written, and transactions go on', async () => {
    const fixture = gitFixture();
    const beacon = await fixture.open();
    setHook(fixture.path, 'update', 'test "$1" != refs/heads/well-known');
    await expect(write(beacon, undefined, 'x')).rejects.toMatchObject({ code: 'BEACON_REFUSED' });
    await expect(pushAccepted(beacon, makeDraft(beacon.epoch))).resolves.toHaveLength(1);
  });
});

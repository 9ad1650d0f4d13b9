// Validators and observers over a real sshd: what a deploy key may do makes the role, at the start and while it runs.
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { NodeOptions } from '../../src/chain/open-node.ts';
import { openGitBeacon, type GitBeaconOptions } from '../../src/git/open-git-beacon.ts';
import { asset, openTestNode, owner, type TestNode } from '../support/open-test-node.ts';
import { hasSshd, sshdWord, startGitHost, type GitHost } from '../support/sshd.ts';
import { beforeRemoval, git, tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const COMMITTED = { state: 'committed' };
const REFUSED = { state: 'rejected', reason: 'BEACON_REFUSED' };

let host: GitHost;
let root: string;
let beaconPath: string;

async function openOver(
  options: Partial<GitBeaconOptions>,
  nodeOptions: Partial<NodeOptions> = {},
): Promise<TestNode> {
  const beacon = await openGitBeacon({
    url: host.urlOf(beaconPath),
    epochBranch: 'main',
    workDir: join(root, `node-${Math.random()}`),
    ambient: process.env,
    ...options,
  });
  const opened = await openTestNode(beacon, nodeOptions);
  beforeRemoval(async () => {
    await opened.close();
    await beacon.close();
  });
  return opened;
}

const roleOf = async ({ node }: TestNode) => (await node.status()).role;
const refs = (): string => git(beaconPath, ['for-each-ref', '--format=%(refname) %(objectname)']);

(hasSshd ? describe : describe.skip)(`a node behind a real sshd${sshdWord}`, () => {
  beforeEach(async () => {
    host = await startGitHost();
    root = tempDir();
    beaconPath = join(root, 'beacon.git');
    git(root, ['init', '--quiet', '--bare', 'beacon.git']);
  });

  test('is a validator with a key that may write, and commits', async () => {
    const validator = await openOver({ sshKeyFile: host.makeKey('writer', 'read-write') });
    expect(await roleOf(validator)).toBe('validator');
    const { groupId, transactionIds } = await validator.accept([{ ownerId: owner('a') }]);
    expect(await validator.node.outcomeOf(groupId)).toEqual(COMMITTED);
    expect(refs()).toContain(`refs/tags/${transactionIds[0] ?? 'none'}`);
  });

  test('is an observer with a key that may only read: it syncs, and refuses to create', async () => {
    const validator = await openOver({ sshKeyFile: host.makeKey('writer', 'read-write') });
    const observer = await openOver({ sshKeyFile: host.makeKey('reader', 'read-only') });
    const { role, roleEvents } = await observer.node.status();
    expect(role).toBe('observer');
    expect(roleEvents[0]?.reason).toContain('marked as read only');
    await validator.node.outcomeOf((await validator.accept([{ ownerId: owner('a') }])).groupId);
    await observer.node.sync();
    expect(observer.node.chain.findTip(asset('asset'))).toMatchObject({ ownerId: 'a' });
    await expect(observer.accept([{}])).rejects.toMatchObject({ code: 'NODE_IS_OBSERVER' });
  });

  test('does not start with a key that the host does not know, and writes nothing', async () => {
    const opening = openOver({ sshKeyFile: host.makeKey('stranger', 'none') });
    await expect(opening).rejects.toMatchObject({ code: 'BEACON_ACCESS_DENIED' });
    await expect(opening).rejects.toThrow(/Permission denied/);
    expect(refs()).toBe('');
  });

  test('does not start where nobody listens, and says so', async () => {
    await host.stop();
    const opening = openOver({ sshKeyFile: host.makeKey('writer', 'read-write') });
    await expect(opening).rejects.toMatchObject({
      code: 'BEACON_UNREACHABLE',
      cause: expect.objectContaining({ message: expect.stringMatching(/Connection refused/) }),
    });
  });

  test('becomes an observer when its key loses the right, and a validator when it is back', async () => {
    const sshKeyFile = host.makeKey('deploy', 'read-write');
    const opened = await openOver({ sshKeyFile }, { roleCheckIntervalMs: 200 });
    host.setRight('deploy', 'read-only');
    const lost = await opened.accept([{ assetId: asset('lost') }]);
    expect(await opened.node.outcomeOf(lost.groupId)).toEqual(REFUSED);
    const { role, roleEvents, pending } = await opened.node.status();
    expect({ role, pending }).toEqual({ role: 'observer', pending: 0 });
    expect(roleEvents[0]?.reason).toContain('marked as read only');
    await opened.node.sync();
    await expect(opened.accept([{}])).rejects.toMatchObject({ code: 'NODE_IS_OBSERVER' });
    expect(refs()).not.toContain('nfgt-');

    host.setRight('deploy', 'read-write');
    await until(async () => (await roleOf(opened)) === 'validator');
    const again = await opened.accept([{ assetId: asset('lost') }]);
    expect(await opened.node.outcomeOf(again.groupId)).toEqual(COMMITTED);
  });

  test('goes on serving what it knows when its key is taken away altogether', async () => {
    const sshKeyFile = host.makeKey('deploy', 'read-write');
    const opened = await openOver({ sshKeyFile }, { roleCheckIntervalMs: 200 });
    await opened.node.outcomeOf((await opened.accept([{ ownerId: owner('a') }])).groupId);
    host.setRight('deploy', 'none');
    await until(async () => (await roleOf(opened)) === 'observer');
    await expect(opened.node.sync()).rejects.toMatchObject({ code: 'BEACON_ACCESS_DENIED' });
    expect(opened.node.chain.findTip(asset('asset'))).toMatchObject({ ownerId: 'a' });
  });

  test('stays the validator that the operator made it, and says what the host refuses', async () => {
    const sshKeyFile = host.makeKey('deploy', 'read-write');
    const opened = await openOver({ sshKeyFile }, { role: 'validator' });
    host.setRight('deploy', 'read-only');
    const { groupId } = await opened.accept([{}]);
    expect(await opened.node.outcomeOf(groupId)).toEqual(REFUSED);
    expect(await roleOf(opened)).toBe('validator');
  });
});

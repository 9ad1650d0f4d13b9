// Validators and observers over a real https git server: credentials by git's helper, and nothing that hangs or asks.
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { openGitBeacon, type GitBeaconOptions } from '../../src/git/open-git-beacon.ts';
import { hasOpenssl, startHttpsGitHost, type HttpsGitHost } from '../support/https-git.ts';
import { asset, openTestNode, owner, type TestNode } from '../support/open-test-node.ts';
import { beforeRemoval, git, tempDir } from '../support/temp-dir.ts';

const COMMITTED = { state: 'committed' };

let host: HttpsGitHost;
let root: string;
let path: string;
let nodes = 0;

async function openOver(options: Partial<GitBeaconOptions>): Promise<TestNode> {
  const beacon = await openGitBeacon({
    url: host.urlOf('beacon.git'),
    epochBranch: 'main',
    workDir: join(root, `node-${(nodes += 1)}`),
    ...options,
  });
  const opened = await openTestNode(beacon);
  beforeRemoval(async () => {
    await opened.close();
    await beacon.close();
  });
  return opened;
}

const suffix = hasOpenssl ? '' : ' (skipped: needs openssl)';
(hasOpenssl ? describe : describe.skip)(`a node behind a real https server${suffix}`, () => {
  beforeEach(async () => {
    root = tempDir();
    path = join(root, 'beacon.git');
    git(root, ['init', '--quiet', '--bare', 'beacon.git']);
    git(path, ['config', 'http.receivepack', 'true']);
    host = await startHttpsGitHost(root);
    host.people.set('writer', { password: 'open-sesame', mayWrite: true });
    host.people.set('reader', { password: 'look-only', mayWrite: false });
  });

  test('is a validator for who may write and an observer for who may only read', async () => {
    const validator = await openOver({ ambient: host.ambientOf('writer', 'open-sesame') });
    const observer = await openOver({ ambient: host.ambientOf('reader', 'look-only') });
    expect((await validator.node.status()).role).toBe('validator');
    const { role, roleEvents } = await observer.node.status();
    expect(role).toBe('observer');
    expect(roleEvents[0]?.reason).toContain('403');
    const { groupId } = await validator.accept([{ ownerId: owner('a') }]);
    expect(await validator.node.outcomeOf(groupId)).toEqual(COMMITTED);
    await observer.node.sync();
    expect(observer.node.chain.findTip(asset('asset'))).toMatchObject({ ownerId: 'a' });
    await expect(observer.accept([{}])).rejects.toMatchObject({ code: 'NODE_IS_OBSERVER' });
  });

  test('becomes an observer when the right to write is taken away', async () => {
    const opened = await openOver({ ambient: host.ambientOf('writer', 'open-sesame') });
    host.people.get('writer')!.mayWrite = false;
    const { groupId } = await opened.accept([{}]);
    expect(await opened.node.outcomeOf(groupId)).toEqual({
      state: 'rejected',
      reason: 'BEACON_REFUSED',
    });
    expect((await opened.node.status()).role).toBe('observer');
    await opened.node.sync();
    expect(git(path, ['for-each-ref', 'refs/tags'])).toBe('');
  });

  test.each([
    ['a wrong password', () => host.ambientOf('writer', 'guess')],
    ['no credentials', () => ({ ...host.ambientOf('writer', ''), HOME: tempDir() })],
  ])('does not start with %s, asks nobody, and tells no password', async (_, ambient) => {
    const opening = openOver({ ambient: ambient() });
    await expect(opening).rejects.toMatchObject({ code: 'BEACON_ACCESS_DENIED' });
    await expect(opening).rejects.not.toThrow(/guess/);
    expect(git(path, ['for-each-ref'])).toBe('');
  });

  test('believes no certificate but those that it is told to, and cannot be told to believe all', async () => {
    const { GIT_SSL_CAINFO: certificate, ...ambient } = host.ambientOf('writer', 'open-sesame');
    expect(certificate).toBe(host.certificateFile);
    const opening = openOver({ ambient: { ...ambient, GIT_SSL_NO_VERIFY: '1' } });
    await expect(opening).rejects.toMatchObject({ code: 'BEACON_UNREACHABLE' });
    const error: unknown = await opening.catch((reason: unknown) => reason);
    expect(JSON.stringify((error as { data: unknown }).data)).toMatch(/certificate/);
  });

  test('passes on no variable that would write a password to the log', async () => {
    const traces = { GIT_TRACE_CURL: '1', GIT_CURL_VERBOSE: '1', GIT_TRACE_REDACT: '0' };
    host.people.delete('writer');
    const ambient = { ...host.ambientOf('writer', 'open-sesame'), ...traces };
    const error: unknown = await openOver({ ambient }).catch((reason: unknown) => reason);
    const { data, cause } = error as { data: unknown; cause: Error };
    const said = `${JSON.stringify(data)} ${cause.message}`;
    expect(said).toContain('Authentication failed');
    expect(said).not.toMatch(/open-sesame|Basic /);
  });

  test('does not wait for ever for a server that takes the connection and never answers', async () => {
    const sockets = new Set<Socket>();
    const mute = createServer((socket) => void sockets.add(socket));
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const { port } = mute.address() as AddressInfo;
    beforeRemoval(async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => mute.close(resolve));
    });
    const opening = openOver({ url: `https://127.0.0.1:${port}/x.git`, answerTimeoutMs: 500 });
    await expect(opening).rejects.toMatchObject({
      code: 'BEACON_UNREACHABLE',
      data: { reason: 'no answer in time' },
    });
    expect(sockets.size).toBeGreaterThan(0);
  });

  test('stops listening to a server that lists refs without end, and reads on when it has come to reason', async () => {
    const ambient = host.ambientOf('writer', 'open-sesame');
    const { node } = await openOver({ ambient, answerTimeoutMs: 5_000 });
    host.isEndless = true;
    await expect(node.sync()).rejects.toMatchObject({ code: 'BEACON_UNREACHABLE' });
    expect((await node.status()).isBeaconAway).toBe(true);
    const stranger = openOver({ ambient, answerTimeoutMs: 5_000 });
    await expect(stranger).rejects.toMatchObject({ code: 'BEACON_UNREACHABLE' });
    host.isEndless = false;
    await node.sync();
    expect((await node.status()).isBeaconAway).toBe(false);
  });
});

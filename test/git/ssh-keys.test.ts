// The keys of both sides of an ssh connection: ours is never shown to anybody, the host's never changes unseen.
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Beacon } from '../../src/chain/beacon.ts';
import { openGitBeacon, type GitBeaconOptions } from '../../src/git/open-git-beacon.ts';
import { makeDraft } from '../support/beacon-contract.ts';
import { hasSshd, sshdWord, startGitHost, type GitHost } from '../support/sshd.ts';
import { beforeRemoval, git, tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

let host: GitHost;
let root: string;
let workDir: string;
let beaconPath: string;

async function open(options: Partial<GitBeaconOptions>): Promise<Beacon> {
  const beacon = await openGitBeacon({
    url: host.urlOf(beaconPath),
    epochBranch: 'main',
    workDir,
    ambient: process.env,
    ...options,
  });
  beforeRemoval(() => beacon.close());
  return beacon;
}

/** What every process of this machine shows of itself to its owner. */
function everyProcess(): string {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => ['cmdline', 'environ'].map((file) => join('/proc', pid, file)))
    .map((file) => {
      try {
        return readFileSync(file, 'latin1');
      } catch {
        return '';
      }
    })
    .join('\n');
}

(hasSshd ? describe : describe.skip)(`over a real sshd${sshdWord}`, () => {
  beforeEach(async () => {
    host = await startGitHost();
    root = tempDir();
    workDir = join(root, 'work');
    beaconPath = join(root, 'beacon.git');
    git(root, ['init', '--quiet', '--bare', 'beacon.git']);
  });

  test('a key that came as text is a file for its owner alone, and in no process while a push runs', async () => {
    const key = readFileSync(host.makeKey('deploy', 'read-write'), 'utf8');
    const ambient = { ...process.env, BEACON_SSH_KEY: key };
    const beacon = await open({ sshKey: key, ambient });
    expect(statSync(join(workDir, 'ssh_key')).mode & 0o777).toBe(0o600);
    const [running, go] = [join(root, 'running'), join(root, 'go')];
    const hook = join(beaconPath, 'hooks', 'pre-receive');
    writeFileSync(hook, `#!/bin/sh\ntouch ${running}\nwhile ! [ -e ${go} ]; do sleep 0.05; done\n`);
    chmodSync(hook, 0o755);
    const push = beacon.push([makeDraft(beacon.epoch)]);
    await until(() => Promise.resolve(existsSync(running)));
    const shown = everyProcess();
    writeFileSync(go, '');
    expect(shown).toContain('ssh_key');
    for (const line of key.split('\n').slice(1, -2)) expect(shown).not.toContain(line);
    expect(await push).toMatchObject({ outcome: 'accepted' });
  });

  test.each([0o640, 0o604, 0o666])(
    'a key file of mode %o is refused before anything is done',
    async (mode) => {
      const sshKeyFile = host.makeKey('deploy', 'read-write');
      chmodSync(sshKeyFile, mode);
      await expect(open({ sshKeyFile })).rejects.toMatchObject({
        code: 'BEACON_KEY_EXPOSED',
        data: { file: sshKeyFile, mode: `0${mode.toString(8)}` },
      });
      expect(readdirSync(workDir)).toEqual([]);
    },
  );

  test('a key that needs a passphrase, is no key, or is not there is refused at the start', async () => {
    const locked = host.makeKey('locked', 'read-write', 'a passphrase');
    const garbage = join(root, 'garbage');
    writeFileSync(garbage, 'no key at all', { mode: 0o600 });
    for (const [given, words] of [
      [{ sshKeyFile: locked }, /encrypted with a passphrase/],
      [{ sshKey: readFileSync(locked, 'utf8') }, /BEACON_SSH_KEY\) .* encrypted with a passphrase/],
      [{ sshKeyFile: garbage }, /ssh cannot read it/],
      [{ sshKey: 'no key at all' }, /BEACON_SSH_KEY\) .* ssh cannot read it/],
      [{ sshKeyFile: join(root, 'nowhere') }, /there is no such file/],
    ] as const) {
      const opening = open(given);
      await expect(opening).rejects.toMatchObject({ code: 'BEACON_KEY_INVALID' });
      await expect(opening).rejects.toThrow(words);
    }
    expect(readdirSync(workDir)).toEqual([]);
  });

  test('a host is believed at first sight, and refused with another key afterwards, until its line is taken out', async () => {
    const sshKeyFile = host.makeKey('deploy', 'read-write');
    const beacon = await open({ sshKeyFile });
    const known = join(workDir, 'known_hosts');
    const [, , hostKey = 'none'] = readFileSync(host.writeKnownHosts(), 'utf8').split(' ');
    expect(readFileSync(known, 'utf8')).toContain(hostKey);
    await host.changeHostKey();
    const changed = { code: 'BEACON_HOST_KEY_CHANGED', data: { file: known } };
    await expect(beacon.advertise()).rejects.toMatchObject(changed);
    // Nobody was asked, so nobody refused: what waits goes on waiting.
    const draft = makeDraft(beacon.epoch);
    expect(await beacon.push([draft])).toMatchObject({ outcome: 'refused', retryable: true });
    await expect(beacon.checkPushRight()).rejects.toMatchObject(changed);
    rmSync(known);
    expect(await beacon.push([draft])).toMatchObject({ outcome: 'accepted' });
  });

  test('a pinned host is believed with its key alone', async () => {
    const sshKeyFile = host.makeKey('deploy', 'read-write');
    const knownHostsFile = host.writeKnownHosts();
    await open({ sshKeyFile, knownHostsFile });
    await host.changeHostKey();
    await expect(open({ sshKeyFile, knownHostsFile })).rejects.toMatchObject({
      code: 'BEACON_HOST_KEY_CHANGED',
      data: { file: knownHostsFile },
    });
    writeFileSync(knownHostsFile, '');
    await expect(open({ sshKeyFile, knownHostsFile })).rejects.toMatchObject({
      code: 'BEACON_HOST_KEY_UNKNOWN',
    });
  });
});

// Beacons in real repositories for tests: opening them, and writing to them by plain git as a stranger would.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Beacon } from '../../src/chain/beacon.ts';
import { recordDigest } from '../../src/chain/record.ts';
import { openGitBeacon, type GitBeaconOptions } from '../../src/git/open-git-beacon.ts';
import type { CommitId } from '../../src/shared/ids.ts';
import type { BeaconFixture } from './beacon-contract.ts';
import { beforeRemoval, git, tempDir } from './temp-dir.ts';

/** A remote in a temporary directory, with everything that a test does to it. */
export interface GitFixture extends BeaconFixture {
  readonly path: string;
  /** Each call is another node, with a work directory of its own; it is closed after the test. */
  open(options?: Partial<GitBeaconOptions>): Promise<Beacon>;
}

/** A path where no beacon is yet; opening makes one. */
export function gitFixture(): GitFixture {
  const root = tempDir();
  const path = join(root, 'beacon.git');
  let nodes = 0;
  return {
    path,
    open: async (options = {}) => {
      nodes += 1;
      const beacon = await openGitBeacon({
        url: path,
        epochBranch: 'main',
        workDir: join(root, `node-${nodes}`),
        ambient: process.env,
        ...options,
      });
      beforeRemoval(() => beacon.close());
      return beacon;
    },
    addCommit: (commit) => addCommit(path, commit),
    setBranch: (name, id) => void git(path, ['update-ref', `refs/heads/${name}`, id]),
    setTag: (name, id) => void git(path, ['update-ref', `refs/tags/${name}`, id]),
    deleteBranch: (name) => void git(path, ['update-ref', '-d', `refs/heads/${name}`]),
    deleteTag: (name) => void git(path, ['update-ref', '-d', `refs/tags/${name}`]),
  };
}

/**
 * The same over ssh's code path: the `ssh` that git finds is a script which runs the command on this machine, so
 * nothing of the beacon's directory is read but through upload-pack and receive-pack.
 */
export function sshFixture(): GitFixture & { readonly wrapSsh: (script: string) => void } {
  const fixture = gitFixture();
  const bin = join(fixture.path, '..', 'bin');
  mkdirSync(bin);
  const wrapSsh = (script: string): void => {
    writeFileSync(join(bin, 'ssh'), `#!/bin/sh\nfor last; do :; done\n${script}\n`);
    chmodSync(join(bin, 'ssh'), 0o755);
  };
  wrapSsh('exec sh -c "$last"');
  const ambient = { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
  git(join(fixture.path, '..'), ['init', '--quiet', '--bare', 'beacon.git']);
  return {
    ...fixture,
    wrapSsh,
    open: (options = {}) =>
      fixture.open({ url: `ssh://git@example.invalid${fixture.path}`, ambient, ...options }),
  };
}

/** Makes a commit in a repository by plain git: its parent's tree with `metadata.json` replaced or left out. */
export function addCommit(
  path: string,
  commit: Parameters<BeaconFixture['addCommit']>[0],
): CommitId {
  const { parents, record } = commit;
  const base = parents[0] === undefined ? '' : git(path, ['ls-tree', parents[0]]);
  const entries = base
    .split('\n')
    .filter((line) => line !== '' && !line.endsWith('\tmetadata.json'));
  if (record !== undefined) {
    const blob = git(path, ['hash-object', '-w', '--stdin'], record);
    entries.push(`100644 blob ${blob}\tmetadata.json`);
  }
  if (commit.changesOtherFiles === true) {
    const blob = git(path, ['hash-object', '-w', '--stdin'], 'more');
    entries.push(`100644 blob ${blob}\tmore.txt`);
  }
  const tree = git(path, ['mktree'], entries.map((line) => `${line}\n`).join(''));
  const message = commit.message ?? (record === undefined ? '' : recordDigest(record));
  const args = ['commit-tree', tree, ...parents.flatMap((parent) => ['-p', parent])];
  return git(path, args, message) as CommitId;
}

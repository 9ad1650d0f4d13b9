// A connection that ends in the middle of a push: whatever the remote did with it, in the end there is one truth.
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { openGitBeacon } from '../../src/git/open-git-beacon.ts';
import type { TransactionId } from '../../src/shared/ids.ts';
import { startCuttingProxy, type CuttingProxy } from '../support/cutting-proxy.ts';
import { asset, openTestNode, type TestNode } from '../support/open-test-node.ts';
import { replayByGit, replayOfIndex } from '../support/plain-replay.ts';
import { hasSshd, sshdWord, startGitHost } from '../support/sshd.ts';
import { beforeRemoval, git, tempDir } from '../support/temp-dir.ts';

const TIMEOUT_MS = 120_000;

let proxy: CuttingProxy;
let beaconPath: string;
let opened: TestNode;

/** Mints one asset, and holds what the node says of it against plain git. */
async function mintAndCompare(name: string): Promise<void> {
  const { accept, node } = opened;
  const { groupId, transactionIds } = await accept([{ assetId: asset(name) }]);
  const { state } = await node.outcomeOf(groupId);
  expect(await node.findState(transactionIds[0] as TransactionId)).toMatchObject({ state });
  await node.sync();
  expect(await node.findState(transactionIds[0] as TransactionId)).toMatchObject({ state });
  const replay = replayByGit(beaconPath);
  expect(replay[name]?.length ?? 0).toBe(state === 'committed' ? 1 : 0);
  expect(replayOfIndex(opened.index)).toEqual(replay);
}

(hasSshd ? describe : describe.skip)(`a push over a real sshd${sshdWord}`, () => {
  beforeEach(async () => {
    const host = await startGitHost();
    const root = tempDir();
    beaconPath = join(root, 'beacon.git');
    git(root, ['init', '--quiet', '--bare', 'beacon.git']);
    proxy = await startCuttingProxy(host.port);
    const beacon = await openGitBeacon({
      url: host.urlOf(beaconPath, proxy.port),
      epochBranch: 'main',
      workDir: join(root, 'work'),
      ambient: process.env,
      sshKeyFile: host.makeKey('deploy', 'read-write'),
    });
    opened = await openTestNode(beacon);
    beforeRemoval(async () => {
      await opened.close();
      await beacon.close();
    });
    await mintAndCompare('first');
  });

  test(
    'that is cut anywhere, on either way, ends in one commit or in none, and status and chain agree',
    async () => {
      const { accept, node } = opened;
      await node.outcomeOf((await accept([{ assetId: asset('measured') }])).groupId);
      const { up, down } = { ...proxy.passed };
      const cuts = [
        ...[0.1, 0.6, 0.8, 0.95, 1].map((part) => ['up', Math.floor(up * part) - 1] as const),
        ...[0.5, 0.9, 0.97, 1].map((part) => ['down', Math.floor(down * part) - 1] as const),
      ];
      for (const [way, afterBytes] of cuts) {
        proxy.cutNext({ way, afterBytes });
        await mintAndCompare(`cut-${way}-${afterBytes}`);
      }
      // Lengths vary a little: the last byte of a way may not come.
      expect(proxy.cuts).toBeGreaterThanOrEqual(cuts.length - 2);
    },
    TIMEOUT_MS,
  );

  test.each(['prepared', 'committed'])(
    'whose server side is killed when its refs are %s ends in exactly one commit',
    async (state) => {
      const hook = join(beaconPath, 'hooks', 'reference-transaction');
      const once = join(beaconPath, 'once');
      writeFileSync(once, '');
      // The nearest sshd above receive-pack is this connection's own.
      writeFileSync(
        hook,
        `#!/bin/sh
[ "$1" = ${state} ] && rm ${once} 2>/dev/null || exit 0
pid=$PPID
while :; do
  case "$(cat /proc/$pid/comm)" in sshd*) break ;; esac
  pid=$(sed 's/.*) . \\([0-9]*\\) .*/\\1/' /proc/$pid/stat)
done
kill -9 $pid
`,
      );
      chmodSync(hook, 0o755);
      await mintAndCompare('killed');
      expect(replayByGit(beaconPath)['killed']).toHaveLength(1);
      rmSync(hook);
      await mintAndCompare('after');
    },
    TIMEOUT_MS,
  );
});

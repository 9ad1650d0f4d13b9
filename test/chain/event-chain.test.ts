// The generated chain of an event: of the event's shape, the same for the same seed, and one that a node goes on with.
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { openGitBeacon } from '../../src/git/open-git-beacon.ts';
import { FULL_EVENT, writeEventChain } from '../support/event-chain.ts';
import { openTestNode, owner } from '../support/open-test-node.ts';
import { beforeRemoval, git, tempDir } from '../support/temp-dir.ts';

const countBy = (keys: readonly (string | number)[]): Map<string | number, number> => {
  const counts = new Map<string | number, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
};

describe('a generated event chain', () => {
  test('has the shape of the event at the size of the event', async () => {
    const gitDir = join(tempDir(), 'event.git');
    const { assets, owners } = await writeEventChain({ gitDir, seed: 'shape', ...FULL_EVENT });
    const lengths = countBy(assets.map(({ transactionIds }) => transactionIds.length));
    expect(Object.fromEntries(lengths)).toEqual({ 1: 6768, 2: 1286, 3: 298, 4: 36, 5: 14, 6: 1 });
    const ids = new Set(assets.map(({ assetId }) => assetId));
    const sizes = [...ids].map((id) => id.length).sort((a, b) => a - b);
    expect([ids.size, sizes[0], sizes.at(-1)]).toEqual([8_403, 96, 148]);
    const holdings = countBy(assets.map(({ ownerId }) => ownerId));
    expect([owners.length, holdings.size, holdings.get(owners[0]!)]).toEqual([939, 911, 234]);
    expect(Math.max(...holdings.values())).toBe(234);
    const named = git(gitDir, ['log', '--branches=nfgt-*', '--format=', '-p', '-U0']);
    const everHeld = new Set(named.match(/(?<=\n\+\{.*"owner_id":")[^"]+/g));
    expect(everHeld).toEqual(new Set(owners));
    expect(git(gitDir, ['for-each-ref']).split('\n')).toHaveLength(18_858);
    git(gitDir, ['fsck', '--strict', '--no-dangling']);
  });

  test('is the same for the same seed and another for another', async () => {
    const size = { assets: 20, transactions: 31 };
    const [a, b, c] = ['x', 'x', 'y'].map(async (seed) =>
      writeEventChain({ gitDir: join(tempDir(), 'event.git'), seed, ...size }),
    );
    expect(await a).toEqual(await b);
    expect((await c)?.assets[0]?.commitIds).not.toEqual((await a)?.assets[0]?.commitIds);
  });

  test('is read by a node as it was written, and goes on with the passphrases given', async () => {
    const folder = tempDir();
    const url = join(folder, 'event.git');
    const { assets } = await writeEventChain({
      gitDir: url,
      seed: 's',
      assets: 90,
      transactions: 120,
    });
    const beacon = await openGitBeacon({ url, epochBranch: 'main', workDir: join(folder, 'work') });
    const { node, accept, close } = await openTestNode(beacon);
    beforeRemoval(async () => {
      await close();
      await beacon.close();
    });
    expect(await node.status()).toMatchObject({ assets: 90, transactions: 120, faults: [] });
    for (const { assetId, ownerId, transactionIds } of assets) {
      const tip = node.chain.findTip(assetId);
      expect([tip?.ownerId, tip?.transactionId]).toEqual([ownerId, transactionIds.at(-1)]);
    }
    const { assetId, successorPassphrase } = assets[0]!;
    const next = await accept([
      { assetId, ownerId: owner('next'), predecessorPassphrase: successorPassphrase },
    ]);
    expect(await node.outcomeOf(next.groupId)).toEqual({ state: 'committed' });
  });
});

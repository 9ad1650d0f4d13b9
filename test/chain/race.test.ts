// Two nodes of ours on one real beacon: who comes second is refused, and nothing of theirs stays behind.
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openGitBeacon } from '../../src/git/open-git-beacon.ts';
import type { ChainIndex } from '../../src/chain/chain-index.ts';
import { asset, openTestNode, owner, type TestNode } from '../support/open-test-node.ts';
import { beforeRemoval, git, tempDir } from '../support/temp-dir.ts';

async function openGitNode(folder: string, name: string): Promise<TestNode> {
  const beacon = await openGitBeacon({
    url: join(folder, 'beacon.git'),
    epochBranch: 'main',
    workDir: join(folder, name),
  });
  const opened = await openTestNode(beacon);
  beforeRemoval(async () => {
    await opened.close();
    await beacon.close();
  });
  return opened;
}

const everything = (index: ChainIndex): unknown =>
  [...index.listBranchCommits().keys()].map((assetId) =>
    index.listAssetHistory(assetId, 100).map(({ record, ...rest }) => ({
      ...rest,
      record: record.toString(),
    })),
  );

test('of two nodes that race for one asset, one commits and the other is rejected', async () => {
  const folder = tempDir();
  const nodes = [await openGitNode(folder, 'a'), await openGitNode(folder, 'b')] as const;
  const mint = await nodes[0].accept([{ ownerId: owner('first') }]);
  await nodes[0].node.outcomeOf(mint.groupId);
  await nodes[1].node.sync();

  for (let round = 0; round < 5; round += 1) {
    const name = asset(`raced-${round}`);
    const both = await Promise.all(
      nodes.map(async ({ accept, node }, n) => {
        const group = await accept([{ assetId: name, ownerId: owner(`node-${n}`) }]);
        return (await node.outcomeOf(group.groupId)).state;
      }),
    );
    expect(both.toSorted()).toEqual(['committed', 'rejected']);
  }

  // The same for a hand-over: both know the passphrase, only one can use it.
  const predecessorPassphrase = mint.passphrases[0];
  const both = await Promise.all(
    nodes.map(async ({ accept, node }, n) => {
      const group = await accept([{ ownerId: owner(`node-${n}`), predecessorPassphrase }]);
      return (await node.outcomeOf(group.groupId)).state;
    }),
  );
  expect(both.toSorted()).toEqual(['committed', 'rejected']);

  await nodes[0].node.sync();
  await nodes[1].node.sync();
  expect(everything(nodes[0].index)).toEqual(everything(nodes[1].index));
  const beacon = join(folder, 'beacon.git');
  const tagged = git(beacon, ['for-each-ref', '--format=%(objectname)', 'refs/tags']).split('\n');
  const commits = git(beacon, ['rev-list', '--glob=refs/heads/nfgt-*', '--not', 'main']);
  expect(tagged.toSorted()).toEqual(commits.split('\n').toSorted());
  expect(tagged).toHaveLength(7);
});

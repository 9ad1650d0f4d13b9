// The epoch branch of a beacon goes on: chains that started before stay readable, new ones start from its new tip.
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { gitFixture } from '../support/beacon-git.ts';
import { asset, openTestNode } from '../support/open-test-node.ts';
import { beforeRemoval, git, tempDir } from '../support/temp-dir.ts';

test('reads chains from every tip that the epoch branch had, and mints from the newest', async () => {
  const fixture = gitFixture();
  const first = await openTestNode(await fixture.open());
  beforeRemoval(() => first.close());
  const mint = async (name: string): Promise<void> => {
    const { groupId } = await first.accept([{ assetId: asset(name) }]);
    expect(await first.node.outcomeOf(groupId)).toEqual({ state: 'committed' });
  };
  await mint('early');
  const clone = join(tempDir(), 'clone');
  git('/', ['clone', '--quiet', fixture.path, clone]);
  git(clone, ['commit', '--quiet', '--allow-empty', '-m', 'The epoch goes on']);
  git(clone, ['push', '--quiet', 'origin', 'main']);
  await first.node.sync();
  await mint('late');

  const tip = git(fixture.path, ['rev-parse', 'main']);
  expect(git(fixture.path, ['rev-parse', 'nfgt-late^'])).toBe(tip);
  expect(git(fixture.path, ['rev-parse', 'nfgt-early^'])).not.toBe(tip);
  const second = await openTestNode(await fixture.open());
  beforeRemoval(() => second.close());
  expect(await second.node.status()).toMatchObject({ assets: 2, transactions: 2, faults: [] });
});

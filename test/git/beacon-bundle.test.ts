// A beacon of our own as one file, taken while transactions are written to it.
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { branchOf } from '../../src/chain/refs.ts';
import { bundleBeacon } from '../../src/git/beacon-bundle.ts';
import { makeDraft, pushAccepted } from '../support/beacon-contract.ts';
import { gitFixture } from '../support/beacon-git.ts';
import { git, tempDir } from '../support/temp-dir.ts';

test('every asset is in the bundle, also those that move while it is made', async () => {
  const fixture = gitFixture();
  const beacon = await fixture.open();
  const mints = Array.from({ length: 300 }, () => makeDraft(beacon.epoch));
  let tips = await pushAccepted(beacon, ...mints);
  const stop = new AbortController();
  const moving = (async () => {
    while (!stop.signal.aborted) {
      const moves = mints.map(({ assetId }, at) => makeDraft(tips[at]!, { assetId }));
      tips = await pushAccepted(beacon, ...moves);
    }
  })();
  const branches = ['main', ...mints.map(({ assetId }) => branchOf(assetId))].toSorted();
  const workDir = tempDir();
  try {
    for (let round = 0; round < 12; round += 1) {
      const bundle = join(workDir, `${round}.bundle`);
      await bundleBeacon({ beacon: fixture.path, bundle, workDir, ambient: process.env });
      const heads = git(workDir, ['bundle', 'list-heads', bundle]).split('\n');
      const bundled = heads.flatMap((line) => / refs\/heads\/(.*)$/.exec(line)?.[1] ?? []);
      expect(bundled.toSorted()).toEqual(branches);
    }
  } finally {
    stop.abort();
    await moving;
  }
});

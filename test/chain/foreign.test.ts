// What strangers write into a real beacon against the format: reported in status and log, skipped, and built upon.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { encodeRecord, MAX_RECORD_BYTES, type TransactionRecord } from '../../src/chain/record.ts';
import { hashPassphrase } from '../../src/chain/succession.ts';
import type { CommitId, TransactionId } from '../../src/shared/ids.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { addCommit, gitFixture, type GitFixture } from '../support/beacon-git.ts';
import { asset, openTestNode, owner, type TestNode } from '../support/open-test-node.ts';

const id = (n: number): TransactionId =>
  `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as TransactionId;

const record = (n: number, given: Partial<TransactionRecord> = {}): Buffer =>
  encodeRecord({
    successorHash: hashPassphrase(`passphrase-${n}`),
    transactionId: id(n),
    transactionTime: n,
    assetId: asset('lamp'),
    ownerId: owner(`owner-${n}`),
    metadata: {},
    ...given,
  });

let fixture: GitFixture;
let opened: TestNode;
let epoch: CommitId;
const warnings: object[] = [];

beforeEach(async () => {
  fixture = gitFixture();
  const beacon = await fixture.open();
  epoch = beacon.epoch;
  warnings.length = 0;
  const logger = { ...silentLogger, warn: (facts: object) => void warnings.push(facts) };
  opened = await openTestNode(beacon, { logger });
});

afterEach(() => opened.close());

/** Puts a commit on the branch as plain git would; tagged unless it is to lack its tag. */
function put(
  commit: Omit<Parameters<typeof addCommit>[1], 'parents'> & { parents?: readonly CommitId[] },
  tag: TransactionId | undefined,
): CommitId {
  const commitId = addCommit(fixture.path, { parents: [epoch], ...commit });
  fixture.setBranch('nfgt-lamp', commitId);
  if (tag !== undefined) fixture.setTag(tag, commitId);
  return commitId;
}

test.each([
  ['no JSON', 'record is not JSON in UTF-8', () => put({ record: Buffer.from('{') }, id(1))],
  [
    'the record of another asset',
    'record names another asset than its branch',
    () => put({ record: record(1, { assetId: asset('desk') }) }, id(1)),
  ],
  [
    'no tag',
    'transaction without a tag on its commit',
    () => put({ record: record(1) }, undefined),
  ],
  [
    'two parents',
    'merge commit',
    () => {
      const side = addCommit(fixture.path, { parents: [epoch], record: Buffer.from('side') });
      return put({ parents: [epoch, side], record: record(1) }, id(1));
    },
  ],
  [
    'more files than the record',
    'commit changes other files than metadata.json',
    () => put({ record: record(1), changesOtherFiles: true }, id(1)),
  ],
  [
    'a huge record',
    `no metadata.json of at most ${MAX_RECORD_BYTES} bytes`,
    () => put({ record: record(1, { metadata: 'x'.repeat(3 * 1024 * 1024) }) }, id(1)),
  ],
])(
  'a commit with %s is reported and skipped, and what follows it counts',
  async (_, fault, act) => {
    const { node, accept } = opened;
    const bad = act();
    await node.sync();
    expect((await node.status()).faults).toEqual([{ branch: 'nfgt-lamp', commitId: bad, fault }]);
    expect(warnings).toEqual([{ branch: 'nfgt-lamp', commitId: bad, fault }]);
    expect(node.chain.findTip(asset('lamp'))).toBeUndefined();

    put({ parents: [bad], record: record(2) }, id(2));
    await node.sync();
    expect(node.chain.findTip(asset('lamp'))).toMatchObject({ transactionId: id(2), position: 1 });
    const ours = await accept([{ assetId: asset('lamp'), predecessorPassphrase: 'passphrase-2' }]);
    expect(await node.outcomeOf(ours.groupId)).toEqual({ state: 'committed' });
    expect((await node.status()).faults).toHaveLength(1);
  },
);

// Eight nodes on one real beacon, five of which write over each other: in the end all of them know the same chain.
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { seededRandomness } from '../../src/guyacha/randomness.ts';
import { openGitBeacon, type GitBeaconOptions } from '../../src/git/open-git-beacon.ts';
import type { NodeRole } from '../../src/chain/node.ts';
import { AppError } from '../../src/shared/errors.ts';
import type { SettlementId, TransactionId } from '../../src/shared/ids.ts';
import { asset, openTestNode, owner, type TestNode } from '../support/open-test-node.ts';
import { replayByGit, replayOfIndex } from '../support/plain-replay.ts';
import { hasSshd, startGitHost } from '../support/sshd.ts';
import { beforeRemoval, git, tempDir } from '../support/temp-dir.ts';

const ROUNDS = 12;
const EXPECTED_REFUSALS = ['ASSET_BUSY', 'CHAIN_ADVANCED', 'PASSPHRASE_MISMATCH'];
const ASSETS = Array.from({ length: 9 }, (_, n) => asset(`asset-${n}`));

async function openAt(
  options: Pick<GitBeaconOptions, 'url' | 'workDir'> & Partial<GitBeaconOptions>,
  role: NodeRole,
): Promise<TestNode> {
  const beacon = await openGitBeacon({ epochBranch: 'main', ambient: process.env, ...options });
  const opened = await openTestNode(beacon, { role });
  beforeRemoval(async () => {
    await opened.close();
    await beacon.close();
  });
  return opened;
}

/** Five validators, the last of them over ssh where there is an sshd, and three observers. */
async function openEight(root: string, path: string) {
  const validators: TestNode[] = [];
  for (let n = 0; n < (hasSshd ? 4 : 5); n += 1) {
    validators.push(await openAt({ url: path, workDir: join(root, `v${n}`) }, 'validator'));
  }
  if (hasSshd) {
    const host = await startGitHost();
    const [url, sshKeyFile] = [host.urlOf(path), host.makeKey('deploy', 'read-write')];
    validators.push(await openAt({ url, sshKeyFile, workDir: join(root, 'ssh') }, 'validator'));
  }
  const observers: TestNode[] = [];
  for (let n = 0; n < 3; n += 1) {
    observers.push(await openAt({ url: path, workDir: join(root, `o${n}`) }, 'observer'));
  }
  return { validators, observers };
}

interface Accepted {
  readonly by: TestNode;
  readonly groupId: SettlementId;
  readonly transactionIds: readonly string[];
}

test.each([
  ['that plain git made', true, 'one'],
  ['of our own making', false, 'two'],
])(
  'five validators and three observers converge on a beacon %s',
  async (_, isPlain, seed) => {
    const root = tempDir();
    const path = join(root, 'beacon.git');
    if (isPlain) git(root, ['init', '--quiet', '--bare', 'beacon.git']);
    const { validators, observers } = await openEight(root, path);
    const random = seededRandomness(seed);
    const passphrases = new Map<string, string>();
    const accepted: Accepted[] = [];

    const writeSomething = async (by: TestNode, n: number): Promise<void> => {
      const first = random.uniformInt(ASSETS.length);
      const chosen = random.uniformInt(3) === 0 ? [first, (first + 1) % ASSETS.length] : [first];
      const drafts = chosen.map((at) => {
        const assetId = ASSETS[at] ?? asset('none');
        const tip = by.node.chain.findTip(assetId)?.transactionId;
        return {
          assetId,
          ownerId: owner(`owner-${n}`),
          predecessorPassphrase: passphrases.get(tip ?? ''),
        };
      });
      try {
        const group = await by.accept(drafts);
        group.transactionIds.forEach((id, at) => passphrases.set(id, group.passphrases[at] ?? ''));
        accepted.push({ by, ...group });
      } catch (error) {
        // Its own earlier transaction is not through, or another node's came between: nothing was accepted.
        if (!(error instanceof AppError) || !EXPECTED_REFUSALS.includes(error.code)) throw error;
      }
    };
    for (let round = 0; round < ROUNDS; round += 1) {
      await Promise.all(validators.map((by, n) => writeSomething(by, n)));
      const reader = [...validators, ...observers][
        random.uniformInt(validators.length + observers.length)
      ];
      await reader?.node.sync();
    }

    const committed: string[] = [];
    const rejected: string[] = [];
    for (const { by, groupId, transactionIds } of accepted) {
      const { state } = await by.node.outcomeOf(groupId);
      (state === 'committed' ? committed : rejected).push(...transactionIds);
      for (const id of transactionIds) {
        expect(await by.node.findState(id as TransactionId)).toMatchObject({ state });
      }
    }
    const replay = replayByGit(path);
    const standing = Object.values(replay).flatMap((chain) =>
      chain.map(({ record }) => (JSON.parse(record) as { transaction_id: string }).transaction_id),
    );
    expect(standing.toSorted()).toEqual(committed.toSorted());
    expect(committed.length).toBeGreaterThan(ROUNDS);
    expect(rejected.length).toBeGreaterThan(0);
    for (const { node, index } of [...validators, ...observers]) {
      await node.sync();
      expect(replayOfIndex(index)).toEqual(replay);
      expect(await node.status()).toMatchObject({ pending: 0, faults: [] });
    }
  },
  120_000,
);

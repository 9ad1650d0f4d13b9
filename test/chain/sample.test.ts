// Our node on a chain that others wrote: served right, compared with plain git, and continued.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { recordDigest } from '../../src/chain/record.ts';
import { openGitBeacon } from '../../src/git/open-git-beacon.ts';
import type { OwnerId, TransactionId } from '../../src/shared/ids.ts';
import { asset, openTestNode, owner, type TestNode } from '../support/open-test-node.ts';
import { beforeRemoval, git, tempDir } from '../support/temp-dir.ts';

const SAMPLE = new URL('../../../shared/beacon-sample/', import.meta.url).pathname;
const hasSample = existsSync(join(SAMPLE, 'chain.bundle'));
const describeSample = hasSample ? describe : describe.skip;

interface Facts {
  readonly assets: number;
  readonly transactions: number;
  readonly owners_ever: number;
  readonly holders_at_end: number;
  readonly most_assets_held: readonly (readonly [string, number])[];
}

const readJson = (name: string): unknown => JSON.parse(readFileSync(join(SAMPLE, name), 'utf8'));

async function openSample(): Promise<TestNode & { readonly beaconDir: string }> {
  const folder = tempDir();
  const beaconDir = join(folder, 'beacon.git');
  git(folder, ['clone', '--quiet', '--bare', join(SAMPLE, 'chain.bundle'), beaconDir]);
  const url = beaconDir;
  const beacon = await openGitBeacon({ url, epochBranch: 'main', workDir: join(folder, 'work') });
  const opened = await openTestNode(beacon);
  beforeRemoval(async () => {
    await opened.close();
    await beacon.close();
  });
  return { ...opened, beaconDir };
}

describeSample(
  hasSample ? 'the sample chain' : 'the sample chain (skipped: needs ../shared/beacon-sample)',
  () => {
    test('is served as its facts and plain git tell it', async () => {
      const { node, index, beaconDir } = await openSample();
      const facts = readJson('facts.json') as Facts;
      const status = await node.status();
      expect(status).toMatchObject({
        assets: facts.assets,
        transactions: facts.transactions,
        faults: [],
      });
      const held = new Map<string, number>();
      for (const assetId of index.listBranchCommits().keys()) {
        const { ownerId } = node.chain.findTip(assetId) ?? {};
        held.set(String(ownerId), (held.get(String(ownerId)) ?? 0) + 1);
      }
      expect(held.size).toBe(facts.holders_at_end);
      for (const [memberId, count] of facts.most_assets_held) {
        const ownerId = [memberId, Buffer.from(memberId).toString('base64')].find(
          (id) => node.chain.countOwnerAssets(id as OwnerId) > 0,
        );
        expect(node.chain.countOwnerAssets(ownerId as OwnerId)).toBe(count);
      }
      const tags = git(beaconDir, [
        'for-each-ref',
        '--format=%(refname:short) %(objectname)',
        'refs/tags',
      ]);
      for (const line of tags.split('\n')) {
        const [id, commitId] = line.split(' ');
        expect(node.chain.findTransaction(id as TransactionId)).toMatchObject({ commitId });
      }
    });

    test('keeps every record byte for byte', async () => {
      const { node, beaconDir } = await openSample();
      const log = git(beaconDir, [
        'log',
        '--format=%H %s',
        '--glob=refs/heads/nfgt-*',
        '--not',
        'main',
      ]);
      const digests = new Map(log.split('\n').map((line) => line.split(' ') as [string, string]));
      const tags = git(beaconDir, ['for-each-ref', '--format=%(refname:short)', 'refs/tags']);
      for (const id of tags.split('\n')) {
        const found = node.chain.findTransaction(id as TransactionId)!;
        expect(recordDigest(found.record)).toBe(digests.get(found.commitId));
      }
    });

    test('goes on with a known passphrase, and refuses a wrong one', async () => {
      const { node, index, accept, beaconDir } = await openSample();
      const passphrases = readJson('passphrases.json') as Record<string, string>;
      const assetId = [...index.listBranchCommits().keys()].find(
        (id) => passphrases[node.chain.findTip(id)?.transactionId ?? ''] !== undefined,
      )!;
      const tip = node.chain.findTip(assetId)!;
      const draft = { assetId: asset(assetId), ownerId: owner('new owner') };
      await expect(accept([{ ...draft, predecessorPassphrase: 'not it' }])).rejects.toMatchObject({
        code: 'PASSPHRASE_MISMATCH',
      });
      const predecessorPassphrase = passphrases[tip.transactionId];
      const handOver = await accept([{ ...draft, predecessorPassphrase }]);
      expect(await node.outcomeOf(handOver.groupId)).toEqual({ state: 'committed' });
      const show = (format: string): string =>
        git(beaconDir, ['show', '--no-patch', `--format=${format}`, `refs/heads/nfgt-${assetId}`]);
      expect(show('%P')).toBe(tip.commitId);
      expect(show('%H')).toBe(git(beaconDir, ['rev-parse', `${handOver.transactionIds[0]!}^{}`]));
      const files = git(beaconDir, ['ls-tree', '--name-only', `refs/heads/nfgt-${assetId}`]);
      expect(files).toBe(git(beaconDir, ['ls-tree', '--name-only', tip.commitId]));
    });
  },
);

// The package's door `aibot/node`: a node with a journal of its own over a real beacon.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { openNode, type AssetId, type NodeOptions, type OpenNode } from '../src/node.ts';
import { beforeRemoval, git, tempDir } from './support/temp-dir.ts';

let folder: string;
let beacon: string;

beforeEach(() => {
  folder = tempDir();
  beacon = join(folder, 'beacon.git');
});

async function open(options: Partial<NodeOptions> = {}): Promise<OpenNode> {
  const node = await openNode({ beaconUrl: beacon, dataDir: join(folder, 'node'), ...options });
  beforeRemoval(() => node.close());
  return node;
}

const LAMP = { assetId: 'lamp', ownerId: 'ada' };
const tags = (): string => git(beacon, ['for-each-ref', '--format=%(refname:short)', 'refs/tags']);
const refusal = (code: string): object => expect.objectContaining({ code });

describe('the options', () => {
  test('are refused when one is misspelled or forgotten, instead of using another beacon', async () => {
    const misspelled = { beacon, dataDir: join(folder, 'node') } as unknown as NodeOptions;
    await expect(openNode(misspelled)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      data: { faults: 'beacon is not an option\nbeaconUrl is missing' },
    });
    expect(existsSync(join(folder, 'node'))).toBe(false);
  });

  test('keep the rules of the configuration', async () => {
    const faulty = open({ beaconSyncIntervalMs: 1.5, beaconUrl: 'http://example.test/beacon' });
    await expect(faulty).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/BEACON_URL[^]*BEACON_SYNC_INTERVAL_MS/),
    });
  });
});

describe('a node with a journal of its own', () => {
  test('writes nothing before submit, and everything of a group with it', async () => {
    const node = await open();
    const group = await node.check([LAMP, { ...LAMP, assetId: 'pen' }]);
    const [lamp, pen] = group.transactions.map(({ record }) => record.transactionId);
    await node.sync();
    expect(await node.findState(lamp!)).toBeUndefined();
    expect(tags()).toBe('');

    await node.submit(group);
    expect(await node.outcomeOf(group.groupId)).toEqual({ state: 'committed' });
    expect(tags().split('\n').toSorted()).toEqual([lamp!, pen!].toSorted());
    expect(node.chain.findTip('lamp' as AssetId)?.transactionId).toBe(lamp);
  });

  test('hands an asset over for the passphrase that it gave, and for no other', async () => {
    const node = await open();
    const mint = await node.check([LAMP]);
    await node.submit(mint);
    await node.outcomeOf(mint.groupId);
    const toBen = { ...LAMP, ownerId: 'ben' };
    for (const passphrase of [undefined, 'a guess']) {
      await expect(node.check([{ ...toBen, passphrase }])).rejects.toEqual(
        refusal('PASSPHRASE_MISMATCH'),
      );
    }
    const passphrase = mint.transactions[0]!.successorPassphrase;
    const handOver = await node.check([{ ...toBen, passphrase }]);
    await node.submit(handOver);
    expect(await node.outcomeOf(handOver.groupId)).toEqual({ state: 'committed' });
    expect(node.chain.findTip('lamp' as AssetId)?.ownerId).toBe('ben');
  });

  test('takes each group once, and of two that were checked for one asset the first', async () => {
    const node = await open();
    const [first, second] = [await node.check([LAMP]), await node.check([LAMP])];
    await node.submit(first);
    await node.outcomeOf(first.groupId);
    await expect(node.submit(second)).rejects.toEqual(refusal('CHAIN_ADVANCED'));
    await expect(node.submit(first)).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:CHAIN_ADVANCED|TRANSACTION_ID_TAKEN)$/),
    });
    expect(tags()).toBe(first.transactions[0]!.record.transactionId);
  });

  test.each([
    ['an asset id with a slash', { assetId: 'a/b' }, 'ASSET_ID_INVALID'],
    ['an empty owner', { ownerId: '' }, 'OWNER_ID_INVALID'],
    ['metadata that is no object', { metadata: [] as never }, 'METADATA_INVALID'],
    ['an id that is no UUID', { transactionId: 'mine' }, 'TRANSACTION_ID_INVALID'],
    ['a passphrase of 2,000 bytes', { passphrase: 'x'.repeat(2_000) }, 'INPUT_INVALID'],
  ])('refuses %s', async (_what, part, code) => {
    const node = await open();
    await expect(node.check([{ ...LAMP, ...part }])).rejects.toEqual(refusal(code));
  });

  test('refuses a group of nothing, whose outcome would never come', async () => {
    const node = await open();
    await expect(node.check([])).rejects.toEqual(refusal('INPUT_INVALID'));
  });

  test('finishes at its next start what was pending when it was closed', async () => {
    const first = await open();
    const hook = join(beacon, 'hooks', 'pre-receive');
    mkdirSync(join(beacon, 'hooks'), { recursive: true });
    // The remote dies within every push: nobody knows whether it took it, so it stays pending.
    writeFileSync(hook, `#!/bin/sh\nkill -9 $PPID\n`, { mode: 0o755 });
    const group = await first.check([LAMP]);
    const { transactionId } = group.transactions[0]!.record;
    await first.submit(group);
    await first.close();
    rmSync(hook);

    const second = await open();
    expect(await second.outcomeOf(group.groupId)).toEqual({ state: 'committed' });
    expect(await second.findState(transactionId)).toEqual({ state: 'committed', reason: null });
    expect(tags()).toBe(transactionId);
  });

  test('tells of a change of owner that another node wrote', async () => {
    const mirror = await open({
      dataDir: join(folder, 'mirror'),
      nodeRole: 'observer',
      beaconSyncIntervalMs: 50,
    });
    const heard = new Promise((resolve) => mirror.on('owner-changed', resolve));
    const node = await open();
    await node.submit(await node.check([LAMP]));
    expect(await heard).toMatchObject({ ...{ assetId: 'lamp', to: 'ada' }, foreign: true });
    await expect(mirror.check([LAMP])).rejects.toEqual(refusal('NODE_IS_OBSERVER'));
    expect(existsSync(join(folder, 'mirror', 'state.sqlite'))).toBe(false);
  });

  test('has its directory for itself until it is closed', async () => {
    const node = await open();
    await expect(open()).rejects.toEqual(refusal('DATA_DIR_IN_USE'));
    await node.close();
    await open();
  });
});

// Measures single batches on a chain of ten times the event's size, on one repository and spread over several.
import { createHash, randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Beacon, CommitDraft } from '../../src/chain/beacon.ts';
import { encodeRecord } from '../../src/chain/record.ts';
import { hashPassphrase } from '../../src/chain/succession.ts';
import { openGitBeacon } from '../../src/git/open-git-beacon.ts';
import type { AssetId, OwnerId, TransactionId } from '../../src/shared/ids.ts';
import { newMint, openBenchValidator } from './bench-node.ts';
import { median, timeOf } from './figures.ts';
import type { Bench, Figures } from './row.ts';

const BATCH = 64;
const ROUNDS = 5;
/** Fewer: a push to all refs in one repository takes seconds. */
const SPREAD_ROUNDS = 3;
const PARTS = [1, 4, 16];

/** One transaction, and 64 at once, from request to committed; a round each, the middle of several. */
export async function measureBatches(bench: Bench): Promise<Figures> {
  const validator = await openBenchValidator(bench);
  const measureRounds = async (size: number): Promise<number> => {
    const timesMs: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const mints = Array.from({ length: size }, newMint);
      timesMs.push(await timeOf(() => Promise.all(mints.map((mint) => validator.commit(mint)))));
    }
    return median(timesMs);
  };
  const singleMs = await measureRounds(1);
  const batchMs = await measureRounds(BATCH);
  await validator.close();
  return { singleMs, batchMs };
}

/**
 * Pushes one batch to a chain of which each repository holds a part of the refs, by a stable hash of the name: what
 * several beacon repositories would make of the cost that grows with the refs. No node, only git's adapter.
 */
export async function measureSpread({ remote, scratchDir }: Bench): Promise<Figures> {
  if (remote === undefined) throw new Error('the refs to spread stand in a repository apart');
  const figures: Record<string, number> = {};
  for (const place of ['gitPush', 'embedded'] as const) {
    for (const parts of PARTS) {
      const folder = join(scratchDir, `${place}-${parts}`);
      const beacons = await spreadOver(remote, folder, parts, place);
      for (const size of [1, BATCH]) {
        figures[`${place}${parts}x${size}Ms`] = await measurePushes(beacons, size);
      }
      figures[`${place}${parts}SyncMs`] = await measureAdvertisements(beacons);
      await Promise.all(beacons.map((beacon) => beacon.close()));
      await rm(folder, { recursive: true, force: true });
    }
  }
  return figures;
}

async function measurePushes(beacons: readonly Beacon[], size: number): Promise<number> {
  const timesMs: number[] = [];
  for (let round = 0; round < SPREAD_ROUNDS; round += 1) {
    const batches = beacons.map((): CommitDraft[] => []);
    for (let count = 0; count < size; count += 1) {
      const assetId = newMint().assetId as AssetId;
      const part = partOf(assetId, beacons.length);
      batches[part]?.push(newDraft(assetId, beacons[part]!));
    }
    timesMs.push(
      await timeOf(() =>
        Promise.all(
          beacons.map(async (beacon, part) => {
            const drafts = batches[part] ?? [];
            if (drafts.length === 0) return;
            const result = await beacon.push(drafts);
            if (result.outcome !== 'accepted') throw new Error(`push: ${result.reason}`);
          }),
        ),
      ),
    );
  }
  return median(timesMs);
}

async function measureAdvertisements(beacons: readonly Beacon[]): Promise<number> {
  const timesMs: number[] = [];
  for (let round = 0; round < SPREAD_ROUNDS; round += 1) {
    timesMs.push(await timeOf(() => Promise.all(beacons.map((beacon) => beacon.advertise()))));
  }
  return median(timesMs);
}

function partOf(name: string, parts: number): number {
  return createHash('sha256').update(name).digest().readUInt32BE(0) % parts;
}

/** Repositories with all objects and a part of the refs each. */
async function spreadOver(
  remote: string,
  folder: string,
  parts: number,
  place: 'gitPush' | 'embedded',
): Promise<Beacon[]> {
  const refs = (await readFile(join(remote, 'packed-refs'), 'utf8')).trimEnd().split('\n');
  const [header = '', ...lines] = refs;
  const beacons: Beacon[] = [];
  for (let part = 0; part < parts; part += 1) {
    const gitDir = join(folder, `${part}.git`);
    const open = (): Promise<Beacon> =>
      openGitBeacon({ url: gitDir, epochBranch: 'main', workDir: `${gitDir}-work` });
    // The program makes it, as it makes the beacon of its own.
    await (await open()).close();
    await copyPacks(remote, gitDir);
    const kept = lines.filter((line) => {
      const [, ref = ''] = line.split(' ');
      return ref === 'refs/heads/main' || partOf(ref, parts) === part;
    });
    await writeFile(join(gitDir, 'packed-refs'), `${[header, ...kept].join('\n')}\n`);
    // Without its mark and settings a repository is a stranger's, to which everything goes by `git push`.
    if (place === 'gitPush') await writeFile(join(gitDir, 'config'), '[core]\n\tbare = true\n');
    beacons.push(await open());
  }
  return beacons;
}

async function copyPacks(from: string, to: string): Promise<void> {
  const packs = join('objects', 'pack');
  await mkdir(join(to, packs), { recursive: true });
  for (const name of await readdir(join(from, packs))) {
    await link(join(from, packs, name), join(to, packs, name));
  }
}

function newDraft(assetId: AssetId, beacon: Beacon): CommitDraft {
  const transactionId = randomUUID() as TransactionId;
  const record = encodeRecord({
    successorHash: hashPassphrase(transactionId),
    transactionId,
    transactionTime: Date.now(),
    assetId,
    ownerId: 'bench' as OwnerId,
    metadata: {},
  });
  const commitTimeSeconds = Math.floor(Date.now() / 1000);
  return {
    transactionId,
    assetId,
    parent: beacon.epoch,
    record,
    committer: 'bench',
    commitTimeSeconds,
  };
}

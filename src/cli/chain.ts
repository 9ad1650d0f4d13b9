// `aibot chain show`: what of the chain was rewritten under this node, whom it concerns, and what puts it back.
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Database } from '../app/ports/database.ts';
import type { Holder } from '../app/ports/settlement-store.ts';
import type { ChainIndex } from '../chain/chain-index.ts';
import type { Rewrite } from '../chain/rewrites.ts';
import { syncIndex } from '../chain/sync.ts';
import type { Config } from '../config.ts';
import { Closers, dataFiles, openBeacon, type Surroundings } from '../core.ts';
import { openDatabase } from '../db/open-database.ts';
import { parseRemoteUrl } from '../git/remote-url.ts';
import { REMOTE } from '../git/scratch-repository.ts';
import type { AssetId, CommitId, OwnerId } from '../shared/ids.ts';
import { listWitnesses, openIndexCopy, refuseUnknownChain } from './known-chain.ts';
import { printable, shellWord } from './printable.ts';

/** An asset whose branch or tags were rewritten. */
interface ConcernedAsset {
  readonly assetId: AssetId;
  /** Whose it was on the chain as this node knows it; null when its index does not have it. */
  readonly ownerId: OwnerId | null;
  /** Whose it is in the bot's custody; null when it is not in custody. */
  readonly holder: Holder | null;
}

export interface RewriteReport {
  readonly beacon: string;
  /** Since when the node writes nothing, in ms since the epoch; null when it has not noticed, or nothing is rewritten. */
  readonly since: number | null;
  readonly refs: readonly {
    readonly kind: Rewrite['kind'];
    readonly name: string;
    readonly assetId: AssetId | null;
    /** Where it must stand, or go on from; null when only the journal knows of it. */
    readonly expected: CommitId | null;
    /** Null when it is gone. */
    readonly found: CommitId | null;
    /** The command that puts it back, for a shell; null when `expected` is. */
    readonly putBack: string | null;
  }[];
  readonly assets: readonly ConcernedAsset[];
}

/**
 * Holds the beacon against what a node knows, as its own sync does, on copies: beside a running node or without, and
 * changing nothing.
 * @throws AppError INPUT_INVALID when there is no data directory, BEACON_UNREACHABLE, BEACON_UNUSABLE
 */
export async function findRewritesFromOutside(
  config: Config,
  surroundings: Surroundings,
): Promise<RewriteReport> {
  refuseUnknownChain(config);
  const { state } = dataFiles(config.dataDir);
  const closers = new Closers();
  try {
    const workDir = await mkdtemp(join(tmpdir(), 'aibot-chain-'));
    closers.add(() => rm(workDir, { recursive: true, force: true }));
    // An observer may have none.
    const database = await openDatabase({ file: existsSync(state) ? state : ':memory:' });
    closers.add(() => database.close());
    const copy = join(workDir, 'index.sqlite');
    const index = await openIndexCopy(config, closers, { database, copy });
    const git = { knownEpoch: () => index.findEpoch(), readOnly: true };
    const beacon = await openBeacon(config, workDir, surroundings, git);
    closers.add(() => beacon.close());
    const witnesses = await listWitnesses(database, index);
    const since = index.findRewrittenAt() ?? null;
    const rewrites = await syncIndex(beacon, index, { witnesses });
    return {
      beacon: beacon.description,
      since: rewrites.length === 0 ? null : since,
      refs: rewrites.map((rewrite) => describeRef(rewrite, config)),
      assets: await listConcerned(rewrites, index, database),
    };
  } finally {
    await closers.closeAll();
  }
}

/** A rewritten ref with what puts it back. */
export function describeRef(rewrite: Rewrite, config: Config): RewriteReport['refs'][number] {
  const { kind, name, assetId = null, expected = null, found = null } = rewrite;
  return { kind, name, assetId, expected, found, putBack: commandFor(rewrite, config) };
}

/** A beacon on this machine's disk has the objects itself; those of another are in the node's scratch repository. */
function commandFor({ kind, name, expected }: Rewrite, config: Config): string | null {
  if (expected === undefined) return null;
  const files = dataFiles(resolve(config.dataDir));
  const { transport, location } = parseRemoteUrl(config.beaconUrl ?? files.beacon);
  const ref = `refs/${kind === 'branch' ? 'heads' : 'tags'}/${name}`;
  const words =
    transport === 'path'
      ? ['-C', location, 'update-ref', ref, expected]
      : [
          '-C',
          join(files.git, 'scratch.git'),
          'push',
          '--no-verify',
          REMOTE,
          `+${expected}:${ref}`,
        ];
  return ['git', ...words].map(shellWord).join(' ');
}

function listConcerned(
  rewrites: readonly Rewrite[],
  index: ChainIndex,
  database: Database,
): Promise<readonly ConcernedAsset[]> {
  const assetIds = new Set(rewrites.flatMap(({ assetId }) => assetId ?? []));
  return database.read(async ({ settlements }) => {
    const assets: ConcernedAsset[] = [];
    for (const assetId of assetIds) {
      const holding = await settlements.findHolding(assetId);
      const ownerId = index.findTip(assetId)?.ownerId ?? holding?.ownerId ?? null;
      assets.push({ assetId, ownerId, holder: holding?.holder ?? null });
    }
    return assets;
  });
}

/** The report for people. */
export function printRewrites({ beacon, since, refs, assets }: RewriteReport): string {
  if (refs.length === 0) {
    return `Nothing is rewritten: ${printable(beacon)} goes on from what this node knows.`;
  }
  const state =
    since === null
      ? 'The node has not noticed yet.'
      : `The node has written nothing since ${new Date(since).toISOString()}.`;
  const commands = refs.flatMap(({ putBack }) => putBack ?? []);
  const unknown = refs.length - commands.length;
  return [
    `Rewritten refs of ${printable(beacon)}: ${refs.length}. ${state}`,
    ...refs.map(printRef),
    ...(assets.length === 0 ? [] : ['Assets concerned:', ...assets.map(printAsset)]),
    'First look whether BEACON_URL is the right repository, and stop whoever rewrites it.',
    ...(commands.length === 0 ? [] : ['Then this puts everything back where this node knew it:']),
    ...commands.map((command) => `  ${command}`),
    ...(unknown === 0
      ? []
      : [`Known from the journal only: ${unknown}. Another node's GET /api/node has the commits.`]),
  ].join('\n');
}

export function printRef({ kind, name, expected, found }: RewriteReport['refs'][number]): string {
  const where = `expected ${expected ?? 'not known'}, found ${found ?? 'nothing'}`;
  return `  ${kind} ${printable(name)}: ${where}`;
}

function printAsset({ assetId, ownerId, holder }: ConcernedAsset): string {
  const custody =
    holder === null
      ? 'not in custody'
      : holder === 'bot'
        ? "the bot's own"
        : `held for member ${holder}`;
  return `  ${printable(assetId)}: ${custody}, owner id ${printable(ownerId ?? 'not known')}`;
}

// `aibot chain accept`: shows what a rewriting of the chain gives up, and with the digest of that accepts it.
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  acceptRewriting,
  concernedAssets,
  digestOf,
  type Acceptance,
  type AssetVerdict,
  type LetGoReason,
  type LostTransaction,
} from '../app/accept-rewriting.ts';
import { makeOwnerIds } from '../app/owner-ids.ts';
import type { Database } from '../app/ports/database.ts';
import type { Beacon } from '../chain/beacon.ts';
import type { ChainIndex } from '../chain/chain-index.ts';
import { followAccepted } from '../chain/follow-accepted.ts';
import { branchOf } from '../chain/refs.ts';
import type { Rewrite, Witness } from '../chain/rewrites.ts';
import { syncIndex } from '../chain/sync.ts';
import type { Config } from '../config.ts';
import {
  Closers,
  dataFiles,
  openBeacon,
  openState,
  recoveryFile,
  takeDataDir,
  type Surroundings,
} from '../core.ts';
import { copyFile } from '../db/copy-database.ts';
import { openDatabase } from '../db/open-database.ts';
import { openChainIndex } from '../db/sqlite-chain-index.ts';
import { AppError } from '../shared/errors.ts';
import { systemClock } from '../shared/clock.ts';
import type { TransactionId } from '../shared/ids.ts';
import { readRecoveryJournal } from '../vault/recovery-journal.ts';
import type { Vault } from '../vault/vault.ts';
import { describeRef, printRef, type RewriteReport } from './chain.ts';
import { listWitnesses, openIndexCopy, refuseUnknownChain } from './known-chain.ts';
import { printable } from './printable.ts';

/** Named points of an acceptance, in order; the crash tests kill the process at each. */
export const ACCEPT_STEPS = ['shown', 'accepted', 'index-followed', 'synced'] as const;

export interface AcceptOptions {
  /** Of what was shown before; undefined to only show. */
  readonly digest: string | undefined;
  readonly atStep?: (step: (typeof ACCEPT_STEPS)[number]) => void;
}

export interface AcceptReport extends Acceptance {
  readonly beacon: string;
  /** What is, or was, rewritten; empty when nothing is. */
  readonly refs: RewriteReport['refs'];
  /** When this digest was accepted earlier, in ms since the epoch; null when it was not. */
  readonly acceptedBeforeAt: number | null;
  /** Refs that were rewritten once more while this was accepted; it has to be shown and decided again. */
  readonly rewrittenAgain: number;
}

/** An observer that never was a validator has no state: what it knows is its index alone. */
interface OpenState {
  readonly database: Database;
  readonly vault: Vault | undefined;
}

interface Accepting extends OpenState {
  readonly config: Config;
  readonly beacon: Beacon;
  /** The chain as the node knew it. */
  readonly before: ChainIndex;
  readonly witnesses: readonly Witness[];
  readonly isOwn: (transactionId: TransactionId, record: Buffer) => boolean;
  readonly workDir: string;
  readonly closers: Closers;
}

const NOTHING = { lost: [], assets: [], ended: [] } as const;

/**
 * Shows or accepts what was rewritten, for a bot that is stopped.
 * @throws AppError DATA_DIR_IN_USE, INPUT_INVALID when there is no data directory, EPOCH_REWRITTEN, REWRITES_CHANGED, and
 *   those of vault, recovery journal and beacon; then nothing is changed.
 */
export async function acceptFromOutside(
  config: Config,
  options: AcceptOptions,
  surroundings: Surroundings,
): Promise<AcceptReport> {
  refuseUnknownChain(config);
  const closers = new Closers();
  try {
    await takeDataDir(config.dataDir, closers);
    const accepting = await openAll(config, closers, surroundings);
    const { beacon, before, witnesses, isOwn } = accepting;
    const rewrites = await syncIndex(beacon, before, { witnesses, isOwn });
    if (rewrites.length === 0) return await reportNothing(accepting, options.digest);
    refuseEpoch(rewrites, accepting);
    const acceptance = await decide(accepting, rewrites, options);
    const refs = rewrites.map((rewrite) => describeRef(rewrite, config));
    const report = { beacon: beacon.description, refs, acceptedBeforeAt: null, ...acceptance };
    if (!acceptance.isAccepted) return { ...report, rewrittenAgain: 0 };
    return { ...report, rewrittenAgain: await follow(accepting, rewrites, options) };
  } finally {
    await closers.closeAll();
  }
}

async function openAll(
  config: Config,
  closers: Closers,
  surroundings: Surroundings,
): Promise<Accepting> {
  const { database, vault } = await openWhatIsThere(config, closers, surroundings);
  const workDir = await mkdtemp(join(tmpdir(), 'aibot-accept-'));
  closers.add(() => rm(workDir, { recursive: true, force: true }));
  const copy = join(workDir, 'before.sqlite');
  const before = await openIndexCopy(config, closers, { database, copy });
  const git = { knownEpoch: () => before.findEpoch(), readOnly: true };
  const beacon = await openBeacon(config, dataFiles(config.dataDir).git, surroundings, git);
  closers.add(() => beacon.close());
  const witnesses = await listWitnesses(database, before);
  const pending = await database.read(({ journal }) => journal.listPending());
  const own = new Map(pending.map(({ transactionId, record }) => [transactionId, record]));
  const isOwn = (transactionId: TransactionId, record: Buffer): boolean =>
    own.get(transactionId)?.equals(record) === true;
  return { config, database, vault, beacon, before, witnesses, isOwn, workDir, closers };
}

async function openWhatIsThere(
  config: Config,
  closers: Closers,
  { logger }: Surroundings,
): Promise<OpenState> {
  if (existsSync(dataFiles(config.dataDir).state)) return openState(config, closers, logger);
  const database = await openDatabase({ file: ':memory:' });
  closers.add(() => database.close());
  return { database, vault: undefined };
}

async function reportNothing({ beacon, database }: Accepting, digest = ''): Promise<AcceptReport> {
  const earlier = await database.read(({ rewritings }) => rewritings.findAccepted(digest));
  return {
    beacon: beacon.description,
    digest,
    isAccepted: false,
    acceptedBeforeAt: earlier?.acceptedAt ?? null,
    rewrittenAgain: 0,
    refs: [],
    ...NOTHING,
  };
}

/** Every chain starts from it: a node that starts anew from another one would believe none of them. */
function refuseEpoch(rewrites: readonly Rewrite[], { beacon, config }: Accepting): void {
  const epoch = rewrites.find(({ kind, name, assetId }) => {
    return kind === 'branch' && name === beacon.epochBranch && assetId === undefined;
  });
  if (epoch === undefined) return;
  const command = describeRef(epoch, config).putBack ?? '';
  throw new AppError('EPOCH_REWRITTEN', { branch: printable(epoch.name), command });
}

async function decide(
  accepting: Accepting,
  rewrites: readonly Rewrite[],
  { digest, atStep }: AcceptOptions,
): Promise<Acceptance> {
  const { config, database, vault, before, beacon } = accepting;
  const after = await readAfter(accepting, rewrites, digest);
  const { branches } = await beacon.advertise();
  atStep?.('shown');
  const acceptance =
    vault === undefined
      ? acceptWithoutState(rewrites, digest)
      : await acceptRewriting({
          ...{ database, vault, rewrites, before, after, digest },
          recoveryEntries: (await readRecoveryJournal(recoveryFile(config), vault))?.entries ?? [],
          isOccupied: (assetId) => {
            const tip = branches.get(branchOf(assetId));
            return tip !== undefined && tip !== beacon.epoch;
          },
          botOwnerId: makeOwnerIds(config.chainPrivacy, vault.deriveKey('owner-ids')).ownerIdOf(
            'bot',
          ),
          clock: systemClock,
        });
  if (acceptance.isAccepted) atStep?.('accepted');
  return acceptance;
}

/** The chain as the node will read it: what is concerned is read anew, the rest is as it was. */
async function readAfter(
  { beacon, witnesses, isOwn, workDir, closers }: Accepting,
  rewrites: readonly Rewrite[],
  digest = 'the first look',
): Promise<ChainIndex> {
  const copy = join(workDir, 'after.sqlite');
  await copyFile(join(workDir, 'before.sqlite'), copy);
  const after = openChainIndex(copy);
  closers.add(() => after.close());
  const concerned = new Set(concernedAssets(rewrites));
  for (const assetId of concerned) after.forgetAsset(assetId);
  const others = witnesses.filter(({ assetId }) => !concerned.has(assetId));
  const again = await syncIndex(beacon, after, { witnesses: others, isOwn });
  // What was rewritten between the two looks belongs to another decision; `before` does not know of it.
  if (again.length > 0) throw new AppError('REWRITES_CHANGED', { digest });
  return after;
}

/** There is nothing to decide but what the index follows. */
function acceptWithoutState(
  rewrites: readonly Rewrite[],
  confirmed: string | undefined,
): Acceptance {
  const digest = digestOf(rewrites, NOTHING);
  if (confirmed !== undefined && confirmed !== digest) {
    throw new AppError('REWRITES_CHANGED', { digest: confirmed });
  }
  return { digest, isAccepted: confirmed !== undefined, ...NOTHING };
}

/**
 * Brings the index itself up to what was accepted; a kill before or in between is made good by the next start.
 * @returns how many refs do not go on from that.
 */
async function follow(
  { config, database, vault, beacon, isOwn, closers }: Accepting,
  rewrites: readonly Rewrite[],
  { atStep }: AcceptOptions,
): Promise<number> {
  const index = openChainIndex(dataFiles(config.dataDir).index);
  closers.add(() => index.close());
  // Also what this index calls followed, because an older state gave this decision a number that it has seen.
  for (const assetId of concernedAssets(rewrites)) index.forgetAsset(assetId);
  if (vault !== undefined) await followAccepted(index, database);
  atStep?.('index-followed');
  const witnesses = await listWitnesses(database, index);
  const again = await syncIndex(beacon, index, { witnesses, isOwn });
  atStep?.('synced');
  return again.length;
}

/** The report for people. */
export function printAcceptance(report: AcceptReport): string {
  const { beacon, refs, acceptedBeforeAt } = report;
  if (refs.length === 0) {
    const nothing = `Nothing is rewritten: ${printable(beacon)} goes on from what this node knows.`;
    if (acceptedBeforeAt === null) return nothing;
    return `${nothing} This was accepted at ${new Date(acceptedBeforeAt).toISOString()}.`;
  }
  return [
    `Rewritten refs of ${printable(beacon)}: ${refs.length}.`,
    ...refs.map(printRef),
    ...section('Transactions that the chain has no more', report.lost.map(printLost)),
    ...section('Assets', report.assets.map(printVerdict)),
    ...section(
      'Movements under way that are voided, with their coins going back',
      report.ended.map(
        ({ groupId, kind, assetIds }) =>
          `  ${kind ?? 'group'} ${groupId}: ${assetIds.map(printable).join(', ')}`,
      ),
    ),
    ...verdictOf(report),
  ].join('\n');
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [`${title}: none.`] : [`${title}: ${lines.length}.`, ...lines];
}

function printLost({ transactionId, assetId, isOwn, movement }: LostTransaction): string {
  const origin = isOwn ? 'of this node' : 'of another node';
  if (movement === null) return `  ${transactionId} of ${printable(assetId)}, ${origin}`;
  const { kind, tradeId, from, to } = movement;
  const way = to === null ? '' : ` from ${from ?? 'nobody'} to ${to}`;
  const trade = tradeId === null ? '' : ` ${tradeId}`;
  return `  ${transactionId} of ${printable(assetId)}, ${kind}${trade}${way}`;
}

const REASONS: Readonly<Record<LetGoReason, string>> = {
  foreign: 'the chain names an owner that is nobody here',
  'no-passphrase':
    'the chain names an owner of ours, but neither the vault nor the recovery journal has its passphrase',
  caller: 'a caller of the API has its passphrase',
  occupied:
    'its branch stands on something that is no chain. Delete that branch on the beacon and look again: then it is minted anew',
};

function printVerdict(verdict: AssetVerdict): string {
  const { assetId, holder, ownerId, isExposed } = verdict;
  const owner = ownerId === null ? '' : `; the chain names ${printable(ownerId)}`;
  const exposed = isExposed ? '; its passphrase may be public, so start the bot soon' : '';
  return `  ${printable(assetId)} of ${holder ?? 'nobody here'}: ${wordsOf(verdict)}${owner}${exposed}`;
}

function wordsOf({ outcome, reason, refund }: AssetVerdict): string {
  switch (outcome) {
    case 'unchanged':
      return 'stays as it is, only its history is shorter';
    case 'handed-over-anew':
      return 'stays; the bot hands it over anew at its next start';
    case 'minted-anew':
      return 'stays; the chain has nothing of it, so the bot mints it anew at its next start';
    case 'outside':
      return 'is not in custody';
    case 'let-go': {
      const back = refund === null ? '' : `; the roll's ${refund.amountGc} gc go back`;
      return `IS LOST: ${reason === null ? 'unknown' : REASONS[reason]}${back}`;
    }
  }
}

function verdictOf({ digest, isAccepted, rewrittenAgain }: AcceptReport): readonly string[] {
  if (!isAccepted) {
    return [
      'Nothing was changed. First see whether `npx aibot chain show` can put it back: what is accepted is given up for good.',
      `To accept exactly this: npx aibot chain accept --yes ${digest}`,
    ];
  }
  if (rewrittenAgain === 0) return ['Accepted. Start the bot: writing goes on.'];
  return [
    `Accepted. But the chain was rewritten again meanwhile, in ${rewrittenAgain} refs: run this command again.`,
  ];
}

// The package's door for programs, `aibot/node`: opens an NFGT node with a journal of its own from plain options.
import { v7 as uuidv7 } from 'uuid';
import { parseDraft } from './chain/draft.ts';
import type { CheckedGroup, NfgtNode } from './chain/node.ts';
import type { JsonObject } from './chain/record.ts';
import { parseConfig, type Config } from './config.ts';
import { Closers, openBareNode } from './core.ts';
import { AppError } from './shared/errors.ts';
import type { SettlementId } from './shared/ids.ts';
import { silentLogger, type Logger } from './shared/logger.ts';

export type { ChainFault, IndexedTransaction } from './chain/chain-index.ts';
export type {
  ChainReader,
  CheckedGroup,
  CheckedTransaction,
  GroupOutcome,
  NodeEvents,
  NodeRole,
  NodeStatus,
  RoleEvent,
} from './chain/node.ts';
export type { JsonObject, JsonValue, TransactionRecord } from './chain/record.ts';
export { AppError, type ErrorCode } from './shared/errors.ts';
export type { AssetId, CommitId, OwnerId, SettlementId, TransactionId } from './shared/ids.ts';
export type { Logger } from './shared/logger.ts';

/** The configuration's names with its rules and defaults; `.env.example` explains each. */
export interface NodeOptions {
  /** A path, `file://`, `ssh://`, `git@host:path` or `https://`. A path where nothing is becomes a new beacon. */
  readonly beaconUrl: string;
  /** The node's own directory: index, git's scratch, and the journal unless it is an observer. One process at a time. */
  readonly dataDir: string;
  /** `auto` by default: validator when the beacon lets us push. */
  readonly nodeRole?: Config['nodeRole'] | undefined;
  /** The text of a deploy key. */
  readonly beaconSshKey?: string | undefined;
  readonly beaconSshKeyFile?: string | undefined;
  readonly beaconKnownHostsFile?: string | undefined;
  readonly beaconEpochBranch?: string | undefined;
  readonly beaconSyncIntervalMs?: number | undefined;
  /** Says nothing by default. */
  readonly logger?: Logger | undefined;
}

/** What a program wants on the chain. */
export interface Draft {
  readonly assetId: string;
  readonly ownerId: string;
  /** Null by default. At most 16 KiB and 16 levels. */
  readonly metadata?: JsonObject | null | undefined;
  /** What the asset's newest transaction gave its owner; a mint needs none. */
  readonly passphrase?: string | undefined;
  /** A lowercase UUID; made by the node by default. */
  readonly transactionId?: string | undefined;
}

/**
 * A node that is open. To write: `check`, keep the passphrases, `submit`. Reads are those of `chain`; they never wait.
 * Ids to look up need no check: `chain.findTip('lamp' as AssetId)`.
 */
export interface OpenNode extends Pick<
  NfgtNode,
  'chain' | 'status' | 'findState' | 'outcomeOf' | 'sync' | 'on'
> {
  /**
   * Checks ownership by passphrase and gives every transaction its id, its time and its successor passphrase; writes
   * nothing. The drafts of one call reach the chain together or not at all.
   *
   * **Each `successorPassphrase` is given here and never again**: the node keeps none, and without it the asset can
   * never move again. Keep it durably, beside its `record.transactionId`, before `submit`; forget it when `submit`
   * throws, when the outcome is rejected, or when `findState` does not know the transaction.
   * @throws AppError NODE_IS_OBSERVER, PASSPHRASE_MISMATCH, ASSET_BUSY, QUEUE_FULL, BEACON_UNREACHABLE,
   *   TRANSACTION_ID_TAKEN, ASSET_ID_INVALID, OWNER_ID_INVALID, METADATA_INVALID, TRANSACTION_ID_INVALID, INPUT_INVALID
   */
  check(drafts: readonly Draft[]): Promise<CheckedGroup>;
  /**
   * Writes a checked group into the journal and hands it to the pusher. Once this has resolved the group is pending,
   * survives a crash, and ends as committed or rejected: `outcomeOf(group.groupId)` tells.
   * @throws AppError ASSET_BUSY, CHAIN_ADVANCED when somebody was quicker since `check`, TRANSACTION_ID_TAKEN also for
   *   a group that was submitted before; nothing is written then.
   */
  submit(group: CheckedGroup): Promise<void>;
  /** Waits for the push in flight and closes everything; the process may end then. What is pending stays so. */
  close(): Promise<void>;
}

/** Every option that is a setting, with the name that faults of it go by. */
const SETTING_NAMES: ReadonlyMap<string, string> = new Map<keyof NodeOptions, string>([
  ['beaconUrl', 'BEACON_URL'],
  ['dataDir', 'DATA_DIR'],
  ['nodeRole', 'NODE_ROLE'],
  ['beaconSshKey', 'BEACON_SSH_KEY'],
  ['beaconSshKeyFile', 'BEACON_SSH_KEY_FILE'],
  ['beaconKnownHostsFile', 'BEACON_KNOWN_HOSTS_FILE'],
  ['beaconEpochBranch', 'BEACON_EPOCH_BRANCH'],
  ['beaconSyncIntervalMs', 'BEACON_SYNC_INTERVAL_MS'],
]);
const REQUIRED = ['beaconUrl', 'dataDir'] as const;

/**
 * Opens a node: syncs, and takes up what an earlier process left pending. It keeps the process alive until it is closed.
 * @throws AppError CONFIG_INVALID, DATA_DIR_IN_USE, BEACON_UNREACHABLE, BEACON_UNUSABLE, DATABASE_TOO_NEW
 */
export async function openNode({
  logger = silentLogger,
  ...settings
}: NodeOptions): Promise<OpenNode> {
  const config = configOf(settings);
  const closers = new Closers();
  try {
    const parts = await openBareNode(config, closers, { logger, ambient: process.env });
    return withJournal(parts, () => closers.closeAll());
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

/** A misspelled or forgotten setting is refused: its default might be another beacon than the one that was meant. */
function configOf(settings: Readonly<Record<string, unknown>>): Config {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  const names = given.map(([name]) => name);
  const faults = [
    ...names.filter((name) => !SETTING_NAMES.has(name)).map((name) => `${name} is not an option`),
    ...REQUIRED.filter((name) => !names.includes(name)).map((name) => `${name} is missing`),
  ];
  if (faults.length > 0) throw new AppError('CONFIG_INVALID', { faults: faults.join('\n') });
  const env: Record<string, string> = {};
  for (const [name, value] of given) env[SETTING_NAMES.get(name) ?? name] = String(value);
  return parseConfig(env);
}

function withJournal(
  { node, database }: Awaited<ReturnType<typeof openBareNode>>,
  close: () => Promise<void>,
): OpenNode {
  return {
    chain: node.chain,
    status: () => node.status(),
    findState: (transactionId) => node.findState(transactionId),
    outcomeOf: (groupId) => node.outcomeOf(groupId),
    sync: () => node.sync(),
    on: (name, listener) => node.on(name, listener),
    check: async (drafts) => {
      if (drafts.length === 0) {
        throw new AppError('INPUT_INVALID', { reason: 'a group holds at least one transaction' });
      }
      return await node.check(uuidv7() as SettlementId, drafts.map(parseOwnDraft));
    },
    submit: async (group) => {
      await database.transaction(({ journal }) => node.journal(journal, group));
      node.submit(group.groupId);
    },
    close,
  };
}

function parseOwnDraft({ assetId, ownerId, metadata, passphrase, transactionId }: Draft) {
  return parseDraft({ assetId, ownerId, metadata, passphrase, transactionId });
}

// Opens the parts below the edges, in order: database, vault, beacon, index, node; and closes them in reverse.
import { existsSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from './app/ports/database.ts';
import type { ChainIndex } from './chain/chain-index.ts';
import type { Beacon } from './chain/beacon.ts';
import { followAccepted } from './chain/follow-accepted.ts';
import type { NfgtNode } from './chain/node.ts';
import { openNode } from './chain/open-node.ts';
import { Publisher } from './chain/publisher.ts';
import type { Config } from './config.ts';
import { lockDataDir } from './db/data-dir-lock.ts';
import { openDatabase } from './db/open-database.ts';
import { openChainIndex } from './db/sqlite-chain-index.ts';
import type { Credentials } from './git/environment.ts';
import { openGitBeacon, type GitBeaconOptions } from './git/open-git-beacon.ts';
import { AppError } from './shared/errors.ts';
import { systemClock } from './shared/clock.ts';
import type { Logger } from './shared/logger.ts';
import { openValidatorKeys, type ValidatorKeys } from './validator-keys.ts';
import { RecoveryJournal } from './vault/recovery-journal.ts';
import { openVault, type Vault } from './vault/vault.ts';

/** Its presence in a data directory says that a restore was not finished. */
export const RESTORE_MARKER = 'restore.unfinished';

/** The files of a data directory. */
export function dataFiles(dataDir: string) {
  return {
    /** Authoritative: back it up together with the key. */
    state: join(dataDir, 'state.sqlite'),
    /** The vault's key, when there is no passphrase. */
    vaultKey: join(dataDir, 'vault.key'),
    /** Every sealed passphrase once more, unless RECOVERY_JOURNAL names another file. */
    recoveryJournal: join(dataDir, 'recovery.journal'),
    /** The hashes of the API's tokens; not there until one is made. */
    apiTokens: join(dataDir, 'api-tokens'),
    /** A projection; it comes back from the beacon. */
    index: join(dataDir, 'index.sqlite'),
    /** Git's scratch directory; it comes back from the beacon. */
    git: join(dataDir, 'git'),
    /** The embedded beacon, when no BEACON_URL is set. Authoritative then. */
    beacon: join(dataDir, 'beacon.git'),
  };
}

/** Collects what has to be closed, and closes it last come first. */
export class Closers {
  readonly #closers: (() => Promise<void> | void)[] = [];

  add(close: () => Promise<void> | void): void {
    this.#closers.push(close);
  }

  async closeAll(): Promise<void> {
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) {
      await close();
    }
  }
}

/** What the parts get from the process that they run in. */
export interface Surroundings {
  readonly logger: Logger;
  /** The process's environment, of which git gets the few variables that it needs. */
  readonly ambient: Readonly<Record<string, string | undefined>>;
  /** How long a push whose answer was lost may still arrive; the node's own limit unless a test shortens it. */
  readonly latePushMs?: number | undefined;
}

export interface State {
  readonly database: Database;
  readonly vault: Vault;
}

/** The node and what it stands on. */
export interface Chain {
  readonly beacon: Beacon;
  readonly index: ChainIndex;
  readonly node: NfgtNode;
}

export interface Core extends State, Chain {
  readonly recovery: RecoveryJournal;
}

/**
 * Opens the authoritative state.
 * @throws AppError VAULT_PASSPHRASE_WRONG and the vault's others; nothing is changed then.
 */
export async function openState(config: Config, closers: Closers, logger: Logger): Promise<State> {
  const files = dataFiles(config.dataDir);
  const database = await openDatabase({ file: files.state });
  closers.add(() => database.close());
  const vault = await openVault({
    passphrase: config.vaultPassphrase?.reveal(),
    keyFile: files.vaultKey,
    headers: database,
  });
  if (vault.hasNewKeyFile) {
    const file = files.vaultKey;
    logger.warn(
      { file },
      'made the key of the vault; back it up: without it every asset in custody is lost',
    );
  }
  return { database, vault };
}

/** What opens a remote, of the configuration. */
export function beaconCredentials(config: Config): Credentials {
  const { beaconSshKey, beaconSshKeyFile, beaconKnownHostsFile } = config;
  return {
    ...(beaconSshKey !== undefined && { sshKey: beaconSshKey.reveal() }),
    ...(beaconSshKeyFile !== undefined && { sshKeyFile: beaconSshKeyFile }),
    ...(beaconKnownHostsFile !== undefined && { knownHostsFile: beaconKnownHostsFile }),
  };
}

/**
 * Opens the beacon that the configuration names, or the embedded one.
 * @param git.signer signs what is pushed.
 * @param git.knownEpoch where the epoch branch was last seen.
 * @param git.sharesOpening true for whoever asks for the refs at once.
 * @param git.readOnly true to make nothing where nothing is.
 * @throws AppError BEACON_UNREACHABLE, BEACON_UNUSABLE
 */
export function openBeacon(
  config: Config,
  workDir: string,
  { logger, ambient }: Surroundings,
  git: Pick<GitBeaconOptions, 'signer' | 'knownEpoch' | 'sharesOpening' | 'readOnly'> = {},
): Promise<Beacon> {
  return openGitBeacon({
    url: config.beaconUrl ?? dataFiles(config.dataDir).beacon,
    epochBranch: config.beaconEpochBranch,
    workDir,
    ...git,
    logger,
    ambient,
    ...beaconCredentials(config),
  });
}

/** Opens everything below the edges. What was opened is in `closers`, also when a later part fails. */
export async function openCore(
  config: Config,
  closers: Closers,
  surroundings: Surroundings,
): Promise<Core> {
  await takeDataDir(config.dataDir, closers);
  const state = await openState(config, closers, surroundings.logger);
  const recovery = openRecovery(config, closers, surroundings.logger, state.vault);
  const keys = await openValidatorKeys(config, state.vault, surroundings.logger);
  const chain = await openChain(config, closers, surroundings, { ...state, keys });
  return { ...state, ...chain, recovery };
}

/** The recovery journal that the configuration names. */
export function recoveryFile({ recoveryJournal, dataDir }: Config): string {
  return recoveryJournal ?? dataFiles(dataDir).recoveryJournal;
}

function openRecovery(
  config: Config,
  closers: Closers,
  logger: Logger,
  vault: Vault,
): RecoveryJournal {
  const recovery = new RecoveryJournal({ file: recoveryFile(config), vault, logger });
  closers.add(() => recovery.close());
  return recovery;
}

/** Makes the data directory, for its owner alone, and takes it for this process. @throws AppError DATA_DIR_IN_USE, RESTORE_UNFINISHED */
export async function takeDataDir(dataDir: string, closers: Closers): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await chmod(dataDir, 0o700);
  closers.add(lockDataDir(dataDir));
  // Half of a backup would be taken for a new data directory, with a new vault beside the old beacon.
  if (existsSync(join(dataDir, RESTORE_MARKER))) {
    throw new AppError('RESTORE_UNFINISHED', { dir: dataDir });
  }
}

/** Opens beacon, index and node over a journal. */
async function openChain(
  config: Config,
  closers: Closers,
  surroundings: Surroundings,
  { database, keys }: { readonly database: Database; readonly keys?: ValidatorKeys },
): Promise<Chain> {
  const files = dataFiles(config.dataDir);
  let opened: Promise<ChainIndex> | undefined;
  const openIndex = (): Promise<ChainIndex> =>
    (opened ??= openFollowingIndex(files.index, closers, surroundings.logger, database));
  const beacon = await openBeacon(config, files.git, surroundings, {
    signer: keys?.signer,
    knownEpoch: async () => (await openIndex()).findEpoch(),
    sharesOpening: true,
  });
  closers.add(() => beacon.close());
  const index = await openIndex();
  // Between the node and the index: what the node's last push has spent is still published.
  let publisher: Publisher | undefined;
  closers.add(() => publisher?.close());
  const node = await openNode({
    database,
    committer: keys?.committer ?? KEYLESS_COMMITTER,
    sealer: keys?.sealer,
    beacon,
    index,
    clock: systemClock,
    logger: surroundings.logger,
    role: config.nodeRole,
    syncIntervalMs: config.beaconSyncIntervalMs,
    latePushMs: surroundings.latePushMs,
  });
  closers.add(() => closePatiently(node, beacon));
  if (keys !== undefined) {
    const { committer: id, signer, sealer } = keys;
    const { publicKey } = signer;
    publisher = new Publisher({
      entry: { id, publicKey, introspectionUrl: config.nodePublicUrl ?? null },
      mayWrite: async () => {
        const { role, rewriting } = await node.status();
        return role === 'validator' && rewriting === null;
      },
      ...{ beacon, index, database, sealer, clock: systemClock, logger: surroundings.logger },
    });
  }
  return { beacon, index, node };
}

/** Opens the index and has it follow what was accepted of a rewritten chain. */
async function openFollowingIndex(
  file: string,
  closers: Closers,
  logger: Logger,
  database: Database,
): Promise<ChainIndex> {
  const index = openChainIndex(file);
  closers.add(() => index.close());
  const accepted = await followAccepted(index, database);
  if (accepted.length > 0) {
    const facts = { assets: accepted.length };
    logger.warn(facts, 'a rewritten chain was accepted; its assets are read anew');
  }
  return index;
}

/** A beacon that hangs must not hold the node: after a moment its git gets the beacon's own time to end, and no more. */
async function closePatiently(node: NfgtNode, beacon: Beacon): Promise<void> {
  let closing: Promise<void> | undefined;
  const impatient = setTimeout(() => {
    closing = beacon.close();
  }, NODE_CLOSE_GRACE_MS);
  await node.close();
  clearTimeout(impatient);
  await closing;
}

/**
 * Opens a node whose passphrases are kept by somebody else; the vault then holds only its own keys. An observer has
 * none at all.
 * @throws AppError DATA_DIR_IN_USE, BEACON_UNREACHABLE, BEACON_UNUSABLE, DATABASE_TOO_NEW, and the vault's
 */
export async function openBareNode(
  config: Config,
  closers: Closers,
  surroundings: Surroundings,
): Promise<Chain & { readonly database: Database }> {
  if (config.nodeRole !== 'observer') return openCore(config, closers, surroundings);
  await takeDataDir(config.dataDir, closers);
  const { state } = dataFiles(config.dataDir);
  // An observer accepts nothing and so has nothing to write down; what a validator left here it goes on knowing.
  const database = await openDatabase({ file: existsSync(state) ? state : ':memory:' });
  closers.add(() => database.close());
  return { ...(await openChain(config, closers, surroundings, { database })), database };
}

/** How long a closing node may need its beacon; what it was to publish then is published after the next start. */
const NODE_CLOSE_GRACE_MS = 1_000;
/** The committer of a node without keys, which never commits. */
const KEYLESS_COMMITTER = 'aibot';

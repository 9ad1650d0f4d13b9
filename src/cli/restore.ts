// Restores a backup onto an empty data directory; a restore that was killed is begun again by the next one.
import type { Decrypter } from 'age-encryption';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '../config.ts';
import { dataFiles, recoveryFile, RESTORE_MARKER, type Surroundings } from '../core.ts';
import { lockDataDir } from '../db/data-dir-lock.ts';
import { openDatabase } from '../db/open-database.ts';
import { unbundleBeacon } from '../git/beacon-bundle.ts';
import { flushPath } from '../git/flush.ts';
import { AppError } from '../shared/errors.ts';
import {
  checkBackup,
  decrypterFrom,
  fetchFile,
  type BackupFile,
  type Manifest,
} from './backup-files.ts';

/** Named points of a restore, in order; the crash tests kill the process at each. */
export const RESTORE_STEPS = ['marked', 'state-placed', 'files-placed', 'restored'] as const;

export interface RestoreOptions {
  readonly dir: string;
  /** A file of age identities; needed for an encrypted backup only. */
  readonly identityFile: string | undefined;
  readonly atStep?: (step: (typeof RESTORE_STEPS)[number]) => void;
}

/** What may be there already: the key and the journal that outlived the disk, and what a mounted disk has. */
const ALLOWED = new Set([
  'lock.sqlite',
  'lock.sqlite-journal',
  'vault.key',
  'recovery.journal',
  'lost+found',
]);

/**
 * Puts a backup into the configured data directory. The next start brings it to the beacon's present.
 * @throws AppError BACKUP_DAMAGED, DATA_DIR_NOT_EMPTY, DATA_DIR_IN_USE, INPUT_INVALID, RECOVERY_JOURNAL_UNUSABLE;
 *   then nothing was changed, or the data directory stays marked as unfinished.
 */
export async function restoreBackup(
  config: Config,
  options: RestoreOptions,
  surroundings: Pick<Surroundings, 'ambient'>,
): Promise<Manifest> {
  const manifest = await checkBackup(options.dir);
  const decrypter = await openDecrypter(manifest, options.identityFile);
  refuseOtherBeacon(config, manifest);
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  await chmod(config.dataDir, 0o700);
  const unlock = lockDataDir(config.dataDir);
  try {
    await clearUnfinished(config.dataDir);
    await placeMarker(config.dataDir);
    options.atStep?.('marked');
    await placeFiles(config, { ...options, manifest, decrypter }, surroundings);
    options.atStep?.('files-placed');
    await rm(join(config.dataDir, RESTORE_MARKER));
    await flushPath(config.dataDir);
    options.atStep?.('restored');
    return manifest;
  } finally {
    unlock();
  }
}

async function openDecrypter(
  { encrypted }: Manifest,
  identityFile: string | undefined,
): Promise<Decrypter | undefined> {
  if (!encrypted) return undefined;
  if (identityFile !== undefined) return await decrypterFrom(identityFile);
  const reason = 'the backup is encrypted: name the file of its identity with --identity';
  throw new AppError('INPUT_INVALID', { reason });
}

/** A bot that finds no beacon makes a new, empty one: it must not, beside a state that belongs to another. */
function refuseOtherBeacon({ beaconUrl }: Config, { beacon, files }: Manifest): void {
  const hasBeacon = files.some(({ name }) => name === 'beacon.bundle');
  if (beaconUrl !== undefined || hasBeacon) return;
  const reason = `the backup belongs to the beacon ${beacon}: set BEACON_URL to it`;
  throw new AppError('INPUT_INVALID', { reason });
}

/** @throws AppError DATA_DIR_NOT_EMPTY unless what is there is the work of a restore that was killed. */
async function clearUnfinished(dataDir: string): Promise<void> {
  const names = (await readdir(dataDir)).filter((name) => !ALLOWED.has(name));
  if (names.length > 0 && !names.includes(RESTORE_MARKER)) {
    throw new AppError('DATA_DIR_NOT_EMPTY', { dir: dataDir });
  }
  for (const name of names) {
    if (name !== RESTORE_MARKER) await rm(join(dataDir, name), { recursive: true });
  }
}

async function placeMarker(dataDir: string): Promise<void> {
  const handle = await open(join(dataDir, RESTORE_MARKER), 'w', 0o600);
  await handle.sync();
  await handle.close();
  await flushPath(dataDir);
}

interface Placing extends RestoreOptions {
  readonly manifest: Manifest;
  readonly decrypter: Decrypter | undefined;
}

async function placeFiles(
  config: Config,
  { dir, manifest, decrypter, atStep }: Placing,
  { ambient }: Pick<Surroundings, 'ambient'>,
): Promise<void> {
  const files = dataFiles(config.dataDir);
  const names = new Set<BackupFile>(manifest.files.map(({ name }) => name));
  const work = await mkdtemp(join(config.dataDir, 'restore-'));
  const fetched = async (name: BackupFile): Promise<string> => {
    const path = join(work, name);
    await fetchFile(dir, name, path, decrypter);
    return path;
  };
  // A key that the operator has put there is not replaced: it may be newer than the backup.
  if (names.has('vault.key') && !existsSync(files.vaultKey)) {
    await rename(await fetched('vault.key'), files.vaultKey);
  }
  if (names.has('recovery.journal')) {
    await mergeJournal(await fetched('recovery.journal'), recoveryFile(config));
  }
  if (names.has('beacon.bundle')) {
    const bundle = await fetched('beacon.bundle');
    const { beaconEpochBranch: epochBranch } = config;
    await unbundleBeacon({ beacon: files.beacon, bundle, epochBranch, workDir: work, ambient });
  }
  await rename(await fetched('state.sqlite'), files.state);
  atStep?.('state-placed');
  await rm(work, { recursive: true });
  await rememberRestore(files.state, manifest);
}

/** The first start after it holds custody against the chain, and names what the backup could not know. */
async function rememberRestore(state: string, { takenAt }: Manifest): Promise<void> {
  const database = await openDatabase({ file: state });
  try {
    await database.transaction(({ restores }) =>
      restores.insertRestore({ restoredAt: Date.now(), takenAt }),
    );
  } finally {
    await database.close();
  }
}

/**
 * Adds the records of the backup's journal to the one that is there, which is newer when it outlived the disk. The
 * lines are sealed: they are joined unread.
 * @throws AppError RECOVERY_JOURNAL_UNUSABLE when the two are not of the same vault
 */
export async function mergeJournal(backup: string, present: string): Promise<void> {
  const [header = '', ...records] = linesOf(await readFile(backup, 'latin1'));
  const there = existsSync(present) ? linesOf(await readFile(present, 'latin1')) : [];
  if (there[0] !== undefined && there[0] !== header) {
    const reason = 'it belongs to another vault than the backup';
    throw new AppError('RECOVERY_JOURNAL_UNUSABLE', { file: present, reason });
  }
  // The backup's first: of two records of one transaction the later one counts.
  const merged = new Set([header, ...records, ...there.slice(1)]);
  const draft = `${present}.new`;
  const handle = await open(draft, 'w', 0o600);
  try {
    await handle.writeFile([...merged].map((line) => `${line}\n`).join(''), 'latin1');
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, present);
  await flushPath(dirname(present));
}

/** Whole lines only: what follows the last line break is a record that a crash has torn. */
function linesOf(text: string): string[] {
  return text.split('\n').slice(0, -1);
}

/** What the operator is told. */
export function printRestore({ takenAt }: Manifest, { dataDir, ...config }: Config): string {
  const { vaultKey } = dataFiles(dataDir);
  const needsKey = config.vaultPassphrase === undefined && !existsSync(vaultKey);
  const lines = [
    `The backup of ${new Date(takenAt).toISOString()} is in ${dataDir}.`,
    'The next start brings it to the present of the beacon; then run `npx aibot audit`.',
  ];
  if (needsKey)
    lines.push(`Put the vault's key file at ${vaultKey}, or set VAULT_PASSPHRASE, first.`);
  return lines.join('\n');
}

// Takes a backup, beside a running bot or without: one consistent state, the beacon if it is our own, the recovery journal.
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Config } from '../config.ts';
import { dataFiles, recoveryFile, type Surroundings } from '../core.ts';
import { copyDatabase } from '../db/copy-database.ts';
import { bundleBeacon } from '../git/beacon-bundle.ts';
import { flushPath } from '../git/flush.ts';
import { parseRemoteUrl } from '../git/remote-url.ts';
import { AppError } from '../shared/errors.ts';
import { encrypterFor, storeFile, writeManifest, type Manifest } from './backup-files.ts';

/** Named points of a backup, in order; the crash tests kill the process at each. */
export const BACKUP_STEPS = ['state-copied', 'files-stored', 'placed'] as const;

export interface BackupOptions {
  readonly dir: string;
  /** True to put the vault's key file in as well: whoever has the backup then has every asset. */
  readonly withKey: boolean;
  /** A public key of age; without one the backup is not encrypted. */
  readonly recipient: string | undefined;
  readonly atStep?: (step: (typeof BACKUP_STEPS)[number]) => void;
}

/**
 * Takes a backup: whole in its place when this resolves, and nothing there otherwise. The beacon is copied after the
 * state, so that everything that the state calls committed is in it; the recovery journal comes last, so that it has
 * the passphrase of everything in the beacon.
 * @throws AppError INPUT_INVALID, BACKUP_DIR_NOT_EMPTY, BEACON_UNUSABLE
 */
export async function takeBackup(
  config: Config,
  options: BackupOptions,
  { ambient }: Pick<Surroundings, 'ambient'>,
): Promise<Manifest> {
  const dir = resolve(options.dir);
  const files = dataFiles(config.dataDir);
  if (!existsSync(files.state)) {
    throw new AppError('INPUT_INVALID', { reason: `there is no database at ${files.state}` });
  }
  if (options.withKey && !existsSync(files.vaultKey)) {
    const reason = `there is no key file at ${files.vaultKey}: the vault has a passphrase`;
    throw new AppError('INPUT_INVALID', { reason });
  }
  await refuseNonEmpty(dir);
  await mkdir(dirname(dir), { recursive: true });
  // What is not encrypted yet stays where the data is in the clear anyway.
  const work = await mkdtemp(join(resolve(config.dataDir), 'backup-'));
  const draft = await mkdtemp(join(dirname(dir), `.${basename(dir)}.unfinished-`));
  try {
    const manifest = await fillDraft(config, options, { work, draft, ambient });
    await rename(draft, dir);
    await flushPath(dirname(dir));
    options.atStep?.('placed');
    return manifest;
  } finally {
    await rm(work, { recursive: true, force: true });
    await rm(draft, { recursive: true, force: true });
  }
}

async function fillDraft(
  config: Config,
  { withKey, recipient, atStep }: BackupOptions,
  { work, draft, ambient }: { work: string; draft: string } & Pick<Surroundings, 'ambient'>,
): Promise<Manifest> {
  const files = dataFiles(config.dataDir);
  const encrypter = recipient === undefined ? undefined : await encrypterFor(recipient);
  const takenAt = Date.now();
  const state = join(work, 'state.sqlite');
  const schema = await copyDatabase(files.state, state);
  atStep?.('state-copied');
  const stored = [await storeFile(draft, 'state.sqlite', state, encrypter)];
  const hasOwnBeacon = config.beaconUrl === undefined && existsSync(files.beacon);
  if (hasOwnBeacon) {
    const bundle = join(work, 'beacon.bundle');
    await bundleBeacon({ beacon: files.beacon, bundle, workDir: work, ambient });
    stored.push(await storeFile(draft, 'beacon.bundle', bundle, encrypter));
  }
  const journal = recoveryFile(config);
  if (existsSync(journal)) {
    stored.push(await storeFile(draft, 'recovery.journal', journal, encrypter));
  }
  if (withKey) stored.push(await storeFile(draft, 'vault.key', files.vaultKey, encrypter));
  const beacon =
    config.beaconUrl === undefined ? 'embedded' : parseRemoteUrl(config.beaconUrl).description;
  const manifest: Manifest = {
    format: 'aibot-backup 1',
    takenAt,
    schema,
    beacon,
    encrypted: encrypter !== undefined,
    files: stored,
  };
  await writeManifest(draft, manifest);
  await flushPath(draft);
  atStep?.('files-stored');
  return manifest;
}

async function refuseNonEmpty(dir: string): Promise<void> {
  if (existsSync(dir) && (await readdir(dir)).length > 0) {
    throw new AppError('BACKUP_DIR_NOT_EMPTY', { dir });
  }
}

/** What the operator is told. */
export function printBackup({ files, encrypted }: Manifest, dir: string): string {
  const names = files.map(({ name, bytes }) => `  ${name}: ${bytes} bytes`);
  const hasKey = files.some(({ name }) => name === 'vault.key');
  const key = hasKey
    ? "The vault's key file is in it: whoever gets this backup gets every asset."
    : "The vault's key is NOT in it. Keep the key file or passphrase in another place: without it the backup is worth nothing.";
  const how = encrypted ? 'encrypted' : 'not encrypted';
  return [`The backup is in ${dir}, ${how}:`, ...names, key].join('\n');
}

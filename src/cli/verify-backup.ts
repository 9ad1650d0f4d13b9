// Proves a backup restorable: restores a copy in a temporary place, brings it to the chain there, and audits it.
import { copyFileSync, existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditFinding } from '../app/app.ts';
import { runAudit } from '../app/audit.ts';
import { makeOwnerIds } from '../app/owner-ids.ts';
import { recoverCustody } from '../app/recover-custody.ts';
import type { ChainIndex } from '../chain/chain-index.ts';
import { syncIndex } from '../chain/sync.ts';
import type { Config } from '../config.ts';
import {
  Closers,
  dataFiles,
  openBeacon,
  openState,
  recoveryFile,
  type State,
  type Surroundings,
} from '../core.ts';
import { listDatabaseFaults } from '../db/copy-database.ts';
import { openChainIndex } from '../db/sqlite-chain-index.ts';
import { systemClock } from '../shared/clock.ts';
import { AppError } from '../shared/errors.ts';
import { readRecoveryJournal } from '../vault/recovery-journal.ts';
import { mergeJournal, restoreBackup, type RestoreOptions } from './restore.ts';

export interface BackupReport {
  /** Everything that would be off after a restore; empty for a sound backup. */
  readonly findings: readonly AuditFinding[];
  /** Sealed passphrases that were opened. */
  readonly passphrases: number;
  /** False when the beacon did not answer: custody was then not held against it. */
  readonly sawBeacon: boolean;
}

/**
 * Restores the backup in a temporary place with the key at hand, opens everything in it, takes from the recovery
 * journal (of the backup, and the present one where there is one) what its vault lacks, and audits the result against
 * the beacon. Changes nothing.
 * @throws AppError BACKUP_DAMAGED, INPUT_INVALID, and those of the vault
 */
export async function verifyBackup(
  config: Config,
  options: RestoreOptions,
  surroundings: Surroundings,
): Promise<BackupReport> {
  const closers = new Closers();
  try {
    const temporary = await mkdtemp(join(tmpdir(), 'aibot-verify-'));
    closers.add(() => rm(temporary, { recursive: true, force: true }));
    const copy = { ...config, dataDir: join(temporary, 'data'), recoveryJournal: undefined };
    await bringWhatOutlived(config, copy);
    await restoreBackup(copy, options, surroundings);
    await bringPresentJournal(config, copy);
    const { state } = dataFiles(copy.dataDir);
    const faults = listDatabaseFaults(state);
    if (faults.length > 0) {
      throw new AppError('BACKUP_DAMAGED', { dir: options.dir, reason: faults[0] ?? '' });
    }
    const opened = await openState(copy, closers, surroundings.logger);
    const passphrases = await openAllPassphrases(opened);
    const index = openChainIndex(':memory:');
    closers.add(() => index.close());
    const sawBeacon = await readChain(copy, index, closers, surroundings);
    const findings = await auditCopy(copy, opened, index, surroundings);
    const seen = sawBeacon ? findings : findings.filter(({ invariant }) => invariant !== 'custody');
    return {
      findings: [...passphrases.findings, ...seen],
      passphrases: passphrases.count,
      sawBeacon,
    };
  } finally {
    await closers.closeAll();
  }
}

/** The key file of the present data directory opens the copy; without one the backup's own or the passphrase has to. */
async function bringWhatOutlived(config: Config, copy: Config): Promise<void> {
  await mkdir(copy.dataDir, { recursive: true, mode: 0o700 });
  const { vaultKey } = dataFiles(config.dataDir);
  if (existsSync(vaultKey)) copyFileSync(vaultKey, dataFiles(copy.dataDir).vaultKey);
}

async function bringPresentJournal(config: Config, copy: Config): Promise<void> {
  const present = recoveryFile(config);
  if (existsSync(present)) await mergeJournal(present, recoveryFile(copy));
}

async function openAllPassphrases({ database, vault }: State): Promise<{
  readonly count: number;
  readonly findings: readonly AuditFinding[];
}> {
  const entries = await database.read((stores) => stores.vault.listAll());
  const findings: AuditFinding[] = [];
  for (const entry of entries) {
    try {
      vault.open(entry.sealed, entry);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      findings.push({ invariant: 'vault', detail: error.message });
    }
  }
  return { count: entries.length, findings };
}

/** @returns false when the beacon does not answer. */
async function readChain(
  copy: Config,
  index: ChainIndex,
  closers: Closers,
  surroundings: Surroundings,
): Promise<boolean> {
  try {
    const beacon = await openBeacon(copy, join(copy.dataDir, 'git'), surroundings);
    closers.add(() => beacon.close());
    await syncIndex(beacon, index);
    return true;
  } catch (error) {
    if (error instanceof AppError && error.kind === 'unavailable') return false;
    throw error;
  }
}

async function auditCopy(
  copy: Config,
  { database, vault }: State,
  chain: ChainIndex,
  { logger }: Surroundings,
): Promise<readonly AuditFinding[]> {
  const clock = systemClock;
  const contents = await readRecoveryJournal(recoveryFile(copy), vault);
  const botOwnerId = makeOwnerIds(copy.chainPrivacy, vault.deriveKey('owner-ids')).ownerIdOf('bot');
  await recoverCustody({
    database,
    chain,
    vault,
    entries: contents?.entries ?? [],
    isOurs: (_assetId, ownerId) => ownerId === botOwnerId,
    clock,
    logger,
  });
  const refresh = (): Promise<void> => Promise.resolve();
  return (await runAudit({ database, vault, clock, chain, refresh })).findings;
}

/** The report for people. */
export function printBackupReport({ findings, passphrases, sawBeacon }: BackupReport): string {
  const verdict =
    findings.length === 0
      ? 'The backup can be restored.'
      : `After a restore ${findings.length} things would be off:`;
  const lines = findings.map(({ invariant, detail }) => `  ${invariant}: ${detail}`);
  const beacon = sawBeacon
    ? 'Custody was held against the beacon as it is now.'
    : 'The beacon does not answer: custody was NOT held against it.';
  return [verdict, ...lines, `Passphrases opened: ${passphrases}.`, beacon].join('\n');
}

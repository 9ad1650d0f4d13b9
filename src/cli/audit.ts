// The audit from outside: reads the rows as they are and the chain anew from the beacon, beside a running bot or without.
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditReport } from '../app/app.ts';
import { runAudit } from '../app/audit.ts';
import { syncIndex } from '../chain/sync.ts';
import type { Config } from '../config.ts';
import { Closers, dataFiles, openBeacon, openState, type Surroundings } from '../core.ts';
import { openChainIndex } from '../db/sqlite-chain-index.ts';
import { AppError } from '../shared/errors.ts';
import { systemClock } from '../shared/clock.ts';

/**
 * Audits a data directory against its beacon, trusting no projection; changes nothing.
 * @throws AppError INPUT_INVALID when there is no data directory, and those of vault and beacon.
 */
export async function auditFromOutside(
  config: Config,
  surroundings: Surroundings,
): Promise<AuditReport> {
  const { state } = dataFiles(config.dataDir);
  await access(state).catch((cause: unknown) => {
    throw new AppError('INPUT_INVALID', { reason: `there is no database at ${state}` }, { cause });
  });
  const closers = new Closers();
  try {
    const { database, vault } = await openState(config, closers, surroundings.logger);
    const workDir = await mkdtemp(join(tmpdir(), 'aibot-audit-'));
    closers.add(() => rm(workDir, { recursive: true, force: true }));
    const beacon = await openBeacon(config, workDir, surroundings, { readOnly: true });
    closers.add(() => beacon.close());
    const index = openChainIndex(':memory:');
    closers.add(() => index.close());
    const refresh = async (): Promise<void> => {
      await syncIndex(beacon, index);
    };
    return await runAudit({ database, vault, clock: systemClock, chain: index, refresh });
  } finally {
    await closers.closeAll();
  }
}

/** The report for people. */
export function printAudit({ findings, counts }: AuditReport): string {
  const facts = Object.entries(counts).map(([name, count]) => `  ${name}: ${count}`);
  const verdict =
    findings.length === 0
      ? 'The audit is clean: every invariant holds.'
      : `The audit found ${findings.length} things that are off:`;
  const lines = findings.map(({ invariant, detail }) => `  ${invariant}: ${detail}`);
  return [verdict, ...lines, 'Counted:', ...facts].join('\n');
}

// One row of the benchmark, in a process of its own so that its peak memory is the row's: argv = clients, transactions.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCreateTransaction } from '../../src/app/create-transaction.ts';
import { Settlements } from '../../src/app/settlements.ts';
import { parseConfig } from '../../src/config.ts';
import { Closers, openCore } from '../../src/core.ts';
import { systemClock } from '../../src/shared/clock.ts';
import type { SettlementId } from '../../src/shared/ids.ts';
import { silentLogger } from '../../src/shared/logger.ts';

const [clients = 1, transactions = 1] = process.argv.slice(2).map(Number);

/** What a row says; times in ms, memory in MB. */
export interface BenchRow {
  readonly clients: number;
  readonly transactions: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly peakMb: number;
}

async function measure(dataDir: string): Promise<BenchRow> {
  const closers = new Closers();
  const config = parseConfig({ DATA_DIR: dataDir });
  const logger = silentLogger;
  const core = await openCore(config, closers, { logger, ambient: process.env });
  const settlements = new Settlements({ ...core, clock: systemClock, logger });
  const create = makeCreateTransaction({ ...core, settlements });
  const timesMs: number[] = [];
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < transactions) {
      const assetId = `asset-${next}`;
      next += 1;
      const startedAt = performance.now();
      const { record } = await create({
        assetId,
        ownerId: `owner-${next % 900}`,
        metadata: { ai_asset_id: assetId, gc_cost: 0 },
        passphrase: undefined,
        transactionId: undefined,
        key: undefined,
      });
      const entry = await core.database.read(({ journal }) =>
        journal.findEntry(record.transactionId),
      );
      if (entry === undefined) throw new Error('an accepted transaction is not in the journal');
      const outcome = await core.node.outcomeOf(entry.groupId satisfies SettlementId);
      if (outcome.state !== 'committed') throw new Error(`rejected: ${outcome.reason}`);
      timesMs.push(performance.now() - startedAt);
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: clients }, client));
  const seconds = (performance.now() - startedAt) / 1000;
  await settlements.drain(10_000);
  await closers.closeAll();
  timesMs.sort((a, b) => a - b);
  const quantile = (q: number): number => Math.round(timesMs[Math.floor(timesMs.length * q)] ?? 0);
  return {
    clients,
    transactions,
    perSecond: Math.round(transactions / seconds),
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    peakMb: Math.round(process.resourceUsage().maxRSS / 1024),
  };
}

const dataDir = await mkdtemp(join(tmpdir(), 'aibot-bench-'));
try {
  console.log(JSON.stringify(await measure(dataDir)));
} finally {
  await rm(dataDir, { recursive: true, force: true });
}

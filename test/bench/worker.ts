// One row of the benchmark, in a process of its own so that its peak memory is the row's: argv = clients, transactions.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCreateTransaction } from '../../src/app/create-transaction.ts';
import { Settlements } from '../../src/app/settlements.ts';
import { parseConfig } from '../../src/config.ts';
import { Closers, openCore } from '../../src/core.ts';
import { systemClock } from '../../src/shared/clock.ts';
import type { TransactionId } from '../../src/shared/ids.ts';
import type { NfgtNode } from '../../src/chain/node.ts';
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
  const committed = listen(core.node);
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
      await committed.wait(record.transactionId);
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

/** Tells when a transaction is committed, as a program that listens to the node would learn it. */
function listen(node: NfgtNode): { readonly wait: (id: TransactionId) => Promise<void> } {
  const ends = new Map<TransactionId, PromiseWithEnd>();
  const endOf = (id: TransactionId): PromiseWithEnd => {
    const known = ends.get(id) ?? withEnd();
    ends.set(id, known);
    return known;
  };
  node.on('transaction-committed', ({ transaction }) => endOf(transaction.transactionId).resolve());
  node.on('transaction-rejected', ({ entry, reason }) => {
    endOf(entry.transactionId).reject(new Error(`rejected: ${reason}`));
  });
  return {
    wait: async (id) => {
      await endOf(id).promise;
      ends.delete(id);
    },
  };
}

interface PromiseWithEnd {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (reason: Error) => void;
}

function withEnd(): PromiseWithEnd {
  let end: Pick<PromiseWithEnd, 'resolve' | 'reject'> | undefined;
  const promise = new Promise<void>((resolve, reject) => {
    end = { resolve, reject };
  });
  if (end === undefined) throw new Error('a promise begins at once');
  return { promise, ...end };
}

const dataDir = await mkdtemp(join(tmpdir(), 'aibot-bench-'));
try {
  console.log(JSON.stringify(await measure(dataDir)));
} finally {
  await rm(dataDir, { recursive: true, force: true });
}

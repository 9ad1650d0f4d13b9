// Measures how fast transactions are committed: from many clients at once, and one with nothing else going on.
import { setTimeout as delay } from 'node:timers/promises';
import { newMint, openBenchValidator } from './bench-node.ts';
import { median, quantile, timeOf } from './figures.ts';
import type { Bench, Figures } from './row.ts';

const QUICK_PART = 0.1;
const SINGLE_CREATES = 20;
/** Between single creates, so that none meets the upkeep after the one before it. */
const PAUSE_MS = 150;

/** Lets the clients create as fast as each learns that its last one is committed. */
export async function measureCreates(
  bench: Bench,
  clients: number,
  transactions: number,
): Promise<Figures> {
  const count = bench.quick ? Math.ceil(transactions * QUICK_PART) : transactions;
  const validator = await openBenchValidator(bench);
  const timesMs: number[] = [];
  let started = 0;
  const client = async (): Promise<void> => {
    while (started < count) {
      started += 1;
      const request = newMint();
      timesMs.push(await timeOf(() => validator.commit(request)));
    }
  };
  const cpuBefore = process.cpuUsage();
  const wallMs = await timeOf(() => Promise.all(Array.from({ length: clients }, client)));
  const cpu = process.cpuUsage(cpuBefore);
  await validator.close();
  return {
    transactions: count,
    perSecond: Math.round((1000 * count) / wallMs),
    p50Ms: quantile(timesMs, 0.5),
    p99Ms: quantile(timesMs, 0.99),
    ownCpuUs: Math.round((cpu.user + cpu.system) / count),
  };
}

/** One create after the other, each in a quiet house. */
export async function measureSingleCreate(bench: Bench): Promise<Figures> {
  const validator = await openBenchValidator(bench);
  const timesMs: number[] = [];
  for (let count = bench.quick ? 5 : SINGLE_CREATES; count > 0; count -= 1) {
    await delay(PAUSE_MS);
    timesMs.push(await timeOf(() => validator.commit(newMint())));
  }
  await validator.close();
  return { medianMs: median(timesMs), worstMs: Math.round(Math.max(...timesMs)) };
}

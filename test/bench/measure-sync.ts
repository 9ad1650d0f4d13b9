// Measures a sync that finds nothing.
import { openBenchNode } from './bench-node.ts';
import { median, timeOf } from './figures.ts';
import type { Bench, Figures } from './row.ts';

const SYNCS = 20;

export async function measureIdleSync(bench: Bench): Promise<Figures> {
  const { node, close } = await openBenchNode(bench);
  const wallMs: number[] = [];
  const ownCpuMs: number[] = [];
  for (let count = bench.quick ? 5 : SYNCS; count > 0; count -= 1) {
    const before = process.cpuUsage();
    wallMs.push(await timeOf(() => node.sync()));
    const { user, system } = process.cpuUsage(before);
    ownCpuMs.push((user + system) / 1000);
  }
  await close();
  return {
    wallMs: median(wallMs),
    worstMs: Math.round(Math.max(...wallMs)),
    ownCpuMs: median(ownCpuMs),
  };
}

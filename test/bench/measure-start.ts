// Measures a start, from the beginning of the process until the node answers, with whatever an earlier one left.
import { openBenchNode } from './bench-node.ts';
import type { Bench, Figures } from './row.ts';

/** `readyMs` counts from the start of the process, loading the program included; `openMs` from there. */
export async function measureStart(bench: Bench): Promise<Figures> {
  const loadedAt = performance.now();
  const node = await openBenchNode(bench);
  const readyAt = performance.now();
  const { transactions } = node.index.totals();
  await node.close();
  return {
    readyMs: Math.round(readyAt),
    openMs: Math.round(readyAt - loadedAt),
    transactions,
  };
}

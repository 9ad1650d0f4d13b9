// Sums a row's measurements up in whole numbers.
import { readFileSync } from 'node:fs';

/** The value that this part of the measurements does not exceed; 0 without any. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.min(Math.floor(sorted.length * q), sorted.length - 1)] ?? 0);
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** How long a piece of work takes, in ms. */
export async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** The most memory that a process ever had resident, in MB; its children are not in it. */
export function peakMbOf(pid: number): number {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Math.round(Number(line?.[1] ?? 0) / 1024);
}

// Sums a row's measurements up in whole numbers.

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

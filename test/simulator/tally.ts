// What many seeds came to, for people and for other processes.
import type { SeedReport } from './simulate-seed.ts';

export interface Tally {
  readonly seeds: number;
  readonly seconds: number;
  /** Of all processes and their threads, the start of node included. */
  readonly cpuSeconds: number;
  /** The largest this process was, in MB. */
  readonly rssMb: number;
  /** Steps, acts, faults and ends of lives, by name. */
  readonly counts: Readonly<Record<string, number>>;
  readonly broken: readonly { readonly seed: number; readonly what: string }[];
  /** The traces' digests of a single seed, else empty. */
  readonly digests: readonly string[];
}

const MAX_DIGESTS = 20;

/** Adds reports, seconds and other tallies to a tally. */
export function addUp(
  reports: readonly SeedReport[],
  seconds: number,
  ...tallies: readonly Tally[]
): Tally {
  const counts: Record<string, number> = {};
  const add = (what: string, n: number): unknown => (counts[what] = (counts[what] ?? 0) + n);
  for (const tally of tallies) for (const [what, n] of Object.entries(tally.counts)) add(what, n);
  for (const report of reports) for (const [what, n] of report.counts) add(what, n);
  const broken = reports.flatMap(({ seed, broken: what }) =>
    what === undefined ? [] : [{ seed, what }],
  );
  const digests = [
    ...tallies.flatMap((tally) => tally.digests),
    ...reports.map(({ digest }) => digest),
  ];
  return {
    seeds: reports.length + tallies.reduce((sum, tally) => sum + tally.seeds, 0),
    seconds: seconds + tallies.reduce((sum, tally) => sum + tally.seconds, 0),
    cpuSeconds: tallies.reduce((sum, tally) => sum + tally.cpuSeconds, 0),
    rssMb: Math.max(
      Math.round(process.memoryUsage.rss() / 2 ** 20),
      ...tallies.map(({ rssMb }) => rssMb),
    ),
    counts,
    broken: [...tallies.flatMap((tally) => tally.broken), ...broken],
    digests: digests.slice(0, MAX_DIGESTS),
  };
}

export function printTally({ seeds, seconds, cpuSeconds, rssMb, counts, broken }: Tally): string {
  const lines = Object.entries(counts)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([what, n]) => `${what.padEnd(28)}${String(n).padStart(12)}`);
  const found = broken.map(({ seed, what }) => `seed ${seed}: ${what.split('\n')[0]}`);
  const rate = (seeds / Math.max(seconds, 0.001)).toFixed(1);
  const perCpu = (seeds / Math.max(cpuSeconds, 0.001)).toFixed(1);
  return [
    ...lines,
    `${seeds} seeds in ${seconds.toFixed(1)} s, ${rate} a second, ${rssMb} MB`,
    `${cpuSeconds.toFixed(1)} s of CPU, ${perCpu} seeds a second of it`,
    `${broken.length} seeds broke an invariant`,
    ...found,
    '',
  ].join('\n');
}

// Which code an input reaches, as far as the loaded code counts it: what reaches something new is worth changing further.

/** What istanbul keeps of a file. */
interface FileCounters {
  readonly s: Record<string, number>;
  readonly f: Record<string, number>;
  readonly b: Record<string, number[]>;
}

/** Tells after each input whether it reached something that none before it had. */
export interface Coverage {
  readonly counters: number;
  readonly reached: () => number;
  readonly isNew: () => boolean;
}

/** Watches these source files; undefined when the code was loaded without counters. */
export function watchCoverage(files: readonly string[]): Coverage | undefined {
  const all = (globalThis as { __coverage__?: Record<string, FileCounters> }).__coverage__;
  if (all === undefined) return undefined;
  const built = files.map((file) => `/dist/${file.replace(/\.ts$/, '.js')}`);
  const watched = Object.entries(all)
    .filter(([path]) => built.some((name) => path.endsWith(name)))
    .map(([, counters]) => counters);
  const cells = watched.flatMap(({ s, f, b }) => [
    ...[s, f].flatMap((group) => Object.keys(group).map((key) => [group, key] as const)),
    ...Object.values(b).flatMap((arms) => arms.map((_, index) => [arms, String(index)] as const)),
  ]) as readonly (readonly [Record<string, number>, string])[];
  const before = cells.map(([group, key]) => group[key] ?? 0);
  const seen = new Uint32Array(cells.length);
  return {
    counters: cells.length,
    reached: () => seen.reduce((sum, bits) => sum + (bits === 0 ? 0 : 1), 0),
    isNew: () => {
      let isNew = false;
      for (const [index, [group, key]] of cells.entries()) {
        const now = group[key] ?? 0;
        const often = now - (before[index] ?? 0);
        if (often === 0) continue;
        before[index] = now;
        // Once, twice, four times, … are different ways through the code.
        const bit = 1 << Math.min(31, 31 - Math.clz32(often));
        if (((seen[index] ?? 0) & bit) !== 0) continue;
        seen[index] = (seen[index] ?? 0) | bit;
        isNew = true;
      }
      return isNew;
    },
  };
}

// One row of the benchmark, in a process of its own so that time and peak memory are the row's: argv = row, bench as JSON.
import { readFileSync } from 'node:fs';
import type { Bench, Figures } from './row.ts';
import { ROWS } from './rows.ts';

/** What a worker prints. */
export interface Measured {
  readonly figures: Figures;
  /** The most memory that the process ever had resident, in MB; git's processes are not in it. */
  readonly peakMb: number;
}

/** From the kernel's file: `maxRSS` would begin with what the parent had when it made this process. */
function peakMb(): number {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return Math.round(Number(line?.[1] ?? 0) / 1024);
}

const [name, bench = ''] = process.argv.slice(2);
const row = ROWS.find((candidate) => candidate.name === name);
if (row === undefined) throw new Error(`there is no row ${name ?? ''}`);
const figures = await row.measure(JSON.parse(bench) as Bench);
const measured: Measured = { figures, peakMb: peakMb() };
console.log(JSON.stringify(measured));

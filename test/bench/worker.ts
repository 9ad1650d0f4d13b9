// One row of the benchmark, in a process of its own so that time and peak memory are the row's: argv = row, bench as JSON.
import { peakMbOf } from './figures.ts';
import type { Bench, Figures } from './row.ts';
import { ROWS } from './rows.ts';

/** What a worker prints. */
export interface Measured {
  readonly figures: Figures;
  /** The most memory that the measured process ever had resident, in MB; git's processes are not in it. */
  readonly peakMb: number;
}

const [name, bench = ''] = process.argv.slice(2);
const row = ROWS.find((candidate) => candidate.name === name);
if (row === undefined) throw new Error(`there is no row ${name ?? ''}`);
const { peakMb, ...figures } = await row.measure(JSON.parse(bench) as Bench);
// From the kernel's file: `maxRSS` would begin with what the parent had when it made this process.
const measured: Measured = { figures, peakMb: peakMb ?? peakMbOf(process.pid) };
console.log(JSON.stringify(measured));

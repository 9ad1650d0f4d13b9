// `npm run bench`: committed transactions a second on an empty beacon, as a table and as JSON.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { BenchRow } from './worker.ts';

const WORKER = new URL('./worker.js', import.meta.url).pathname;
const ROWS = [
  [1, 300],
  [8, 1_000],
  [64, 5_000],
] as const;

const run = promisify(execFile);

async function measure(clients: number, transactions: number): Promise<BenchRow> {
  const { stdout } = await run(process.execPath, [WORKER, String(clients), String(transactions)]);
  return JSON.parse(stdout) as BenchRow;
}

const rows: BenchRow[] = [];
for (const [clients, transactions] of ROWS) rows.push(await measure(clients, transactions));
console.table(rows);
console.log(JSON.stringify({ bench: 'empty beacon', rows }));

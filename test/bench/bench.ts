// `npm run bench`: measures the node on chains made from a seed, and prints a table and JSON.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { nodeFlags } from './node-flags.ts';
import type { Bench, Row } from './row.ts';
import { ROWS } from './rows.ts';
import { Stage } from './stage.ts';
import type { Measured } from './worker.ts';

const WORKER = new URL('./worker.js', import.meta.url).pathname;
const HELP = `npm run bench -- [--only NAME]... [--quick] [--list]

  --only NAME  rows whose name begins with NAME; may be repeated
  --quick      fewer transactions, and nothing at ten times the event's size: to see that it works
  --list       names the rows and measures nothing`;

const run = promisify(execFile);

/** A line of the table. */
interface Line extends Measured {
  readonly row: string;
  readonly aim: string;
}

async function measure(row: Row, stage: Stage, quick: boolean): Promise<Line> {
  const bench: Bench = { ...(await stage.set(row.chain)), quick };
  const { stdout } = await run(process.execPath, [
    ...nodeFlags(),
    WORKER,
    row.name,
    JSON.stringify(bench),
  ]);
  return { row: row.name, aim: row.aim, ...(JSON.parse(stdout) as Measured) };
}

function chooseRows(only: readonly string[], quick: boolean): readonly Row[] {
  if (only.length > 0) return ROWS.filter(({ name }) => only.some((part) => name.startsWith(part)));
  return quick ? ROWS.filter(({ chain }) => !chain.startsWith('tenfold')) : ROWS;
}

function printTable(lines: readonly Line[]): void {
  const words = (figures: Line['figures']): string =>
    Object.entries(figures)
      .map(([name, value]) => `${name} ${value}`)
      .join('  ');
  console.table(
    lines.map(({ row, figures, aim, peakMb }) => ({ row, measured: words(figures), aim, peakMb })),
  );
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    quick: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const rows = chooseRows(values.only, values.quick);
if (values.help) {
  console.log(HELP);
} else if (values.list) {
  for (const { name, chain, aim } of rows) console.log([name, chain, aim].join('\t'));
} else {
  const root = await mkdtemp(join(tmpdir(), 'aibot-bench-'));
  const lines: Line[] = [];
  try {
    const stage = new Stage(root);
    for (const row of rows) {
      const line = await measure(row, stage, values.quick);
      process.stderr.write(`${JSON.stringify(line)}\n`);
      lines.push(line);
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
  printTable(lines);
  console.log(JSON.stringify({ node: process.version, rows: lines }));
}

// `npm run chaos`: real processes, real git over ssh, real SQLite, a seeded script of faults, and an audit after each.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { hasSshd, sshdWord } from '../support/sshd.ts';
import { endAll } from '../support/temp-dir.ts';
import { FAULTS } from './faults.ts';
import { runChaos, type Report } from './run-chaos.ts';
import type { Fault } from './scene.ts';

const HELP = `npm run chaos -- [--seed N] [--minutes M] [--only KIND]... [--json] [--list]

  --seed N     the script of faults that follows from this seed; 1 by default
  --minutes M  goes on for so long, and at least through every kind once; 0 by default
  --only KIND  kinds whose name begins with KIND; may be repeated
  --json       prints the report as JSON and nothing else on stdout
  --list       names the kinds of faults and does nothing

Exits with 1 when an invariant is broken, and keeps the folder.`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '0' },
    only: { type: 'string', multiple: true, default: [] },
    json: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function chooseFaults(only: readonly string[]): readonly Fault[] {
  if (only.length === 0) return FAULTS;
  return FAULTS.filter(({ kind }) => only.some((part) => kind.startsWith(part)));
}

function printReport(report: Report): void {
  const { kinds, broken, skipped, folder, ...figures } = report;
  console.table(kinds);
  console.table(figures);
  for (const word of skipped) console.log(`skipped: ${word}`);
  for (const { kind, number, what } of broken)
    console.log(`BROKEN by ${kind} (#${number}): ${what}`);
  if (folder !== null) console.log(`seed ${report.seed}; everything is kept in ${folder}`);
}

async function main(): Promise<void> {
  const faults = chooseFaults(values.only);
  const minutes = Number(values.minutes);
  if (faults.length === 0) throw new Error(`no kind begins with ${values.only.join(', ')}`);
  if (!(minutes >= 0)) throw new Error(`--minutes ${values.minutes} is no number`);
  if (!hasSshd) throw new Error(`chaos cannot run here${sshdWord}`);
  const root = mkdtempSync(join(tmpdir(), 'aibot-chaos-'));
  let report: Report | undefined;
  // Disks are unmounted and processes ended also when somebody has seen enough.
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => void endAll({ keep: true }).finally(() => process.exit(130)));
  }
  try {
    report = await runChaos({ root, seed: values.seed, minutes, faults });
  } finally {
    const isBroken = report === undefined || report.broken.length > 0;
    // The disks are gone with their mounts.
    if (isBroken) execFileSync('cp', ['-a', join(root, 'disks'), join(root, 'kept')]);
    await endAll({ keep: isBroken });
    if (!isBroken) rmSync(root, { recursive: true, force: true });
    else process.stderr.write(`seed ${values.seed}; everything is kept in ${root}\n`);
  }
  const isBroken = report.broken.length > 0;
  const told: Report = { ...report, folder: isBroken ? root : null };
  if (values.json) console.log(JSON.stringify(told));
  else printReport(told);
  process.exitCode = isBroken ? 1 : 0;
}

if (values.help) console.log(HELP);
else if (values.list) for (const { kind, what } of FAULTS) console.log(`${kind}\t${what}`);
else await main();

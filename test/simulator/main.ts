// Lives through many seeds: `npm run simulate -- --seeds N [--from K] [--jobs 2]`; `-- --seed N` prints one as it goes.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { installMachine } from './machine.ts';
import { installDisk } from './memory-disk.ts';
import type { SeedReport } from './simulate-seed.ts';
import { addUp, printTally, type Tally } from './tally.ts';

const { values: flags } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '1' },
    /** Only this one, with its trace. */
    seed: { type: 'string' },
    /** Ends with the first seed that breaks. */
    first: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

// Kept before the machine takes the clock away.
const realNow = performance.now.bind(performance);
const nextTurn = setImmediate;
const write = process.stdout.write.bind(process.stdout);

const from = wholeNumber('from');
const seeds = wholeNumber('seeds');
const jobs = wholeNumber('jobs');
const tally =
  flags.seed !== undefined
    ? await printSeed(wholeNumber('seed'))
    : jobs === 1
      ? await liveThrough(from, seeds)
      : await shareOut();
if (flags.json) write(`${JSON.stringify(tally)}\n`);
else write(printTally(tally));
process.exitCode = tally.broken.length === 0 ? 0 : 1;

function wholeNumber(name: 'seeds' | 'from' | 'jobs' | 'seed'): number {
  const value = Number(flags[name]);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} is no whole number`);
  return value;
}

type Simulate = (seed: number, print?: (line: string) => void) => Promise<SeedReport>;

/** From here on this process has only simulated time. */
async function takeOver(): Promise<Simulate> {
  installMachine();
  installDisk();
  // Only now: whatever is loaded must find the simulated functions.
  const { simulateSeed } = await import('./simulate-seed.ts');
  return async (seed, print) => {
    const failures: string[] = [];
    const onRejection = (reason: unknown): unknown =>
      failures.push(`a rejection that nobody handled: ${String(reason)}`);
    process.on('unhandledRejection', onRejection);
    const report = await simulateSeed(seed, print);
    // Node tells of rejections when a turn of its own loop is over.
    await new Promise((resolve) => nextTurn(resolve));
    process.off('unhandledRejection', onRejection);
    return { ...report, broken: report.broken ?? failures[0] };
  };
}

async function printSeed(seed: number): Promise<Tally> {
  const simulate = await takeOver();
  const began = realNow();
  const report = await simulate(seed, flags.json ? undefined : (line) => write(line));
  if (!flags.json) write(`trace ${report.digest}\n`);
  return addUp([report], (realNow() - began) / 1000);
}

async function liveThrough(first: number, count: number): Promise<Tally> {
  const simulate = await takeOver();
  const began = realNow();
  let tally = addUp([], 0);
  for (let seed = first; seed < first + count; seed += 1) {
    const report = await simulate(seed);
    tally = addUp([report], 0, tally);
    if (report.broken === undefined) continue;
    if (!flags.json) write(`seed ${seed} broke: ${report.broken}\n`);
    if (flags.first) break;
  }
  return addUp([], (realNow() - began) / 1000, tally);
}

/** As many processes as jobs, each with its share of the seeds. */
async function shareOut(): Promise<Tally> {
  const began = performance.now();
  const share = Math.ceil(seeds / jobs);
  const shares = Array.from({ length: jobs }, (_, n) => ({
    first: from + n * share,
    count: Math.max(0, Math.min(share, seeds - n * share)),
  }));
  const tallies = await Promise.all(shares.map((each) => runJob(each.first, each.count)));
  const whole = tallies.reduce((sum, each) => addUp([], 0, sum, each));
  return { ...whole, seconds: (performance.now() - began) / 1000 };
}

async function runJob(first: number, count: number): Promise<Tally> {
  const script = fileURLToPath(import.meta.url);
  const given = ['--from', String(first), '--seeds', String(count), '--json'];
  if (flags.first) given.push('--first');
  const child = spawn(process.execPath, [script, ...given], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await new Promise((resolve) => child.on('close', resolve));
  return JSON.parse(output) as Tally;
}

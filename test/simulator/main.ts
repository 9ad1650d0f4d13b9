// Lives through many seeds: `npm run simulate -- --seeds N [--from K] [--jobs 2]`; `-- --seed N` prints one as it goes;
// `-- --mutations` proves that each rule that is taken out is missed; `-- --mutation NAME` takes out one.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { installMachine } from './machine.ts';
import { installDisk } from './memory-disk.ts';
import { edit, mutate, MUTATIONS } from './mutations.ts';
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
    /** Takes out this rule first. */
    mutation: { type: 'string' },
    /** Takes out each rule in turn, until a seed breaks. */
    mutations: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

/** Adding up costs as much as many events do. */
const REPORTS_A_TALLY = 100;

// Kept before the machine takes the clock away.
const realNow = performance.now.bind(performance);
const nextTurn = setImmediate;
const write = process.stdout.write.bind(process.stdout);

const from = wholeNumber('from');
const seeds = wholeNumber('seeds');
const jobs = wholeNumber('jobs');
process.exitCode = (await main()) ? 0 : 1;

/** @returns true when all is as it should be. */
async function main(): Promise<boolean> {
  if (flags.mutations) return await tryMutations();
  const tally = await simulateAll();
  write(flags.json ? `${JSON.stringify(tally)}\n` : printTally(tally));
  return tally.broken.length === 0;
}

async function simulateAll(): Promise<Tally> {
  if (flags.seed !== undefined) return await printSeed(wholeNumber('seed'));
  return await (jobs === 1 ? liveThrough(from, seeds) : shareOut());
}

/** Every rule must be missed within so many seeds. */
async function tryMutations(): Promise<boolean> {
  const waiting = Object.keys(MUTATIONS);
  // A rule that is no longer found where it stood is told before the first seed.
  for (const name of waiting) edit(name);
  const unseen: string[] = [];
  const work = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const found =
        (await findBroken(name, MUTATIONS[name]?.seenBy ?? from, 1)) ??
        (await findBroken(name, from, seeds));
      if (found === undefined) unseen.push(name);
      const word =
        found === undefined ? 'NOT SEEN' : `seed ${found.seed}: ${firstLine(found.what)}`;
      write(`${name.padEnd(48)} ${word}\n`);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return unseen.length === 0;
}

async function findBroken(
  mutation: string,
  first: number,
  count: number,
): Promise<Tally['broken'][number] | undefined> {
  const given = ['--mutation', mutation, '--from', String(first), '--seeds', String(count)];
  const { broken } = await runJob([...given, '--first']);
  return broken[0];
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}

function wholeNumber(name: 'seeds' | 'from' | 'jobs' | 'seed'): number {
  const value = Number(flags[name]);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} is no whole number`);
  return value;
}

type Simulate = (seed: number, print?: (line: string) => void) => Promise<SeedReport>;

/** From here on this process has only simulated time. */
async function takeOver(): Promise<Simulate> {
  if (flags.mutation !== undefined) mutate(flags.mutation);
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
  return withCpu(addUp([report], (realNow() - began) / 1000));
}

async function liveThrough(first: number, count: number): Promise<Tally> {
  const simulate = await takeOver();
  // Stacks are for whoever reads one seed; a refusal, of which there are many, is cheaper without.
  Error.stackTraceLimit = 0;
  const began = realNow();
  let tally = addUp([], 0);
  let reports: SeedReport[] = [];
  for (let seed = first; seed < first + count; seed += 1) {
    const report = await simulate(seed);
    reports.push(report);
    if (reports.length === REPORTS_A_TALLY) {
      tally = addUp(reports, 0, tally);
      reports = [];
    }
    if (report.broken === undefined) continue;
    if (!flags.json) write(`seed ${seed} broke: ${report.broken}\n`);
    if (flags.first) break;
  }
  return withCpu(addUp(reports, (realNow() - began) / 1000, tally));
}

function withCpu(tally: Tally): Tally {
  const { user, system } = process.cpuUsage();
  return { ...tally, cpuSeconds: (user + system) / 1e6 };
}

/** As many processes as jobs, each with its share of the seeds. */
async function shareOut(): Promise<Tally> {
  const began = performance.now();
  const share = Math.ceil(seeds / jobs);
  const shares = Array.from({ length: jobs }, (_, n) => ({
    first: from + n * share,
    count: Math.max(0, Math.min(share, seeds - n * share)),
  }));
  const rest = [
    ...(flags.first ? ['--first'] : []),
    ...(flags.mutation === undefined ? [] : ['--mutation', flags.mutation]),
  ];
  const tallies = await Promise.all(
    shares.map(({ first, count }) =>
      runJob(['--from', String(first), '--seeds', String(count), ...rest]),
    ),
  );
  const whole = tallies.reduce((sum, each) => addUp([], 0, sum, each));
  return { ...whole, seconds: (performance.now() - began) / 1000 };
}

async function runJob(given: readonly string[]): Promise<Tally> {
  const script = fileURLToPath(import.meta.url);
  const child = spawn(process.execPath, [script, '--json', ...given], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await new Promise((resolve) => child.on('close', resolve));
  return JSON.parse(output) as Tally;
}

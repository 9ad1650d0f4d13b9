// `npm run fuzz -- --runs N [--only TARGET] [--seed S] [--list]`: fuzzes every parser, guided by the code that is reached.
import { readdirSync, readFileSync } from 'node:fs';
import { register } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { RunReport } from './run-target.ts';
import type { Target } from './target.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    only: { type: 'string', multiple: true },
    seed: { type: 'string', default: '1' },
    list: { type: 'boolean', default: false },
    pumps: { type: 'string', default: '200' },
  },
});

// Before the program is loaded, so that the files that a target names count what is reached of them.
const folder = join(import.meta.dirname, 'targets');
const sources = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
const named = sources.flatMap((text) => text.match(/(?<=['"])src\/[\w/-]+(?=\.ts#)/g) ?? []);
register('./instrument-hooks.js', import.meta.url, { data: [...new Set(named)] });
const { TARGETS } = await import('./table.ts');
const { runTarget, runsOf } = await import('./run-target.ts');
const { keepCase } = await import('./corpus.ts');
const { checkGrowth } = await import('./growth.ts');

const chosen =
  values.only === undefined ? TARGETS : TARGETS.filter(({ name }) => values.only?.includes(name));
if (chosen.length === 0) {
  console.error('There is no such target; --list names them.');
  process.exit(64);
}
if (values.list) {
  for (const { name, covers, slower } of chosen) {
    const share = slower === undefined ? '' : ` (1 input in ${slower.times}: ${slower.reason})`;
    console.log(`${name}${share}\n    ${covers.join('\n    ')}`);
  }
  process.exit(0);
}

const [runs, seed] = [Number(values.runs), Number(values.seed)];
let failures = 0;
for (const target of chosen) {
  const report = await runTarget(target, {
    runs: runsOf(target, runs),
    seed,
    onProgress: (done) => {
      if (process.stderr.isTTY) process.stderr.write(`\r${target.name} ${done}`);
    },
  });
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  print(report);
  if (report.failure === undefined) await lookAtGrowth(target);
}
console.log(failures === 0 ? 'Nothing was broken.' : `${failures} targets broke.`);
process.exit(failures === 0 ? 0 : 1);

function print({ target, inputs, ms, reached, failure }: RunReport): void {
  const facts = `${inputs} inputs, ${(ms / 1000).toFixed(1)} s, reached ${reached ?? '-'}`;
  if (failure === undefined) {
    console.log(`ok      ${target}: ${facts}`);
    return;
  }
  failures += 1;
  const { input, found, rule, error } = failure;
  console.log(`BROKEN  ${target}: ${facts}\n  ${rule}\n  input  ${JSON.stringify(input)}`);
  console.log(`  as found (${found.length} characters, seed ${seed})`, error);
  keepCase(target, { input, rule });
}

async function lookAtGrowth(target: Target): Promise<void> {
  if (target.slower !== undefined) return;
  const open = await target.open();
  try {
    await checkGrowth(target, open.check, Number(values.pumps), seed);
  } catch (error) {
    failures += 1;
    console.log(`BROKEN  ${target.name}: growth`, error);
  } finally {
    await open.close?.();
  }
}

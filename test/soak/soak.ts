// `npm run soak`: minutes of members against the real bot with faults on; prints a table and JSON.
import { parseArgs } from 'node:util';
import { removeSoak, runSoak, type SoakFigures, type SoakOptions } from './run-soak.ts';
import { judge, memoryOf } from './verdict.ts';

const HELP = `npm run soak -- [--minutes N] [--rate N] [--seed TEXT] [--members N] [--beacon embedded|bare] [--calm] [--keep]

  --minutes N   how long members act; 3 by default
  --rate N      interactions a second; 50 by default
  --seed TEXT   what members do and what goes wrong follows from it; 1 by default
  --members N   1,000 by default, at most 5,000
  --beacon      the embedded beacon (default), or a bare repository of plain git
  --calm        without faults
  --keep        leaves the folder with the data and the bot's log

Exits with 1 when a rule is not kept.`;

const MISSING_SHOWN = 20;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '3' },
    rate: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    members: { type: 'string', default: '1000' },
    beacon: { type: 'string', default: 'embedded' },
    calm: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function optionsOf(): SoakOptions {
  const [minutes, rate, members] = [values.minutes, values.rate, values.members].map(Number) as [
    number,
    number,
    number,
  ];
  const { beacon, seed } = values;
  const isSound = minutes > 0 && rate > 0 && members >= 2;
  if (!isSound || (beacon !== 'embedded' && beacon !== 'bare')) throw new Error(HELP);
  return {
    minutes,
    rate,
    seed,
    members,
    beacon,
    faults: !values.calm,
    // What half an hour of rolls wins, and what a start can mint without keeping the operator waiting.
    stock: { prizes: Math.min(3_000, Math.ceil(minutes * 300)), mintable: 3_000 },
    pace: Math.min(1, minutes / 5),
    onSample: (sample, inside, tally) => {
      const line = { ...sample, ...inside, sent: tally.sent, open: tally.open };
      process.stderr.write(`${JSON.stringify(line)}\n`);
    },
  };
}

function print(figures: SoakFigures, options: SoakOptions): boolean {
  const criteria = judge(figures, options);
  const rest = { ...figures, missing: figures.missing.slice(0, MISSING_SHOWN), samples: undefined };
  console.log(JSON.stringify(rest, undefined, 1));
  console.table(
    Object.entries({
      'first answer, ms': figures.firstMs,
      'final answer, ms': figures.finalMs,
    }).map(([what, times]) => ({ what, ...times })),
  );
  console.table(criteria.map(({ rule, found, isMet }) => ({ rule, found, kept: isMet })));
  const { minutes, rate, seed, beacon, faults } = options;
  const run = { node: process.version, minutes, rate, seed, beacon, faults };
  console.log(JSON.stringify({ run, memory: memoryOf(figures, minutes), criteria }));
  return criteria.every(({ isMet }) => isMet);
}

if (values.help) {
  console.log(HELP);
} else {
  const options = optionsOf();
  const figures = await runSoak(options);
  const isKept = print(figures, options);
  if (values.keep || !isKept) console.log(`Data and log are in ${figures.folder}`);
  else removeSoak(figures);
  // A member's patience may still be ticking.
  process.exit(isKept ? 0 : 1);
}

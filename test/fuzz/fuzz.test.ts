// Every target with ten thousand inputs: what once broke first, then seeds, valid inputs, and changes of them.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { checkGrowth } from './growth.ts';
import { runTarget, runsOf } from './run-target.ts';
import { TARGETS } from './table.ts';
import type { OpenTarget } from './target.ts';

const RUNS = 10_000;
const SEED = 20_260_401;
const PUMPS = 24;
/** For what hangs; the slowest target drives a whole client, and a busy machine takes minutes for that. */
const TIMEOUT_MS = 900_000;

describe.each(TARGETS.map((target) => [target.name, target] as const))('%s', (_name, target) => {
  test(
    'holds for every input, kept ones first',
    async () => {
      const report = await runTarget(target, { runs: runsOf(target, RUNS), seed: SEED });
      expect(report.failure).toBeUndefined();
      expect(report.inputs).toBeGreaterThanOrEqual(runsOf(target, RUNS));
    },
    TIMEOUT_MS,
  );
});

describe.each(
  TARGETS.filter(({ slower }) => slower === undefined).map(
    (target) => [target.name, target] as const,
  ),
)('%s', (_name, target) => {
  let open: OpenTarget;
  beforeAll(async () => {
    open = await target.open();
  });
  afterAll(async () => open.close?.());

  test('takes time in proportion to its length', async () => {
    await expect(checkGrowth(target, open.check, PUMPS, SEED)).resolves.toBeUndefined();
  });
});

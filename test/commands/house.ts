// A bot on a stand-in over an app: the small one in memory, or the real one, whose audit is clean after every test.
import { openHouse } from '../support/fake-app.ts';
import type { House } from '../support/fake-app.ts';
import { openRealHouse } from '../support/real-house.ts';
import type { RealHouse, RealHouseOptions } from '../support/real-house.ts';
import { withBotOn } from '../discord/bot.ts';
import type { BotStage } from '../discord/bot.ts';
import type { App } from '../../src/app/app.ts';

export interface HouseStage<Kind extends House = House> extends BotStage<App> {
  readonly house: Kind;
}
export type RealStage = HouseStage<RealHouse>;

interface Allowance {
  /** Codes of what Discord may refuse in this test; anything else that it refuses fails the test. */
  readonly allowed?: readonly number[];
}

type WithHouse = (
  run: (stage: HouseStage) => Promise<void>,
  allowance?: Allowance,
) => Promise<void>;

/** Every suite of the commands holds for both. */
export const HOUSES: readonly (readonly [string, WithHouse])[] = [
  ['a small app', (run, allowance) => onStage(openHouse, run, allowance)],
  ['the real app', (run, allowance) => withRealHouse(run, allowance)],
];

/** Runs a test of the commands on the real app. */
export function withRealHouse(
  run: (stage: RealStage) => Promise<void>,
  { allowed = [], ...options }: Allowance & RealHouseOptions = {},
): Promise<void> {
  return onStage(
    () => openRealHouse(options),
    async (stage) => {
      await run(stage);
      await expectSound(stage.house);
    },
    { allowed },
  );
}

async function onStage<Kind extends House>(
  open: () => Promise<Kind>,
  run: (stage: HouseStage<Kind>) => Promise<void>,
  { allowed = [] }: Allowance = {},
): Promise<void> {
  const house = await open();
  try {
    await withBotOn(house.app, async (stage) => {
      await run({ ...stage, house });
      expectNoViolations(stage, allowed);
    });
  } finally {
    await house.close();
  }
}

async function expectSound(house: RealHouse): Promise<void> {
  house.releaseChain();
  await house.settled();
  const { findings } = await house.app.audit();
  const errors = house.log.filter(({ level }) => level === 'error');
  if (findings.length + errors.length > 0) {
    throw new Error(`The house is not sound: ${JSON.stringify({ findings, errors })}`);
  }
}

function expectNoViolations({ standIn }: BotStage<App>, allowed: readonly number[]): void {
  const violations = standIn.violations().filter(({ code }) => !allowed.includes(code));
  if (violations.length > 0) throw new Error(`Discord refused: ${JSON.stringify(violations)}`);
}

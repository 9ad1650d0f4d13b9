// A bot on a stand-in over the app that `openHouse` gives: the fake one, or the real one when the lead puts it there.
import { openHouse } from '../support/fake-app.ts';
import type { House } from '../support/fake-app.ts';
import { withBotOn } from '../discord/bot.ts';
import type { BotStage } from '../discord/bot.ts';
import type { App } from '../../src/app/app.ts';

export interface HouseStage extends BotStage<App> {
  readonly house: House;
}

/** Runs a test of the commands; a request that Discord would refuse fails it, unless its code is allowed. */
export async function withHouse(
  run: (stage: HouseStage) => Promise<void>,
  { allowed = [] }: { readonly allowed?: readonly number[] } = {},
): Promise<void> {
  const house = await openHouse();
  try {
    await withBotOn(house.app, async (stage) => {
      await run({ ...stage, house });
      expectNoViolations(stage, allowed);
    });
  } finally {
    await house.close();
  }
}

function expectNoViolations({ standIn }: BotStage<App>, allowed: readonly number[]): void {
  const violations = standIn.violations().filter(({ code }) => !allowed.includes(code));
  if (violations.length > 0) throw new Error(`Discord refused: ${JSON.stringify(violations)}`);
}

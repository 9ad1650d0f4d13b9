// /trade from the members' side: the window, its buttons, and what they do to each other.
import { describe, expect, test } from '@jest/globals';
import { buttonLabelled, isEphemeral, openButtons, textOf } from '../support/discord-stand-in.ts';
import { withHouse } from './house.ts';
import type { HouseStage } from './house.ts';
import type { WireMessage } from '../../src/playground/wire.ts';

/** Opens a trade of Ada with Ben and gives its window. */
async function startTrade({ ada, ben }: HouseStage): Promise<WireMessage> {
  return await ada
    .command('trade', { subcommand: 'start', options: { user: ben.memberId } })
    .reply();
}

/** The trade's window as everybody sees it now. */
function windowNow({ standIn }: HouseStage, { id }: WireMessage): WireMessage {
  return standIn.messages().find((message) => message.id === id)!;
}

async function windowShows(
  stage: HouseStage,
  window: WireMessage,
  words: string,
): Promise<WireMessage> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const now = windowNow(stage, window);
    if (textOf(now).includes(words)) return now;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  throw new Error(`The window never showed "${words}": ${textOf(windowNow(stage, window))}`);
}

const press = async (
  who: HouseStage['ada'],
  window: WireMessage,
  label: string,
): Promise<WireMessage> => who.click(window, buttonLabelled(window, label)).reply();

describe('/trade', () => {
  test('settles when both lock and both confirm, and shows it green with transaction ids', () =>
    withHouse(async (stage) => {
      const { ada, ben, house } = stage;
      const [asset] = await house.grantAssets(ada.memberId, 1);
      await house.grantCoins(ben.memberId, 500);
      const window = await startTrade(stage);
      expect(isEphemeral(window)).toBe(false);
      const added = await ada
        .command('trade', { subcommand: 'add', options: { asset: asset! } })
        .reply();
      expect(isEphemeral(added)).toBe(true);
      await ben.command('trade', { subcommand: 'coins', options: { amount: '200' } }).reply();
      let now = await windowShows(stage, window, '200 gc');
      expect(openButtons(now)).toEqual(['Lock', 'Add…', 'Coins…', 'Cancel']);
      now = await press(ada, now, 'Lock');
      now = await press(ben, now, 'Lock');
      expect(openButtons(now)).toEqual(['Confirm', 'Cancel']);
      now = await press(ada, now, 'Confirm');
      await press(ben, now, 'Confirm');
      now = await windowShows(stage, window, 'Settled');
      expect(textOf(now)).toMatch(/tx `[0-9a-f-]{36}`/);
      expect(openButtons(now)).toEqual([]);
      expect(now.embeds.map((embed) => embed.color)).toEqual([0x2ecc71, 0x2ecc71]);
      expect(await house.app.balance(ada.memberId as never)).toBe(200);
    }));
});

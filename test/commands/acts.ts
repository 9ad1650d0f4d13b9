// What members do in the tests of the commands: a trade and its window, and the word that an act was answered with.
import { buttonLabelled, textOf } from '../support/discord-stand-in.ts';
import type { Exchange } from '../../src/playground/api.ts';
import type { WireMessage } from '../../src/playground/wire.ts';
import type { MemberId } from '../../src/shared/ids.ts';
import type { HouseStage } from './house.ts';

export type Driver = HouseStage['ada'];

/** Opens a trade of Ada with Ben and gives its window, once the rows know where it stands. */
export async function startTrade({ ada, ben, house }: HouseStage): Promise<WireMessage> {
  const window = await trade(ada, 'start', { user: ben.memberId });
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const { window: place } = await house.app.showTrade(ada.memberId as MemberId);
    if (place?.messageId === window.id) return window;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('The place of the window was never remembered.');
}

export const trade = (
  who: Driver,
  subcommand: string,
  options: Record<string, string> = {},
): Promise<WireMessage> => who.command('trade', { subcommand, options }).reply();

/** The window as everybody sees it now. */
export function windowNow({ standIn }: HouseStage, { id }: WireMessage): WireMessage {
  return standIn.messages().find((message) => message.id === id)!;
}

/** The window once it shows these words. */
export async function windowShows(
  stage: HouseStage,
  window: WireMessage,
  words: string | RegExp,
): Promise<WireMessage> {
  for (let attempt = 0; attempt < 150; attempt += 1) {
    const now = windowNow(stage, window);
    if (typeof words === 'string' ? textOf(now).includes(words) : words.test(textOf(now)))
      return now;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  throw new Error(`The window never showed "${words}": ${textOf(windowNow(stage, window))}`);
}

export const press = (who: Driver, window: WireMessage, label: string): Promise<WireMessage> =>
  who.click(window, buttonLabelled(window, label)).reply();

/** A trade of one asset of Ada's for 200 gc of Ben's, locked by both. */
export async function lockedTrade(stage: HouseStage): Promise<WireMessage> {
  const { ada, ben, house } = stage;
  const [asset] = await house.grantAssets(ada.memberId, 1);
  await house.grantCoins(ben.memberId, 500);
  const window = await startTrade(stage);
  await trade(ada, 'add', { asset: asset! });
  await trade(ben, 'coins', { amount: '200' });
  await press(ada, await windowShows(stage, window, '200 gc'), 'Lock');
  return await press(ben, windowNow(stage, window), 'Lock');
}

/** What the member alone is told about an act: the answer itself, or the word beside a window that it refreshed. */
export async function wordOf(exchange: Exchange): Promise<WireMessage> {
  const first = await exchange.firstResponse();
  if (first.kind === 'message' || (first.kind === 'deferred' && first.ephemeral)) {
    return await exchange.reply();
  }
  const [word] = await exchange.followUpsReach(1);
  if (word === undefined) throw new Error('The act was answered without a word.');
  return word;
}

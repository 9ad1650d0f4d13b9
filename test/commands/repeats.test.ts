// What comes twice happens once: interactions that Discord delivers again, at once, late, or to a bot that was restarted.
import { describe, expect, test } from '@jest/globals';
import { buttonLabelled, textOf } from '../support/discord-stand-in.ts';
import type { Exchange } from '../../src/playground/api.ts';
import { lockedTrade, startTrade, trade, windowNow, windowShows } from './acts.ts';
import { withRealHouse } from './house.ts';
import type { RealStage } from './house.ts';

/** Discord's refusal of a second acknowledgement; a bot that answers a redelivery gets it, and that is how it is meant. */
const REPEATS = { allowed: [40060] };
const AFTERMATH_MS = 80;

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, AFTERMATH_MS));

/** Delivers what was carried out once more, and expects that nothing at all changes by it. */
async function expectOnce(
  { house, standIn }: RealStage,
  exchanges: readonly Exchange[],
): Promise<void> {
  await house.settled();
  await pause();
  const before = house.snapshot();
  for (const exchange of [...exchanges, ...exchanges]) standIn.redeliver(exchange);
  await pause();
  await house.settled();
  expect(house.snapshot()).toEqual(before);
}

/** Every command and button that moves something, each carried out; the newest last. */
async function moveEverything(
  stage: RealStage,
  afterEach: (exchange: Exchange) => Promise<void>,
): Promise<readonly Exchange[]> {
  const { ada, ben, house } = stage;
  const done: Exchange[] = [];
  const act = async (exchange: Exchange, words: RegExp): Promise<void> => {
    await exchange.settledWhen((now) => words.test(textOf(now)));
    done.push(exchange);
    await afterEach(exchange);
  };
  const [gift = '', offer = ''] = await house.grantAssets(ada.memberId, 2);
  const user = ben.memberId;
  await act(ada.command('daily'), /You received/);
  await act(ada.command('pay', { options: { user, amount: '100' } }), /paid/);
  await act(ada.command('gift', { options: { user, asset: gift } }), /committed/);
  await act(ada.command('mint', { options: { asset: 'fresh-2' } }), /committed/);
  await act(ada.command('roll', { options: { count: 3 } }), /committed|settled/);
  const start = ada.command('trade', { subcommand: 'start', options: { user } });
  await act(start, /Ends/);
  const options = { asset: offer };
  await act(ada.command('trade', { subcommand: 'add', options }), /Added/);
  const amount = { amount: '10' };
  await act(ben.command('trade', { subcommand: 'coins', options: amount }), /Set your coins/);
  let window = await windowShows(stage, await start.reply(), /10 gc.*|version 3/s);
  for (const label of ['Lock', 'Confirm']) {
    for (const who of [ada, ben]) {
      const words = label === 'Lock' ? /🔒 locked/ : /✅ confirmed|Settled/;
      await act(who.click(window, buttonLabelled(window, label)), words);
      window = windowNow(stage, window);
    }
  }
  await windowShows(stage, window, 'Settled');
  return done;
}

describe('an interaction that is delivered again', () => {
  test('moves nothing more, whichever it is', () =>
    withRealHouse(async (stage) => {
      const done = await moveEverything(stage, (exchange) => expectOnce(stage, [exchange]));
      await expectOnce(stage, done);
    }, REPEATS));

  test('to a bot that was restarted meanwhile moves nothing more', () =>
    withRealHouse(async (stage) => {
      const done = await moveEverything(stage, () => Promise.resolve());
      await stage.restart();
      await expectOnce(stage, done);
    }, REPEATS));

  test('after a later one does not bring back what that has changed', () =>
    withRealHouse(async (stage) => {
      const { ada, house } = stage;
      await house.grantCoins(ada.memberId, 1_000);
      const [asset = ''] = await house.grantAssets(ada.memberId, 1);
      const window = await startTrade(stage);
      const change = async (subcommand: string, options: Record<string, string>) => {
        const exchange = ada.command('trade', { subcommand, options });
        await exchange.reply();
        return exchange;
      };
      const changes = [
        await change('coins', { amount: '5' }),
        await change('add', { asset }),
        await change('remove', { asset }),
        await change('coins', { amount: '9' }),
      ];
      await windowShows(stage, window, '9 gc');
      await expectOnce(stage, changes);
    }, REPEATS));

  test('that ended a trade does not end the next one', () =>
    withRealHouse(async (stage) => {
      const { ada } = stage;
      await startTrade(stage);
      const cancel = ada.command('trade', { subcommand: 'cancel' });
      await cancel.reply();
      await startTrade(stage);
      await expectOnce(stage, [cancel]);
      expect(textOf(await trade(ada, 'show'))).toContain('Ends');
    }, REPEATS));
});

describe('a button that is pressed again and again by both', () => {
  test('settles the trade once, in one push', () =>
    withRealHouse(async (stage) => {
      const { ada, ben, house } = stage;
      const locked = await lockedTrade(stage);
      const confirm = buttonLabelled(locked, 'Confirm');
      const presses = [ada, ben, ada, ben, ada, ben].map((who) => who.clickStale(locked, confirm));
      await Promise.all(presses.map((each) => each.firstResponse()));
      await windowShows(stage, locked, 'Settled');
      const tagsBefore = house.git('tag').split('\n').length;
      await expectOnce(stage, presses);
      for (const who of [ada, ben]) await who.clickStale(locked, confirm).firstResponse();
      await pause();
      expect(house.git('tag').split('\n')).toHaveLength(tagsBefore);
      const { tables } = house.snapshot();
      const trades = tables['settlements'] as { kind: string; state: string }[];
      expect(trades.filter(({ kind }) => kind === 'trade')).toMatchObject([{ state: 'settled' }]);
    }, REPEATS));
});

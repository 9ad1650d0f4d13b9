// What the real app refuses: each time a clear word to one member, and every row and ref as it was.
import { describe, expect, test } from '@jest/globals';
import { buttonLabelled, openButtons, sampleMembers, textOf } from '../support/discord-stand-in.ts';
import { ClientRefusal } from '../../src/playground/api.ts';
import type { Exchange } from '../../src/playground/api.ts';
import type { WireMessage } from '../../src/playground/wire.ts';
import { lockedTrade, press, startTrade, trade, windowNow, windowShows } from './acts.ts';
import type { Driver } from './acts.ts';
import { withRealHouse } from './house.ts';
import type { RealStage } from './house.ts';
import { expectNothingMoves } from './unchanged.ts';

const BALANCE_GC = 1_000;
const NOT_AN_AMOUNT = [
  ...[
    '0',
    '-1',
    '1.5',
    '1e21',
    '１０',
    'abc',
    ' ',
    '\u200b',
    '+5',
    '-0',
    '0x10',
    'NaN',
    'Infinity',
  ],
  ...[
    '0k',
    '1.0001k',
    '1,00',
    '1,0000',
    '5 gc',
    '1p 1p',
    '1p2g',
    '1k2',
    '٣',
    '½',
    'none of it',
    'all 5',
  ],
  ...['9'.repeat(13), '9'.repeat(40), '99999999999p', '9999999999999m', `${'0'.repeat(39)}1`],
];
const TOO_MUCH = ['1001', '1.001k', '1g 1c', '100,000', '1000000000000'];

const WORD_FOR_AMOUNT = 'is not an amount';
const WORD_FOR_TOO_MUCH = /You need .* and have 1,000 gc/;

/** A member who takes part in nothing. */
const strangerIn = ({ standIn }: RealStage): Driver =>
  standIn.as(standIn.addMember(sampleMembers(3)[2]!).user.id);

const tradeCommand = (
  who: Driver,
  subcommand: string,
  options: Record<string, string> = {},
): Exchange => who.command('trade', { subcommand, options });

const stale = (who: Driver, window: WireMessage, label: string): Exchange =>
  who.clickStale(window, buttonLabelled(window, label));

describe('a bad amount', () => {
  test('is not paid', () =>
    withRealHouse(async ({ ada, ben, house }) => {
      await house.grantCoins(ada.memberId, BALANCE_GC);
      const pay = (amount: string): Exchange =>
        ada.command('pay', { options: { user: ben.memberId, amount } });
      await expectNothingMoves(house, async (refuse) => {
        for (const amount of NOT_AN_AMOUNT) await refuse(pay(amount), WORD_FOR_AMOUNT);
        for (const amount of TOO_MUCH) await refuse(pay(amount), WORD_FOR_TOO_MUCH);
        // Ben has nothing that `all` could stand for.
        const options = { user: ada.memberId, amount: 'all' };
        await refuse(ben.command('pay', { options }), WORD_FOR_AMOUNT);
      });
    }));

  test('is not offered in a trade, neither by command nor by form', () =>
    withRealHouse(async (stage) => {
      const { ada, ben, house } = stage;
      await house.grantCoins(ada.memberId, BALANCE_GC);
      const window = await startTrade(stage);
      const byForm = async (amount: string): Promise<Exchange> => {
        const form = await ada.click(window, buttonLabelled(window, 'Coins…')).modal();
        return ada.submitModal(form, { amount });
      };
      await expectNothingMoves(house, async (refuse) => {
        for (const amount of NOT_AN_AMOUNT) {
          await refuse(tradeCommand(ada, 'coins', { amount }), WORD_FOR_AMOUNT);
          await refuse(await byForm(amount), WORD_FOR_AMOUNT);
        }
        for (const amount of TOO_MUCH) {
          await refuse(tradeCommand(ada, 'coins', { amount }), WORD_FOR_TOO_MUCH);
          await refuse(await byForm(amount), WORD_FOR_TOO_MUCH);
        }
        await refuse(tradeCommand(ben, 'coins', { amount: 'all' }), WORD_FOR_AMOUNT);
      });
    }));

  test('of rolls is refused by Discord itself', () =>
    withRealHouse(async ({ ada, house }) => {
      await house.grantCoins(ada.memberId, BALANCE_GC);
      const before = house.snapshot();
      for (const count of [0, -1, 11, 1.5, 1e21]) {
        expect(() => ada.command('roll', { options: { count } })).toThrow(ClientRefusal);
      }
      expect(house.snapshot()).toEqual(before);
    }));
});

describe('nothing moves', () => {
  test('to oneself or to a bot', () =>
    withRealHouse(async ({ ada, house, standIn }) => {
      await house.grantCoins(ada.memberId, BALANCE_GC);
      const [asset = ''] = await house.grantAssets(ada.memberId, 1);
      const receivers = [
        [ada.memberId, 'to yourself'],
        [standIn.bot.user.id, 'Bots cannot own'],
      ] as const;
      await expectNothingMoves(house, async (refuse) => {
        for (const [user, word] of receivers) {
          await refuse(ada.command('pay', { options: { user, amount: '10' } }), word);
          await refuse(ada.command('gift', { options: { user, asset } }), word);
          await refuse(tradeCommand(ada, 'start', { user }), word);
        }
      });
    }));

  test('that is unknown, somebody else’s, or the bot’s', () =>
    withRealHouse(async (stage) => {
      const { ada, ben, house } = stage;
      const [foreign = ''] = await house.grantAssets(ben.memberId, 1);
      await startTrade(stage);
      await expectNothingMoves(house, async (refuse) => {
        for (const asset of [
          'no-such',
          foreign,
          'page',
          'only-lamp',
          'fresh',
          '…tail',
          '`*_<@1>',
          '../x',
        ]) {
          const options = { user: ben.memberId, asset };
          await refuse(ada.command('gift', { options }), 'is not yours to move');
          await refuse(tradeCommand(ada, 'add', { asset }), 'is not yours to move');
          await refuse(tradeCommand(ada, 'remove', { asset }), 'is not yours to move');
        }
      });
    }));

  test('that is offered in a trade, or on its way', () =>
    withRealHouse(async (stage) => {
      const { ada, ben, house } = stage;
      const [offered = '', sent = ''] = await house.grantAssets(ada.memberId, 2);
      await startTrade(stage);
      await trade(ada, 'add', { asset: offered });
      house.holdChain();
      const gift = (asset: string): Exchange =>
        ada.command('gift', { options: { user: ben.memberId, asset } });
      const first = gift(sent);
      expect(textOf(await first.reply())).toContain('⏳ Pending');
      await expectNothingMoves(house, async (refuse) => {
        await refuse(gift(offered), 'is reserved by');
        await refuse(gift(sent), /is pending a transaction|is reserved by/);
        await refuse(tradeCommand(ada, 'add', { asset: sent }), 'is reserved by');
      });
      house.releaseChain();
      await first.settledWhen((now) => textOf(now).includes('committed'));
    }));

  test('by a mint of what is not open, or taken, or too soon after another', () =>
    withRealHouse(async ({ ada, ben, house }) => {
      const mint = (who: Driver, asset: string): Exchange =>
        who.command('mint', { options: { asset } });
      const choices = await ada.autocomplete('mint', { focused: 'asset', options: {} }).choices();
      const [taken = '', open = ''] = choices.map(({ value }) => String(value));
      await mint(ada, taken).settledWhen((now) => textOf(now).includes('committed'));
      await expectNothingMoves(house, async (refuse) => {
        for (const asset of ['no-such', 'well-known', 'only-lamp', taken]) {
          await refuse(mint(ben, asset), 'is not waiting to be minted');
        }
        await refuse(mint(ada, open), /You minted a moment ago.*<t:\d+:R>/);
      });
    }));

  test('by a roll that is not covered, or of a banner that is unknown, over or empty', () =>
    withRealHouse(async ({ ada, ben, house }) => {
      await house.grantCoins(ada.memberId, BALANCE_GC);
      const roll = (who: Driver, options: { count: number; banner?: string }): Exchange =>
        who.command('roll', { options });
      const last = roll(ada, { count: 1, banner: 'single' });
      await last.settledWhen((now) => textOf(now).includes('committed'));
      await expectNothingMoves(house, async (refuse) => {
        await refuse(roll(ben, { count: 1 }), 'You need 60 gc and have 0 gc');
        await refuse(roll(ada, { count: 1, banner: 'nope' }), 'no open banner of that name');
        await refuse(roll(ada, { count: 1, banner: 'past' }), 'is not open now');
        await refuse(roll(ada, { count: 1, banner: 'single' }), 'has no prize left');
      });
    }));

  test('by taking the daily coins twice', () =>
    withRealHouse(async ({ ada, house }) => {
      await ada.command('daily').reply();
      await expectNothingMoves(house, (refuse) =>
        refuse(ada.command('daily'), /already.*<t:\d+:R>/),
      );
    }));

  test('by looking at what is not there', () =>
    withRealHouse(async ({ ada, house }) => {
      const view = (asset: string): Exchange =>
        ada.command('nfgt', { subcommand: 'view', options: { asset } });
      await expectNothingMoves(house, async (refuse) => {
        for (const asset of ['no-such', 'well-known', ' ', '../x', 'x'.repeat(200)]) {
          await refuse(view(asset), 'on the chain');
        }
      });
    }));
});

describe('a stranger', () => {
  test('moves nothing in a trade of two others, by button or by command', () =>
    withRealHouse(async (stage) => {
      const { ada, ben, house } = stage;
      const cleo = strangerIn(stage);
      const open = await startTrade(stage);
      await expectNothingMoves(house, async (refuse) => {
        for (const label of openButtons(open)) {
          await refuse(stale(cleo, open, label), 'between two other members');
        }
        const asset = 'no-such';
        for (const [verb, options] of [
          ['add', { asset }],
          ['remove', { asset }],
          ['coins', { amount: '5' }],
          ['show', {}],
          ['cancel', {}],
        ] as const) {
          await refuse(tradeCommand(cleo, verb, options), 'You have no open trade');
        }
        for (const user of [ada.memberId, ben.memberId]) {
          await refuse(tradeCommand(cleo, 'start', { user }), 'already takes part in trade');
        }
      });
    }));

  test('confirms nothing for two others, before it settles and after', () =>
    withRealHouse(async (stage) => {
      const { ada, ben, house } = stage;
      const cleo = strangerIn(stage);
      const locked = await lockedTrade(stage);
      const word = 'between two other members';
      await expectNothingMoves(house, async (refuse) => {
        await refuse(stale(cleo, locked, 'Confirm'), word);
        await refuse(stale(cleo, locked, 'Cancel'), word);
      });
      await press(ben, await press(ada, locked, 'Confirm'), 'Confirm');
      await windowShows(stage, locked, 'Settled');
      await expectNothingMoves(house, async (refuse) => {
        await refuse(stale(cleo, locked, 'Confirm'), word);
        await refuse(stale(cleo, locked, 'Cancel'), word);
      });
    }));
});

describe('an old view of a trade', () => {
  test('locks and changes nothing once the offer is another one', () =>
    withRealHouse(async (stage) => {
      const { ada, ben, house } = stage;
      await house.grantCoins(ada.memberId, BALANCE_GC);
      const [asset = ''] = await house.grantAssets(ada.memberId, 1);
      const window = await startTrade(stage);
      const form = await ada.click(window, buttonLabelled(window, 'Coins…')).modal();
      const picker = await ada.click(window, buttonLabelled(window, 'Add…')).reply();
      const select = picker.components[0]!.components![0]!.custom_id!;
      await trade(ada, 'coins', { amount: '42' });
      await windowShows(stage, window, '42 gc');
      const word = 'Your click did nothing';
      await expectNothingMoves(house, async (refuse) => {
        for (const who of [ada, ben]) await refuse(stale(who, window, 'Lock'), word);
        await refuse(stale(ada, window, 'Add…'), word);
        await refuse(stale(ada, window, 'Coins…'), word);
        await refuse(ada.submitModal(form, { amount: '900' }), word);
        await refuse(ada.select(picker, select, [asset]), word);
      });
      expect(textOf(windowNow(stage, window))).toContain('42 gc');
    }));

  test('confirms nothing after a change that was made when both had locked', () =>
    withRealHouse(async (stage) => {
      const { ada, ben, house } = stage;
      const locked = await lockedTrade(stage);
      const confirmed = await press(ada, locked, 'Confirm');
      // Ben spends what he offered; the last confirmation finds that out and opens both locks.
      await ben.command('pay', { options: { user: ada.memberId, amount: '450' } }).reply();
      const click = stale(ben, confirmed, 'Confirm');
      expect(textOf((await click.followUpsReach(1))[0]!)).toContain('Nothing moved and both locks');
      await windowShows(stage, locked, '✏️ editing');
      await expectNothingMoves(house, async (refuse) => {
        for (const who of [ada, ben]) await refuse(stale(who, locked, 'Confirm'), 'did nothing');
      });
    }));

  test('changes nothing after the lock', () =>
    withRealHouse(async (stage) => {
      const { ada, house } = stage;
      await house.grantCoins(ada.memberId, BALANCE_GC);
      const [asset = ''] = await house.grantAssets(ada.memberId, 1);
      const window = await startTrade(stage);
      await trade(ada, 'coins', { amount: '5' });
      const now = await windowShows(stage, window, '5 gc');
      const form = await ada.click(now, buttonLabelled(now, 'Coins…')).modal();
      const picker = await ada.click(now, buttonLabelled(now, 'Add…')).reply();
      const select = picker.components[0]!.components![0]!.custom_id!;
      await press(ada, now, 'Lock');
      await expectNothingMoves(house, async (refuse) => {
        for (const amount of ['900', '1001', 'abc', 'none']) {
          await refuse(tradeCommand(ada, 'coins', { amount }), /is locked|not an amount/);
        }
        await refuse(ada.submitModal(form, { amount: '900' }), 'is locked');
        await refuse(ada.select(picker, select, [asset]), 'is locked');
        await refuse(tradeCommand(ada, 'add', { asset }), 'is locked');
        await refuse(stale(ada, now, 'Add…'), 'is locked');
        await refuse(stale(ada, now, 'Coins…'), 'is locked');
      });
    }));

  test('does nothing any more when the trade is over', () =>
    withRealHouse(async (stage) => {
      const { ada, ben, house } = stage;
      const window = await startTrade(stage);
      const form = await ada.click(window, buttonLabelled(window, 'Coins…')).modal();
      await trade(ben, 'cancel');
      await windowShows(stage, window, 'Cancelled');
      await expectNothingMoves(house, async (refuse) => {
        for (const label of openButtons(window)) {
          await refuse(stale(ada, window, label), 'is over (cancelled)');
        }
        await refuse(ada.submitModal(form, { amount: '5' }), 'is over (cancelled)');
      });
    }));

  test('is not locked while it is empty', () =>
    withRealHouse(async (stage) => {
      const { ada, ben, house } = stage;
      const window = await startTrade(stage);
      await expectNothingMoves(house, async (refuse) => {
        for (const who of [ada, ben]) {
          await refuse(who.click(window, buttonLabelled(window, 'Lock')), 'holds nothing yet');
        }
      });
    }));
});

// /trade from the members' side: the window, its buttons, and what they do to each other.
import { describe, expect, test } from '@jest/globals';
import {
  buttonLabelled,
  isEphemeral,
  openButtons,
  sampleMembers,
  textOf,
} from '../support/discord-stand-in.ts';
import { lockedTrade, press, startTrade, trade, windowNow, windowShows } from './acts.ts';
import { HOUSES } from './house.ts';
import type { TradeView } from '../../src/app/app.ts';
import type { MemberId, TradeId } from '../../src/shared/ids.ts';

describe.each(HOUSES)('a trade on %s', (_house, withHouse) => {
  test('settles when both lock and both confirm, and ends green with transaction ids', () =>
    withHouse(async (stage) => {
      const { ada, ben, house } = stage;
      const locked = await lockedTrade(stage);
      expect(openButtons(locked)).toEqual(['Confirm', 'Cancel']);
      expect(locked.embeds.map((embed) => embed.color)).toEqual([0xffb700, 0xffb700]);
      const once = await press(ada, locked, 'Confirm');
      expect(textOf(once)).toContain('✅ confirmed');
      await press(ben, once, 'Confirm');
      const now = await windowShows(stage, locked, 'Settled');
      expect(textOf(now)).toMatch(/tx `[0-9a-f-]{36}`/);
      expect(openButtons(now)).toEqual([]);
      expect(now.embeds.map((embed) => embed.color)).toEqual([0x2ecc71, 0x2ecc71]);
      expect(await house.app.balance(ada.memberId as MemberId)).toBe(200);
      expect(await house.app.balance(ben.memberId as MemberId)).toBe(300);
    }));

  test('shows pending while the chain is slow, and settled when it is not any more', () =>
    withHouse(async (stage) => {
      const { ada, ben, house } = stage;
      const locked = await lockedTrade(stage);
      house.holdChain();
      await press(ben, await press(ada, locked, 'Confirm'), 'Confirm');
      const pending = await windowShows(stage, locked, '⏳ Pending');
      expect(openButtons(pending)).toEqual([]);
      house.releaseChain();
      await windowShows(stage, locked, 'Settled');
    }));

  test('that was pending at a restart ends in its window all the same', () =>
    withHouse(async (stage) => {
      const { ada, ben, house } = stage;
      const locked = await lockedTrade(stage);
      house.holdChain();
      await press(ben, await press(ada, locked, 'Confirm'), 'Confirm');
      await windowShows(stage, locked, '⏳ Pending');
      await stage.restart();
      house.releaseChain();
      const end = await windowShows(stage, locked, 'Settled');
      expect(openButtons(end)).toEqual([]);
    }));

  test('has buttons that work after a restart', () =>
    withHouse(async (stage) => {
      const { ada } = stage;
      const locked = await lockedTrade(stage);
      await stage.restart();
      expect(textOf(await press(ada, locked, 'Confirm'))).toContain('✅ confirmed');
    }));

  test('begins as a public window with its code, its deadline and both offers, and pings nobody', () =>
    withHouse(async (stage) => {
      const window = await startTrade(stage);
      expect(isEphemeral(window)).toBe(false);
      expect(textOf(window)).toMatch(/Trade `[A-Z0-9]{4,8}`\*\* · <@\d+> ↔ <@\d+>\nEnds <t:\d+:R>/);
      expect(window.embeds.map((embed) => embed.color)).toEqual([0x3498db, 0x3498db]);
      expect(openButtons(window)).toEqual(['Lock', 'Add…', 'Coins…', 'Cancel']);
      expect(stage.standIn.pingsOf(window.id)).toEqual([]);
    }));

  test('is not opened with oneself or with a bot', () =>
    withHouse(async ({ ada, standIn }) => {
      expect(textOf(await trade(ada, 'start', { user: ada.memberId }))).toContain('to yourself');
      const bot = standIn.bot.user.id;
      expect(textOf(await trade(ada, 'start', { user: bot }))).toContain('Bots cannot own');
    }));

  test('that does not exist is named as such', () =>
    withHouse(async ({ ada }) => {
      for (const subcommand of ['show', 'cancel']) {
        const answer = await trade(ada, subcommand);
        expect(isEphemeral(answer)).toBe(true);
        expect(textOf(answer)).toContain('You have no open trade');
      }
    }));
});

/** What a window has to say about a trade in this state. */
function wordsOf({ state, version, sides }: TradeView['trade']): readonly string[] {
  if (state !== 'open') return ['Settled'];
  const offers = sides.map(({ memberId, confirmed, locked }) => {
    const word = confirmed ? '✅ confirmed' : locked ? '🔒 locked' : '✏️ editing';
    return `<@${memberId}> offers · ${word}`;
  });
  return [`version ${String(version)} `, ...offers];
}

describe.each(HOUSES)('a storm of clicks on %s', (_house, withHouse) => {
  test('on windows of any age leaves the window as the trade is, and nothing that Discord refuses', () =>
    withHouse(async (stage) => {
      const { ada, ben, house, log } = stage;
      await house.grantCoins(ada.memberId, 1_000);
      await house.grantCoins(ben.memberId, 1_000);
      const window = await startTrade(stage);
      const seen = [window];
      const clicks: Promise<unknown>[] = [];
      for (let round = 0; round < 40; round += 1) {
        const who = round % 3 === 0 ? ada : ben;
        if (round % 8 === 5) clicks.push(trade(who, 'coins', { amount: String(round) }));
        const shown = seen[(round * 7) % seen.length]!;
        for (const label of ['Lock', 'Confirm']) {
          if (!openButtons(shown).includes(label)) continue;
          clicks.push(who.clickStale(shown, buttonLabelled(shown, label)).firstResponse());
        }
        if (round % 4 === 3) await new Promise((resolve) => setTimeout(resolve, 20));
        seen.push(windowNow(stage, window));
      }
      await Promise.all(clicks);
      await new Promise((resolve) => setTimeout(resolve, 800));
      const tradeId = /Trade `(\w+)`/.exec(textOf(window))![1]!;
      const { trade: end } = await house.app.getTrade(tradeId as TradeId);
      const text = textOf(windowNow(stage, window));
      for (const words of wordsOf(end)) expect(text).toContain(words);
      expect(log.filter(({ level }) => level === 'error')).toEqual([]);
    }));
});

describe.each(HOUSES)('a change by command on %s', (_house, withHouse) => {
  test('is confirmed to its member alone and shown in the window', () =>
    withHouse(async (stage) => {
      const { ada, house } = stage;
      const [asset] = await house.grantAssets(ada.memberId, 1);
      const window = await startTrade(stage);
      const added = await trade(ada, 'add', { asset: asset! });
      expect(isEphemeral(added)).toBe(true);
      await windowShows(stage, window, asset!.slice(0, 20));
      await trade(ada, 'remove', { asset: asset! });
      await windowShows(stage, window, /offers · ✏️ editing\n\*nothing yet\*\n.*nothing yet/s);
    }));

  test('opens a fresh window when the old one is gone', () =>
    withHouse(async (stage) => {
      const { ada, ben, house, standIn } = stage;
      await house.grantCoins(ada.memberId, 100);
      const window = await startTrade(stage);
      standIn.failNext({
        route: `PATCH /api/v10/channels/${standIn.channelId}`,
        status: 404,
        times: 9,
      });
      const exchange = ada.command('trade', { subcommand: 'coins', options: { amount: '42' } });
      const [fresh] = await exchange.followUpsReach(1);
      expect(fresh?.id).not.toBe(window.id);
      expect(isEphemeral(fresh!)).toBe(false);
      expect(textOf(fresh!)).toContain('42 gc');
      expect(textOf(await press(ben, fresh!, 'Lock'))).toContain('🔒 locked');
    }));

  test('by /trade show moves the window', () =>
    withHouse(async (stage) => {
      const { ada, house } = stage;
      await house.grantCoins(ada.memberId, 100);
      await startTrade(stage);
      const moved = await trade(ada, 'show');
      expect(isEphemeral(moved)).toBe(false);
      await trade(ada, 'coins', { amount: '42' });
      await windowShows(stage, moved, '42 gc');
    }));

  test('offers what is free to add, and what is in there to remove', () =>
    withHouse(async (stage) => {
      const { ada, house } = stage;
      const [one, two] = await house.grantAssets(ada.memberId, 2);
      await startTrade(stage);
      await trade(ada, 'add', { asset: one! });
      const offered = async (subcommand: string): Promise<unknown[]> => {
        const input = { subcommand, focused: 'asset', options: { asset: '' } };
        return (await ada.autocomplete('trade', input).choices()).map(({ value }) => value);
      };
      expect(await offered('add')).toEqual([two]);
      expect(await offered('remove')).toEqual([one]);
    }));

  test('cancels the trade and takes its buttons', () =>
    withHouse(async (stage) => {
      const { ada } = stage;
      const window = await startTrade(stage);
      expect(textOf(await trade(ada, 'cancel'))).toContain('Cancelled trade');
      const now = await windowShows(stage, window, 'Nothing moved');
      expect(openButtons(now)).toEqual([]);
      expect(now.embeds.map((embed) => embed.color)).toEqual([0xe74c3c, 0xe74c3c]);
    }));
});

describe.each(HOUSES)('a button of a trade on %s', (_house, withHouse) => {
  test('that is stale does nothing, says so, and shows the fresh offer', () =>
    withHouse(async (stage) => {
      const { ada, ben, house } = stage;
      await house.grantCoins(ada.memberId, 100);
      const window = await startTrade(stage);
      await trade(ada, 'coins', { amount: '42' });
      await windowShows(stage, window, '42 gc');
      const click = ben.clickStale(window, buttonLabelled(window, 'Lock'));
      const fresh = await click.reply();
      expect(textOf(fresh)).toContain('42 gc');
      expect(textOf(fresh)).not.toContain('🔒');
      const [word] = await click.followUpsReach(1);
      expect(isEphemeral(word!)).toBe(true);
      expect(textOf(word!)).toContain('Your click did nothing');
    }));

  test('is not for strangers', () =>
    withHouse(async (stage) => {
      const window = await startTrade(stage);
      const [, , third] = sampleMembers(3);
      const cleo = stage.standIn.as(stage.standIn.addMember(third!).user.id);
      for (const label of ['Lock', 'Add…', 'Coins…', 'Cancel']) {
        const answer = await press(cleo, window, label);
        expect(isEphemeral(answer)).toBe(true);
        expect(textOf(answer)).toContain('between two other members');
      }
      expect(textOf(windowNow(stage, window))).toBe(textOf(window));
    }));

  test('does nothing more when it is pressed again', () =>
    withHouse(async (stage) => {
      const { ada, ben, house } = stage;
      const locked = await lockedTrade(stage);
      const confirm = buttonLabelled(locked, 'Confirm');
      await Promise.all(
        [ada, ada, ben, ben, ada, ben].map((who) =>
          who.clickStale(locked, confirm).firstResponse(),
        ),
      );
      await windowShows(stage, locked, 'Settled');
      expect(await house.app.balance(ada.memberId as MemberId)).toBe(200);
      expect(await house.app.balance(ben.memberId as MemberId)).toBe(300);
    }));

  test('cancels for one when the other confirms at once, and only one of the two happens', () =>
    withHouse(async (stage) => {
      const { ada, ben, house } = stage;
      const locked = await lockedTrade(stage);
      const once = await press(ada, locked, 'Confirm');
      await Promise.all([
        ben.clickStale(once, buttonLabelled(once, 'Confirm')).firstResponse(),
        ada.clickStale(once, buttonLabelled(once, 'Cancel')).firstResponse(),
      ]);
      const end = await windowShows(stage, locked, /Settled|Cancelled/);
      const isSettled = textOf(end).includes('Settled');
      expect(await house.app.balance(ada.memberId as MemberId)).toBe(isSettled ? 200 : 0);
    }));

  test('opens a form for coins, whose amount is shown in the window', () =>
    withHouse(async (stage) => {
      const { ada, house } = stage;
      await house.grantCoins(ada.memberId, 20_000);
      const window = await startTrade(stage);
      const form = await ada.click(window, buttonLabelled(window, 'Coins…')).modal();
      const answer = await ada.submitModal(form, { amount: '1p 2g' }).reply();
      expect(answer.id).toBe(window.id);
      expect(textOf(answer)).toContain('12,000 gc (1p 2g)');
    }));

  test('whose form is submitted after the lock is refused with the word for it', () =>
    withHouse(async (stage) => {
      const { ada, house } = stage;
      await house.grantCoins(ada.memberId, 1_000);
      const window = await startTrade(stage);
      await trade(ada, 'coins', { amount: '5' });
      const now = await windowShows(stage, window, '5 gc');
      const form = await ada.click(now, buttonLabelled(now, 'Coins…')).modal();
      await press(ada, now, 'Lock');
      const submission = ada.submitModal(form, { amount: '900' });
      const [word] = await submission.followUpsReach(1);
      expect(isEphemeral(word!)).toBe(true);
      expect(textOf(word!)).toContain('is locked');
      expect(textOf(windowNow(stage, window))).not.toContain('900 gc');
    }));

  test('offers free assets to one member, and each picked one is added', () =>
    withHouse(async (stage) => {
      const { ada, house } = stage;
      const assets = await house.grantAssets(ada.memberId, 30);
      const window = await startTrade(stage);
      const picker = await ada.click(window, buttonLabelled(window, 'Add…')).reply();
      expect(isEphemeral(picker)).toBe(true);
      const [select] = picker.components[0]!.components!;
      expect(select?.options).toHaveLength(25);
      const value = select!.options![3]!.value;
      const after = await ada.select(picker, select!.custom_id!, [value]).reply();
      expect(assets).toContain(value);
      expect(textOf(after)).toContain(`Added \`${value}`);
      await windowShows(stage, window, value.slice(0, 20));
      const [again] = after.components[0]!.components!;
      expect(again?.options?.map((option) => option.value)).not.toContain(value);
      await ada.select(after, again!.custom_id!, [again!.options![0]!.value]).reply();
      await windowShows(stage, window, again!.options![0]!.value.slice(0, 20));
    }));

  test('says so when there is nothing to add', () =>
    withHouse(async (stage) => {
      const window = await startTrade(stage);
      expect(textOf(await press(stage.ben, window, 'Add…'))).toContain('nothing more that is free');
    }));
});

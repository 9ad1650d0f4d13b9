// /inventory, /statement, /nfgt view and /help from the members' side.
import { describe, expect, test } from '@jest/globals';
import { buttonLabelled, isEphemeral, openButtons, textOf } from '../support/discord-stand-in.ts';
import type { WireMessage } from '../../src/playground/wire.ts';
import { HOUSES } from './house.ts';
import type { HouseStage } from './house.ts';

const press = (who: HouseStage['ada'], message: WireMessage, label: string): Promise<WireMessage> =>
  who.click(message, buttonLabelled(message, label)).reply();

const footerOf = (message: WireMessage): string | undefined => message.embeds[0]?.footer?.text;

describe.each(HOUSES)('/inventory on %s', (_house, withHouse) => {
  test('of a thousand NFGTs is paged, newest first, and its pager reaches every page', () =>
    withHouse(async ({ ada, house }) => {
      const assets = await house.grantAssets(ada.memberId, 1_000);
      let message = await ada.command('inventory').reply();
      expect(isEphemeral(message)).toBe(false);
      expect(textOf(message)).toContain('holds **1,000** NFGT');
      expect(textOf(message)).toContain(assets.at(-1));
      expect(openButtons(message)).toEqual(['1/100', '›', '≫']);
      message = await press(ada, message, '›');
      expect(footerOf(message)).toContain('Page 2 of 100');
      message = await press(ada, message, '≫');
      expect(footerOf(message)).toContain('Page 100 of 100');
      expect(textOf(message)).toContain(assets[0]);
      expect(openButtons(message)).toEqual(['≪', '‹', '100/100']);
      message = await press(ada, message, '‹');
      expect(footerOf(message)).toContain('Page 99 of 100');
      message = await press(ada, message, '≪');
      expect(footerOf(message)).toContain('Page 1 of 100');
    }));

  test('goes to the page that is typed, and refuses what is no page', () =>
    withHouse(async ({ ada, house }) => {
      await house.grantAssets(ada.memberId, 45);
      const message = await ada.command('inventory').reply();
      const form = await ada.click(message, buttonLabelled(message, '1/5')).modal();
      const there = await ada.submitModal(form, { page: '4' }).reply();
      expect(there.id).toBe(message.id);
      expect(footerOf(there)).toContain('Page 4 of 5');
      const again = await ada.click(there, buttonLabelled(there, '4/5')).modal();
      const refused = await ada.submitModal(again, { page: '-1' }).reply();
      expect(isEphemeral(refused)).toBe(true);
      expect(textOf(refused)).toContain('a page is a whole number from 1');
      const far = await ada.click(there, buttonLabelled(there, '4/5')).modal();
      expect(footerOf(await ada.submitModal(far, { page: '999' }).reply())).toContain(
        'Page 5 of 5',
      );
    }));

  test('of another member may be looked at, but its pages are turned by who asked', () =>
    withHouse(async ({ ada, ben, house }) => {
      await house.grantAssets(ben.memberId, 11);
      const message = await ada.command('inventory', { options: { user: ben.memberId } }).reply();
      expect(textOf(message)).toContain(`<@${ben.memberId}> holds **11**`);
      const refused = await press(ben, message, '›');
      expect(isEphemeral(refused)).toBe(true);
      expect(textOf(refused)).toContain('belongs to another member');
      expect(footerOf(await press(ada, message, '›'))).toContain('Page 2 of 2');
    }));

  test('that is empty says how to fill it, without a pager', () =>
    withHouse(async ({ ada }) => {
      const message = await ada.command('inventory').reply();
      expect(textOf(message)).toContain('`/roll`');
      expect(openButtons(message)).toEqual([]);
    }));

  test('has a pager that works after a restart', () =>
    withHouse(async ({ ada, house, restart }) => {
      await house.grantAssets(ada.memberId, 11);
      const message = await ada.command('inventory').reply();
      await restart();
      expect(footerOf(await press(ada, message, '›'))).toContain('Page 2 of 2');
    }));
});

describe.each(HOUSES)('/statement on %s', (_house, withHouse) => {
  test('shows the member alone what came and went, newest first, with the balance after each', () =>
    withHouse(async ({ ada, ben, house }) => {
      await house.grantCoins(ada.memberId, 500);
      await ada.command('pay', { options: { user: ben.memberId, amount: '120' } }).reply();
      const message = await ada.command('statement').reply();
      expect(isEphemeral(message)).toBe(true);
      expect(textOf(message)).toContain('Balance: **380 gc');
      expect(textOf(message)).toMatch(/-120 gc.*payment.*→ 380 gc/);
    }));

  test('is paged', () =>
    withHouse(async ({ ada, house }) => {
      for (let count = 0; count < 12; count += 1) await house.grantCoins(ada.memberId, 5);
      const message = await ada.command('statement').reply();
      expect(footerOf(await press(ada, message, '›'))).toContain('Page 2 of 2');
    }));
});

describe.each(HOUSES)('/nfgt view on %s', (_house, withHouse) => {
  test('shows picture, owner, chain, transaction and commit to all', () =>
    withHouse(async ({ ada, ben, house, standIn }) => {
      const [asset] = await house.grantAssets(ben.memberId, 1);
      const message = await ada
        .command('nfgt', { subcommand: 'view', options: { asset: asset! } })
        .reply();
      expect(isEphemeral(message)).toBe(false);
      expect(textOf(message)).toContain(`<@${ben.memberId}>`);
      expect(textOf(message)).toMatch(/Commit\n`[0-9a-f]{40}/);
      expect(textOf(message)).toMatch(/Newest transaction\n`[0-9a-f-]{36}`/);
      const picture = standIn.file(new URL(message.embeds[0]!.image!.url).pathname);
      expect(picture?.attachment.content_type).toBe('image/png');
    }));

  test('of what is not on the chain says so', () =>
    withHouse(async ({ ada }) => {
      const options = { asset: 'no-such' };
      const message = await ada.command('nfgt', { subcommand: 'view', options }).reply();
      expect(textOf(message)).toContain('There is no asset no-such on the chain');
    }));
});

describe.each(HOUSES)('/help on %s', (_house, withHouse) => {
  test('lists the commands and the open banners, and says what gc is and what the chain keeps', () =>
    withHouse(async ({ ada }) => {
      const message = await ada.command('help').reply();
      expect(isEphemeral(message)).toBe(true);
      for (const words of [
        '`/roll`',
        '`/trade`',
        'Open banners',
        'GuyaCoin',
        'Privacy',
        'a roll',
      ]) {
        expect(textOf(message)).toContain(words);
      }
    }));
});

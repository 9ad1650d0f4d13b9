// /roll, /mint, /gift, /pay, /daily and /balance from the members' side.
import { describe, expect, test } from '@jest/globals';
import { isEphemeral, textOf } from '../support/discord-stand-in.ts';
import type { MemberId } from '../../src/shared/ids.ts';
import { HOUSES } from './house.ts';

describe.each(HOUSES)('/roll on %s', (_house, withHouse) => {
  test('shows every draw, what it cost and what it gave, to all', () =>
    withHouse(async ({ ada, house }) => {
      await house.grantCoins(ada.memberId, 1_000);
      const exchange = ada.command('roll', { options: { count: 10 } });
      const message = await exchange.settledWhen((now) => /committed|settled/.test(textOf(now)));
      expect(isEphemeral(message)).toBe(false);
      expect(message.embeds[0]?.title).toMatch(/×10$/);
      expect(textOf(message)).toMatch(/\n10\. /);
      expect(textOf(message)).toMatch(/Paid \*\*.*coins won \*\*/);
    }));

  test('that is not covered spends nothing', () =>
    withHouse(async ({ ada, house }) => {
      const message = await ada.command('roll', { options: { count: 1 } }).reply();
      expect(isEphemeral(message)).toBe(true);
      expect(textOf(message)).toMatch(/You need .* and have 0 gc. Nothing was spent/);
      expect(await house.app.balance(ada.memberId as MemberId)).toBe(0);
    }));

  test('of an unknown banner spends nothing', () =>
    withHouse(async ({ ada, house }) => {
      await house.grantCoins(ada.memberId, 1_000);
      const message = await ada.command('roll', { options: { count: 1, banner: 'nope' } }).reply();
      expect(textOf(message)).toContain('There is no open banner of that name');
      expect(await house.app.balance(ada.memberId as MemberId)).toBe(1_000);
    }));
});

describe.each(HOUSES)('/mint on %s', (_house, withHouse) => {
  test('gives the member a new NFGT that autocompletion offered', () =>
    withHouse(async ({ ada, house }) => {
      const offered = ada.autocomplete('mint', { focused: 'asset', options: { asset: '' } });
      const [first] = await offered.choices();
      const exchange = ada.command('mint', { options: { asset: first!.value } });
      const message = await exchange.settledWhen((now) => textOf(now).includes('committed'));
      expect(textOf(message)).toContain(`<@${ada.memberId}> mints it`);
      const owned = { memberId: ada.memberId as MemberId, page: 1, pageSize: 10 };
      expect((await house.app.inventory(owned)).total).toBe(1);
    }));

  test('of what does not wait to be minted is refused', () =>
    withHouse(async ({ ada }) => {
      const message = await ada.command('mint', { options: { asset: 'no-such' } }).reply();
      expect(isEphemeral(message)).toBe(true);
      expect(textOf(message)).toContain('is not waiting to be minted');
    }));
});

describe.each(HOUSES)('/gift on %s', (_house, withHouse) => {
  test('hands an NFGT over, pending first when the chain is slow', () =>
    withHouse(async ({ ada, ben, house }) => {
      const [asset] = await house.grantAssets(ada.memberId, 1);
      house.holdChain();
      const exchange = ada.command('gift', { options: { user: ben.memberId, asset: asset! } });
      expect(textOf(await exchange.reply())).toContain('⏳ Pending');
      house.releaseChain();
      await exchange.settledWhen((now) => textOf(now).includes('committed'));
      const owned = { memberId: ben.memberId as MemberId, page: 1, pageSize: 10 };
      expect((await house.app.inventory(owned)).assets[0]?.assetId).toBe(asset);
    }));

  test('of what is not the member’s is refused', () =>
    withHouse(async ({ ada, ben, house }) => {
      const [asset] = await house.grantAssets(ben.memberId, 1);
      const options = { user: ben.memberId, asset: asset! };
      const message = await ada.command('gift', { options }).reply();
      expect(textOf(message)).toContain('is not yours to move');
    }));

  test('to a bot is refused', () =>
    withHouse(async ({ ada, house, standIn }) => {
      const [asset] = await house.grantAssets(ada.memberId, 1);
      const options = { user: standIn.bot.user.id, asset: asset! };
      const message = await ada.command('gift', { options }).reply();
      expect(textOf(message)).toContain('Bots cannot own');
    }));
});

describe.each(HOUSES)('/pay on %s', (_house, withHouse) => {
  test('moves coins and says so in both forms, without a ping', () =>
    withHouse(async ({ ada, ben, house, standIn }) => {
      await house.grantCoins(ada.memberId, 2_000);
      const options = { user: ben.memberId, amount: '1.2k' };
      const message = await ada.command('pay', { options }).reply();
      expect(isEphemeral(message)).toBe(false);
      expect(textOf(message)).toContain('1,200 gc (1g 2s)');
      expect(standIn.pingsOf(message.id)).toEqual([]);
      expect(await house.app.balance(ben.memberId as MemberId)).toBe(1_200);
    }));

  test('that is delivered twice moves the coins once', () =>
    withHouse(
      async ({ ada, ben, house, standIn }) => {
        await house.grantCoins(ada.memberId, 100);
        const exchange = ada.command('pay', { options: { user: ben.memberId, amount: '40' } });
        await exchange.reply();
        standIn.redeliver(exchange);
        standIn.redeliver(exchange);
        await new Promise((resolve) => setTimeout(resolve, 300));
        expect(await house.app.balance(ben.memberId as MemberId)).toBe(40);
        // Discord refused the second acknowledgement; that is how it is meant to be, so it is no fault of this test.
        expect(standIn.violations().every(({ code }) => code === 40060)).toBe(true);
      },
      { allowed: [40060] },
    ));

  test('to oneself is refused', () =>
    withHouse(async ({ ada, house }) => {
      await house.grantCoins(ada.memberId, 100);
      const options = { user: ada.memberId, amount: 'all' };
      const message = await ada.command('pay', { options }).reply();
      expect(isEphemeral(message)).toBe(true);
      expect(textOf(message)).toContain('to yourself');
    }));
});

describe.each(HOUSES)('/daily on %s', (_house, withHouse) => {
  test('gives coins once, and then says when the next are ready', () =>
    withHouse(async ({ ada, house }) => {
      const first = await ada.command('daily').reply();
      expect(isEphemeral(first)).toBe(true);
      expect(textOf(first)).toMatch(/You received \*\*.*<t:\d+:R>/);
      const balance = await house.app.balance(ada.memberId as MemberId);
      expect(balance).toBeGreaterThan(0);
      expect(textOf(await ada.command('daily').reply())).toMatch(/already.*<t:\d+:R>/);
      expect(await house.app.balance(ada.memberId as MemberId)).toBe(balance);
    }));
});

describe.each(HOUSES)('/balance on %s', (_house, withHouse) => {
  test('tells the member alone, in both forms', () =>
    withHouse(async ({ ada, house }) => {
      await house.grantCoins(ada.memberId, 12_345);
      const message = await ada.command('balance').reply();
      expect(isEphemeral(message)).toBe(true);
      expect(textOf(message)).toContain('12,345 gc (1p 2g 3s 45c)');
    }));
});

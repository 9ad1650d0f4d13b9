// How interactions are answered when the work, the chain or Discord itself is slow or broken.
import { describe, expect, jest, test } from '@jest/globals';
import { buttonLabelled, isEphemeral, textOf } from '../support/discord-stand-in.ts';
import type { MemberId } from '../../src/shared/ids.ts';
import { AppError } from '../../src/shared/errors.ts';
import { withBot } from './bot.ts';

/** Short enough for a test, long enough for a direct answer. */
const QUICK = { times: { deferAfterMs: 250 } };
const CALLBACK = /POST .*\/interactions\/.*\/callback/;

describe('an answer', () => {
  test('that is there in time is one direct reply', () =>
    withBot(async ({ ada, standIn }) => {
      const exchange = ada.command('balance');
      expect((await exchange.firstResponse()).kind).toBe('message');
      expect(isEphemeral(await exchange.reply())).toBe(true);
      expect(standIn.violations()).toEqual([]);
    }));

  test('of a slow use case is deferred by itself, as the command declares, and then edited', () =>
    withBot(async ({ ada, app, standIn }) => {
      app.delayMs = 600;
      const secret = ada.command('balance');
      const open = ada.command('inventory');
      expect(await secret.firstResponse()).toEqual({ kind: 'deferred', ephemeral: true });
      expect(await open.firstResponse()).toEqual({ kind: 'deferred', ephemeral: false });
      expect(textOf(await secret.reply())).toContain('You have');
      expect(textOf(await open.reply())).toContain('holds');
      expect(standIn.violations()).toEqual([]);
    }, QUICK));

  test('is sent again when Discord is away for a while, and an edit for longer', () =>
    withBot(async ({ ada, app, standIn }) => {
      // Four tries of discord.js for each of ours: two of ours are lost here.
      standIn.failNext({ route: CALLBACK, status: 503, times: 9 });
      expect((await ada.command('balance').firstResponse()).kind).toBe('message');
      app.delayMs = 600;
      const exchange = ada.command('balance');
      await exchange.firstResponse();
      standIn.failNext({ route: /PATCH .*@original/, status: 503, times: 17 });
      expect(textOf(await exchange.reply(20_000))).toContain('You have');
    }, QUICK));

  test('holds the three-second rule with the times that ship', () =>
    withBot(async ({ ada, app }) => {
      app.delayMs = 3_500;
      const exchange = ada.command('balance');
      expect((await exchange.firstResponse()).kind).toBe('deferred');
      expect(textOf(await exchange.reply(6_000))).toContain('You have');
    }));

  test('of a movement is pending while the chain is slow, and then committed', () =>
    withBot(async ({ ada, ben, app, standIn }) => {
      const asset = app.grant(ada.memberId as MemberId, 'A page');
      app.isChainHeld = true;
      const exchange = ada.command('gift', { options: { user: ben.memberId, asset } });
      const pending = await exchange.reply();
      expect(textOf(pending)).toMatch(/⏳ Pending.*reserved/);
      expect(pending.embeds[0]?.footer?.text).toMatch(/tx [0-9a-f]{8} · pending$/);
      app.releaseChain();
      const done = await exchange.settledWhen((now) => textOf(now).includes('committed'));
      expect(textOf(done)).not.toContain('Pending');
      const picture = new URL(done.embeds[0]!.thumbnail!.url).pathname;
      expect(standIn.file(picture)?.attachment.filename).toBe('nfgt.png');
      expect(standIn.violations()).toEqual([]);
    }, QUICK));

  test('of a movement that the chain refuses says that nothing moved', () =>
    withBot(async ({ ada, ben, app }) => {
      const asset = app.grant(ada.memberId as MemberId, 'A page');
      app.isChainHeld = true;
      const exchange = ada.command('gift', { options: { user: ben.memberId, asset } });
      await exchange.reply();
      app.refuseChain('CHAIN_ADVANCED');
      const done = await exchange.settledWhen((now) => textOf(now).includes('rejected'));
      expect(textOf(done)).toMatch(/reached the chain first.*Nothing moved/);
      expect(done.embeds[0]?.color).toBe(0xe74c3c);
    }, QUICK));

  test('that failed after a public deferral is told to its member alone, and the deferral goes', () =>
    withBot(async ({ ada, ben, app, standIn }) => {
      app.delayMs = 500;
      const options = { user: ben.memberId, amount: '5' };
      const exchange = ada.command('pay', { options });
      expect(await exchange.firstResponse()).toEqual({ kind: 'deferred', ephemeral: false });
      const [error] = await exchange.followUpsReach(1);
      expect(isEphemeral(error!)).toBe(true);
      expect(textOf(error!)).toContain('You need 5 gc and have 0 gc. Nothing was spent.');
      expect(exchange.deleted).toBe(true);
      expect(standIn.messages().filter((message) => !isEphemeral(message))).toEqual([]);
      expect(standIn.violations()).toEqual([]);
    }, QUICK));

  test('that failed after an ephemeral deferral takes its place', () =>
    withBot(async ({ ada, app }) => {
      app.delayMs = 500;
      app.fault = new AppError('FEATURE_FROZEN', { feature: 'Every movement' });
      const exchange = ada.command('daily');
      expect(textOf(await exchange.reply())).toContain('Every movement is frozen');
      expect(exchange.followUps()).toEqual([]);
    }, QUICK));
});

describe('a slow component', () => {
  test('acknowledges the click in time and edits its message when the work is done', () =>
    withBot(async ({ ada, ben, app, standIn }) => {
      app.credit(ada.memberId as MemberId, 100, 'daily');
      const options = { user: ben.memberId };
      await ada.command('trade', { subcommand: 'start', options }).reply();
      await ada.command('trade', { subcommand: 'coins', options: { amount: '5' } }).reply();
      const fresh = await ada.command('trade', { subcommand: 'show' }).reply();
      app.delayMs = 500;
      const lock = ada.click(fresh, buttonLabelled(fresh, 'Lock'));
      expect((await lock.firstResponse()).kind).toBe('deferred-update');
      await lock.settledWhen((now) => textOf(now).includes('🔒 locked'));
      const add = ben.click(fresh, buttonLabelled(fresh, 'Add…'));
      expect((await add.firstResponse()).kind).toBe('deferred-update');
      const [answer] = await add.followUpsReach(1);
      expect(isEphemeral(answer!)).toBe(true);
      expect(standIn.violations()).toEqual([]);
    }, QUICK));

  test('that came too late for its form says so', () =>
    withBot(async ({ ada, ben, app, standIn }) => {
      const options = { user: ben.memberId };
      const window = await ada.command('trade', { subcommand: 'start', options }).reply();
      app.delayMs = 500;
      const click = ada.click(window, buttonLabelled(window, 'Coins…'));
      const [answer] = await click.followUpsReach(1);
      expect(textOf(answer!)).toContain('took too long to open a form');
      expect(standIn.violations()).toEqual([]);
    }, QUICK));
});

describe('edits', () => {
  test('are not held back at the fifty requests a second of the client', () =>
    withBot(
      async ({ ada, app }) => {
        app.delayMs = 400;
        // To whoever counts requests a second, all edits are in one second that does not end.
        const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now());
        try {
          const exchanges = Array.from({ length: 200 }, () => ada.command('balance'));
          const answers = exchanges.map((exchange) => exchange.reply(60_000));
          expect(await Promise.all(answers)).toHaveLength(200);
        } finally {
          clock.mockRestore();
        }
      },
      { times: { deferAfterMs: 100 } },
    ));
});

describe('a message that a stopped bot left at pending', () => {
  test('is brought up to date by a redelivery, however late Discord is back', () =>
    withBot(
      async ({ ada, ben, app, standIn, restart }) => {
        const asset = app.grant(ada.memberId as MemberId, 'A page');
        app.isChainHeld = true;
        const exchange = ada.command('gift', { options: { user: ben.memberId, asset } });
        expect(textOf(await exchange.reply())).toContain('Pending');
        await restart();
        app.releaseChain();
        standIn.failNext({ route: CALLBACK, status: 503, times: 20 });
        standIn.redeliver(exchange);
        await exchange.settledWhen((now) => textOf(now).includes('committed'));
        expect(exchange.followUps()).toEqual([]);
      },
      { times: { answerByMs: 1_001 } },
    ));
});

test('a refusal by a bot that was then stopped gives way to what the next one could do', () =>
  withBot(async ({ ada, app, standIn, restart }) => {
    app.fault = new AppError('FEATURE_FROZEN', { feature: 'Every movement' });
    const exchange = ada.command('daily');
    expect(textOf(await exchange.reply())).toContain('is frozen');
    app.fault = undefined;
    await restart();
    standIn.redeliver(exchange);
    const answer = await exchange.settledWhen((now) => textOf(now).includes('You received'));
    expect(textOf(answer)).not.toContain('is frozen');
    expect(await app.balance(ada.memberId as MemberId)).toBe(600);
  }));

describe('when the first answer to Discord is lost', () => {
  test.each([
    ['after Discord applied it', { status: 'lost' as const }],
    ['by a reset', { status: 'reset' as const }],
    ['by a bad gateway, applied', { status: 502, applied: true }],
    ['by a bad gateway, not applied', { status: 502, applied: false }],
  ])('%s, the member sees it once and nothing is done twice', (_title, fault) =>
    withBot(async ({ ada, ben, app, standIn, log }) => {
      app.credit(ada.memberId as MemberId, 100, 'daily');
      standIn.failNext({ route: CALLBACK, ...fault });
      const options = { user: ben.memberId, amount: '30' };
      const exchange = ada.command('pay', { options });
      expect(textOf(await exchange.reply())).toContain('30 gc');
      expect(await app.balance(ada.memberId as MemberId)).toBe(70);
      expect(exchange.followUps()).toEqual([]);
      expect(log.filter(({ level }) => level === 'error')).toEqual([]);
    }),
  );

  test('for good, what was booked stays booked and the log says that nobody could be told', () =>
    withBot(
      async ({ ada, ben, app, standIn, log }) => {
        app.credit(ada.memberId as MemberId, 100, 'daily');
        standIn.failNext({ route: CALLBACK, status: 503, times: 100 });
        ada.command('pay', { options: { user: ben.memberId, amount: '30' } });
        await until(() => log.some(({ message }) => message.includes('may not have been told')));
        expect(await app.balance(ada.memberId as MemberId)).toBe(70);
      },
      { times: { retryEditsMs: 1_000 } },
    ));

  test('because its token is over, the end of a movement is only logged', () =>
    withBot(async ({ ada, ben, app, standIn, log }) => {
      const asset = app.grant(ada.memberId as MemberId, 'A page');
      app.isChainHeld = true;
      const exchange = ada.command('gift', { options: { user: ben.memberId, asset } });
      await exchange.reply();
      standIn.expireToken(exchange);
      app.releaseChain();
      await until(() => log.some(({ message }) => message.includes('may not have been told')));
      const [page] = (
        await app.inventory({ memberId: ben.memberId as MemberId, page: 1, pageSize: 10 })
      ).assets;
      expect(page?.assetId).toBe(asset);
      expect(log.filter(({ level }) => level === 'error')).toEqual([]);
    }, QUICK));
});

async function until(isTrue: () => boolean, timeoutMs = 5_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!isTrue()) {
    if (Date.now() > end) throw new Error('It did not come to that in time.');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

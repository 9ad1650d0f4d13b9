// The router: errors, faults, old buttons, repeated deliveries, stops.
import { describe, expect, test } from '@jest/globals';
import { ButtonStyle, ComponentType, Routes } from 'discord.js';
import { buttonLabelled, isEphemeral, textOf } from '../support/discord-stand-in.ts';
import type { WireMessage } from '../../src/playground/wire.ts';
import type { MemberId } from '../../src/shared/ids.ts';
import { until } from '../support/until.ts';
import { withBot } from './bot.ts';
import type { BotStage } from './bot.ts';
import type { FakeApp } from '../support/fake-app.ts';

/** A message of the bot with a button that this version does not make. */
async function foreignButton(
  { client, standIn }: BotStage<FakeApp>,
  customId: string,
): Promise<WireMessage> {
  const button = {
    type: ComponentType.Button,
    style: ButtonStyle.Primary,
    label: 'Old',
    custom_id: customId,
  };
  const body = {
    content: 'old',
    components: [{ type: ComponentType.ActionRow, components: [button] }],
  };
  const message = await client().rest.post(Routes.channelMessages(standIn.channelId), { body });
  return message as WireMessage;
}

describe('a refusal', () => {
  test('is an ephemeral answer in the words of the table, to who asked', () =>
    withBot(async ({ ada, ben, standIn }) => {
      const exchange = ada.command('pay', { options: { user: ben.memberId, amount: 'lots' } });
      const message = await exchange.reply();
      expect(isEphemeral(message)).toBe(true);
      expect(textOf(message)).toContain('“lots” is not an amount. Nothing was changed.');
      expect(standIn.viewerOf(message.id)).toBe(ada.memberId);
    }));

  test('shows what was typed as plain text and pings nobody', () =>
    withBot(async ({ ada, ben, standIn }) => {
      const asset = `@everyone <@${ben.memberId}> **x**`;
      const message = await ada.command('nfgt', { subcommand: 'view', options: { asset } }).reply();
      expect(textOf(message)).not.toContain('@everyone');
      expect(textOf(message)).toContain('\\*\\*x');
      expect(standIn.pingsOf(message.id)).toEqual([]);
    }));
});

describe('a fault', () => {
  test('is told with a reference and without a claim, and logged with its stack', () =>
    withBot(async ({ ada, app, log }) => {
      app.fault = new TypeError('boom');
      const message = await ada.command('daily').reply();
      expect(isEphemeral(message)).toBe(true);
      const reference = /\(ref ([0-9A-F]{4})\)/.exec(textOf(message))?.[1];
      expect(textOf(message)).not.toMatch(/boom|nothing (moved|was)/i);
      const line = log.find(({ level }) => level === 'error');
      expect(line?.facts).toMatchObject({ ref: reference, error: { message: 'boom' } });
      expect(JSON.stringify(line)).toContain('dispatcher.test.ts');
    }));

  test('after the work was booked leaves it booked, and a redelivery does not repeat it', () =>
    withBot(async ({ ada, app, standIn }) => {
      Object.assign(app, { fault: new Error('late'), isFaultLate: true });
      const exchange = ada.command('daily');
      expect(textOf(await exchange.reply())).toContain('/statement');
      standIn.redeliver(exchange);
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(await app.balance(ada.memberId as MemberId)).toBe(600);
    }));

  test('in a button is told beside the message, which stays as it is', () =>
    withBot(async ({ ada, app }) => {
      for (let count = 0; count < 11; count += 1) app.grant(ada.memberId as MemberId, 'A page');
      const inventory = await ada.command('inventory').reply();
      app.fault = new Error('boom');
      const click = ada.click(inventory, buttonLabelled(inventory, '›'));
      expect(textOf(await click.reply())).toContain('Something broke');
      expect(isEphemeral(await click.reply())).toBe(true);
    }));

  test('in an autocompletion is an empty list', () =>
    withBot(async ({ ada, app, log }) => {
      app.fault = new Error('boom');
      const exchange = ada.autocomplete('nfgt', {
        subcommand: 'view',
        focused: 'asset',
        options: { asset: 'x' },
      });
      expect(await exchange.choices()).toEqual([]);
      expect(log.some(({ message }) => message.includes('autocompletion'))).toBe(true);
    }));
});

describe('an autocompletion', () => {
  test('that is slow is an empty list in time', () =>
    withBot(async ({ ada, app }) => {
      app.delayMs = 4_000;
      const exchange = ada.autocomplete('mint', { focused: 'asset', options: { asset: '' } });
      expect(await exchange.choices()).toEqual([]);
    }));

  test('offers at most 25, and carries ids that are longer than a choice may be', () =>
    withBot(async ({ ada, app, standIn }) => {
      const longIds = Array.from({ length: 40 }, (_, index) =>
        app.grant(
          ada.memberId as MemberId,
          'p'.repeat(500),
          `${'aHR0'.repeat(36)}${String(index).padStart(2, '0')}==`,
        ),
      );
      const exchange = ada.autocomplete('nfgt', {
        subcommand: 'view',
        focused: 'asset',
        options: { asset: 'aHR0' },
      });
      const choices = await exchange.choices();
      expect(choices).toHaveLength(25);
      const asset = String(choices[7]?.value);
      const shown = await ada.command('nfgt', { subcommand: 'view', options: { asset } }).reply();
      expect(textOf(shown)).toContain(longIds[7]);
      expect(standIn.violations()).toEqual([]);
    }));
});

describe('a button that is not known', () => {
  test.each(['trade:accept:12', 'v1:auction:12:1:bid', 'v9:trade:K7Q2:1:lock', '💥'])(
    '(%s) gets a polite ephemeral word',
    (customId) =>
      withBot(async (stage) => {
        const message = await foreignButton(stage, customId);
        const answer = await stage.ada.click(message, customId).reply();
        expect(isEphemeral(answer)).toBe(true);
        expect(textOf(answer)).toContain('from an older version of the bot and did nothing');
        expect(stage.standIn.violations()).toEqual([]);
      }),
  );

  test.each(['v1:trade:NOSUCH:1:lock', 'v1:trade:NOSUCH:1:dance', 'v1:inventory:1.2:1:dance'])(
    'to the app (%s) is refused without a trace',
    (customId) =>
      withBot(async (stage) => {
        const message = await foreignButton(stage, customId);
        const answer = await stage.ada.click(message, customId).reply();
        expect(isEphemeral(answer)).toBe(true);
        expect(stage.log.filter(({ level }) => level === 'error')).toEqual([]);
      }),
  );
});

describe('a repeated delivery', () => {
  test('while the first is in work is dropped, and after it changes nothing', () =>
    withBot(async ({ ada, ben, app, standIn }) => {
      app.credit(ada.memberId as MemberId, 100, 'daily');
      app.delayMs = 300;
      const exchange = ada.command('pay', { options: { user: ben.memberId, amount: '30' } });
      standIn.redeliver(exchange);
      await exchange.reply();
      standIn.redeliver(exchange);
      await new Promise((resolve) => setTimeout(resolve, 600));
      expect(await app.balance(ben.memberId as MemberId)).toBe(30);
      expect(exchange.followUps()).toEqual([]);
    }));
});

describe('what came too late by our clock', () => {
  test('is put to Discord all the same, which may know better', () =>
    withBot(
      async ({ ada, standIn, restart }) => {
        const old = ada.command('balance');
        await old.reply();
        await new Promise((resolve) => setTimeout(resolve, 350));
        await restart();
        standIn.redeliver(old);
        await until(() => Promise.resolve(standIn.violations().length > 0));
        expect(standIn.violations()).toMatchObject([{ code: 40060 }]);
      },
      { times: { answerByMs: 300 } },
    ));
});

describe('a stop', () => {
  test('lets running work end and answer', () =>
    withBot(async ({ ada, app, stop }) => {
      app.delayMs = 600;
      const exchange = ada.command('daily');
      await new Promise((resolve) => setTimeout(resolve, 100));
      await stop();
      expect(textOf(await exchange.reply())).toContain('You received');
    }));

  test('does not wait for the chain', () =>
    withBot(async ({ ada, ben, app, stop, log }) => {
      const asset = app.grant(ada.memberId as MemberId, 'A page');
      app.isChainHeld = true;
      await ada.command('gift', { options: { user: ben.memberId, asset } }).reply();
      await stop();
      const said = log.map(({ message }) => message);
      expect(said).not.toContain('Some interactions did not end in time.');
    }));

  test('turns new interactions away politely while it waits', () =>
    withBot(async ({ ada, app, stop }) => {
      app.delayMs = 800;
      const running = ada.command('daily');
      await new Promise((resolve) => setTimeout(resolve, 100));
      const stopped = stop();
      const late = await ada.command('balance').reply();
      expect(textOf(late)).toContain('restarting. Nothing was done.');
      await running.reply();
      await stopped;
    }));
});

describe('back pressure', () => {
  test('refuses at once, in words and without doing anything, who comes when too many wait', () =>
    withBot(
      async ({ ada, app, standIn }) => {
        app.delayMs = 2_000;
        const waiting = Array.from({ length: 20 }, () => ada.command('balance'));
        const tooMany = Array.from({ length: 10 }, () => ada.command('daily'));
        for (const exchange of tooMany) {
          const first = await exchange.firstResponse();
          expect(first.kind).toBe('message');
          expect(textOf(await exchange.reply())).toContain(
            'Too much is waiting right now. Nothing',
          );
          expect(isEphemeral(await exchange.reply())).toBe(true);
        }
        for (const exchange of waiting) {
          expect(textOf(await exchange.reply(30_000))).toContain('You have');
        }
        expect(await app.balance(ada.memberId as MemberId)).toBe(0);
        app.delayMs = 0;
        expect(textOf(await ada.command('daily').reply())).toContain('You received');
        expect(standIn.violations()).toEqual([]);
      },
      { maxUnanswered: 20, firstAnswerMs: 30_000 },
    ));

  test('does nothing for an interaction that Discord has given up already', () =>
    withBot(async ({ ada, app, standIn }) => {
      standIn.freezeGateway();
      const exchange = ada.command('daily');
      expect((await exchange.firstResponse()).kind).toBe('did-not-respond');
      await standIn.botReady();
      standIn.dropGateway();
      await eventually(() => exchange.violations.length > 0);
      expect(exchange.violations).toMatchObject([{ code: 10062 }]);
      expect(await app.balance(ada.memberId as MemberId)).toBe(0);
    }));
});

async function eventually(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1_000 && !isSo(); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(isSo()).toBe(true);
}

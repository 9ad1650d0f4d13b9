// The connection: who may log in, what is registered, what survives a broken gateway.
import { describe, expect, test } from '@jest/globals';
import { Events, Routes } from 'discord.js';
import type { CloseEvent } from 'discord.js';
import { startDiscord } from '../../src/discord/client.ts';
import type { DiscordConnection } from '../../src/discord/client.ts';
import type { StandIn } from '../../src/playground/api.ts';
import type { AppError } from '../../src/shared/errors.ts';
import { loadCommands } from '../../src/discord/load-commands.ts';
import { textOf, withStandIn } from '../support/discord-stand-in.ts';
import { FakeApp } from '../support/fake-app.ts';
import { keepingLogger, withBot } from './bot.ts';

describe('startDiscord', () => {
  test('refuses a token that Discord refuses, by name', () =>
    withStandIn(async ({ standIn }) => {
      const start = startDiscord({
        ...{ token: 'MTIz.wrong.token', apiUrl: standIn.url },
        ...{ commands: [], app: new FakeApp(), logger: keepingLogger() },
      });
      await expect(start).rejects.toMatchObject({ code: 'DISCORD_TOKEN_REFUSED' });
    }));

  test('says that Discord cannot be reached when nothing answers', async () => {
    const start = startDiscord({
      ...{ token: 'MTIz.some.token', apiUrl: 'http://127.0.0.1:9/api' },
      ...{ commands: [], app: new FakeApp(), logger: keepingLogger() },
    });
    await expect(start).rejects.toMatchObject({ code: 'DISCORD_UNREACHABLE' });
  });

  test.each(['guild', 'global'] as const)(
    'registers the %s commands once, and again only when they changed',
    (scope) =>
      withStandIn(async ({ standIn }) => {
        let changes = 0;
        standIn.subscribe((event) => {
          if (event.type === 'commands') changes += 1;
        });
        const commands = await loadCommands();
        const guildId = scope === 'guild' ? standIn.guildId : undefined;
        const run = async (count: number): Promise<void> => {
          const connection = await startDiscord({
            ...{ token: standIn.token, apiUrl: standIn.url, guildId },
            ...{ commands: commands.slice(0, count), app: new FakeApp(), logger: keepingLogger() },
          });
          await connection.close();
        };
        await run(commands.length);
        const afterFirst = changes;
        expect(afterFirst).toBeGreaterThan(0);
        await run(commands.length);
        expect(changes).toBe(afterFirst);
        await run(3);
        expect(changes).toBeGreaterThan(afterFirst);
        expect(standIn.commands()).toHaveLength(3);
        expect(standIn.violations()).toEqual([]);
      }),
  );
});

describe('a broken gateway', () => {
  test.each([true, false])(
    'is taken up again (resumable: %s) without a repeated effect',
    (resumable) =>
      withBot(async ({ ada, standIn }) => {
        await ada.command('daily').reply();
        standIn.dropGateway({ resumable });
        await new Promise((resolve) => setTimeout(resolve, 300));
        await standIn.botReady();
        const answer = await ada.command('balance').reply();
        expect(textOf(answer)).toContain('600 gc');
      }),
  );
});

/** Runs a connection without commands, and keeps the reasons for which it was lost. */
async function withConnection(
  run: (connection: DiscordConnection, reasons: readonly string[], standIn: StandIn) => unknown,
): Promise<void> {
  await withStandIn(async ({ standIn }) => {
    const reasons: string[] = [];
    const connection = await startDiscord({
      ...{ token: standIn.token, apiUrl: standIn.url, commands: [], app: new FakeApp() },
      ...{ logger: keepingLogger(), onLost: ({ code }: AppError) => reasons.push(code) },
    });
    try {
      await run(connection, reasons, standIn);
    } finally {
      await connection.close();
    }
  });
}

describe('a connection that Discord has ended', () => {
  test.each([
    [4004, 'DISCORD_TOKEN_REFUSED'],
    [4014, 'DISCORD_UNREACHABLE'],
  ])('by %d is reported as %s, so that the process can end', (code, expected) =>
    withConnection(({ client }, reasons) => {
      client.emit(Events.ShardDisconnect, { code } as CloseEvent, 0);
      expect(reasons).toEqual([expected]);
    }),
  );

  test('by refusing its token is reported', () =>
    withConnection(async ({ client }, reasons, standIn) => {
      standIn.failNext({ route: '/users/@me', status: 401 });
      await expect(client.rest.get(Routes.user())).rejects.toThrow();
      expect(reasons).toEqual(['DISCORD_TOKEN_REFUSED']);
    }));

  test('by us is not reported', () =>
    withConnection(async (connection, reasons) => {
      await connection.close();
      expect(reasons).toEqual([]);
    }));
});

describe('what is logged', () => {
  test('never contains a token', () =>
    withBot(async ({ ada, standIn, log }) => {
      standIn.failNext({ route: '/callback', status: 400 });
      ada.command('balance');
      standIn.failNext({ route: '/callback', status: 503, times: 20 });
      ada.command('balance');
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      expect(log.length).toBeGreaterThan(1);
      const text = JSON.stringify(log);
      expect(text).not.toContain(standIn.token);
      expect(text).not.toMatch(/\/callback|webhooks\//);
    }));
});

// A real client lives through Discord's bad days: lost answers, broken gateways, events sent twice.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Client, Events, GatewayIntentBits } from 'discord.js';
import type { Interaction } from 'discord.js';
import { WebSocket } from 'ws';
import { openStage } from '../support/discord-stand-in.ts';
import type { Stage } from '../support/discord-stand-in.ts';
import { startBot } from './bot.ts';
import type { TestBot } from './bot.ts';

let stage: Stage;
let bot: TestBot;
let handled: Interaction[];

beforeEach(async () => {
  handled = [];
  stage = await openStage({ firstAnswerMs: 2000 });
  bot = await startBot(stage.standIn, [{ name: 'go', description: 'Go' }], async (interaction) => {
    handled.push(interaction);
    if (interaction.isChatInputCommand()) await interaction.reply(`answer ${handled.length}`);
  });
});
afterEach(async () => {
  await bot.stop();
  await stage.standIn.close();
});

async function until(met: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400 && !met(); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(met()).toBe(true);
}

const CALLBACK = 'POST /api/v10/interactions';

test('an answer that is lost after it was applied throws in the bot, and the member has it', async () => {
  stage.standIn.failNext({ route: CALLBACK, status: 'lost' });
  expect((await stage.ada.command('go').reply()).content).toBe('answer 1');
  await until(() => bot.errors.length === 1);
  expect(String(bot.errors[0])).toContain('other side closed');
  expect(stage.standIn.violations()).toEqual([]);
});

test('a reset after it was applied reaches the bot as ECONNRESET, and the member has the answer', async () => {
  stage.standIn.failNext({ route: CALLBACK, status: 'reset' });
  expect((await stage.ada.command('go').reply()).content).toBe('answer 1');
  await until(() => bot.errors.length === 1);
  expect(bot.errors[0]).toMatchObject({ code: 'ECONNRESET' });
});

test('a 500 that was not applied is tried again, and works', async () => {
  stage.standIn.failNext({ route: CALLBACK, status: 500, times: 2 });
  expect((await stage.ada.command('go').reply()).content).toBe('answer 1');
  expect(bot.errors).toEqual([]);
});

test('a 502 that was applied is tried again, and is 40060', async () => {
  stage.standIn.failNext({ route: /interactions/, status: 502, applied: true });
  expect((await stage.ada.command('go').reply()).content).toBe('answer 1');
  await until(() => bot.errors.length === 1);
  expect(bot.errors[0]).toMatchObject({ code: 40060 });
});

test('a 429 makes the client wait and try again', async () => {
  stage.standIn.failNext({ route: CALLBACK, status: 429 });
  expect((await stage.ada.command('go').reply()).content).toBe('answer 1');
  expect(bot.errors).toEqual([]);
});

test('the wait that a 429 names is waited for', async () => {
  stage.standIn.failNext({ route: CALLBACK, status: 429, retryAfterMs: 400 });
  const exchange = stage.ada.command('go');
  const startedAt = performance.now();
  await exchange.reply();
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(390);
  expect(exchange.faults).toMatchObject([{ status: 429, applied: false, waitMs: 400 }]);
  expect(exchange.callsAt).toHaveLength(1);
});

test('faults by chance come as often as their shares say, and the same ones for the same seed', async () => {
  const { standIn, ada } = stage;
  const draw = async (): Promise<readonly unknown[]> => {
    standIn.setFaults({ seed: 7, shares: { error: 0.2, throttled: 0.2, slow: 0.2 }, longestMs: 5 });
    const met: unknown[] = [];
    for (let count = 0; count < 20; count += 1) {
      const exchange = ada.command('go');
      await exchange.reply();
      met.push(exchange.faults.map(({ status, waitMs }) => [status, waitMs]));
    }
    return met;
  };
  const first = await draw();
  expect(await draw()).toEqual(first);
  const counts = standIn.faultCounts();
  expect(counts.error * counts.throttled * counts.slow).toBeGreaterThan(0);
  expect(counts.lost + counts['error-applied']).toBe(0);
  standIn.setFaults(undefined);
  const calm = ada.command('go');
  await calm.reply();
  expect(calm.faults).toEqual([]);
});

test('an interaction is delivered again by chance, at once or when the bot is back', async () => {
  const { standIn, ada } = stage;
  standIn.setFaults({ seed: 1, shares: { redelivered: 1 } });
  await ada.command('go').reply();
  await until(() => handled.length === 2);
  standIn.setFaults({ seed: 1, shares: { 'redelivered-later': 1 } });
  const exchange = ada.command('go');
  await exchange.reply();
  standIn.askToReconnect();
  await until(() => handled.filter(({ id }) => id === exchange.id).length === 2);
  expect(standIn.faultCounts()).toMatchObject({ redelivered: 1, 'redelivered-later': 1 });
});

test('a bot whose gateway has gone dead notices by its heartbeats and gets what it missed', async () => {
  const dead = await openStage({ heartbeatMs: 200 });
  const bored = await startBot(dead.standIn, [{ name: 'go', description: 'Go' }], async (one) => {
    if (one.isChatInputCommand()) await one.reply('back');
  });
  try {
    dead.standIn.freezeGateway();
    const exchange = dead.ada.command('go');
    expect(exchange.deliveredAt).toBeUndefined();
    expect((await exchange.reply()).content).toBe('back');
    expect(exchange.deliveredAt).toBeGreaterThan(0);
  } finally {
    await bored.stop();
    await dead.standIn.close();
  }
});

test('the same interaction sent twice reaches the bot twice', async () => {
  const exchange = stage.ada.command('go');
  await exchange.reply();
  stage.standIn.redeliver(exchange);
  await until(() => handled.length === 2);
  expect(handled[1]?.id).toBe(handled[0]?.id);
  await until(() => bot.errors.length === 1);
  expect(bot.errors[0]).toMatchObject({ code: 40060 });
});

test('a bot whose gateway broke resumes and gets what it missed', async () => {
  const resumed = new Promise((resolve) => bot.client.once(Events.ShardResume, resolve));
  stage.standIn.dropGateway();
  const exchange = stage.ada.command('go');
  await resumed;
  expect((await exchange.reply()).content).toBe('answer 1');
  expect(handled).toHaveLength(1);
});

test('a bot that may not resume identifies anew', async () => {
  stage.standIn.dropGateway({ resumable: false });
  expect(stage.standIn.botConnected()).toBe(false);
  await stage.standIn.botReady();
  expect((await stage.ada.command('go').reply()).content).toBe('answer 1');
});

test('direct messages reach their member', async () => {
  const user = await bot.client.users.fetch(stage.ada.memberId);
  await user.send('only for you');
  expect(stage.standIn.directMessages(stage.ada.memberId)).toMatchObject([
    { content: 'only for you' },
  ]);
  expect(stage.standIn.directMessages(stage.ben.memberId)).toEqual([]);
});

test('a message of a channel is edited by its route after the interaction’s token has died', async () => {
  const exchange = stage.ada.command('go');
  const { id } = await exchange.reply();
  stage.standIn.expireToken(exchange);
  const channel = await bot.client.channels.fetch(stage.standIn.channelId);
  if (channel?.isTextBased() !== true) throw new Error('no text channel');
  await channel.messages.edit(id, { content: 'later' });
  expect(exchange.message()?.content).toBe('later');
});

async function closeCode(payload: object): Promise<number> {
  const socket = new WebSocket(
    `${stage.standIn.origin.replace('http', 'ws')}/gateway?v=10&encoding=json`,
  );
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', (code) => resolve(code));
    socket.once('message', () => socket.send(JSON.stringify(payload)));
  });
}

test('the gateway refuses a wrong token, privileged intents and who does not identify', async () => {
  const { token } = stage.standIn;
  const d = { token, intents: 1, properties: {} };
  expect(await closeCode({ op: 2, d: { ...d, token: 'wrong' } })).toBe(4004);
  expect(await closeCode({ op: 2, d: { ...d, intents: 2 } })).toBe(4014);
  expect(await closeCode({ op: 8, d: {} })).toBe(4003);
  expect(await closeCode({ op: 99, d: {} })).toBe(4001);
});

test('a client with a wrong token is told so', async () => {
  const client = new Client({
    intents: [GatewayIntentBits.Guilds],
    rest: { api: stage.standIn.url },
  });
  await expect(client.login('MTIz.wrong.token')).rejects.toMatchObject({ code: 'TokenInvalid' });
  await client.destroy();
});

// A bot without Discord whose eight members roll, gift and trade at once, until someone kills the process.
// Run as its own process by the crash tests: argv = data directory, the step to die at or `-`, how often to pass it first.
import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { App, Person } from '../../src/app/app.ts';
import { openApp } from '../../src/app/open-app.ts';
import { parseConfig } from '../../src/config.ts';
import { Closers, openCore } from '../../src/core.ts';
import { parseGuyacha } from '../../src/guyacha/load-guyacha.ts';
import { cryptoRandomness } from '../../src/guyacha/randomness.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { AppError } from '../../src/shared/errors.ts';
import type { IdempotencyKey, MemberId } from '../../src/shared/ids.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { CRASH_GUYACHA } from './crash-guyacha.ts';

const MEMBERS = 8;
const [dataDir = '', dieAtStep = '-', passes = '0'] = process.argv.slice(2);

const people: readonly Person[] = Array.from({ length: MEMBERS }, (_, n) => ({
  memberId: String(100 + n) as MemberId,
  name: `member ${n}`,
  pictureUrl: undefined,
  isBot: false,
}));

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const newKey = (): IdempotencyKey => `test:${randomUUID()}` as IdempotencyKey;
const pick = <T>(items: readonly T[]): T | undefined => items[randomInt(Math.max(1, items.length))];

async function main(): Promise<void> {
  const config = parseConfig({ DATA_DIR: dataDir, DAILY_GC: '100p', AUDIT_INTERVAL_MS: '3600000' });
  const closers = new Closers();
  const core = await openCore(config, closers, { logger: silentLogger, ambient: process.env });
  let passesLeft = Number(passes);
  const app = await openApp({
    ...core,
    ...config,
    guyacha: parseGuyacha(CRASH_GUYACHA, 'crash-guyacha.yaml'),
    randomness: cryptoRandomness,
    clock: systemClock,
    logger: silentLogger,
    atStep: (step) => {
      if (step !== dieAtStep) return;
      if (passesLeft === 0) process.kill(process.pid, 'SIGKILL');
      passesLeft -= 1;
    },
  });
  await waitUntilSettled(core.database);
  const report = await app.audit();
  const [, settled] = await core.database.read(async ({ settlements }) => [
    await settlements.listPrepared(),
    (await settlements.listAllHoldings()).length,
  ]);
  const { assets } = await core.node.status();
  say(`AUDIT ${JSON.stringify({ findings: report.findings, held: settled, onChain: assets })}`);
  await Promise.all(people.map((person) => live(app, person)));
}

async function waitUntilSettled(database: {
  read: Parameters<typeof openApp>[0]['database']['read'];
}): Promise<void> {
  for (;;) {
    const open = await database.read(({ settlements }) => settlements.listPrepared());
    if (open.length === 0) return;
    await delay(10);
  }
}

/** One member's endless life; a refusal is part of it, a fault ends the process. */
async function live(app: App, me: Person): Promise<never> {
  await tolerate(() => app.daily({ key: newKey(), member: me }));
  for (;;) {
    const act = pick([roll, roll, gift, trade, pay]) ?? roll;
    await tolerate(() => act(app, me));
    say('ACT');
  }
}

async function tolerate(act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    say(`REFUSED ${error.code}`);
    await delay(5);
  }
}

const other = (me: Person): Person =>
  pick(people.filter(({ memberId }) => memberId !== me.memberId)) ?? me;

async function roll(app: App, me: Person): Promise<void> {
  const count = 1 + randomInt(3);
  await app.roll({ key: newKey(), member: me, count, bannerId: undefined });
}

async function gift(app: App, me: Person): Promise<void> {
  const mine = pick(await app.findTradeable(me.memberId, ''));
  if (mine !== undefined) {
    await app.gift({ key: newKey(), from: me, to: other(me), assetId: mine.assetId });
  }
}

async function pay(app: App, me: Person): Promise<void> {
  await app.pay({ key: newKey(), from: me, to: other(me), amount: String(1 + randomInt(50)) });
}

/** Takes a whole trade through, or takes up and ends the one that a killed process left. */
async function trade(app: App, me: Person): Promise<void> {
  const partner = other(me);
  const started = await app
    .startTrade({ key: newKey(), from: me, to: partner })
    .catch(async (error: unknown) => {
      await app.cancelTrade({ member: me });
      throw error;
    });
  for (const person of [me, partner]) {
    const offered = pick(await app.findTradeable(person.memberId, ''));
    if (offered !== undefined) await app.addToTrade({ member: person, assetId: offered.assetId });
  }
  const offered = await app.setTradeCoins({ member: me, amount: String(1 + randomInt(20)) });
  const expected = { tradeId: started.trade.tradeId, version: offered.trade.version };
  for (const member of [me, partner]) await app.lockTrade({ member, expected });
  for (const member of [me, partner]) {
    await app.confirmTrade({ member, other: undefined, expected });
  }
}

await main();

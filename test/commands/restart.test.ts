// The whole program stopped and started again on the same data directory, while Discord goes on.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { buttonLabelled, openButtons, textOf, withStandIn } from '../support/discord-stand-in.ts';
import type { Stage } from '../support/discord-stand-in.ts';
import { HOUSE_GUYACHA, takeSnapshot } from '../support/real-house.ts';
import { tempDir } from '../support/temp-dir.ts';
import { parseConfig } from '../../src/config.ts';
import { startProgram } from '../../src/program.ts';
import type { Program } from '../../src/program.ts';
import type { WireMessage } from '../../src/playground/wire.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { trade } from './acts.ts';
import type { Driver } from './acts.ts';

interface ProgramStage extends Stage {
  readonly dataDir: string;
  /** Stops the program and starts it again. */
  readonly restart: (between?: () => Promise<void>) => Promise<void>;
  readonly program: () => Program;
}

async function withProgram(
  run: (stage: ProgramStage) => Promise<void>,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const folder = tempDir();
  const dataDir = join(folder, 'data');
  const guyachaFile = join(folder, 'guyacha.yaml');
  writeFileSync(guyachaFile, HOUSE_GUYACHA);
  await withStandIn(async (stage) => {
    const { standIn } = stage;
    const config = parseConfig({
      ...{ DISCORD_TOKEN: standIn.token, DISCORD_GUILD_ID: standIn.guildId },
      ...{ DISCORD_API_URL: standIn.url, DATA_DIR: dataDir, HTTP_PORT: '0' },
      ...{ GUYACHA_FILE: guyachaFile, DAILY_GC: '1000', MINT_COOLDOWN_MS: '0', ...env },
    });
    const lost = (reason: Error): void => {
      throw reason;
    };
    const start = async (): Promise<Program> => {
      const surroundings = { logger: silentLogger, ambient: process.env };
      const started = await startProgram({ config, onLost: lost, ...surroundings });
      await standIn.botReady({ command: 'trade' });
      return started;
    };
    let program = await start();
    const restart = async (between?: () => Promise<void>): Promise<void> => {
      await program.close();
      await between?.();
      program = await start();
    };
    try {
      await run({ ...stage, dataDir, restart, program: () => program });
      expect((await program.app.audit()).findings).toEqual([]);
      expect(standIn.violations()).toEqual([]);
    } finally {
      await program.close();
    }
  });
}

/** Ada offers an asset that she minted and Ben coins of his; the window before anyone locks. */
async function offerBoth({ ada, ben, standIn }: ProgramStage): Promise<WireMessage> {
  const asset = 'fresh-1';
  await ada
    .command('mint', { options: { asset } })
    .settledWhen((now) => textOf(now).includes('committed'));
  await ben.command('daily').reply();
  const window = await trade(ada, 'start', { user: ben.memberId });
  await trade(ada, 'add', { asset });
  await trade(ben, 'coins', { amount: '200' });
  return await shows(standIn, window, /200 gc.*|version 3/s);
}

/** A message once it shows these words. */
async function shows(
  standIn: Stage['standIn'],
  { id }: WireMessage,
  words: string | RegExp,
): Promise<WireMessage> {
  const pattern = typeof words === 'string' ? new RegExp(words) : words;
  const find = (): WireMessage => standIn.messages().find((message) => message.id === id)!;
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (pattern.test(textOf(find()))) return find();
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  throw new Error(`It never showed ${pattern.source}: ${textOf(find())}`);
}

const press = (who: Driver, window: WireMessage, label: string): Promise<WireMessage> =>
  who.click(window, buttonLabelled(window, label)).reply();

test('a trade goes on in its old window after every restart of the program', () =>
  withProgram(async (stage) => {
    const { ada, ben, standIn, restart, dataDir, program } = stage;
    let window = await offerBoth(stage);
    const before = takeSnapshot(dataDir);
    await restart();
    expect(takeSnapshot(dataDir)).toEqual(before);
    await press(ada, window, 'Lock');
    await restart();
    window = await shows(standIn, window, '🔒 locked');
    await press(ben, window, 'Lock');
    await restart();
    window = await shows(standIn, window, /🔒 locked.*🔒 locked/s);
    await press(ada, window, 'Confirm');
    await restart();
    window = await shows(standIn, window, '✅ confirmed');
    await press(ben, window, 'Confirm');
    window = await shows(standIn, window, 'Settled');
    expect(openButtons(window)).toEqual([]);
    expect(textOf(await ada.command('balance').reply())).toContain('200 gc');
    expect(textOf(await ben.command('inventory').reply())).toContain('fresh-1');
    const reply = await fetch(`${program().apiUrl}/api/query/spot/asset/fresh-1`);
    const { transaction } = (await reply.json()) as { transaction: { transaction_id: string } };
    expect(textOf(window)).toContain(transaction.transaction_id);
  }));

test('an offer is changed by command after a restart, and the old window follows', () =>
  withProgram(async (stage) => {
    const { ada, ben, standIn, restart } = stage;
    const window = await offerBoth(stage);
    await restart();
    await trade(ben, 'coins', { amount: '150' });
    await trade(ada, 'remove', { asset: 'fresh-1' });
    const now = await shows(standIn, window, /150 gc.*version 5/s);
    const click = ben.clickStale(window, buttonLabelled(window, 'Lock'));
    expect(textOf((await click.followUpsReach(1))[0]!)).toContain('Your click did nothing');
    expect(openButtons(now)).toEqual(['Lock', 'Add…', 'Coins…', 'Cancel']);
  }));

test('a trade that expires while the program is away frees its assets and says so when it is back', () =>
  withProgram(
    async (stage) => {
      const { ada, ben, standIn, restart } = stage;
      const window = await offerBoth(stage);
      await restart(() => new Promise((resolve) => setTimeout(resolve, 3_000)));
      const click = ben.clickStale(window, buttonLabelled(window, 'Lock'));
      expect(textOf((await click.followUpsReach(1))[0]!)).toContain('is over (expired)');
      const ended = await shows(standIn, window, '⌛ Expired');
      expect(openButtons(ended)).toEqual([]);
      const options = { user: ben.memberId, asset: 'fresh-1' };
      const gift = ada.command('gift', { options });
      await gift.settledWhen((now) => textOf(now).includes('committed'));
    },
    { TRADE_EXPIRY_MS: '3000' },
  ));

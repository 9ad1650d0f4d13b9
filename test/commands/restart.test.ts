// The whole program stopped and started again on the same data directory, while Discord goes on.
import { expect, test } from '@jest/globals';
import { buttonLabelled, openButtons, textOf } from '../support/discord-stand-in.ts';
import type { Stage } from '../support/discord-stand-in.ts';
import { withProgram, type ProgramStage } from '../support/program.ts';
import { takeSnapshot } from '../support/real-house.ts';
import type { WireMessage } from '../../src/playground/wire.ts';
import { trade } from './acts.ts';
import type { Driver } from './acts.ts';

/** Runs a test with the program, whose audit is clean at the end. */
const withSoundProgram: typeof withProgram = (run, env) =>
  withProgram(async (stage) => {
    await run(stage);
    expect((await stage.program().app.audit()).findings).toEqual([]);
  }, env);

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
  withSoundProgram(async (stage) => {
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
  withSoundProgram(async (stage) => {
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
  withSoundProgram(
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

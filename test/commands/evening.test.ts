// Every command driven to success on the real app, compared with what plain git and the rows say.
import { describe, expect, test } from '@jest/globals';
import { buttonLabelled, isEphemeral, openButtons, textOf } from '../support/discord-stand-in.ts';
import type { AssetId, MemberId } from '../../src/shared/ids.ts';
import type { Exchange } from '../../src/playground/api.ts';
import type { WireMessage } from '../../src/playground/wire.ts';
import { press, startTrade, trade, windowNow, windowShows } from './acts.ts';
import type { Driver } from './acts.ts';
import { withRealHouse } from './house.ts';
import type { RealStage } from './house.ts';

const committed = (exchange: Exchange): Promise<WireMessage> =>
  exchange.settledWhen((now) => /committed|settled/i.test(textOf(now)));

const balanceOf = ({ house }: RealStage, { memberId }: Driver): Promise<number> =>
  house.app.balance(memberId as MemberId);

/** The owner that plain git reads from the newest commit of an asset, and whether its transaction's tag is there. */
function ownerOnChain({ house }: RealStage, assetId: string): string {
  const branch = `refs/heads/nfgt-${assetId}`;
  const record = JSON.parse(house.git('show', `${branch}:metadata.json`)) as {
    owner_id: string;
    transaction_id: string;
  };
  const tag = house.git('rev-parse', `refs/tags/${record.transaction_id}`);
  expect(tag).toBe(house.git('rev-parse', branch));
  return record.owner_id;
}

/** The owner id that stands for a member on this chain. */
async function ownerIdOf(stage: RealStage, who: Driver): Promise<string> {
  const [probe = ''] = await stage.house.grantAssets(who.memberId, 1);
  return ownerOnChain(stage, probe);
}

/** The embedded beacon keeps every push as one pack. */
function countPushes({ house }: RealStage): number {
  return Number(/^packs: (\d+)$/m.exec(house.git('count-objects', '-v'))?.[1]);
}

describe('an evening on the real app', () => {
  test('takes coins, statements and payments through, and the books agree', () =>
    withRealHouse(async (stage) => {
      const { ada, ben } = stage;
      expect(textOf(await ada.command('daily').reply())).toContain('You received **600 gc (6s)**');
      expect(textOf(await ada.command('balance').reply())).toContain('**600 gc (6s)**');
      const options = { user: ben.memberId, amount: '1s 50c' };
      expect(textOf(await ada.command('pay', { options }).reply())).toContain(
        '**150 gc (1s 50c)**',
      );
      const all = { user: ada.memberId, amount: 'all' };
      expect(textOf(await ben.command('pay', { options: all }).reply())).toContain('150 gc');
      const statement = await ada.command('statement').reply();
      expect(textOf(statement)).toMatch(/\+150 gc.*→ 600 gc.*\n.*-150 gc.*→ 450 gc.*\n.*\+600 gc/s);
      expect(isEphemeral(statement)).toBe(true);
      expect([await balanceOf(stage, ada), await balanceOf(stage, ben)]).toEqual([600, 0]);
      expect(textOf(await ada.command('help').reply())).toMatch(/Spring.*Rare.*Single/s);
    }));

  test('mints, gives away and shows an NFGT as plain git has it', () =>
    withRealHouse(async (stage) => {
      const { ada, ben, house } = stage;
      const [bensId, adasId] = [await ownerIdOf(stage, ben), await ownerIdOf(stage, ada)];
      const choices = await ada
        .autocomplete('mint', { focused: 'asset', options: { asset: 'fresh' } })
        .choices();
      const asset = String(choices[0]!.value);
      await committed(ada.command('mint', { options: { asset } }));
      expect(ownerOnChain(stage, asset)).toBe(adasId);
      const offered = await ada
        .autocomplete('gift', { focused: 'asset', options: { asset: 'FRESH' } })
        .choices();
      expect(offered.map(({ value }) => value)).toEqual([asset]);
      await committed(ada.command('gift', { options: { user: ben.memberId, asset } }));
      expect(ownerOnChain(stage, asset)).toBe(bensId);
      const view = ada.command('nfgt', { subcommand: 'view', options: { asset } });
      const shown = textOf(await view.reply());
      expect(shown).toContain(`<@${ben.memberId}>`);
      expect(shown).toContain('2 transactions');
      expect(shown).toContain(house.git('rev-parse', `refs/heads/nfgt-${asset}`));
      const inventory = await ada.command('inventory', { options: { user: ben.memberId } }).reply();
      expect(textOf(inventory)).toContain(asset);
      expect(textOf(inventory)).toContain('holds **2** NFGT');
    }));

  test('trades assets and coins both ways in one push, with every verb of /trade', () =>
    withRealHouse(async (stage) => {
      const { ada, ben, house } = stage;
      const [bensId, adasId] = [await ownerIdOf(stage, ben), await ownerIdOf(stage, ada)];
      const [one = '', two = '', back = ''] = await house.grantAssets(ada.memberId, 3);
      const [three = ''] = await house.grantAssets(ben.memberId, 1);
      for (const who of [ada, ben]) await house.grantCoins(who.memberId, 1_000);
      await startTrade(stage);
      for (const asset of [one, two, back]) await trade(ada, 'add', { asset });
      await trade(ada, 'remove', { asset: back });
      await trade(ben, 'add', { asset: three });
      await trade(ada, 'coins', { amount: '70' });
      await trade(ada, 'coins', { amount: 'none' });
      await trade(ada, 'coins', { amount: '30' });
      await trade(ben, 'coins', { amount: '2s' });
      const window = await trade(ada, 'show');
      await windowShows(stage, window, '200 gc');
      const pushesBefore = countPushes(stage);
      for (const label of ['Lock', 'Confirm']) {
        for (const who of [ben, ada]) await press(who, windowNow(stage, window), label);
      }
      await windowShows(stage, window, 'Settled');
      expect(countPushes(stage)).toBe(pushesBefore + 1);
      expect([one, two].map((asset) => ownerOnChain(stage, asset))).toEqual([bensId, bensId]);
      expect([three, back].map((asset) => ownerOnChain(stage, asset))).toEqual([adasId, adasId]);
      expect([await balanceOf(stage, ada), await balanceOf(stage, ben)]).toEqual([1_170, 830]);
      const { tables } = house.snapshot();
      expect(tables['reservations']).toEqual([]);
    }));

  test('cancels a trade, and what was offered is free at once', () =>
    withRealHouse(async (stage) => {
      const { ada, ben, house } = stage;
      const [asset = ''] = await house.grantAssets(ada.memberId, 1);
      const window = await startTrade(stage);
      await trade(ada, 'add', { asset });
      await press(ben, await windowShows(stage, window, asset.slice(0, 20)), 'Cancel');
      await committed(ada.command('gift', { options: { user: ben.memberId, asset } }));
      expect(openButtons(windowNow(stage, window))).toEqual([]);
    }));
});

describe('a roll on the real app', () => {
  test('that wins an NFGT hands it over, and shows that it is pending while the chain is slow', () =>
    withRealHouse(async (stage) => {
      const { ada, house } = stage;
      await house.grantCoins(ada.memberId, 60);
      const before = ownerOnChain(stage, 'only-lamp');
      house.holdChain();
      const roll = ada.command('roll', { options: { count: 1, banner: 'rare' } });
      const pending = await roll.reply();
      expect(textOf(pending)).toContain('⏳ Pending');
      expect(textOf(pending)).toContain('only-lamp');
      expect(ownerOnChain(stage, 'only-lamp')).toBe(before);
      house.releaseChain();
      const end = await committed(roll);
      expect(textOf(end)).not.toContain('Pending');
      expect(roll.edits.map((edit) => /pending/i.test(textOf(edit)))).toEqual([true, false]);
      expect(ownerOnChain(stage, 'only-lamp')).not.toBe(before);
      expect(await balanceOf(stage, ada)).toBe(0);
    }));

  test('of a prize that the bot no longer owns rolls again, says so, and bills one roll only', () =>
    withRealHouse(async (stage) => {
      const { ada, ben, house } = stage;
      for (const who of [ada, ben]) await house.grantCoins(who.memberId, 100);
      const roll = (who: Driver): Exchange =>
        who.command('roll', { options: { count: 1, banner: 'rare' } });
      await committed(roll(ada));
      const text = textOf(await committed(roll(ben)));
      expect(text).toContain('rerolled, not billed: The lamp');
      expect(text).toContain('Paid **60 gc** · coins won **1 gc**');
      expect(await balanceOf(stage, ben)).toBe(41);
      const { holder } = await house.app.viewAsset('only-lamp');
      expect(holder).toBe(ada.memberId);
    }));

  test('by many at once for one prize gives it to one, and bills each their own roll', () =>
    withRealHouse(async (stage) => {
      const { ada, ben, house } = stage;
      for (const who of [ada, ben]) await house.grantCoins(who.memberId, 600);
      const rolls = [ada, ben, ada, ben, ada, ben].map((who) =>
        who.command('roll', { options: { count: 1, banner: 'rare' } }),
      );
      const texts = (await Promise.all(rolls.map(committed))).map(textOf);
      expect(texts.filter((text) => text.includes('only-lamp'))).toHaveLength(1);
      expect(texts.filter((text) => text.includes('not billed'))).toHaveLength(5);
      const wonGc = 5;
      const sum = (await balanceOf(stage, ada)) + (await balanceOf(stage, ben));
      expect(sum).toBe(1_200 - 6 * 60 + wonGc);
    }));

  test('that the chain refuses gives the coins back and says so', () =>
    withRealHouse(async (stage) => {
      const { ada, house } = stage;
      await house.grantCoins(ada.memberId, 60);
      house.holdChain();
      const roll = ada.command('roll', { options: { count: 1, banner: 'single' } });
      await roll.reply();
      // Another validator's commit reaches the same branch first.
      const tip = house.git('rev-parse', 'refs/heads/nfgt-last-lamp');
      const foreign = house.git('commit-tree', `${tip}^{tree}`, '-p', tip, '-m', 'foreign');
      house.git('update-ref', 'refs/heads/nfgt-last-lamp', foreign, tip);
      house.releaseChain();
      const end = await roll.settledWhen((now) => textOf(now).includes('❌'));
      expect(textOf(end)).toContain('Nothing moved');
      expect(await balanceOf(stage, ada)).toBe(60);
      house.git('update-ref', 'refs/heads/nfgt-last-lamp', tip, foreign);
    }));
});

describe('a trade whose time is up', () => {
  test('frees what was offered and says so in its window, without anyone acting', () =>
    withRealHouse(
      async (stage) => {
        const { ada, ben, house } = stage;
        const [asset = ''] = await house.grantAssets(ada.memberId, 1);
        const window = await startTrade(stage);
        await trade(ada, 'add', { asset });
        expect((await house.app.viewAsset(asset as AssetId)).status).toBe('reserved');
        const locked = await press(
          ada,
          await windowShows(stage, window, asset.slice(0, 20)),
          'Lock',
        );
        const old = buttonLabelled(locked, 'Lock');
        // Housekeeping comes every five seconds, and nobody acts until then.
        await new Promise((resolve) => setTimeout(resolve, 3_500));
        const expired = await windowShows(stage, window, '⌛ Expired');
        expect(textOf(expired)).toContain('Nothing moved; everything offered is free again');
        expect(openButtons(expired)).toEqual([]);
        expect((await house.app.viewAsset(asset)).status).toBe('held');
        const click = ben.clickStale(locked, old);
        expect(textOf((await click.followUpsReach(1))[0]!)).toContain('is over (expired)');
        await committed(ada.command('gift', { options: { user: ben.memberId, asset } }));
      },
      { env: { TRADE_EXPIRY_MS: '3000' } },
    ));
});

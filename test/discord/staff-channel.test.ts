// The staff's channel: each change is told once, nothing in it can ping, and a message that fails breaks nothing.
import { describe, expect, test } from '@jest/globals';
import type { Alarm, App } from '../../src/app/app.ts';
import type { StandIn } from '../../src/playground/api.ts';
import { MemoryRemote } from '../support/beacon-memory.ts';
import { FakeApp } from '../support/fake-app.ts';
import { openTestApp } from '../support/open-test-app.ts';
import { until } from '../support/until.ts';
import { withBotOn, type BotStage } from './bot.ts';

const STAFF = '1300000000000000009';
const SEND = `POST /api/v10/channels/${STAFF}/messages`;

const freeze = (subject: string, ...details: string[]): Alarm => ({
  ...{ kind: 'freeze', subject, id: `${subject} custody`, details, total: details.length },
});
const coins = freeze('Moving coins', 'the balances sum to 7 gc instead of zero');

const told = (standIn: StandIn): string[] => standIn.messages(STAFF).map(({ content }) => content);

/** Waits for this many messages; more of them show in what is expected of the last. */
async function waitFor(standIn: StandIn, count: number): Promise<string[]> {
  await until(() => Promise.resolve(told(standIn).length >= count));
  return told(standIn);
}

function withStaff(run: (stage: BotStage<FakeApp>) => Promise<void>, app = new FakeApp()) {
  return withStaffOn(app, run);
}

function withStaffOn<Kind extends App>(app: Kind, run: (stage: BotStage<Kind>) => Promise<void>) {
  const channels = [{ name: 'general' }, { id: STAFF, name: 'staff' }];
  return withBotOn(
    app,
    async (stage) => {
      await run(stage);
      expect(stage.standIn.violations()).toEqual([]);
    },
    { guild: { channels }, staffChannelId: STAFF },
  );
}

describe('the staff channel', () => {
  test('is told what froze and what thawed: each change once, and not each audit', () =>
    withStaff(async ({ standIn, app }) => {
      for (let audits = 0; audits < 3; audits += 1) app.look([coins]);
      await waitFor(standIn, 1);
      app.look([coins, freeze('pen-0', 'pen-0 is off')]);
      await waitFor(standIn, 2);
      app.look([]);
      app.look([]);
      const [first, second, third, ...rest] = await waitFor(standIn, 3);
      expect(first).toContain('**Moving coins** is frozen');
      expect(first).toContain('the balances sum to 7 gc instead of zero');
      expect(second).toContain('**pen-0** is frozen');
      expect(second).not.toContain('Moving coins');
      expect(third).toContain('**Moving coins** is no longer frozen');
      expect(third).toContain('**pen-0** is no longer frozen');
      expect(rest).toEqual([]);
    }));

  test('is told what froze before the bot was on Discord', () => {
    const app = new FakeApp();
    app.look([coins]);
    return withStaff(async ({ standIn }) => {
      expect((await waitFor(standIn, 1))[0]).toContain('**Moving coins** is frozen');
    }, app);
  });

  test('is told of a rewritten chain, of more of it, and when it goes on', () =>
    withStaff(async ({ standIn, app }) => {
      const chain = { kind: 'rewriting', subject: 'The chain', details: ['tag a'] } as const;
      app.look([{ ...chain, id: 'rewriting 1', total: 1 }]);
      await waitFor(standIn, 1);
      app.look([{ ...chain, id: 'rewriting 2', total: 9 }]);
      await waitFor(standIn, 2);
      app.look([]);
      const [first, second, third] = await waitFor(standIn, 3);
      expect(first).toContain('docs/recipes/chain-rewritten.md');
      expect(second).toContain('and 8 more');
      expect(third).toContain('goes on from what the bot knows again');
    }));

  test('hears of the real app what its node and its audits find', async () => {
    const remote = new MemoryRemote();
    const house = await openTestApp(remote);
    const branch = [...remote.branches].find(([name]) => name.startsWith('nfgt-lamp-'));
    if (branch === undefined) throw new Error('no lamp is on the chain');
    await withStaffOn(house.app, async ({ standIn }) => {
      remote.branches.delete(branch[0]);
      await house.node.sync();
      await house.app.audit();
      await waitFor(standIn, 1);
      remote.branches.set(...branch);
      await house.node.sync();
      const [first, second, ...rest] = await waitFor(standIn, 2);
      expect(first).toContain(`branch ${branch[0]}`);
      expect(second).toContain('tokens move');
      expect(rest).toEqual([]);
    }).finally(() => house.close());
  });

  test('shows names from the chain as they are, and pings nobody', () =>
    withStaff(async ({ standIn, app }) => {
      const nasty = '@everyone <@&1> **x** [a](https://evil.example)';
      app.look([freeze(nasty, `${nasty}\n# big`)]);
      const [text] = await waitFor(standIn, 1);
      const [message] = standIn.messages(STAFF);
      expect(message).toMatchObject({ mention_everyone: false, mentions: [], mention_roles: [] });
      expect(text).not.toMatch(/@everyone|<@&|https:\/\/|\n# big/);
      expect(text).toContain('\\*\\*x\\*\\*');
    }));

  test('is told as much as one message holds', () =>
    withStaff(async ({ standIn, app }) => {
      app.look(Array.from({ length: 200 }, (_, n) => freeze(`pen-${n}`, 'x'.repeat(500))));
      const [text = ''] = await waitFor(standIn, 1);
      expect(text.length).toBeLessThanOrEqual(2_000);
      expect(text).toMatch(/…and \d+ more$/);
    }));

  test('that cannot be written to breaks nothing; it is logged and tried again at the next audit', () =>
    withStaff(async ({ standIn, app, ada, log }) => {
      const pen = freeze('pen-0', 'pen-0 is off');
      app.look([pen]);
      await waitFor(standIn, 1);
      standIn.failNext({ route: SEND, status: 403 });
      app.look([pen, coins]);
      await until(() => Promise.resolve(log.some(({ level }) => level === 'error')));
      expect(told(standIn)).toHaveLength(1);
      await ada.command('daily').reply();
      app.look([pen, coins]);
      expect((await waitFor(standIn, 2))[1]).toContain('**Moving coins** is frozen');
      app.look([pen, coins]);
      app.look([]);
      expect(await waitFor(standIn, 3)).toHaveLength(3);
    }));

  test('that is not there is said in the log when the bot starts', () =>
    withBotOn(
      new FakeApp(),
      async ({ log, ada }) => {
        await until(() => Promise.resolve(log.some(({ level }) => level === 'error')));
        expect(log.find(({ level }) => level === 'error')?.facts).toMatchObject({
          channelId: STAFF,
        });
        await ada.command('daily').reply();
      },
      { staffChannelId: STAFF },
    ));
});

// The windows of trades: the newest state stays on top, in whatever order writers come.
import { describe, expect, test } from '@jest/globals';
import { silentLogger } from '../../src/shared/logger.ts';
import type { MemberId } from '../../src/shared/ids.ts';
import type { Person, TradeView } from '../../src/app/app.ts';
import { TradeWindows } from '../../src/discord/trade-windows.ts';
import { FakeApp } from '../support/fake-app.ts';

const person = (id: string): Person => ({
  memberId: id as MemberId,
  name: id,
  pictureUrl: undefined,
  isBot: false,
});
const ada = person('1');
const ben = person('2');

interface Desk {
  readonly app: FakeApp;
  readonly windows: TradeWindows;
  /** What was sent to the channel, oldest first. */
  readonly edits: string[];
  readonly trade: TradeView;
  /** Lets the next edits of the channel wait. */
  readonly hold: () => () => void;
  failEdits: boolean;
}

async function openDesk(): Promise<Desk> {
  const app = new FakeApp();
  const edits: string[] = [];
  let gate = Promise.resolve();
  const desk = { failEdits: false };
  const rest = {
    patch: async (_route: unknown, options?: { body?: unknown }): Promise<unknown> => {
      await gate;
      if (desk.failEdits) throw new Error('Missing Access');
      edits.push(JSON.stringify(options?.body));
      return undefined;
    },
  };
  const windows = new TradeWindows({ app, rest, logger: silentLogger });
  const key = 'interaction:1' as Parameters<FakeApp['startTrade']>[0]['key'];
  const trade = await app.startTrade({ key, from: ada, to: ben });
  await windows.open(trade, () => Promise.resolve({ channelId: '10', messageId: '11' }));
  app.credit(ada.memberId, 1_000, 'daily');
  const hold = (): (() => void) => {
    let release = (): void => undefined;
    gate = new Promise((resolve) => {
      release = resolve;
    });
    return release;
  };
  return Object.assign(desk, { app, windows, edits, trade, hold });
}

const settle = (ms = 400): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a trade window', () => {
  test('is edited once for many changes, and shows the last', async () => {
    const { app, windows, edits } = await openDesk();
    for (const amount of ['1', '2', '3', '4', '555'])
      await app.setTradeCoins({ member: ada, amount });
    await settle();
    expect(edits).toHaveLength(1);
    expect(edits[0]).toContain('555 gc');
    await windows.close();
  });

  test('is not edited for a change that the interaction has shown', async () => {
    const { app, windows, edits } = await openDesk();
    const view = await app.setTradeCoins({ member: ada, amount: '7' });
    await windows.present(view, () => Promise.resolve());
    await settle();
    expect(edits).toEqual([]);
    await windows.close();
  });

  test('gets the newest state from a writer that comes with an old one', async () => {
    const { app, windows } = await openDesk();
    const old = await app.setTradeCoins({ member: ada, amount: '7' });
    const fresh = await app.setTradeCoins({ member: ada, amount: '9' });
    const shown: string[] = [];
    const send = (message: object): Promise<void> => {
      shown.push(JSON.stringify(message));
      return Promise.resolve();
    };
    await Promise.all([windows.present(fresh, send), windows.present(old, send)]);
    expect(shown.map((text) => text.includes('**9 gc**'))).toEqual([true, true]);
    await windows.close();
  });

  test('is edited again when a change came while an edit was under way', async () => {
    const { app, windows, edits, hold } = await openDesk();
    const release = hold();
    const first = windows.refresh(await app.setTradeCoins({ member: ada, amount: '7' }));
    const second = windows.refresh(await app.setTradeCoins({ member: ada, amount: '9' }));
    release();
    expect(await Promise.all([first, second])).toEqual([true, true]);
    expect(edits.at(-1)).toContain('**9 gc**');
    await windows.close();
  });

  test('follows a trade that expires by itself', async () => {
    const { app, windows, edits, trade } = await openDesk();
    app.expire(trade.trade.tradeId);
    await settle();
    expect(edits.at(-1)).toContain('Expired');
    await windows.close();
  });

  test('that cannot be edited is reported, and tried again at the next change', async () => {
    const desk = await openDesk();
    const { app, windows, edits } = desk;
    desk.failEdits = true;
    expect(await windows.refresh(await app.setTradeCoins({ member: ada, amount: '7' }))).toBe(
      false,
    );
    desk.failEdits = false;
    expect(await windows.refresh(await app.setTradeCoins({ member: ada, amount: '8' }))).toBe(true);
    expect(edits).toHaveLength(1);
    await windows.close();
  });

  test('whose sender failed is still open to the next writer', async () => {
    const { windows, trade } = await openDesk();
    const broken = windows.present(trade, () => Promise.reject(new Error('boom')));
    await expect(broken).rejects.toThrow('boom');
    await expect(windows.present(trade, () => Promise.resolve('shown'))).resolves.toBe('shown');
    await windows.close();
  });
});

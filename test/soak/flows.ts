// What members do, from the first interaction to the last: the mix of an event's evening.
import type { WireMessage } from '../../src/playground/wire.ts';
import type { Exchange } from '../../src/playground/api.ts';
import { buttonLabelled, openButtons, textOf } from '../support/discord-stand-in.ts';
import type { Crowd, Hand } from './hand.ts';

type Flow = (hand: Hand, crowd: Crowd) => Promise<void>;

/** How often each flow begins. A trade has about ten interactions, the others one to four. */
export const FLOW_WEIGHTS = {
  roll: 560,
  inventory: 90,
  statement: 40,
  balance: 40,
  pay: 60,
  gift: 35,
  mint: 30,
  daily: 10,
  trade: 25,
  look: 20,
  help: 10,
} as const;

/** How often a member turns a page, and how often two members of a trade press at once. */
const TURN_SHARE = 0.6;
const CANCEL_SHARE = 0.15;
const LEAVE_SHARE = 0.1;

export const FLOWS: Readonly<Record<keyof typeof FLOW_WEIGHTS, Flow>> = {
  roll: async (hand, { chance }) => {
    const count = chance.isIn(0.1) ? 10 : 1;
    await hand.command('roll', { options: { count } }, 'roll');
  },
  inventory: async (hand, crowd) => {
    await turnPages(hand, crowd, await hand.command('inventory'));
  },
  statement: async (hand, crowd) => {
    await turnPages(hand, crowd, await hand.command('statement'));
  },
  balance: async (hand) => {
    await hand.command('balance');
  },
  pay: async (hand, { chance, other }) => {
    const amount = String(1 + chance.below(200));
    await hand.command('pay', { options: { user: other(hand.memberId).memberId, amount } }, 'pay');
  },
  gift: async (hand, { chance, other }) => {
    const input = { options: { user: other(hand.memberId).memberId, asset: '' }, focused: 'asset' };
    const choices = await hand.autocomplete('gift', input);
    if (choices.length === 0) return;
    const asset = chance.pick(choices);
    await hand.command('gift', { options: { ...input.options, asset } }, 'gift');
  },
  mint: async (hand, { chance }) => {
    const text = String(chance.below(1_000));
    const input = { options: { asset: text }, focused: 'asset' };
    const choices = await hand.autocomplete('mint', input);
    const asset = choices.length === 0 ? `fresh-0-${text}` : chance.pick(choices);
    await hand.command('mint', { options: { asset } }, 'mint');
  },
  daily: async (hand) => {
    await hand.command('daily', {}, 'daily');
  },
  look: async (hand, { chance }) => {
    const input = { subcommand: 'view', options: { asset: 'lamp' }, focused: 'asset' };
    const choices = await hand.autocomplete('nfgt', input);
    if (choices.length === 0) return;
    await hand.command('nfgt', { subcommand: 'view', options: { asset: chance.pick(choices) } });
  },
  help: async (hand) => {
    await hand.command('help');
  },
  trade,
};

async function turnPages(hand: Hand, crowd: Crowd, opened: Exchange): Promise<void> {
  let message = await crowd.shown(opened);
  while (
    message !== undefined &&
    openButtons(message).includes('›') &&
    crowd.chance.isIn(TURN_SHARE)
  ) {
    message = await crowd.shown(await hand.click(message, buttonLabelled(message, '›')));
  }
}

async function trade(ann: Hand, crowd: Crowd): Promise<void> {
  const ben = crowd.other(ann.memberId);
  const { trades, chance } = crowd;
  if (trades.isBusy(ann.memberId) || trades.isBusy(ben.memberId)) {
    // They may well be in one; the bot has the word for it.
    await ann.command('trade', { subcommand: 'start', options: { user: ben.memberId } });
    return;
  }
  await trades.between([ann.memberId, ben.memberId], async () => {
    const start = { subcommand: 'start', options: { user: ben.memberId } };
    const opened = await ann.command('trade', start);
    const window = await crowd.shown(opened);
    const tradeId = /Trade `(\w+)`/.exec(window === undefined ? '' : textOf(window))?.[1];
    if (tradeId === undefined) return;
    const known = trades.open(tradeId, [ann.memberId, ben.memberId]);
    const asset = await offerAsset(ann, crowd);
    const coins = await offerCoins(ben, crowd, opened);
    known.assets.set(ann.memberId, asset === undefined || asset === 'none' ? [] : [asset]);
    known.coins.set(ben.memberId, coins ?? 0);
    // Only what the window shows is agreed to; whoever misses something cancels, as people do.
    const shows = (message: WireMessage): boolean =>
      (asset === 'none' || textOf(message).includes(`\`${String(asset)}\``)) &&
      textOf(message).includes(`🪙 **${String(coins)} gc`);
    const isKnown = asset !== undefined && coins !== undefined;
    const isAsMeant = isKnown && (await comesToShow(opened, shows));
    if (chance.isIn(LEAVE_SHARE)) return;
    if (!isAsMeant || chance.isIn(CANCEL_SHARE)) {
      await press(ann, opened, 'Cancel');
      return;
    }
    for (const label of ['Lock', 'Confirm'] as const) {
      // Both at once, or one after the other.
      const pressed = [press(ann, opened, label), press(ben, opened, label)];
      for (const one of await Promise.all(pressed)) if (one !== undefined) await crowd.shown(one);
      const [locks, next] = label === 'Lock' ? [2, 'Confirm'] : [0, ''];
      if (locks > 0) await comesToShow(opened, (message) => openButtons(message).includes(next));
    }
  });
}

/** The asset, `none` when there is none to offer, undefined when the answer does not say that it was added. */
async function offerAsset(hand: Hand, crowd: Crowd): Promise<string | undefined> {
  const input = { subcommand: 'add', options: { asset: '' }, focused: 'asset' };
  const choices = await hand.autocomplete('trade', input);
  if (choices.length === 0) return 'none';
  const asset = crowd.chance.pick(choices);
  const exchange = await hand.command('trade', { subcommand: 'add', options: { asset } });
  const message = await crowd.shown(exchange);
  return message !== undefined && textOf(message).startsWith('Added') ? asset : undefined;
}

/** By the command, or by the window's button and its form. */
async function offerCoins(hand: Hand, crowd: Crowd, opened: Exchange): Promise<number | undefined> {
  const coins = 1 + crowd.chance.below(99);
  if (crowd.chance.isIn(0.5)) {
    const options = { amount: String(coins) };
    const exchange = await hand.command('trade', { subcommand: 'coins', options });
    const message = await crowd.shown(exchange);
    return message !== undefined && textOf(message).startsWith('Set your coins')
      ? coins
      : undefined;
  }
  const pressed = await press(hand, opened, 'Coins…');
  const modal = await pressed?.modal().catch(() => undefined);
  if (modal === undefined) return undefined;
  await crowd.shown(await hand.submit(modal, { amount: String(coins) }));
  return coins;
}

/** Presses what the window shows now; undefined when it is not there. */
async function press(hand: Hand, opened: Exchange, label: string): Promise<Exchange | undefined> {
  const window = opened.message();
  if (window === undefined || !openButtons(window).includes(label)) return undefined;
  return await hand.click(window, buttonLabelled(window, label));
}

async function comesToShow(
  exchange: Exchange,
  look: (message: WireMessage) => boolean,
): Promise<boolean> {
  return await exchange.settledWhen(look).then(
    () => true,
    () => false,
  );
}

// What the buttons, the select and the form of a trade's window do. Each acts for the version that its message showed.
import {
  ActionRowBuilder,
  LabelBuilder,
  ModalBuilder,
  StringSelectMenuBuilder,
  TextInputBuilder,
  TextInputStyle,
} from 'discord.js';
import { AppError } from '../shared/errors.ts';
import type { ErrorCode } from '../shared/errors.ts';
import type { TradeExpectation, TradeView } from '../app/app.ts';
import { answerWhenSettled } from './answer-when-settled.ts';
import { assetChoices, resolveAssetId } from './asset-option.ts';
import type { Call, ComponentCall, ComponentHandler, Services } from './command.ts';
import { encodeCustomId } from './custom-id.ts';
import { TOO_LATE_FOR_A_FORM } from './rendering/error-words.ts';
import { code } from './rendering/text.ts';
import { TRADE_KIND } from './rendering/trade-message.ts';
import type { View } from './view.ts';

const AMOUNT_FIELD = 'amount';

/** Refusals that say: what the member looked at is not how things stand. */
const STALE = new Set<ErrorCode>([
  'TRADE_CHANGED',
  'TRADE_CLOSED',
  'TRADE_LOCKED',
  'TRADE_NOT_LOCKED',
  'TRADE_UNFUNDED',
]);

/** Handles every component of a trade. After a refusal for a stale view, the fresh one is shown with the word for it. */
export const pressTrade: ComponentHandler = async (call, services) => {
  try {
    await act(call, services);
  } catch (error) {
    if (error instanceof AppError && STALE.has(error.code)) await showFresh(call, services);
    throw error;
  }
};

/**
 * Shows a change of an offer that a command made: the public window through its channel, or a new window when that one is
 * gone.
 */
export async function showTradeChange(
  call: Call,
  services: Services,
  view: TradeView,
): Promise<void> {
  if (await services.windows.refresh(view)) return;
  await services.windows.open(view, (message) => call.respond.post(message));
}

/** Shows the trade as this command's public answer, which is its window from now on. */
export async function openTradeWindow(
  call: Call,
  services: Services,
  view: TradeView,
): Promise<void> {
  await services.windows.open(view, (message) => call.respond.show(message, { locate: true }));
}

async function act(call: ComponentCall, services: Services): Promise<void> {
  const { app, people } = services;
  const { member } = call;
  const expected = expectationOf(call);
  switch (call.id.action) {
    case 'lock':
      return update(call, services, await app.lockTrade({ member, expected }));
    case 'confirm': {
      const { trade } = await app.getTrade(expected.tradeId);
      const other = trade.sides.find((side) => side.memberId !== member.memberId);
      const view = await app.confirmTrade({
        member,
        other: other && people.find(other.memberId),
        expected,
      });
      return settle(call, services, view);
    }
    case 'cancel':
      return update(call, services, await app.cancelTrade({ member, expected }));
    case 'coins':
      return openCoinsForm(call, await editableTrade(call, services));
    case 'coins-form': {
      const amount = call.field(AMOUNT_FIELD);
      return update(call, services, await app.setTradeCoins({ member, amount, expected }));
    }
    case 'add':
      return offerAssets(call, services, await editableTrade(call, services));
    case 'add-pick':
      return addPicked(call, services, expected);
    default:
      throw new AppError('VIEW_EXPIRED');
  }
}

async function update(call: Call, { windows }: Services, view: TradeView): Promise<void> {
  await windows.present(view, (message) => call.respond.show(message));
}

async function settle(call: Call, services: Services, view: TradeView): Promise<void> {
  if (view.settlement === undefined) return update(call, services, view);
  await answerWhenSettled(call, services.app, view.settlement, async () => {
    // The trade's own state is read again: it ends in the same step as the settlement.
    await update(call, services, await services.app.getTrade(view.trade.tradeId));
  });
}

/** Opening a form changes nothing yet, so the app is not asked to refuse; the same refusals are given here, early. */
async function editableTrade(call: ComponentCall, { app }: Services): Promise<TradeView['trade']> {
  const { trade } = await app.getTrade(expectationOf(call).tradeId);
  const { tradeId } = trade;
  const mine = trade.sides.find((side) => side.memberId === call.member.memberId);
  if (mine === undefined) throw new AppError('TRADE_NOT_YOURS');
  if (trade.state !== 'open') throw new AppError('TRADE_CLOSED', { tradeId, state: trade.state });
  if (trade.version !== call.id.version) throw new AppError('TRADE_CHANGED', { tradeId });
  if (mine.locked) throw new AppError('TRADE_LOCKED', { tradeId });
  return trade;
}

async function openCoinsForm(call: ComponentCall, trade: TradeView['trade']): Promise<void> {
  const input = new TextInputBuilder()
    .setCustomId(AMOUNT_FIELD)
    .setStyle(TextInputStyle.Short)
    .setMaxLength(40)
    .setRequired(true)
    .setPlaceholder('1200, 1.2k, 1p 2g, all, none');
  const form = new ModalBuilder()
    .setCustomId(customIdOf(trade, 'coins-form'))
    .setTitle(`Coins in trade ${trade.tradeId}`)
    .addLabelComponents(new LabelBuilder().setLabel('Amount').setTextInputComponent(input));
  if (!(await call.respond.modal(form.toJSON()))) await call.respond.whisper(TOO_LATE_FOR_A_FORM);
}

async function offerAssets(
  call: ComponentCall,
  services: Services,
  trade: TradeView['trade'],
): Promise<void> {
  await call.respond.whisper(await picker(call, services, trade));
}

/** The select stays where it is, so that several assets can be added one after the other. */
async function addPicked(
  call: ComponentCall,
  services: Services,
  expected: TradeExpectation,
): Promise<void> {
  const { app, windows } = services;
  const { member } = call;
  const [value = ''] = call.values;
  const assetId = await resolveAssetId(value, (text) => app.findTradeable(member.memberId, text));
  const view = await app.addToTrade({ member, assetId, expected });
  await call.respond.show(await picker(call, services, view.trade, assetId));
  if (!(await windows.refresh(view))) {
    await call.respond.whisper({
      content: 'The public window could not be updated. Use `/trade show` for a new one.',
    });
  }
}

/** The member's free assets to pick from; Discord refuses a select without options, so then it is words only. */
async function picker(
  call: ComponentCall,
  { app }: Services,
  trade: TradeView['trade'],
  added?: string,
): Promise<View> {
  const choices = assetChoices(await app.findTradeable(call.member.memberId, ''));
  const done = added === undefined ? '' : `Added ${code(added)}. `;
  if (choices.length === 0) {
    return { content: `${done}You have nothing more that is free to trade.` };
  }
  const select = new StringSelectMenuBuilder()
    .setCustomId(customIdOf(trade, 'add-pick'))
    .setPlaceholder('Pick an asset')
    .addOptions(choices.map(({ name, value }) => ({ label: name, value })));
  return {
    content: `${done}Pick an asset to add to trade ${code(trade.tradeId)}. If yours is not in this list, use \`/trade add\`.`,
    rows: [new ActionRowBuilder<StringSelectMenuBuilder>().addComponents(select)],
  };
}

/** Puts the present state where the stale one stood: into the window, or into the member's own select. */
async function showFresh(call: ComponentCall, services: Services): Promise<void> {
  const view = await services.app.getTrade(expectationOf(call).tradeId);
  const isMine = view.trade.sides.some((side) => side.memberId === call.member.memberId);
  if (!isMine) return;
  if (call.id.action !== 'add-pick') return update(call, services, view);
  await call.respond.show(
    view.trade.state === 'open'
      ? await picker(call, services, view.trade)
      : { content: 'This trade is over.' },
  );
}

function expectationOf({ id }: ComponentCall): TradeExpectation {
  // SAFETY: a brand only; an id that names no trade is refused by the app.
  return { tradeId: id.id as TradeExpectation['tradeId'], version: id.version };
}

function customIdOf(trade: TradeView['trade'], action: string): string {
  return encodeCustomId({ kind: TRADE_KIND, id: trade.tradeId, version: trade.version, action });
}

// A trade's public window: both offers, how far each member has agreed, and what can be pressed.
import { ActionRowBuilder, ButtonBuilder, ButtonStyle, EmbedBuilder } from 'discord.js';
import { formatGuyaCoin } from '../../shared/guya-coin.ts';
import type { TradeView } from '../../app/app.ts';
import { encodeCustomId } from '../custom-id.ts';
import type { Row, View } from '../view.ts';
import { starsOf, STATE_COLOUR } from './palette.ts';
import { settlementFooter, settlementNote } from './settlement-words.ts';
import { code, escapeName, joinWithin, mention, moment } from './text.ts';

type Trade = TradeView['trade'];
type Side = Trade['sides'][number];

/** The kind in the custom ids of everything that belongs to a trade. */
export const TRADE_KIND = 'trade';
/** All embeds of a message share 6,000 characters, so each side has less than half. */
const SIDE_MAX = 2_700;
/** Twenty-five assets with names of this length, escaped, and their transactions fit a side. */
const ASSET_NAME_MAX = 36;

/** The window as it stands now. */
export function tradeMessage(view: TradeView): View {
  const { trade } = view;
  return {
    content: [headline(trade), stateLine(view)].join('\n'),
    embeds: trade.sides.map((side) => sideEmbed(view, side)),
    rows: trade.state === 'open' ? [buttons(trade)] : [],
  };
}

function headline({ tradeId, sides }: Trade): string {
  const [proposer, counterparty] = sides;
  return `**Trade ${code(tradeId)}** · ${mention(proposer.memberId)} ↔ ${mention(counterparty.memberId)}`;
}

function stateLine({ trade, settlement }: TradeView): string {
  switch (trade.state) {
    case 'open':
      return `Ends ${moment(trade.expiresAt)}. Each adds, then locks; when both are locked, both confirm. Any change clears both locks.`;
    case 'settling':
      return '⏳ Pending: both confirmed. Assets and coins are reserved until the chain has the trade; this message will follow.';
    case 'settled':
      return '✅ Settled: everything has changed hands.';
    case 'cancelled':
      return '❌ Cancelled. Nothing moved; everything offered is free again.';
    case 'expired':
      return `⌛ Expired ${moment(trade.expiresAt)}. Nothing moved; everything offered is free again.`;
    case 'failed':
      return (
        (settlement && settlementNote(settlement)) ??
        '❌ The trade failed. Nothing moved; everything offered is free again.'
      );
  }
}

function sideEmbed(view: TradeView, side: Side): EmbedBuilder {
  const lines = side.assets.map((assetId) => assetLine(view, assetId));
  const coins = side.coinsGc > 0 ? [`🪙 **${formatGuyaCoin(side.coinsGc)}**`] : [];
  const offer = [...coins, ...lines];
  const head = `${mention(side.memberId)} ${sideWords(view.trade, side)}`;
  const body = joinWithin(offer.length === 0 ? ['*nothing yet*'] : offer, SIDE_MAX - head.length);
  const embed = new EmbedBuilder()
    .setColor(sideColour(view.trade, side))
    .setDescription(`${head}\n${body}`);
  const isLast = side === view.trade.sides[1];
  return isLast ? embed.setFooter({ text: footer(view) }) : embed;
}

function assetLine(
  { trade, assets, settlement }: TradeView,
  assetId: Side['assets'][number],
): string {
  const facts = assets.get(assetId);
  const name = escapeName(facts?.name ?? assetId, ASSET_NAME_MAX);
  const handOver = settlement?.handOvers.find((each) => each.assetId === assetId);
  const detail =
    trade.state === 'settled' && handOver !== undefined
      ? `tx ${code(handOver.transactionId)}`
      : code(assetId, 24);
  return ['-', `**${name}**`, starsOf(facts?.stars ?? 0), detail]
    .filter((part) => part !== '')
    .join(' ');
}

function sideWords(trade: Trade, side: Side): string {
  if (trade.state === 'settled') return 'gave';
  if (trade.state === 'settling') return 'gives';
  if (trade.state !== 'open') return 'offered';
  if (side.confirmed) return 'offers · ✅ confirmed';
  return side.locked ? 'offers · 🔒 locked' : 'offers · ✏️ editing';
}

function sideColour(trade: Trade, side: Side): number {
  if (trade.state === 'settled') return STATE_COLOUR.settled;
  if (trade.state === 'settling') return STATE_COLOUR.bothLocked;
  if (trade.state !== 'open') return STATE_COLOUR.cancelled;
  if (trade.sides.every((each) => each.locked)) return STATE_COLOUR.bothLocked;
  return side.locked ? STATE_COLOUR.locked : STATE_COLOUR.editing;
}

function footer({ trade, settlement }: TradeView): string {
  if (settlement !== undefined) return `${trade.tradeId} · ${settlementFooter(settlement)}`;
  return `${trade.tradeId} · version ${String(trade.version)} · nothing moves before both confirm`;
}

/** Cancel stands last and away from Confirm, where no finger lands by mistake. */
function buttons(trade: Trade): Row {
  const areBothLocked = trade.sides.every((side) => side.locked);
  const button = (action: string, label: string, style: ButtonStyle): ButtonBuilder =>
    new ButtonBuilder()
      .setCustomId(
        encodeCustomId({ kind: TRADE_KIND, id: trade.tradeId, version: trade.version, action }),
      )
      .setLabel(label)
      .setStyle(style);
  return new ActionRowBuilder<ButtonBuilder>().addComponents(
    button('lock', 'Lock', ButtonStyle.Primary).setDisabled(areBothLocked),
    button('confirm', 'Confirm', ButtonStyle.Success).setDisabled(!areBothLocked),
    button('add', 'Add…', ButtonStyle.Secondary).setDisabled(areBothLocked),
    button('coins', 'Coins…', ButtonStyle.Secondary).setDisabled(areBothLocked),
    button('cancel', 'Cancel', ButtonStyle.Danger),
  );
}

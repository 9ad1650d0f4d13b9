// A roll's summary card: every draw, what was rerolled for free, what it cost and gave.
import { EmbedBuilder } from 'discord.js';
import { formatGuyaCoin } from '../../shared/guya-coin.ts';
import type { DrawnPrize, RollAnswer, RolledDraw } from '../../app/app.ts';
import type { View } from '../view.ts';
import { rarityColour, starsOf, STATE_COLOUR } from './palette.ts';
import { settlementFooter, settlementNote } from './settlement-words.ts';
import { clip, code, escapeName, joinWithin, LIMITS } from './text.ts';

type Nfgt = Extract<DrawnPrize, { kind: 'nfgt' }>;

/** The most names of one draw's rerolls that are listed. */
const REROLLS_SHOWN = 5;
const DRAWS_MAX = 3_400;

/** The card; `picture` is the best NFGT's. */
export function rollMessage(answer: RollAnswer, picture: Buffer | undefined): View {
  const { draws, settlement, bannerName } = answer;
  const best = Math.max(0, ...draws.map((draw) => draw.stars));
  const lines = [joinWithin(draws.map(drawLine), DRAWS_MAX), '', totals(answer)];
  const note = settlementNote(settlement);
  const embed = new EmbedBuilder()
    .setTitle(clip(`${bannerTitle(bannerName)} ×${String(draws.length)}`, LIMITS.embedTitle))
    .setColor(settlement.state === 'voided' ? STATE_COLOUR.cancelled : rarityColour(best))
    .setDescription([...lines, ...(note === undefined ? [] : ['', note])].join('\n'))
    .setFooter({ text: settlementFooter(settlement) });
  if (picture === undefined) return { embeds: [embed] };
  const name = 'prize.png';
  return {
    embeds: [embed.setImage(`attachment://${name}`)],
    pictures: [{ name, png: picture }],
  };
}

/** The NFGT with the most stars, the one whose picture is shown. */
export function bestNfgt(draws: readonly RolledDraw[]): Nfgt['asset'] | undefined {
  const won = draws.flatMap(({ prize }) => (prize.kind === 'nfgt' ? [prize.asset] : []));
  return won.sort((a, b) => b.stars - a.stars)[0];
}

const bannerTitle = (name: string): string => escapeName(name, 100);

function drawLine(draw: RolledDraw, index: number): string {
  const head = `${String(index + 1)}. ${starsOf(draw.stars)} **${escapeName(draw.name)}**`;
  const line = `${head} · ${prizeWords(draw.prize)}`;
  if (draw.rerolledFrom.length === 0) return line;
  const names = draw.rerolledFrom.slice(0, REROLLS_SHOWN).map((name) => escapeName(name, 30));
  const more = draw.rerolledFrom.length - names.length;
  return `${line}\n   ↳ rerolled, not billed: ${names.join(', ')}${more > 0 ? ` +${String(more)}` : ''}`;
}

function prizeWords(prize: DrawnPrize): string {
  switch (prize.kind) {
    case 'coins':
      return formatGuyaCoin(prize.amountGc);
    case 'card':
      return 'card';
    case 'nfgt':
      return `NFGT ${escapeName(prize.asset.name, 40)} ${code(prize.asset.assetId, 24)} · tx ${code(prize.transactionId.slice(0, 8))}`;
  }
}

function totals({ draws, priceGc }: RollAnswer): string {
  const wonGc = draws.reduce(
    (sum, { prize }) => sum + (prize.kind === 'coins' ? prize.amountGc : 0),
    0,
  );
  return `Paid **${formatGuyaCoin(priceGc)}** · coins won **${formatGuyaCoin(wonGc)}**`;
}

// The paged lists: what a member owns, and where their coins came from and went.
import { EmbedBuilder } from 'discord.js';
import { formatGuyaCoin } from '../../shared/guya-coin.ts';
import type { InventoryPage, StatementPage } from '../../app/app.ts';
import type { PagedList } from '../pager.ts';
import { pagerRows } from '../pager.ts';
import type { View } from '../view.ts';
import { rarityColour, starsOf } from './palette.ts';
import { code, escapeName, joinWithin, LIMITS, mention, moment } from './text.ts';

type StatementLine = StatementPage['lines'][number];

const CODE_WORDS: Readonly<Record<StatementLine['code'], string>> = {
  'bank-funding': 'funding of the bank',
  daily: 'daily coins',
  payment: 'payment',
  'roll-price': 'roll',
  'roll-prize': 'won in a roll',
  'trade-price': 'trade',
  'hold-released': 'freed again',
  correction: 'correction',
};

/** One page of what a member holds. */
export function inventoryMessage(list: PagedList, inventory: InventoryPage): View {
  const { assets, total, page, pages, cards } = inventory;
  const lines = assets.map((asset) =>
    [
      starsOf(asset.stars),
      `**${escapeName(asset.name)}**`,
      code(asset.assetId, 40),
      moment(asset.obtainedAt),
      asset.status === 'reserved' ? '🔒 reserved' : '',
    ]
      .filter((part) => part !== '')
      .join(' '),
  );
  const empty = total === 0 ? ['*No NFGT yet. `/roll` and `/mint` give some.*'] : [];
  const embed = new EmbedBuilder()
    .setTitle('Inventory')
    .setColor(rarityColour(Math.max(0, ...assets.map((asset) => asset.stars))))
    .setDescription(
      joinWithin(
        [
          `${mention(list.subject)} holds **${total.toLocaleString('en-US')}** NFGT`,
          ...lines,
          ...empty,
        ],
        LIMITS.embedDescription,
      ),
    )
    .setFooter({ text: `Page ${String(page)} of ${String(Math.max(1, pages))} · newest first` });
  if (cards.length > 0) {
    const words = cards.map((card) =>
      [`${String(card.count)}×`, starsOf(card.stars), escapeName(card.name, 40)]
        .filter((part) => part !== '')
        .join(' '),
    );
    embed.addFields({ name: 'Cards', value: joinWithin(words, LIMITS.fieldValue) });
  }
  return { embeds: [embed], rows: pagerRows(list, page, pages) };
}

/** One page of a member's statement. */
export function statementMessage(list: PagedList, statement: StatementPage): View {
  const { lines, balanceGc, page, pages } = statement;
  const rows = lines.map(
    (line) =>
      `${moment(line.createdAt, 'd')} **${signed(line.changeGc)}** ${CODE_WORDS[line.code]}${partyWords(line)} → ${formatGuyaCoin(line.balanceAfterGc)}`,
  );
  const embed = new EmbedBuilder()
    .setTitle('Statement')
    .setColor(rarityColour(3))
    .setDescription(
      joinWithin(
        [
          `Balance: **${formatGuyaCoin(balanceGc)}**`,
          ...(rows.length === 0 ? ['*Nothing has moved yet.*'] : rows),
        ],
        LIMITS.embedDescription,
      ),
    )
    .setFooter({ text: `Page ${String(page)} of ${String(Math.max(1, pages))} · newest first` });
  return { embeds: [embed], rows: pagerRows(list, page, pages) };
}

const signed = (gc: number): string => `${gc > 0 ? '+' : ''}${formatGuyaCoin(gc)}`;

/** The other member of a payment. */
function partyWords(line: StatementLine): string {
  if (line.code !== 'payment') return '';
  const isIncoming = line.changeGc > 0;
  const party = /^member:(\d{1,20})$/.exec(
    isIncoming ? line.debitAccount : line.creditAccount,
  )?.[1];
  if (party === undefined) return '';
  return ` ${isIncoming ? 'from' : 'to'} ${mention(party)}`;
}

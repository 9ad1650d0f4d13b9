// Cards about one NFGT: its present, and its way from one holder to another.
import { EmbedBuilder } from 'discord.js';
import type { AssetFacts, AssetView, SettlementView } from '../../app/app.ts';
import type { View } from '../view.ts';
import { rarityColour, starsOf, STATE_COLOUR } from './palette.ts';
import { settlementFooter, settlementNote } from './settlement-words.ts';
import { clip, code, escapeName, LIMITS, mention, moment } from './text.ts';

const STATUS_WORD: Readonly<Record<AssetView['status'], string>> = {
  held: 'in custody, free',
  reserved: 'reserved by a trade or a movement under way',
  outside: 'not in the custody of this bot',
};

/** Everything about an asset, with its picture. */
export function assetMessage(asset: AssetView, picture: Buffer): View {
  const name = 'nfgt.png';
  const embed = factsEmbed(asset)
    .addFields(
      { name: 'Owner', value: holderWords(asset) },
      { name: 'Status', value: STATUS_WORD[asset.status], inline: true },
      {
        name: 'Chain',
        value:
          asset.chainLength === 1 ? '1 transaction' : `${String(asset.chainLength)} transactions`,
        inline: true,
      },
      { name: 'Newest transaction', value: code(asset.transactionId) },
      { name: 'Commit', value: code(asset.commitId, 64) },
      { name: 'Since', value: moment(asset.transactionTime, 'f'), inline: true },
    )
    .setImage(`attachment://${name}`)
    .setFooter({
      text: clip(`${asset.assetId} · tx ${asset.transactionId.slice(0, 8)} · committed`, 300),
    });
  return { embeds: [embed], pictures: [{ name, png: picture }] };
}

/** A mint or a gift: what goes where, and how far it has come. */
export function movementMessage(movement: {
  readonly asset: AssetFacts;
  readonly settlement: SettlementView;
  /** What happens, in words for the members. */
  readonly words: string;
  readonly picture: Buffer;
}): View {
  const { asset, settlement, words, picture } = movement;
  const name = 'nfgt.png';
  const note = settlementNote(settlement);
  const embed = factsEmbed(asset)
    .setDescription([factLine(asset), words, ...(note === undefined ? [] : [note])].join('\n'))
    .setThumbnail(`attachment://${name}`)
    .setFooter({ text: settlementFooter(settlement) });
  if (settlement.state === 'voided') embed.setColor(STATE_COLOUR.cancelled);
  return { embeds: [embed], pictures: [{ name, png: picture }] };
}

function factsEmbed(asset: AssetFacts): EmbedBuilder {
  return new EmbedBuilder()
    .setTitle(clip(escapeName(asset.name, 100), LIMITS.embedTitle))
    .setColor(rarityColour(asset.stars))
    .setDescription(factLine(asset));
}

function factLine({ assetId, stars, series }: AssetFacts): string {
  const parts = [starsOf(stars), code(assetId, 160)];
  if (series !== undefined) parts.push(escapeName(series));
  return parts.filter((part) => part !== '').join(' · ');
}

function holderWords({ holder, ownerId }: AssetView): string {
  if (holder === 'bot') return 'the bot (a prize to be won)';
  return holder === undefined ? code(ownerId, 200) : mention(holder);
}

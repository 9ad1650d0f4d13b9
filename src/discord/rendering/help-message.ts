// The card that a newcomer reads first.
import { EmbedBuilder } from 'discord.js';
import { formatGuyaCoin } from '../../shared/guya-coin.ts';
import type { App } from '../../app/app.ts';
import type { View } from '../view.ts';
import { STATE_COLOUR } from './palette.ts';
import { code, escapeName, joinWithin, LIMITS, moment } from './text.ts';

/** What there is, what is open, what gc is, and what the chain tells the world. */
export function helpMessage(
  catalogue: readonly { readonly name: string; readonly description: string }[],
  banners: ReturnType<App['listBanners']>,
): View {
  const commands = catalogue.map(({ name, description }) => `\`/${name}\` ${description}`);
  const open = banners.map(
    ({ bannerId, name, priceGc, endsAt }) =>
      `**${escapeName(name)}** (${code(bannerId)}) · ${formatGuyaCoin(priceGc)} a roll${endsAt === undefined ? '' : ` · ends ${moment(endsAt)}`}`,
  );
  const embed = new EmbedBuilder()
    .setTitle('Help')
    .setColor(STATE_COLOUR.editing)
    .setDescription(joinWithin(commands, 2_500))
    .addFields(
      {
        name: 'Open banners',
        value: joinWithin(open.length === 0 ? ['*none just now*'] : open, LIMITS.fieldValue),
      },
      {
        name: 'GuyaCoin',
        value:
          'GuyaCoin (gc) pays for rolls and moves between members. 1p = 10g = 100s = 10,000c, and 1c is 1 gc. `/daily` gives some every day. It has no worth outside.',
      },
      {
        name: 'NFGT',
        value:
          'An NFGT is a branch of a public git repository: each owner is one commit. The bot keeps what is needed to move yours.',
      },
      {
        name: 'Privacy',
        value:
          'The repository is public and keeps its history for ever: what a commit says about an owner cannot be deleted. Coins, trades and names stay with the bot, unless its operator chose to publish names.',
      },
    );
  return { embeds: [embed] };
}

// /mint: puts an asset that waits for its first owner on the chain, for the member.
import { SlashCommandBuilder } from 'discord.js';
import { answerWhenSettled } from '../src/discord/answer-when-settled.ts';
import { resolveAssetId } from '../src/discord/asset-option.ts';
import { defineCommand } from '../src/discord/command.ts';
import { movementMessage } from '../src/discord/rendering/asset-message.ts';
import { mention } from '../src/discord/rendering/text.ts';

export default defineCommand({
  data: new SlashCommandBuilder()
    .setName('mint')
    .setDescription('Become the first owner of an NFGT')
    .addStringOption((option) =>
      option
        .setName('asset')
        .setDescription('Which of those that wait to be minted')
        .setMaxLength(200)
        .setAutocomplete(true)
        .setRequired(true),
    ),
  visibility: 'public',
  async execute(call, { app }) {
    const { key, member } = call;
    const typed = call.options.getString('asset', true);
    const assetId = await resolveAssetId(typed, (text) => app.findMintable(text));
    const { asset, settlement } = await app.mint({ key, member, assetId });
    const picture = app.pictureOf(asset.assetId);
    const words = `⛏️ ${mention(member.memberId)} mints it.`;
    await answerWhenSettled(call, app, settlement, (now) =>
      call.respond.show(movementMessage({ asset, settlement: now, words, picture })),
    );
  },
  autocomplete: ({ text }, { app }) => app.findMintable(text),
});

// /nfgt view: shows one NFGT as the chain has it.
import { SlashCommandBuilder } from 'discord.js';
import { resolveAssetId } from '../src/discord/asset-option.ts';
import { defineCommand } from '../src/discord/command.ts';
import { assetMessage } from '../src/discord/rendering/asset-message.ts';

export default defineCommand({
  data: new SlashCommandBuilder()
    .setName('nfgt')
    .setDescription('Look at NFGTs')
    .addSubcommand((view) =>
      view
        .setName('view')
        .setDescription('See an NFGT: its picture, its owner and its place on the chain')
        .addStringOption((option) =>
          option
            .setName('asset')
            .setDescription('Any NFGT on the chain')
            .setMaxLength(200)
            .setAutocomplete(true)
            .setRequired(true),
        ),
    ),
  visibility: { view: 'public' },
  async execute(call, { app }) {
    const typed = call.options.getString('asset', true);
    const asset = await app.viewAsset(await resolveAssetId(typed, (text) => app.findAssets(text)));
    await call.respond.show(assetMessage(asset, app.pictureOf(asset.assetId)));
  },
  autocomplete: ({ text }, { app }) => app.findAssets(text),
});

// /gift: hands an NFGT over to another member for nothing.
import { SlashCommandBuilder } from 'discord.js';
import { answerWhenSettled } from '../src/discord/answer-when-settled.ts';
import { resolveAssetId } from '../src/discord/asset-option.ts';
import { defineCommand } from '../src/discord/command.ts';
import { movementMessage } from '../src/discord/rendering/asset-message.ts';
import { mention } from '../src/discord/rendering/text.ts';

export default defineCommand({
  data: new SlashCommandBuilder()
    .setName('gift')
    .setDescription('Give one of your NFGTs to another member')
    .addUserOption((option) =>
      option.setName('user').setDescription('Who receives it').setRequired(true),
    )
    .addStringOption((option) =>
      option
        .setName('asset')
        .setDescription('Which of your free NFGTs')
        .setMaxLength(200)
        .setAutocomplete(true)
        .setRequired(true),
    ),
  visibility: 'public',
  async execute(call, { app }) {
    const { member } = call;
    const to = call.person('user');
    const typed = call.options.getString('asset', true);
    const find = (text: string): ReturnType<typeof app.findTradeable> =>
      app.findTradeable(member.memberId, text);
    const assetId = await resolveAssetId(typed, find);
    const { asset, settlement } = await app.gift({ key: call.key, from: member, to, assetId });
    const picture = app.pictureOf(asset.assetId);
    const words = `🎁 ${mention(member.memberId)} gives it to ${mention(to.memberId)}.`;
    await answerWhenSettled(call, app, settlement, (now) =>
      call.respond.show(movementMessage({ asset, settlement: now, words, picture })),
    );
  },
  autocomplete: ({ memberId, text }, { app }) => app.findTradeable(memberId, text),
});

// /roll: pays for one to ten rolls of a banner and shows what they gave.
import { SlashCommandBuilder } from 'discord.js';
import { answerWhenSettled } from '../src/discord/answer-when-settled.ts';
import { defineCommand } from '../src/discord/command.ts';
import { bestNfgt, rollMessage } from '../src/discord/rendering/roll-message.ts';

export default defineCommand({
  data: new SlashCommandBuilder()
    .setName('roll')
    .setDescription('Roll for NFGTs, cards and coins')
    .addIntegerOption((option) =>
      option
        .setName('count')
        .setDescription('How many rolls at once; the odds are the same for each')
        .setMinValue(1)
        .setMaxValue(10)
        .setRequired(true),
    )
    .addStringOption((option) =>
      option
        .setName('banner')
        .setDescription('The banner; /help lists the open ones')
        .setMaxLength(100),
    ),
  visibility: 'public',
  async execute(call, { app }) {
    const answer = await app.roll({
      key: call.key,
      member: call.member,
      count: call.options.getInteger('count', true),
      bannerId: call.options.getString('banner') ?? undefined,
    });
    const best = bestNfgt(answer.draws);
    const picture = best && app.pictureOf(best.assetId);
    await answerWhenSettled(call, app, answer.settlement, (settlement) =>
      call.respond.show(rollMessage({ ...answer, settlement }, picture)),
    );
  },
});

// /daily: gives the member their coins of the day.
import { SlashCommandBuilder } from 'discord.js';
import { defineCommand } from '../src/discord/command.ts';
import { moment } from '../src/discord/rendering/text.ts';
import { formatGuyaCoin } from '../src/shared/guya-coin.ts';

export default defineCommand({
  data: new SlashCommandBuilder().setName('daily').setDescription('Take your daily coins'),
  visibility: 'ephemeral',
  async execute(call, { app }) {
    const { amountGc, balanceGc, nextAt } = await app.daily({
      key: call.key,
      member: call.member,
    });
    await call.respond.show({
      content: `You received **${formatGuyaCoin(amountGc)}** and have **${formatGuyaCoin(balanceGc)}** now. The next ones are ready ${moment(nextAt)}.`,
    });
  },
});

// /balance: tells the member how many coins they have, to them only.
import { SlashCommandBuilder } from 'discord.js';
import { defineCommand } from '../src/discord/command.ts';
import { formatGuyaCoin } from '../src/shared/guya-coin.ts';

export default defineCommand({
  data: new SlashCommandBuilder().setName('balance').setDescription('See how many coins you have'),
  visibility: 'ephemeral',
  async execute(call, { app }) {
    const balanceGc = await app.balance(call.member.memberId);
    await call.respond.show({
      content: `You have **${formatGuyaCoin(balanceGc)}**. \`/statement\` shows where they came from.`,
    });
  },
});

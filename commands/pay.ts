// /pay: moves coins from the member to another one.
import { SlashCommandBuilder } from 'discord.js';
import { defineCommand } from '../src/discord/command.ts';
import { mention } from '../src/discord/rendering/text.ts';
import { formatGuyaCoin } from '../src/shared/guya-coin.ts';

export default defineCommand({
  data: new SlashCommandBuilder()
    .setName('pay')
    .setDescription('Give coins to another member')
    .addUserOption((option) =>
      option.setName('user').setDescription('Who receives them').setRequired(true),
    )
    .addStringOption((option) =>
      option
        .setName('amount')
        .setDescription('1200, 1.2k, 1p 2g or all')
        .setMaxLength(40)
        .setRequired(true),
    ),
  visibility: 'public',
  async execute(call, { app }) {
    const to = call.person('user');
    const { amountGc } = await app.pay({
      key: call.key,
      from: call.member,
      to,
      amount: call.options.getString('amount', true),
    });
    await call.respond.show({
      content: `💸 ${mention(call.member.memberId)} paid ${mention(to.memberId)} **${formatGuyaCoin(amountGc)}**.`,
    });
  },
});

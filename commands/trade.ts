// /trade: two members put NFGTs and coins together, and both agree or nothing moves.
import { SlashCommandBuilder } from 'discord.js';
import type { SlashCommandStringOption } from 'discord.js';
import { defineCommand } from '../src/discord/command.ts';
import { TRADE_KIND } from '../src/discord/rendering/trade-message.ts';
import { pressTrade } from '../src/discord/trade-panel.ts';
import { TRADE_VERBS } from '../src/discord/trade-verbs.ts';

const asset = (option: SlashCommandStringOption, words: string): SlashCommandStringOption =>
  option
    .setName('asset')
    .setDescription(words)
    .setMaxLength(200)
    .setAutocomplete(true)
    .setRequired(true);

export default defineCommand({
  data: new SlashCommandBuilder()
    .setName('trade')
    .setDescription('Trade NFGTs and coins with another member')
    .addSubcommand((start) =>
      start
        .setName('start')
        .setDescription('Open a trade with another member')
        .addUserOption((option) =>
          option.setName('user').setDescription('Who you trade with').setRequired(true),
        ),
    )
    .addSubcommand((add) =>
      add
        .setName('add')
        .setDescription('Put one of your NFGTs into your trade')
        .addStringOption((option) => asset(option, 'Which of your free NFGTs')),
    )
    .addSubcommand((remove) =>
      remove
        .setName('remove')
        .setDescription('Take an NFGT out of your trade again')
        .addStringOption((option) => asset(option, 'Which of those you put in')),
    )
    .addSubcommand((coins) =>
      coins
        .setName('coins')
        .setDescription('Set the coins that you put into your trade')
        .addStringOption((option) =>
          option
            .setName('amount')
            .setDescription('1200, 1.2k, 1p 2g, all, or none')
            .setMaxLength(40)
            .setRequired(true),
        ),
    )
    .addSubcommand((show) => show.setName('show').setDescription('Show your trade here again'))
    .addSubcommand((cancel) => cancel.setName('cancel').setDescription('End your trade')),
  visibility: {
    start: 'public',
    show: 'public',
    add: 'ephemeral',
    remove: 'ephemeral',
    coins: 'ephemeral',
    cancel: 'ephemeral',
  },
  async execute(call, services) {
    const verb = TRADE_VERBS[call.options.getSubcommand()];
    if (verb === undefined) throw new Error('A subcommand of /trade has no verb.');
    await verb(call, services);
  },
  autocomplete: ({ memberId, subcommand, text }, { app }) =>
    subcommand === 'remove' ? app.findInTrade(memberId, text) : app.findTradeable(memberId, text),
  components: { [TRADE_KIND]: pressTrade },
});

// /help: tells what there is, what is open, what gc is, and what the chain makes public.
import { SlashCommandBuilder } from 'discord.js';
import { defineCommand } from '../src/discord/command.ts';
import { helpMessage } from '../src/discord/rendering/help-message.ts';

export default defineCommand({
  data: new SlashCommandBuilder()
    .setName('help')
    .setDescription('What this bot does, and what is open'),
  visibility: 'ephemeral',
  async execute(call, { app, catalogue }) {
    await call.respond.show(helpMessage(catalogue, app.listBanners()));
  },
});

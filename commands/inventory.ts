// /inventory: shows the NFGTs and cards of a member, newest first.
import { SlashCommandBuilder } from 'discord.js';
import { defineCommand } from '../src/discord/command.ts';
import type { Services } from '../src/discord/command.ts';
import { PAGE_SIZE, pagerHandler } from '../src/discord/pager.ts';
import type { PagedList } from '../src/discord/pager.ts';
import { inventoryMessage } from '../src/discord/rendering/list-messages.ts';
import type { View } from '../src/discord/view.ts';

const KIND = 'inventory';

async function showPage(list: PagedList, page: number, { app }: Services): Promise<View> {
  const request = { memberId: list.subject, page, pageSize: PAGE_SIZE };
  return inventoryMessage(list, await app.inventory(request));
}

export default defineCommand({
  data: new SlashCommandBuilder()
    .setName('inventory')
    .setDescription('See what you or another member holds')
    .addUserOption((option) =>
      option.setName('user').setDescription('Whose inventory; yours when left out'),
    ),
  visibility: 'public',
  async execute(call, services) {
    const subject = (call.findPerson('user') ?? call.member).memberId;
    const list = { kind: KIND, subject, viewer: call.member.memberId };
    await call.respond.show(await showPage(list, 1, services));
  },
  components: { [KIND]: pagerHandler(showPage) },
});

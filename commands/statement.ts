// /statement: shows the member every gc that came and went, to them only.
import { SlashCommandBuilder } from 'discord.js';
import { defineCommand } from '../src/discord/command.ts';
import type { Services } from '../src/discord/command.ts';
import { PAGE_SIZE, pagerHandler } from '../src/discord/pager.ts';
import type { PagedList } from '../src/discord/pager.ts';
import { statementMessage } from '../src/discord/rendering/list-messages.ts';
import type { View } from '../src/discord/view.ts';

const KIND = 'statement';

async function showPage(list: PagedList, page: number, { app }: Services): Promise<View> {
  // The viewer's own, whatever the button says: a statement is nobody else's business.
  const request = { memberId: list.viewer, page, pageSize: PAGE_SIZE };
  return statementMessage(list, await app.statement(request));
}

export default defineCommand({
  data: new SlashCommandBuilder()
    .setName('statement')
    .setDescription('See where your coins came from and went'),
  visibility: 'ephemeral',
  async execute(call, services) {
    const { memberId } = call.member;
    const list = { kind: KIND, subject: memberId, viewer: memberId };
    await call.respond.show(await showPage(list, 1, services));
  },
  components: { [KIND]: pagerHandler(showPage) },
});

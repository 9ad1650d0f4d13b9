// What the staff's channel is told: what is frozen, what thawed, and that the chain was rewritten or goes on again.
import type { Alarm } from '../../app/app.ts';
import type { View } from '../view.ts';
import { escapeName, joinWithin, LIMITS } from './text.ts';

/** The longest detail that is shown in full. */
const DETAIL_MAX = 240;

/** One message for all that changed: what began first, with the details that name it. */
export function alarmsMessage(begun: readonly Alarm[], ended: readonly Alarm[]): View {
  const lines = [...begun.flatMap(beginningOf), ...ended.map(endOf)];
  return { content: joinWithin(lines, LIMITS.content) };
}

function beginningOf({ kind, subject, details, total }: Alarm): readonly string[] {
  const name = `**${escapeName(subject)}**`;
  const more = total - details.length;
  return [
    kind === 'freeze'
      ? `🔴 ${name} is frozen: an audit found something off. Members can still look at everything; \`npx aibot audit\` checks from outside.`
      : `🔴 ${name} was rewritten outside this bot. Tokens do not move, what was known is kept; \`docs/recipes/chain-rewritten.md\` says how to go on.`,
    ...details.map((detail) => `- ${escapeName(detail, DETAIL_MAX)}`),
    ...(more > 0 ? [`- and ${String(more)} more; the log has them`] : []),
  ];
}

function endOf({ kind, subject }: Alarm): string {
  const name = `**${escapeName(subject)}**`;
  return kind === 'freeze'
    ? `🟢 ${name} is no longer frozen: the audit finds nothing off there.`
    : `🟢 ${name} goes on from what the bot knows again; tokens move.`;
}

// Starts Discord stand-ins for tests and reads what members see.
//
// Usage, with whatever connects a bot (`startBot` here is yours):
//
//   await withStandIn(async ({ standIn, ada, ben }) => {
//     const stop = await startBot({ api: standIn.url, token: standIn.token, guildId: standIn.guildId });
//     await standIn.botReady({ command: 'roll' });
//     const exchange = ada.command('roll', { options: { times: 3 } });   // throws ClientRefusal like the client
//     const message = await exchange.reply();                            // after "thinking…", or rejects
//     expect(textOf(message)).toContain('You won');
//     const click = ada.click(message, buttonLabelled(message, 'Again')); // a new exchange
//     await exchange.settledWhen((now) => textOf(now).includes('Done'));
//     expect(standIn.violations()).toEqual([]);                          // nothing Discord would refuse
//     await stop();
//   });
//
// `exchange.firstResponse()` never rejects and tells what came first: message, update, deferred, modal,
// choices, or did-not-respond (after 3 s; `withStandIn(run, { firstAnswerMs: 300 })` shortens it).
// Subcommands: `ada.command('trade', { subcommand: 'offer', options: { to: ben.memberId } })`.
// More members: `withStandIn(run, { members: sampleMembers(5) })`, then `standIn.as(id)`.
// Faults: `standIn.failNext({ route: 'POST /api/v10/interactions', status: 'lost' })`, `redeliver`, `dropGateway`.
import { startStandIn } from '../../src/playground/stand-in.ts';
import type {
  MemberDriver,
  MemberSeed,
  StandIn,
  StandInOptions,
} from '../../src/playground/api.ts';
import { walkComponents } from '../../src/playground/component-form.ts';
import type { WireComponent, WireMessage } from '../../src/playground/wire.ts';

/** Ada's id wherever the default members are used. */
export const ADA_ID = '1200000000000000001';
/** Ben's id wherever the default members are used. */
export const BEN_ID = '1200000000000000002';

const NAMES = ['Ada', 'Ben', 'Cleo', 'Dan', 'Eve', 'Finn', 'Gus', 'Hana', 'Ivo', 'Jun'];

/** As many members as wanted, with stable ids; the first two are Ada and Ben. */
export function sampleMembers(count: number): MemberSeed[] {
  return Array.from({ length: count }, (_, index) => {
    const name = NAMES[index] ?? `Member ${index + 1}`;
    const id = (BigInt(ADA_ID) + BigInt(index)).toString();
    return { id, username: name.toLowerCase().replace(/\W/g, ''), displayName: name };
  });
}

/** A stand-in with the hands of its first two members. */
export interface Stage {
  standIn: StandIn;
  ada: MemberDriver;
  ben: MemberDriver;
}

/** Starts a stand-in with Ada and Ben, or with the members that the options name (two at least). */
export async function openStage(options: StandInOptions = {}): Promise<Stage> {
  const standIn = await startStandIn({ members: sampleMembers(2), ...options });
  const [ada, ben] = standIn.members();
  if (ada === undefined || ben === undefined) throw new Error('A stage needs two members');
  return { standIn, ada: standIn.as(ada.user.id), ben: standIn.as(ben.user.id) };
}

/** Runs a test against a stand-in and closes it, however the test ends. */
export async function withStandIn(
  run: (stage: Stage) => Promise<void>,
  options: StandInOptions = {},
): Promise<void> {
  const stage = await openStage(options);
  try {
    await run(stage);
  } finally {
    await stage.standIn.close();
  }
}

/** Every component of a message, nested ones too. */
function componentsOf(message: WireMessage): WireComponent[] {
  return [...walkComponents(message.components)].map(({ component }) => component);
}

/** The custom id of the button with this label. */
export function buttonLabelled(message: WireMessage, label: string): string {
  const all = componentsOf(message);
  const found = all.find((one) => one.type === 2 && one.label === label);
  if (found?.custom_id !== undefined) return found.custom_id;
  const labels = all.flatMap((one) => one.label ?? []).join(', ');
  throw new Error(`No button "${label}"; there are: ${labels}`);
}

/** The labels of the buttons that can be clicked. */
export function openButtons(message: WireMessage): string[] {
  return componentsOf(message)
    .filter(({ type, disabled }) => type === 2 && disabled !== true)
    .map(({ label }) => label ?? '');
}

/** All the text that a member reads: content, embeds, text displays. */
export function textOf(message: WireMessage): string {
  const embeds = message.embeds.flatMap((embed) => [
    embed.author?.name,
    embed.title,
    embed.description,
    ...(embed.fields ?? []).flatMap(({ name, value }) => [name, value]),
    embed.footer?.text,
  ]);
  const displays = componentsOf(message).map(({ content }) => content);
  return [message.content, ...embeds, ...displays].filter((part) => part !== undefined).join('\n');
}

/** Whether only the member who acted sees the message. */
export function isEphemeral(message: WireMessage): boolean {
  return (message.flags & 64) !== 0;
}

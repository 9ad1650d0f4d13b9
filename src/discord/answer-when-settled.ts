// How a movement with chain work is answered: at once when the chain is quick, else as pending and again at its end.
import type { App, SettlementView } from '../app/app.ts';
import type { Call } from './command.ts';

/** How long a member looks at "thinking…" before "pending" is the better word. */
const DIRECT_ANSWER_MS = 1_000;

/**
 * Shows a settlement: once when it ends in time, otherwise pending first and the end when it comes, for as long as the
 * interaction's token lives. The movement itself is safe in the rows: when the bot stops meanwhile, only this message
 * stays behind.
 * @param show puts the view of the settlement's present state before the member.
 */
export async function answerWhenSettled(
  call: Call,
  app: Pick<App, 'waitForSettlement'>,
  settlement: SettlementView,
  show: (settlement: SettlementView) => Promise<unknown>,
): Promise<void> {
  const { settlementId } = settlement;
  call.respond.concerns(settlementId);
  const soon = isOver(settlement)
    ? settlement
    : await app.waitForSettlement(settlementId, call.respond.patienceMs(DIRECT_ANSWER_MS));
  await show(soon);
  if (isOver(soon)) return;
  const end = await unlessStopped(
    app.waitForSettlement(settlementId, call.respond.tokenMsLeft()),
    call.stopping,
  );
  if (end !== undefined && isOver(end)) await show(end);
}

const isOver = (settlement: SettlementView): boolean => settlement.state !== 'prepared';

/** What `work` gives, or undefined once the bot stops: nobody waits minutes for a shutdown. */
async function unlessStopped<Result>(
  work: Promise<Result>,
  stopping: AbortSignal,
): Promise<Result | undefined> {
  let stop: () => void = () => undefined;
  const stopped = new Promise<undefined>((resolve) => {
    stop = () => resolve(undefined);
  });
  if (stopping.aborted) stop();
  stopping.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    stopping.removeEventListener('abort', stop);
  }
}

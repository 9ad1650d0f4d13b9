// Recovery: takes up, at the start and every few seconds, the settlements that nobody is finishing.
import type { Logger } from '../shared/logger.ts';
import type { Settlements } from './settlements.ts';
import { startTimer } from './timers.ts';

/** How long the end waits; what is not through by then is recovered by the next start. */
const CLOSE_PATIENCE_MS = 10_000;
const RECOVERY_INTERVAL_MS = 5_000;

/** Takes up what an earlier process left open, and goes on doing so. */
export async function keepSettling(
  settlements: Settlements,
  logger: Logger,
): Promise<{
  /** Stops the timer and waits for the settlements whose outcome is known. */
  close(): Promise<void>;
}> {
  const recovered = await settlements.recover();
  if (recovered > 0) logger.info({ settlements: recovered }, 'took up open settlements');
  const stop = startTimer(logger, 'recovery', RECOVERY_INTERVAL_MS, () => settlements.recover());
  return {
    close: async () => {
      stop();
      await settlements.drain(CLOSE_PATIENCE_MS);
    },
  };
}

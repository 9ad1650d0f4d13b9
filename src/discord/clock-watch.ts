// Holds this machine's clock against Discord's: how old an interaction is, and whether its member waits, is read off ours.
import type { Logger } from '../shared/logger.ts';

/** A clock that is so far off turns what came just now into what came too late, or the other way round. */
const OFF_MS = 2_500;

/** Makes a watch that takes the `Date` of an answer of Discord's (RFC 9110, whole seconds), and logs when ours goes off. */
export function clockWatch(logger: Logger): (date: string | null) => void {
  let wasOff = false;
  return (date) => {
    const aheadMs = Date.now() - Date.parse(date ?? '');
    if (Number.isNaN(aheadMs)) return;
    const isOff = Math.abs(aheadMs) > OFF_MS;
    if (isOff && !wasOff) {
      const aheadS = Math.round(aheadMs / 1000);
      logger.warn(
        { aheadS },
        'The clock of this machine is off by seconds; let it be synchronised.',
      );
    }
    wasOff = isOff;
  };
}

// Work that nobody waits for: on a timer or by the way, its failure is logged.
import type { Logger } from '../shared/logger.ts';

/** Does the work now. */
export function unwaited(logger: Logger, name: string, work: () => Promise<unknown>): void {
  work().catch((error: unknown) =>
    logger.error({ err: error, work: name }, 'work failed that nobody waits for'),
  );
}

/** Does the work again and again, never twice at once, without keeping the process alive for it. @returns stops it. */
export function startTimer(
  logger: Logger,
  name: string,
  intervalMs: number,
  work: () => Promise<unknown>,
): () => void {
  let isAtWork = false;
  const timer = setInterval(() => {
    if (isAtWork) return;
    isAtWork = true;
    unwaited(logger, name, () => work().finally(() => (isAtWork = false)));
  }, intervalMs).unref();
  return () => clearInterval(timer);
}

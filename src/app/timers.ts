// Work that nobody waits for: on a timer or by the way, its failure is logged.
import type { Logger } from '../shared/logger.ts';

/** Does the work now. */
export function unwaited(logger: Logger, name: string, work: () => Promise<unknown>): void {
  work().catch((error: unknown) =>
    logger.error({ err: error, work: name }, 'work failed that nobody waits for'),
  );
}

/** Does the work again and again, without keeping the process alive for it. @returns stops it. */
export function startTimer(
  logger: Logger,
  name: string,
  intervalMs: number,
  work: () => Promise<unknown>,
): () => void {
  const timer = setInterval(() => unwaited(logger, name, work), intervalMs).unref();
  return () => clearInterval(timer);
}

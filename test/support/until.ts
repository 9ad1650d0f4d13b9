// Waiting for what happens by itself, without a guess at how long it takes.
import { setTimeout as delay } from 'node:timers/promises';

/** Resolves once the check holds. @throws Error when it has not after this many ms. */
export async function until(check: () => Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`not so after ${timeoutMs} ms: ${String(check)}`);
    await delay(10);
  }
}

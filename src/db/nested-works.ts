// Finds a unit of work that begins another: tests are told at once, where the mistake is.
import { AsyncLocalStorage } from 'node:async_hooks';

interface Scope {
  readonly isOpen: boolean;
}

let current: AsyncLocalStorage<Scope> | undefined;

/** Turns the search on. Tests alone do: following every promise costs a tenth of the CPU time of a create. */
export function watchForNestedWorks(): void {
  current ??= new AsyncLocalStorage();
}

/** Runs a work, within which {@link refuseNestedWork} refuses. */
export function runWatched<T>(scope: Scope, work: () => T): T {
  return current === undefined ? work() : current.run(scope, work);
}

/**
 * Refuses to begin inside a work: a transaction would wait for the work, which waits for it and ends as overdue; a read
 * would not see what the work has written.
 * @throws Error while the search is on.
 */
export function refuseNestedWork(): void {
  if (current?.getStore()?.isOpen === true) {
    throw new Error('a database transaction was begun inside another: use the stores at hand');
  }
}

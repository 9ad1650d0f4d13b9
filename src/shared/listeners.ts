// Those who want to hear of something: told in order, and none of them can harm the teller or the others.
import type { Logger } from './logger.ts';

/** The listeners of one event. What a listener throws is logged: what it was told of has happened all the same. */
export class Listeners<Event> {
  readonly #listeners = new Set<(event: Event) => void>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** True while nobody listens. */
  get isEmpty(): boolean {
    return this.#listeners.size === 0;
  }

  /** @returns stops listening. */
  add(listener: (event: Event) => void): () => void {
    // A wrapper of its own: the same function may listen twice, and each stops for itself.
    const own = (event: Event): void => listener(event);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  tell(event: Event): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        this.#logger.error({ err: error }, 'a listener failed');
      }
    }
  }
}

// Keeps the answers that were given since the chain last changed, ready to be sent once more.

/** The most that all kept answers may take, in bytes: the whole event fits, each of its tips asked for once. */
const MAX_BYTES = 16 * 1024 * 1024;
/** About what an answer takes beside its bytes and its key. */
const OVERHEAD_BYTES = 256;

/**
 * Answers by what was asked. Every change of the chain drops all of them, and so does running full: what is asked for
 * often is soon back, and nobody has to know which answers a change touches.
 */
export class AnswerCache {
  readonly #currentRevision: () => number;
  readonly #answers = new Map<string, Buffer>();
  #revision = -1;
  #bytes = 0;

  /** @param currentRevision another number after each change of what the answers are made from. */
  constructor(currentRevision: () => number) {
    this.#currentRevision = currentRevision;
  }

  /**
   * The answer in UTF-8; whoever gets it must not change it.
   * @param render makes it, at once, from what stands there now; what it throws is thrown and not kept.
   */
  get(asked: string, render: () => string): Buffer {
    const revision = this.#currentRevision();
    if (revision !== this.#revision) this.#drop(revision);
    const kept = this.#answers.get(asked);
    if (kept !== undefined) return kept;
    const answer = Buffer.from(render());
    this.#bytes += answer.length + asked.length + OVERHEAD_BYTES;
    if (this.#bytes > MAX_BYTES) this.#drop(revision);
    else this.#answers.set(asked, answer);
    return answer;
  }

  #drop(revision: number): void {
    this.#answers.clear();
    this.#bytes = 0;
    this.#revision = revision;
  }
}

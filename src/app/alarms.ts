// What the operator must know: what is frozen, and whether the chain was rewritten. Kept as it stands, for whoever tells it.
import type { NfgtNode, Rewriting } from '../chain/node.ts';
import { Listeners } from '../shared/listeners.ts';
import type { Logger } from '../shared/logger.ts';
import type { Alarm } from './app.ts';
import type { Freezes } from './freezes.ts';

/** How many details an alarm names. */
const MAX_DETAILS = 5;

export class Alarms {
  readonly #freezes: Pick<Freezes, 'now'>;
  readonly #looked: Listeners<undefined>;
  readonly #stop: readonly (() => void)[];
  #rewriting: Alarm | undefined;
  #rewritings = 0;

  constructor({
    node,
    freezes,
    logger,
  }: {
    readonly node: Pick<NfgtNode, 'on'>;
    readonly freezes: Pick<Freezes, 'now'>;
    readonly logger: Logger;
  }) {
    this.#freezes = freezes;
    this.#looked = new Listeners(logger);
    this.#stop = [
      node.on('chain-rewritten', (rewriting) => this.#takeRewriting(rewriting)),
      node.on('chain-restored', () => this.#takeRewriting(undefined)),
    ];
  }

  /** What is off at present, freezes first. */
  get now(): readonly Alarm[] {
    const freezes = this.#freezes.now.map(({ feature, invariants, details }): Alarm => ({
      kind: 'freeze',
      subject: feature,
      id: [feature, ...invariants].join(' '),
      details: details.slice(0, MAX_DETAILS),
      total: details.length,
    }));
    return this.#rewriting === undefined ? freezes : [...freezes, this.#rewriting];
  }

  /** Takes what the node knew before anyone listened. */
  start(rewriting: Rewriting | null): void {
    if (rewriting !== null) this.#takeRewriting(rewriting);
  }

  /** Tells that somebody looked: after an audit, whatever it found. */
  tell(): void {
    this.#looked.tell(undefined);
  }

  onLooked(listener: () => void): () => void {
    return this.#looked.add(listener);
  }

  close(): void {
    for (const stop of this.#stop) stop();
  }

  #takeRewriting(rewriting: Rewriting | undefined): void {
    this.#rewritings += 1;
    this.#rewriting = rewriting && {
      kind: 'rewriting',
      subject: 'The chain',
      // Other refs than before are news, however many they are.
      id: `rewriting ${this.#rewritings}`,
      details: rewriting.refs.slice(0, MAX_DETAILS).map(({ kind, name }) => `${kind} ${name}`),
      total: rewriting.total,
    };
    this.tell();
  }
}

// Whether the chain was rewritten under this node: since when, in which refs, and that it is said once.
import type { Clock } from '../shared/clock.ts';
import { AppError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import type { Beacon } from './beacon.ts';
import type { ChainIndex } from './chain-index.ts';
import type { NodeDatabase } from './journal-store.ts';
import type { Rewriting } from './node.ts';
import type { Rewrite, Witness } from './rewrites.ts';

interface RewrittenOptions {
  readonly beacon: Pick<Beacon, 'description'>;
  readonly index: Pick<ChainIndex, 'findTransaction' | 'findRewrittenAt' | 'setRewrittenAt'>;
  readonly database: NodeDatabase;
  readonly clock: Clock;
  readonly logger: Logger;
  /** It began, or other refs are concerned than before. */
  readonly onChange: (now: Rewriting) => void;
  readonly onEnd: (since: number) => void;
}

/** How many refs a line of the log names. */
const MAX_LOGGED = 20;

export class Rewritten {
  readonly #options: RewrittenOptions;
  #now: Rewriting | undefined;
  #witnesses: readonly Witness[] = [];
  /** Refs that were told of; one that comes and goes is told again only once all is well in between. */
  #told = new Set<string>();

  constructor(options: RewrittenOptions) {
    this.#options = options;
  }

  /** Undefined while the remote goes on from what is known. */
  get now(): Rewriting | undefined {
    return this.#now;
  }

  /** What the journal knows to be committed and the index does not have. */
  get witnesses(): readonly Witness[] {
    return this.#witnesses;
  }

  /** Once at the start: what is committed later stands in the index from then on. */
  async readWitnesses(): Promise<void> {
    const { database } = this.#options;
    this.#witnesses = await database.read(({ journal }) => journal.listCommitted());
    this.#dropSeen();
  }

  /** @throws AppError CHAIN_REWRITTEN while there is a reason not to write. */
  refuse(): void {
    if (this.#now !== undefined) throw new AppError('CHAIN_REWRITTEN');
  }

  /** With at most so many refs. */
  shown(limit: number): Rewriting | undefined {
    return this.#now && { ...this.#now, refs: this.#now.refs.slice(0, limit) };
  }

  /** Takes what a sync found. */
  take(refs: readonly Rewrite[]): void {
    this.#dropSeen();
    if (refs.length === 0) this.#end();
    else this.#change(refs);
  }

  #dropSeen(): void {
    const { index } = this.#options;
    this.#witnesses = this.#witnesses.filter(
      ({ transactionId }) => index.findTransaction(transactionId) === undefined,
    );
  }

  #end(): void {
    const { index, logger, beacon, onEnd } = this.#options;
    const since = index.findRewrittenAt();
    if (since === undefined) return;
    this.#now = undefined;
    this.#told.clear();
    index.setRewrittenAt(undefined);
    logger.warn(
      { beacon: beacon.description, since },
      'the chain goes on from what this node knows again; writing goes on',
    );
    onEnd(since);
  }

  #change(refs: readonly Rewrite[]): void {
    const { index, clock, logger, beacon, onChange } = this.#options;
    const since = index.findRewrittenAt() ?? clock.now();
    index.setRewrittenAt(since);
    const now = { since, total: refs.length, refs };
    this.#now = now;
    const news = refs.filter((ref) => !this.#told.has(keyOf(ref)));
    if (news.length === 0) return;
    this.#told = new Set([...this.#told, ...refs.map(keyOf)]);
    logger.error(
      {
        beacon: beacon.description,
        since,
        total: refs.length,
        refs: news.slice(0, MAX_LOGGED).map(({ kind, name, expected, found }) => ({
          ...{ kind, name, expected: expected ?? null, found: found ?? null },
        })),
      },
      'CHAIN_REWRITTEN: the beacon no longer goes on from what this node knows. Nothing is written any more, reads show what was known. `npx aibot chain show` prints what puts it back; docs/recipes/chain-rewritten.md says how to go on',
    );
    onChange(now);
  }
}

const keyOf = ({ kind, name, found }: Rewrite): string => `${kind} ${name} ${found ?? ''}`;

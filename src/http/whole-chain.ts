// Keeps the JSON of everything that is committed, in pieces: only those that a transaction touched are printed again.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ChainChange, IndexMark, KeyRange } from '../chain/chain-index.ts';
import type { ChainReader } from '../chain/node.ts';
import { JsonStream } from './json-stream.ts';

/** One of the introspection's lists: how to read a part of it, and which keys a transaction touches. */
export interface Listing {
  /** What stands before and after the lines. */
  readonly frame: readonly [open: string, close: string];
  /** In the order of the keys' UTF-8 bytes, each with its JSON. */
  readonly list: (chain: ChainReader, range: KeyRange) => readonly (readonly [string, string])[];
  readonly keysOf: (change: ChainChange) => readonly (string | null)[];
}

/** Lines in a new piece; one that has grown to more than twice as many is parted. */
const LINES_PER_PIECE = 64;
const MAX_LINES_PER_PIECE = 2 * LINES_PER_PIECE;
/** How many pieces are printed, and changes taken, before other requests get their turn: about a millisecond. */
const PIECES_PER_TURN = 4;
const CHANGES_PER_TURN = 500;

interface Piece {
  /** Its lines' keys begin here and end before the next piece's. */
  readonly from: string;
  /** Undefined when it has to be printed again. */
  json: Buffer | undefined;
}

/**
 * A list of everything. An answer is what was committed at one moment, and no request before it misses anything:
 * pieces are printed while others work, what changes meanwhile is printed again, and the list is good at the moment
 * at which no piece is out of date. Readers of the same moment share one answer, so a slow one holds no copy of his own.
 */
export class WholeChain {
  readonly #chain: ChainReader;
  readonly #listing: Listing;
  #mark: IndexMark | undefined;
  #pieces: Piece[] = [];
  readonly #stale = new Set<Piece>();
  #answer: JsonStream | undefined;
  #renewal: Promise<JsonStream> | undefined;

  constructor(chain: ChainReader, listing: Listing) {
    this.#chain = chain;
    this.#listing = listing;
  }

  /** Everything that is committed when this is called, or later. */
  async read(): Promise<JsonStream> {
    this.#renewal ??= this.#renew().finally(() => (this.#renewal = undefined));
    return await this.#renewal;
  }

  async #renew(): Promise<JsonStream> {
    for (;;) {
      const isUpToDate = this.#takeChanges();
      this.#printSome();
      if (isUpToDate && this.#stale.size === 0) break;
      await nextTurn();
    }
    this.#answer ??= new JsonStream(
      this.#listing.frame,
      this.#pieces.flatMap(({ json }) => (json?.length ? [json] : [])),
    );
    return this.#answer;
  }

  /** @returns false when there are more than were taken. */
  #takeChanges(): boolean {
    const news = this.#mark && this.#chain.listChanges(this.#mark, CHANGES_PER_TURN);
    if (news === undefined) {
      this.#mark = this.#chain.currentMark();
      this.#pieces = [];
      this.#stale.clear();
      this.#insert(0, '');
      return true;
    }
    this.#mark = news.mark;
    for (const change of news.changes) {
      for (const key of this.#listing.keysOf(change)) if (key !== null) this.#outdate(key);
    }
    return news.changes.length < CHANGES_PER_TURN;
  }

  #outdate(key: string): void {
    const piece = this.#pieces[lastAtOrBefore(this.#pieces, key)];
    if (piece === undefined) return;
    piece.json = undefined;
    this.#stale.add(piece);
    this.#answer = undefined;
  }

  #printSome(): void {
    let printed = 0;
    for (const piece of this.#stale) {
      if (printed === PIECES_PER_TURN) return;
      printed += 1;
      this.#print(piece);
    }
  }

  #print(piece: Piece): void {
    const { from } = piece;
    const at = lastAtOrBefore(this.#pieces, from);
    const below = this.#pieces[at + 1]?.from;
    const lines = this.#listing.list(this.#chain, { from, below, limit: MAX_LINES_PER_PIECE + 1 });
    const isTooLong = lines.length > MAX_LINES_PER_PIECE;
    const own = isTooLong ? lines.slice(0, LINES_PER_PIECE) : lines;
    const next = lines[LINES_PER_PIECE];
    if (isTooLong && next !== undefined) this.#insert(at + 1, next[0]);
    piece.json = Buffer.from(own.map(([, json]) => json).join(','));
    this.#stale.delete(piece);
    this.#answer = undefined;
  }

  #insert(at: number, from: string): void {
    const piece = { from, json: undefined };
    this.#pieces.splice(at, 0, piece);
    this.#stale.add(piece);
  }
}

/** The index of the last piece whose keys begin at or before this one. */
function lastAtOrBefore(pieces: readonly Piece[], key: string): number {
  const bytes = Buffer.from(key);
  let low = 0;
  let high = pieces.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    const from = pieces[middle]?.from ?? '';
    if (Buffer.compare(Buffer.from(from), bytes) <= 0) low = middle;
    else high = middle;
  }
  return low;
}

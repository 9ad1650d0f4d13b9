// An answer that is too long for one piece: JSON whose lines are sent bit by bit, as fast as the client reads.
import { Readable } from 'node:stream';

const COMMA = Buffer.from(',');
/** About how much is handed to the connection at once. */
const CHUNK_BYTES = 128 * 1024;

/** Pieces of JSON lines, separated by commas and framed. The pieces are shared with other answers and never changed. */
export class JsonStream {
  readonly #frame: readonly [open: Buffer, close: Buffer];
  readonly #pieces: readonly Buffer[];
  /** The whole of it, joined for the first reader and shared by all. */
  #chunks: readonly Buffer[] | undefined;

  constructor([open, close]: readonly [open: string, close: string], pieces: readonly Buffer[]) {
    this.#frame = [Buffer.from(open), Buffer.from(close)];
    this.#pieces = pieces;
  }

  /** How many bytes the answer has. */
  get length(): number {
    const commas = Math.max(0, this.#pieces.length - 1);
    const framed = [...this.#frame, ...this.#pieces];
    return framed.reduce((sum, { length }) => sum + length, commas);
  }

  /** The answer, for one more reader. Its chunks are never changed and take no room of their own. */
  open(): Readable {
    this.#chunks ??= [...this.#join()];
    return Readable.from(this.#chunks, { objectMode: false, highWaterMark: 1 });
  }

  *#join(): Generator<Buffer> {
    const [open, close] = this.#frame;
    let parts: Buffer[] = [open];
    let size = open.length;
    for (const [index, piece] of this.#pieces.entries()) {
      if (index > 0) parts.push(COMMA);
      parts.push(piece);
      size += piece.length;
      if (size < CHUNK_BYTES) continue;
      yield Buffer.concat(parts);
      parts = [];
      size = 0;
    }
    parts.push(close);
    yield Buffer.concat(parts);
  }
}

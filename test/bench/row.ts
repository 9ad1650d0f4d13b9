// What a row of the benchmark is, what it gets and what it gives.
import type { ChainName } from './chains.ts';

/** What a row found, by name; the name's end is the unit (`perSecond`, `p50Ms`, `mb`). */
export type Figures = Readonly<Record<string, number>>;

/** What a row has to work with. */
export interface Bench {
  /** The data directory; a start from it is warm unless the chain is a `cold` one. */
  readonly dataDir: string;
  /** A bare repository that is not ours, or undefined for the beacon inside the data directory. */
  readonly remote: string | undefined;
  /** A directory for whatever else the row needs. */
  readonly scratchDir: string;
  /** Less of everything: enough to see that the row works. */
  readonly quick: boolean;
}

export interface Row {
  /** What `--only` names. */
  readonly name: string;
  readonly chain: ChainName;
  /** From issue to table: what it should reach, in the words of the figures. */
  readonly aim: string;
  readonly measure: (bench: Bench) => Promise<Figures>;
}

// The chains that rows are measured on.
import { FULL_EVENT } from '../support/event-chain.ts';

/** The event's shape at ten times its size. */
const TENFOLD = { assets: 100_000, transactions: 124_408 } as const;

/** What stands on the stage before a row begins. */
export interface Chain {
  /** Undefined for a beacon with nothing but its epoch. */
  readonly size: { readonly assets: number; readonly transactions: number } | undefined;
  /** Within the data directory, made by the program; or a bare repository that is not ours, reached by `git push`. */
  readonly place: 'embedded' | 'remote';
  /** True when the row's process finds the index of an earlier one. */
  readonly indexed: boolean;
}

export const CHAINS = {
  empty: { size: undefined, place: 'embedded', indexed: true },
  event: { size: FULL_EVENT, place: 'embedded', indexed: true },
  'event-remote': { size: FULL_EVENT, place: 'remote', indexed: true },
  'event-cold': { size: FULL_EVENT, place: 'remote', indexed: false },
  tenfold: { size: TENFOLD, place: 'embedded', indexed: true },
  'tenfold-remote': { size: TENFOLD, place: 'remote', indexed: true },
  'tenfold-cold': { size: TENFOLD, place: 'remote', indexed: false },
} as const satisfies Record<string, Chain>;

export type ChainName = keyof typeof CHAINS;

// The chains that rows are measured on.
import { FULL_EVENT } from '../support/event-chain.ts';

/** The event's shape at ten times its size. */
const TENFOLD = { assets: 100_000, transactions: 124_408 } as const;

/** What stands on the stage before a row begins. */
interface Chain {
  /** Undefined for a beacon with nothing but its epoch. */
  readonly size: { readonly assets: number; readonly transactions: number } | undefined;
  /**
   * `embedded`: the beacon within the data directory, made and indexed by the program. `cold`: a bare repository that
   * is not ours and that no node has seen. `remote`: such a one with the index of an earlier start.
   */
  readonly kind: 'embedded' | 'cold' | 'remote';
}

const CHAINS = {
  empty: { size: undefined, kind: 'embedded' },
  event: { size: FULL_EVENT, kind: 'embedded' },
  'event-cold': { size: FULL_EVENT, kind: 'cold' },
  'event-remote': { size: FULL_EVENT, kind: 'remote' },
  tenfold: { size: TENFOLD, kind: 'embedded' },
  'tenfold-cold': { size: TENFOLD, kind: 'cold' },
  'tenfold-remote': { size: TENFOLD, kind: 'remote' },
} as const satisfies Record<string, Chain>;

export type ChainName = keyof typeof CHAINS;

export function chainOf(name: ChainName): Chain {
  return CHAINS[name];
}

/** The same chain before any node has seen it. */
export function coldOf(name: ChainName): ChainName {
  return name.startsWith('tenfold') ? 'tenfold-cold' : 'event-cold';
}

// The port to the authoritative database: one transaction over every domain's store.
import type { JournalStore } from '../../chain/journal-store.ts';
import type { RewritingStore } from '../../chain/rewriting-store.ts';
import type { LedgerStore } from '../../ledger/ledger-store.ts';
import type { TradeStore } from '../../trade/trade-store.ts';
import type { VaultHeaderStore, VaultStore } from '../../vault/vault-store.ts';
import type { RedeliveryStore } from './redelivery-store.ts';
import type { RestoreStore } from './restore-store.ts';
import type { RollStore } from './roll-store.ts';
import type { SettlementStore } from './settlement-store.ts';

/** Every store, bound to one database transaction (or, for reads, to one consistent view). */
export interface Stores {
  readonly journal: JournalStore;
  readonly ledger: LedgerStore;
  readonly vault: VaultStore;
  readonly vaultHeader: VaultHeaderStore;
  readonly settlements: SettlementStore;
  readonly rolls: RollStore;
  readonly trades: TradeStore;
  readonly restores: RestoreStore;
  readonly rewritings: RewritingStore;
  readonly redeliveries: RedeliveryStore;
}

export interface Database {
  /**
   * Runs the work as one database transaction: when it resolves, everything it wrote is durable; when it throws,
   * nothing of it is. The work awaits nothing but its stores. Transactions are serial; several that wait at once may
   * share one write to disk, each still all or nothing.
   */
  transaction<T>(work: (stores: Stores) => Promise<T>): Promise<T>;
  /** Reads from one consistent view, beside and never behind a writer. */
  read<T>(work: (stores: Stores) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

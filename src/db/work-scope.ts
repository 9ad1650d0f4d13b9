// Hands a unit of work its stores: asynchronous as the ports say, and dead as soon as the work has ended.
import type { Stores } from '../app/ports/database.ts';
import type { Connection } from './connection.ts';
import { SqliteJournalStore } from './sqlite-journal-store.ts';
import { SqliteLedgerStore } from './sqlite-ledger-store.ts';
import { SqliteRedeliveryStore } from './sqlite-redelivery-store.ts';
import { SqliteRestoreStore } from './sqlite-restore-store.ts';
import { SqliteRewritingStore } from './sqlite-rewriting-store.ts';
import { SqliteRollStore } from './sqlite-roll-store.ts';
import { SqliteSettlementStore } from './sqlite-settlement-store.ts';
import { SqliteTradeStore } from './sqlite-trade-store.ts';
import { SqliteVaultHeaderStore } from './sqlite-vault-header-store.ts';
import { SqliteVaultStore } from './sqlite-vault-store.ts';

/** One unit of work: its stores answer only while it is open. */
export class WorkScope {
  #open = true;

  get isOpen(): boolean {
    return this.#open;
  }

  close(): void {
    this.#open = false;
  }

  /** Runs a store's method, whose refusals become rejections. */
  call<T>(method: () => T): Promise<T> {
    return new Promise((resolve) => {
      if (!this.#open) {
        throw new Error('a store was used after its database transaction had ended');
      }
      resolve(method());
    });
  }
}

type Method = (...parameters: readonly unknown[]) => unknown;
type Store = Readonly<Record<string, Method>>;
type StoreClass = new (connection: Connection) => object;

const STORES: { readonly [Name in keyof Stores]: StoreClass } = {
  journal: SqliteJournalStore,
  ledger: SqliteLedgerStore,
  vault: SqliteVaultStore,
  vaultHeader: SqliteVaultHeaderStore,
  settlements: SqliteSettlementStore,
  rolls: SqliteRollStore,
  trades: SqliteTradeStore,
  restores: SqliteRestoreStore,
  rewritings: SqliteRewritingStore,
  redeliveries: SqliteRedeliveryStore,
};

/** The stores as one scope sees them; a work asks for few of them, and only those are made. */
class ScopedStores {
  readonly stores: Readonly<Record<string, object>>;
  readonly scope: WorkScope;

  constructor(stores: Readonly<Record<string, object>>, scope: WorkScope) {
    this.stores = stores;
    this.scope = scope;
  }
}

for (const [name, Store] of Object.entries(STORES)) {
  const Guarded = guard(Store);
  Object.defineProperty(ScopedStores.prototype, name, {
    get(this: ScopedStores) {
      return new Guarded(this.stores[name] as Store, this.scope);
    },
  });
}

/** A class with every public method of the store's, run within a scope. */
function guard(Store: StoreClass): new (store: Store, scope: WorkScope) => object {
  class Guarded {
    readonly store: Store;
    readonly scope: WorkScope;

    constructor(store: Store, scope: WorkScope) {
      this.store = store;
      this.scope = scope;
    }
  }
  const methods = Guarded.prototype as unknown as Record<string, unknown>;
  for (const name of Object.getOwnPropertyNames(Store.prototype)) {
    if (name === 'constructor') continue;
    methods[name] = function (this: Guarded, ...parameters: unknown[]) {
      return this.scope.call(() => this.store[name]?.(...parameters));
    };
  }
  return Guarded;
}

/**
 * The ports' stores over this connection, for one scope after the other. The SQL itself runs synchronously, so no
 * two works ever interleave within a statement of a store.
 */
export function bindStores(connection: Connection): (scope: WorkScope) => Stores {
  const stores = Object.fromEntries(
    Object.entries(STORES).map(([name, Store]) => [name, new Store(connection)]),
  );
  // SAFETY: each store class implements its port with synchronous methods, which `guard` makes asynchronous.
  return (scope) => new ScopedStores(stores, scope) as unknown as Stores;
}

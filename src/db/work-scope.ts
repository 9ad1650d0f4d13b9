// Hands a unit of work its stores: asynchronous as the ports say, and dead as soon as the work has ended.
import type { Stores } from '../app/ports/database.ts';
import type { Connection } from './connection.ts';
import { SqliteJournalStore } from './sqlite-journal-store.ts';
import { SqliteLedgerStore } from './sqlite-ledger-store.ts';
import { SqliteRestoreStore } from './sqlite-restore-store.ts';
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

/**
 * The ports' stores over this connection, for one scope after the other. The SQL itself runs synchronously, so no
 * two works ever interleave within a statement of a store.
 */
export function bindStores(connection: Connection): (scope: WorkScope) => Stores {
  const bound = [
    ['journal', guard(new SqliteJournalStore(connection))],
    ['ledger', guard(new SqliteLedgerStore(connection))],
    ['vault', guard(new SqliteVaultStore(connection))],
    ['vaultHeader', guard(new SqliteVaultHeaderStore(connection))],
    ['settlements', guard(new SqliteSettlementStore(connection))],
    ['rolls', guard(new SqliteRollStore(connection))],
    ['trades', guard(new SqliteTradeStore(connection))],
    ['restores', guard(new SqliteRestoreStore(connection))],
  ] as const satisfies readonly (readonly [keyof Stores, object])[];
  return (scope) => {
    const stores: Record<string, unknown> = {};
    for (const [name, prototype] of bound) {
      stores[name] = Object.create(prototype, { scope: { value: scope } });
    }
    // SAFETY: each store class implements its port with synchronous methods, which `guard` makes asynchronous.
    return stores as unknown as Stores;
  };
}

/** A prototype with every public method of the store, run within the scope of whoever inherits it. */
function guard(store: object): object {
  const methods = store as Readonly<Record<string, Method>>;
  const guarded: Record<string, unknown> = {};
  for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(store))) {
    const method = methods[name];
    if (name === 'constructor' || method === undefined) continue;
    guarded[name] = function (this: { scope: WorkScope }, ...parameters: unknown[]) {
      return this.scope.call(() => method.apply(store, parameters));
    };
  }
  return guarded;
}

// The vault's header in SQLite: one row, replaced when the operator's key changes.
import { sql } from 'kysely';
import type { VaultHeader, VaultHeaderStore } from '../vault/vault-store.ts';
import type { Connection } from './connection.ts';
import { query, statement } from './statement.ts';
import type { Synchronous } from './synchronous.ts';

const findHeader = statement(() =>
  query
    .selectFrom('vault_header')
    .select(['kdf', 'parameters', 'salt', 'wrapped_key as wrappedKey']),
);
const insertHeader = statement((header: VaultHeader) =>
  query.insertInto('vault_header').values({
    id: sql.lit(1),
    kdf: header.kdf,
    parameters: header.parameters,
    salt: header.salt,
    wrapped_key: header.wrappedKey,
  }),
);

const replaceHeader = statement((header: VaultHeader) =>
  query.updateTable('vault_header').set({
    kdf: header.kdf,
    parameters: header.parameters,
    salt: header.salt,
    wrapped_key: header.wrappedKey,
  }),
);

export class SqliteVaultHeaderStore implements Synchronous<VaultHeaderStore> {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  findHeader(): VaultHeader | undefined {
    return this.#connection.first(findHeader, {});
  }

  insertHeader(header: VaultHeader): void {
    this.#connection.run(insertHeader, header);
  }

  replaceHeader(header: VaultHeader): void {
    this.#connection.run(replaceHeader, header);
  }
}

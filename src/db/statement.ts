// A query written with kysely's types, compiled once for the program, prepared once for a connection.
import {
  DummyDriver,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type Compilable,
  type RawBuilder,
} from 'kysely';
import type { Schema } from './schema.ts';

/** Writes queries; it has no connection and can run none. */
export const query = new Kysely<Schema>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});

/** Stands in a query for the value that a run will bind. */
class Parameter {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** SQL text, and what to bind to each of its `?`. */
export class Statement<Parameters, Row> {
  readonly sql: string;
  readonly #slots: readonly unknown[];
  /** Never set; lets the compiler tell statements of different rows apart. */
  declare readonly row: Row;

  constructor(sql: string, slots: readonly unknown[]) {
    this.sql = sql;
    this.#slots = slots;
  }

  /** The values of a run in the order of the placeholders. */
  bind(parameters: Parameters): unknown[] {
    const values = parameters as Readonly<Record<string, unknown>>;
    return this.#slots.map((slot) => (slot instanceof Parameter ? values[slot.name] : slot));
  }
}

// Each property is a placeholder of that name. It is only ever handed to kysely, which passes values on unseen.
const placeholders = new Proxy(
  {},
  { get: (_target, name) => (typeof name === 'string' ? new Parameter(name) : undefined) },
);

/**
 * Compiles a query. `build` sees typed parameters, but gets placeholders: it may hand them to the query and nothing
 * else. Building a query costs many times what running it does, hence once.
 */
export function statement<Parameters, Row>(
  build: (parameters: Parameters) => Compilable<Row>,
): Statement<Parameters, Row> {
  const { sql, parameters } = build(placeholders as Parameters).compile();
  return new Statement(sql, parameters);
}

/** The same for a query in plain SQL, for what the builder cannot say. */
export function rawStatement<Parameters, Row>(
  build: (parameters: Parameters) => RawBuilder<Row>,
): Statement<Parameters, Row> {
  const { sql, parameters } = build(placeholders as Parameters).compile(query);
  return new Statement(sql, parameters);
}

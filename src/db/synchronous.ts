// The shape of a port's store whose methods answer at once, as better-sqlite3 does.

/** The store's methods, returning what the port promises instead of promising it. */
export type Synchronous<Store> = {
  readonly [Name in keyof Store]: Store[Name] extends (
    ...parameters: infer Parameters
  ) => Promise<infer Result>
    ? (...parameters: Parameters) => Result
    : never;
};

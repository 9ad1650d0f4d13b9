// The port to the log: the part of pino's interface that the program uses.

type LogMethod = (facts: object, message: string) => void;

/** Structured logging: facts first, then a sentence. Secrets never go in. */
export interface Logger {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
}

/** A logger that says nothing. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

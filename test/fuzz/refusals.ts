// What a parser may do with an input that it does not take: refuse it in the table's words, and nothing else.
import { AppError, ERRORS, type ErrorCode } from '../../src/shared/errors.ts';
import { must } from './target.ts';

const MAX_MESSAGE = 2_000;

/**
 * Runs a parser that may refuse with these codes.
 * @returns what it returned, undefined when it refused.
 * @throws whatever else it threw.
 */
export function refusing<Value>(codes: readonly ErrorCode[], run: () => Value): Value | undefined {
  try {
    return run();
  } catch (error) {
    checkRefusal(codes, error);
    return undefined;
  }
}

/** The same for a parser that takes its time. */
export async function refusingLater<Value>(
  codes: readonly ErrorCode[],
  run: () => Promise<Value>,
): Promise<Value | undefined> {
  try {
    return await run();
  } catch (error) {
    checkRefusal(codes, error);
    return undefined;
  }
}

function checkRefusal(codes: readonly ErrorCode[], error: unknown): void {
  if (!(error instanceof AppError) || !codes.includes(error.code)) throw error;
  const placeholders = ERRORS[error.code].message.match(/(?<=\{)\w+(?=\})/g) ?? [];
  must(
    placeholders.every((name) => Object.hasOwn(error.data, name)),
    'a refusal has its facts',
  );
  must(error.message.isWellFormed(), 'a refusal is well-formed text');
  // A configuration's faults are one a line, and many.
  must(
    error.code === 'CONFIG_INVALID' || error.message.length <= MAX_MESSAGE,
    'a refusal is short, however long the input is',
  );
}

/** True for what JSON.parse takes. */
export function parsesAsJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The bytes of an input that has one character a byte. */
export const bytesOf = (input: string): Buffer => Buffer.from(input, 'latin1');

/** Bytes as an input. */
export const inputOf = (bytes: Uint8Array | string): string =>
  Buffer.from(bytes as string).toString('latin1');

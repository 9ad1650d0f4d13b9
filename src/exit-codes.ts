// What the process tells its caller when it ends: the codes of sysexits.h.
import { AppError, type ErrorKind } from './shared/errors.ts';

const EXIT_CODES: Readonly<Record<ErrorKind, number>> = {
  invalid: 78,
  unauthenticated: 77,
  forbidden: 77,
  missing: 66,
  conflict: 75,
  'too-large': 65,
  throttled: 75,
  unavailable: 69,
  damaged: 65,
};
const FAULT = 70;

/** The exit code of an error that ended the process. */
export function exitCodeOf(error: unknown): number {
  return error instanceof AppError ? EXIT_CODES[error.kind] : FAULT;
}

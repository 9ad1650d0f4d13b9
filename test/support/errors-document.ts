// Makes docs/errors.md from the table of error codes, so that the two cannot drift apart.
import { ERRORS } from '../../src/shared/errors.ts';
import { statusOf } from '../../src/http/errors.ts';
import { exitCodeOf } from '../../src/exit-codes.ts';
import { AppError, type ErrorCode } from '../../src/shared/errors.ts';

const HEAD = `# Errors

Every expected error is one row of the table in \`src/shared/errors.ts\`; this page is made from it by
\`UPDATE_DOCS=1 npm test -- test/docs\` and checked by that test. Anything else is a fault: a bug, answered with a
reference that stands in the log (HTTP 500 with the code \`FAULT\`, exit code 70).

The message says what stopped, what is true now and what to do. “Again” tells whether the very same request may
succeed later without anyone changing it.

| code | kind | HTTP | exit | again | message |
| --- | --- | --- | --- | --- | --- |
`;

/** The whole text of docs/errors.md. */
export function errorsDocument(): string {
  const rows = Object.entries(ERRORS).map(([code, { kind, retryable, message }]) => {
    const error = new AppError(code as ErrorCode);
    const text = message.replaceAll('|', '\\|').replaceAll('\n', ' ');
    const numbers = `${statusOf(error)} | ${exitCodeOf(error)}`;
    return `| \`${code}\` | ${kind} | ${numbers} | ${retryable ? 'yes' : 'no'} | ${text} |`;
  });
  return `${HEAD}${rows.join('\n')}\n`;
}

// Holds the table of expected errors to its rules: messages are filled, and say what stopped and what is true now.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AppError, ERRORS, hasCode } from '../../src/shared/errors.ts';
import type { ErrorCode } from '../../src/shared/errors.ts';

const rows = Object.entries(ERRORS) as [ErrorCode, (typeof ERRORS)[ErrorCode]][];
const placeholders = (message: string): string[] =>
  [...message.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);

describe.each(rows)('%s', (code, { message, retryable, kind }) => {
  test('is named in capitals after a state', () => {
    expect(code).toMatch(/^[A-Z]+(?:_[A-Z]+)+$/);
  });

  test('says in its first sentence what stopped', () => {
    expect(message).toMatch(/^[A-Z“{][^\n]{12,}?[.:](?:\s|$)/);
  });

  test('ends as a sentence, or with what the case adds', () => {
    expect(message).toMatch(/(?:\.|\{\w+\})$/);
  });

  test('says what is true now', () => {
    expect(message).toMatch(/\b[Nn]othing\b|\bhas frozen\b/);
  });

  test('fills all its placeholders', () => {
    const data = Object.fromEntries(placeholders(message).map((name, i) => [name, `value-${i}`]));
    const filled = new AppError(code, data).message;
    expect(filled).not.toMatch(/[{}]/);
    expect(Object.values(data).filter((value) => !filled.includes(value))).toEqual([]);
  });

  test('carries its kind and whether a repeat may succeed', () => {
    const error = new AppError(code);
    expect(error).toMatchObject({ code, kind, retryable, name: 'AppError' });
  });
});

describe('An expected error', () => {
  test('shows numbers, and a placeholder that has no value as it is', () => {
    expect(new AppError('AUDIT_FAILED', { count: 3 }).message).toContain('found 3 things');
    expect(new AppError('AUDIT_FAILED').message).toContain('{count}');
  });

  test('takes values as they are: no pattern, no placeholder and no inherited name in them counts', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.constantFrom('$&', '$1', '{count}', '{amount}')),
        (amount) => {
          const [before, after] = ERRORS.AMOUNT_INVALID.message.split('{amount}') as [
            string,
            string,
          ];
          expect(new AppError('AMOUNT_INVALID', { amount }).message).toBe(
            `${before}${amount}${after}`,
          );
        },
      ),
    );
  });

  test('quotes the beginning of a long fact, and all of what is wrong with a configuration', () => {
    const long = 'x'.repeat(10_000);
    const { message, data } = new AppError('BEACON_UNUSABLE', { beacon: long, reason: 'r' });
    expect(message).toContain(`${'x'.repeat(700)}…`);
    expect(message.length).toBeLessThan(1_000);
    expect(data['beacon']).toBe(long);
    expect(new AppError('CONFIG_INVALID', { faults: long }).message).toContain(long);
  });

  test('keeps its cause', () => {
    const cause = new Error('below');
    expect(new AppError('BEACON_UNREACHABLE', {}, { cause }).cause).toBe(cause);
  });

  test('is told by its code from others and from faults', () => {
    const error: unknown = new AppError('QUEUE_FULL');
    expect(hasCode(error, 'QUEUE_FULL')).toBe(true);
    expect(hasCode(error, 'ASSET_BUSY')).toBe(false);
    expect(hasCode(new Error('QUEUE_FULL'), 'QUEUE_FULL')).toBe(false);
    expect(hasCode({ code: 'QUEUE_FULL' }, 'QUEUE_FULL')).toBe(false);
    expect(hasCode(undefined, 'QUEUE_FULL')).toBe(false);
  });
});

// The custom id codec.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  encodeCustomId,
  MAX_CUSTOM_ID_LENGTH,
  parseCustomId,
} from '../../src/discord/custom-id.ts';

const customId = fc.record({
  kind: fc.stringMatching(/^[a-z][a-z-]{0,15}$/),
  id: fc.stringMatching(/^[A-Za-z0-9._-]{1,48}$/),
  version: fc.integer({ min: 0, max: 9_999_999_999 }),
  action: fc.stringMatching(/^[a-z][a-z-]{0,15}$/),
});

describe('a custom id', () => {
  test('comes back from its text as it went in, within the limit of Discord', () => {
    fc.assert(
      fc.property(customId, (parts) => {
        const text = encodeCustomId(parts);
        expect(text.length).toBeLessThanOrEqual(MAX_CUSTOM_ID_LENGTH);
        expect(parseCustomId(text)).toEqual(parts);
      }),
    );
  });

  test('is read only from a text that the encoder writes', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 120 }), (text) => {
        const parsed = parseCustomId(text);
        expect(parsed === undefined || encodeCustomId(parsed) === text).toBe(true);
      }),
    );
  });

  test.each([
    'v2:trade:K7Q2:1:lock',
    'v1:trade:K7Q2:01:lock',
    'v1:trade:K7Q2:-1:lock',
    'v1:trade:K7Q2:1.5:lock',
    'v1:trade::1:lock',
    'v1:trade:K7Q2:1:lock:more',
    'v1:trade:K 7:1:lock',
    'trade:accept:12',
    '',
  ])('is not read from %j', (text) => {
    expect(parseCustomId(text)).toBeUndefined();
  });

  test('with a part that the format does not allow is a fault', () => {
    expect(() => encodeCustomId({ kind: 'trade', id: 'a:b', version: 1, action: 'x' })).toThrow(
      'Not a custom id',
    );
  });
});

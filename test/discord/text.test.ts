// Clipping and escaping of what members and assets are called.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { clip, code, escapeName, joinWithin } from '../../src/discord/rendering/text.ts';

const anyText = fc.string({ unit: 'grapheme', maxLength: 300 });

describe('clip', () => {
  test('keeps within the limit and never cuts a character in half', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 200 }), (text, max) => {
        const clipped = clip(text, max);
        expect(clipped.length).toBeLessThanOrEqual(max);
        expect(clipped.isWellFormed()).toBe(text.isWellFormed());
      }),
    );
  });

  test('leaves a text that fits as it is', () => {
    expect(clip('exact', 5)).toBe('exact');
  });
});

describe('escapeName', () => {
  test('leaves no mention, no link and no line of its own', () => {
    fc.assert(
      fc.property(anyText, (name) => {
        const escaped = escapeName(`<@123>@everyone https://x.example ${name}`);
        expect(escaped).not.toMatch(/(^|[^\\])<@|@everyone|:\/\/|\n/);
        expect(escaped.length).toBeGreaterThan(0);
      }),
    );
  });

  test('takes markdown by its word', () => {
    expect(escapeName('**bold** _it_ `code` ||spoiler||')).toBe(
      '\\*\\*bold\\*\\* \\_it\\_ \\`code\\` \\|\\|spoiler\\|\\|',
    );
  });

  test('drops what turns the direction of a text', () => {
    expect(escapeName('abc\u202Ecba')).toBe('abc cba');
  });

  test('names what has no visible name', () => {
    expect(escapeName('\u200b \n')).toBe('(no name)');
  });

  test('never ends in half an escape', () => {
    fc.assert(
      fc.property(fc.nat(100), (length) => {
        expect(escapeName('*'.repeat(length + 1))).not.toMatch(/(^|[^\\])\\…$/);
      }),
    );
  });
});

describe('code', () => {
  test('cannot be left by what it shows', () => {
    expect(code('a`b')).toBe('`aˋb`');
  });
});

describe('joinWithin', () => {
  test('keeps whole lines and counts the rest', () => {
    expect(joinWithin(['one', 'two', 'three'], 20)).toBe('one\ntwo\nthree');
    expect(joinWithin(['first', 'second', 'third one is long'], 24)).toBe('first\n…and 2 more');
  });

  test('keeps within the limit', () => {
    fc.assert(
      fc.property(fc.array(anyText), fc.integer({ min: 20, max: 400 }), (lines, max) => {
        expect(joinWithin(lines, max).length).toBeLessThanOrEqual(max);
      }),
    );
  });
});

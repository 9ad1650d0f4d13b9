// The answers that are kept: never older than the chain, never more than there is room for.
import { beforeEach, describe, expect, test } from '@jest/globals';
import { AnswerCache } from '../../src/http/answer-cache.ts';

describe('kept answers', () => {
  let revision: number;
  let rendered: number;
  let cache: AnswerCache;

  beforeEach(() => {
    revision = 0;
    rendered = 0;
    cache = new AnswerCache(() => revision);
  });

  const ask = (asked: string, bytes = 1): Buffer =>
    cache.get(asked, () => {
      rendered += 1;
      return 'x'.repeat(bytes);
    });

  test('are made once while the chain stands still', () => {
    expect([ask('/a'), ask('/a')].map(String)).toEqual(['x', 'x']);
    expect(rendered).toBe(1);
  });

  test('are of one question each', () => {
    ask('/a');
    ask('/b');
    expect(rendered).toBe(2);
  });

  test('are made anew after any change of the chain', () => {
    ask('/a');
    revision += 1;
    ask('/a');
    expect(rendered).toBe(2);
  });

  test('are dropped when they fill their room, and kept again', () => {
    const most = 15 * 1024 * 1024;
    ask('/a', most);
    ask('/b', most);
    expect(rendered).toBe(2);
    ask('/b', most);
    ask('/b', most);
    expect(rendered).toBe(3);
  });

  test('are not kept when they could not be made', () => {
    const fail = (): string => {
      throw new Error('no such depth');
    };
    expect(() => cache.get('/a', fail)).toThrow('no such depth');
    expect(ask('/a').toString()).toBe('x');
  });
});

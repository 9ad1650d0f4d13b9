// API tokens: what is made, what is kept, and that checking one costs a stranger's guess nothing.
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { addToken, listTokens, removeToken } from '../../src/cli/token.ts';
import { parseConfig } from '../../src/config.ts';
import { dataFiles } from '../../src/core.ts';
import {
  ApiTokenFile,
  ApiTokens,
  makeApiToken,
  parseApiTokens,
  printApiTokens,
} from '../../src/http/api-tokens.ts';
import { tempDir } from '../support/temp-dir.ts';

/** The longest that a refusal without argon2 may take on the slowest machine; one argon2 takes longer than a hundred. */
const GUESSES = 2_000;

const secretOf = (token: string): string => token.slice('aibot_12345678_'.length);

describe('an API token', () => {
  test('has 256 random bits, and only its argon2id hash is kept', async () => {
    const { token, kept } = await makeApiToken('ci');
    expect(token).toMatch(/^aibot_[0-9a-f]{8}_[\w-]{43}$/);
    expect(Buffer.from(secretOf(token), 'base64url')).toHaveLength(32);
    expect(kept.phc).toMatch(/^\$argon2id\$v=19\$m=19456,p=1,t=2\$/);
    expect(printApiTokens([kept])).not.toContain(secretOf(token));
    expect((await makeApiToken('ci')).token).not.toBe(token);
  });

  test('is known by its name, again and again, and no other is', async () => {
    const [one, two, stranger] = await Promise.all(['one', 'two', 'x'].map(makeApiToken));
    const tokens = new ApiTokens([one!.kept, two!.kept]);
    for (let round = 0; round < 2; round += 1) {
      expect(await tokens.verify(one!.token)).toBe('one');
      expect(await tokens.verify(two!.token)).toBe('two');
    }
    // The id of one with the secret of another, also once both secrets are remembered.
    const mixed = one!.token.slice(0, 15) + secretOf(two!.token);
    const cut = one!.token.slice(0, -1);
    for (const wrong of [
      stranger!.token,
      mixed,
      cut,
      `${one!.token}x`,
      '',
      'aibot_',
      'é'.repeat(58),
    ])
      expect(await tokens.verify(wrong)).toBeUndefined();
  });

  test('that only answers the check is still refused by argon2', async () => {
    const [one, other] = await Promise.all(['one', 'other'].map(makeApiToken));
    const tokens = new ApiTokens([{ ...one!.kept, check: other!.kept.check }]);
    const forged = one!.token.slice(0, 15) + secretOf(other!.token);
    expect(await tokens.verify(forged)).toBeUndefined();
    // The right secret no longer answers the altered check.
    expect(await tokens.verify(one!.token)).toBeUndefined();
  });

  test('guessed thousands of times makes no argon2 run, even by who knows its id', async () => {
    const { token, kept } = await makeApiToken('ci');
    // A hash that would throw if argon2 were ever asked about it.
    const tokens = new ApiTokens([{ ...kept, phc: 'no hash' }]);
    for (let n = 0; n < GUESSES; n += 1) {
      const guess = token.slice(0, 15) + Buffer.alloc(32, String(n)).toString('base64url');
      expect(await tokens.verify(guess)).toBeUndefined();
    }
    await expect(tokens.verify(token)).rejects.toThrow();
  });

  test('costs one argon2 however often, and however many at once, it is used', async () => {
    const { token, kept } = await makeApiToken('ci');
    const row = { ...kept };
    const tokens = new ApiTokens([row]);
    const first = await Promise.all(Array.from({ length: 50 }, () => tokens.verify(token)));
    expect(first).toEqual(Array<string>(50).fill('ci'));
    // From now on argon2 would throw.
    Object.assign(row, { phc: 'no hash' });
    expect(await tokens.verify(token)).toBe('ci');
  });

  test.each(['', 'two words', 'a/b', 'x'.repeat(65), 'é', '../x', 'a\nb'])(
    'is not made with the name %j',
    async (name) => {
      await expect(makeApiToken(name)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    },
  );
});

describe('the file of API tokens', () => {
  test('reads what it printed, and refuses every line that is none', async () => {
    const kept = await Promise.all(['a', 'b'].map(async (name) => (await makeApiToken(name)).kept));
    const text = printApiTokens(kept);
    expect(parseApiTokens(text, 'f')).toEqual(kept);
    for (const bad of [
      'x',
      'a 1 2 3',
      text.replaceAll('$argon2id', '$argon2i'),
      `${text}trailing`,
    ]) {
      expect(() => parseApiTokens(bad, 'f')).toThrow('has a line that is no token');
    }
  });

  test('is its owner’s alone, whatever mode it had, and in it a name stands once', async () => {
    const config = parseConfig({ DATA_DIR: join(tempDir(), 'data') });
    const file = dataFiles(config.dataDir).apiTokens;
    await addToken(config, 'ci');
    chmodSync(file, 0o666);
    await addToken(config, 'cd');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(config.dataDir).mode & 0o777).toBe(0o700);
    await expect(addToken(config, 'ci')).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    expect(await listTokens(config)).toEqual(['ci', 'cd']);
  });

  test('is read again when it changes: a token that was taken back opens nothing', async () => {
    const config = parseConfig({ DATA_DIR: tempDir() });
    const file = dataFiles(config.dataDir).apiTokens;
    const tokens = new ApiTokenFile(file);
    expect(tokens.current()).toBeUndefined();
    const token = await addToken(config, 'ci');
    expect(await tokens.current()?.verify(token)).toBe('ci');
    await removeToken(config, 'ci');
    expect(await tokens.current()?.verify(token)).toBeUndefined();
    // The last one is gone, but what needed a token is not open again.
    expect(tokens.current()).toBeDefined();
    await expect(removeToken(config, 'ci')).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });

  test('lets nobody pass while it is damaged, also those whom it knew', async () => {
    const config = parseConfig({ DATA_DIR: tempDir() });
    const file = dataFiles(config.dataDir).apiTokens;
    await addToken(config, 'ci');
    const tokens = new ApiTokenFile(file);
    tokens.current();
    const whole = readFileSync(file);
    writeFileSync(file, `${whole.toString()}damaged\n`);
    for (let n = 0; n < 2; n += 1)
      expect(() => tokens.current()).toThrow('has a line that is no token');
    await expect(addToken(config, 'more')).rejects.toMatchObject({ code: 'API_TOKENS_INVALID' });
    rmSync(file);
    expect(tokens.current()).toBeUndefined();
  });
});

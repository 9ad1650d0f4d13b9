// What a remote may send is read without a fault, whatever it is.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Advertisements, parseAdvertisement } from '../../src/git/advertisement.ts';
import { parseCommit } from '../../src/git/branch-reader.ts';
import { parseRemoteUrl, redact } from '../../src/git/remote-url.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);

describe('an advertisement', () => {
  test('gives branches and tags by their short names, an annotated tag by its commit', async () => {
    const lines = [
      `${A}\trefs/heads/main`,
      `${A}\trefs/heads/with/slash`,
      `${A}\trefs/tags/annotated`,
      `${B}\trefs/tags/annotated^{}`,
      `${B}\trefs/tags/light`,
      `${A}\trefs/notes/x`,
      `${A}\tHEAD`,
    ];
    const { branches, tags } = await parseAdvertisement(Buffer.from(lines.join('\n')));
    expect(Object.fromEntries(branches)).toEqual({ main: A, 'with/slash': A });
    expect(Object.fromEntries(tags)).toEqual({ annotated: B, light: B });
  });

  test.each([
    [
      'a name that is not UTF-8',
      Buffer.concat([Buffer.from(`${A}\trefs/heads/x`), Buffer.of(0xff)]),
    ],
    ['a control character', Buffer.from(`${A}\trefs/heads/x\u0007`)],
    ['an id that is none', Buffer.from('--upload-pack=x\trefs/heads/x')],
    ['no tab', Buffer.from(`${A} refs/heads/x`)],
  ])('leaves out a line with %s', async (_, line) => {
    const { branches } = await parseAdvertisement(Buffer.concat([line, Buffer.from('\n')]));
    expect(branches.size).toBe(0);
  });

  test('of any bytes is read without a throw', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
        expect((await parseAdvertisement(Buffer.from(bytes))).tags).toBeInstanceOf(Map);
      }),
    );
  });

  test('of megabytes is read whole, and lets others have their turn meanwhile', async () => {
    const lines = Array.from({ length: 10_000 }, (_, n) => `${A}\trefs/heads/branch-${n}\n`);
    let turns = 0;
    const count = (): void => {
      turns += 1;
      turn = setImmediate(count);
    };
    let turn = setImmediate(count);
    const { branches } = await parseAdvertisement(Buffer.from(lines.join('')));
    clearImmediate(turn);
    expect(branches.size).toBe(10_000);
    expect(turns).toBeGreaterThan(0);
  });

  test('is taken apart again only when its bytes have changed', async () => {
    const advertisements = new Advertisements();
    const listing = (id: string): Buffer => Buffer.from(`${id}\trefs/heads/main\n`);
    const first = await advertisements.read(listing(A));
    expect(await advertisements.read(listing(A))).toBe(first);
    const second = await advertisements.read(listing(B));
    expect([first.branches.get('main'), second.branches.get('main')]).toEqual([A, B]);
  });
});

describe('a commit object', () => {
  test('gives its parents in order and its message without the last line break', () => {
    const text = `tree ${A}\nparent ${A}\nparent ${B}\nauthor x <x> 1 +0000\ncommitter x <x> 1 +0000\n\nwords\nparent ${A}\n`;
    expect(parseCommit(Buffer.from(text))).toEqual({
      parents: [A, B],
      message: `words\nparent ${A}`,
    });
  });

  test('of any bytes is read without a throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(typeof parseCommit(Buffer.from(bytes)).message).toBe('string');
      }),
    );
  });
});

describe('a URL', () => {
  test.each([
    ['https://user:pass@example.org/x.git?token=y', 'https', 'https://example.org/x.git'],
    ['ssh://git@example.org:2222/x.git', 'ssh', 'ssh://example.org:2222/x.git'],
    ['git@example.org:x/y.git', 'ssh', 'example.org:x/y.git'],
    ['file:///srv/beacon.git', 'path', '/srv/beacon.git'],
    ['/srv/with:colon', 'path', '/srv/with:colon'],
    ['./with:colon', 'path', `${process.cwd()}/with:colon`],
  ])('%s is read as %s and shown as %s', (url, transport, description) => {
    expect(parseRemoteUrl(url)).toMatchObject({ transport, description });
  });

  test('within what git says loses its credentials', () => {
    for (const credentials of ['u', 'u:p', 'u:p@ss', ':@']) {
      const said = `fatal: unable to access 'https://${credentials}@example.org/x/': no`;
      expect(redact(said)).toBe(`fatal: unable to access 'https://example.org/x/': no`);
    }
  });
});

// Signatures checked here, held against those that ssh itself makes.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkSignature } from '../../src/git/check-signature.ts';
import { makeSshKey, type KEY_KINDS } from '../support/ssh-keys.ts';
import { tempDir } from '../support/temp-dir.ts';

const PAYLOAD = Buffer.from('tree and parent\n\nmessage');

/** What `ssh-keygen -Y sign` makes of the payload, and the public key. */
function signByKeygen(
  kind: keyof typeof KEY_KINDS,
  options: readonly string[] = [],
): { readonly armored: string; readonly publicKey: string } {
  const { file, publicKey } = makeSshKey(kind);
  const payload = join(tempDir(), 'payload');
  writeFileSync(payload, PAYLOAD);
  const args = ['-Y', 'sign', '-q', '-f', file, '-n', 'git', ...options, payload];
  execFileSync('ssh-keygen', args, { stdio: 'ignore' });
  return { armored: readFileSync(`${payload}.sig`, 'utf8'), publicKey };
}

const decode = (armored: string): Buffer =>
  Buffer.from(armored.split('\n').slice(1, -2).join(''), 'base64');
const encode = (blob: Buffer): string =>
  `-----BEGIN SSH SIGNATURE-----\n${blob.toString('base64')}\n-----END SSH SIGNATURE-----\n`;

describe.each(['ed25519', 'rsa'] as const)('a signature by an %s key', (kind) => {
  test.each(['sha512', 'sha256'])('over %s is good, and names its key', async (hash) => {
    const { armored, publicKey } = signByKeygen(kind, ['-O', `hashalg=${hash}`]);
    expect(await checkSignature(armored, PAYLOAD)).toEqual({ state: 'good', publicKey });
  });

  test('is wrong for any other payload', async () => {
    const { armored } = signByKeygen(kind);
    const other = Buffer.from(`${PAYLOAD.toString()}.`);
    expect(await checkSignature(armored, other)).toMatchObject({ state: 'wrong' });
  });

  test('with any one byte changed is no longer good', async () => {
    const blob = decode(signByKeygen(kind).armored);
    const place = fc.nat(blob.length - 1);
    await fc.assert(
      fc.asyncProperty(place, fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const bytes = Buffer.from(blob);
        bytes[at]! ^= change;
        expect((await checkSignature(encode(bytes), PAYLOAD)).state).not.toBe('good');
      }),
      { numRuns: 300 },
    );
  });
});

test('a signature by a key of another kind is not checked', async () => {
  const { armored } = signByKeygen('ecdsa');
  expect(await checkSignature(armored, PAYLOAD)).toEqual({ state: 'other-kind' });
});

test('bytes of any form are judged without a throw', async () => {
  const head = Buffer.from('SSHSIG\0\0\0\x01');
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      const [bare, headed] = [Buffer.from(bytes), Buffer.concat([head, bytes])];
      for (const text of [bare.toString('latin1'), encode(bare), encode(headed)]) {
        expect((await checkSignature(text, PAYLOAD)).state).toBe('wrong');
      }
    }),
  );
});

// Successor passphrases: how one is made, hashed for the chain, and checked when it is presented.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import argon2 from 'argon2';

const SHA512_HEX = /^[0-9a-f]{128}$/;
const PASSPHRASE_BYTES = 24;

/** A fresh successor passphrase: 192 bits from node:crypto as 32 characters of URL-safe base64. */
export function generatePassphrase(): string {
  return randomBytes(PASSPHRASE_BYTES).toString('base64url');
}

/** The form that every existing node checks: SHA-512 of the passphrase's UTF-8 bytes in lowercase hex. */
export function hashPassphrase(passphrase: string): string {
  return createHash('sha512').update(passphrase, 'utf8').digest('hex');
}

/**
 * Tells whether a passphrase answers a successor hash, in time that does not depend on how nearly it does. The form of
 * the hash says which it is: SHA-512 hex, or an argon2 PHC string.
 */
export async function answersHash(passphrase: string, successorHash: string): Promise<boolean> {
  if (SHA512_HEX.test(successorHash)) {
    return timingSafeEqual(
      Buffer.from(hashPassphrase(passphrase), 'hex'),
      Buffer.from(successorHash, 'hex'),
    );
  }
  return await argon2.verify(successorHash, passphrase);
}

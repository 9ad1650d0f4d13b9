// Successor passphrases: how one is made, hashed for the chain, and checked when it is presented.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import argon2 from 'argon2';

const SHA512_HEX = /^[0-9a-f]{128}$/;
const PASSPHRASE_BYTES = 24;
/** What checking an argon2 hash may cost: a hash on the chain is anybody's, and must not take the machine's memory. */
const MAX_MEMORY_KIB = 256 * 1024;
const MAX_PASSES = 16;
const MAX_LANES = 16;
const MAX_COSTS = new Map([
  ['m', MAX_MEMORY_KIB],
  ['t', MAX_PASSES],
  ['p', MAX_LANES],
]);
const ARGON2 = /^\$argon2(?:id|i|d)\$v=\d+\$([a-z0-9=,]+)\$/;

/** True for the form that the passphrase itself can be checked with by anybody, once it is revealed. */
export function isPlainHash(successorHash: string): boolean {
  return SHA512_HEX.test(successorHash);
}

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
 * the hash says which it is: SHA-512 hex, or an argon2 PHC string. Nothing answers a hash that is damaged or too dear.
 */
export async function answersHash(passphrase: string, successorHash: string): Promise<boolean> {
  if (isPlainHash(successorHash)) {
    return timingSafeEqual(
      Buffer.from(hashPassphrase(passphrase), 'hex'),
      Buffer.from(successorHash, 'hex'),
    );
  }
  if (!isAffordable(successorHash)) return false;
  try {
    return await argon2.verify(successorHash, passphrase);
  } catch {
    // The hash is no hash: nothing answers it.
    return false;
  }
}

/** True when the hash names each cost once, in whatever order, and none of them is beyond its limit. */
function isAffordable(successorHash: string): boolean {
  const costs = (ARGON2.exec(successorHash)?.[1] ?? '').split(',').map((part) => part.split('='));
  const isWithin = ([name = '', cost = '']: readonly string[]): boolean =>
    /^\d{1,9}$/.test(cost) && Number(cost) <= (MAX_COSTS.get(name) ?? -1);
  const names = new Set(costs.map(([name]) => name));
  return names.size === MAX_COSTS.size && costs.length === names.size && costs.every(isWithin);
}

// Authenticated encryption: AES-256-GCM with a random nonce, bound to a context that is not part of the message.
import {
  createCipheriv,
  createDecipheriv,
  hkdfSync,
  createSecretKey,
  randomBytes,
  type KeyObject,
} from 'node:crypto';

export const KEY_BYTES = 32;

const CIPHER = 'aes-256-gcm';
/** The first byte of a sealed message, so that another form can come later. */
const FORM = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + NONCE_BYTES + TAG_BYTES;

/** What a message belongs to. JSON keeps the parts apart: two different contexts never give the same bytes. */
export type Context = readonly string[];

/** Seals a message: form, nonce, tag, ciphertext. Only the same key and context open it. */
export function seal(key: KeyObject, message: Uint8Array, context: Context): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associatedData(context));
  const body = Buffer.concat([cipher.update(message), cipher.final()]);
  return Buffer.concat([Buffer.of(FORM), nonce, cipher.getAuthTag(), body]);
}

/** @returns the message, or undefined when key, context or bytes are not those of the sealing. */
export function unseal(key: KeyObject, sealed: Uint8Array, context: Context): Buffer | undefined {
  if (sealed.length < HEAD_BYTES || sealed[0] !== FORM) return undefined;
  const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(associatedData(context));
  decipher.setAuthTag(sealed.subarray(1 + NONCE_BYTES, HEAD_BYTES));
  const body = decipher.update(sealed.subarray(HEAD_BYTES));
  try {
    return Buffer.concat([body, decipher.final()]);
  } catch {
    // That the tag does not fit is all that node:crypto has to say here; the caller knows what it means.
    return undefined;
  }
}

/** A key for one purpose; keys of different purposes tell nothing about each other or about the root. */
export function deriveKey(
  root: KeyObject | Uint8Array,
  purpose: string,
  salt: Uint8Array = new Uint8Array(),
): Buffer {
  return Buffer.from(hkdfSync('sha256', root, salt, purpose, KEY_BYTES));
}

/** Takes a key's bytes out of the open: what is left prints nothing, and the buffer is wiped. */
export function enclose(bytes: Buffer): KeyObject {
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return key;
}

function associatedData(context: Context): Buffer {
  return Buffer.from(JSON.stringify(context), 'utf8');
}

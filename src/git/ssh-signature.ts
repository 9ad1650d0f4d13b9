// Signs commits with an ssh key, in the form that `git verify-commit` and `ssh-keygen -Y verify` check.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { promisify } from 'node:util';

/** Signs what a validator writes. The same payload always gets the same signature. */
export interface CommitSigner {
  /** The public key as ssh writes it on one line, without a comment: `ssh-ed25519 AAAA…`. */
  readonly publicKey: string;
  /** An armoured signature, its last line break included. */
  sign(payload: Buffer): Promise<string>;
}

/** Off the event loop: a large RSA key takes milliseconds for each signature. */
const signApart = promisify<string | undefined, Buffer, KeyObject, Buffer>(sign);
/** What OpenSSH's PROTOCOL.sshsig begins each signature, and what is signed, with. */
export const MAGIC = Buffer.from('SSHSIG');
export const FORMAT_VERSION = 1;
/** What the signature is for; a signature of another program's is none of a commit. */
export const NAMESPACE = 'git';
const HASH = 'sha512';
const ARMOR_COLUMNS = 70;
/** The head of an Ed25519 private key in PKCS #8 (RFC 8410); the seed of 32 bytes follows it. */
const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const SEED_BYTES = 32;

/**
 * Reads a private key in any of ssh's and OpenSSL's formats. Only kinds whose signatures are the same each time are
 * taken: a commit that is made again after a crash must be the same, bit for bit.
 * @returns the reason, in words for the log, when this key cannot sign.
 */
export async function signerOfKey(
  text: string,
): Promise<CommitSigner | { readonly fault: string }> {
  // Loaded only here: most nodes have a key of the vault's, and a start should not wait for what it does not need.
  const { default: sshpk } = await import('sshpk');
  try {
    const key = sshpk.parsePrivateKey(text, 'auto');
    if (key.type === 'rsa') return signerOfRsa(createPrivateKey(key.toBuffer('pkcs8', {})));
    // The PKCS #8 that sshpk writes of this kind holds the public key too, and OpenSSL 3.0 does not read it.
    const seed = key.parts.find(({ name }) => name === 'k')?.data;
    if (key.type === 'ed25519' && seed !== undefined) return signerOfSeed(seed);
    return { fault: `a key of type ${key.type} never signs the same twice` };
  } catch (error) {
    const isEncrypted = error instanceof sshpk.KeyEncryptedError;
    return { fault: isEncrypted ? 'it is encrypted' : 'it is no private key that can be read' };
  }
}

/** A key with a damaged number can be read and signs, but nothing that it signs is good. */
function signerOfRsa(key: KeyObject): CommitSigner | { readonly fault: string } {
  const probe = Buffer.from('probe');
  const isSound = verify(HASH, probe, createPublicKey(key), sign(HASH, probe, key));
  return isSound ? makeSigner(key) : { fault: 'it is damaged: what it signs is not its own' };
}

/** The Ed25519 key whose seed these 32 bytes are. */
export function signerOfSeed(seed: Buffer): CommitSigner {
  if (seed.length !== SEED_BYTES) throw new RangeError(`a seed has ${SEED_BYTES} bytes`);
  const der = Buffer.concat([ED25519_PKCS8, seed]);
  return makeSigner(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
}

function makeSigner(key: KeyObject): CommitSigner {
  const blob = publicBlob(key);
  const isRsa = key.asymmetricKeyType === 'rsa';
  const algorithm = isRsa ? 'rsa-sha2-512' : 'ssh-ed25519';
  return {
    publicKey: `${isRsa ? 'ssh-rsa' : 'ssh-ed25519'} ${blob.toString('base64')}`,
    sign: async (payload) => {
      // Ed25519 takes no hash of its own choosing; RSA pads by PKCS #1 v1.5, which is what ssh means by this name.
      const raw = await signApart(isRsa ? HASH : undefined, signedData(payload, HASH), key);
      const signature = Buffer.concat([string(algorithm), string(raw)]);
      const fields = [blob, NAMESPACE, '', HASH, signature].map(string);
      return armor(Buffer.concat([MAGIC, uint32(FORMAT_VERSION), ...fields]));
    },
  };
}

/** The public key as ssh sends it (RFC 4253 section 6.6, RFC 8709). */
function publicBlob(key: KeyObject): Buffer {
  const { x = '', e = '', n = '' } = createPublicKey(key).export({ format: 'jwk' });
  const number = (text: string): Buffer => mpint(Buffer.from(text, 'base64url'));
  const fields =
    key.asymmetricKeyType === 'rsa'
      ? ['ssh-rsa', number(e), number(n)]
      : ['ssh-ed25519', Buffer.from(x, 'base64url')];
  return Buffer.concat(fields.map(string));
}

/** A positive number on ssh's wire (RFC 4251): its first bit would say that it is negative. */
function mpint(bytes: Buffer): Buffer {
  return (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes;
}

/** What is really signed: the payload's hash, bound to what the signature is for. */
export function signedData(payload: Buffer, hashName: 'sha512' | 'sha256'): Buffer {
  const hash = createHash(hashName).update(payload).digest();
  return Buffer.concat([MAGIC, ...[NAMESPACE, '', hashName, hash].map(string)]);
}

function armor(signature: Buffer): string {
  const base64 = signature.toString('base64');
  const lines = base64.match(new RegExp(`.{1,${ARMOR_COLUMNS}}`, 'g')) ?? [];
  return ['-----BEGIN SSH SIGNATURE-----', ...lines, '-----END SSH SIGNATURE-----', ''].join('\n');
}

/** A string on ssh's wire (RFC 4251): its length before its bytes. */
function string(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

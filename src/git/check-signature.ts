// Checks the ssh signature of a commit, whoever made it; nothing in it is trusted.
import { createPublicKey, verify, type KeyObject, type VerifyKeyObjectInput } from 'node:crypto';
import { promisify } from 'node:util';
import type { SourceSignature } from '../chain/verify-source.ts';
import { FORMAT_VERSION, MAGIC, NAMESPACE, signedData } from './ssh-signature.ts';

/** Off the event loop, on as many threads as there are. */
const verifyApart = promisify<
  string | undefined,
  Buffer,
  KeyObject | VerifyKeyObjectInput,
  Buffer,
  boolean
>(verify);
const SSH_ARMOR =
  /^-----BEGIN SSH SIGNATURE-----\n([A-Za-z0-9+/=\n]+)\n-----END SSH SIGNATURE-----$/;
/** The armour of OpenPGP and of S/MIME, which git takes as well. */
const OTHER_ARMOR = /^-----BEGIN (?:PGP (?:SIGNATURE|MESSAGE)|SIGNED MESSAGE)-----\n/;
const HASHES = ['sha512', 'sha256'] as const;
/** ssh's names for RSA signatures, with the hash of each; the one with SHA-1 is not for these signatures. */
const RSA_HASHES: ReadonlyMap<string, string> = new Map([
  ['rsa-sha2-512', 'sha512'],
  ['rsa-sha2-256', 'sha256'],
]);
const ED25519_KEY_BYTES = 32;
/** Shorter keys can be forged, longer ones take long to check: neither is checked. */
const RSA_BITS = { least: 2048, most: 16_384 };
const MAX_EXPONENT_BYTES = 8;
/** Keys kept as they were read: a chain has few, a hostile one as many as it has commits. */
const MAX_KNOWN_KEYS = 1_000;

interface PublicKey {
  readonly line: string;
  /** Undefined for a kind that is not checked. */
  readonly key: KeyObject | undefined;
}

const knownKeys = new Map<string, PublicKey>();

/**
 * Holds a signature against what it signs.
 * @param armored the commit's signature header, without the line breaks' spaces
 * @param payload the commit's bytes without its signature headers
 */
export async function checkSignature(armored: string, payload: Buffer): Promise<SourceSignature> {
  if (OTHER_ARMOR.test(armored)) return { state: 'other-kind' };
  const [, base64] = SSH_ARMOR.exec(armored.trimEnd()) ?? [];
  const fields = base64 === undefined ? undefined : readFields(Buffer.from(base64, 'base64'));
  if (fields === undefined) return wrong('it has not the form of an ssh signature');
  const { namespace, key, algorithm, signature } = fields;
  if (namespace !== NAMESPACE) return wrong('it is for something else than git');
  const hashName = HASHES.find((name) => name === fields.hashName);
  if (hashName === undefined) return { state: 'other-kind' };
  const publicKey = readKey(key);
  if (publicKey === undefined) return wrong('its key cannot be read');
  const isRsa = publicKey.line.startsWith('ssh-rsa ');
  const rsaHash = RSA_HASHES.get(algorithm);
  const isKnown = isRsa ? rsaHash !== undefined : algorithm === 'ssh-ed25519';
  if (publicKey.key === undefined || !isKnown) return { state: 'other-kind' };
  const data = signedData(payload, hashName);
  const isGood = await verifyApart(isRsa ? rsaHash : undefined, data, publicKey.key, signature);
  return isGood ? { state: 'good', publicKey: publicKey.line } : wrong('it is of other content');
}

const wrong = (reason: string): SourceSignature => ({ state: 'wrong', reason });

interface SignatureFields {
  readonly key: Buffer;
  readonly namespace: string;
  readonly hashName: string;
  readonly algorithm: string;
  readonly signature: Buffer;
}

/** Reads the blob of OpenSSH's PROTOCOL.sshsig; undefined when it has another form. */
function readFields(blob: Buffer): SignatureFields | undefined {
  const head = MAGIC.length + 4;
  if (blob.length < head || !blob.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  if (blob.readUInt32BE(MAGIC.length) !== FORMAT_VERSION) return undefined;
  const [key, namespace, , hashName, inner, ...more] = readStrings(blob.subarray(head)) ?? [];
  if (key === undefined || namespace === undefined || hashName === undefined) return undefined;
  if (inner === undefined || more.length > 0) return undefined;
  const [algorithm, signature, ...rest] = readStrings(inner) ?? [];
  if (algorithm === undefined || signature === undefined || rest.length > 0) return undefined;
  const text = (bytes: Buffer): string => bytes.toString('latin1');
  return {
    key,
    namespace: text(namespace),
    hashName: text(hashName),
    algorithm: text(algorithm),
    signature,
  };
}

/** Reads strings of ssh's wire (RFC 4251), one after another; undefined when the last one ends beyond the bytes. */
function readStrings(bytes: Buffer): Buffer[] | undefined {
  const strings: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    if (at + 4 > bytes.length) return undefined;
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) return undefined;
    strings.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return strings;
}

/** Reads a key as it stands in a signature; undefined when it is none. */
function readKey(blob: Buffer): PublicKey | undefined {
  const base64 = blob.toString('base64');
  const known = knownKeys.get(base64);
  if (known !== undefined) return known;
  const [kindBytes, ...parts] = readStrings(blob) ?? [];
  if (kindBytes === undefined) return undefined;
  const kind = kindBytes.toString('latin1');
  const jwk = jwkOf(kind, parts);
  if (jwk === 'malformed') return undefined;
  const key = jwk === 'other-kind' ? undefined : createPublicKey({ key: jwk, format: 'jwk' });
  const publicKey = { line: `${kind} ${base64}`, key };
  if (knownKeys.size >= MAX_KNOWN_KEYS) knownKeys.clear();
  knownKeys.set(base64, publicKey);
  return publicKey;
}

function jwkOf(
  kind: string,
  parts: readonly Buffer[],
): Readonly<Record<string, string>> | 'malformed' | 'other-kind' {
  const [first, second] = parts;
  if (kind === 'ssh-ed25519') {
    if (first?.length !== ED25519_KEY_BYTES || parts.length !== 1) return 'malformed';
    return { kty: 'OKP', crv: 'Ed25519', x: first.toString('base64url') };
  }
  if (kind !== 'ssh-rsa') return 'other-kind';
  if (first === undefined || second === undefined || parts.length !== 2) return 'malformed';
  const [exponent, modulus] = [withoutZeros(first), withoutZeros(second)];
  if (exponent.length === 0 || modulus.length === 0) return 'malformed';
  const bits = modulus.length * 8;
  if (bits < RSA_BITS.least || bits > RSA_BITS.most) return 'other-kind';
  if (exponent.length > MAX_EXPONENT_BYTES) return 'other-kind';
  return { kty: 'RSA', e: exponent.toString('base64url'), n: modulus.toString('base64url') };
}

/** ssh puts a zero before a number whose first bit is set. */
function withoutZeros(number: Buffer): Buffer {
  const at = number.findIndex((byte) => byte !== 0);
  return at === -1 ? Buffer.alloc(0) : number.subarray(at);
}

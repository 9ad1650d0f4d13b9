// What stands on the reserved branch `well-known`: who the validators are. Nothing on it is trusted.
import { isUtf8 } from 'node:buffer';
import type { ReservedFiles } from './beacon.ts';
import { nestsDeeper } from './record.ts';

export const NODE_FILE = 'node.json';
export const SIGNERS_FILE = 'allowed_signers';
/** A larger file than this is neither read nor written. */
export const MAX_WELL_KNOWN_BYTES = 1024 * 1024;

const FORMAT_VERSION = 1;
/** Deeper than anything a later version may add, and far from where printing it would exhaust the stack. */
const MAX_NODE_FILE_DEPTH = 16;
/** The only thing that a key on the branch may sign. */
const SIGNER_OPTIONS = 'namespaces="git"';

/** How a validator presents itself. */
export interface ValidatorEntry {
  /** Author and committer of its commits. */
  readonly id: string;
  /** As ssh writes it on one line, without a comment. */
  readonly publicKey: string;
  /** Where its API can be asked; null when it is not for others. */
  readonly introspectionUrl: string | null;
}

/** A key that may sign, and the validator whose it is. */
export interface AllowedSigner {
  readonly id: string;
  readonly publicKey: string;
}

/**
 * The files that change when a validator presents itself; none when it stands there already. Other validators' entries
 * and members that this version does not know stay as they are, and so does a file of another format.
 */
export function presentValidator(
  files: ReservedFiles['files'],
  entry: ValidatorEntry,
): ReadonlyMap<string, Buffer> {
  const changed = new Map<string, Buffer>();
  const node = mergeNodeFile(files, entry);
  if (node !== undefined) changed.set(NODE_FILE, node);
  const signers = mergeSigners(files, entry);
  if (signers !== undefined) changed.set(SIGNERS_FILE, signers);
  return changed;
}

/** What `node.json` holds beside its validators, or why it cannot be read. */
interface NodeFile {
  readonly members: Readonly<Record<string, unknown>>;
  readonly validators: readonly unknown[];
}

/** Reads `node.json`; a fault is for the log and for a verification. */
export function parseNodeFile(
  content: Buffer,
): NodeFile | { readonly fault: string; readonly isNewer: boolean } {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(content));
  } catch {
    return { fault: 'it is not JSON in UTF-8', isNewer: false };
  }
  if (!isObject(value)) return { fault: 'it is not an object', isNewer: false };
  if (nestsDeeper(value, MAX_NODE_FILE_DEPTH)) {
    return { fault: `it nests deeper than ${MAX_NODE_FILE_DEPTH} levels`, isNewer: false };
  }
  const { format_version: version, validators, ...rest } = value;
  if (version !== FORMAT_VERSION) {
    return { fault: 'it has another format_version than 1', isNewer: true };
  }
  if (!Array.isArray(validators)) return { fault: 'it lists no validators', isNewer: false };
  return { members: rest, validators: validators as readonly unknown[] };
}

function mergeNodeFile(files: ReservedFiles['files'], entry: ValidatorEntry): Buffer | undefined {
  const content = files.get(NODE_FILE);
  // It is there and was not read: it is too large, or no file.
  if (content === undefined && files.has(NODE_FILE)) return undefined;
  const read = content === undefined ? undefined : parseNodeFile(content);
  if (read !== undefined && 'fault' in read && read.isNewer) return undefined;
  // What nobody can read is written anew; the others add themselves when they start.
  const { members, validators } =
    read === undefined || 'fault' in read ? { members: {}, validators: [] } : read;
  const own = {
    id: entry.id,
    public_key: entry.publicKey,
    introspection_url: entry.introspectionUrl,
  };
  const isOwn = (other: unknown): boolean => isObject(other) && other['id'] === entry.id;
  const at = validators.findIndex(isOwn);
  const others = validators.filter((other) => !isOwn(other));
  const merged = others.toSpliced(at === -1 ? others.length : at, 0, own);
  const next = encode({ format_version: FORMAT_VERSION, validators: merged, ...members });
  if (content?.equals(next) === true || next.length > MAX_WELL_KNOWN_BYTES) return undefined;
  return next;
}

/** A key stays listed for ever: what it signed once must still be checked. */
function mergeSigners(
  files: ReservedFiles['files'],
  { id, publicKey }: ValidatorEntry,
): Buffer | undefined {
  const content = files.get(SIGNERS_FILE);
  if (content === undefined && files.has(SIGNERS_FILE)) return undefined;
  const text = content?.toString('utf8') ?? '';
  const line = `${id} ${SIGNER_OPTIONS} ${publicKey}`;
  if (text.split(/\r?\n/).includes(line)) return undefined;
  const start = text === '' || text.endsWith('\n') ? (content ?? Buffer.alloc(0)) : `${text}\n`;
  const next = Buffer.concat([Buffer.from(start), Buffer.from(`${line}\n`)]);
  return next.length > MAX_WELL_KNOWN_BYTES ? undefined : next;
}

/**
 * One line of ssh's format: principals, options in any number, kind, key, and a comment. Each character can be read in
 * one way only, so that a long line takes no longer than its length.
 */
const SIGNER_OPTION = '[A-Za-z][\\w-]*(?:="(?:[^"\\\\]|\\\\"|\\\\(?!"))*")?';
const SIGNER_LINE = new RegExp(
  `^[^\\s"]+ (?:${SIGNER_OPTION}(?:,${SIGNER_OPTION})* )?[\\w.@-]+ [A-Za-z0-9+/=]+(?: .*)?$`,
);
/** A line as validators write it: their id, at most the one option, a kind that they sign with, and the key. */
const PLAIN_SIGNER =
  /^([\w.@+-]+) (?:namespaces="git" )?((?:ssh-ed25519|ssh-rsa) [A-Za-z0-9+/=]+)(?: .*)?$/;

/**
 * Reads `allowed_signers`. Keys count on lines of the plain form that validators write; of other lines that ssh knows,
 * empty ones and comments among them, nothing is taken.
 * @returns `fault`, in words, when a line is none of ssh's format.
 */
export function parseSigners(content: Buffer): {
  readonly signers: readonly AllowedSigner[];
  readonly fault: string | undefined;
} {
  if (!isUtf8(content)) return { signers: [], fault: 'it is not UTF-8' };
  const signers: AllowedSigner[] = [];
  let fault: string | undefined;
  for (const [index, line] of content.toString('utf8').split(/\r?\n/).entries()) {
    if (line === '' || line.startsWith('#')) continue;
    const [, id, publicKey] = PLAIN_SIGNER.exec(line) ?? [];
    if (id !== undefined && publicKey !== undefined) signers.push({ id, publicKey });
    else if (!SIGNER_LINE.test(line)) fault ??= `line ${index + 1} names no key`;
  }
  return { signers, fault };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** For people too: one validator a line. */
function encode(file: Readonly<Record<string, unknown>>): Buffer {
  return Buffer.from(`${JSON.stringify(file, null, 2)}\n`);
}

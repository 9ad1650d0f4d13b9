// Git objects as bytes: how a blob, a tree and a commit are written and named.
import { createHash } from 'node:crypto';

export type ObjectFormat = 'sha1' | 'sha256';

export interface GitObject {
  readonly type: 'commit' | 'tree' | 'blob';
  readonly content: Buffer;
  /** Lowercase hex of the hash over type, size and content. */
  readonly id: string;
}

const FILE_MODE = '100644';
const DIRECTORY_MODE = '40000';

/** Names an object's bytes as `git hash-object` does. */
export function makeObject(
  format: ObjectFormat,
  type: GitObject['type'],
  content: Buffer,
): GitObject {
  const id = createHash(format).update(`${type} ${content.length}\0`).update(content).digest('hex');
  return { type, content, id };
}

/**
 * The tree with one file added or replaced.
 * @param tree the bytes of a tree object: entries of `<mode> <name> NUL <binary id>`, sorted.
 * @param name of a file in the tree itself, in no directory of it.
 * @throws RangeError when these bytes are no tree.
 */
export function withFile(format: ObjectFormat, tree: Buffer, name: string, blobId: string): Buffer {
  const entry = Buffer.concat([Buffer.from(`${FILE_MODE} ${name}\0`), Buffer.from(blobId, 'hex')]);
  const key = Buffer.from(name);
  const parts: Buffer[] = [];
  let isPlaced = false;
  for (const old of treeEntries(format, tree)) {
    if (old.name.equals(key)) continue;
    if (!isPlaced && Buffer.compare(key, old.sortKey) < 0) {
      parts.push(entry);
      isPlaced = true;
    }
    parts.push(old.bytes);
  }
  if (!isPlaced) parts.push(entry);
  return Buffer.concat(parts);
}

interface TreeEntry {
  readonly bytes: Buffer;
  readonly name: Buffer;
  /** git sorts a directory as if its name ended with a slash. */
  readonly sortKey: Buffer;
}

function* treeEntries(format: ObjectFormat, tree: Buffer): Iterable<TreeEntry> {
  const idBytes = format === 'sha1' ? 20 : 32;
  for (let at = 0; at < tree.length;) {
    const space = tree.indexOf(0x20, at);
    const nul = tree.indexOf(0, at);
    const end = nul + 1 + idBytes;
    if (space === -1 || nul < space || end > tree.length) throw new RangeError('no tree object');
    const name = tree.subarray(space + 1, nul);
    const sortKey = sortKeyOf(tree.toString('latin1', at, space), name);
    yield { bytes: tree.subarray(at, end), name, sortKey };
    at = end;
  }
}

/** The bytes of a tree object: its entries in git's order. */
export function encodeTree(
  entries: readonly { readonly mode: string; readonly name: Buffer; readonly id: string }[],
): Buffer {
  const sorted = entries
    .map((entry) => ({ ...entry, key: sortKeyOf(entry.mode, entry.name) }))
    .sort((a, b) => Buffer.compare(a.key, b.key));
  return Buffer.concat(
    sorted.flatMap(({ mode, name, id }) => [
      Buffer.from(`${mode} `),
      name,
      Buffer.of(0),
      Buffer.from(id, 'hex'),
    ]),
  );
}

function sortKeyOf(mode: string, name: Buffer): Buffer {
  return mode === DIRECTORY_MODE ? Buffer.concat([name, Buffer.from('/')]) : name;
}

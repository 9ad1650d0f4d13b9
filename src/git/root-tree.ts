// Reads a commit's root tree: the record's entry, and everything beside it.
import type { ObjectAnswer } from './object-reader.ts';

const RECORD_FILE = 'metadata.json';

export interface TreeEntry {
  /** As the tree has it: `100644` for a regular file. */
  readonly mode: string;
  /** The bytes of the name, one character each. */
  readonly name: string;
  readonly id: string;
}

/** A commit's root tree as far as a chain goes by it. */
export interface RootTree {
  /** What is called `metadata.json`, whatever it is; undefined when nothing is. */
  readonly record: TreeEntry | undefined;
  /** The bytes of every other entry, one character each: two trees that differ in the record only have the same. */
  readonly others: string;
  /** Every other entry. */
  listOthers(): readonly TreeEntry[];
}

/**
 * Reads a tree object: entries of mode, space, name, NUL and the object's id in bytes.
 * @returns undefined for anything that is no tree
 */
export function readRootTree(answer: ObjectAnswer | undefined): RootTree | undefined {
  if (answer?.type !== 'tree' || answer.content === undefined) return undefined;
  const { content } = answer;
  const idBytes = answer.id.length / 2;
  const others: string[] = [];
  let record: TreeEntry | undefined;
  for (let at = 0; at < content.length;) {
    const nameEnd = content.indexOf(0, at);
    const end = nameEnd + 1 + idBytes;
    const space = content.indexOf(0x20, at);
    if (space === -1 || space > nameEnd || end > content.length) return undefined;
    const bytes = content.toString('latin1', at, end);
    const entry = parseEntry(bytes, nameEnd - at);
    // A second entry of that name, which git would refuse, is one of the others.
    if (entry.name === RECORD_FILE && record === undefined) record = entry;
    else others.push(bytes);
    at = end;
  }
  return {
    record,
    others: others.join(''),
    listOthers: () => others.map((bytes) => parseEntry(bytes, bytes.indexOf('\0'))),
  };
}

function parseEntry(bytes: string, nameEnd: number): TreeEntry {
  const space = bytes.indexOf(' ');
  return {
    mode: bytes.slice(0, space),
    name: bytes.slice(space + 1, nameEnd),
    id: Buffer.from(bytes.slice(nameEnd + 1), 'latin1').toString('hex'),
  };
}

// Sets many refs of a local repository at once: one new `packed-refs` file, written under git's own locks.
import { closeSync, linkSync, lstatSync, openSync, unlinkSync } from 'node:fs';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommitId } from '../shared/ids.ts';
import { flushPath } from './flush.ts';

/** One ref that is to stand on a commit. */
export interface RefChange {
  /** The full name, for example `refs/heads/main`. */
  readonly ref: string;
  readonly target: CommitId;
  /** The values that the ref may have before; undefined among them for a ref that is not there. */
  readonly expected: readonly (string | undefined)[];
}

const NEWLINE = 0x0a;
const PEELED_MARK = 0x5e;
const NEW_FILE = '# pack-refs with: peeled fully-peeled sorted \n';
/** git says so of a file that may be searched by bisection. */
const SORTED = /^# pack-refs with:.* sorted( |$)/;

/**
 * The file `packed-refs` of one repository (gitrepository-layout, git-pack-refs). The content is kept between batches
 * and read again when anybody else has replaced the file.
 */
export class PackedRefs {
  readonly #gitDir: string;
  readonly #file: string;
  readonly #lockFile: string;
  #content: Buffer = Buffer.alloc(0);
  #version = '';

  constructor(gitDir: string) {
    this.#gitDir = gitDir;
    this.#file = join(gitDir, 'packed-refs');
    this.#lockFile = join(gitDir, 'aibot-lock');
  }

  /**
   * Sets all refs in one rename, or none. Readers and other writers of git see the file as it was or as it is then;
   * so does whoever looks after a power cut, for it is flushed before it takes its place.
   * @returns false when nothing was changed, because a ref is locked, stands elsewhere or is kept in a file of its
   *   own: git itself must then judge.
   * @throws Error of the file system; nothing was changed, unless it came from the flush after the rename.
   */
  async setAll(changes: readonly RefChange[]): Promise<boolean> {
    const locks = this.#lock(changes.map(({ ref }) => ref));
    if (locks === undefined) return false;
    try {
      if (changes.some(({ ref }) => this.#isLoose(ref))) return false;
      await this.#read();
      const next = applyChanges(this.#content, changes);
      if (next === undefined) return false;
      if (next !== this.#content) await this.#replace(next);
      return true;
    } finally {
      for (const lock of locks) unlinkSync(lock);
    }
  }

  /**
   * Takes git's locks, each a name that only one process can make; undefined when one of them is taken. They are links
   * to one empty file: for git a lock is its name, and a link is made forty times as fast as a file.
   */
  #lock(refs: readonly string[]): string[] | undefined {
    const locks: string[] = [];
    try {
      closeSync(openSync(this.#lockFile, 'a', 0o644));
      for (const name of [...refs, 'packed-refs']) {
        const lock = join(this.#gitDir, `${name}.lock`);
        linkSync(this.#lockFile, lock);
        locks.push(lock);
      }
      return locks;
    } catch (error) {
      for (const lock of locks) unlinkSync(lock);
      const { code = '' } = error as NodeJS.ErrnoException;
      // EEXIST: another writer has it. ENOENT, ENOTDIR: a name with a slash, for which git would make a directory.
      if (['EEXIST', 'ENOENT', 'ENOTDIR'].includes(code)) return undefined;
      throw error;
    }
  }

  /** True when the ref, or a directory of its name, stands beside the packed ones and would hide what is written. */
  #isLoose(ref: string): boolean {
    return lstatSync(join(this.#gitDir, ref), { throwIfNoEntry: false }) !== undefined;
  }

  async #read(): Promise<void> {
    const version = await versionOf(this.#file);
    if (version === this.#version && version !== '') return;
    this.#content = version === '' ? Buffer.from(NEW_FILE) : await readFile(this.#file);
    this.#version = version;
  }

  /** Only while the lock is held: no other process replaces the file, or makes another of this name. */
  async #replace(content: Buffer): Promise<void> {
    const draft = `${this.#file}.aibot`;
    try {
      const handle = await open(draft, 'w', 0o644);
      try {
        await handle.writeFile(content);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(draft, this.#file);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
    this.#content = content;
    this.#version = await versionOf(this.#file);
    await flushPath(this.#gitDir);
  }
}

/** Tells one file of this name from the next; empty when there is none. */
async function versionOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await stat(file, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

/**
 * The new content, or the old one when every ref stands already where it is to stand.
 * @returns undefined when a ref stands elsewhere than expected, or a name is in another's way.
 */
function applyChanges(content: Buffer, changes: readonly RefChange[]): Buffer | undefined {
  const firstLine = content.toString('latin1', 0, Math.max(content.indexOf(NEWLINE), 0));
  if (!SORTED.test(firstLine)) return undefined;
  const sorted = changes
    .map((change) => ({ ...change, key: Buffer.from(change.ref) }))
    .sort((a, b) => Buffer.compare(a.key, b.key));
  const parts: Buffer[] = [];
  let copied = 0;
  for (const { ref, key, target, expected } of sorted) {
    const place = findRef(content, key);
    if (place.value === target) continue;
    if (!expected.includes(place.value)) return undefined;
    if (place.value === undefined && isInTheWay(content, ref)) return undefined;
    parts.push(content.subarray(copied, place.start), Buffer.from(`${target} ${ref}\n`));
    copied = place.end;
  }
  return parts.length === 0 ? content : Buffer.concat([...parts, content.subarray(copied)]);
}

interface Place {
  /** Where the ref's lines stand, or would: equal to `end` when it is not there. */
  readonly start: number;
  readonly end: number;
  readonly value: string | undefined;
}

/** Finds a ref among the sorted lines `<id> SP <ref>`, each of which a line `^<id>` may follow. */
function findRef(content: Buffer, ref: Buffer): Place {
  let low = content.indexOf(NEWLINE) + 1;
  let high = content.length;
  while (low < high) {
    const start = lineAround(content, low, low + Math.floor((high - low) / 2));
    const space = content.indexOf(0x20, start);
    const lineEnd = content.indexOf(NEWLINE, start);
    const end = afterPeeled(content, lineEnd + 1);
    const order = ref.compare(content, space + 1, lineEnd);
    if (order === 0) return { start, end, value: content.toString('latin1', start, space) };
    if (order < 0) high = start;
    else low = end;
  }
  return { start: low, end: low, value: undefined };
}

/** Where the ref's line that covers this offset begins; not before `low`, which is the beginning of one. */
function lineAround(content: Buffer, low: number, offset: number): number {
  let start = offset;
  for (;;) {
    const newline = start > low ? content.lastIndexOf(NEWLINE, start - 1) : -1;
    start = Math.max(newline + 1, low);
    if (start === low || content[start] !== PEELED_MARK) return start;
  }
}

function afterPeeled(content: Buffer, offset: number): number {
  return content[offset] === PEELED_MARK ? content.indexOf(NEWLINE, offset) + 1 : offset;
}

/** git keeps no ref `a` beside a ref `a/b`. */
function isInTheWay(content: Buffer, ref: string): boolean {
  const below = Buffer.from(`${ref}/`);
  const { start } = findRef(content, below);
  const space = content.indexOf(0x20, start);
  if (space !== -1 && content.subarray(space + 1, space + 1 + below.length).equals(below))
    return true;
  const parts = ref.split('/');
  // `refs` and `refs/heads` are no refs.
  return parts
    .slice(3)
    .some(
      (_, index) =>
        findRef(content, Buffer.from(parts.slice(0, index + 3).join('/'))).value !== undefined,
    );
}

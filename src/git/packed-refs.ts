// Sets many refs of a local repository at once: one new `packed-refs` file, written under git's own locks.
import { randomBytes } from 'node:crypto';
import { lstatSync, renameSync, type BigIntStats } from 'node:fs';
import { open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommitId } from '../shared/ids.ts';
import { flushPath } from './flush.ts';
import { LOCK_FILE_PREFIX, RefLocks } from './ref-locks.ts';

/** One ref that is to stand on a commit. */
export interface RefChange {
  /** The full name, for example `refs/heads/main`. */
  readonly ref: string;
  readonly target: CommitId;
  /** The values that the ref may have before; undefined among them for a ref that is not there. */
  readonly expected: readonly (string | undefined)[];
}

/** How much more memory than needed is taken, so that the next batches find room in it. */
const SPARE_FACTOR = 1.25;
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
  readonly #onFault: (fault: unknown) => void;
  #content: Buffer = Buffer.alloc(0);
  /**
   * Memory of our own, used in turn and not left for the collector with every batch, for it is megabytes: the first
   * holds the content when it was written here, the second is free.
   */
  #memory: readonly [Buffer, Buffer] = [Buffer.alloc(0), Buffer.alloc(0)];
  #version = '';

  /** @param onFault hears of a lock that could not be given back; the batch's own result stands. */
  constructor(gitDir: string, onFault: (fault: unknown) => void) {
    this.#gitDir = gitDir;
    this.#file = join(gitDir, 'packed-refs');
    this.#lockFile = join(gitDir, `${LOCK_FILE_PREFIX}${randomBytes(6).toString('hex')}`);
    this.#onFault = onFault;
  }

  /**
   * Sets all refs in one rename, or none. Readers and other writers of git see the file as it was or as it is then;
   * so does whoever looks after a power cut, for it is flushed before it takes its place.
   * @returns false when nothing was changed, because a ref is locked, stands elsewhere or is kept in a file of its
   *   own: git itself must then judge. True only once everything is on the disk.
   * @throws Error of the file system, or because the file is damaged; nothing was changed, unless it came from the flush
   *   after the rename.
   */
  async setAll(changes: readonly RefChange[]): Promise<boolean> {
    const names = [...changes.map(({ ref }) => ref), 'packed-refs'];
    const locks = RefLocks.take(this.#gitDir, this.#lockFile, names);
    if (locks === undefined) return false;
    try {
      if (changes.some(({ ref }) => this.#isLoose(ref))) return false;
      await this.#read();
      const parts = applyChanges(this.#content, changes);
      if (parts === undefined) return false;
      if (parts.length > 0 && !(await this.#replace(parts, locks))) return false;
      // Also when nothing was to be changed: whoever wrote it may have died before this.
      await flushPath(this.#gitDir);
      return true;
    } finally {
      for (const fault of locks.release()) this.#onFault(fault);
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

  /** @returns false when the locks are gone, and with them the certainty that the content is still the newest. */
  async #replace(parts: readonly Buffer[], locks: RefLocks): Promise<boolean> {
    const [holding, free] = this.#memory;
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const memory =
      free.length >= length ? free : Buffer.allocUnsafeSlow(Math.ceil(SPARE_FACTOR * length));
    let at = 0;
    for (const part of parts) at += part.copy(memory, at);
    const content = memory.subarray(0, length);
    const draft = `${this.#file}.${randomBytes(6).toString('hex')}.new`;
    try {
      await writeDraft(draft, content, await modeOf(this.#file));
      // In one breath with the look at the locks: a process that is halted for long must not undo what others wrote.
      if (!locks.areHeld()) {
        await rm(draft);
        return false;
      }
      renameSync(draft, this.#file);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
    this.#memory = [memory, holding];
    this.#content = content;
    this.#version = await versionOf(this.#file);
    return true;
  }
}

async function writeDraft(draft: string, content: Buffer, mode: number): Promise<void> {
  const handle = await open(draft, 'wx', mode);
  try {
    // Whatever the umask says: who could read the refs before can read them afterwards.
    await handle.chmod(mode);
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function modeOf(file: string): Promise<number> {
  const found = await findStat(file);
  return found === undefined ? 0o644 : Number(found.mode & 0o777n);
}

/** Tells one file of this name from the next; empty when there is none. */
async function versionOf(file: string): Promise<string> {
  const found = await findStat(file);
  if (found === undefined) return '';
  const { ino, size, mtimeNs, ctimeNs } = found;
  return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}

async function findStat(file: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(file, { bigint: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * The new content in pieces of the old one and new lines; none when every ref stands already where it is to stand.
 * @returns undefined when a ref stands elsewhere than expected, or a name is in another's way.
 */
export function applyChanges(
  content: Buffer,
  changes: readonly RefChange[],
): readonly Buffer[] | undefined {
  const firstLine = content.toString('latin1', 0, Math.max(content.indexOf(NEWLINE), 0));
  if (!SORTED.test(firstLine)) return undefined;
  if (content.at(-1) !== NEWLINE) throw new Error('the packed refs are cut off');
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
  if (parts.length > 0) parts.push(content.subarray(copied));
  return parts;
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
    if (space === -1 || space > lineEnd) throw new Error('the packed refs are damaged');
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
    // Onto the line break before the peeled line: what it belongs to stands there.
    start -= 1;
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

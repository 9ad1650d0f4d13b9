// git's locks on refs: names that only one process can make, taken and given back together.
import { linkSync, lstatSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the files begin with of which locks are links. */
export const LOCK_FILE_PREFIX = 'aibot-lock.';

/**
 * EEXIST: another writer has the lock. ENOENT, ENOTDIR: a name with a slash, for which git would make a directory.
 * EPERM, ENOTSUP, EOPNOTSUPP, EMLINK: the file system makes no such link.
 */
const NOT_TAKEN = ['EEXIST', 'ENOENT', 'ENOTDIR', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'];

/**
 * Locks that are held until they are released. They are links to one file of the holder's own: for git a lock is its
 * name, a link is made forty times as fast as a file, and the number of links tells whether somebody took one away.
 */
export class RefLocks {
  readonly #file: string;
  readonly #inode: bigint;
  readonly #locks: readonly string[];

  private constructor(file: string, inode: bigint, locks: readonly string[]) {
    this.#file = file;
    this.#inode = inode;
    this.#locks = locks;
  }

  /**
   * Takes the locks of all these names, relative to the repository and without `.lock`.
   * @param file the holder's own, in the repository; made when it is not there. One batch at a time uses it.
   * @returns undefined when one of them cannot be had; none is held then.
   */
  static take(gitDir: string, file: string, names: readonly string[]): RefLocks | undefined {
    const locks: string[] = [];
    const ino = inodeOf(file) ?? makeFile(file);
    try {
      for (const name of names) {
        const lock = join(gitDir, `${name}.lock`);
        linkSync(file, lock);
        locks.push(lock);
      }
      return new RefLocks(file, ino, locks);
    } catch (error) {
      new RefLocks(file, ino, locks).release();
      if (NOT_TAKEN.includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
      throw error;
    }
  }

  /** False once anybody has removed one of the locks, believing that their holder was gone. */
  areHeld(): boolean {
    const found = statSync(this.#file, { bigint: true, throwIfNoEntry: false });
    return found?.ino === this.#inode && found.nlink === BigInt(this.#locks.length + 1);
  }

  /** Gives back every lock that is still ours. @returns what went wrong with any of them. */
  release(): readonly unknown[] {
    const faults: unknown[] = [];
    for (const lock of this.#locks) {
      try {
        const found = lstatSync(lock, { bigint: true, throwIfNoEntry: false });
        if (found?.ino === this.#inode) unlinkSync(lock);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') faults.push(error);
      }
    }
    return faults;
  }
}

/** @returns its inode. @throws Error of the file system */
function makeFile(file: string): bigint {
  // For people who find it: whose lock it is.
  writeFileSync(file, `aibot ${process.pid}\n`, { mode: 0o644 });
  return statSync(file, { bigint: true }).ino;
}

function inodeOf(file: string): bigint | undefined {
  return statSync(file, { bigint: true, throwIfNoEntry: false })?.ino;
}

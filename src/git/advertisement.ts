// Reads the output of `git ls-remote` into the remote's branches and tags.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Advertisement } from '../chain/beacon.ts';
import { isCommitId, type CommitId } from '../shared/ids.ts';

const HEADS = 'refs/heads/';
const TAGS = 'refs/tags/';
const PEELED = '^{}';

/** Bytes taken apart in one go, some milliseconds' worth: a large remote lists megabytes, and others want their turn. */
const SLICE_BYTES = 256 * 1024;

/** Reads one remote's listings. Most looks at a remote find nothing new: the same bytes are not taken apart again. */
export class Advertisements {
  #listing: Buffer = Buffer.alloc(0);
  #seen: Advertisement = { branches: new Map(), tags: new Map() };

  /** What was read last; nothing before the first reading. */
  get newest(): Advertisement {
    return this.#seen;
  }

  async read(listing: Buffer): Promise<Advertisement> {
    if (!listing.equals(this.#listing)) {
      this.#seen = await parseAdvertisement(listing);
      this.#listing = listing;
    }
    return this.#seen;
  }
}

/**
 * Reads lines of `<object id> TAB <ref>`. Refs that are neither branches nor tags, names that are not UTF-8 and lines
 * of any other form are left out: a remote can advertise what it likes.
 */
export async function parseAdvertisement(output: Buffer): Promise<Advertisement> {
  const branches = new Map<string, CommitId>();
  const tags = new Map<string, CommitId>();
  let pauseAt = SLICE_BYTES;
  for (let start = 0; start < output.length;) {
    if (start >= pauseAt) {
      await nextTurn();
      pauseAt = start + SLICE_BYTES;
    }
    const newline = output.indexOf(0x0a, start);
    const end = newline === -1 ? output.length : newline;
    // Looked for within the line: to the end of everything would be the square of it where lines have none.
    const tab = start + output.subarray(start, end).indexOf(0x09);
    if (tab >= start) {
      // Text is cut from the buffer, not from one long string: a slice of that would keep the whole of it in memory.
      const id = output.toString('latin1', start, tab);
      const ref = output.toString('utf8', tab + 1, end);
      if (isCommitId(id) && isText(ref)) addRef(branches, tags, ref, id);
    }
    start = end + 1;
  }
  return { branches, tags };
}

function addRef(
  branches: Map<string, CommitId>,
  tags: Map<string, CommitId>,
  ref: string,
  id: CommitId,
): void {
  if (ref.startsWith(HEADS)) branches.set(ref.slice(HEADS.length), id);
  else if (!ref.startsWith(TAGS)) return;
  // The peeled line follows the tag's own and replaces it: what counts is the commit that the tag stands on.
  else if (ref.endsWith(PEELED)) tags.set(ref.slice(TAGS.length, -PEELED.length), id);
  else tags.set(ref.slice(TAGS.length), id);
}

function isText(ref: string): boolean {
  // eslint-disable-next-line no-control-regex -- git allows none in a ref, a hostile remote may send them
  return !/[\u0000-\u0020\u007f\ufffd]/.test(ref);
}

// Reads the output of `git ls-remote` as it is, odd names and broken refs included, for whoever judges a repository.
import type { SourceRef } from '../chain/verify-source.ts';
import { isCommitId } from '../shared/ids.ts';

const HEADS = Buffer.from('refs/heads/');
const TAGS = Buffer.from('refs/tags/');

/** Branches and tags by their short names, in the order of the output; what a tag peels to is left out. */
export function parseRefList(output: Buffer): {
  readonly branches: SourceRef[];
  readonly tags: SourceRef[];
} {
  const branches: SourceRef[] = [];
  const tags: SourceRef[] = [];
  for (let start = 0; start < output.length;) {
    const newline = output.indexOf(0x0a, start);
    const end = newline === -1 ? output.length : newline;
    // Looked for within the line: to the end of everything would be the square of it where lines have none.
    const tab = start + output.subarray(start, end).indexOf(0x09);
    if (tab >= start) {
      const ref = output.subarray(tab + 1, end);
      const id = output.toString('latin1', start, tab);
      if (ref.subarray(0, HEADS.length).equals(HEADS)) {
        addRef(branches, id, ref.subarray(HEADS.length));
      } else if (ref.subarray(0, TAGS.length).equals(TAGS)) {
        addRef(tags, id, ref.subarray(TAGS.length));
      }
    }
    start = end + 1;
  }
  return { branches, tags };
}

function addRef(refs: SourceRef[], id: string, bytes: Buffer): void {
  const text = bytes.toString('utf8');
  if (!isCommitId(id) || text.endsWith('^{}')) return;
  const isText = Buffer.from(text).equals(bytes);
  refs.push({ name: isText ? text : escapeBytes(bytes), isText, target: id });
}

/** Bytes beyond ASCII as `\xff`, so that two names stay two. */
function escapeBytes(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replace(/[\u0080-\u00ff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`);
}

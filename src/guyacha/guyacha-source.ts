// A Guyacha file as text: its data, and where each part of it stands, so that a fault can be shown to the operator.
import { LineCounter, isAlias, isMap, isNode, isScalar, isSeq, parseDocument, visit } from 'yaml';
import type { Document } from 'yaml';
import { AppError } from '../shared/errors.ts';

/** From the file's root to a value: keys of mappings and positions in lists. */
export type DataPath = readonly PropertyKey[];

/** The largest Guyacha file; the event's 8,403 assets, written out, are a quarter of it. */
export const MAX_FILE_BYTES = 2 * 1024 * 1024;

/** Beyond this many faults the rest is counted: nobody reads on, and one wrong bracket can make thousands. */
const MAX_FAULTS = 200;

/** Collects the faults of one file, and tells all of them at once. */
export class GuyachaSource {
  readonly #fileName: string;
  readonly #lines = new LineCounter();
  readonly #document: Document.Parsed | undefined;
  readonly #faults: { readonly offset: number; readonly message: string }[] = [];
  /** Plain data; undefined when the text is not YAML. */
  readonly data: unknown;

  constructor(text: string, fileName: string) {
    this.#fileName = fileName;
    if (Buffer.byteLength(text) > MAX_FILE_BYTES) {
      this.#faultAt(0, `the file is larger than ${MAX_FILE_BYTES} bytes`);
      return;
    }
    try {
      this.#document = this.#parse(text);
      this.data = this.#faults.length > 0 ? undefined : this.#document.toJS({ maxAliasCount: 0 });
    } catch (error) {
      // Thousands of levels exhaust the stack; no banner is written so.
      if (!(error instanceof RangeError)) throw error;
      this.#faultAt(0, 'the file is nested too deeply');
    }
  }

  /** Records that the value at `path` (or, with `key`, that key of it) is faulty; `message` is a sentence without a dot. */
  fault(path: DataPath, message: string, key?: string): void {
    this.#faultAt(this.#offsetOf(path, key), message);
  }

  /** @throws AppError CONFIG_INVALID with all faults, in the order of the file, when there is any */
  throwFaults(): void {
    if (this.#faults.length === 0) return;
    const faults = this.#faults
      .toSorted((a, b) => a.offset - b.offset)
      .slice(0, MAX_FAULTS)
      .map(({ offset, message }) => {
        const { line, col } = this.#lines.linePos(offset);
        // linePos answers line 0 for a text without any line.
        return `${this.#fileName}:${Math.max(line, 1)}:${Math.max(col, 1)} ${message}`;
      });
    const more = this.#faults.length - faults.length;
    if (more > 0) faults.push(`and ${more} more faults of ${this.#fileName}`);
    throw new AppError('CONFIG_INVALID', { faults: faults.join('\n') });
  }

  #parse(text: string): Document.Parsed {
    const document = parseDocument(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      stringKeys: true,
      uniqueKeys: true,
    });
    for (const { pos, message } of [...document.errors, ...document.warnings]) {
      // The reader calls itself for every level, and meets the end of the stack itself.
      if (message.includes('call stack')) throw new RangeError(message);
      this.#faultAt(pos[0], message.replaceAll(/\s+/g, ' '));
    }
    visit(document, {
      Node: (_key, node) => {
        if (isAlias(node) || node.tag === undefined) return;
        this.#faultAt(node.range?.[0] ?? 0, 'tags (!name) are not read here; write plain values');
      },
      Alias: (_key, alias) => {
        this.#faultAt(
          alias.range?.[0] ?? 0,
          'aliases (*name) are not read here; write the value out',
        );
      },
    });
    return document;
  }

  #faultAt(offset: number, message: string): void {
    this.#faults.push({ offset, message });
  }

  /** Where the path leads, or the nearest thing around it that is in the file. */
  #offsetOf(path: DataPath, key: string | undefined): number {
    let node: unknown = this.#document?.contents;
    let offset = startOf(node);
    for (const step of path) {
      node = isMap(node) || isSeq(node) ? node.get(step, true) : undefined;
      offset = startOf(node) ?? offset;
    }
    if (key === undefined || !isMap(node)) return offset ?? 0;
    const pair = node.items.find((item) => isScalar(item.key) && item.key.value === key);
    return startOf(pair?.key) ?? offset ?? 0;
  }
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

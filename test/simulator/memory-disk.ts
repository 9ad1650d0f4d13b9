// A disk in memory under the program's real file code: it may be full, and a power cut loses what was not flushed.
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { machine } from './machine.ts';

/** Whatever lies below this folder is on the simulated disk. */
export const DISK = '/simulated';
const MODE_OF_OWN_FILE = 0o100_600;

interface File {
  bytes: Buffer;
  /** What is left of it after a power cut. */
  flushed: Buffer;
}

/** An error as the operating system gives it. */
function systemError(code: 'ENOENT' | 'ENOSPC' | 'EIO', call: string): Error {
  return Object.assign(new Error(`${code}: ${call}`), { code });
}

class MemoryDisk {
  /** How many of the next writes and flushes fail because there is no room. */
  failures = 0;
  /** True once one has failed. */
  hasFailed = false;
  #names = new Map<string, File>();
  #flushedNames = new Map<string, File>();

  begin(): void {
    this.failures = 0;
    this.hasFailed = false;
    this.#names = new Map();
    this.#flushedNames = new Map();
  }

  /** Files that the program has put aside because it could not read them. */
  get damaged(): readonly string[] {
    return [...this.#names.keys()].filter((path) => path.includes('.damaged-'));
  }

  has(path: string): boolean {
    return this.#names.has(path);
  }

  /** What was not flushed is gone, but for a random beginning of it. */
  cutPower(): void {
    this.#names = new Map(this.#flushedNames);
    for (const file of this.#names.values()) {
      const { bytes, flushed } = file;
      const isAppended = bytes.length > flushed.length;
      const kept = isAppended ? machine.chance.between(flushed.length, bytes.length) : 0;
      file.bytes = isAppended ? Buffer.from(bytes.subarray(0, kept)) : flushed;
      file.flushed = file.bytes;
    }
  }

  flushNames(): void {
    this.#flushedNames = new Map(this.#names);
  }

  nameOf(file: File): string | undefined {
    for (const [path, each] of this.#names) if (each === file) return path;
    return undefined;
  }

  async open(path: string, flags: string): Promise<Handle> {
    await busy();
    if (path === DISK) return new Handle(undefined);
    let file = this.#names.get(path);
    if (file === undefined && flags !== 'w') throw systemError('ENOENT', `open ${path}`);
    if (file === undefined || flags === 'w') {
      this.#refuseFull('open');
      file = { bytes: Buffer.alloc(0), flushed: Buffer.alloc(0) };
      this.#names.set(path, file);
    }
    return new Handle(file);
  }

  async readFile(path: string): Promise<Buffer> {
    await busy();
    const file = this.#names.get(path);
    if (file === undefined) throw systemError('ENOENT', `read ${path}`);
    return Buffer.from(file.bytes);
  }

  async rename(from: string, to: string): Promise<void> {
    await busy();
    const file = this.#names.get(from);
    if (file === undefined) throw systemError('ENOENT', `rename ${from}`);
    this.#names.delete(from);
    this.#names.set(to, file);
  }

  async copyFile(from: string, to: string): Promise<void> {
    const bytes = await this.readFile(from);
    this.#names.set(to, { bytes, flushed: bytes });
  }

  async rm(path: string): Promise<void> {
    await busy();
    this.#names.delete(path);
  }

  /** @returns true when this write or flush is to fail. */
  takeFailure(): boolean {
    if (this.failures === 0) return false;
    this.failures -= 1;
    this.hasFailed = true;
    return true;
  }

  #refuseFull(call: string): void {
    if (this.takeFailure()) throw systemError('ENOSPC', call);
  }
}

/** An open file, or with no file the open folder. */
class Handle {
  #file: File | undefined;

  constructor(file: File | undefined) {
    this.#file = file;
  }

  async stat() {
    await busy();
    const file = this.#open();
    const nlink = disk.nameOf(file) === undefined ? 0 : 1;
    return { nlink, size: file.bytes.length, mode: MODE_OF_OWN_FILE, isFile: () => true };
  }

  chmod(): Promise<void> {
    return Promise.resolve();
  }

  async readFile(): Promise<Buffer> {
    await busy();
    return Buffer.from(this.#open().bytes);
  }

  async write(
    bytes: Buffer,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesWritten: number }> {
    await busy();
    const half = Math.ceil(length / 2);
    this.#put(bytes.subarray(offset, offset + half), position);
    await busy();
    if (disk.takeFailure()) throw systemError('ENOSPC', 'write');
    this.#put(bytes.subarray(offset + half, offset + length), position + half);
    return { bytesWritten: length };
  }

  async writeFile(content: string | Buffer, encoding?: BufferEncoding): Promise<void> {
    const bytes = typeof content === 'string' ? Buffer.from(content, encoding) : content;
    await this.write(bytes, 0, bytes.length, 0);
  }

  async truncate(size: number): Promise<void> {
    await busy();
    const file = this.#open();
    file.bytes = Buffer.from(file.bytes.subarray(0, size));
  }

  async sync(): Promise<void> {
    await busy();
    if (disk.takeFailure()) throw systemError('EIO', 'fsync');
    if (this.#file === undefined) disk.flushNames();
    else this.#file.flushed = this.#file.bytes;
  }

  datasync(): Promise<void> {
    return this.sync();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #open(): File {
    if (this.#file === undefined) throw new Error('the handle is of a folder');
    return this.#file;
  }

  /** In one piece with what stood there before: a reader or a power cut never meets a buffer that still changes. */
  #put(bytes: Buffer, position: number): void {
    const file = this.#open();
    const after = file.bytes.subarray(position + bytes.length);
    file.bytes = Buffer.concat([file.bytes.subarray(0, position), bytes, after]);
  }
}

/** The time that a call to the disk takes. */
function busy(): Promise<void> {
  return machine.pause(machine.chance.below(3));
}

export const disk = new MemoryDisk();

/** Puts the simulated disk under node's file functions, for paths below {@link DISK}; for good. */
export function installDisk(): void {
  const require = createRequire(import.meta.url);
  const promises = require('node:fs/promises') as Record<string, (...given: never[]) => unknown>;
  for (const name of ['open', 'readFile', 'rename', 'copyFile', 'rm'] as const) {
    const real = promises[name];
    const simulated = disk[name].bind(disk) as (...given: unknown[]) => unknown;
    promises[name] = (...given: readonly unknown[]) =>
      isSimulated(given[0]) ? simulated(...given) : real?.(...(given as never[]));
  }
  const fs = require('node:fs') as { existsSync: (path: unknown) => boolean };
  const { existsSync } = fs;
  fs.existsSync = (path) => (isSimulated(path) ? disk.has(path) : existsSync(path));
  syncBuiltinESMExports();
}

function isSimulated(path: unknown): path is string {
  return typeof path === 'string' && path.startsWith(DISK);
}

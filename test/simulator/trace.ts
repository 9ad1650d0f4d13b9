// What happened in one seed, line by line: for people to read when it fails, and to compare two runs of it.
import { createHash } from 'node:crypto';
import { machine } from './machine.ts';

export class Trace {
  readonly #hash = createHash('sha256');
  /** Lines that the digest has not taken in yet: one call for many of them. */
  #lines: string[] = [];
  readonly #print: ((line: string) => void) | undefined;

  constructor(print: ((line: string) => void) | undefined) {
    this.#print = print;
  }

  say(line: string): void {
    const full = `${machine.happened} ${machine.now} ${line}\n`;
    this.#lines.push(full);
    this.#print?.(full);
  }

  /** For whoever reads the trace only: stacks are not the same in every run. */
  print(text: string): void {
    this.#print?.(`${text}\n`);
  }

  /** Takes in, after the lines so far, something that is too long to print. */
  take(bytes: Uint8Array): void {
    this.#hash.update(this.#lines.join('')).update(bytes);
    this.#lines = [];
  }

  /** The whole trace as 16 hexadecimal digits; to be asked once, at the end. */
  digest(): string {
    return this.#hash.update(this.#lines.join('')).digest('hex').slice(0, 16);
  }
}

// What a fuzz target is: a parser of the program, inputs to start from, and what must be true of every input.
import type fc from 'fast-check';

/** Throws when something that must be true of this input is not. Bytes come as one character each (latin1). */
export type Check = (input: string) => void | Promise<void>;

export interface Target {
  readonly name: string;
  /** What it covers, as `src/file.ts#name`; a test holds these names against the code. */
  readonly covers: readonly string[];
  /** Inputs that mean something, to be changed and spliced. */
  readonly seeds: readonly string[];
  /** Valid inputs made by construction, for what no change of a seed would hit. */
  readonly valid?: fc.Arbitrary<string>;
  /** Words of the format that changes put in. */
  readonly tokens?: readonly string[];
  /** True when inputs are JSON: most changes then keep it well-formed. */
  readonly isJson?: boolean;
  /** True when inputs are bytes: no character is beyond 0xff. */
  readonly isBytes?: boolean;
  /** The longest input that is made; 4,096 by default. */
  readonly maxLength?: number;
  /** The longest input that the program itself would let this far, for the test of growth; 32,768 by default. */
  readonly growthLength?: number;
  /** One input in so many, for what crosses a process or a server; and why. */
  readonly slower?: { readonly times: number; readonly reason: string };
  /** Starts what the check needs. */
  open(): Promise<OpenTarget> | OpenTarget;
}

export interface OpenTarget {
  readonly check: Check;
  close?(): Promise<void>;
}

/** A target that needs nothing started. */
export function pure({
  check,
  ...facts
}: Omit<Target, 'open'> & { readonly check: Check }): Target {
  return { ...facts, open: () => ({ check }) };
}

/** Something that must be true of the program is not, for this input. */
export class Broken extends Error {
  override readonly name = 'Broken';
}

/** Throws when it is not so. */
export function must(isSo: boolean, rule: string): asserts isSo {
  if (!isSo) throw new Broken(rule);
}

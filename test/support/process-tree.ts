// The processes below another one, as Linux shows them, and signals to them.
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessFacts {
  readonly pid: number;
  /** Its arguments, joined by spaces; empty for one that has ended. */
  readonly command: string;
}

/** Children, their children and so on; the nearest first. */
export function listDescendants(ancestor: number): readonly ProcessFacts[] {
  const parents = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const parent = /^\d+$/.test(name) ? parentOf(name) : undefined;
    if (parent !== undefined) parents.set(parent, [...(parents.get(parent) ?? []), Number(name)]);
  }
  const found = [...(parents.get(ancestor) ?? [])];
  for (let at = 0; at < found.length; at += 1) found.push(...(parents.get(found[at] ?? 0) ?? []));
  return found.map((pid) => ({ pid, command: commandOf(pid) }));
}

/**
 * Sends a signal, or none with 0; to a whole group when the number is negative.
 * @returns false when there is nobody any more.
 */
export function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    return false;
  }
}

function parentOf(pid: string): number | undefined {
  // The name of the program stands in brackets and may hold anything.
  const parent = /^.*\) . (\d+)/s.exec(readProc(`${pid}/stat`))?.[1];
  return parent === undefined ? undefined : Number(parent);
}

const commandOf = (pid: number): string => readProc(`${pid}/cmdline`).replaceAll('\0', ' ').trim();

/** Processes end while one looks. */
function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'latin1');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ESRCH') throw error;
    return '';
  }
}

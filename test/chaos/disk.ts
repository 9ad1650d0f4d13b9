// A small disk that can be full: a tmpfs of its own, made as small as what is on it and large again.
import { execFileSync } from 'node:child_process';
import { mkdirSync, statfsSync } from 'node:fs';
import { beforeRemoval } from '../support/temp-dir.ts';

const SIZE_MB = 256;

export interface Disk {
  readonly path: string;
  /** From now on every write that needs more room fails with ENOSPC. */
  fill(): void;
  free(): void;
}

/** Why no disk can be mounted here; undefined when one can. */
export function mountingWord(path: string): string | undefined {
  try {
    mkdirSync(path, { recursive: true });
    mount(['-t', 'tmpfs', '-o', 'size=1m', 'aibot-chaos', path]);
    execFileSync('umount', [path], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `a small disk cannot be mounted here (${String(error).split('\n')[0] ?? ''}); run it as root`;
  }
}

/** Mounts a disk at a new folder, or makes the folder only when it may not. It is gone after the run. */
export function makeDisk(path: string, mayMount: boolean): Disk {
  mkdirSync(path, { recursive: true });
  if (!mayMount) return { path, fill: refuse, free: () => undefined };
  mount(['-t', 'tmpfs', '-o', `size=${SIZE_MB}m,mode=0700`, 'aibot-chaos', path]);
  beforeRemoval(() => {
    // Lazily: a git whose parent was killed may still look at it.
    execFileSync('umount', ['--lazy', path], { stdio: 'pipe' });
    return Promise.resolve();
  });
  const resize = (size: string): void => mount(['-o', `remount,size=${size}`, path]);
  return {
    path,
    fill: () => {
      const { blocks, bfree, bsize } = statfsSync(path);
      resize(`${((blocks - bfree) * bsize) / 1024}k`);
    },
    free: () => resize(`${SIZE_MB}m`),
  };
}

function refuse(): never {
  throw new Error('there is no small disk to fill');
}

function mount(args: readonly string[]): void {
  execFileSync('mount', args, { stdio: 'pipe' });
}

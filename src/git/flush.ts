// Flushes a file, or a directory's list of names, to the disk.
import { open } from 'node:fs/promises';

/** git flushes files alone: after a power cut a file whose name was lost is no use. */
export async function flushPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

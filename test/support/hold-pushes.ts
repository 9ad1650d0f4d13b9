// Holds pushes at the remote itself: git waits in the beacon's hook for as long as the hook is there.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const hookOf = (beacon: string): string => join(beacon, 'hooks', 'pre-receive');

/** Makes the beacon wait with every push for as long as the returned function has not been called. */
export function holdPushes(beacon: string): () => void {
  const hook = hookOf(beacon);
  mkdirSync(join(beacon, 'hooks'), { recursive: true });
  const begun = `${hook}.begun`;
  const wait = `#!/bin/sh\ntouch '${begun}'\nwhile [ -e '${hook}' ]; do sleep 0.02; done\n`;
  writeFileSync(hook, wait, { mode: 0o755 });
  return () => rmSync(hook, { force: true });
}

/** True once a push waits there. */
export const hasPushBegun = (beacon: string): boolean => existsSync(`${hookOf(beacon)}.begun`);

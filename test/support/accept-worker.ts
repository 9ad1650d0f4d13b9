// Accepts a rewritten chain and dies at a named step; argv = the data directory, the digest, the step.
// Run as its own process, because it is killed.
import { acceptFromOutside } from '../../src/cli/chain-accept.ts';
import { parseConfig } from '../../src/config.ts';
import { silentLogger } from '../../src/shared/logger.ts';

const [dataDir = '', digest, dieAtStep] = process.argv.slice(2);
const atStep = (step: string): void => {
  if (step === dieAtStep) process.kill(process.pid, 'SIGKILL');
};
const surroundings = { logger: silentLogger, ambient: process.env };
await acceptFromOutside(parseConfig({ DATA_DIR: dataDir }), { digest, atStep }, surroundings);

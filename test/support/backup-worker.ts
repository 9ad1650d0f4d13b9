// Takes or restores a backup and dies on the way. Run as its own process by the crash tests: argv = backup or restore,
// the backup's folder, the step to die at; the configuration comes from the environment.
import { takeBackup } from '../../src/cli/backup.ts';
import { restoreBackup } from '../../src/cli/restore.ts';
import { parseConfig } from '../../src/config.ts';

const [what, dir = '', dieAtStep] = process.argv.slice(2);
const config = parseConfig(process.env);
const surroundings = { ambient: process.env };
const atStep = (step: string): void => {
  if (step === dieAtStep) process.kill(process.pid, 'SIGKILL');
};

if (what === 'backup') {
  await takeBackup(config, { dir, withKey: true, recipient: undefined, atStep }, surroundings);
} else {
  await restoreBackup(config, { dir, identityFile: undefined, atStep }, surroundings);
}

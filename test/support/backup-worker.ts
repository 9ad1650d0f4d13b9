// Takes or restores a backup, or changes the vault's key, and dies on the way. Run as its own process by the crash tests: argv = backup,
// restore or rekey, the backup's folder or the new passphrase, the step to die at; the configuration comes from the environment.
import { takeBackup } from '../../src/cli/backup.ts';
import { restoreBackup } from '../../src/cli/restore.ts';
import { rekeyFromOutside } from '../../src/cli/vault.ts';
import { parseConfig } from '../../src/config.ts';

const [what, dir = '', dieAtStep] = process.argv.slice(2);
const config = parseConfig(process.env);
const surroundings = { ambient: process.env };
const atStep = (step: string): void => {
  if (step === dieAtStep) process.kill(process.pid, 'SIGKILL');
};

if (what === 'backup') {
  await takeBackup(config, { dir, withKey: true, recipient: undefined, atStep }, surroundings);
} else if (what === 'rekey') {
  await rekeyFromOutside(config, { newPassphrase: dir === '' ? undefined : dir, atStep });
} else {
  await restoreBackup(config, { dir, identityFile: undefined, atStep }, surroundings);
}

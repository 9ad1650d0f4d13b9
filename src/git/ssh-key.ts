// The private key that ssh is given: looked at before anything is done with it, and always a file of its owner alone.
import { execFile } from 'node:child_process';
import { rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { AppError } from '../shared/errors.ts';
import type { Environment } from './processes.ts';

const GROUP_AND_WORLD = 0o077;
const CHECK_TIMEOUT_MS = 15_000;

/** Where the key comes from; without either ssh looks for keys itself. */
export interface SshKeySource {
  /** A private key file that ssh uses and nothing else. */
  readonly sshKeyFile?: string;
  /** The private key itself; written to a file of mode 0600 under the work directory. */
  readonly sshKey?: string;
}

/**
 * Gives the absolute path of a key file that ssh can use without asking anyone.
 * @returns undefined when no key was given
 * @throws AppError BEACON_KEY_EXPOSED when others may read or write the file
 * @throws AppError BEACON_KEY_INVALID when it is no key, or needs a passphrase
 */
export async function prepareSshKey(
  workDir: string,
  { sshKey, sshKeyFile }: SshKeySource,
  environment: Environment,
): Promise<string | undefined> {
  if (sshKey !== undefined) return writeKey(workDir, sshKey, environment);
  if (sshKeyFile === undefined) return undefined;
  const file = resolve(sshKeyFile);
  await refuseExposed(file);
  await checkKey(file, file, environment);
  return file;
}

async function writeKey(
  workDir: string,
  sshKey: string,
  environment: Environment,
): Promise<string> {
  const file = join(workDir, 'ssh_key');
  // An .env file holds a key on one line with `\n` for its line breaks; ssh insists on real ones, also at the end.
  const key = sshKey.includes('\n') ? sshKey : sshKey.replaceAll('\\n', '\n');
  // A file that is there already would keep the mode that it has.
  await rm(file, { force: true });
  await writeFile(file, `${key.replaceAll('\r\n', '\n').trimEnd()}\n`, { mode: 0o600, flag: 'wx' });
  try {
    await checkKey(file, 'BEACON_SSH_KEY', environment);
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
  return file;
}

async function refuseExposed(file: string): Promise<void> {
  const stats = await stat(file).catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : message;
    throw new AppError('BEACON_KEY_INVALID', { key: file, reason });
  });
  if (!stats.isFile()) {
    throw new AppError('BEACON_KEY_INVALID', { key: file, reason: 'it is not a file' });
  }
  // Windows has no such modes and shows every file as readable by all.
  if (process.platform === 'win32' || (stats.mode & GROUP_AND_WORLD) === 0) return;
  const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
  throw new AppError('BEACON_KEY_EXPOSED', { file, mode });
}

/** ssh would fall silent about a key that it cannot read, and say that the host refused it: so it is read here first. */
async function checkKey(file: string, key: string, environment: Environment): Promise<void> {
  const options = { env: environment, timeout: CHECK_TIMEOUT_MS };
  try {
    await promisify(execFile)('ssh-keygen', ['-y', '-P', '', '-f', file], options);
  } catch (error) {
    const { code, stderr = '' } = error as { readonly code?: unknown; readonly stderr?: string };
    throw new AppError('BEACON_KEY_INVALID', { key, reason: reasonOf(code, stderr) });
  }
}

function reasonOf(code: unknown, stderr: string): string {
  if (code === 'ENOENT') return 'the program ssh-keygen is not installed';
  if (stderr.includes('incorrect passphrase')) return 'it is encrypted with a passphrase';
  const words = stderr
    .trim()
    .split('\n')
    .at(-1)
    ?.replace(/^Load key ".*": /, '');
  return `ssh cannot read it (${words === undefined || words === '' ? 'no reason given' : words})`;
}

// What a git child process may know: a minimal environment, a configuration file of our own, the ssh key as a file.
import { writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from './processes.ts';
import type { RemoteUrl } from './remote-url.ts';

export interface Credentials {
  /** A private key file that ssh uses and nothing else. */
  readonly sshKeyFile?: string;
  /** The private key itself; written to a file of mode 0600 under the work directory. */
  readonly sshKey?: string;
  /** Pins the remote's host keys; without it a new host is trusted on first sight. */
  readonly knownHostsFile?: string;
}

/** What of the surrounding environment git, ssh and credential helpers cannot work without. */
const PASSED_ON = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'TMPDIR',
  'TEMP',
  'SYSTEMROOT',
  'SSH_AUTH_SOCK',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'HTTPS_PROXY',
  'https_proxy',
  'ALL_PROXY',
  'all_proxy',
  'NO_PROXY',
  'no_proxy',
  'XDG_CONFIG_HOME',
  'DBUS_SESSION_BUS_ADDRESS',
  'LD_LIBRARY_PATH',
];

/**
 * Writes the files that the environment points to and returns it.
 * @param ambient the process's own environment; a usual PATH and the home directory when empty.
 */
export async function prepareEnvironment(
  remote: RemoteUrl,
  workDir: string,
  credentials: Credentials,
  ambient: Readonly<Record<string, string | undefined>>,
): Promise<Environment> {
  const environment: Record<string, string> = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: homedir(),
  };
  for (const name of PASSED_ON) {
    const value = ambient[name];
    if (value !== undefined) environment[name] = value;
  }
  const globalConfig = join(workDir, 'gitconfig');
  await writeFile(globalConfig, globalConfigOf(remote, workDir), { mode: 0o600 });
  Object.assign(environment, {
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: 'file:ssh:https',
    GIT_CONFIG_GLOBAL: globalConfig,
    // Reading takes no lock that a writer might need.
    GIT_OPTIONAL_LOCKS: '0',
  });
  // Only https needs what the machine's own configuration says: which credential helper to ask.
  if (remote.transport !== 'https') environment['GIT_CONFIG_NOSYSTEM'] = '1';
  if (remote.transport === 'ssh') {
    environment['GIT_SSH_COMMAND'] = await sshCommand(workDir, credentials);
    environment['GIT_SSH_VARIANT'] = 'ssh';
  }
  return environment;
}

/**
 * A file rather than `-c` options or GIT_CONFIG_COUNT: a receive-pack on a local beacon does not inherit those, and it
 * is the one that refuses a repository owned by another user unless `safe.directory` names it.
 */
function globalConfigOf(remote: RemoteUrl, workDir: string): string {
  const lines: string[] = [];
  if (remote.transport === 'https') {
    lines.push('[include]', '\tpath = ~/.config/git/config', '\tpath = ~/.gitconfig');
  }
  lines.push('[safe]', `\tdirectory = ${quoteConfig(join(workDir, 'scratch.git'))}`);
  if (remote.transport === 'path') {
    for (const directory of [remote.location, join(remote.location, '.git')]) {
      lines.push(`\tdirectory = ${quoteConfig(directory)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** A value of a git configuration file in double quotes. */
export function quoteConfig(value: string): string {
  return `"${value.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t')}"`;
}

async function sshCommand(workDir: string, credentials: Credentials): Promise<string> {
  const options = ['BatchMode=yes', 'ConnectTimeout=15', 'ServerAliveInterval=15'];
  if (credentials.knownHostsFile === undefined) {
    const ours = join(workDir, 'known_hosts');
    // ssh writes new hosts to the first file and believes both.
    options.push(
      'StrictHostKeyChecking=accept-new',
      `UserKnownHostsFile="${ours}" ~/.ssh/known_hosts`,
    );
  } else {
    options.push('StrictHostKeyChecking=yes', `UserKnownHostsFile="${credentials.knownHostsFile}"`);
    options.push('GlobalKnownHostsFile=/dev/null');
  }
  const words = ['ssh'];
  const keyFile = await keyFileOf(workDir, credentials);
  if (keyFile !== undefined) {
    words.push('-i', keyFile);
    options.push('IdentitiesOnly=yes');
  }
  for (const option of options) words.push('-o', option);
  return words.map(quoteShell).join(' ');
}

async function keyFileOf(workDir: string, credentials: Credentials): Promise<string | undefined> {
  if (credentials.sshKey === undefined) return credentials.sshKeyFile;
  const file = join(workDir, 'ssh_key');
  // An .env file holds a key on one line with `\n` for its line breaks; ssh insists on real ones, also at the end.
  const key = credentials.sshKey.includes('\n')
    ? credentials.sshKey
    : credentials.sshKey.replaceAll('\\n', '\n');
  await writeFile(file, `${key.replaceAll('\r\n', '\n').trimEnd()}\n`, { mode: 0o600 });
  return file;
}

function quoteShell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

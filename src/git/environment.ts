// What a git child process may know: a minimal environment, a configuration file of our own, the ssh key as a file.
import { writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Environment } from './processes.ts';
import type { RemoteUrl } from './remote-url.ts';
import { prepareSshKey, type SshKeySource } from './ssh-key.ts';

export interface Credentials extends SshKeySource {
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
 * Over https as well: which certificates git believes. Not let through is what would switch that check off
 * (GIT_SSL_NO_VERIFY), write passwords to the log (GIT_TRACE*, GIT_CURL_VERBOSE) or ask a person (*_ASKPASS).
 */
const PASSED_ON_TO_HTTPS = ['GIT_SSL_CAINFO', 'GIT_SSL_CAPATH'];

/**
 * What git may speak for each kind of remote; never `ext`, which runs programs, nor `http` or `git`, which anybody on
 * the way can change. A user's own `url.….insteadOf` turns https into ssh.
 */
const PROTOCOLS = { path: 'file', ssh: 'ssh', https: 'https:ssh' } as const;

/**
 * Checks the key, writes the files that the environment points to, and returns it.
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
  const passedOn = remote.transport === 'https' ? PASSED_ON_TO_HTTPS : [];
  for (const name of [...PASSED_ON, ...passedOn]) {
    const value = ambient[name];
    if (value !== undefined) environment[name] = value;
  }
  const keyFile =
    remote.transport === 'ssh' ? await prepareSshKey(workDir, credentials, environment) : undefined;
  const globalConfig = join(workDir, 'gitconfig');
  const config = globalConfigOf(remote, workDir, environment['XDG_CONFIG_HOME']);
  await writeFile(globalConfig, config, { mode: 0o600 });
  Object.assign(environment, {
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GCM_INTERACTIVE: 'never',
    GIT_ALLOW_PROTOCOL: PROTOCOLS[remote.transport],
    GIT_CONFIG_GLOBAL: globalConfig,
    // Reading takes no lock that a writer might need.
    GIT_OPTIONAL_LOCKS: '0',
  });
  // Only https needs what the machine's own configuration says: which credential helper to ask.
  if (remote.transport !== 'https') environment['GIT_CONFIG_NOSYSTEM'] = '1';
  if (remote.transport === 'ssh') {
    environment['GIT_SSH_COMMAND'] = sshCommand(workDir, keyFile, credentials.knownHostsFile);
    environment['GIT_SSH_VARIANT'] = 'ssh';
  }
  return environment;
}

/**
 * A file rather than `-c` options or GIT_CONFIG_COUNT: a receive-pack on a local beacon does not inherit those, and it
 * is the one that refuses a repository owned by another user unless `safe.directory` names it.
 */
function globalConfigOf(remote: RemoteUrl, workDir: string, xdgConfigHome = '~/.config'): string {
  const lines: string[] = [];
  if (remote.transport === 'https') {
    lines.push('[include]', `\tpath = ${quoteConfig(`${xdgConfigHome}/git/config`)}`);
    lines.push('\tpath = ~/.gitconfig');
    // Nobody is there to answer a window: set empty, after what the user's own file may say.
    lines.push('[core]', '\taskPass =');
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

function sshCommand(
  workDir: string,
  keyFile: string | undefined,
  knownHostsFile: string | undefined,
): string {
  const options = ['BatchMode=yes', 'ConnectTimeout=15', 'ServerAliveInterval=15'];
  if (knownHostsFile === undefined) {
    const ours = quoteSsh(join(workDir, 'known_hosts'));
    // ssh writes new hosts to the first file and believes both.
    options.push('StrictHostKeyChecking=accept-new');
    options.push(`UserKnownHostsFile=${ours} ~/.ssh/known_hosts`);
  } else {
    options.push('StrictHostKeyChecking=yes');
    options.push(`UserKnownHostsFile=${quoteSsh(resolve(knownHostsFile))}`);
    options.push('GlobalKnownHostsFile=/dev/null');
  }
  if (keyFile !== undefined) {
    // The key that was given and no other: none of an agent, none of a connection that someone else opened.
    options.push(`IdentityFile=${quoteSsh(keyFile)}`, 'IdentitiesOnly=yes', 'IdentityAgent=none');
    options.push('ControlMaster=no', 'ControlPath=none');
  }
  const words = ['ssh', ...options.flatMap((option) => ['-o', option])];
  return words.map(quoteShell).join(' ');
}

/** A file name in an option of ssh, which splits at spaces and replaces what follows a percent sign. */
function quoteSsh(file: string): string {
  return `"${file.replace(/["\\]/g, '\\$&').replaceAll('%', '%%')}"`;
}

function quoteShell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

// A real sshd on loopback that behaves as a git host does: deploy keys with forced commands, read-write or read-only.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { listDescendants, signal } from './process-tree.ts';
import { beforeRemoval, tempDir } from './temp-dir.ts';
import { until } from './until.ts';

const SSHD = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/sbin/sshd'].find(existsSync);

/** For the titles of suites: they are skipped, with a word, where there is no sshd. */
export const hasSshd = SSHD !== undefined;
export const sshdWord = hasSshd ? '' : ' (skipped: needs openssh-server)';

/** What a deploy key may do; `none`: the host does not know it. */
type KeyRight = 'read-write' | 'read-only' | 'none';

/** A host with one repository directory, and keys that tests give rights and take them away. */
export interface GitHost {
  readonly port: number;
  /** Makes a key pair; the path of its private file. */
  makeKey(name: string, right: KeyRight, passphrase?: string): string;
  setRight(name: string, right: KeyRight): void;
  /** The ssh URL of a repository on this machine. */
  urlOf(path: string, port?: number): string;
  /** A known_hosts file with the host's present key. */
  writeKnownHosts(): string;
  /** Stops it and starts it with another host key on the same port. */
  changeHostKey(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Ends it and every session with SIGKILL, as a host that loses its power. */
  kill(): Promise<void>;
}

/** Starts a host; it is stopped after the test. */
export async function startGitHost(): Promise<GitHost> {
  const directory = tempDir();
  const port = await findFreePort();
  const rights = new Map<string, KeyRight>();
  const host = new Host(directory, port, rights);
  await host.start();
  beforeRemoval(() => host.stop());
  return host;
}

class Host implements GitHost {
  readonly port: number;
  readonly #directory: string;
  readonly #rights: Map<string, KeyRight>;
  #sshd: ChildProcess | undefined;

  constructor(directory: string, port: number, rights: Map<string, KeyRight>) {
    this.port = port;
    this.#directory = directory;
    this.#rights = rights;
    mkdirSync(join(directory, 'rights'));
    this.#makeHostKey();
    this.#writeServe();
    this.#writeConfig();
    this.#writeAuthorizedKeys();
  }

  makeKey(name: string, right: KeyRight, passphrase = ''): string {
    const file = join(this.#directory, name);
    keygen('-q', '-t', 'ed25519', '-N', passphrase, '-C', name, '-f', file);
    this.setRight(name, right);
    return file;
  }

  setRight(name: string, right: KeyRight): void {
    this.#rights.set(name, right);
    writeFileSync(join(this.#directory, 'rights', name), right);
    this.#writeAuthorizedKeys();
  }

  urlOf(path: string, port = this.port): string {
    return `ssh://${userInfo().username}@127.0.0.1:${port}${path}`;
  }

  writeKnownHosts(): string {
    const file = join(this.#directory, 'pinned hosts');
    const key = readFileSync(join(this.#directory, 'host_key.pub'), 'utf8');
    writeFileSync(file, `[127.0.0.1]:${this.port} ${key}`);
    return file;
  }

  async changeHostKey(): Promise<void> {
    await this.stop();
    rmSync(join(this.#directory, 'host_key'));
    this.#makeHostKey();
    await this.start();
  }

  async start(): Promise<void> {
    // The directory that a daemon of root changes its root to, otherwise made when the machine starts.
    if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
    const args = ['-D', '-e', '-f', join(this.#directory, 'sshd_config')];
    const child = spawn(SSHD ?? 'sshd', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    this.#sshd = child;
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`sshd ended: ${said}`);
      return canConnect(this.port);
    });
  }

  async stop(): Promise<void> {
    const child = this.#sshd;
    this.#sshd = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }

  async kill(): Promise<void> {
    const child = this.#sshd;
    this.#sshd = undefined;
    if (child?.pid === undefined) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    for (const { pid } of [...listDescendants(child.pid), { pid: child.pid }]) {
      signal(pid, 'SIGKILL');
    }
    await ended;
  }

  #makeHostKey(): void {
    keygen('-q', '-t', 'ed25519', '-N', '', '-f', join(this.#directory, 'host_key'));
  }

  /**
   * What every key runs: git's two services and nothing else, and the writing one only with the right to it. Hooks find
   * the key's name in DEPLOY_KEY.
   */
  #writeServe(): void {
    const serve = join(this.#directory, 'serve');
    writeFileSync(
      serve,
      `#!/bin/sh
export DEPLOY_KEY="$1" PATH='${process.env['PATH'] ?? '/usr/bin:/bin'}' GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
case "$SSH_ORIGINAL_COMMAND" in
  "git-upload-pack '"*) ;;
  "git-receive-pack '"*)
    if [ "$(cat '${this.#directory}/rights/'"$1")" != read-write ]; then
      echo "ERROR: The key you are authenticating with has been marked as read only." >&2
      exit 1
    fi ;;
  *) echo "only git is served here" >&2; exit 128 ;;
esac
exec git shell -c "$SSH_ORIGINAL_COMMAND"
`,
    );
    chmodSync(serve, 0o755);
  }

  #writeConfig(): void {
    const at = (name: string): string => join(this.#directory, name);
    const lines = [
      `Port ${this.port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${at('host_key')}`,
      `AuthorizedKeysFile ${at('authorized_keys')}`,
      'PidFile none',
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PermitRootLogin prohibit-password',
      'MaxStartups 100',
      // The default takes a third of a second of CPU at each connection.
      'KexAlgorithms curve25519-sha256',
      'LogLevel ERROR',
    ];
    writeFileSync(at('sshd_config'), `${lines.join('\n')}\n`);
    // Newer ones slow down whoever was refused before, and here everybody comes from one address.
    const generous = `${lines.join('\n')}\nPerSourcePenalties no\n`;
    writeFileSync(at('generous_config'), generous);
    if (succeeds(SSHD ?? 'sshd', ['-t', '-f', at('generous_config')])) {
      copyFileSync(at('generous_config'), at('sshd_config'));
    }
  }

  #writeAuthorizedKeys(): void {
    const lines = [...this.#rights]
      .filter(([, right]) => right !== 'none')
      .map(([name]) => {
        const key = readFileSync(join(this.#directory, `${name}.pub`), 'utf8').trim();
        return `command="${join(this.#directory, 'serve')} ${name}",restrict ${key}\n`;
      });
    writeFileSync(join(this.#directory, 'authorized_keys'), lines.join(''));
  }
}

function keygen(...args: readonly string[]): void {
  execFileSync('ssh-keygen', args, { stdio: 'pipe' });
}

function succeeds(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A port of loopback on which nothing listens. */
async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

// Ssh keys made by ssh-keygen, and what git and ssh say about signatures.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from './temp-dir.ts';

/** Options of ssh-keygen for each kind of key that people have. */
export const KEY_KINDS = {
  ed25519: ['-t', 'ed25519'],
  rsa: ['-t', 'rsa', '-b', '2048'],
  'rsa in PEM': ['-t', 'rsa', '-b', '2048', '-m', 'PEM'],
  'rsa in PKCS #8': ['-t', 'rsa', '-b', '2048', '-m', 'PKCS8'],
  ecdsa: ['-t', 'ecdsa'],
} as const;

export interface SshKey {
  readonly file: string;
  /** The private key's text. */
  readonly text: string;
  /** Kind and key on one line, without the comment. */
  readonly publicKey: string;
}

/** Makes a new key, encrypted when a passphrase is given. */
export function makeSshKey(kind: keyof typeof KEY_KINDS = 'ed25519', passphrase = ''): SshKey {
  const file = join(tempDir(), 'key');
  const options = [...KEY_KINDS[kind], '-q', '-C', '', '-N', passphrase, '-f', file];
  execFileSync('ssh-keygen', options);
  const publicKey = readFileSync(`${file}.pub`, 'utf8').trim();
  return { file, text: readFileSync(file, 'utf8'), publicKey };
}

/** What `git verify-commit` says of a commit when these public keys may sign. */
export function verifyCommit(
  gitDir: string,
  commit: string,
  publicKeys: readonly string[],
): { readonly isGood: boolean; readonly words: string } {
  const allowed = join(tempDir(), 'allowed_signers');
  const lines = publicKeys.map((key, index) => `signer-${index} namespaces="git" ${key}\n`);
  writeFileSync(allowed, lines.join(''));
  const config = ['-c', 'gpg.format=ssh', '-c', `gpg.ssh.allowedSignersFile=${allowed}`];
  const result = spawnSync('git', [...config, 'verify-commit', commit], {
    cwd: gitDir,
    encoding: 'utf8',
  });
  return { isGood: result.status === 0, words: result.stderr };
}

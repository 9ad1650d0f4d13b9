// Who this validator is on the chain: its short id, and the key that signs for it.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Config } from './config.ts';
import type { Sealer } from './chain/publisher.ts';
import { signerOfKey, signerOfSeed, type CommitSigner } from './git/ssh-signature.ts';
import type { Logger } from './shared/logger.ts';
import type { Vault } from './vault/vault.ts';

export interface ValidatorKeys {
  /** Author and committer of its commits: of its ssh key as the first nodes make it, or of a key of its own. */
  readonly committer: string;
  readonly signer: CommitSigner;
  /** Keeps the passphrases that are to be revealed. */
  readonly sealer: Sealer;
}

/** Finds the keys; the vault's are used where ssh's cannot be. Opening it again gives the same keys. */
export async function openValidatorKeys(
  config: Config,
  vault: Pick<Vault, 'deriveKey' | 'sealerFor'>,
  logger: Logger,
): Promise<ValidatorKeys> {
  const idKey = config.beaconSshKey?.reveal() ?? vault.deriveKey('validator-id');
  return {
    committer: createHash('sha512').update(idKey).digest('hex').slice(0, 6),
    signer: await openSigner(config, vault, logger),
    sealer: vault.sealerFor('predecessor-passphrase'),
  };
}

async function openSigner(
  config: Config,
  vault: Pick<Vault, 'deriveKey'>,
  logger: Logger,
): Promise<CommitSigner> {
  const signer = await sshSigner(config);
  if (!('fault' in signer)) return signer;
  logger.info({ reason: signer.fault }, 'commits are signed with a key that the vault keeps');
  return signerOfSeed(vault.deriveKey('validator-signing'));
}

async function sshSigner({
  beaconSshKey,
  beaconSshKeyFile,
}: Config): ReturnType<typeof signerOfKey> {
  if (beaconSshKey !== undefined) return signerOfKey(beaconSshKey.reveal());
  if (beaconSshKeyFile === undefined) return { fault: 'no ssh key is configured' };
  try {
    return await signerOfKey(await readFile(beaconSshKeyFile, 'utf8'));
  } catch (error) {
    // Opening the beacon judges whether ssh can do without the file; a signature can.
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}

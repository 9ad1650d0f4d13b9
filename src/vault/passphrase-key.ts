// The key that the operator's passphrase stands for, through argon2id with parameters that the header keeps.
import { argon2id, hash } from 'argon2';
import { KEY_BYTES } from './aead.ts';

interface Costs {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

/** What a new vault costs to open: 64 MiB, three passes. Raise it here; older vaults keep what they were made with. */
const NEW_VAULT: Costs = { memoryKib: 64 * 1024, passes: 3, lanes: 1 };
/** Beyond this a header is damaged, not strong. */
const MAX: Costs = { memoryKib: 4 * 1024 * 1024, passes: 64, lanes: 64 };

/** Below this argon2 does not work. */
const MIN_KIB_A_LANE = 8;

const PARAMETERS = /^v=19\$m=(\d{1,8}),t=(\d{1,3}),p=(\d{1,3})$/;

/** The parameters for a new vault in the words of a PHC string. */
export function newParameters(): string {
  const { memoryKib, passes, lanes } = NEW_VAULT;
  return `v=19$m=${memoryKib},t=${passes},p=${lanes}`;
}

/** Derives the key. Takes a while and much memory: that is what it is for. */
export async function passphraseKey(
  passphrase: string,
  parameters: string,
  salt: Buffer,
): Promise<Buffer> {
  const { memoryKib, passes, lanes } = parseParameters(parameters);
  // The same letters can be typed as different code points; one form for all opens the vault from any keyboard.
  return await hash(passphrase.normalize('NFC'), {
    raw: true,
    type: argon2id,
    salt,
    memoryCost: memoryKib,
    timeCost: passes,
    parallelism: lanes,
    hashLength: KEY_BYTES,
  });
}

export function parseParameters(parameters: string): Costs {
  const [, memoryKib, passes, lanes] = (PARAMETERS.exec(parameters) ?? []).map(Number);
  const isSound =
    memoryKib !== undefined &&
    passes !== undefined &&
    lanes !== undefined &&
    passes >= 1 &&
    lanes >= 1 &&
    memoryKib >= MIN_KIB_A_LANE * lanes &&
    memoryKib <= MAX.memoryKib &&
    passes <= MAX.passes &&
    lanes <= MAX.lanes;
  if (!isSound) throw new Error('the vault header has unknown argon2id parameters');
  return { memoryKib, passes, lanes };
}

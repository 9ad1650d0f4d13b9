// The tokens that open the API's guarded routes: how one is made, what is kept of it, and how one that comes is checked.
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { argon2id, hash, verify } from 'argon2';
import { AppError } from '../shared/errors.ts';

/** 256 bits: no list of guesses reaches it. */
const SECRET_BYTES = 32;
const ID_BYTES = 4;
const CHECK_BYTES = 4;
/** OWASP's smallest: a random secret needs no more, and whoever may pass is checked this way once a process. */
const COSTS = { type: argon2id, memoryCost: 19 * 1024, timeCost: 2, parallelism: 1 } as const;

const TOKEN = /^aibot_([0-9a-f]{8})_([\w-]{43})$/;
const NAME = /^[\w.-]{1,64}$/;
const LINE = /^([\w.-]{1,64}) ([0-9a-f]{8}) ([0-9a-f]{8}) (\$argon2id\$v=19\$[\w=,]+\$[\w+/$]+)$/;

/** What the node keeps of a token. */
export interface ApiToken {
  /** The operator's own word for it. */
  readonly name: string;
  /** Stands in the token in the clear: it finds the row without a hash of each being worked out. */
  readonly id: string;
  /** The first four bytes of the secret's SHA-256, in hex. */
  readonly check: string;
  /** The argon2id hash of the secret, as a PHC string. */
  readonly phc: string;
}

/**
 * Makes a token.
 * @returns the token itself, which is kept nowhere, and what is to be kept.
 * @throws AppError INPUT_INVALID for a name that is not 1 to 64 letters, digits, dots, dashes or underscores
 */
export async function makeApiToken(
  name: string,
): Promise<{ readonly token: string; readonly kept: ApiToken }> {
  if (!NAME.test(name)) {
    const reason = 'the name of a token is 1 to 64 letters, digits, dots, dashes or underscores';
    throw new AppError('INPUT_INVALID', { reason });
  }
  const id = randomBytes(ID_BYTES).toString('hex');
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  const kept = { name, id, check: checkOf(secret), phc: await hash(secret, COSTS) };
  return { token: `aibot_${id}_${secret}`, kept };
}

/**
 * Reads the file of tokens.
 * @throws AppError API_TOKENS_INVALID for a line that is no token
 */
export function parseApiTokens(text: string, file: string): ApiToken[] {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => {
    const [, name, id, check, phc] = LINE.exec(line) ?? [];
    if (name === undefined || id === undefined || check === undefined || phc === undefined) {
      throw new AppError('API_TOKENS_INVALID', { file });
    }
    return { name, id, check, phc };
  });
}

/** The file's text for these tokens. */
export function printApiTokens(tokens: readonly ApiToken[]): string {
  const head = '# API tokens: name, id, check, argon2id hash. Written by `npx aibot token`.';
  const lines = tokens.map(({ name, id, check, phc }) => `${name} ${id} ${check} ${phc}`);
  return `${[head, ...lines].join('\n')}\n`;
}

/**
 * Checks tokens. argon2 is slow on purpose, so a stranger must not be able to have it run: an unknown id is refused
 * at once, and so is a secret that does not answer the check, which a guess does once in four billion. Whoever knows
 * the secret pays for argon2 once; from then on a keyed hash of it is compared. Only one argon2 runs at a time.
 */
export class ApiTokens {
  readonly #rows: ReadonlyMap<string, ApiToken>;
  /** Of this process alone: what is remembered is worth nothing elsewhere. */
  readonly #key = randomBytes(32);
  /** By id, the keyed hash of the secret that was right. */
  readonly #known = new Map<string, Buffer>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(tokens: readonly ApiToken[]) {
    this.#rows = new Map(tokens.map((token) => [token.id, token]));
  }

  /** The name of the token, or undefined for one that is not ours. */
  async verify(token: string): Promise<string | undefined> {
    const [, id, secret] = TOKEN.exec(token) ?? [];
    const row = id === undefined ? undefined : this.#rows.get(id);
    if (row === undefined || secret === undefined) return undefined;
    if (this.#isKnown(row, secret)) return row.name;
    if (!areEqual(Buffer.from(checkOf(secret)), Buffer.from(row.check))) return undefined;
    const answer = this.#turn.then(() => this.#verifySlowly(row, secret));
    this.#turn = answer.catch(() => undefined);
    return (await answer) ? row.name : undefined;
  }

  async #verifySlowly(row: ApiToken, secret: string): Promise<boolean> {
    // Those who waited behind the first use of the same token need no argon2 of their own.
    if (this.#isKnown(row, secret)) return true;
    const isRight = await verify(row.phc, secret);
    if (isRight) this.#known.set(row.id, this.#keyedHash(secret));
    return isRight;
  }

  #isKnown({ id }: ApiToken, secret: string): boolean {
    const known = this.#known.get(id);
    return known !== undefined && areEqual(known, this.#keyedHash(secret));
  }

  #keyedHash(secret: string): Buffer {
    return createHmac('sha256', this.#key).update(secret).digest();
  }
}

/** The tokens of a file, read again when the file has changed: one that is taken back opens nothing any more. */
export class ApiTokenFile {
  readonly #file: string;
  #stamp: string | undefined;
  #tokens: ApiTokens | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /**
   * The tokens as they are now.
   * @returns undefined without such a file: nobody has made a token yet.
   * @throws AppError API_TOKENS_INVALID; nobody passes then.
   */
  current(): ApiTokens | undefined {
    const stats = statSync(this.#file, { throwIfNoEntry: false });
    const stamp = stats && `${stats.ino}:${stats.size}:${stats.mtimeMs}`;
    if (stamp !== this.#stamp) {
      this.#tokens =
        stats && new ApiTokens(parseApiTokens(readFileSync(this.#file, 'utf8'), this.#file));
      this.#stamp = stamp;
    }
    return this.#tokens;
  }
}

function checkOf(secret: string): string {
  return createHash('sha256')
    .update(secret)
    .digest('hex')
    .slice(0, 2 * CHECK_BYTES);
}

/** Takes as long for a guess that is nearly right as for any other. */
function areEqual(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

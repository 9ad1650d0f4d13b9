// Makes and takes back the tokens of the HTTP API from a shell; a running bot sees it at its next request.
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import type { Config } from '../config.ts';
import { dataFiles } from '../core.ts';
import { flushPath } from '../git/flush.ts';
import { makeApiToken, parseApiTokens, printApiTokens, type ApiToken } from '../http/api-tokens.ts';
import { AppError } from '../shared/errors.ts';

const OWNER_ONLY = 0o600;

/**
 * Makes a token.
 * @returns the token, which is kept nowhere.
 * @throws AppError INPUT_INVALID for a name that is taken or unusable, API_TOKENS_INVALID
 */
export async function addToken({ dataDir }: Config, name: string): Promise<string> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const tokens = await readTokens(dataDir);
  if (tokens.some((one) => one.name === name)) {
    const reason = `there is a token ${name} already; remove it first, or take another name`;
    throw new AppError('INPUT_INVALID', { reason });
  }
  const { token, kept } = await makeApiToken(name);
  await writeTokens(dataDir, [...tokens, kept]);
  return token;
}

/** @throws AppError API_TOKENS_INVALID */
export async function listTokens({ dataDir }: Config): Promise<readonly string[]> {
  return (await readTokens(dataDir)).map(({ name }) => name);
}

/**
 * Takes a token back. The file stays when it was the last one: what needed a token does not open again by itself.
 * @throws AppError INPUT_INVALID when there is none of that name, API_TOKENS_INVALID
 */
export async function removeToken({ dataDir }: Config, name: string): Promise<void> {
  const tokens = await readTokens(dataDir);
  const left = tokens.filter((one) => one.name !== name);
  if (left.length === tokens.length) {
    throw new AppError('INPUT_INVALID', { reason: `there is no token ${name}` });
  }
  await writeTokens(dataDir, left);
}

async function readTokens(dataDir: string): Promise<readonly ApiToken[]> {
  const file = dataFiles(dataDir).apiTokens;
  try {
    return parseApiTokens(await readFile(file, 'utf8'), file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Whole or not at all: a running bot reads the file whenever it likes. */
async function writeTokens(dataDir: string, tokens: readonly ApiToken[]): Promise<void> {
  const file = dataFiles(dataDir).apiTokens;
  const unfinished = `${file}.new`;
  const handle = await open(unfinished, 'w', OWNER_ONLY);
  try {
    await handle.chmod(OWNER_ONLY);
    await handle.writeFile(printApiTokens(tokens));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(unfinished, file);
  await flushPath(dataDir);
}

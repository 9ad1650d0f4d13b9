// Reads BEACON_URL: which transport it means, what git is given, and what people may see of it.
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '../shared/errors.ts';

export interface RemoteUrl {
  readonly transport: 'path' | 'ssh' | 'https';
  /** For git's configuration: an absolute path or the URL as given. */
  readonly location: string;
  /** Without user name, password and query. */
  readonly description: string;
}

// eslint-disable-next-line no-control-regex -- a line break could add lines to git's files
const CONTROL = /[\u0000-\u001f\u007f]/;
// As git reads it: a host and a colon before the first slash, and no scheme.
const SCP_LIKE = /^(?:[^@/:\s]+@)?(?:\[[^\]\s]+\]|[^@/:\s]+):(?!\/\/)/;

/**
 * Reads a path, `file://`, `ssh://`, scp-like or `https://` URL.
 * @throws AppError BEACON_UNUSABLE for anything else
 */
export function parseRemoteUrl(url: string): RemoteUrl {
  if (url === '' || CONTROL.test(url)) throw unusable('the URL', 'it is no URL');
  if (url.startsWith('file:')) {
    const path = fileUrlPath(url);
    if (CONTROL.test(path)) throw unusable('the file URL', 'its path has control characters');
    return { transport: 'path', location: path, description: path };
  }
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase();
  if (scheme === 'ssh' || scheme === 'https') {
    return { transport: scheme, location: url, description: withoutCredentials(url) };
  }
  if (scheme !== undefined || url.includes('::')) {
    throw unusable(scheme ?? 'the URL', 'only paths, file, ssh and https URLs are read');
  }
  if (!/^\.{0,2}\//.test(url) && SCP_LIKE.test(url)) {
    if (url.startsWith('-')) throw unusable('the URL', 'a host cannot start with a dash');
    return { transport: 'ssh', location: url, description: url.replace(/^[^@/:]+@/, '') };
  }
  const path = resolve(url);
  return { transport: 'path', location: path, description: path };
}

function fileUrlPath(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw unusable('the file URL', error instanceof Error ? error.message : 'it is malformed');
  }
}

function withoutCredentials(url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw unusable('the URL', 'it is malformed');
  }
  // git decodes both, and hands them to ssh as one word.
  if ([parsed.hostname, parsed.username].some((part) => /^(?:-|%2d)/i.test(part))) {
    throw unusable('the URL', 'a host cannot start with a dash');
  }
  parsed.username = '';
  parsed.password = '';
  parsed.search = '';
  parsed.hash = '';
  return parsed.href;
}

/**
 * Removes user names and passwords of URLs from what git said. The scheme is not looked at: to search for it from every
 * word's beginning takes the square of a long line's length.
 */
export function redact(text: string): string {
  return text.replace(/:\/\/[^/\s']*@/g, '://');
}

function unusable(beacon: string, reason: string): AppError {
  return new AppError('BEACON_UNUSABLE', { beacon, reason });
}

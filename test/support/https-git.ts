// A real git server over https on loopback: `git http-backend` behind node:https, a certificate of its own, basic auth.
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeRemoval, tempDir } from './temp-dir.ts';

export const hasOpenssl = ((): boolean => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/** Who may come in, and whether to write. */
interface Person {
  readonly password: string;
  mayWrite: boolean;
}

export interface HttpsGitHost {
  readonly people: Map<string, Person>;
  /** Answers everybody with a list of refs that never ends, while this is set. */
  isEndless: boolean;
  /** Without credentials. */
  urlOf(repository: string): string;
  /** The certificate to trust. */
  readonly certificateFile: string;
  /** An environment whose git knows this person's password by its credential helper `store`. */
  ambientOf(name: string, password: string): Record<string, string>;
}

/** Serves the bare repositories of a directory; it ends after the test. */
export async function startHttpsGitHost(projectRoot: string): Promise<HttpsGitHost> {
  const directory = tempDir();
  const [key, certificateFile] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const args = ['req', '-x509', ...kind, '-keyout', key, '-out', certificateFile, '-days', '2'];
  execFileSync('openssl', [...args, ...subject], { stdio: 'pipe' });
  const people = new Map<string, Person>();
  const tls = { key: readFileSync(key), cert: readFileSync(certificateFile) };
  const server = createServer(tls, (request, response) => {
    const status = refusalOf(people, request);
    if (host.isEndless) sendWithoutEnd(response);
    else if (status === undefined) serve(projectRoot, request, response);
    else response.writeHead(status, { 'WWW-Authenticate': 'Basic realm="git"' }).end('no\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  beforeRemoval(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  const host: HttpsGitHost = {
    people,
    isEndless: false,
    certificateFile,
    urlOf: (repository) => `https://127.0.0.1:${port}/${repository}`,
    ambientOf: (name, password) => {
      const home = tempDir();
      const store = join(home, 'passwords');
      writeFileSync(store, `https://${name}:${password}@127.0.0.1:${port}\n`, { mode: 0o600 });
      writeFileSync(join(home, '.gitconfig'), `[credential]\n\thelper = store --file=${store}\n`);
      const path = process.env['PATH'] ?? '/usr/bin:/bin';
      return { PATH: path, HOME: home, GIT_SSL_CAINFO: certificateFile };
    },
  };
  return host;
}

/** Sends refs, each of another name, as fast as they are taken and for as long as anybody listens. */
function sendWithoutEnd(response: ServerResponse): void {
  const line = (text: string): string =>
    `${(text.length + 4).toString(16).padStart(4, '0')}${text}`;
  const type = 'application/x-git-upload-pack-advertisement';
  response.writeHead(200, { 'Content-Type': type, 'Cache-Control': 'no-cache' });
  response.write(`${line('# service=git-upload-pack\n')}0000`);
  let count = 0;
  const send = (): void => {
    let more = true;
    while (more && !response.destroyed) {
      count += 1;
      more = response.write(
        line(`${'1'.repeat(40)} refs/tags/${count}${count === 1 ? '\0' : ''}\n`),
      );
    }
  };
  response.on('drain', send);
  send();
}

/** As a git host answers: 401 to a stranger, 403 to who may only read and wants to write. */
function refusalOf(
  people: ReadonlyMap<string, Person>,
  { headers, url = '' }: IncomingMessage,
): number | undefined {
  const [, encoded = ''] = /^Basic (\S+)$/.exec(headers.authorization ?? '') ?? [];
  const [name = '', password] = Buffer.from(encoded, 'base64').toString().split(':');
  const person = people.get(name);
  if (person === undefined || person.password !== password) return 401;
  return url.includes('git-receive-pack') && !person.mayWrite ? 403 : undefined;
}

/** One request through git's CGI program. */
function serve(projectRoot: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? '/', 'https://host');
  const { headers } = request;
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env['PATH'],
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_PROJECT_ROOT: projectRoot,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(headers['git-protocol'] ?? ''),
      REMOTE_USER: 'somebody',
      REMOTE_ADDR: '127.0.0.1',
      ...(headers['content-length'] !== undefined && { CONTENT_LENGTH: headers['content-length'] }),
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  // It may answer before it has read everything.
  child.stdin.on('error', () => undefined);
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.once('close', () => answer(Buffer.concat(chunks), response));
}

function answer(output: Buffer, response: ServerResponse): void {
  const end = output.indexOf('\r\n\r\n');
  const lines = output.toString('latin1', 0, end).split('\r\n');
  const headers = lines.map((line) => line.split(': ') as [string, string]);
  const status = headers.find(([name]) => name === 'Status')?.[1] ?? '200';
  const shown = headers.filter(([name]) => name !== 'Status');
  response.writeHead(Number.parseInt(status, 10), Object.fromEntries(shown));
  response.end(output.subarray(end + 4));
}

// One full run of the bot as a process under a careless umask, with everything kept that it wrote, sent or started.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { parseConfig, type Config } from '../../src/config.ts';
import { Closers, openState } from '../../src/core.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { openStage, type Stage } from './discord-stand-in.ts';
import { startGitHost } from './sshd.ts';
import { beforeRemoval, git, tempDir } from './temp-dir.ts';
import { until } from './until.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const PATIENCE_MS = 180_000;
const SAMPLE_MS = 25;

const GUYACHA = `
catalogue:
  series:
    - id: lanterns
      name: Lanterns
      held: bot
      stars: 4
      assets: [{ id: lantern, name: A lantern, copies: 4 }]
banners:
  - id: first
    name: First night
    price: 60
    entries: [{ id: lantern, name: A lantern, weight: 1, series: lanterns }]
`;

/** What would bring git to talk, to ask, to run something or to believe anybody, if it came through. */
const HOSTILE_ENVIRONMENT = {
  GIT_TRACE: '1',
  GIT_TRACE_CURL: '1',
  GIT_SSL_NO_VERIFY: '1',
  GIT_ASKPASS: '/bin/false',
  SSH_ASKPASS: '/bin/false',
  GIT_DIR: '/nowhere',
  GIT_WORK_TREE: '/nowhere',
  GIT_EXTERNAL_DIFF: '/bin/false',
  GIT_PROXY_COMMAND: '/bin/false',
  GIT_CONFIG_COUNT: '1',
  GIT_CONFIG_KEY_0: 'core.hooksPath',
  GIT_CONFIG_VALUE_0: '/tmp',
  GIT_TEMPLATE_DIR: '/tmp',
  GIT_ALLOW_PROTOCOL: 'ext:file:ssh',
  GIT_SSH_COMMAND: '/bin/false',
};

/** A child process as it was started. */
export interface Started {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Something that the run left behind, with where it was found. */
export interface Evidence {
  readonly where: string;
  readonly bytes: Buffer;
}

interface FileFound {
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'link';
  readonly mode: number;
}

export interface FullRun {
  /** What must be nowhere, by what it is. */
  readonly secrets: ReadonlyMap<string, string>;
  readonly evidence: readonly Evidence[];
  readonly children: readonly Started[];
  /** Everything under the data directory and the backups, while it ran and after it. */
  readonly files: readonly FileFound[];
  readonly exitCode: number | null;
  readonly dataDir: string;
  /** Which of the strangers' commits the node has taken. */
  readonly fetched: { readonly sound: boolean; readonly unsound: boolean };
}

/** Runs it all: members play, a program uses the API, a backup is taken, Discord fails, and it stops. */
export async function fullRun(): Promise<FullRun> {
  const setting = await prepare();
  const { standIn } = setting.stage;
  const bot = startProcess(setting, ['dist/program/src/bot/main.js']);
  const samples = sampleProcesses();
  try {
    await standIn.botReady({ command: 'roll', timeoutMs: PATIENCE_MS });
    const evidence = await use(setting, bot);
    const files = listFiles(setting.root);
    bot.child.kill('SIGTERM');
    await bot.ended;
    setting.outputs.push(bot.said());
    return await collect(setting, { evidence, files, samples, exitCode: bot.child.exitCode });
  } finally {
    samples.stop();
    bot.child.kill('SIGKILL');
  }
}

interface Setting {
  /** Holds the data directory, the backups and nothing else. */
  readonly root: string;
  readonly records: string;
  readonly beacon: string;
  readonly env: Readonly<Record<string, string>>;
  readonly config: Config;
  readonly stage: Stage;
  readonly discord: DiscordProxy;
  readonly identity: string;
  readonly keyText: string;
  /** Printed by the processes. */
  readonly outputs: string[];
}

async function prepare(): Promise<Setting> {
  const root = tempDir();
  const aside = tempDir();
  const records = join(aside, 'records');
  const bin = join(aside, 'bin');
  for (const folder of [records, bin]) mkdirSync(folder);
  for (const program of ['git', 'ssh', 'ssh-keygen']) recordStarts(program, bin, records);
  const host = await startGitHost();
  const keyText = readFileSync(host.makeKey('deploy', 'read-write'), 'utf8');
  git(aside, ['init', '--quiet', '--bare', 'beacon.git']);
  const beacon = join(aside, 'beacon.git');
  const stage = await openStage();
  beforeRemoval(() => stage.standIn.close());
  const discord = await startDiscordProxy(stage.standIn.origin);
  const guyachaFile = join(aside, 'guyacha.yaml');
  writeFileSync(guyachaFile, GUYACHA);
  const env = {
    ...HOSTILE_ENVIRONMENT,
    PATH: `${bin}:${process.env['PATH'] ?? '/usr/bin:/bin'}`,
    HOME: aside,
    DATA_DIR: join(root, 'data'),
    DISCORD_TOKEN: stage.standIn.token,
    DISCORD_API_URL: `${discord.origin}/api`,
    DISCORD_GUILD_ID: stage.standIn.guildId,
    BEACON_URL: host.urlOf(beacon),
    BEACON_SSH_KEY: keyText,
    BEACON_SYNC_INTERVAL_MS: '500',
    VAULT_PASSPHRASE: `correct horse ${randomBytes(12).toString('hex')}`,
    GUYACHA_FILE: guyachaFile,
    HTTP_PORT: '0',
    LOG_LEVEL: 'debug',
  };
  const identity = await generateIdentity();
  const config = parseConfig(env);
  return { root, records, beacon, env, config, stage, discord, identity, keyText, outputs: [] };
}

/** Puts a program before the real one that writes down arguments and environment, and then becomes the real one. */
function recordStarts(program: string, bin: string, records: string): void {
  const real = execFileSync('/bin/sh', ['-c', `command -v ${program}`])
    .toString()
    .trim();
  const script = `#!/bin/sh
at='${records}/${program}.'$$
cat /proc/$$/environ > "$at.env"
printf '%s\\0' "$@" > "$at.args"
exec ${real} "$@"
`;
  writeFileSync(join(bin, program), script);
  chmodSync(join(bin, program), 0o755);
}

function startProcess({ env }: Setting, args: readonly string[]) {
  const careless = ['-c', 'umask 0; exec "$@"', 'sh', process.execPath, ...args];
  const child = spawn('/bin/sh', careless, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  }
  return { child, ended: once(child, 'close'), said: () => said };
}

/** Runs the `aibot` command to its end. @returns what it printed. */
async function runAibot(setting: Setting, args: readonly string[]): Promise<string> {
  const command = startProcess(setting, ['dist/program/src/cli/aibot.js', ...args]);
  await command.ended;
  if (command.child.exitCode !== 0) throw new Error(`aibot ${args.join(' ')}: ${command.said()}`);
  return command.said();
}

/** @returns what came back over HTTP, and what was given over it. */
async function use(
  setting: Setting,
  bot: ReturnType<typeof startProcess>,
): Promise<{ readonly answers: string[]; readonly given: Map<string, string> }> {
  await play(setting);
  await pushHostileRefs(setting);
  const apiToken = (await runAibot(setting, ['token', 'add', 'run'])).trim();
  const url = /API is at (\S+)\/api\/node/.exec(bot.said())?.[1] ?? '';
  const key = `key-${randomBytes(12).toString('hex')}`;
  const wrong = `aibot_00000000_${randomBytes(32).toString('base64url')}`;
  const given = new Map([
    ['API token', apiToken],
    ['wrong API token', wrong],
    ['idempotency key', key],
  ]);
  const answers: string[] = [];
  const ask = async (path: string, init: RequestInit = {}): Promise<string> => {
    const reply = await fetch(`${url}${path}`, init);
    const text = await reply.text();
    answers.push(`${path}: ${JSON.stringify([...reply.headers])}${text}`);
    return text;
  };
  const create = async (token: string, body: object, headers = {}): Promise<string> =>
    await ask('/api/transaction/create', {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, ...headers },
      body: JSON.stringify(body),
    });
  await create(wrong, { owner_id: 'o', asset_id: 'a' });
  await create(
    apiToken,
    { owner_id: '../../etc/passwd', asset_id: '$(id)-`id`;x' },
    { 'Idempotency-Key': key },
  );
  const refused = `guess-${randomBytes(12).toString('hex')}`;
  given.set('passphrase that was refused', refused);
  await create(apiToken, { owner_id: 'o', asset_id: 'lantern-1', passphrase: refused });
  for (const path of [
    '/',
    '/api/node',
    '/api/health',
    '/api/openapi.json',
    '/api/introspection/owners',
  ])
    await ask(path);
  const recipient = await identityToRecipient(setting.identity);
  const done = ['backup', join(setting.root, 'sealed'), '--recipient', recipient];
  setting.outputs.push(await runAibot(setting, done));
  setting.outputs.push(await runAibot(setting, ['backup', join(setting.root, 'plain')]));
  return { answers, given };
}

/** Both members roll, one gives what was won, and Discord fails in between. */
async function play({ stage: { standIn, ada, ben }, beacon }: Setting): Promise<void> {
  for (const member of [ada, ben]) {
    await member.command('daily').reply(PATIENCE_MS);
    const roll = member.command('roll', { options: { count: 1 } });
    await roll.settledWhen((now) => JSON.stringify(now).includes('committed'), PATIENCE_MS);
  }
  for (const status of [404, 500, 'lost'] as const) {
    standIn.failNext({ route: /callback|webhooks/, status });
    await ada.command('balance').firstResponse();
  }
  const held = git(beacon, ['for-each-ref', '--format=%(refname:lstrip=2)', 'refs/heads/nfgt-*'])
    .split('\n')
    .map((branch) => branch.replace('nfgt-', ''));
  for (const asset of held) {
    const gift = ada.command('gift', { options: { user: ben.memberId, asset } });
    await gift.firstResponse();
  }
  await ben.command('inventory').reply(PATIENCE_MS);
}

/** Branches and tags that would be options, programs or lines of their own, if anything took them for that. */
const HOSTILE_REFS = [
  'refs/heads/--upload-pack=touch',
  'refs/heads/nfgt---upload-pack=touch',
  'refs/heads/nfgt-$(id)',
  'refs/heads/nfgt-`id`;id|id&id',
  'refs/heads/nfgt-\'";--',
  'refs/heads/nfgt-\u202egpj.exe',
  'refs/heads/nfgt-<img/src=x>',
  'refs/heads/nfgt-%2e%2e%2f',
  'refs/heads/nfgt-constructor',
  'refs/heads/nfgt-__proto__',
  `refs/heads/nfgt-${'x'.repeat(200)}`,
  'refs/heads/NFGT-lantern-1',
  'refs/tags/--exec=id',
  'refs/tags/-rf',
];

/** A branch whose tree would write into a repository's own folder, wherever it were checked out. */
const UNSOUND_REF = 'refs/heads/nfgt-unsound';

function hasObject(repository: string, object: string): boolean {
  try {
    git(repository, ['cat-file', '-e', object]);
    return true;
  } catch {
    return false;
  }
}

/** Somebody else pushes them, with a commit that has to be fetched; resolves once the bot has fetched it. */
async function pushHostileRefs({ beacon, config }: Setting): Promise<void> {
  const message = 'x\n\u001b[2J<@&1> @everyone';
  const commit = git(beacon, ['commit-tree', 'main^{tree}', '-p', 'main', '-m', message]);
  const empty = git(beacon, ['hash-object', '-w', '--stdin'], '');
  const tree = git(beacon, ['mktree'], `100644 blob ${empty}\t.git\n`);
  const unsound = git(beacon, ['commit-tree', tree, '-p', 'main', '-m', 'x']);
  const lines = HOSTILE_REFS.map((ref) => `create ${ref} ${commit}\n`);
  lines.push(`create ${UNSOUND_REF} ${unsound}\n`);
  git(beacon, ['update-ref', '--stdin'], lines.join(''));
  const scratch = join(config.dataDir, 'git', 'scratch.git');
  await until(() => Promise.resolve(hasObject(scratch, commit)), PATIENCE_MS);
}

interface Samples {
  readonly seen: ReadonlySet<string>;
  stop(): void;
}

/** What every process that is no node shows of itself, looked at again and again. */
function sampleProcesses(): Samples {
  const seen = new Set<string>();
  const look = (pid: string, file: string): string => {
    try {
      return file === 'exe'
        ? readlinkSync(`/proc/${pid}/exe`)
        : readFileSync(`/proc/${pid}/${file}`, 'latin1');
    } catch {
      // It has ended, or is the kernel's.
      return '';
    }
  };
  const timer = setInterval(() => {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      seen.add(look(pid, 'cmdline'));
      // An operator's own environment is the bot's source of secrets; it must not go further.
      if (look(pid, 'exe') !== process.execPath && !look(pid, 'cmdline').includes('umask 0')) {
        seen.add(look(pid, 'environ'));
      }
    }
  }, SAMPLE_MS);
  return { seen, stop: () => clearInterval(timer) };
}

async function collect(
  setting: Setting,
  run: {
    readonly evidence: Awaited<ReturnType<typeof use>>;
    readonly files: readonly FileFound[];
    readonly samples: Samples;
    readonly exitCode: number | null;
  },
): Promise<FullRun> {
  run.samples.stop();
  const { config, discord, outputs, root, records, beacon } = setting;
  const after = listFiles(root);
  const children = readStarts(records);
  const scratch = join(config.dataDir, 'git', 'scratch.git');
  const secrets = await listSecrets(setting, run.evidence.given);
  const objects = git(beacon, ['cat-file', '--batch', '--batch-all-objects', '--buffer']);
  const text = (where: string, texts: Iterable<string>): Evidence[] =>
    [...texts].map((one) => ({ where, bytes: Buffer.from(one, 'utf8') }));
  return {
    secrets,
    exitCode: run.exitCode,
    dataDir: config.dataDir,
    fetched: {
      sound: hasObject(scratch, git(beacon, ['rev-parse', 'refs/tags/-rf'])),
      unsound: hasObject(scratch, git(beacon, ['rev-parse', UNSOUND_REF])),
    },
    children,
    files: [...run.files, ...after],
    evidence: [
      ...text('log and output', outputs),
      ...text('HTTP answer', run.evidence.answers),
      ...text('request to Discord', discord.bodies),
      ...text('process list', run.samples.seen),
      ...text(
        'child process',
        children.map((one) => JSON.stringify(one)),
      ),
      ...text('chain', [objects]),
      ...after
        .filter(({ kind }) => kind === 'file')
        .map(({ path }) => ({ where: path, bytes: readFileSync(path) })),
    ],
  };
}

async function listSecrets(
  { config, env, keyText, identity, discord }: Setting,
  given: ReadonlyMap<string, string>,
): Promise<Map<string, string>> {
  const secrets = new Map(given);
  secrets.set('bot token', env['DISCORD_TOKEN'] ?? '');
  secrets.set('vault passphrase', env['VAULT_PASSPHRASE'] ?? '');
  secrets.set('age identity', identity);
  const keyLines = keyText.split('\n').filter((line) => !line.startsWith('-') && line !== '');
  // The first lines of every key are the same.
  secrets.set('deploy key', keyLines.at(-2) ?? '');
  for (const token of discord.tokens) secrets.set(`interaction token ${secrets.size}`, token);
  const closers = new Closers();
  const { database, vault } = await openState(config, closers, silentLogger);
  const live = await database.read((stores) => stores.vault.listLive());
  for (const entry of live) {
    secrets.set(`${entry.custody} passphrase of ${entry.assetId}`, vault.open(entry.sealed, entry));
  }
  await closers.closeAll();
  return secrets;
}

function readStarts(records: string): Started[] {
  const split = (file: string): string[] =>
    readFileSync(join(records, file), 'utf8').split('\0').slice(0, -1);
  return readdirSync(records)
    .filter((name) => name.endsWith('.args'))
    .map((name) => ({
      program: name.split('.')[0] ?? '',
      args: split(name),
      env: Object.fromEntries(
        split(name.replace(/args$/, 'env')).map((pair) => {
          const at = pair.indexOf('=');
          return [pair.slice(0, at), pair.slice(at + 1)];
        }),
      ),
    }));
}

function listFiles(folder: string): FileFound[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return [];
    const mode = stats.mode & 0o777;
    if (stats.isSymbolicLink()) return [{ path, kind: 'link' as const, mode }];
    if (!stats.isDirectory()) return [{ path, kind: 'file' as const, mode }];
    return [{ path, kind: 'folder' as const, mode }, ...listFiles(path)];
  });
}

interface DiscordProxy {
  readonly origin: string;
  /** Of all requests. */
  readonly bodies: readonly string[];
  /** Of all interactions: they stand in the paths of requests. */
  readonly tokens: ReadonlySet<string>;
}

/** Stands between the bot and the stand-in and keeps what passes. */
async function startDiscordProxy(origin: string): Promise<DiscordProxy> {
  const bodies: string[] = [];
  const tokens = new Set<string>();
  const { port: target } = new URL(origin);
  const server: Server = createServer((incoming, outgoing) => {
    const { method, url = '', headers } = incoming;
    const token = /\/(?:webhooks|interactions)\/\d+\/([^/?]+)/.exec(url)?.[1];
    if (token !== undefined) tokens.add(decodeURIComponent(token));
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      bodies.push(Buffer.concat(chunks).toString('latin1'));
      const forward = httpRequest(
        { host: '127.0.0.1', port: target, method, path: url, headers },
        (reply) => {
          outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
          reply.pipe(outgoing);
        },
      );
      // A fault of the stand-in: the connection ends without an answer.
      forward.on('error', () => outgoing.destroy());
      forward.end(Buffer.concat(chunks));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  beforeRemoval(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, bodies, tokens };
}

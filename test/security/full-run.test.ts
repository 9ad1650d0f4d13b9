// What one full run of the bot wrote, sent and started, held to the rules of docs/SECURITY.md.
import { basename, sep } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { fullRun, type Evidence, type FullRun, type Started } from '../support/full-run.ts';
import { hasSshd, sshdWord } from '../support/sshd.ts';

const START_TIMEOUT_MS = 900_000;

let run: FullRun;

/** Where a text stands, in any of the forms that a text is written in. */
function findIn(evidence: readonly Evidence[], secret: string): string[] {
  const forms = [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)];
  for (const encoding of ['base64', 'base64url', 'hex'] as const) {
    forms.push(Buffer.from(secret).toString(encoding).replace(/=+$/, ''));
  }
  return evidence
    .filter(({ bytes }) => forms.some((form) => bytes.includes(form)))
    .map(({ where }) => where);
}

const gits = (): readonly Started[] => run.children.filter(({ program }) => program === 'git');

/** Words that the program itself puts together; nothing of the chain, the network or a member is among them. */
const OWN_WORDS = [
  /^--?[a-zA-Z][\w-]*(?:=[\w./%()-]*)?$/,
  /^(?:beacon|init|version|push|fetch|ls-remote|cat-file|index-pack|rev-list|rev-parse|ls-tree|clone|bundle|create)$/,
  /^[0-9a-f]{40}$/,
  /^[0-9a-f]{40}:refs\/heads\/main$/,
  /^refs\/outbox\/(?:heads|tags)\/\*:refs\/(?:heads|tags)\/\*$/,
  /^refs\/heads\/(?:well-known|main)$/,
  /^(?:core\.commitGraph=false|core\.fsync=none|transfer\.fsckObjects=false)$/,
  /^scratch\.git$/,
];

/** Of git's own children that it starts itself. */
const OF_GIT = /^(?:remote|rev-list|pack-objects|index-pack|unpack-objects|maintenance|gc)$/;

const ALLOWED_NAMES =
  /^(?:PATH|HOME|USER|LOGNAME|TMPDIR|TEMP|LC_ALL|PWD|OLDPWD|SHLVL|_|LD_LIBRARY_PATH|SSH_AUTH_SOCK|XDG_CONFIG_HOME|DBUS_SESSION_BUS_ADDRESS|GCM_INTERACTIVE|GIT_(?:TERMINAL_PROMPT|ALLOW_PROTOCOL|CONFIG_GLOBAL|CONFIG_NOSYSTEM|OPTIONAL_LOCKS|SSH_COMMAND|SSH_VARIANT|DIR|PREFIX|PROTOCOL|EXEC_PATH|CEILING_DIRECTORIES|INTERNAL_SUPER_PREFIX|QUARANTINE_PATH|TEST_DISALLOW_ABBREVIATED_OPTIONS|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|CONFIG_PARAMETERS))$/;

(hasSshd ? describe : describe.skip)(`a full run of the bot${sshdWord}`, () => {
  beforeAll(async () => {
    run = await fullRun();
  }, START_TIMEOUT_MS);

  test('did what a run does, so that the other rules have something to look at', () => {
    expect(run.exitCode).toBe(0);
    const kinds = new Set(run.evidence.map(({ where }) => where.split(sep)[0]));
    expect([...kinds]).toEqual(
      expect.arrayContaining([
        'log and output',
        'HTTP answer',
        'request to Discord',
        'process list',
        'chain',
      ]),
    );
    const places = findIn(run.evidence, 'lantern');
    expect(places).toEqual(expect.arrayContaining(['request to Discord', 'chain']));
    expect(gits().map(({ args }) => args[0])).toEqual(
      expect.arrayContaining(['push', 'fetch', 'ls-remote', 'cat-file', 'index-pack']),
    );
    expect(
      [...run.secrets.keys()].filter((name) => name.startsWith('bot passphrase')).length,
    ).toBeGreaterThan(3);
    expect(
      [...run.secrets.keys()].filter((name) => name.startsWith('interaction token')).length,
    ).toBeGreaterThan(5);
    for (const secret of run.secrets.values()) expect(secret.length).toBeGreaterThan(15);
  });

  test('left no secret in log, output, files, chain, process list, child environments, HTTP answers or Discord', () => {
    const leaks = [...run.secrets].flatMap(([name, secret]) =>
      findIn(run.evidence, secret)
        // The deploy key is a file of its own, and who creates over HTTP is told their own passphrase.
        .filter((where) => !(name === 'deploy key' && where.endsWith('/git/ssh_key')))
        .filter((where) => !(name.startsWith('caller') && where === 'HTTP answer'))
        .map((where) => `${name}: ${where.slice(0, 200)}`),
    );
    expect(leaks).toEqual([]);
  });

  test('left no file or folder that another user of the machine could open, though the umask was 0', () => {
    const open = run.files.filter(({ kind, mode }) => kind !== 'link' && (mode & 0o077) !== 0);
    expect(open.map(({ path, mode }) => `${path} ${mode.toString(8)}`)).toEqual([]);
    const names = new Set(run.files.map(({ path }) => basename(path)));
    for (const name of [
      'data',
      'state.sqlite',
      'state.sqlite-wal',
      'state.sqlite-shm',
      'index.sqlite',
      'api-tokens',
      'recovery.journal',
      'lock.sqlite',
      'ssh_key',
      'known_hosts',
      'scratch.git',
      'sealed',
      'plain',
      'manifest.json',
    ]) {
      expect(names).toContain(name);
    }
    expect(run.files.filter(({ kind }) => kind === 'link')).toEqual([]);
  });

  test('gave git no argument but its own words: nothing of chain, network or members', () => {
    const ours = gits().filter(
      ({ env, args }) => env['GIT_DIR'] === undefined && !OF_GIT.test(args[0] ?? ''),
    );
    expect(ours.length).toBeGreaterThan(10);
    const isOwn = (word: string): boolean =>
      OWN_WORDS.some((pattern) => pattern.test(word)) || word.startsWith(run.dataDir);
    const foreign = ours.filter(({ args }) => !args.every(isOwn)).map(({ args }) => args);
    expect(foreign).toEqual([]);
  });

  test('gave git a closed environment: own configuration, one protocol, no prompt, no trace, no secret', () => {
    for (const { env, args } of gits()) {
      const names = Object.keys(env).filter((name) => !ALLOWED_NAMES.test(name));
      expect([args[0], names]).toEqual([args[0], []]);
      expect(env).toMatchObject({
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_TERMINAL_PROMPT: '0',
        GIT_ALLOW_PROTOCOL: 'ssh',
        LC_ALL: 'C',
      });
      expect(env['GIT_CONFIG_GLOBAL']).toMatch(/\/gitconfig$/);
      expect(env['GIT_CONFIG_GLOBAL']?.startsWith(run.dataDir)).toBe(true);
    }
  });

  test('took what strangers pushed, but for the branch with objects that git’s check refuses', () => {
    expect(run.fetched).toEqual({ sound: true, unsound: false });
  });

  test('called ssh without prompt and with the given key alone, and believed a new host once', () => {
    const calls = run.children.filter(
      ({ program, args }) => program === 'ssh' && args.includes('BatchMode=yes'),
    );
    expect(calls.length).toBeGreaterThan(0);
    for (const { args } of calls) {
      expect(args).toEqual(
        expect.arrayContaining([
          'StrictHostKeyChecking=accept-new',
          'IdentitiesOnly=yes',
          'IdentityAgent=none',
          'ControlPath=none',
        ]),
      );
      expect(args.join(' ')).not.toMatch(/ProxyCommand|LocalCommand|ForwardAgent/i);
    }
  });
});

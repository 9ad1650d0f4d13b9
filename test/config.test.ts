// Holds the configuration to its table: defaults, every fault at once, and no secret in any sentence.
import { readFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CONFIG_NAMES, describeConfig, parseConfig } from '../src/config.ts';
import { AppError } from '../src/shared/errors.ts';

const PEM = '-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----';

function faultsOf(env: Record<string, string | undefined>): string[] {
  try {
    parseConfig(env);
  } catch (error) {
    if (error instanceof AppError && error.code === 'CONFIG_INVALID') {
      return String(error.data['faults']).split('\n');
    }
    throw error;
  }
  return [];
}

describe('An empty environment', () => {
  test('gives the defaults of the design', () => {
    expect({ ...parseConfig({}) }).toEqual({
      discordToken: undefined,
      discordGuildId: undefined,
      discordApiUrl: undefined,
      beaconUrl: undefined,
      beaconSshKey: undefined,
      beaconSshKeyFile: undefined,
      beaconKnownHostsFile: undefined,
      beaconEpochBranch: 'main',
      beaconSyncIntervalMs: 4000,
      nodeRole: 'auto',
      nodeIntrospection: false,
      httpHost: '127.0.0.1',
      httpPort: 8080,
      playgroundPort: 8081,
      dataDir: './data',
      vaultPassphrase: undefined,
      chainPrivacy: 'pseudonymous',
      guyachaFile: undefined,
      dailyGc: 600,
      mintCooldownMs: 60_000,
      tradeExpiryMs: 900_000,
      auditIntervalMs: 300_000,
      logLevel: 'info',
    });
  });

  test('and one of empty strings mean the same', () => {
    const empty = Object.fromEntries(CONFIG_NAMES.map((name) => [name, '']));
    expect(parseConfig(empty)).toEqual(parseConfig({}));
  });

  test('gives a frozen configuration', () => {
    expect(Object.isFrozen(parseConfig({}))).toBe(true);
  });
});

describe('.env.example', () => {
  const lines = readFile('.env.example', 'utf8').then((text) => text.split('\n'));

  test('documents every name of the schema and no other', async () => {
    const names = (await lines).flatMap((line) => /^([A-Z_]+)=/.exec(line)?.[1] ?? []);
    expect(names.toSorted()).toEqual([...CONFIG_NAMES].sort());
  });

  test('states the defaults', async () => {
    const pairs = (await lines).flatMap((line) => {
      const [, name, value] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, value] as const];
    });
    expect(parseConfig(Object.fromEntries(pairs))).toEqual(parseConfig({}));
  });

  test('has a comment above every group of names', async () => {
    const text = (await lines).join('\n');
    expect(text).not.toMatch(/\n\n[A-Z]/);
  });
});

describe('A value', () => {
  test.each([
    ['BEACON_URL', '/srv/beacon.git'],
    ['BEACON_URL', './beacon'],
    ['BEACON_URL', 'beacon'],
    ['BEACON_URL', 'file:///srv/beacon.git'],
    ['BEACON_URL', 'ssh://git@github.com/owner/chain.git'],
    ['BEACON_URL', 'ssh://git@localhost:2222/chain'],
    ['BEACON_URL', 'git@github.com:owner/chain.git'],
    ['BEACON_URL', 'host:chain'],
    ['BEACON_URL', 'git@[::1]:chain'],
    ['BEACON_URL', 'https://github.com/owner/chain'],
    ['BEACON_URL', '/srv/with:colon'],
    ['BEACON_EPOCH_BRANCH', 'epoch/2'],
    ['DISCORD_API_URL', 'http://127.0.0.1:8081/api'],
    ['DISCORD_API_URL', 'http://[::1]:8081/api'],
    ['DISCORD_API_URL', 'https://discord.example/api/'],
    ['DISCORD_GUILD_ID', '81384788765712384'],
    ['DISCORD_STAFF_CHANNEL_ID', '81384788765712385'],
    ['HTTP_PORT', '0'],
    ['NODE_PUBLIC_URL', 'https://node.example/nfgt/'],
    ['HTTP_HOST', '::1'],
    ['HTTP_HOST', '0.0.0.0'],
    ['PLAYGROUND_PORT', '0'],
    ['DAILY_GC', '1.2k'],
    ['DAILY_GC', '1p 2g'],
    ['MINT_COOLDOWN_MS', '0'],
    ['LOG_LEVEL', 'silent'],
  ])('is read where it is sound: %s=%s', (name, value) => {
    expect(faultsOf({ [name]: value })).toEqual([]);
  });

  test.each([
    ['BEACON_URL', '--upload-pack=touch /tmp/x'],
    ['BEACON_URL', 'ext::sh -c touch% /tmp/x'],
    ['BEACON_URL', 'fd::17'],
    ['BEACON_URL', 'http://github.com/owner/chain'],
    ['BEACON_URL', 'git://github.com/owner/chain'],
    ['BEACON_URL', 'https://user:hunter2@github.com/owner/chain'],
    ['BEACON_URL', 'https://ghp_hunter2@github.com/owner/chain'],
    ['BEACON_URL', 'https://github.com/chain?access_token=hunter2'],
    ['BEACON_URL', 'ssh://git:hunter2@github.com/owner/chain'],
    ['BEACON_URL', 'git:hunter2@github.com:owner/chain'],
    ['BEACON_URL', 'ssh://-oProxyCommand=x/chain'],
    ['BEACON_URL', 'git@-oProxyCommand=x:chain'],
    ['BEACON_URL', 'ssh://%2doProxyCommand=x/chain'],
    ['BEACON_URL', 'file://host/chain'],
    ['BEACON_URL', ':chain'],
    ['BEACON_URL', 'https://'],
    ['BEACON_URL', '/srv/line\nbreak'],
    ['BEACON_SSH_KEY', 'hunter2'],
    ['BEACON_SSH_KEY_FILE', '-oProxyCommand=x'],
    ['BEACON_EPOCH_BRANCH', 'nfgt-hunter2'],
    ['BEACON_EPOCH_BRANCH', 'a..b'],
    ['BEACON_EPOCH_BRANCH', 'a.lock'],
    ['BEACON_EPOCH_BRANCH', '-x'],
    ['BEACON_SYNC_INTERVAL_MS', '4s'],
    ['BEACON_SYNC_INTERVAL_MS', '0'],
    ['BEACON_SYNC_INTERVAL_MS', '2147483648'],
    ['DISCORD_TOKEN', 'Bot hunter2'],
    ['DISCORD_GUILD_ID', 'My server'],
    ['DISCORD_STAFF_CHANNEL_ID', '#staff'],
    ['DISCORD_API_URL', 'http://discord.example/api'],
    ['DISCORD_API_URL', 'https://user:hunter2@discord.example/api'],
    ['DISCORD_API_URL', 'ftp://discord.example'],
    ['DISCORD_API_URL', 'discord'],
    ['NODE_ROLE', 'king'],
    ['NODE_PUBLIC_URL', 'node.example'],
    ['NODE_PUBLIC_URL', 'https://user:hunter2@node.example'],
    ['NODE_PUBLIC_URL', 'https://node.example/?token=hunter2'],
    ['HTTP_PORT', '65536'],
    ['HTTP_PORT', '-1'],
    ['HTTP_PORT', '80.5'],
    ['HTTP_PORT', '0x50'],
    ['HTTP_PORT', '8０80'],
    ['HTTP_HOST', 'http://localhost'],
    ['VAULT_PASSPHRASE', 'hunter2'],
    ['CHAIN_PRIVACY', 'Public'],
    ['DAILY_GC', 'all'],
    ['DAILY_GC', '0'],
    ['DAILY_GC', '1.5'],
    ['TRADE_EXPIRY_MS', '0'],
    ['AUDIT_INTERVAL_MS', '1e9'],
    ['LOG_LEVEL', 'verbose'],
  ])('is refused where it is not: %s=%s', (name, value) => {
    // A key without a BEACON_URL is a fault of its own.
    const env = { BEACON_URL: './beacon', [name]: value };
    expect(faultsOf(env)).toEqual([expect.stringMatching(new RegExp(`^${name} `))]);
  });

  test('of a private key gets its line breaks back and ends in one', () => {
    const { beaconSshKey } = parseConfig({
      BEACON_URL: 'git@host:chain',
      BEACON_SSH_KEY: PEM.replaceAll('\n', '\\n'),
    });
    expect(beaconSshKey?.reveal()).toBe(`${PEM}\n`);
  });

  test('of a URL loses its trailing slashes', () => {
    const { discordApiUrl } = parseConfig({ DISCORD_API_URL: 'https://discord.example/api//' });
    expect(discordApiUrl).toBe('https://discord.example/api');
  });
});

describe('Faults', () => {
  test('are named all at once', () => {
    const faults = faultsOf({
      HTTP_PORT: 'x',
      NODE_ROLE: 'x',
      LOG_LEVEL: 'x',
      DISCORD_TOKN: 'x',
      BEACON_SSH_KEY: PEM,
      BEACON_SSH_KEY_FILE: '/key',
    });
    expect(faults).toHaveLength(6);
  });

  test('name a key that opens nothing', () => {
    expect(faultsOf({ BEACON_SSH_KEY_FILE: '/key' })).toEqual([
      expect.stringContaining('BEACON_URL is not'),
    ]);
  });

  test.each([
    ['DISCORD_TOKN', 'DISCORD_TOKEN'],
    ['DISCORD_TOEKN', 'DISCORD_TOKEN'],
    ['BEACON_URLS', 'BEACON_URL'],
    ['HTTP_PROT', 'HTTP_PORT'],
    ['NODE_ROLES', 'NODE_ROLE'],
    ['DAILY_CG', 'DAILY_GC'],
    ['VAULT_PASSPHRASES', 'VAULT_PASSPHRASE'],
  ])('name %s as a likely typo of %s', (name, meant) => {
    expect(faultsOf({ [name]: 'x' })).toEqual([
      `${name} is not a name that the bot reads; did you mean ${meant}?`,
    ]);
  });

  test('name what begins as ours does', () => {
    expect(faultsOf({ BEACON_BRANCH: 'x', GUYACHA_DIR: 'x' })).toHaveLength(2);
  });

  test('leave the names of other programs alone', () => {
    const names = ['NODE_ENV', 'NODE_OPTIONS', 'HTTP_PROXY', 'HTTPS_PORT', 'VAULT_ADDR'];
    const others = [...names, 'LOGLEVEL', 'PATH', 'XDG_DATA_DIRS', 'GIT_SSH_COMMAND', 'PORT'];
    expect(faultsOf(Object.fromEntries(others.map((name) => [name, 'x'])))).toEqual([]);
  });

  test('never repeat a value', () => {
    const value = fc.stringMatching(/^[\x21-\x7e]{8,40}$/).map((text) => `@@${text}`);
    const env = fc.record(Object.fromEntries(CONFIG_NAMES.map((name) => [name, value])));
    fc.assert(
      fc.property(env, (values) => {
        const told = faultsOf(values).join('\n');
        expect(Object.values(values).filter((text) => told.includes(text))).toEqual([]);
      }),
    );
  });

  test('are CONFIG_INVALID whatever the environment says', () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('ssh://%', 'https://[', 'file://%zz', 'a:b@c:d', '::', '-'),
    );
    fc.assert(
      fc.property(fc.constantFrom(...CONFIG_NAMES), value, (name, text) => {
        expect(Array.isArray(faultsOf({ [name]: text }))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('A secret', () => {
  const config = parseConfig({
    DISCORD_TOKEN: 'hunter2-token',
    VAULT_PASSPHRASE: 'hunter2-passphrase',
    BEACON_URL: 'git@host:chain',
    BEACON_SSH_KEY: PEM.replace('c2VjcmV0', 'hunter2'),
  });

  test('is shown by no log, JSON or template', () => {
    const shown = [
      inspect(config, { depth: 9, showHidden: true }),
      JSON.stringify(config),
      JSON.stringify(describeConfig(config)),
      String(config.discordToken),
    ];
    expect(shown.filter((text) => text.includes('hunter2'))).toEqual([]);
  });

  test('is there for the one that needs it', () => {
    expect(config.discordToken?.reveal()).toBe('hunter2-token');
    expect(config.vaultPassphrase?.reveal()).toBe('hunter2-passphrase');
  });

  test('is described as set', () => {
    expect(describeConfig(config)).toMatchObject({ discordToken: '(set)', httpPort: 8080 });
  });
});

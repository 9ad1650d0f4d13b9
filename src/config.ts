// Reads the environment into a frozen, validated Config, and names every fault of it at once.
import * as z from 'zod';
import { AppError } from './shared/errors.ts';
import { guyaCoin, parseGuyaCoin } from './shared/guya-coin.ts';
import type { GuyaCoin } from './shared/guya-coin.ts';

/** A value that logs, JSON and string templates never show. */
class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself, for the one place that needs it. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** What the operator chose; undefined where a default is made or found elsewhere. */
export interface Config {
  /** Undefined: run against the playground. */
  readonly discordToken: Secret | undefined;
  /** Undefined: register the commands for every guild. */
  readonly discordGuildId: string | undefined;
  /** Where staff is told of what froze. Undefined: in the log alone. */
  readonly discordStaffChannelId: string | undefined;
  /** Undefined: Discord's own. */
  readonly discordApiUrl: string | undefined;
  /** A path, file://, ssh://, scp-like or https:// URL without credentials. Undefined: an embedded beacon under dataDir. */
  readonly beaconUrl: string | undefined;
  /** The key's text with real line breaks. At most one of beaconSshKey and beaconSshKeyFile is set. */
  readonly beaconSshKey: Secret | undefined;
  readonly beaconSshKeyFile: string | undefined;
  readonly beaconKnownHostsFile: string | undefined;
  readonly beaconEpochBranch: string;
  readonly beaconSyncIntervalMs: number;
  readonly nodeRole: 'auto' | 'validator' | 'observer';
  /** Whether a validator answers introspection over HTTP; an observer always does. */
  readonly nodeIntrospection: boolean;
  /** Where others can reach this validator's API, for its entry on the reserved branch. Undefined: it names none. */
  readonly nodePublicUrl: string | undefined;
  readonly httpHost: string;
  /** 0: any free port. */
  readonly httpPort: number;
  /** 0: any free port. */
  readonly playgroundPort: number;
  readonly dataDir: string;
  /** Undefined: a random key file under dataDir. */
  readonly vaultPassphrase: Secret | undefined;
  /** Undefined: a file under dataDir; another disk is better. */
  readonly recoveryJournal: string | undefined;
  readonly chainPrivacy: 'pseudonymous' | 'public';
  /** Undefined: the banners shipped with the project. */
  readonly guyachaFile: string | undefined;
  readonly dailyGc: GuyaCoin;
  /** 0: no pause between two mints of a member. */
  readonly mintCooldownMs: number;
  readonly tradeExpiryMs: number;
  readonly auditIntervalMs: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

/** The longest time that a timer of node can wait, in ms. */
const MAX_TIMER_MS = 2_147_483_647;
export const MIN_VAULT_PASSPHRASE = 12;

/** Refuses with a sentence that never repeats the value: it may be a secret in the wrong place. */
function refuse(ctx: z.RefinementCtx, message: string): never {
  ctx.addIssue({ code: 'custom', message });
  return z.NEVER;
}

const printable = (what: string) =>
  z.string().regex(/^[^\p{Cc}\u2028\u2029]+$/u, `must be ${what}, on one line`);

const path = printable('a path').refine((text) => !text.startsWith('-'), {
  message: 'starts with a dash, which programs take for an option; write `./-…`',
});

const secret = (text: string): Secret => new Secret(text);

const wholeNumber = (min: number, max: number, unit: string) =>
  z.string().transform((text, ctx): number => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    return number >= min && number <= max
      ? number
      : refuse(ctx, `must be a whole number from ${min} to ${max} (${unit}), in digits`);
  });

const milliseconds = (min: number) => wholeNumber(min, MAX_TIMER_MS, 'milliseconds');
const port = wholeNumber(0, 65_535, 'a port; 0 for any free one');

const oneOf = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  z.enum(words, { error: `must be one of ${words.join(', ')}` });

const LOOPBACK_HOSTS = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

const apiUrl = z.string().transform((text, ctx): string => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    return refuse(ctx, 'must be an http:// or https:// URL');
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    return refuse(ctx, 'must be a URL without user name, password, query and fragment');
  }
  if (url.protocol === 'http:' && !LOOPBACK_HOSTS.test(url.hostname)) {
    return refuse(ctx, 'must be an https:// URL: over http:// everyone on the way reads the token');
  }
  return text.replace(/\/+$/, '');
});

const publicUrl = z.string().transform((text, ctx): string => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || text.length > 500) {
    return refuse(ctx, 'must be an http:// or https:// URL of at most 500 characters');
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    return refuse(ctx, 'must be a URL without user name, password, query and fragment');
  }
  return url.href.replace(/\/+$/, '');
});

const token = z
  .string()
  .regex(
    /^[\x21-\x7e]+$/,
    'must be the bare bot token, without spaces and without “Bot ” before it',
  )
  .transform(secret);

const privateKey = z.string().transform((text, ctx): Secret => {
  // Files for environments hold one line a value: line breaks are often written as \n in them.
  const lines = text.includes('\n') ? text : text.replaceAll('\\n', '\n');
  const key = `${lines.replaceAll('\r', '').trim()}\n`;
  return /^-----BEGIN [A-Z ]*PRIVATE KEY-----\n[^]+\n-----END [A-Z ]*PRIVATE KEY-----\n$/.test(key)
    ? new Secret(key)
    : refuse(ctx, 'must be the text of a private key, from its BEGIN line to its END line');
});

const NO_CREDENTIALS =
  'must not carry credentials: use a deploy key (BEACON_SSH_KEY_FILE) or a credential helper of git';

const beaconUrl = printable('a path or a URL').transform((text, ctx): string => {
  const fault = faultOfBeaconUrl(text);
  return fault === undefined ? text : refuse(ctx, fault);
});

/** As git reads an address: a scheme; else a host and a colon before the first slash; else a path. */
function faultOfBeaconUrl(text: string): string | undefined {
  if (text.startsWith('-')) return 'starts with a dash, which git takes for an option';
  if (/^[a-z0-9+.-]+::/i.test(text)) {
    return 'names a transport helper, which could run any program; use a path, ssh:// or https://';
  }
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme !== undefined) return faultOfBeaconScheme(scheme, text);
  if (/^[^@/:]*:[^@/]*@/.test(text)) return NO_CREDENTIALS;
  const host = /^([^/:]*):/.exec(text)?.[1];
  if (host === '') return 'names no host before the colon';
  return host !== undefined && host.includes('@-')
    ? 'names a host that starts with a dash, which ssh takes for an option'
    : undefined;
}

function faultOfBeaconScheme(scheme: string, text: string): string | undefined {
  if (!['file', 'ssh', 'https'].includes(scheme)) {
    return 'must be a path, or a file://, ssh:// or https:// URL; other transports are neither private nor safe';
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return 'is a malformed URL';
  if (url.password !== '') return NO_CREDENTIALS;
  // The user name of ssh is no secret; in https it is where people paste access tokens.
  if (scheme === 'https' && url.username !== '') return NO_CREDENTIALS;
  if (url.search !== '' || url.hash !== '') return 'must be a URL without query and fragment';
  if (scheme === 'file') {
    return url.hostname === '' ? undefined : 'names a host in a file:// URL; write file:///…';
  }
  if (url.hostname === '') return 'names no host';
  return /^(?:-|%2d)/i.test(url.hostname) || /^(?:-|%2d)/i.test(url.username)
    ? 'names a host that starts with a dash, which ssh takes for an option'
    : undefined;
}

const epochBranch = z
  .string()
  .regex(/^[a-z0-9_][a-z0-9._-]*(?:\/[a-z0-9_][a-z0-9._-]*)*$/i, 'must be a branch name')
  .refine((text) => !/\.\.|\.(?:\/|$)|\.lock(?:\/|$)/.test(text), {
    message: 'must be a branch name that git allows',
  })
  .refine((text) => !text.startsWith('nfgt-'), {
    message: 'names an interaction chain; the epoch branch is the one that every chain starts from',
  });

const amount = z.string().transform((text, ctx): GuyaCoin => {
  try {
    // Nothing is available here: `all` is refused as zero is.
    return parseGuyaCoin(text, 0);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return refuse(ctx, 'must be an amount of gc such as `600`, `1.2k` or `1p 2g`');
  }
});

/** Every name of the environment that the program reads. */
const SETTINGS = {
  DISCORD_TOKEN: token.optional(),
  DISCORD_GUILD_ID: z
    .string()
    .regex(/^\d{1,20}$/, 'must be the id of a server: digits only')
    .optional(),
  DISCORD_STAFF_CHANNEL_ID: z
    .string()
    .regex(/^\d{1,20}$/, 'must be the id of a channel: digits only')
    .optional(),
  DISCORD_API_URL: apiUrl.optional(),
  BEACON_URL: beaconUrl.optional(),
  BEACON_SSH_KEY: privateKey.optional(),
  BEACON_SSH_KEY_FILE: path.optional(),
  BEACON_KNOWN_HOSTS_FILE: path.optional(),
  BEACON_EPOCH_BRANCH: epochBranch.default('main'),
  BEACON_SYNC_INTERVAL_MS: milliseconds(50).default(4_000),
  NODE_ROLE: oneOf(['auto', 'validator', 'observer']).default('auto'),
  NODE_INTROSPECTION: oneOf(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true'),
  NODE_PUBLIC_URL: publicUrl.optional(),
  HTTP_HOST: z
    .string()
    .regex(/^[a-z0-9._:-]+$/i, 'must be a host name or an address')
    .default('127.0.0.1'),
  HTTP_PORT: port.default(8080),
  PLAYGROUND_PORT: port.default(8081),
  DATA_DIR: path.default('./data'),
  VAULT_PASSPHRASE: z
    .string()
    .min(MIN_VAULT_PASSPHRASE, `must have at least ${MIN_VAULT_PASSPHRASE} characters`)
    .transform(secret)
    .optional(),
  RECOVERY_JOURNAL: path.optional(),
  CHAIN_PRIVACY: oneOf(['pseudonymous', 'public']).default('pseudonymous'),
  GUYACHA_FILE: path.optional(),
  DAILY_GC: amount.default(guyaCoin(600)),
  MINT_COOLDOWN_MS: milliseconds(0).default(60_000),
  TRADE_EXPIRY_MS: milliseconds(1_000).default(15 * 60_000),
  AUDIT_INTERVAL_MS: milliseconds(1_000).default(5 * 60_000),
  LOG_LEVEL: oneOf(LOG_LEVELS).default('info'),
};

const SCHEMA = z.object(SETTINGS);
type Settings = z.output<typeof SCHEMA>;

/** The names that may stand in `.env`. */
export const CONFIG_NAMES: readonly string[] = Object.keys(SETTINGS);

/**
 * Reads the configuration. An empty value counts as an absent one; names of other programs are left alone.
 * @param env the environment, for example `process.env` with `.env` merged in
 * @throws AppError CONFIG_INVALID with every fault in `data.faults`, one a line, and no value in it
 */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    CONFIG_NAMES.map((name) => [name, env[name] === '' ? undefined : env[name]]),
  );
  const result = SCHEMA.safeParse(given);
  const faults = [
    ...(result.error?.issues ?? []).map(
      ({ path: [name], message }) => `${String(name)} ${message}`,
    ),
    ...faultsBetween(given),
    ...faultsOfNames(env),
  ];
  if (result.data === undefined || faults.length > 0) {
    throw new AppError('CONFIG_INVALID', { faults: faults.join('\n') });
  }
  return Object.freeze(configFrom(result.data));
}

/** Faults of values that do not go together. */
function faultsBetween(given: Readonly<Record<string, string | undefined>>): string[] {
  const faults: string[] = [];
  const keyNames = ['BEACON_SSH_KEY', 'BEACON_SSH_KEY_FILE'].filter((name) => given[name]);
  if (keyNames.length > 1) {
    faults.push('BEACON_SSH_KEY and BEACON_SSH_KEY_FILE are both set; keep one');
  }
  // A key and nothing to open with it: better said than a bot that writes to another beacon than meant.
  if (keyNames[0] !== undefined && given['BEACON_URL'] === undefined) {
    faults.push(
      `${keyNames[0]} is set but BEACON_URL is not; set BEACON_URL to the beacon it opens`,
    );
  }
  return faults;
}

/** Prefixes that no other program uses; VAULT_ and HTTP_ for example belong to others as well. */
const OWN_PREFIXES =
  /^(?:DISCORD_|BEACON_|GUYACHA_|PLAYGROUND_|NODE_(?:ROLE|INTROSPECTION|PUBLIC_URL)|CHAIN_PRIVACY)/;
/** Names of other programs that are one letter away from ours. */
const OTHERS = new Set(['HTTPS_PORT', 'HTTPS_HOST']);

function faultsOfNames(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.keys(env)
    .filter((name) => env[name] !== '' && !CONFIG_NAMES.includes(name) && !OTHERS.has(name))
    .flatMap((name) => {
      const meant = CONFIG_NAMES.find((known) => name.includes('_') && isOneTypoAway(name, known));
      if (meant === undefined && !OWN_PREFIXES.test(name)) return [];
      const advice = meant === undefined ? 'see .env.example' : `did you mean ${meant}?`;
      return [`${name} is not a name that the bot reads; ${advice}`];
    })
    .sort();
}

/** True for one letter more, less, changed, or two neighbours swapped. */
function isOneTypoAway(text: string, known: string): boolean {
  if (Math.abs(text.length - known.length) > 1) return false;
  let start = 0;
  while (start < text.length && text[start] === known[start]) start += 1;
  const rest = text.slice(start);
  const knownRest = known.slice(start);
  const isSwapped =
    rest.slice(0, 2) === `${knownRest.charAt(1)}${knownRest.charAt(0)}` &&
    rest.slice(2) === knownRest.slice(2);
  return (
    isSwapped ||
    rest.slice(1) === knownRest ||
    rest === knownRest.slice(1) ||
    rest.slice(1) === knownRest.slice(1)
  );
}

function configFrom(settings: Settings): Config {
  return {
    discordToken: settings.DISCORD_TOKEN,
    discordGuildId: settings.DISCORD_GUILD_ID,
    discordStaffChannelId: settings.DISCORD_STAFF_CHANNEL_ID,
    discordApiUrl: settings.DISCORD_API_URL,
    beaconUrl: settings.BEACON_URL,
    beaconSshKey: settings.BEACON_SSH_KEY,
    beaconSshKeyFile: settings.BEACON_SSH_KEY_FILE,
    beaconKnownHostsFile: settings.BEACON_KNOWN_HOSTS_FILE,
    beaconEpochBranch: settings.BEACON_EPOCH_BRANCH,
    beaconSyncIntervalMs: settings.BEACON_SYNC_INTERVAL_MS,
    nodeRole: settings.NODE_ROLE,
    nodeIntrospection: settings.NODE_INTROSPECTION,
    nodePublicUrl: settings.NODE_PUBLIC_URL,
    httpHost: settings.HTTP_HOST,
    httpPort: settings.HTTP_PORT,
    playgroundPort: settings.PLAYGROUND_PORT,
    dataDir: settings.DATA_DIR,
    vaultPassphrase: settings.VAULT_PASSPHRASE,
    recoveryJournal: settings.RECOVERY_JOURNAL,
    chainPrivacy: settings.CHAIN_PRIVACY,
    guyachaFile: settings.GUYACHA_FILE,
    dailyGc: settings.DAILY_GC,
    mintCooldownMs: settings.MINT_COOLDOWN_MS,
    tradeExpiryMs: settings.TRADE_EXPIRY_MS,
    auditIntervalMs: settings.AUDIT_INTERVAL_MS,
    logLevel: settings.LOG_LEVEL,
  };
}

/** The configuration for a log line: what is not set is left out, and of a secret it says that it is set. */
export function describeConfig(
  config: Config,
): Readonly<Record<string, string | number | boolean>> {
  return Object.fromEntries(
    Object.entries(config).flatMap(([name, value]: [string, Config[keyof Config]]) =>
      value === undefined ? [] : [[name, value instanceof Secret ? '(set)' : value]],
    ),
  );
}

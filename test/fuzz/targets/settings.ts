// What operators and members type: settings, amounts, custom ids, the Guyacha file, arguments of commands, addresses.
import fc from 'fast-check';
import { parseLimit } from '../../../src/cli/verify.ts';
import { CONFIG_NAMES, describeConfig, parseConfig } from '../../../src/config.ts';
import { resolveAssetId } from '../../../src/discord/asset-option.ts';
import {
  encodeCustomId,
  MAX_CUSTOM_ID_LENGTH,
  parseCustomId,
} from '../../../src/discord/custom-id.ts';
import { parseRemoteUrl } from '../../../src/git/remote-url.ts';
import { parseGuyacha } from '../../../src/guyacha/load-guyacha.ts';
import { parseDepth } from '../../../src/http/routes/history.ts';
import { addressOf, readAddress } from '../../../src/http/page/address.ts';
import {
  formatGuyaCoin,
  guyaCoin,
  MAX_AMOUNT_GC,
  parseGuyaCoin,
} from '../../../src/shared/guya-coin.ts';
import { parseAssetId } from '../../../src/chain/refs.ts';
import { refusing } from '../refusals.ts';
import { must, pure, type Target } from '../target.ts';

/** An amount as it would be read by hand: digits with their unit, added up as big integers; undefined for another form. */
function readByHand(text: string): bigint | undefined {
  const words = text.trim().toLowerCase().split(/\s+/);
  const units: Readonly<Record<string, bigint>> = { p: 10_000n, g: 1_000n, s: 100n, c: 1n };
  const [only = ''] = words;
  const plain = /^[\d,]+$/.test(only) ? only : undefined;
  if (words.length === 1 && plain !== undefined) return BigInt(plain.replaceAll(',', ''));
  const scaled = /^(\d+)(?:\.(\d+))?([km])$/.exec(only);
  if (words.length === 1 && scaled !== null) {
    const [, whole = '', fraction = '', suffix] = scaled;
    const all = BigInt(whole + fraction) * (suffix === 'k' ? 1_000n : 1_000_000n);
    const divisor = 10n ** BigInt(fraction.length);
    return all % divisor === 0n ? all / divisor : undefined;
  }
  let sum = 0n;
  for (const word of words) {
    const unit = units[word.slice(-1)];
    if (unit === undefined || !/^[\d,]+.$/.test(word)) return undefined;
    sum += BigInt(word.slice(0, -1).replaceAll(',', '')) * unit;
  }
  return sum;
}

function checkAmount(input: string): void {
  const gc = refusing(['AMOUNT_INVALID'], () => parseGuyaCoin(input, 777));
  if (gc === undefined) return;
  must(
    Number.isSafeInteger(gc) && gc >= 1 && gc <= MAX_AMOUNT_GC,
    'an amount is whole, positive and bounded',
  );
  must(
    input.trim().toLowerCase() === 'all' || BigInt(gc) === readByHand(input),
    'an amount is what it says',
  );
  const [plain = ''] = formatGuyaCoin(gc).split(' gc');
  must(parseGuyaCoin(plain, 0) === gc, 'an amount that was printed is read back as the same');
}

function checkCustomId(input: string): void {
  const id = parseCustomId(input);
  if (id === undefined) return;
  must(input.length <= MAX_CUSTOM_ID_LENGTH, 'a custom id is within Discord’s limit');
  must(encodeCustomId(id) === input, 'a custom id that was read is written as the same');
}

const SETTINGS = {
  DISCORD_TOKEN: 'token.abc',
  DISCORD_GUILD_ID: '123',
  DISCORD_API_URL: 'http://127.0.0.1:9/api/',
  BEACON_URL: 'ssh://git@host:22/x.git',
  BEACON_SSH_KEY_FILE: '/k',
  BEACON_EPOCH_BRANCH: 'main/a',
  BEACON_SYNC_INTERVAL_MS: '4000',
  NODE_ROLE: 'auto',
  NODE_INTROSPECTION: 'true',
  NODE_PUBLIC_URL: 'https://n.example/a/',
  HTTP_HOST: '::1',
  HTTP_PORT: '0',
  DATA_DIR: './data',
  VAULT_PASSPHRASE: 'twelve letters',
  DAILY_GC: '1p 2g',
  LOG_LEVEL: 'info',
};

function checkConfig(input: string): void {
  let value: unknown;
  try {
    value = JSON.parse(input);
  } catch {
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  // An environment holds texts without NUL.
  const env = Object.fromEntries(
    Object.entries(value).map(([name, text]) => [
      name,
      String(typeof text === 'object' ? JSON.stringify(text) : text).replaceAll('\0', ''),
    ]),
  );
  const config = refusing(['CONFIG_INVALID'], () => parseConfig(env));
  if (config === undefined) return;
  must(Object.isFrozen(config), 'a configuration does not change');
  const secret = env['VAULT_PASSPHRASE'] ?? '';
  must(
    secret === '' ||
      !JSON.stringify(describeConfig(config)).includes(secret) ||
      JSON.stringify({ ...env, VAULT_PASSPHRASE: '' }).includes(secret) ||
      secret.length < 12 ||
      '(set)'.includes(secret),
    'a description holds no secret',
  );
  // Two readers of one address: what the configuration takes, git's side takes or refuses in words.
  const { beaconUrl } = config;
  if (beaconUrl !== undefined) refusing(['BEACON_UNUSABLE'], () => parseRemoteUrl(beaconUrl));
}

const GUYACHA = `catalogue:
  series:
    - {id: birds, name: Birds, held: bot, stars: 3, assets: [{id: crane, name: Crane, copies: 3}, {id: owl, name: Owl}]}
  assets: [{id: fox, name: Fox, stars: 2, held: open}]
  cards:
    - {id: leaf, name: Leaf, stars: 1}
banners:
  - id: spring
    name: Spring
    price: 60
    start: 2026-04-01T00:00:00Z
    entries:
      - {weight: 10, coins: 1.2k}
      - {weight: 5, card: leaf}
      - {id: a, name: A bird, weight: 1, series: birds, stock: 2}
`;

function checkGuyacha(input: string): void {
  const guyacha = refusing(['CONFIG_INVALID'], () => parseGuyacha(input, 'guyacha.yaml'));
  if (guyacha === undefined) return;
  must(guyacha.banners.length > 0, 'there is a banner');
  const ids = new Set(guyacha.assets.map(({ assetId }) => assetId));
  must(ids.size === guyacha.assets.length, 'an asset stands there once');
  for (const assetId of ids) must(parseAssetId(assetId) === assetId, 'an asset can be a branch');
  for (const { priceGc, entries } of guyacha.banners) {
    must(guyaCoin(priceGc) === priceGc, 'a price is an amount');
    for (const { weight, prize } of entries) {
      must(Number.isSafeInteger(weight) && weight > 0, 'a weight is whole and positive');
      must(
        prize.kind !== 'nfgt' || prize.assetIds.every((id) => ids.has(id)),
        'a prize is in the catalogue',
      );
      must(
        prize.kind !== 'coins' || guyaCoin(prize.amountGc) === prize.amountGc,
        'coins are an amount',
      );
    }
  }
}

export const settingTargets: readonly Target[] = [
  pure({
    name: 'amount',
    covers: ['src/shared/guya-coin.ts#parseGuyaCoin', 'src/shared/guya-coin.ts#guyaCoin'],
    seeds: ['1200', '1,200', '1.2k', '3m', '1p 2g 3s 45c', 'all', '0.001m', '100000000p'],
    valid: fc.integer({ min: 1, max: MAX_AMOUNT_GC }).map((gc) =>
      formatGuyaCoin(gc)
        .replace(/^.*\((.*)\)$/, '$1')
        .replace(' gc', ''),
    ),
    tokens: [
      'k',
      'm',
      'p',
      'g',
      's',
      'c',
      ',000',
      '.',
      '000',
      ' ',
      '\u212a',
      '１',
      'e3',
      '0x10',
      '-',
      '+',
    ],
    maxLength: 64,
    check: checkAmount,
  }),
  pure({
    name: 'custom-id',
    covers: ['src/discord/custom-id.ts#parseCustomId', 'src/discord/custom-id.ts#encodeCustomId'],
    seeds: [
      'v1:trade:K7Q2:3:lock',
      'v1:page:a.b_c-d:0:next',
      `v1:${'a'.repeat(16)}:${'b'.repeat(48)}:9999999999:${'c'.repeat(16)}`,
    ],
    tokens: [':', 'v1:', 'v2', '0', '-1', '01', '\n'],
    maxLength: 150,
    check: checkCustomId,
  }),
  pure({
    name: 'config',
    covers: ['src/config.ts#parseConfig', 'src/config.ts#describeConfig'],
    seeds: [
      JSON.stringify(SETTINGS),
      '{}',
      JSON.stringify({
        BEACON_URL: 'file:///srv/x.git',
        BEACON_SSH_KEY:
          '-----BEGIN OPENSSH PRIVATE KEY-----\\nabc\\n-----END OPENSSH PRIVATE KEY-----',
      }),
    ],
    tokens: [
      ...CONFIG_NAMES,
      '%00',
      '%0a',
      'file:///',
      'ssh://',
      '-oProxyCommand',
      '::',
      'a@b:c',
      '//',
      '\u2028',
      '%2d',
      'all',
      '1e3',
    ],
    isJson: true,
    growthLength: 16_384,
    check: checkConfig,
  }),
  pure({
    name: 'guyacha',
    covers: [
      'src/guyacha/load-guyacha.ts#parseGuyacha',
      'src/guyacha/guyacha-source.ts#GuyachaSource',
    ],
    seeds: [
      GUYACHA,
      'banners:\n  - {id: a, name: A, price: 1, entries: [{weight: 1, coins: 5}]}\n',
    ],
    tokens: [
      '- ',
      ': ',
      '\n',
      '  ',
      '{',
      '[',
      '*a',
      '&a',
      '!!js',
      '<<: ',
      'copies: 1000',
      '__proto__: 1',
      'constructor:',
      '\t',
      '---\n',
      '"',
      '|\n',
      'weight: 1e9',
    ],
    slower: { times: 10, reason: 'a file of banners is read by a YAML library' },
    check: checkGuyacha,
  }),
  pure({
    name: 'asset-option',
    covers: ['src/discord/asset-option.ts#resolveAssetId'],
    seeds: ['crane', '…tail-of-an-id', ' x '],
    tokens: ['…'],
    maxLength: 200,
    check: async (input) => {
      const offered = { assetId: `${'x'.repeat(60)}${input}`, label: 'x' };
      // SAFETY: only looked up here.
      const found = await resolveAssetId(input, () => Promise.resolve([offered] as never));
      must(
        !input.startsWith('…') || found === offered.assetId || found === input.slice(1),
        'a tail stands for the id that it ends, or for itself',
      );
    },
  }),
  pure({
    name: 'arguments',
    covers: ['src/cli/verify.ts#parseLimit', 'src/http/routes/history.ts#parseDepth'],
    seeds: ['100', '-5', '+007', '9223372036854775807', '9223372036854775808'],
    tokens: ['0', '-', '+', '1e3', '０', '.'],
    maxLength: 60,
    growthLength: 12_000,
    check: (input) => {
      const limit = refusing(['INPUT_INVALID'], () => parseLimit(input));
      must(limit === undefined || (limit >= 0 && limit < 1e7), 'a limit is bounded');
      const depth = refusing(['DEPTH_INVALID'], () => parseDepth(input));
      must(depth === undefined || (Number.isSafeInteger(depth) && depth >= 0), 'a depth is whole');
      must((depth !== undefined) === isInt64(input), 'a depth is what Go’s ParseInt takes');
    },
  }),
  pure({
    name: 'page-address',
    covers: ['src/http/page/address.ts#readAddress', 'src/http/page/address.ts#addressOf'],
    seeds: ['#asset=crane', '#owner=a%20b', '#transaction=x', '#'],
    tokens: ['%', '%ff', '%2', '#', '=', '\ud800'],
    check: (input) => {
      const read = readAddress(input);
      if (typeof read === 'object')
        must(
          readAddress(addressOf(read)) !== 'unreadable',
          'an address that was read can be written',
        );
      const lookup = { kind: 'asset' as const, id: input };
      const again = readAddress(addressOf(lookup));
      must(
        input === '' || (typeof again === 'object' && again.id === input.toWellFormed()),
        'an id comes back from its address',
      );
    },
  }),
];

function isInt64(text: string): boolean {
  if (!/^[+-]?[0-9]+$/.test(text)) return false;
  const digits = text.replace(/^[+-]?0*/, '').padStart(1, '0');
  const most = text.startsWith('-') ? '9223372036854775808' : '9223372036854775807';
  return digits.length < most.length || (digits.length === most.length && digits <= most);
}

// What lies in the data directory and in a backup: sealed passphrases, the recovery journal, keys, manifests, columns.
import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { checkBackup, decrypterFrom } from '../../../src/cli/backup-files.ts';
import { parseColumn } from '../../../src/db/json-column.ts';
import { parseEffects } from '../../../src/db/settlement-effects.ts';
import { winsColumn } from '../../../src/db/sqlite-roll-store.ts';
import { sidesColumn } from '../../../src/db/sqlite-trade-store.ts';
import type { AssetId, SettlementId, TransactionId } from '../../../src/shared/ids.ts';
import { parseApiTokens, printApiTokens } from '../../../src/http/api-tokens.ts';
import { enclose, seal, unseal } from '../../../src/vault/aead.ts';
import { readKeyFile } from '../../../src/vault/key-file.ts';
import { parseParameters, newParameters } from '../../../src/vault/passphrase-key.ts';
import { decodeLine, encodeLine, type RecoveryEntry } from '../../../src/vault/recovery-entry.ts';
import { readRecoveryJournal, RecoveryJournal } from '../../../src/vault/recovery-journal.ts';
import { Vault } from '../../../src/vault/vault.ts';
import { silentLogger } from '../../../src/shared/logger.ts';
import { bytesOf, inputOf, refusing, refusingLater } from '../refusals.ts';
import { must, pure, type Target } from '../target.ts';

const KEY = enclose(Buffer.alloc(32, 3));
const CONTEXT = ['successor-passphrase', 'crane', 'id'];
const MESSAGE = 'a successor passphrase';
const SEALED = inputOf(seal(KEY, Buffer.from(MESSAGE), CONTEXT));

const ENTRY: RecoveryEntry = {
  transactionId: '11111111-2222-4333-8444-555555555555' as TransactionId,
  assetId: 'crane' as AssetId,
  ...{ custody: 'bot', holder: 'bot', sealed: Buffer.from('sealed'), createdAt: 1 },
};
const LINE = encodeLine(KEY, [ENTRY]);

function checkLine(input: string): void {
  // With a right checksum: what a bit of rust has changed is found before anything is opened.
  const body = input.slice(17);
  const checked = `${createHash('sha256').update(body).digest('hex').slice(0, 16)} ${body}`;
  for (const line of [input, checked]) {
    const read = decodeLine(KEY, line);
    if (typeof read === 'string') {
      continue;
    }
    const again = decodeLine(KEY, encodeLine(KEY, read).slice(0, -1));
    must(JSON.stringify(again) === JSON.stringify(read), 'entries come back as they were written');
    must(JSON.stringify(read) === JSON.stringify([ENTRY]), 'nobody without the key writes a line');
  }
}

const PHC = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g';

const EFFECTS = {
  captures: [{ holdId: 'h', creditAccount: 'bank', code: 'payment' }],
  payouts: [{ creditAccount: 'member:1', amountGc: 5, code: 'roll-prize' }],
  cards: [{ memberId: '1', cardId: 'leaf' }],
  tradeId: null,
};
const SIDE = { memberId: '1', assets: ['crane'], coinsGc: 5, locked: true, confirmed: false };

/** What a column gives, or undefined when it is damaged; its words never repeat the content. */
function column<Value>(input: string, read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (
      !(error instanceof Error) ||
      !/^the \S+ of test are (?:damaged|not JSON)$/.test(error.message)
    )
      throw error;
    must(
      input.length < 40 || !error.message.includes(input),
      'a fault does not repeat the content',
    );
    return undefined;
  }
}

function checkColumns(input: string): void {
  const effects = column(input, () => {
    try {
      return parseEffects(input, 'x' as SettlementId);
    } catch (error) {
      const { message } = error as Error;
      throw new Error(message.replace('settlement x', 'test'), { cause: error });
    }
  });
  const sides = column(input, () => parseColumn(sidesColumn, input, 'sides of test'));
  const wins = column(input, () => parseColumn(winsColumn, input, 'wins of test'));
  for (const payout of effects?.payouts ?? []) must(payout.amountGc > 0, 'a payout is positive');
  for (const side of sides ?? []) must(side.coinsGc >= 0, 'an offer is not below zero');
  for (const [, count] of wins ?? []) must(count > 0, 'a count of wins is positive');
  if (effects !== undefined)
    must(
      JSON.stringify(parseEffects(JSON.stringify(effects), 'x' as SettlementId)) ===
        JSON.stringify(effects),
      'effects come back as they were written',
    );
}

/** A target whose input is a file. */
function fileTarget(
  facts: Omit<Target, 'open' | 'slower'>,
  name: string,
  check: (file: string, dir: string, input: string) => Promise<void>,
): Target {
  return {
    ...facts,
    slower: { times: 20, reason: 'each input is written to a file and read from it' },
    open: () => {
      const dir = mkdtempSync(join(tmpdir(), 'aibot-fuzz-'));
      const file = join(dir, name);
      return {
        check: (input) => {
          writeFileSync(file, bytesOf(input), { mode: 0o600 });
          return check(file, dir, input);
        },
        close: () => rm(dir, { recursive: true }),
      };
    },
  };
}

const vault = new Vault(enclose(Buffer.alloc(32, 5)), false);

async function journalText(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'aibot-fuzz-'));
  const file = join(dir, 'journal');
  const journal = new RecoveryJournal({ file, vault, logger: silentLogger });
  await journal.rewrite([ENTRY]);
  await journal.append([{ ...ENTRY, transactionId: 'other' as TransactionId }]);
  await journal.close();
  const text = await readFile(file, 'latin1');
  await rm(dir, { recursive: true });
  return text;
}
const JOURNAL = await journalText();

const MANIFEST = {
  ...{
    format: 'aibot-backup 1',
    takenAt: 1,
    schema: '0003-restores',
    beacon: 'embedded',
    encrypted: false,
  },
  files: [{ name: 'state.sqlite', bytes: 0, sha256: 'a1'.repeat(32) }],
};

export const fileTargets: readonly Target[] = [
  pure({
    name: 'sealed',
    covers: ['src/vault/aead.ts#unseal', 'src/vault/vault.ts#Vault'],
    seeds: [SEALED, SEALED.slice(0, 29), ''],
    isBytes: true,
    check: (input) => {
      const opened = unseal(KEY, bytesOf(input), CONTEXT);
      must(opened === undefined || input === SEALED, 'nothing that was changed opens');
      must(unseal(KEY, bytesOf(input), ['another']) === undefined, 'nothing opens elsewhere');
      const message = bytesOf(input);
      must(
        unseal(KEY, seal(KEY, message, CONTEXT), CONTEXT)?.equals(message) === true,
        'what was sealed opens',
      );
    },
  }),
  pure({
    name: 'recovery-line',
    covers: ['src/vault/recovery-entry.ts#decodeLine', 'src/vault/recovery-entry.ts#encodeLine'],
    seeds: [LINE.slice(0, -1)],
    tokens: [' ', '=', '-', '_', '\n'],
    isBytes: true,
    check: checkLine,
  }),
  pure({
    name: 'vault-parameters',
    covers: ['src/vault/passphrase-key.ts#parseParameters'],
    seeds: [newParameters(), 'v=19$m=8,t=1,p=1'],
    tokens: ['v=19$', 'm=', ',t=', ',p=', '0', '99999999'],
    maxLength: 100,
    check: (input) => {
      try {
        const { memoryKib, passes, lanes } = parseParameters(input);
        must(memoryKib <= 4 * 1024 * 1024 && passes <= 64 && lanes <= 64, 'costs are bounded');
        must(
          passes >= 1 && lanes >= 1 && memoryKib >= 8 * lanes,
          'costs are ones that argon2 takes',
        );
      } catch (error) {
        if (!(error instanceof Error) || !error.message.includes('unknown argon2id parameters'))
          throw error;
      }
    },
  }),
  pure({
    name: 'api-tokens',
    covers: ['src/http/api-tokens.ts#parseApiTokens', 'src/http/api-tokens.ts#printApiTokens'],
    seeds: [`# tokens\nshop a1b2c3d4 0a0b0c0d ${PHC}\n`, `a.b-c_d a1b2c3d4 0a0b0c0d ${PHC}`, ''],
    tokens: ['\n', ' ', '#', '$argon2id$v=19$', '$', 'm=19456,t=2,p=1', '\r\n'],
    check: (input) => {
      const tokens = refusing(['API_TOKENS_INVALID'], () => parseApiTokens(input, 'api-tokens'));
      if (tokens === undefined) return;
      const again = parseApiTokens(printApiTokens(tokens), 'api-tokens');
      must(
        JSON.stringify(again) === JSON.stringify(tokens),
        'tokens that were read are written as the same',
      );
    },
  }),
  pure({
    name: 'json-columns',
    covers: [
      'src/db/settlement-effects.ts#parseEffects',
      'src/db/json-column.ts#parseColumn',
      'src/db/sqlite-trade-store.ts#sidesColumn',
      'src/db/sqlite-roll-store.ts#winsColumn',
    ],
    seeds: [
      JSON.stringify(EFFECTS),
      JSON.stringify([SIDE, { ...SIDE, assets: [] }]),
      JSON.stringify([['crane', 3]]),
    ],
    valid: fc
      .array(fc.tuple(fc.string(), fc.integer({ min: 1 })))
      .map((value) => JSON.stringify(value)),
    tokens: ['"__proto__":1', '1e400', '-1', '0.5', 'null'],
    isJson: true,
    check: checkColumns,
  }),
  fileTarget(
    {
      name: 'recovery-journal',
      covers: ['src/vault/recovery-journal.ts#readRecoveryJournal'],
      seeds: [JOURNAL, JOURNAL.slice(0, -9), ''],
      tokens: ['\n', ' ', 'aibot-recovery-journal 1'],
      isBytes: true,
    },
    'journal',
    async (file, _dir, input) => {
      const contents = await refusingLater(['RECOVERY_JOURNAL_UNUSABLE'], () =>
        readRecoveryJournal(file, vault),
      );
      if (contents === undefined) return;
      const { entries, soundBytes, isTorn } = contents;
      must(
        soundBytes <= input.length && isTorn === soundBytes < input.length,
        'what is sound and what is torn make the file',
      );
      must(entries.length <= 2, 'nobody without the key adds an entry');
      if (input.startsWith(JOURNAL)) must(entries.length === 2, 'what follows takes nothing away');
    },
  ),
  fileTarget(
    {
      name: 'key-file',
      covers: ['src/vault/key-file.ts#readKeyFile'],
      seeds: ['k'.repeat(32), ''],
      maxLength: 70,
      isBytes: true,
    },
    'vault.key',
    async (file, _dir, input) => {
      const key = await refusingLater(['VAULT_KEY_INVALID'], () => readKeyFile(file));
      must((key !== undefined) === (input.length === 32), 'a key has 32 bytes');
    },
  ),
  fileTarget(
    {
      name: 'backup-manifest',
      covers: ['src/cli/backup-files.ts#checkBackup'],
      seeds: [JSON.stringify(MANIFEST), JSON.stringify({ ...MANIFEST, files: [] })],
      tokens: ['../../etc/passwd', '"bytes":', '1e400', 'vault.key', 'beacon.bundle'],
      isJson: true,
    },
    'manifest.json',
    async (_file, dir) => {
      const manifest = await refusingLater(['BACKUP_DAMAGED'], () => checkBackup(dir));
      must(
        manifest === undefined || manifest.files.length === 0,
        'files that are not there are missed',
      );
    },
  ),
  fileTarget(
    {
      name: 'age-identity',
      covers: ['src/cli/backup-files.ts#decrypterFrom'],
      seeds: [
        '# created\nAGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ\n',
        '\n#\n',
      ],
      tokens: ['AGE-SECRET-KEY-1', '#', '\n', 'age1'],
    },
    'identity',
    async (file) => {
      await refusingLater(['INPUT_INVALID'], () => decrypterFrom(file));
    },
  ),
];

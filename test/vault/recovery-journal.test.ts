// The recovery journal: what was appended is there after any crash, what is damaged is told, and nobody else's is taken.
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { AssetId, MemberId, TransactionId } from '../../src/shared/ids.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import type { RecoveryEntry } from '../../src/vault/recovery-entry.ts';
import {
  COMPACTION_STEPS,
  readRecoveryJournal,
  RecoveryJournal,
} from '../../src/vault/recovery-journal.ts';
import { Vault } from '../../src/vault/vault.ts';
import { beforeRemoval, tempDir } from '../support/temp-dir.ts';

const WORKER = new URL('../../dist/test/support/recovery-worker.js', import.meta.url).pathname;

let file: string;
let vault: Vault;

beforeEach(() => {
  file = join(tempDir(), 'recovery.journal');
  vault = newVault();
});

const newVault = (): Vault => new Vault(createSecretKey(randomBytes(32)), false);

function open(at = file, by = vault): RecoveryJournal {
  const journal = new RecoveryJournal({ file: at, vault: by, logger: silentLogger });
  beforeRemoval(() => journal.close());
  return journal;
}

const entry = (passphrase = 'a passphrase'): RecoveryEntry => {
  const transactionId = randomUUID() as TransactionId;
  const assetId = `asset-${transactionId}` as AssetId;
  return {
    transactionId,
    assetId,
    custody: 'bot',
    holder: '100' as MemberId,
    sealed: vault.seal(passphrase, { assetId, transactionId }),
    createdAt: 5,
  };
};

async function filled(...entries: readonly RecoveryEntry[]): Promise<RecoveryJournal> {
  const journal = open();
  await journal.rewrite([]);
  for (const each of entries) await journal.append([each]);
  return journal;
}

const lines = (): string[] => readFileSync(file, 'utf8').split('\n').slice(1, -1);

describe('an append', () => {
  test('is in the file when it resolves, and comes back as it was', async () => {
    const [first, second] = [entry(), { ...entry(), custody: 'caller', holder: null } as const];
    const journal = await filled(first, second);
    expect((await open().read()).entries).toEqual([first, second]);
    await journal.append([]);
    expect(lines()).toHaveLength(2);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('shares its record with the others that wait', async () => {
    const journal = await filled();
    const many = Array.from({ length: 40 }, () => entry());
    await Promise.all(many.map((each) => journal.append([each])));
    const { entries } = await open().read();
    expect(entries).toEqual(many);
    expect(lines().length).toBeLessThan(5);
  });

  test('shows neither the passphrase nor whose it is', async () => {
    const secret = entry('the very passphrase');
    await filled(secret);
    const text = readFileSync(file, 'latin1');
    const bodies = lines().map((line) =>
      Buffer.from(line.slice(17), 'base64url').toString('latin1'),
    );
    for (const hidden of ['the very passphrase', secret.assetId, secret.transactionId]) {
      expect([text, ...bodies].some((each) => each.includes(hidden))).toBe(false);
    }
  });
});

describe('a torn last record', () => {
  test.each([
    ['half of its bytes', () => truncateSync(file, statSync(file).size - 40)],
    ['no line break', () => truncateSync(file, statSync(file).size - 1)],
    ['zeros for bytes', () => appendFileSync(file, Buffer.alloc(300))],
    ['other bytes and a line break', () => appendFileSync(file, 'zzzz zzzz\n')],
  ])('with %s is left out, and the next one takes its place', async (_what, tear) => {
    const [first, second, third] = [entry(), entry(), entry()];
    await (await filled(first, second)).close();
    tear();
    const { entries, isTorn, damagedLines } = await open().read();
    expect(isTorn).toBe(true);
    expect(damagedLines).toEqual([]);
    await open().append([third]);
    const after = await open().read();
    expect(after).toMatchObject({ isTorn: false, damagedLines: [] });
    expect(after.entries).toEqual([...entries, third]);
  });
});

describe('damage', () => {
  test('elsewhere is told by line, costs only that line, and the damaged file is kept', async () => {
    const [first, second, third] = [entry(), entry(), entry()];
    const journal = await filled(first, second, third);
    const all = readFileSync(file, 'utf8').split('\n');
    all[2] = (all[2] ?? '').replace(/.$/, '!');
    writeFileSync(file, all.join('\n'));
    const found = await open().read();
    expect(found).toMatchObject({ isTorn: false, damagedLines: [3] });
    expect(found.entries).toEqual([first, third]);
    await journal.rewrite(found.entries);
    expect((await open().read()).damagedLines).toEqual([]);
    const kept = readdirSync(join(file, '..')).filter((name) => name.includes('.damaged-'));
    expect(readFileSync(join(file, '..', kept[0] ?? ''), 'utf8')).toBe(all.join('\n'));
  });

  test("refuses another vault's journal and any other file, and changes neither", async () => {
    await filled(entry());
    const before = readFileSync(file);
    const other = open(file, newVault());
    await expect(other.read()).rejects.toMatchObject({ code: 'RECOVERY_JOURNAL_UNUSABLE' });
    await expect(other.append([entry()])).rejects.toMatchObject({
      code: 'RECOVERY_JOURNAL_UNUSABLE',
    });
    await expect(other.rewrite([])).rejects.toMatchObject({ code: 'RECOVERY_JOURNAL_UNUSABLE' });
    expect(readFileSync(file)).toEqual(before);
    const letter = join(tempDir(), 'letter');
    writeFileSync(letter, 'Dear reader,\n');
    await expect(open(letter).rewrite([])).rejects.toMatchObject({
      code: 'RECOVERY_JOURNAL_UNUSABLE',
    });
    expect(readFileSync(letter, 'utf8')).toBe('Dear reader,\n');
  });
});

describe('a journal that cannot be written', () => {
  test('refuses while its file is gone, and takes the next one when it is back', async () => {
    const [first, second] = [entry(), entry()];
    const journal = await filled(first);
    const bytes = readFileSync(file);
    rmSync(file);
    for (const each of [first, second]) {
      await expect(journal.append([each])).rejects.toMatchObject({
        code: 'RECOVERY_JOURNAL_UNWRITABLE',
      });
    }
    writeFileSync(file, bytes);
    await journal.append([second]);
    expect((await open().read()).entries).toEqual([first, second]);
  });

  test('leaves the old file whole when the new one cannot be written', async () => {
    const first = entry();
    const journal = await filled(first);
    // In the way of the new file.
    mkdirSync(`${file}.new`);
    await expect(journal.rewrite([])).rejects.toMatchObject({
      code: 'RECOVERY_JOURNAL_UNWRITABLE',
    });
    expect((await journal.read()).entries).toEqual([first]);
  });

  test('refuses on a full disk, undoes what was half written, and goes on when there is room', () => {
    if (!existsSync(WORKER)) throw new Error('run `npm run build` first');
    // The limit stands in for the disk's end: a write across it is cut, the next one fails (setrlimit(2)).
    const script = `trap '' XFSZ; ulimit -S -f 8; exec "$0" "$@"`;
    const run = spawnSync('bash', ['-c', script, process.execPath, WORKER, file], {
      encoding: 'utf8',
    });
    expect(run.stderr).toBe('');
    const said = JSON.parse(run.stdout) as Record<string, unknown>;
    expect(said).toMatchObject({ refusal: 'RECOVERY_JOURNAL_UNWRITABLE', isTorn: false });
    expect(said['written']).toBe(said['found']);
    expect(said['written']).toBeGreaterThan(0);
  });
});

test.each(COMPACTION_STEPS)(
  'killed with SIGKILL at %s, a compaction is done or not',
  async (step) => {
    if (!existsSync(WORKER)) throw new Error('run `npm run build` first');
    const { signal } = spawnSync(process.execPath, [WORKER, file, step]);
    expect(signal).toBe('SIGKILL');
    const itsVault = new Vault(createSecretKey(Buffer.alloc(32, 7)), false);
    const found = await open(file, itsVault).read();
    expect(found).toMatchObject({ isTorn: false, damagedLines: [] });
    expect(found.entries).toHaveLength(step === 'compacted-copy-written' ? 3 : 1);
    await open(file, itsVault).append([entry()]);
  },
);

test('the newest record of a transaction counts', async () => {
  const first = entry();
  await filled(first, { ...first, createdAt: 9 });
  expect((await readRecoveryJournal(file, vault))?.entries).toEqual([{ ...first, createdAt: 9 }]);
});

test('a file that is not there, or empty, is no journal yet', async () => {
  expect(await readRecoveryJournal(file, vault)).toBeUndefined();
  writeFileSync(file, '');
  expect(await readRecoveryJournal(file, vault)).toBeUndefined();
});

// Appends to a recovery journal until the disk is full, then says what is left; argv = the journal's file. With a step
// after it: compacts three entries to one, and dies at that step.
// Run as its own process, because the limit that stands in for a full disk is the process's.
import { createSecretKey, randomUUID } from 'node:crypto';
import { AppError } from '../../src/shared/errors.ts';
import type { AssetId, TransactionId } from '../../src/shared/ids.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { RecoveryJournal } from '../../src/vault/recovery-journal.ts';
import { Vault } from '../../src/vault/vault.ts';

const [file = '', dieAtStep] = process.argv.slice(2);
const vault = new Vault(createSecretKey(Buffer.alloc(32, 7)), false);
const open = (): RecoveryJournal => new RecoveryJournal({ file, vault, logger: silentLogger });

async function append(journal: RecoveryJournal, chars: number): Promise<void> {
  const sealedFor = { assetId: 'x' as AssetId, transactionId: randomUUID() as TransactionId };
  const sealed = vault.seal('p'.repeat(chars), sealedFor);
  await journal.append([{ ...sealedFor, custody: 'bot', holder: 'bot', sealed, createdAt: 1 }]);
}

async function fill(): Promise<{ readonly written: number; readonly refusal: string }> {
  const journal = open();
  await journal.rewrite([]);
  for (let written = 0; ; written += 1) {
    try {
      await append(journal, 800);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      // A record that fits into what is left is taken: the failed one has left nothing in its way.
      await append(journal, 1);
      await journal.close();
      return { written: written + 1, refusal: error.code };
    }
  }
}

async function compact(): Promise<void> {
  const journal = open();
  await journal.rewrite([]);
  for (const chars of [1, 2, 3]) await append(journal, chars);
  const { entries } = await journal.read();
  await journal.rewrite(entries.slice(0, 1), (step) => {
    if (step === dieAtStep) process.kill(process.pid, 'SIGKILL');
  });
}

if (dieAtStep === undefined) {
  const filled = await fill();
  const { entries, isTorn } = await open().read();
  process.stdout.write(JSON.stringify({ ...filled, found: entries.length, isTorn }));
} else {
  await compact();
}

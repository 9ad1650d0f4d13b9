// Mints an asset for Ada on a beacon, and hands it over to Ben with the passphrase that the mint gave.
//
//   node mint-and-hand-over.mjs <beacon: path or URL> <directory for the node> <asset id>
//
// A path where nothing is becomes a new beacon. The passphrases are kept in the directory, in `passphrases.jsonl`.
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { openNode } from 'aibot/node';

const [beaconUrl, dataDir, assetId] = process.argv.slice(2);
if (beaconUrl === undefined || dataDir === undefined || assetId === undefined) {
  console.error('usage: node mint-and-hand-over.mjs <beacon> <directory> <asset id>');
  process.exit(64);
}

const node = await openNode({ beaconUrl, dataDir, nodeRole: 'validator' });
try {
  const passphrase = await transact({ assetId, ownerId: 'ada', metadata: { name: 'A lamp' } });
  await transact({ assetId, ownerId: 'ben', metadata: { name: 'A lamp' }, passphrase });
} finally {
  await node.close();
}

/**
 * Puts one transaction on the chain.
 * @param {import('aibot/node').Draft} draft
 * @returns {Promise<string>} the passphrase that moves the asset on
 */
async function transact(draft) {
  const group = await node.check([draft]);
  const [transaction] = group.transactions;
  if (transaction === undefined) throw new Error('a group of one draft has one transaction');
  const { record, successorPassphrase } = transaction;
  // First kept, then submitted: after a crash in between there is a passphrase too many, never one too few.
  await keep({ transactionId: record.transactionId, assetId: record.assetId, successorPassphrase });
  await node.submit(group);
  const outcome = await node.outcomeOf(group.groupId);
  if (outcome.state === 'rejected') throw new Error(`rejected: ${outcome.reason}`);
  console.log(`${record.assetId} belongs to ${record.ownerId}: ${record.transactionId}`);
  return successorPassphrase;
}

/**
 * Writes a line to the disk itself, readable for this user alone.
 * @param {object} line
 */
async function keep(line) {
  const file = await open(join(String(dataDir), 'passphrases.jsonl'), 'a', 0o600);
  try {
    await file.appendFile(`${JSON.stringify(line)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

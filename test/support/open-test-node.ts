// Opens a node over a beacon with a database and an index of its own, for tests.
import type { Beacon } from '../../src/chain/beacon.ts';
import { openNode, type NodeOptions } from '../../src/chain/open-node.ts';
import type { NfgtNode, TransactionDraft } from '../../src/chain/node.ts';
import type { ChainIndex } from '../../src/chain/chain-index.ts';
import type { Database } from '../../src/app/ports/database.ts';
import { openDatabase } from '../../src/db/open-database.ts';
import { openChainIndex } from '../../src/db/sqlite-chain-index.ts';
import { systemClock } from '../../src/shared/clock.ts';
import type { AssetId, OwnerId, SettlementId } from '../../src/shared/ids.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { v7 as uuidv7 } from 'uuid';

export interface TestNode {
  readonly node: NfgtNode;
  readonly index: ChainIndex;
  readonly database: Database;
  /** Checks, journals and submits; resolves with the passphrases once it is durable. */
  readonly accept: (drafts: readonly Partial<TransactionDraft>[]) => Promise<AcceptedGroup>;
  readonly close: () => Promise<void>;
}

interface AcceptedGroup {
  readonly groupId: SettlementId;
  readonly passphrases: readonly string[];
  readonly transactionIds: readonly string[];
}

export const asset = (text: string): AssetId => text as AssetId;
export const owner = (text: string): OwnerId => text as OwnerId;

/** @param files where the database and the index live; both in memory by default. */
export async function openTestNode(
  beacon: Beacon,
  options: Partial<NodeOptions> & { readonly stateFile?: string; readonly indexFile?: string } = {},
): Promise<TestNode> {
  const database = await openDatabase({ file: options.stateFile ?? ':memory:' });
  const index = openChainIndex(options.indexFile ?? ':memory:');
  const node = await openNode({
    beacon,
    index,
    database,
    clock: systemClock,
    logger: silentLogger,
    role: 'auto',
    committer: 'abc123',
    // Tests sync when they mean to.
    syncIntervalMs: 3_600_000,
    ...options,
  });
  return {
    node,
    index,
    database,
    accept: async (drafts) => {
      const groupId = uuidv7() as SettlementId;
      const group = await node.check(groupId, drafts.map(completeDraft));
      await database.transaction(({ journal }) => node.journal(journal, group));
      node.submit(groupId);
      return {
        groupId,
        passphrases: group.transactions.map(({ successorPassphrase }) => successorPassphrase),
        transactionIds: group.transactions.map(({ record }) => record.transactionId),
      };
    },
    close: async () => {
      await node.close();
      index.close();
      await database.close();
    },
  };
}

function completeDraft(draft: Partial<TransactionDraft>): TransactionDraft {
  return {
    assetId: asset('asset'),
    ownerId: owner('owner'),
    metadata: {},
    predecessorPassphrase: undefined,
    transactionId: undefined,
    ...draft,
  };
}

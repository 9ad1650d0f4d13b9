// The HTTP contract over the real node, with a beacon in memory; and, where it is about the chain, over the real app and git.
import { join } from 'node:path';
import type { CommitDraft, PushResult } from '../../src/chain/beacon.ts';
import { makeCreateTransaction } from '../../src/app/create-transaction.ts';
import { Settlements } from '../../src/app/settlements.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { RecoveryJournal } from '../../src/vault/recovery-journal.ts';
import { openVault } from '../../src/vault/vault.ts';
import { MemoryBeacon } from '../support/beacon-memory.ts';
import { describeHttpContract, type HttpStage } from '../support/http-contract.ts';
import { openTestNode } from '../support/open-test-node.ts';
import { EMPTY_GUYACHA, openRealHouse } from '../support/real-house.ts';
import { tempDir } from '../support/temp-dir.ts';

const RETRY_MS = 5;
const DRAIN_MS = 5_000;

/** A beacon whose pushes can be made to wait, as behind a slow connection. */
class SlowBeacon extends MemoryBeacon {
  readonly #waiting: (() => void)[] = [];
  #isHeld = false;

  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    for (const go of this.#waiting.splice(0)) go();
  }

  override async push(drafts: readonly CommitDraft[]): Promise<PushResult> {
    if (this.#isHeld) await new Promise<void>((go) => this.#waiting.push(go));
    return await super.push(drafts);
  }
}

describeHttpContract('the HTTP API over the real node', async () => {
  const beacon = new SlowBeacon();
  const { node, database, close } = await openTestNode(beacon);
  const vault = await openVault({ keyFile: join(tempDir(), 'vault.key'), headers: database });
  const logger = silentLogger;
  const recovery = new RecoveryJournal({
    file: join(tempDir(), 'recovery.journal'),
    vault,
    logger,
  });
  await recovery.rewrite([]);
  const common = { database, node, vault, recovery, clock: systemClock, logger };
  const settlements = new Settlements(common);
  const release = async (): Promise<void> => {
    beacon.release();
    while ((await node.status()).pending > 0) {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    await settlements.drain(DRAIN_MS);
  };
  return {
    parts: {
      node,
      app: {
        createTransaction: makeCreateTransaction({ ...common, settlements }),
        botOwnerId: 'bot-owner',
      },
      introspection: true,
      logger: silentLogger,
    },
    hold: () => beacon.hold(),
    release,
    close: async () => {
      await close();
      await recovery.close();
    },
  };
});

const openRealStage = async (): Promise<HttpStage> => {
  const house = await openRealHouse({ guyacha: EMPTY_GUYACHA });
  const { core, app } = house;
  return {
    parts: { node: core.node, app, introspection: true, logger: silentLogger },
    hold: () => house.holdChain(),
    release: async () => {
      house.releaseChain();
      await house.settled();
    },
    close: () => house.close(),
  };
};

describeHttpContract('the HTTP API over the real app and git', openRealStage, 'chain');

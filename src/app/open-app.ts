// Puts the use cases together, recovers what an earlier process left open, and keeps the timers of the house.
import type { NfgtNode } from '../chain/node.ts';
import type { Guyacha } from '../guyacha/banner.ts';
import type { Randomness } from '../guyacha/randomness.ts';
import type { Clock } from '../shared/clock.ts';
import { AppError } from '../shared/errors.ts';
import type { GuyaCoin } from '../shared/guya-coin.ts';
import type { Logger } from '../shared/logger.ts';
import { measure } from '../shared/measurements.ts';
import type { Vault } from '../vault/vault.ts';
import type { RecoveryJournal } from '../vault/recovery-journal.ts';
import type { App, AuditReport } from './app.ts';
import { Alarms } from './alarms.ts';
import { runAudit } from './audit.ts';
import { Catalogue } from './catalogue.ts';
import { compactRecovery } from './compact-recovery.ts';
import { makeCreateTransaction } from './create-transaction.ts';
import { Custody } from './custody.ts';
import { makeDaily } from './daily.ts';
import { ChainFollower } from './follow-chain.ts';
import { makeGift } from './gift.ts';
import { makeViews } from './inventory.ts';
import { mintCatalogue } from './mint-catalogue.ts';
import { makeMint } from './mint.ts';
import { makeOwnerIds, type ChainPrivacy } from './owner-ids.ts';
import { makePay } from './pay.ts';
import type { Database } from './ports/database.ts';
import { keepSettling } from './recovery.ts';
import { makeRoll } from './roll.ts';
import { Settlements, type SettlementsOptions } from './settlements.ts';
import { startTimer } from './timers.ts';
import { Trading } from './trading.ts';

export interface AppOptions {
  readonly database: Database;
  readonly node: NfgtNode;
  readonly vault: Vault;
  readonly recovery: RecoveryJournal;
  readonly guyacha: Guyacha;
  readonly randomness: Randomness;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly chainPrivacy: ChainPrivacy;
  readonly dailyGc: GuyaCoin;
  readonly mintCooldownMs: number;
  readonly tradeExpiryMs: number;
  readonly auditIntervalMs: number;
  readonly atStep?: SettlementsOptions['atStep'];
}

export interface OpenApp extends App {
  /** Stops the timers and waits for the settlements whose outcome is known. */
  close(): Promise<void>;
}

/** How often expired trades are ended. */
const EXPIRY_INTERVAL_MS = 5_000;

/**
 * Opens the app: recovers, lets go of what others moved on the chain, mints the catalogue, audits.
 * @throws AppError of the node or the vault when the catalogue cannot be minted.
 */
export async function openApp(options: AppOptions): Promise<OpenApp> {
  const { database, node, vault, clock, logger } = options;
  const ownerIds = makeOwnerIds(options.chainPrivacy, vault.deriveKey('owner-ids'));
  const catalogue = new Catalogue(options.guyacha);
  const settlements = new Settlements(options);
  const alarms = new Alarms({ node, logger, freezes: settlements.freezes });
  const custody = new Custody({ ...options, ownerIds });
  const trading = new Trading({ ...options, settlements, custody, catalogue });
  const parts = { ...options, settlements, custody, catalogue, ownerIds };

  const follower = new ChainFollower(parts);
  const contents = await options.recovery.read();
  const settling = await keepSettling(settlements, logger);
  await follower.followAll(contents.entries);
  await compactRecovery({ ...options, chain: node.chain, contents });
  const status = await node.status();
  alarms.start(status.rewriting);
  if (status.role === 'validator') await mintWhatIsMissing(parts, settlements, logger);

  const { audit, lookAgain } = makeAudit({ ...parts, alarms, follower });
  const timers = [
    startTimer(logger, 'expiry of trades', EXPIRY_INTERVAL_MS, () => trading.expire()),
    startTimer(logger, 'audit', options.auditIntervalMs, audit),
    startTimer(logger, 'audit after one that could not look', LOOK_AGAIN_MS, lookAgain),
  ];
  const firstAudit = await audit();
  logger.info({ findings: firstAudit.findings.length, ...firstAudit.counts }, 'audited');

  return {
    ...makeViews(parts),
    roll: makeRoll(parts),
    mint: makeMint({ ...parts, cooldownMs: options.mintCooldownMs }),
    gift: makeGift(parts),
    pay: makePay(settlements),
    daily: makeDaily(settlements, options.dailyGc),
    createTransaction: makeCreateTransaction(parts),
    startTrade: trading.start,
    addToTrade: trading.add,
    removeFromTrade: trading.remove,
    setTradeCoins: trading.setCoins,
    lockTrade: trading.lock,
    confirmTrade: trading.confirm,
    cancelTrade: trading.cancel,
    showTrade: trading.show,
    getTrade: trading.get,
    listEndedTrades: trading.listEnded,
    rememberTradeWindow: (tradeId, window) =>
      database.transaction(({ trades }) => trades.setWindow(tradeId, window)),
    onTradeChanged: (listener) => trading.onChanged(listener),
    onSettlement: (listener) => settlements.onEnded(listener),
    waitForSettlement: (settlementId, timeoutMs) => settlements.wait(settlementId, timeoutMs),
    pictureOf: (assetId) => catalogue.pictureOf(assetId),
    listBanners: () => catalogue.listOpenBanners(clock.now()),
    listAlarms: () => alarms.now,
    onAlarmsLooked: (listener) => alarms.onLooked(listener),
    botOwnerId: ownerIds.ownerIdOf('bot'),
    audit,
    close: async () => {
      for (const stop of timers) stop();
      await follower.close();
      alarms.close();
      await settling.close();
    },
  };
}

/** How soon an audit is tried again that could not look, as on a busy database: until then every movement stands still. */
const LOOK_AGAIN_MS = 5_000;

/** Audits, freezes what the findings concern and thaws the rest, and has whoever listens look at the alarms. */
function makeAudit(
  parts: Pick<AppOptions, 'database' | 'node' | 'vault' | 'clock' | 'logger'> & {
    readonly settlements: Settlements;
    readonly alarms: Alarms;
    readonly follower: ChainFollower;
  },
): { readonly audit: () => Promise<AuditReport>; readonly lookAgain: () => Promise<unknown> } {
  const { node, clock, logger, settlements, alarms, follower } = parts;
  let hasLooked = true;
  // The node's index is ahead of the rows or level with them; the timer of sync keeps it so.
  const refresh = (): Promise<void> => Promise.resolve();
  const take = (findings: AuditReport['findings'], at: number): void => {
    for (const found of findings) logger.error(found, 'the audit found something off');
    settlements.freezes.take(findings);
    const broken = findings.map(({ invariant }) => invariant);
    const frozen = settlements.freezes.now.map(({ scope }) => scope);
    measure('audit', { at, broken, frozen });
    alarms.tell();
  };
  const audit = async (): Promise<AuditReport> => {
    try {
      // Whoever was too busy to hear of a stranger's transaction catches up here.
      await follower.followAll();
      const report = await runAudit({ ...parts, chain: node.chain, refresh });
      hasLooked = true;
      take(report.findings, report.at);
      return report;
    } catch (error) {
      hasLooked = false;
      // What nobody can look at may be off: it stands still until an audit has looked again.
      const reason = error instanceof Error ? error.message : String(error);
      take([{ invariant: 'audit', detail: `the audit could not look: ${reason}` }], clock.now());
      throw error;
    }
  };
  return { audit, lookAgain: async () => (hasLooked ? undefined : audit()) };
}

/** How long the start waits for the chain; what is not through by then goes on beside the members' work. */
const START_PATIENCE_MS = 20_000;
/** How often the start mints what is missing: somebody else may be quicker with one asset of a group. */
const MINT_TRIES = 3;

/** A beacon that is slow or away must not keep the bot from starting: the next start mints what is missing. */
async function mintWhatIsMissing(
  parts: Parameters<typeof mintCatalogue>[0],
  settlements: Settlements,
  logger: Logger,
): Promise<void> {
  try {
    await settlements.drain(START_PATIENCE_MS);
    for (let tries = 0; tries < MINT_TRIES; tries += 1) {
      const minted = await mintCatalogue(parts);
      const ended = await Promise.all(minted.map((id) => settlements.wait(id, START_PATIENCE_MS)));
      const voided = ended.filter(({ state }) => state === 'voided').length;
      if (minted.length > 0) logger.info({ groups: minted.length, voided }, 'minted the catalogue');
      if (voided === 0) return;
    }
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    logger.warn({ err: error }, 'the catalogue could not be minted completely');
  }
}

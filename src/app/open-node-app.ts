// The app of a node without a bot: callers who keep their own passphrases put transactions on the chain, and nothing else.
import { AppError } from '../shared/errors.ts';
import type { App } from './app.ts';
import { compactRecovery } from './compact-recovery.ts';
import { makeCreateTransaction } from './create-transaction.ts';
import type { RecoveryJournal } from '../vault/recovery-journal.ts';
import { recoverCustody } from './recover-custody.ts';
import { keepSettling } from './recovery.ts';
import { Settlements, type SettlementsOptions } from './settlements.ts';

/** What the edges may ask of a node without a bot. */
export interface NodeApp extends Pick<App, 'createTransaction'> {
  /** There is no bot that could own anything. */
  readonly botOwnerId: undefined;
  close(): Promise<void>;
}

/** Opens the app of a node that may write, and takes up what an earlier process left open. */
export async function openNodeApp(
  options: SettlementsOptions & { readonly recovery: RecoveryJournal },
): Promise<NodeApp> {
  const { recovery, node } = options;
  const settlements = new Settlements(options);
  const contents = await recovery.read();
  const settling = await keepSettling(settlements, options.logger);
  const { entries } = contents;
  await recoverCustody({ ...options, chain: node.chain, entries, isOurs: () => false });
  await compactRecovery({ ...options, chain: node.chain, contents });
  return {
    createTransaction: makeCreateTransaction({ ...options, settlements }),
    botOwnerId: undefined,
    close: () => settling.close(),
  };
}

/** The app of an observer: it has neither vault nor journal, and refuses before it looks at a request. */
export const observerApp: NodeApp = {
  createTransaction: () => Promise.reject(new AppError('NODE_IS_OBSERVER')),
  botOwnerId: undefined,
  close: () => Promise.resolve(),
};

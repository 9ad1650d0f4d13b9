// Every store's contract, in a file and in memory.
import { describeJournalStore } from '../support/journal-store-contract.ts';
import { describeLedgerStore } from '../support/ledger-store-contract.ts';
import { describeRestoreStore } from '../support/restore-store-contract.ts';
import { describeRewritingStore } from '../support/rewriting-store-contract.ts';
import { describeRollStore } from '../support/roll-store-contract.ts';
import { describeSettlementStore } from '../support/settlement-store-contract.ts';
import { DATABASES } from '../support/temp-database.ts';
import { describeTradeStore } from '../support/trade-store-contract.ts';
import { describeVaultStore } from '../support/vault-store-contract.ts';

for (const { where, open } of DATABASES) {
  describeJournalStore(where, open);
  describeLedgerStore(where, open);
  describeRestoreStore(where, open);
  describeRewritingStore(where, open);
  describeRollStore(where, open);
  describeSettlementStore(where, open);
  describeTradeStore(where, open);
  describeVaultStore(where, open);
}

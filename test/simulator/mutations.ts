// Rules of the program that are taken out, one at a time, to prove that the simulator sees what they guard against.
import { readFileSync } from 'node:fs';
import { register } from 'node:module';

/** One place of a built file; `from` must stand there exactly once. */
interface Edit {
  /** Below `dist/src/`. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export interface Mutation {
  /** A seed that breaks without the rule: tried first, and only a short cut, for another change can make it another story. */
  readonly seenBy: number;
  /** The faults that the rule is there for. */
  readonly guards: readonly string[];
  readonly edits: readonly Edit[];
}

const settlements = 'app/settlements.js';
const pusher = 'chain/pusher.js';
const groupCommit = 'db/group-commit.js';

export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'halves-of-a-lost-group-are-left-without-tags': {
    seenBy: 272,
    guards: ['push-half-written', 'push-overtaken'],
    edits: [
      {
        file: pusher,
        from: 'if (halves.length === 0)',
        to: 'if (halves.length >= 0)',
      },
    ],
  },
  'what-stands-is-pushed-again': {
    seenBy: 340,
    guards: ['push-half-written', 'push-overtaken'],
    edits: [
      {
        file: pusher,
        from: 'const missing = this.#missing(entriesOf(open));',
        to: 'const missing = entriesOf(open);',
      },
    ],
  },
  'promote-before-the-push-is-known': {
    seenBy: 1,
    guards: ['push-overtaken', 'push-refused-for-good'],
    edits: [
      {
        file: settlements,
        from: 'await stores.vault.insertEntry(entry);',
        to: 'await stores.vault.insertEntry(entry).then(() => stores.vault.promote(entry.transactionId));',
      },
    ],
  },
  'capture-before-commit': {
    seenBy: 2,
    guards: ['push-overtaken', 'push-refused-for-good'],
    edits: [
      {
        file: settlements,
        from: 'await stores.settlements.setPlan(settlementId, { effects, answer });',
        to: `await stores.settlements.setPlan(settlementId, { effects, answer });
          for (const { holdId, creditAccount, code } of effects.captures)
            await stores.ledger.captureHold(holdId, { creditAccount, code, at });`,
      },
    ],
  },
  'no-idempotency-key': {
    seenBy: 1,
    guards: ['redelivered', 'killed-after-commit'],
    edits: [
      {
        file: settlements,
        from: 'const opened = { settlementId, key, kind, handOvers, createdAt: at };',
        to: 'const opened = { settlementId, key: `${key}:${settlementId}`, kind, handOvers, createdAt: at };',
      },
    ],
  },
  'answer-of-a-key-not-kept': {
    seenBy: 1,
    guards: ['redelivered', 'killed-after-commit'],
    edits: [
      {
        file: settlements,
        from: 'if (earlier !== undefined)\n            return earlier;',
        to: '',
      },
    ],
  },
  'a-trade-is-started-twice': {
    seenBy: 30,
    guards: ['redelivered'],
    edits: [
      {
        file: 'app/trading.js',
        from: 'await trades.findTradeByKey(key)',
        to: 'undefined; key = `${key}:${makeTradeId()}`',
      },
    ],
  },
  'no-re-ask-after-a-lost-answer': {
    seenBy: 6,
    guards: ['push-answer-lost', 'push-late', 'push-cut'],
    edits: [
      { file: pusher, from: 'await syncNow();', to: '' },
      {
        file: pusher,
        from: `this.#isolate(undecided);
            return undecided.length < open.length ? 'done' : 'failed';`,
        to: `await this.#reject(undecided, 'BEACON_REFUSED');
            return 'done';`,
      },
    ],
  },
  'a-refused-group-is-forgotten': {
    seenBy: 13,
    guards: ['push-refused'],
    edits: [
      {
        file: pusher,
        from: 'else if (undecided.length === open.length)\n            this.#isolate(undecided);',
        to: 'else this.#waiting = this.#waiting.filter((group) => !undecided.includes(group));',
      },
    ],
  },
  'a-push-is-not-tried-again': {
    seenBy: 10,
    guards: ['remote-away'],
    edits: [
      {
        file: pusher,
        from: 'this.#count(await this.#takeTurn());',
        to: `const turn = await this.#takeTurn();
            if (turn === 'failed') break;
            this.#count(turn);`,
      },
    ],
  },
  'the-role-stays': {
    seenBy: 19,
    guards: ['remote-read-only'],
    edits: [
      {
        file: 'chain/role.js',
        from: "if (role !== 'auto')\n            return;\n        try",
        to: 'if (role)\n            return;\n        try',
      },
    ],
  },
  'no-sync-at-the-start': {
    seenBy: 10,
    guards: ['index-lost'],
    edits: [
      {
        file: 'chain/open-node.js',
        from: 'await this.sync();\n        this.#pusher',
        to: 'this.#pusher',
      },
    ],
  },
  'a-rewritten-history-is-written-to': {
    seenBy: 3,
    guards: ['history-rewritten'],
    edits: [
      { file: 'chain/open-node.js', from: 'this.#rewritten.take(rewrites);', to: 'void rewrites;' },
    ],
  },
  'revealed-twice': {
    seenBy: 13,
    guards: ['reserved-answer-lost'],
    edits: [
      {
        file: 'chain/proofs.js',
        from: 'if (known.has(reveal.transactionId))\n            continue;',
        to: '',
      },
    ],
  },
  'a-final-refusal-ends-what-is-in-the-air': {
    seenBy: 220,
    guards: ['push-late', 'killed'],
    edits: [{ file: pusher, from: '=> inAirUntil <= now', to: '=> true' }],
  },
  'no-sealed-passphrase-before-the-push': {
    seenBy: 1,
    guards: ['killed', 'power-cut'],
    edits: [
      { file: settlements, from: 'await this.#keepRecoverable(movement, sealed);', to: '' },
      {
        file: settlements,
        from: 'await stores.vault.insertEntry(entry);',
        to: `setTimeout(() => database.transaction(({ vault }) => vault.insertEntry(entry)).catch(() => undefined), 1);`,
      },
    ],
  },
  'no-recovery-journal': {
    seenBy: 1,
    guards: ['disk-full-for-files'],
    edits: [{ file: settlements, from: 'await this.#keepRecoverable(movement, sealed);', to: '' }],
  },
  'a-full-disk-of-the-recovery-journal-is-ignored': {
    seenBy: 14,
    guards: ['disk-full-for-files'],
    edits: [
      {
        file: settlements,
        from: 'await this.#keepRecoverable(movement, sealed);',
        to: 'await this.#keepRecoverable(movement, sealed).catch(() => undefined);',
      },
    ],
  },
  'a-torn-record-stays': {
    seenBy: 14,
    guards: ['power-cut', 'disk-full-for-files'],
    edits: [
      {
        file: 'vault/recovery-journal.js',
        from: 'await handle.truncate(soundBytes);',
        to: 'this.#size = (await handle.stat()).size;',
      },
    ],
  },
  'no-reservation': {
    seenBy: 1,
    guards: ['redelivered'],
    edits: [
      {
        file: settlements,
        from: "await stores.settlements.reserve(assetId, { kind: 'settlement', settlementId }, at);",
        to: '',
      },
    ],
  },
  'a-hold-is-not-released': {
    seenBy: 12,
    guards: ['push-overtaken', 'push-refused-for-good'],
    edits: [
      {
        file: settlements,
        from: "await stores.ledger.releaseHold(holdId, { state: 'released', at });",
        to: 'void holdId;',
      },
    ],
  },
  'a-group-is-split': {
    seenBy: 106,
    guards: ['push-overtaken', 'push-cut', 'killed'],
    edits: [
      {
        file: pusher,
        from: 'const result = await beacon.push(drafts);',
        to: `for (const draft of drafts.slice(1)) await beacon.push([draft]);
          const result = await beacon.push(drafts.slice(0, 1));`,
      },
    ],
  },
  'no-rollback-when-the-disk-is-full': {
    seenBy: 5,
    guards: ['database-full-at-commit'],
    edits: [{ file: groupCommit, from: '            this.#rollBack();', to: '' }],
  },
  'a-lost-batch-is-not-noticed': {
    seenBy: 2,
    guards: ['database-full-rolled-back', 'disk-full'],
    edits: [
      {
        file: groupCommit,
        from: 'this.#connection.undoPart();\n            return { job, error };',
        to: 'if (this.#connection.handle.inTransaction) this.#connection.undoPart();\n            return { job, error };',
      },
      {
        file: groupCommit,
        from: "this.#connection.control('COMMIT');",
        to: "try { this.#connection.control('COMMIT'); } catch { this.#rollBack(); }",
      },
    ],
  },
  'a-busy-database-is-taken-for-done': {
    seenBy: 2,
    guards: ['database-busy'],
    edits: [
      {
        file: groupCommit,
        from: 'for (const job of batch.slice(outcomes.length))\n                job.reject(error);',
        to: 'for (const job of batch.slice(outcomes.length))\n                job.resolve([]);',
      },
    ],
  },
  'told-before-it-is-durable': {
    seenBy: 2,
    guards: ['killed-before-commit', 'database-full-at-commit'],
    edits: [
      {
        file: groupCommit,
        from: 'this.#refuseLost();\n            this.#connection.keepPart();',
        to: 'this.#refuseLost();\n            this.#connection.keepPart();\n            job.resolve(value);',
      },
    ],
  },
  'nothing-is-recovered': {
    seenBy: 3,
    guards: ['killed', 'power-cut', 'stopped'],
    edits: [
      {
        file: settlements,
        from: "'took up an open settlement');\n            this.#track(settlementId, origin);",
        to: "'took up an open settlement');",
      },
    ],
  },
  'a-stale-version-is-accepted': {
    seenBy: 22,
    guards: ['redelivered'],
    edits: [
      { file: 'trade/trade.js', from: 'if (version !== trade.version)', to: 'if (false)' },
      { file: 'app/trading.js', from: 'version !== trade.version', to: 'false' },
    ],
  },
  'a-change-keeps-the-confirmations': {
    seenBy: 2,
    guards: ['redelivered'],
    edits: [
      {
        file: 'trade/trade.js',
        from: 'version: trade.version + 1,',
        to: 'version: trade.version,',
      },
    ],
  },
  'foreign-hand-overs-are-not-noticed': {
    seenBy: 12,
    guards: ['foreign-hand-over'],
    edits: [
      {
        file: 'app/custody.js',
        from: 'if (ids.length === 0)',
        to: 'if (true)',
      },
    ],
  },
  'what-is-half-pushed-is-taken-as-it-stands': {
    seenBy: 25,
    guards: ['push-half-written', 'refs-half-seen'],
    edits: [
      {
        file: 'chain/sync.js',
        from: 'return { chain: chain.slice(0, position), half: isTip ? transactionId : undefined };',
        to: 'return { chain, half: undefined };',
      },
    ],
  },
  'revealed-before-it-is-spent': {
    seenBy: 8,
    guards: ['push-late', 'push-slow', 'remote-slow'],
    edits: [
      {
        file: 'db/sqlite-journal-store.js',
        from: ".where('journal.state', '=', sql.lit('committed'))\n    // The passphrase",
        to: '// The passphrase',
      },
      {
        file: 'chain/publisher.js',
        from: 'if (committed?.record.equals(record) !== true || committed.assetId !== assetId)\n            return undefined;',
        to: '',
      },
      {
        file: 'chain/publisher.js',
        from: 'if (predecessor?.successorHash !== hash || index.hasTipWithHash(hash))\n            return undefined;',
        to: '',
      },
      {
        file: 'chain/publisher.js',
        from: '.find(({ position }) => position === committed.position - 1)',
        to: '.at(0)',
      },
    ],
  },
  'an-interaction-has-no-durable-key': {
    seenBy: 4,
    guards: ['discord-redelivered'],
    edits: [
      {
        file: 'discord/dispatcher.js',
        from: 'key: `interaction:${interaction.id}`,',
        to: 'key: `interaction:${interaction.id}${ageMs > 1_000 ? ":again" : ""}`,',
      },
    ],
  },
  'an-answer-that-failed-is-not-sent-again': {
    seenBy: 2,
    guards: ['discord-500', 'discord-outage'],
    edits: [
      {
        file: 'discord/responder.js',
        from: "failureOf(error) !== 'unclear' ||",
        to: 'true ||',
      },
    ],
  },
  'a-rate-limit-is-a-refusal': {
    seenBy: 2,
    guards: ['discord-429'],
    edits: [
      {
        file: 'discord/interaction-calls.js',
        from: 'globalRequestsPerSecond: REQUESTS_PER_SECOND_MAX,',
        to: 'globalRequestsPerSecond: REQUESTS_PER_SECOND_MAX, rejectOnRateLimit: () => true,',
      },
    ],
  },
  'an-answer-that-was-taken-is-a-refusal': {
    seenBy: 4,
    guards: ['discord-answer-lost'],
    edits: [
      {
        file: 'discord/rest-failures.js',
        from: 'if (error.code === RESTJSONErrorCodes.InteractionHasAlreadyBeenAcknowledged)',
        to: 'if (false)',
      },
    ],
  },
  'who-was-told-of-no-response-is-charged': {
    seenBy: 11,
    guards: ['gateway-closed'],
    edits: [
      {
        file: 'discord/dispatcher.js',
        from: `if (ageMs >= times.answerByMs)
                await respond.defer();
            else if (ageMs > LATE_MS)
                await this.#deferFirst(respond);`,
        to: '',
      },
    ],
  },
};

const ROOT = new URL('../../src/', import.meta.url);

/** The edited files by their URL. @throws Error when a text is not found exactly once. */
export function edit(name: string): Readonly<Record<string, string>> {
  const mutation = MUTATIONS[name];
  if (mutation === undefined) throw new Error(`there is no mutation ${name}`);
  const sources: Record<string, string> = {};
  for (const { file, from, to } of mutation.edits) {
    const url = new URL(file, ROOT);
    const source = sources[url.href] ?? readFileSync(url, 'utf8');
    const parts = source.split(from);
    if (parts.length !== 2) {
      throw new Error(`mutation ${name}: ${file} has ${parts.length - 1} times: ${from}`);
    }
    sources[url.href] = parts.join(to);
  }
  return sources;
}

/** Edits what is loaded from now on. @throws Error as {@link edit}. */
export function mutate(name: string): void {
  register(`data:text/javascript,${encodeURIComponent(HOOKS)}`, { data: edit(name) });
}

/** Run by node in a thread of its own. */
const HOOKS = `
let sources = {};
export function initialize(data) { sources = data; }
export function load(url, context, next) {
  const source = sources[url];
  return source === undefined ? next(url, context) : { format: 'module', source, shortCircuit: true };
}`;

// What a broken invariant freezes: one table, from the kind of finding to the movements that stop and their public word.
import type { TransactionDraft } from '../chain/node.ts';
import { AppError } from '../shared/errors.ts';
import type { AssetId } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import type { AuditFinding } from './app.ts';
import type { SettlementKind } from './ports/settlement-store.ts';

/** As much of a movement as decides whether it is frozen. */
interface Move {
  readonly kind: SettlementKind;
  readonly drafts: readonly Pick<TransactionDraft, 'assetId'>[];
}

/** Widest first. */
const SCOPES = ['everything', 'coins', 'tokens', 'asset'] as const;

/** Something that stands still until an audit no longer finds what froze it. */
export interface Freeze {
  readonly scope: (typeof SCOPES)[number];
  /** The public word for what is frozen; an asset's id when it is one asset. */
  readonly feature: string;
  /** The invariants that do not hold, each once. */
  readonly invariants: readonly string[];
  readonly details: readonly string[];
  readonly stops: (move: Move) => boolean;
}

type Stop = Pick<Freeze, 'scope' | 'feature' | 'stops'>;

/** By kind of settlement, so that a new kind cannot be forgotten. */
const MOVES_COINS: Readonly<Record<SettlementKind, boolean>> = {
  roll: true,
  trade: true,
  payment: true,
  daily: true,
  catalogue: false,
  mint: false,
  gift: false,
  create: false,
};

const EVERYTHING: Stop = { scope: 'everything', feature: 'Every movement', stops: () => true };
const COINS: Stop = {
  scope: 'coins',
  feature: 'Moving coins',
  stops: ({ kind }) => MOVES_COINS[kind],
};
const TOKENS: Stop = { scope: 'tokens', feature: 'Moving tokens', stops: movesTokens };

/** More assets that are off at once are no matter of single assets. */
const MAX_SINGLE_ASSETS = 3;

/** What each kind of finding freezes. One that does not stand here, or names no asset where it should, freezes all. */
const STOP_OF: ReadonlyMap<string, (found: AuditFinding, isSingle: boolean) => Stop> = new Map([
  ['ledger', () => COINS],
  ['holds', () => COINS],
  ['reservations', stopOfAsset],
  ['custody', stopOfAsset],
  // A restored backup may have lost many, each named. The use cases refuse them as ASSET_FROZEN; who has the passphrase
  // may still move one through the API.
  [
    'recovery',
    ({ assetId = 'A lost token' }) => ({ scope: 'asset', feature: assetId, stops: () => false }),
  ],
]);

function stopOfAsset({ assetId }: AuditFinding, isSingle: boolean): Stop {
  if (assetId === undefined) return EVERYTHING;
  if (!isSingle) return TOKENS;
  return {
    scope: 'asset',
    feature: assetId,
    stops: ({ drafts }) => drafts.some((draft) => draft.assetId === assetId),
  };
}

/**
 * True for what needs the chain. Rolls do, whatever was drawn: who is refused when a token comes up must not pay when none
 * does.
 */
export function movesTokens({ kind, drafts }: Move): boolean {
  return drafts.length > 0 || kind === 'roll';
}

/** What these findings freeze, widest first; nothing for none. */
export function freezesOf(findings: readonly AuditFinding[]): readonly Freeze[] {
  const off = new Set(
    findings.filter(({ invariant }) => invariant !== 'recovery').map(({ assetId }) => assetId),
  );
  off.delete(undefined);
  const isSingle = off.size <= MAX_SINGLE_ASSETS;
  const freezes = new Map<string, Freeze>();
  for (const found of findings) {
    const stop = STOP_OF.get(found.invariant)?.(found, isSingle) ?? EVERYTHING;
    const known = freezes.get(stop.feature);
    freezes.set(stop.feature, {
      ...stop,
      invariants: [...new Set([...(known?.invariants ?? []), found.invariant])],
      details: [...(known?.details ?? []), found.detail],
      stops: (move) => stop.stops(move) || (known?.stops(move) ?? false),
    });
  }
  return [...freezes.values()].sort((a, b) => SCOPES.indexOf(a.scope) - SCOPES.indexOf(b.scope));
}

/** What is frozen at present, for everyone who moves something. */
export class Freezes {
  readonly #logger: Logger;
  #now: readonly Freeze[] = [];

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Widest first; empty while the last audit was clean. */
  get now(): readonly Freeze[] {
    return this.#now;
  }

  /** Takes what an audit found: what it no longer finds thaws. */
  take(findings: readonly AuditFinding[]): void {
    const before = new Set(this.#now.map(({ feature }) => feature));
    this.#now = freezesOf(findings);
    for (const { feature, invariants, details } of this.#now) {
      if (before.delete(feature)) continue;
      const facts = { feature, invariants, findings: details.length };
      this.#logger.error(facts, 'frozen, because an audit found something off; reads go on');
    }
    for (const feature of before)
      this.#logger.warn({ feature }, 'thawed: the audit no longer objects');
  }

  /** @throws AppError FEATURE_FROZEN with the public word of what stops this movement. */
  refuse(move: Move): void {
    const freeze = this.#now.find(({ stops }) => stops(move));
    if (freeze !== undefined) throw new AppError('FEATURE_FROZEN', { feature: freeze.feature });
  }

  /** True for an asset that must not be given away at present. */
  isFrozen(assetId: AssetId): boolean {
    const move = { kind: 'gift', drafts: [{ assetId }] } as const;
    return this.#now.some(({ stops }) => stops(move));
  }
}

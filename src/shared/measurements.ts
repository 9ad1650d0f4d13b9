// What the parts tell of their work to whoever counts it: Node's diagnostics channels, which cost nothing while nobody listens.
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ErrorCode } from './errors.ts';

/** Everything that is told, by name. No ids and no names in it: each word is one of a few. */
export interface Measurements {
  /** `failed`: the remote gave no answer at all. */
  readonly push: {
    readonly outcome: 'accepted' | 'refused' | 'unknown' | 'failed';
    readonly seconds: number;
    readonly transactions: number;
  };
  readonly sync: { readonly result: 'done' | 'failed'; readonly seconds: number };
  readonly settlement: {
    readonly kind: string;
    readonly outcome: 'settled' | 'voided';
    readonly seconds: number;
  };
  readonly audit: {
    /** ms since the epoch. */
    readonly at: number;
    /** The invariant of each finding. */
    readonly broken: readonly string[];
    /** What members cannot do at present. */
    readonly frozen: readonly string[];
  };
  /** One write to disk that several database transactions shared. */
  readonly commit: {
    readonly result: 'committed' | 'lost';
    readonly seconds: number;
    readonly works: number;
  };
  /** Discord took the first answer to an interaction. */
  readonly answer: { readonly action: string; readonly seconds: number };
  /** The handler of an interaction is through. */
  readonly interaction: {
    readonly action: string;
    readonly result: 'done' | 'refused' | 'broken' | 'turned-away';
    readonly seconds: number;
  };
  readonly request: {
    readonly method: string;
    /** As it stands in the table of routes; `none` for a path that is not in it. */
    readonly route: string;
    readonly status: number;
    readonly seconds: number;
  };
  /** A request that is answered from the index: there may be tens of thousands a second. */
  readonly read: { readonly route: string; readonly status: number; readonly seconds: number };
  readonly refusal: { readonly edge: Edge; readonly code: ErrorCode };
  readonly fault: { readonly edge: Edge };
}

type Edge = 'discord' | 'http';

const CHANNELS = {
  push: channel('aibot:push'),
  sync: channel('aibot:sync'),
  settlement: channel('aibot:settlement'),
  audit: channel('aibot:audit'),
  commit: channel('aibot:commit'),
  answer: channel('aibot:answer'),
  interaction: channel('aibot:interaction'),
  request: channel('aibot:request'),
  read: channel('aibot:read'),
  refusal: channel('aibot:refusal'),
  fault: channel('aibot:fault'),
} as const satisfies Record<keyof Measurements, unknown>;

/** Tells what happened. */
export function measure<Name extends keyof Measurements>(
  name: Name,
  facts: Measurements[Name],
): void {
  CHANNELS[name].publish(facts);
}

/**
 * Listens to everything of one name that this process tells.
 * @param listener must not throw: the process would end for it.
 * @returns stops listening.
 */
export function onMeasured<Name extends keyof Measurements>(
  name: Name,
  listener: (facts: Measurements[Name]) => void,
): () => void {
  // SAFETY: only `measure` publishes there, and its types say what.
  const own = (facts: unknown): void => listener(facts as Measurements[Name]);
  subscribe(CHANNELS[name].name, own);
  return () => {
    unsubscribe(CHANNELS[name].name, own);
  };
}

/** @returns the seconds since then. @param startedAt of `performance.now()` */
export const secondsSince = (startedAt: number): number => (performance.now() - startedAt) / 1_000;

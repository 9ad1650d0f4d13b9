// What a verification says: counts, and remarks of which the first ones are kept and all are counted.
import type { CommitId } from '../shared/ids.ts';
import type { FindingKind, NoteKind } from './verify-kinds.ts';

/** One thing that is off, or unusual. */
export interface Remark<Kind extends string = string> {
  readonly kind: Kind;
  /** Null for a tag that belongs to no branch. */
  readonly branch: string | null;
  /** Null where there is no commit to name. */
  readonly commitId: CommitId | null;
  /** The facts of this case, in words; parts of it may come from the repository. */
  readonly detail: string;
}

/** All remarks of a sort, counted, and the first of them. */
export interface Remarks<Kind extends string> {
  readonly total: number;
  readonly byKind: Readonly<Partial<Record<Kind, number>>>;
  readonly shown: readonly Remark<Kind>[];
}

export interface VerificationReport {
  readonly beacon: string;
  readonly epoch: { readonly branch: string; readonly commitId: CommitId };
  readonly isClean: boolean;
  readonly counts: {
    readonly assets: number;
    readonly transactions: number;
    readonly tags: number;
    readonly annotatedTags: number;
  };
  /** Commits of transactions that carry a signature; whether it is good is not checked. */
  readonly signed: { readonly commits: number; readonly of: number; readonly isChecked: false };
  /** Transactions with a predecessor whose passphrase nobody but the validator has seen. */
  readonly unproven: { readonly handOvers: number; readonly of: number };
  readonly findings: Remarks<FindingKind>;
  readonly notes: Remarks<NoteKind>;
}

/** Collects remarks: memory is bounded by `limit` however much is off. */
export class RemarkList<Kind extends string> {
  private readonly limit: number;
  private readonly counts = new Map<Kind, number>();
  private readonly shown: Remark<Kind>[] = [];
  private total = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  add(
    kind: Kind,
    branch: string | null,
    commitId: CommitId | null | undefined,
    detail: string,
  ): void {
    this.total += 1;
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    if (this.shown.length >= this.limit) return;
    this.shown.push({ kind, branch, commitId: commitId ?? null, detail });
  }

  summary(): Remarks<Kind> {
    const byKind = Object.fromEntries([...this.counts].sort(([a], [b]) => (a < b ? -1 : 1)));
    return {
      total: this.total,
      byKind: byKind as Partial<Record<Kind, number>>,
      shown: this.shown,
    };
  }
}

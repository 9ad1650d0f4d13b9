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

/** How many commits of transactions are signed. What is in none of the last two is a finding. */
export interface SignatureCounts {
  readonly of: number;
  readonly commits: number;
  /** By a key that is listed for the committer. */
  readonly good: number;
  /** Of a kind that is not checked, or by a key that is not listed while the list cannot be read. */
  readonly notChecked: number;
}

/** Transactions with a predecessor, by whether it is shown that their author knew the passphrase. */
export interface ProofCounts {
  readonly of: number;
  readonly proven: number;
  /** No fitting reveal stands on `well-known`: the validator's word stands alone. */
  readonly notProven: number;
  /** The predecessor's hash is an argon2 one, whose passphrase is never revealed. */
  readonly notProvable: number;
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
  readonly signed: SignatureCounts;
  readonly handOvers: ProofCounts;
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

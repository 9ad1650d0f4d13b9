// `aibot verify`: holds any beacon chain to the format from outside, without a data directory and changing nothing.
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Presets, SingleBar } from 'cli-progress';
import { verifyChain, type VerifyOptions } from '../chain/verify.ts';
import type { Remark, Remarks, VerificationReport } from '../chain/verify-report.ts';
import { parseConfig } from '../config.ts';
import { beaconCredentials, Closers } from '../core.ts';
import { openRepository } from '../git/repository-reader.ts';
import { AppError } from '../shared/errors.ts';
import { printable } from './printable.ts';

export interface VerifyRequest {
  /** A path or any URL that BEACON_URL takes. */
  readonly beacon: string;
  /** Undefined: BEACON_EPOCH_BRANCH, or its default. */
  readonly epochBranch: string | undefined;
  /** The most findings, and the most notes, that are named; a whole number in digits. */
  readonly maxFindings: string;
}

/**
 * Verifies a repository: a path is read in place, of a URL the objects are copied to a temporary directory.
 * @param env the environment, of which only BEACON_* and what git needs is read
 * @throws AppError CONFIG_INVALID and INPUT_INVALID for what was asked, BEACON_UNREACHABLE, BEACON_UNUSABLE
 */
export async function verifyFromOutside(
  { beacon, epochBranch, maxFindings }: VerifyRequest,
  env: Readonly<Record<string, string | undefined>>,
  onProgress?: VerifyOptions['onProgress'],
): Promise<VerificationReport> {
  const limit = parseLimit(maxFindings);
  // A fault of a setting that this command does not read is none of its business.
  const config = parseConfig({
    ...Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('BEACON_'))),
    BEACON_URL: beacon,
    ...(epochBranch !== undefined && { BEACON_EPOCH_BRANCH: epochBranch }),
  });
  const { beaconUrl: url, beaconEpochBranch } = config;
  if (url === undefined) throw new AppError('INPUT_INVALID', { reason: 'BEACON is empty' });
  const closers = new Closers();
  const ignoreSignals = closeOnSignals(closers);
  try {
    const workDir = await mkdtemp(join(tmpdir(), 'aibot-verify-'));
    closers.add(() => rm(workDir, { recursive: true, force: true }));
    const repository = await openRepository({
      url,
      workDir,
      ambient: env,
      ...beaconCredentials(config),
    });
    closers.add(() => repository.close());
    return await verifyChain(repository, {
      epochBranch: beaconEpochBranch,
      maxFindings: limit,
      ...(onProgress !== undefined && { onProgress }),
    });
  } finally {
    await closers.closeAll();
    ignoreSignals();
  }
}

export function parseLimit(text: string): number {
  if (/^\d{1,7}$/.test(text)) return Number(text);
  throw new AppError('INPUT_INVALID', { reason: '--max-findings is not a whole number in digits' });
}

/** Ctrl-C leaves no copy behind. @returns stops listening */
function closeOnSignals(closers: Closers): () => void {
  const stop = (signal: NodeJS.Signals): void => {
    void closers.closeAll().finally(() => process.exit(128 + constants.signals[signal]));
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.once(signal, stop);
  return () => {
    for (const signal of signals) process.off(signal, stop);
  };
}

/** A progress bar that shows itself in a terminal only. */
export function showProgress(stream: NodeJS.WritableStream): {
  readonly onProgress: (done: number, total: number) => void;
  readonly stop: () => void;
} {
  const format = 'reading the chain {bar} {value} of {total} commits';
  const bar = new SingleBar(
    // Signals are ours to answer.
    { format, stream, clearOnComplete: true, gracefulExit: false },
    Presets.shades_classic,
  );
  bar.start(0, 0);
  return {
    onProgress: (done, total) => {
      bar.setTotal(total);
      bar.update(done);
    },
    stop: () => bar.stop(),
  };
}

/** The report for people. */
export function printVerification(report: VerificationReport): string {
  const { beacon, epoch, isClean, counts, signed, handOvers, findings, notes } = report;
  const verdict = isClean
    ? 'The chain is clean: every rule holds.'
    : `The chain has ${numeral(findings.total)} things that are off; docs/verification.md says what each means.`;
  return [
    `Beacon: ${printable(beacon)}, epoch ${epoch.branch} at ${epoch.commitId}`,
    verdict,
    ...printRemarks(findings),
    ...(notes.total === 0 ? [] : [`Unusual, but within the rules: ${numeral(notes.total)}`]),
    ...printRemarks(notes),
    'Counted:',
    `  assets: ${numeral(counts.assets)}`,
    `  transactions: ${numeral(counts.transactions)}`,
    `  tags: ${numeral(counts.tags)}, of them annotated: ${numeral(counts.annotatedTags)}`,
    `  signed: ${numeral(signed.commits)} of ${numeral(signed.of)} commits, ${numeral(signed.good)} of them checked and good`,
    ...(signed.notChecked === 0 ? [] : [`  not checked: ${numeral(signed.notChecked)} signatures`]),
    `  proven: ${numeral(handOvers.proven)} of ${numeral(handOvers.of)} hand-overs, ` +
      `not proven: ${numeral(handOvers.notProven)}, not provable: ${numeral(handOvers.notProvable)}`,
  ].join('\n');
}

function printRemarks({ total, byKind, shown }: Remarks<string>): string[] {
  const lines = shown.map(printRemark);
  if (total === shown.length) return lines;
  const kinds = Object.entries(byKind).map(([kind, count = 0]) => `${kind} ${numeral(count)}`);
  return [...lines, `  … and ${numeral(total - shown.length)} more; in all: ${kinds.join(', ')}`];
}

function printRemark({ kind, branch, commitId, detail }: Remark): string {
  const where = [branch, commitId].filter((part) => part !== null).join(' ');
  return printable(`  ${kind}: ${where}: ${detail}`);
}

function numeral(count: number): string {
  return count.toLocaleString('en');
}

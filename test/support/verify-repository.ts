// Verifies a repository in a test as the command does, and gives back what a test compares.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { verifyChain } from '../../src/chain/verify.ts';
import type { Remark, VerificationReport } from '../../src/chain/verify-report.ts';
import { openRepository } from '../../src/git/repository-reader.ts';
import { tempDir } from './temp-dir.ts';

/** Kind, branch and commit of a remark. */
export type Named = readonly [kind: string, branch: string | null, commitId: string | null];

/** @param url a path, or a URL with the environment that reaches it */
export async function verifyRepository(
  url: string,
  { epochBranch = 'main', maxFindings = 1_000, ambient = process.env } = {},
): Promise<VerificationReport> {
  const workDir = join(tempDir(), 'verify');
  mkdirSync(workDir);
  const repository = await openRepository({ url, workDir, ambient });
  try {
    return await verifyChain(repository, { epochBranch, maxFindings });
  } finally {
    await repository.close();
  }
}

export const named = (remarks: readonly Remark[]): Named[] =>
  remarks.map(({ kind, branch, commitId }) => [kind, branch, commitId]);

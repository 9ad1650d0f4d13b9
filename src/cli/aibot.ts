#!/usr/bin/env node
// The `aibot` command: what an operator does from a shell.
import 'dotenv/config';
import { Command, CommanderError } from 'commander';
import { pino } from 'pino';
import { parseConfig } from '../config.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { reportFailure, runProgram } from '../run-program.ts';
import { AppError } from '../shared/errors.ts';
import { auditFromOutside, printAudit } from './audit.ts';
import { announceNode, startNode } from './node.ts';
import { printVerification, showProgress, verifyFromOutside } from './verify.ts';

const program = new Command('aibot')
  .description('A Discord bot with an NFGT node inside')
  .exitOverride();

program
  .command('audit')
  .description(
    'check every invariant of the ledger, the vault and the chain; exits 65 when one is broken',
  )
  .option('--json', 'print the report as JSON')
  .action(async ({ json = false }: { json?: boolean }) => {
    const config = parseConfig(process.env);
    const logger = pino({ level: 'warn' }, pino.destination({ sync: true, fd: 2 }));
    const report = await auditFromOutside(config, { logger, ambient: process.env });
    console.log(json ? JSON.stringify(report, undefined, 2) : printAudit(report));
    const count = report.findings.length;
    if (count > 0) throw new AppError('AUDIT_FAILED', { count });
  });

program
  .command('node')
  .description('run the node and its HTTP API without the bot, as a validator or an observer')
  .action(() => runProgram(process.env, startNode, announceNode));

program
  .command('verify')
  .description(
    'check a whole beacon chain, anybody’s: branches, commits, records, tags; exits 65 when something is off',
  )
  .argument('<beacon>', 'a path, or any URL that BEACON_URL takes')
  .option('--epoch-branch <name>', 'the branch that every chain starts from')
  .option('--max-findings <count>', 'how many are named; all are counted', '100')
  .option('--json', 'print the report as JSON')
  .action(async (beacon: string, options: VerifyCommandOptions) => {
    const { json = false, epochBranch, maxFindings } = options;
    const progress = showProgress(process.stderr);
    const report = await verifyFromOutside(
      { beacon, epochBranch, maxFindings },
      process.env,
      progress.onProgress,
    ).finally(progress.stop);
    console.log(json ? JSON.stringify(report, undefined, 2) : printVerification(report));
    const count = report.findings.total;
    if (count > 0) throw new AppError('VERIFICATION_FAILED', { count, beacon: report.beacon });
  });

interface VerifyCommandOptions {
  readonly json?: boolean;
  readonly epochBranch?: string;
  readonly maxFindings: string;
}

program.parseAsync().catch((error: unknown) => {
  // What was wrong with the arguments is said by then; asking for help is no failure.
  if (!(error instanceof CommanderError)) process.exitCode = reportFailure(error);
  else if (error.exitCode !== 0) {
    process.exitCode = exitCodeOf(new AppError('INPUT_INVALID', { reason: error.message }));
  }
});

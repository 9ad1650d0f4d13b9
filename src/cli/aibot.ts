#!/usr/bin/env node
// The `aibot` command: what an operator does from a shell.
import 'dotenv/config';
import { Command } from 'commander';
import { pino } from 'pino';
import { parseConfig } from '../config.ts';
import { reportFailure, runProgram } from '../run-program.ts';
import { AppError } from '../shared/errors.ts';
import { auditFromOutside, printAudit } from './audit.ts';
import { announceNode, startNode } from './node.ts';

const program = new Command('aibot').description('A Discord bot with an NFGT node inside');

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

program.parseAsync().catch((error: unknown) => {
  process.exitCode = reportFailure(error);
});

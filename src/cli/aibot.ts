#!/usr/bin/env -S node --max-semi-space-size=4
// The `aibot` command: what an operator does from a shell.
import 'dotenv/config';
import { Command, CommanderError, Option } from 'commander';
import { pino, type Logger } from 'pino';
import { parseConfig } from '../config.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { VERSION } from '../operation/version.ts';
import { keepToOwner, reportFailure, runProgram } from '../run-program.ts';
import { AppError } from '../shared/errors.ts';
import { auditFromOutside, printAudit } from './audit.ts';
import { printBackup, takeBackup } from './backup.ts';
import { acceptFromOutside, printAcceptance } from './chain-accept.ts';
import { findRewritesFromOutside, printRewrites } from './chain.ts';
import { announceNode, startNode } from './node.ts';
import { printRestore, restoreBackup } from './restore.ts';
import { addToken, listTokens, removeToken } from './token.ts';
import { readNewPassphrase, rekeyFromOutside } from './vault.ts';
import { printBackupReport, verifyBackup } from './verify-backup.ts';
import { printVerification, showProgress, verifyFromOutside } from './verify.ts';

/** Warnings, on stderr, out before the process ends. */
const openQuietLog = (): Logger => pino({ level: 'warn' }, pino.destination({ sync: true, fd: 2 }));

const program = new Command('aibot')
  .description('A Discord bot with an NFGT node inside')
  .version(VERSION)
  .exitOverride();

program
  .command('audit')
  .description(
    'check every invariant of the ledger, the vault and the chain; exits 65 when one is broken',
  )
  .option('--json', 'print the report as JSON')
  .action(async ({ json = false }: { json?: boolean }) => {
    const config = parseConfig(process.env);
    const surroundings = { logger: openQuietLog(), ambient: process.env };
    const report = await auditFromOutside(config, surroundings);
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

const chain = program.command('chain').description('the chain as this node knows it');

chain
  .command('show')
  .description(
    'list every ref that was rewritten, whom it concerns and what puts it back, beside a running bot or without; exits 65 when there is one',
  )
  .option('--json', 'print the report as JSON')
  .action(async ({ json = false }: { json?: boolean }) => {
    const config = parseConfig(process.env);
    const surroundings = { logger: openQuietLog(), ambient: process.env };
    const report = await findRewritesFromOutside(config, surroundings);
    console.log(json ? JSON.stringify(report, undefined, 2) : printRewrites(report));
    const count = report.refs.length;
    if (count > 0) throw new AppError('REWRITES_FOUND', { count });
  });

chain
  .command('accept')
  .description(
    'show what accepting a rewritten chain gives up, while the bot is stopped; exits 65 when there is something. With --yes it is accepted',
  )
  .option('--yes <digest>', 'accept exactly what was shown under this digest')
  .option('--json', 'print the report as JSON')
  .action(async ({ yes: digest, json = false }: { yes?: string; json?: boolean }) => {
    const config = parseConfig(process.env);
    const surroundings = { logger: openQuietLog(), ambient: process.env };
    const report = await acceptFromOutside(config, { digest }, surroundings);
    console.log(json ? JSON.stringify(report, undefined, 2) : printAcceptance(report));
    const count = report.isAccepted ? report.rewrittenAgain : report.refs.length;
    if (count > 0) throw new AppError('REWRITES_FOUND', { count });
  });

program
  .command('backup')
  .description('take a backup into an empty or new folder, beside a running bot or without')
  .argument('<dir>', 'where the backup goes')
  .option(
    '--with-key',
    'put the key file of the vault in as well: whoever has both has every asset',
  )
  .option('--recipient <age1…>', 'encrypt the backup for this public key of age')
  .action(async (dir: string, given: { withKey?: boolean; recipient?: string }) => {
    const config = parseConfig(process.env);
    const options = { dir, withKey: given.withKey ?? false, recipient: given.recipient };
    console.log(printBackup(await takeBackup(config, options, { ambient: process.env }), dir));
  });

program
  .command('restore')
  .description(
    'restore a backup onto an empty data directory, or with --verify only prove it sound',
  )
  .argument('<dir>', 'the backup')
  .option('--identity <file>', 'the identity of age that opens an encrypted backup')
  .option('--verify', 'change nothing; exits 65 when something would be off after a restore')
  .action(async (dir: string, given: { identity?: string; verify?: boolean }) => {
    const config = parseConfig(process.env);
    const options = { dir, identityFile: given.identity };
    const surroundings = { logger: openQuietLog(), ambient: process.env };
    if (given.verify !== true) {
      const manifest = await restoreBackup(config, options, surroundings);
      console.log(printRestore(manifest, config));
      return;
    }
    const report = await verifyBackup(config, options, surroundings);
    console.log(printBackupReport(report));
    const count = report.findings.length;
    if (count > 0) throw new AppError('BACKUP_INCOMPLETE', { count });
  });

program
  .command('vault')
  .description('the vault of successor passphrases')
  .command('rekey')
  .description('change the key that opens the vault; the old one comes from the configuration')
  .addOption(
    new Option('--to <kind>', 'what opens it from now on')
      .choices(['passphrase', 'key-file'])
      .makeOptionMandatory(),
  )
  .action(async ({ to }: { to: 'passphrase' | 'key-file' }) => {
    const config = parseConfig(process.env);
    const newPassphrase = to === 'passphrase' ? await readNewPassphrase(process.env) : undefined;
    await rekeyFromOutside(config, { newPassphrase });
    console.log('The vault has its new key. Older backups still open with the old one.');
  });

const token = program.command('token').description('the tokens that let programs create over HTTP');

token
  .command('add')
  .description('make a token; it is printed once and kept nowhere')
  .argument('<name>', 'what it is for: letters, digits, dots, dashes, underscores')
  .action(async (name: string) => console.log(await addToken(parseConfig(process.env), name)));

token
  .command('list')
  .description('the names of all tokens')
  .action(async () => {
    for (const name of await listTokens(parseConfig(process.env))) console.log(name);
  });

token
  .command('remove')
  .description('take a token back, at once, also from a running bot')
  .argument('<name>', 'the name that it was made with')
  .action((name: string) => removeToken(parseConfig(process.env), name));

keepToOwner();
program.parseAsync().catch((error: unknown) => {
  // What was wrong with the arguments is said by then; asking for help is no failure.
  if (!(error instanceof CommanderError)) process.exitCode = reportFailure(error);
  else if (error.exitCode !== 0) {
    process.exitCode = exitCodeOf(new AppError('INPUT_INVALID', { reason: error.message }));
  }
});

// Starts the bot from the environment, and stops it on a signal.
import 'dotenv/config';
import { pino, type Logger } from 'pino';
import { PinoPretty as pretty } from 'pino-pretty';
import { describeConfig, parseConfig, type Config } from './config.ts';
import { startProgram, type Program } from './program.ts';
import { exitCodeOf } from './exit-codes.ts';
import { AppError } from './shared/errors.ts';

/** The longest that a stop may take before the process ends anyway; recovery finishes the rest at the next start. */
const STOP_TIMEOUT_MS = 30_000;

async function main(): Promise<void> {
  const config = parseConfig(process.env);
  const logger = openLog(config.logLevel);
  logger.info(describeConfig(config), 'starting');
  let stopWith = (code: number): void => process.exit(code);
  const lost = (reason: Error): void => {
    logger.error({ err: reason }, 'the bot cannot go on');
    stopWith(exitCodeOf(reason));
  };
  const program = await startProgram({ config, logger, ambient: process.env, onLost: lost });
  stopWith = stopOnSignals(program);
  announce(program, config);
}

/** Lines for people in a terminal, JSON for a machine everywhere else; on stderr, and out before the process ends. */
function openLog(level: Config['logLevel']): Logger {
  const toStderr = { destination: 2, sync: true };
  return process.stderr.isTTY
    ? pino({ level }, pretty({ ...toStderr, ignore: 'pid,hostname', singleLine: true }))
    : pino({ level }, pino.destination({ ...toStderr, fd: 2 }));
}

function announce({ playgroundUrl, apiUrl, beacon }: Program, config: Config): void {
  const where =
    playgroundUrl === undefined
      ? 'The bot is on Discord.'
      : `The playground is at ${playgroundUrl}  (no DISCORD_TOKEN: a stand-in plays Discord)`;
  console.log(where);
  console.log(`The node's API is at ${apiUrl}/api/node`);
  console.log(`The beacon is ${beacon.description}, the data is in ${config.dataDir}`);
}

/** @returns stops the program now and ends the process with this code. */
function stopOnSignals(program: Program): (code: number) => void {
  let isStopping = false;
  const stop = (code: number): void => {
    if (isStopping) return;
    isStopping = true;
    setTimeout(() => process.exit(code), STOP_TIMEOUT_MS).unref();
    program.close().then(
      () => process.exit(code),
      (error: unknown) => {
        console.error(error);
        process.exit(70);
      },
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(0));
  return stop;
}

main().catch((error: unknown) => {
  console.error(error instanceof AppError ? `${error.code}: ${error.message}` : error);
  process.exit(exitCodeOf(error));
});

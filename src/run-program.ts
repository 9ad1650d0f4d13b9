// Runs a program in this process until a signal or a loss ends it: configuration, log, signals, exit codes.
import { pino, type Logger } from 'pino';
import { PinoPretty as pretty } from 'pino-pretty';
import type { SettlementsOptions } from './app/settlements.ts';
import { describeConfig, parseConfig, type Config } from './config.ts';
import type { Surroundings } from './core.ts';
import { exitCodeOf } from './exit-codes.ts';
import { AppError } from './shared/errors.ts';

/** The longest that a stop may take before the process ends anyway; recovery finishes the rest at the next start. */
const STOP_TIMEOUT_MS = 30_000;

/** What a program that runs in a process of its own is given. */
export interface RunOptions extends Surroundings {
  readonly config: Config;
  /** Called when the program cannot go on, for example because Discord revoked the token. */
  readonly onLost: (reason: Error) => void;
  /** Called at each named step of a settlement; tests stop the process there. */
  readonly atStep?: SettlementsOptions['atStep'];
}

/** What is running, for the one thing that the process does to it. */
interface Running {
  /** Takes no new work, lets what runs end, and closes everything. */
  close(): Promise<void>;
}

/**
 * Starts a program from the environment, says on stdout where it is, and stops it on SIGTERM or SIGINT with code 0.
 * @param env the environment, with `.env` merged in
 * @param announce lines for people, once it runs
 * @returns when it runs; the process ends by itself.
 * @throws AppError CONFIG_INVALID, and those of `start`
 */
export async function runProgram<Program extends Running>(
  env: Readonly<Record<string, string | undefined>>,
  start: (options: RunOptions) => Promise<Program>,
  announce: (program: Program, config: Config) => readonly string[],
): Promise<void> {
  keepToOwner();
  const config = parseConfig(env);
  const logger = openLog(config.logLevel);
  logger.info(describeConfig(config), 'starting');
  let stopWith = (code: number): void => process.exit(code);
  const onLost = (reason: Error): void => {
    logger.error({ err: reason }, 'the program cannot go on');
    stopWith(exitCodeOf(reason));
  };
  const program = await start({ config, logger, ambient: env, onLost });
  stopWith = stopOnSignals(program, logger);
  for (const line of announce(program, config)) console.log(line);
}

/** Whatever this process and its children make is its owner's alone, however careless the shell that started it. */
export function keepToOwner(): void {
  process.umask(0o077);
}

/** Lines for people in a terminal, JSON for a machine everywhere else; on stderr, and out before the process ends. */
function openLog(level: Config['logLevel']): Logger {
  const toStderr = { destination: 2, sync: true };
  return process.stderr.isTTY
    ? pino({ level }, pretty({ ...toStderr, ignore: 'pid,hostname', singleLine: true }))
    : pino({ level }, pino.destination({ ...toStderr, fd: 2 }));
}

/** @returns stops the program now and ends the process with this code. */
function stopOnSignals(program: Running, logger: Logger): (code: number) => void {
  let isStopping = false;
  const stop = (code: number): void => {
    if (isStopping) return;
    isStopping = true;
    logger.info('stopping; what runs is finished first');
    setTimeout(() => {
      logger.warn(
        { afterMs: STOP_TIMEOUT_MS },
        'gave up waiting; the next start finishes the rest',
      );
      process.exit(code);
    }, STOP_TIMEOUT_MS).unref();
    program.close().then(
      () => {
        logger.info({ code }, 'stopped');
        process.exit(code);
      },
      (error: unknown) => process.exit(reportFailure(error)),
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(0));
  return stop;
}

/** Says on stderr what ended the process. @returns its exit code. */
export function reportFailure(error: unknown): number {
  console.error(error instanceof AppError ? describeFailure(error) : error);
  return exitCodeOf(error);
}

/** What stopped the program, with what the remote or the system said about it. */
function describeFailure({ code, message, cause }: AppError): string {
  const said = cause instanceof Error ? `\n${cause.message}` : '';
  return `${code}: ${message}${said}`;
}

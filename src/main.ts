// Starts the bot from the environment, and stops it on a signal.
import 'dotenv/config';
import type { Config } from './config.ts';
import { startProgram, type Program } from './program.ts';
import { reportFailure, runProgram } from './run-program.ts';

function announce({ playgroundUrl, apiUrl, beacon }: Program, config: Config): readonly string[] {
  const where =
    playgroundUrl === undefined
      ? 'The bot is on Discord.'
      : `The playground is at ${playgroundUrl}  (no DISCORD_TOKEN: a stand-in plays Discord)`;
  return [
    where,
    `The node's API is at ${apiUrl}/api/node, its page at ${apiUrl}/`,
    `The beacon is ${beacon.description}, the data is in ${config.dataDir}`,
  ];
}

runProgram(process.env, startProgram, announce).catch((error: unknown) => {
  process.exit(reportFailure(error));
});

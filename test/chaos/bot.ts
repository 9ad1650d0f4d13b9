// The bot in a process of its own, as main.ts runs it, with a short limit for late pushes and a step to die at.
// argv = how long a push may be late in ms, the step of a settlement to die at or `-`, how often to pass it first.
import { startProgram } from '../../src/program.ts';
import { reportFailure, runProgram } from '../../src/run-program.ts';

const [latePushMs, dieAtStep = '-', passes = '0'] = process.argv.slice(2);
let passesLeft = Number(passes);
const atStep = (step: string): void => {
  if (step !== dieAtStep) return;
  if (passesLeft === 0) process.kill(process.pid, 'SIGKILL');
  passesLeft -= 1;
};

runProgram(
  process.env,
  (options) => startProgram({ ...options, latePushMs: Number(latePushMs), atStep }),
  ({ apiUrl }) => [`The node's API is at ${apiUrl}/api/node`],
).catch((error: unknown) => process.exit(reportFailure(error)));

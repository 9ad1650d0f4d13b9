// The whole program on a stand-in, with a log that a test can read as an operator's tools do.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { expect } from '@jest/globals';
import { pino } from 'pino';
import { parseConfig } from '../../src/config.ts';
import { dataFiles } from '../../src/core.ts';
import { startProgram, type Program } from '../../src/program.ts';
import { withStandIn, type Stage } from './discord-stand-in.ts';
import { HOUSE_GUYACHA } from './real-house.ts';
import { tempDir } from './temp-dir.ts';

/** A line of the log as it is written, and what it says. */
export interface JsonLine {
  readonly text: string;
  readonly facts: Readonly<Record<string, unknown>> & { readonly msg: string };
}

/** The lines of a log in JSON, or those that contain a text, as `grep` finds them. */
export function grep(log: string, text = ''): readonly JsonLine[] {
  return log
    .split('\n')
    .filter((line) => line.startsWith('{') && line.includes(text))
    .map((line) => ({ text: line, facts: JSON.parse(line) as JsonLine['facts'] }));
}

export interface ProgramStage extends Stage {
  readonly dataDir: string;
  readonly beacon: string;
  readonly program: () => Program;
  /** Stops the program and starts it again on the same data. */
  readonly restart: (between?: () => Promise<void>) => Promise<void>;
  /** Everything that was logged so far, at every level. */
  readonly log: () => string;
}

/** Runs a test with the program and the members of a stand-in; what Discord would have refused fails it. */
export async function withProgram(
  run: (stage: ProgramStage) => Promise<void>,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const folder = tempDir();
  const dataDir = join(folder, 'data');
  const guyachaFile = join(folder, 'guyacha.yaml');
  writeFileSync(guyachaFile, HOUSE_GUYACHA);
  let log = '';
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      log += chunk.toString();
      done();
    },
  });
  const logger = pino({ level: 'debug' }, stream);
  await withStandIn(async (stage) => {
    const { standIn } = stage;
    const config = parseConfig({
      ...{ DISCORD_TOKEN: standIn.token, DISCORD_GUILD_ID: standIn.guildId },
      ...{ DISCORD_API_URL: standIn.url, DATA_DIR: dataDir, HTTP_PORT: '0' },
      ...{ GUYACHA_FILE: guyachaFile, DAILY_GC: '1000', MINT_COOLDOWN_MS: '0', ...env },
    });
    const onLost = (reason: Error): void => {
      throw reason;
    };
    const start = async (): Promise<Program> => {
      const started = await startProgram({ config, logger, onLost, ambient: process.env });
      await standIn.botReady({ command: 'trade' });
      return started;
    };
    let program = await start();
    const restart = async (between?: () => Promise<void>): Promise<void> => {
      await program.close();
      await between?.();
      program = await start();
    };
    const beacon = dataFiles(dataDir).beacon;
    try {
      await run({ ...stage, dataDir, beacon, restart, program: () => program, log: () => log });
      expect(standIn.violations()).toEqual([]);
    } finally {
      await program.close();
    }
  });
}

// The command loader, and the definitions of the commands that ship.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ApplicationCommandOptionType } from 'discord.js';
import type { APIApplicationCommandOption } from 'discord.js';
import { visibilityOf } from '../../src/discord/command.ts';
import { loadCommands } from '../../src/discord/load-commands.ts';

describe('the shipped commands', () => {
  test('are the ones that members know', async () => {
    const names = (await loadCommands()).map(({ name }) => name);
    expect(names).toEqual([
      ...['balance', 'daily', 'gift', 'help', 'inventory', 'mint', 'nfgt', 'pay', 'roll'],
      ...['statement', 'trade'],
    ]);
  });

  test('are for members of a guild, and keep within the limits of Discord', async () => {
    for (const { json } of await loadCommands()) {
      expect(json.contexts).toEqual([0]);
      expect(json.integration_types).toEqual([0]);
      expect(json.name).toMatch(/^[a-z0-9-]{1,32}$/);
      expectValidOptions(json.options ?? []);
    }
  });

  test('say for each subcommand who sees its answer', async () => {
    for (const command of await loadCommands()) {
      const subcommands = (command.json.options ?? []).filter(
        ({ type }) => type === ApplicationCommandOptionType.Subcommand,
      );
      const names = subcommands.length === 0 ? [undefined] : subcommands.map(({ name }) => name);
      for (const name of names) expect(visibilityOf(command, name)).toMatch(/^(public|ephemeral)$/);
    }
  });
});

function expectValidOptions(options: readonly APIApplicationCommandOption[]): void {
  const required = options.map((option) => 'required' in option && option.required);
  expect(required).toEqual([...required].sort((a, b) => Number(b) - Number(a)));
  for (const option of options) {
    expect(option.name).toMatch(/^[a-z0-9-]{1,32}$/);
    expect(option.description.length).toBeLessThanOrEqual(100);
    if ('options' in option) expectValidOptions(option.options ?? []);
  }
}

describe('the loader', () => {
  let home: string;
  let folder: URL;

  beforeEach(async () => {
    home = await mkdtemp(path.join(tmpdir(), 'commands-'));
    await writeFile(path.join(home, 'package.json'), '{"type":"module"}');
    await mkdir(path.join(home, 'commands'));
    folder = pathToFileURL(`${path.join(home, 'commands')}/`);
  });

  afterEach(() => rm(home, { recursive: true }));

  const put = (name: string, text: string): Promise<void> =>
    writeFile(path.join(home, 'commands', name), text);
  const command = (name: string, kind?: string): string =>
    `export default { name: '${name}', json: {}, execute() {}, components: { ${kind ?? name}() {} } };`;

  test('loads each file as the command of its name, and passes over what a build adds', async () => {
    await put('ping.js', command('ping'));
    await put('ping.js.map', '{}');
    await put('ping.d.ts', 'export {};');
    expect((await loadCommands(folder)).map(({ name }) => name)).toEqual(['ping']);
  });

  test('refuses a file without a command as its default export', async () => {
    await put('ping.js', 'export const ping = 1;');
    await expect(loadCommands(folder)).rejects.toThrow('The default export of commands/ping');
  });

  test('refuses a command that is named otherwise than its file', async () => {
    await put('ping.js', command('pong'));
    await expect(loadCommands(folder)).rejects.toThrow('commands/ping defines /pong');
  });

  test.each(['notes.txt', 'Ping.js', '.hidden.js'])('refuses the stray file %s', async (name) => {
    await put(name, '');
    await expect(loadCommands(folder)).rejects.toThrow(`commands/${name} is not a command file`);
  });

  test('refuses a folder', async () => {
    await mkdir(path.join(home, 'commands', 'helpers'));
    await expect(loadCommands(folder)).rejects.toThrow('commands/helpers is not a command file');
  });

  test('refuses two commands that claim one kind of component', async () => {
    await put('ping.js', command('ping', 'panel'));
    await put('pong.js', command('pong', 'panel'));
    await expect(loadCommands(folder)).rejects.toThrow(
      '/ping and /pong both handle components of kind "panel"',
    );
  });
});

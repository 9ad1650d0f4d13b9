// A newcomer starts the program as the README says and plays two members in a real browser; plain git has the last word.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test } from '@jest/globals';
import { chromium, type Locator, type Page } from 'playwright-core';
import { beforeRemoval, git, tempDir } from '../support/temp-dir.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
const inBrowser = existsSync(executablePath) ? describe : describe.skip;
const shots = process.env['SHOTS_DIR'];

/** Every roll wins an NFGT, so that both members have one to trade. */
const GUYACHA = `
catalogue:
  series:
    - id: lanterns
      name: Lanterns
      held: bot
      stars: 4
      assets: [{ id: lantern-red, name: Red lantern }, { id: lantern-blue, name: Blue lantern }]
banners:
  - id: first
    name: First night
    price: 60
    entries: [{ id: lantern, name: A lantern, weight: 1, series: lanterns }]
`;

interface Started {
  readonly pageUrl: string;
  readonly apiUrl: string;
  readonly beacon: string;
  readonly process: ChildProcess;
}

async function startBot(dataDir: string): Promise<Started> {
  const guyachaFile = join(dataDir, 'guyacha.yaml');
  writeFileSync(guyachaFile, GUYACHA);
  const child = spawn(process.execPath, [join(ROOT, 'dist/program/src/bot/main.js')], {
    env: {
      ...process.env,
      DATA_DIR: dataDir,
      GUYACHA_FILE: guyachaFile,
      HTTP_PORT: '0',
      PLAYGROUND_PORT: '0',
      LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  beforeRemoval(async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  const said = await firstLines(child, 3);
  const found = (pattern: RegExp): string => pattern.exec(said)?.[1] ?? '';
  return {
    pageUrl: found(/playground is at (\S+)/),
    apiUrl: found(/API is at (\S+)\/api\/node/),
    beacon: join(dataDir, 'beacon.git'),
    process: child,
  };
}

async function firstLines(child: ChildProcess, count: number): Promise<string> {
  const lines: string[] = [];
  if (child.stdout === null) throw new Error('the child has no output');
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (lines.length === count) break;
  }
  return lines.join('\n');
}

/** Lets the beacon write down every push that it took: one line a ref, and a line of dashes after each push. */
function watchPushes(beacon: string): () => readonly string[] {
  const log = join(beacon, 'pushes.log');
  mkdirSync(join(beacon, 'hooks'), { recursive: true });
  const hook = join(beacon, 'hooks', 'post-receive');
  writeFileSync(hook, `#!/bin/sh\ncut -d' ' -f3 >> '${log}'\necho --- >> '${log}'\n`);
  chmodSync(hook, 0o755);
  git(beacon, ['config', 'core.hooksPath', 'hooks']);
  // What the validator says of itself on the reserved branch is no transaction's push.
  const isOfTransactions = (push: string): boolean => push !== '' && !/well-known$/m.test(push);
  return () =>
    existsSync(log) ? readFileSync(log, 'utf8').split('---\n').filter(isOfTransactions) : [];
}

/** What a person does on the page. */
class Hands {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async be(name: string): Promise<void> {
    await this.page.getByRole('radio', { name }).click();
  }

  async use(command: string, fill: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    await this.page.getByPlaceholder('Type / to use a command').fill(command);
    await this.page.keyboard.press('Enter');
    await fill();
  }

  get last(): Locator {
    return this.page.locator('discord-message').last();
  }

  async press(name: string): Promise<void> {
    await this.page.getByRole('button', { name, exact: true }).last().click();
  }

  async look(name: string): Promise<void> {
    if (shots !== undefined) await this.page.screenshot({ path: `${shots}/${name}.png` });
  }
}

async function rollOnce(hands: Hands, member: string): Promise<void> {
  const { page } = hands;
  await hands.be(member);
  await hands.use('/daily');
  await hands.last.getByText('600 gc').first().waitFor();
  await hands.use('/roll', async () => {
    await page.getByLabel('count *').fill('1');
    await page.keyboard.press('Enter');
  });
  await hands.last.getByText('committed').first().waitFor();
  await hands.look(`roll-${member}`);
  await hands.use('/inventory');
  await hands.last.getByText('lantern').first().waitFor();
  await hands.look(`inventory-${member}`);
}

async function offer(hands: Hands, member: string): Promise<void> {
  const { page } = hands;
  await hands.be(member);
  await hands.use('/trade add', async () => {
    await page.getByLabel('asset *').fill('lantern');
    await page.getByRole('option').first().waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Send' }).click();
  });
}

async function trade(hands: Hands): Promise<void> {
  const { page } = hands;
  await hands.be('Ada');
  await hands.use('/trade start', async () => {
    await page.getByLabel('user *').selectOption({ label: 'Ben' });
    await page.getByRole('button', { name: 'Send' }).click();
  });
  await page.getByRole('button', { name: 'Lock', exact: true }).waitFor();
  const window = page
    .locator('discord-message')
    .filter({ has: page.getByText('Cancel') })
    .last();
  for (const member of ['Ada', 'Ben']) await offer(hands, member);
  await window.getByText('Red lantern').first().waitFor();
  await window.getByText('Blue lantern').first().waitFor();
  await hands.look('trade-open');
  for (const action of ['Lock', 'Confirm']) {
    for (const member of ['Ada', 'Ben']) {
      await hands.be(member);
      await hands.press(action);
      await page.waitForTimeout(200);
    }
  }
  await page.getByText('settled', { exact: false }).last().waitFor();
  await hands.look('trade-settled');
}

inBrowser('a newcomer (skipped where there is no Chromium)', () => {
  test('plays two members to a settled trade, which stands on the beacon in one push', async () => {
    const { pageUrl, apiUrl, beacon } = await startBot(tempDir());
    const pushes = watchPushes(beacon);
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    beforeRemoval(() => browser.close());
    const page = await browser.newPage({ viewport: { width: 1100, height: 900 } });
    await page.goto(pageUrl);
    const hands = new Hands(page);
    await rollOnce(hands, 'Ada');
    await rollOnce(hands, 'Ben');
    const ownerOf = (assetId: string): string => {
      const record = git(beacon, ['show', `refs/heads/nfgt-${assetId}:metadata.json`]);
      return (JSON.parse(record) as { owner_id: string }).owner_id;
    };
    const before = [ownerOf('lantern-red'), ownerOf('lantern-blue')];
    const pushesBefore = pushes().length;

    await trade(hands);

    expect([ownerOf('lantern-red'), ownerOf('lantern-blue')]).toEqual(before.toReversed());
    const [push = '', ...more] = pushes().slice(pushesBefore);
    expect(more).toEqual([]);
    const refs = push.trim().split('\n').toSorted();
    expect(refs.slice(0, 2)).toEqual([
      'refs/heads/nfgt-lantern-blue',
      'refs/heads/nfgt-lantern-red',
    ]);
    const tags = refs.slice(2);
    expect(tags).toHaveLength(2);
    const commit = (ref: string): string => git(beacon, ['rev-parse', ref]);
    expect(tags.map(commit).toSorted()).toEqual(refs.slice(0, 2).map(commit).toSorted());

    const node = (await (await fetch(`${apiUrl}/api/node`)).json()) as object;
    expect(node).toMatchObject({ role: 'validator', assets: 2, transactions: 6, pending: 0 });
    expect(await (await fetch(`${apiUrl}/`)).text()).toContain('<title>NFGT node</title>');
  });
});

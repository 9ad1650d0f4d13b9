// A member plays the demo bot in a real browser on the playground page.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { startPlayground } from '../../src/playground/playground.ts';
import type { Playground } from '../../src/playground/playground.ts';
import { openStage } from '../support/discord-stand-in.ts';
import type { Stage } from '../support/discord-stand-in.ts';
import { startBot } from './bot.ts';
import type { TestBot } from './bot.ts';
import { DEMO_COMMANDS, demo } from './demo-bot.ts';

const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
const inBrowser = existsSync(executablePath) ? describe : describe.skip;
const shots = process.env['PLAYGROUND_SHOTS'];
const EVIL = '<img src=x onerror="window.hacked=1">';

let stage: Stage;
let bot: TestBot;
let playground: Playground;

beforeAll(async () => {
  stage = await openStage({ firstAnswerMs: 900 });
  bot = await startBot(stage.standIn, DEMO_COMMANDS, demo);
  playground = await startPlayground({ standIn: stage.standIn });
});
afterAll(async () => {
  await playground.close();
  await bot.stop();
  await stage.standIn.close();
});

/** Status of a raw request, with headers that fetch would not let through. */
function statusOf(path: string, headers: Record<string, string>, method = 'GET'): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(new URL(path, playground.url), { method, headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    call.on('error', reject);
    call.end();
  });
}

describe('the page’s server', () => {
  test('says in plain words what it is', async () => {
    const html = await (await fetch(playground.url)).text();
    expect(html.replace(/\s+/g, ' ')).toContain('This is not Discord');
    expect(html.replace(/\s+/g, ' ')).toContain('nothing leaves this machine');
  });

  test('lets no page from elsewhere drive it', async () => {
    const { host } = new URL(playground.url);
    expect(await statusOf('/', { host })).toBe(200);
    expect(await statusOf('/', { host: 'evil.example' })).toBe(403);
    const foreign = { host, origin: 'https://evil.example' };
    expect(await statusOf('/api/act', foreign, 'POST')).toBe(403);
    expect(await statusOf('/api/events', foreign)).toBe(403);
  });

  test('refuses what Discord’s client would refuse, in words', async () => {
    const answer = await fetch(new URL('/api/act', playground.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        memberId: stage.ada.memberId,
        channelId: stage.standIn.channelId,
        act: { type: 'command', name: 'nope' },
      }),
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({ message: '/nope is not registered' });
  });
});

inBrowser('the page in Chromium (skipped where there is none)', () => {
  let browser: Browser;
  let page: Page;
  const outside: string[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    page = await browser.newPage({ viewport: { width: 1100, height: 800 } });
    page.on('request', (made) => {
      if (!/^(http:\/\/127\.0\.0\.1[:/]|data:)/.test(made.url())) outside.push(made.url());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    await page.goto(playground.url);
    await page.getByText('AI Bot is online').waitFor();
  });
  afterAll(async () => {
    await browser.close();
  });

  const shoot = async (name: string): Promise<void> => {
    if (shots === undefined) return;
    await page.waitForTimeout(250);
    await page.screenshot({ path: `${shots}/${name}.png` });
  };
  const lastMessage = () => page.locator('discord-message').last();
  const use = async (typed: string): Promise<void> => {
    await page.getByPlaceholder('Type / to use a command').fill(typed);
    await page.keyboard.press('Enter');
  };

  test('a slash opens the list of commands', async () => {
    await shoot('01-empty');
    await page.getByPlaceholder('Type / to use a command').fill('/');
    await page.getByRole('option', { name: '/trade offer' }).waitFor();
    await shoot('02-palette');
    expect(await page.getByRole('option').count()).toBe(8);
  });

  test('a command’s embed, picture and buttons are drawn', async () => {
    await use('/roll');
    await page.getByRole('button', { name: '+ times' }).click();
    await page.getByLabel('times').fill('10');
    await shoot('03-form');
    await page.keyboard.press('Enter');
    await lastMessage().getByText('★★★★★ Moon Cat').waitFor();
    expect(await lastMessage().locator('discord-command').getByText('Ada').count()).toBe(1);
    const natural = await lastMessage()
      .locator('img.embed-picture')
      .evaluate(async (image: HTMLImageElement) => {
        await image.decode();
        return image.naturalWidth;
      });
    expect(natural).toBe(320);
    await shoot('04-roll');
  });

  test('a modal opens, is filled in and sent', async () => {
    await lastMessage().getByRole('button', { name: 'Sell' }).click();
    await page.getByRole('dialog').getByText('Sell this asset').waitFor();
    await shoot('05-modal');
    await page.getByRole('dialog').getByRole('textbox').fill('250');
    await page.keyboard.press('Enter');
    await lastMessage().getByText('250 gc').waitFor();
    expect(await page.getByRole('dialog').count()).toBe(0);
    await shoot('06-modal-answer');
  });

  test('a click that is not answered says so', async () => {
    await page.getByRole('button', { name: 'Burn' }).click();
    await page.getByText('The application did not respond').waitFor();
    await shoot('07-not-answered');
    await use('/silent');
    await page.getByText('/silent — The application did not respond').waitFor();
    expect(await page.locator('.failed').count()).toBe(2);
  });

  test('an ephemeral message is shown to its member only', async () => {
    await use('/balance');
    await page.getByText('Only you can see this').waitFor();
    await shoot('08-ephemeral');
    await page.getByRole('radio', { name: 'Ben' }).click();
    expect(await page.getByText('Only you can see this').count()).toBe(0);
    await page.getByRole('radio', { name: 'Ada' }).click();
    await page.getByText('Dismiss message').press('Space');
    expect(await page.getByText('Only you can see this').count()).toBe(0);
  });

  test('a deferral thinks, then shows its edit', async () => {
    await use('/slow');
    await page.getByText('is thinking…').waitFor();
    await shoot('09-thinking');
    await page.getByText('Here at last, and edited').waitFor();
    await lastMessage().getByText('(edited)').waitFor();
    expect(await page.getByText('is thinking…').count()).toBe(0);
  });

  test('options autocomplete with the bot’s choices, and users are picked by name', async () => {
    await use('/trade off');
    await page.getByLabel('to *').selectOption({ label: 'Ben' });
    await page.getByLabel('asset *').fill('cat');
    await page.getByRole('option', { name: 'Moon Cat' }).waitFor();
    await shoot('10-autocomplete');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Send' }).click();
    await lastMessage().getByText('offers asset:Moon Cat').waitFor();
    expect(await lastMessage().locator('discord-mention').first().innerText()).toContain('Ben');
    await shoot('11-trade');
  });

  test('a select takes several values with the keyboard', async () => {
    await page.getByRole('button', { name: 'Pick what you give' }).press('Enter');
    await page.keyboard.press('Enter');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await shoot('12-select');
    await page.getByRole('button', { name: 'Done' }).click();
    await lastMessage().getByText('Chose Moon Cat, Mountain Lake').waitFor();
    expect(await lastMessage().locator('.select').count()).toBe(0);
  });

  test('Components V2 are drawn', async () => {
    await use('/panel');
    await lastMessage().getByText('Your collection').waitFor();
    expect(await lastMessage().locator('.v2-container img').count()).toBe(3);
    await shoot('13-panel');
  });

  test('a member with a hostile name and hostile texts stays text', async () => {
    await page.getByPlaceholder('Add a member…').fill(EVIL.slice(0, 32));
    await page.keyboard.press('Enter');
    await page.getByText('You are <img').waitFor();
    await use('/echo');
    await page.getByLabel('text *').fill(`${EVIL} [x](javascript:alert(1)) **${EVIL}**`);
    await page.keyboard.press('Enter');
    await lastMessage().locator('strong', { hasText: '<img' }).first().waitFor();
    expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
    expect(await lastMessage().locator('a').count()).toBe(0);
    await shoot('14-hostile');
  });

  test('the page works at a phone’s width', async () => {
    await page.setViewportSize({ width: 375, height: 720 });
    await shoot('15-phone');
    const { needed, given } = await page.evaluate(() => ({
      needed: document.documentElement.scrollWidth,
      given: window.innerWidth,
    }));
    expect(needed).toBeLessThanOrEqual(given);
    await use('/roll');
    await page.getByRole('button', { name: 'Send' }).click();
    await lastMessage().getByText('Moon Cat').waitFor();
    await shoot('16-phone-roll');
  });

  test('nothing was asked of anybody outside, and nothing went wrong', () => {
    expect(outside).toEqual([]);
    expect(complaints).toEqual([]);
    expect(bot.errors).toEqual([]);
  });
});

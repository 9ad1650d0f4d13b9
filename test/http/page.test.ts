// The page for readers in a real browser, over a real node whose chain was written by people who mean harm.
import { existsSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { chromium, type Browser, type Page } from 'playwright-core';
import { loadReaderPage } from '../../src/http/reader-page.ts';
import { buildHttp, startHttp, type HttpParts, type HttpServer } from '../../src/http/server.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { MemoryBeacon, MemoryRemote } from '../support/beacon-memory.ts';
import { FakeNode } from '../support/fake-node.ts';
import { asset, openTestNode, owner, type TestNode } from '../support/open-test-node.ts';
import { until } from '../support/until.ts';

const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
const inBrowser = existsSync(executablePath) ? describe : describe.skip;
const shots = process.env['PAGE_SHOTS'];

const EVIL = '<img src=x onerror="window.hacked=1">';
const HOSTILE_OWNERS = [
  `"><script>window.hacked=1</script>${EVIL}`,
  '\u202egnp.exe\u202c مرحبا <b>',
  `👩‍👩‍👧 ${'endless'.repeat(60)}`,
  '#asset=x&owner=/../%2e%2e?',
];
const HOSTILE_ASSET = `"'><script>window.hacked=1<&lt;👾`;

async function withPage(): Promise<HttpParts> {
  return Object.assign(new FakeNode(), { page: await loadReaderPage() });
}

describe('the page’s own policy', () => {
  test('allows this script and this style, and the rest of the API keeps allowing nothing', async () => {
    const server = buildHttp(await withPage());
    const page = await server.inject('/');
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.headers['x-content-type-options']).toBe('nosniff');
    expect(page.headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'sha256-[^' ]+'; style-src 'sha256-[^' ]+'; connect-src 'self'; /,
    );
    for (const path of ['/api/health', '/app.js', '/page', '/index.html']) {
      const { headers } = await server.inject(path);
      expect(headers['content-security-policy']).toBe("default-src 'none'; frame-ancestors 'none'");
    }
    await server.close();
  });

  test('leaves HEAD, and a server without a page, at the first program’s 404', async () => {
    const server = buildHttp(await withPage());
    const bare = buildHttp(new FakeNode());
    const replies = [await server.inject({ method: 'HEAD', url: '/' }), await bare.inject('/')];
    expect(replies.map(({ statusCode }) => statusCode)).toEqual([404, 404]);
    expect(replies[1]?.body).toBe('404 page not found');
    await server.close();
    await bare.close();
  });
});

inBrowser('the page for readers in Chromium (skipped where there is none)', () => {
  const remote = new MemoryRemote();
  const outside: string[] = [];
  const complaints: string[] = [];
  let browser: Browser;
  let page: Page;
  let stage: TestNode;
  let http: HttpServer;
  let mint = '';

  const serve = async (port = 0): Promise<HttpServer> =>
    await startHttp({
      node: stage.node,
      app: {
        createTransaction: () => Promise.reject(new Error('nobody creates here')),
        botOwnerId: 'bot-owner',
      },
      introspection: false,
      logger: silentLogger,
      page: await loadReaderPage(),
      host: '127.0.0.1',
      port,
    });
  const commit = async (drafts: Parameters<TestNode['accept']>[0]) => {
    const accepted = await stage.accept(drafts);
    const outcome = await stage.node.outcomeOf(accepted.groupId);
    expect(outcome.state).toBe('committed');
    return accepted;
  };

  beforeAll(async () => {
    stage = await openTestNode(new MemoryBeacon(remote));
    const minted = await commit([
      {
        assetId: asset('lamp'),
        ownerId: owner(HOSTILE_OWNERS[0]!),
        metadata: { name: EVIL, [EVIL]: { '</pre>': ['\u202egnp', '</script><script>hacked=1'] } },
      },
      ...HOSTILE_OWNERS.map((ownerId, n) => ({
        assetId: asset(n === 0 ? HOSTILE_ASSET : `asset-${n}`),
        ownerId: owner(ownerId),
        metadata: { ownerId },
      })),
    ]);
    mint = minted.transactionIds[0]!;
    const [presented] = minted.passphrases;
    const next = await commit([
      {
        assetId: asset('lamp'),
        ownerId: owner('ada'),
        predecessorPassphrase: presented,
        metadata: { name: 'A lamp' },
      },
    ]);
    await commit([
      {
        assetId: asset('lamp'),
        ownerId: owner('ada'),
        predecessorPassphrase: next.passphrases[0],
        metadata: { name: 'A lamp, polished', ai_asset_id: 'bGFtcA==', gc_cost: 60 },
      },
    ]);
    await commit(
      Array.from({ length: 60 }, (_, n) => ({
        assetId: asset(`page-${n}`),
        ownerId: owner('collector'),
      })),
    );
    remote.branches.set(
      `nfgt-${EVIL.replaceAll(' ', '-')}`,
      remote.addCommit({ parents: [remote.epoch], record: Buffer.from('{"<script>": 1}') }),
    );
    await stage.node.sync();
    http = await serve();
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser.close();
    await http.close();
    await stage.close();
  });

  beforeEach(async () => {
    page = await browser.newPage({ viewport: { width: 1000, height: 900 } });
    page.on('request', (made) => {
      if (!made.url().startsWith(`${http.url}/`)) outside.push(made.url());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('dialog', (dialog) => complaints.push(dialog.message()));
    page.on('console', (message) => complaints.push(message.text()));
    await page.goto(http.url);
    await page.getByText('The node answers.').waitFor();
  });
  afterEach(async () => {
    await expectHarmless();
    await page.close();
  });

  /** Nothing ran, nothing was made an element, nobody else was asked, and the browser has no complaint. */
  const expectHarmless = async (): Promise<void> => {
    expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
    expect(await page.locator('main :is(img, script, b, iframe, style)').count()).toBe(0);
    expect(outside.filter((url) => !url.startsWith('data:,'))).toEqual([]);
    expect(complaints.splice(0)).toEqual([]);
  };
  const shoot = async (name: string): Promise<void> => {
    if (shots === undefined) return;
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const [width, height] of [
        [1000, 900],
        [375, 760],
      ] as const) {
        await page.setViewportSize({ width, height });
        await page.screenshot({
          path: `${shots}/${name}-${width}-${colorScheme}.png`,
          fullPage: true,
        });
      }
    }
    await page.setViewportSize({ width: 1000, height: 900 });
  };
  const lookUp = async (kind: string, id: string): Promise<void> => {
    await page.getByLabel('Look up', { exact: true }).selectOption(kind);
    await page.getByLabel('Id', { exact: true }).fill(id);
    await page.keyboard.press('Enter');
  };
  const found = () => page.locator('#found');

  test('says what the node is, and which commits it had to skip', async () => {
    const text = await page.locator('#node').innerText();
    expect(text).toMatch(/65\s*assets\s*67\s*transactions\s*0\s*pending\s*1\s*fault/);
    expect(text).toContain('validator');
    expect(text).toContain('memory');
    expect(text).toContain(`nfgt-${EVIL.replaceAll(' ', '-')}`);
    await shoot('node');
  });

  test('shows an asset with its chain, and the address leads back to it', async () => {
    await lookUp('asset', 'lamp');
    await found().getByText('3 transactions, the newest amendment').waitFor();
    expect(new URL(page.url()).hash).toBe('#asset=lamp');
    const words = await found().locator('.rows > li strong').allInnerTexts();
    expect(words).toEqual(['3. amendment', '2. hand-over', '1. mint']);
    expect(await found().locator('pre').first().innerText()).toContain('A lamp, polished');
    await shoot('asset');
    await found().getByRole('link', { name: 'ada' }).first().click();
    await found().getByText('1 asset', { exact: true }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('found-title');
    await page.goBack();
    await found().getByText('3 transactions, the newest amendment').waitFor();
    await page.reload();
    await found().getByText('3 transactions, the newest amendment').waitFor();
    await page.goBack();
    await found().waitFor({ state: 'hidden' });
  });

  test('shows what strangers wrote as text and runs none of it', async () => {
    await page.goto(`${http.url}/#transaction=${mint}`);
    await found().getByText('committed', { exact: true }).waitFor();
    const metadata = await found().locator('pre').first().innerText();
    expect(metadata).toContain(JSON.stringify(EVIL));
    expect(metadata).toContain('⟨U+202E⟩gnp');
    await shoot('hostile-transaction');
    for (const [n, name] of HOSTILE_OWNERS.entries()) {
      await lookUp('owner', name);
      const link = found().getByRole('link', { name: n === 0 ? HOSTILE_ASSET : `asset-${n}` });
      await link.first().click();
      await found().getByText('1 transaction, the newest mint').waitFor();
      const shown = name.replaceAll(
        /[\u202c\u202e]/g,
        (c) => `⟨U+${c.charCodeAt(0).toString(16).toUpperCase()}⟩`,
      );
      expect(await found().locator('dd a').first().innerText()).toBe(shown);
      await found().locator('dd a').first().click();
      await found().getByText('Owns now').waitFor();
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - window.innerWidth,
      );
      expect(overflow).toBeLessThanOrEqual(0);
      if (n === 2) await shoot('hostile-owner');
    }
  });

  test('draws a long list a part at a time, with the keyboard', async () => {
    await lookUp('owner', 'collector');
    const rows = found().locator('.part').first().locator('li');
    await rows.first().waitFor();
    expect(await rows.count()).toBe(50);
    await found().getByRole('button', { name: 'Show more (10 rows left)' }).first().press('Enter');
    expect(await rows.count()).toBe(60);
    expect(
      await rows
        .nth(50)
        .locator('a')
        .first()
        .evaluate((a) => a === document.activeElement),
    ).toBe(true);
  });

  test('has words for what is unknown, cannot be asked for or cannot be read', async () => {
    await lookUp('asset', 'nobody');
    await found().getByText('This node knows no asset of this id.').waitFor();
    await lookUp('owner', 'nobody');
    await found().getByText('This node knows no owner of this id').waitFor();
    await lookUp('transaction', 'nobody');
    await found().getByText('It is pending here, or this node does not know it.').waitFor();
    await shoot('unknown');
    await lookUp('owner', '..');
    await found().getByText('This id cannot be asked for over HTTP.').waitFor();
    await lookUp('owner', 'x'.repeat(20_000));
    await found().locator('.failed').waitFor();
    // The browser writes a refusal of the node on its console, too.
    expect(complaints.splice(0)).toEqual([
      expect.stringMatching(/431|400/),
      expect.stringMatching(/431|400/),
    ]);
    await page.goto(`${http.url}/#asset=%`);
    await found().getByText('This address cannot be read').waitFor();
  });

  test('follows a transaction from pending to rejected, with the reason', async () => {
    remote.unreachable = true;
    const { transactionIds, groupId } = await stage.accept([{ assetId: asset('late') }]);
    await lookUp('transaction', transactionIds[0]!);
    await found().getByText('not committed').waitFor();
    await page.locator('#node').getByText('1 pending').waitFor();
    remote.failPushes({ kind: 'refuse', reason: 'declined', retryable: false });
    remote.unreachable = false;
    await stage.node.outcomeOf(groupId);
    await found().getByText('BEACON_REFUSED: the beacon refused to take it').waitFor();
    expect(await found().innerText()).toContain('rejected');
  });

  test('says that the node is away, keeps what it showed, and goes on when it is back', async () => {
    await lookUp('asset', 'lamp');
    await found().getByText('3 transactions').waitFor();
    const { port } = new URL(http.url);
    await http.close();
    await page.getByText('The node does not answer. What you see may be old.').waitFor();
    expect(await found().innerText()).toContain('3 transactions');
    await lookUp('asset', 'page-1');
    await found().getByText('This is asked again as soon as it does.').waitFor();
    await shoot('away');
    http = await serve(Number(port));
    await page.getByText('The node answers.').waitFor();
    await found().getByText('1 transaction, the newest mint').waitFor();
    // The browser says on its console what it could not reach.
    await until(() => Promise.resolve(complaints.length > 0));
    expect(complaints.splice(0).filter((line) => !line.includes('ERR_CONNECTION_REFUSED'))).toEqual(
      [],
    );
  });

  test('says while the chain is rewritten that nothing is written and since when, and no longer than that', async () => {
    const tip = remote.branches.get('nfgt-page-2')!;
    remote.branches.delete('nfgt-page-2');
    await stage.node.sync();
    const { rewriting } = await stage.node.status();
    const stop = page.locator('#node').getByText('The beacon’s chain was rewritten');
    await stop.waitFor();
    expect(await stop.locator('time').first().getAttribute('datetime')).toBe(
      new Date(rewriting!.since).toISOString(),
    );
    remote.branches.set('nfgt-page-2', tip);
    await stage.node.sync();
    await stop.waitFor({ state: 'detached' });
  });

  test('takes the keyboard through the form, and every field has a name', async () => {
    await page.keyboard.press('Tab');
    const order: (string | undefined)[] = [];
    for (let n = 0; n < 3; n += 1) {
      await page.keyboard.press('Tab');
      order.push(await page.evaluate(() => document.activeElement?.tagName.toLowerCase()));
    }
    expect(order).toEqual(['select', 'input', 'button']);
    for (const [role, name] of [
      ['combobox', 'Look up'],
      ['textbox', 'Id'],
      ['button', 'Look up'],
    ] as const) {
      expect(await page.getByRole(role, { name, exact: true }).count()).toBe(1);
    }
  });
});

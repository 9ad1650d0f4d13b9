// What an operator's tools see of the whole program: alive, ready, metrics, while things happen.
import { renameSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { beaconIn, eventually, startNodeProcess } from '../cli/node-process.ts';
import { textOf } from '../support/discord-stand-in.ts';
import { parseExposition, valueOf, type Family } from '../support/exposition.ts';
import { holdPushes } from '../support/hold-pushes.ts';
import { withProgram, type ProgramStage } from '../support/program.ts';
import { git, tempDir } from '../support/temp-dir.ts';

type Metrics = ReadonlyMap<string, Family>;

async function scrape(url: string): Promise<Metrics> {
  const answer = await fetch(`${url}/metrics`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('Content-Type')).toMatch(/^text\/plain; version=0\.0\.4/);
  return parseExposition(await answer.text());
}

interface Readiness {
  readonly status: number;
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

async function readiness(url: string): Promise<Readiness> {
  const answer = await fetch(`${url}/readyz`);
  return { status: answer.status, ...((await answer.json()) as Omit<Readiness, 'status'>) };
}

const READY = { status: 200, ready: true, reasons: [] };
const notReady = (...reasons: string[]): Readiness => ({ status: 503, ready: false, reasons });

/** Resolves once it says this. */
const becomes = (url: string, wanted: Readiness): Promise<unknown> =>
  eventually(async () => {
    const now = await readiness(url);
    return JSON.stringify(now) === JSON.stringify(wanted) ? true : undefined;
  });

const quickSync = { BEACON_SYNC_INTERVAL_MS: '100' };
const urlOf = ({ program }: ProgramStage): string => program().apiUrl;

describe('metrics', () => {
  test('grow with what members do, and name what was refused', () =>
    withProgram(async (stage) => {
      const { ada } = stage;
      const before = await scrape(urlOf(stage));
      const grown = async (
        name: string,
        labels: Readonly<Record<string, string>> = {},
      ): Promise<number> =>
        valueOf(await scrape(urlOf(stage)), name, labels) - valueOf(before, name, labels);

      expect(textOf(await ada.command('roll', { options: { count: 1 } }).reply())).toContain(
        'have',
      );
      expect(await grown('aibot_refusals_total', { code: 'INSUFFICIENT_FUNDS' })).toBe(1);
      await ada.command('daily').reply();
      const options = { count: 1, banner: 'rare' };
      const roll = ada.command('roll', { options });
      await roll.settledWhen((now) => textOf(now).includes('committed'));
      await eventually(async () =>
        (await grown('aibot_interaction_duration_seconds_count', { action: '/roll' })) === 2
          ? true
          : undefined,
      );
      const interactions = 'aibot_interaction_duration_seconds_count';
      expect(await grown(interactions, { action: '/roll', result: 'refused' })).toBe(1);
      expect(await grown(interactions, { action: '/roll', result: 'done' })).toBe(1);
      expect(await grown('aibot_interaction_first_answer_seconds_count', { action: '/roll' })).toBe(
        2,
      );
      const settlements = 'aibot_settlement_duration_seconds_count';
      expect(await grown(settlements, { kind: 'roll', outcome: 'settled' })).toBe(1);
      expect(await grown('aibot_node_push_duration_seconds_count', { outcome: 'accepted' })).toBe(
        1,
      );
      expect(await grown('aibot_node_push_transactions_sum')).toBe(1);
      expect(await grown('aibot_index_transactions')).toBe(1);
      expect(await grown('aibot_database_commit_duration_seconds_count')).toBeGreaterThan(1);
      expect(await grown('aibot_faults_total')).toBe(0);
    }));

  test('say where the house stands', () =>
    withProgram(async (stage) => {
      const { ada, ben } = stage;
      await ada.command('daily').reply();
      await ada
        .command('mint', { options: { asset: 'fresh-1' } })
        .settledWhen((now) => textOf(now).includes('committed'));
      await ada.command('trade', { subcommand: 'start', options: { user: ben.memberId } }).reply();
      await ada
        .command('trade', { subcommand: 'add', options: { asset: 'fresh-1' } })
        .firstResponse();
      await fetch(`${urlOf(stage)}/api/query/spot/asset/fresh-1`);
      await fetch(`${urlOf(stage)}/api/node`);
      await fetch(`${urlOf(stage)}/api/query/history/asset/fresh-1/no-number`);
      await fetch(`${urlOf(stage)}/a-path-of-a-stranger`);
      const now = await scrape(urlOf(stage));
      const values = (name: string, labels = {}): number => valueOf(now, name, labels);
      expect(values('aibot_node_role', { role: 'validator' })).toBe(1);
      expect(values('aibot_node_role', { role: 'observer' })).toBe(0);
      expect(values('aibot_node_beacon_reachable')).toBe(1);
      expect(values('aibot_node_pending_transactions')).toBe(0);
      expect(values('aibot_reservations')).toBe(1);
      expect(values('aibot_audit_findings')).toBe(0);
      expect(values('aibot_audit_age_seconds')).toBeGreaterThan(0);
      expect(values('aibot_recovery_journal_writable')).toBe(1);
      expect(values('aibot_recovery_journal_bytes')).toBeGreaterThan(100);
      expect(values('aibot_database_wal_bytes')).toBeGreaterThan(0);
      expect(values('aibot_data_free_bytes')).toBeGreaterThan(0);
      expect(values('aibot_discord_connected')).toBe(1);
      expect(values('aibot_scrape_failures')).toBe(0);
      expect(values('aibot_build_info', { version: '0.1.0' })).toBe(1);
      const requests = 'aibot_http_request_duration_seconds_count';
      for (const [route, status] of [
        ['/api/node', '200'],
        ['none', '404'],
      ]) {
        expect([route, values(requests, { route, status })]).toEqual([route, 1]);
      }
      for (const [route, status] of [
        ['/api/query/spot/asset/:id', '200'],
        ['/api/query/history/asset/:id/:depth', '400'],
      ]) {
        expect([route, values('aibot_http_reads_total', { route, status })]).toEqual([route, 1]);
      }
      expect(values('aibot_http_read_seconds_total')).toBeGreaterThan(0);
      expect(values('process_open_fds')).toBeGreaterThan(3);
      expect(values('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0);
      expect(JSON.stringify([...now])).not.toMatch(/fresh-1|stranger|120000000000000000/);
    }));

  test('are for programs on this machine that ask under a loopback name, and for no web page', () =>
    withProgram(async (stage) => {
      const port = new URL(urlOf(stage)).port;
      const ask = async (host: string): Promise<number | undefined> => {
        const { get } = await import('node:http');
        return await new Promise((resolve, reject) => {
          get({ port, path: '/metrics', headers: { host } }, (answer) => {
            answer.resume();
            resolve(answer.statusCode);
          }).on('error', reject);
        });
      };
      expect(await ask(`localhost:${port}`)).toBe(200);
      expect(await ask('bot.example')).toBe(403);
      const { headers } = await fetch(`${urlOf(stage)}/metrics`);
      expect(headers.get('Access-Control-Allow-Origin')).toBeNull();
    }));
});

describe('a program', () => {
  test('is ready once everything runs, not while the beacon is away, and then again', () =>
    withProgram(async (stage) => {
      const url = urlOf(stage);
      const { beacon } = stage;
      await becomes(url, READY);
      renameSync(beacon, `${beacon}.away`);
      try {
        await becomes(url, notReady('BEACON_UNREACHABLE'));
        expect(valueOf(await scrape(url), 'aibot_node_beacon_reachable')).toBe(0);
        const failed = 'aibot_node_sync_duration_seconds_count';
        expect(valueOf(await scrape(url), failed, { result: 'failed' })).toBeGreaterThan(0);
        expect((await fetch(`${url}/healthz`)).status).toBe(200);
        expect((await fetch(`${url}/api/health`)).status).toBe(200);
      } finally {
        renameSync(`${beacon}.away`, beacon);
      }
      await becomes(url, READY);
    }, quickSync));

  test('shows what waits and for how long while the beacon takes nothing', () =>
    withProgram(async (stage) => {
      const { ada, beacon } = stage;
      const url = urlOf(stage);
      await ada.command('daily').reply();
      const release = holdPushes(beacon);
      const options = { count: 1, banner: 'rare' };
      const roll = ada.command('roll', { options });
      const oldestAge = async (): Promise<number> =>
        valueOf(await scrape(url), 'aibot_node_oldest_pending_age_seconds');
      const first = await eventually(async () => (await oldestAge()) || undefined);
      await eventually(async () => ((await oldestAge()) > first ? true : undefined));
      const now = await scrape(url);
      for (const name of [
        'aibot_node_pending_transactions',
        'aibot_node_in_flight_transactions',
        'aibot_settlements_open',
        'aibot_holds_open',
      ]) {
        expect([name, valueOf(now, name)]).toEqual([name, 1]);
      }
      expect(valueOf(now, 'aibot_settlements_oldest_open_age_seconds')).toBeGreaterThan(0);
      release();
      await roll.settledWhen((message) => textOf(message).includes('committed'));
      expect(await oldestAge()).toBe(0);
    }));

  test('is not ready while the chain is rewritten, and says so in its metrics', () =>
    withProgram(async (stage) => {
      const url = urlOf(stage);
      const { beacon } = stage;
      await becomes(url, READY);
      const tip = git(beacon, ['rev-parse', 'refs/heads/nfgt-only-lamp']);
      git(beacon, ['update-ref', '-d', 'refs/heads/nfgt-only-lamp']);
      await becomes(url, notReady('CHAIN_REWRITTEN'));
      expect(valueOf(await scrape(url), 'aibot_node_chain_rewritten')).toBe(1);
      git(beacon, ['update-ref', 'refs/heads/nfgt-only-lamp', tip]);
      await becomes(url, READY);
      expect(valueOf(await scrape(url), 'aibot_node_chain_rewritten')).toBe(0);
    }, quickSync));

  test('is not ready while the gateway is away', () =>
    withProgram(async (stage) => {
      const url = urlOf(stage);
      await becomes(url, READY);
      stage.standIn.dropGateway();
      await becomes(url, notReady('DISCORD_DISCONNECTED'));
      expect(await becomes(url, READY)).toBe(true);
    }));

  test('is not ready while it stops, and answers until then', () =>
    withProgram(async (stage) => {
      const url = urlOf(stage);
      const { ada, beacon } = stage;
      await ada.command('daily').reply();
      const release = holdPushes(beacon);
      const options = { count: 1, banner: 'rare' };
      await ada.command('roll', { options }).firstResponse();
      const closing = stage.program().close();
      expect(await readiness(url)).toEqual(notReady('STOPPING'));
      release();
      await closing;
    }));
});

describe('a node without a bot', () => {
  test.each(['auto', 'observer'])('answers the same routes as %s', async (role) => {
    const folder = tempDir();
    const env = { BEACON_URL: beaconIn(folder), DATA_DIR: `${folder}/first`, ...quickSync };
    const first = await startNodeProcess(env, folder);
    const node =
      role === 'auto'
        ? first
        : await startNodeProcess(
            { ...env, DATA_DIR: `${folder}/second`, NODE_ROLE: 'observer' },
            folder,
          );
    expect((await node.get('/healthz')).status).toBe(200);
    await becomes(node.url, READY);
    const now = await scrape(node.url);
    const wanted = role === 'auto' ? 'validator' : 'observer';
    expect(valueOf(now, 'aibot_node_role', { role: wanted })).toBe(1);
    expect(valueOf(now, 'aibot_scrape_failures')).toBe(0);
    expect(now.get('aibot_audit_age_seconds')?.samples).toEqual([]);
    const journals = role === 'auto' ? 1 : 0;
    expect(now.get('aibot_recovery_journal_writable')?.samples).toHaveLength(journals);
  });
});

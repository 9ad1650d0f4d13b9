// Measures reads of the HTTP API on a chain that stands still, from 16 connections that stay open.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { IndexedTransaction } from '../../src/chain/chain-index.ts';
import type { ChainReader } from '../../src/chain/node.ts';
import { startBenchApi } from './bench-api.ts';
import { openBenchValidator } from './bench-node.ts';
import type { LoadOrder, LoadReport } from './load.ts';
import type { Bench, Figures } from './row.ts';

const LOAD = new URL('./load.js', import.meta.url);
const CONNECTIONS = 16;
const MAX_ASSETS_READ = 2_000;
const DEPTH = 10;
const INTROSPECTIONS_PER_SECOND = 200;
const SPOTS_PER_SECOND = 100;

type Tip = Pick<IndexedTransaction, 'assetId' | 'ownerId' | 'transactionId'>;

const PATHS = {
  // The yardstick: an answer that nothing has to be looked up for.
  health: () => '/api/health',
  'spot-asset': ({ assetId }: Tip) => `/api/query/spot/asset/${assetId}`,
  detail: ({ transactionId }: Tip) => `/api/transaction/detail/${transactionId}`,
  'history-asset': ({ assetId }: Tip) => `/api/query/history/asset/${assetId}/${DEPTH}`,
  'spot-owner': ({ ownerId }: Tip) => `/api/query/spot/owner/${encodeURIComponent(ownerId)}`,
  'history-owner': ({ ownerId }: Tip) =>
    `/api/query/history/owner/${encodeURIComponent(ownerId)}/${DEPTH}`,
} as const;

export type ReadKind = keyof typeof PATHS;

/** As many requests as are answered, in CPU of the node and in requests a second. */
export function measureReads(bench: Bench, kind: ReadKind): Promise<Figures> {
  return withApi(bench, async (port, chain) => {
    const paths = listTips(chain).map(PATHS[kind]);
    const before = process.cpuUsage();
    const { requests, ...report } = await load(bench, { port, paths, pace: undefined });
    const { user, system } = process.cpuUsage(before);
    return { ...report, cpuUsEach: Math.round((user + system) / requests) };
  });
}

/** A spot now and then, while everything is asked for again and again. */
export function measureIntrospection(bench: Bench): Promise<Figures> {
  return withApi(bench, async (port, chain) => {
    const paths = listTips(chain).map(PATHS['spot-asset']);
    const [all, spot] = await Promise.all([
      load(bench, { port, paths: ['/api/introspection/assets'], pace: INTROSPECTIONS_PER_SECOND }),
      load(bench, { port, paths, pace: SPOTS_PER_SECOND }),
    ]);
    const { perSecond, p99Ms, bytesEach } = all;
    return { perSecond, p99Ms, bytesEach, spotP99Ms: spot.p99Ms };
  });
}

async function withApi(
  bench: Bench,
  measure: (port: number, chain: ChainReader) => Promise<Figures>,
): Promise<Figures> {
  const validator = await openBenchValidator(bench);
  const http = await startBenchApi(validator);
  const figures = await measure(Number(new URL(http.url).port), validator.node.chain);
  await http.close();
  await validator.close();
  return figures;
}

/** The clients are another process: on two cores, they and the node have about one each. */
async function load(
  { quick }: Bench,
  order: Pick<LoadOrder, 'port' | 'paths' | 'pace'>,
): Promise<LoadReport> {
  const clients = fork(LOAD);
  const whole: LoadOrder = { ...order, connections: CONNECTIONS, seconds: quick ? 1 : 5 };
  clients.send(whole);
  const [report] = (await once(clients, 'message')) as [LoadReport];
  await once(clients, 'exit');
  return report;
}

/** Their owners come up as often as they hold something, as they do among real requests. */
function listTips(chain: ChainReader): Tip[] {
  return chain
    .searchAssets('', MAX_ASSETS_READ)
    .map((assetId) => chain.findTip(assetId))
    .filter((tip) => tip !== undefined);
}

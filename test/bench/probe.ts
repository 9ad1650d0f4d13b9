// The reader of the row `reads-beside`, in a process of its own: reads in a loop, creates once a second, reports times.
import { Agent, request, type IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { once } from 'node:events';
import { newMint } from './bench-node.ts';
import { quantile, timeOf } from './figures.ts';

export interface ProbeOrder {
  readonly url: string;
  readonly assetIds: readonly string[];
  readonly seconds: number;
}

/** Times are of single reads. */
export interface ProbeReport {
  readonly reads: number;
  readonly created: number;
  readonly p50Us: number;
  readonly p99Ms: number;
  readonly worstMs: number;
}

const CREATE_INTERVAL_MS = 1_000;

/** Sends one request over a connection that stays; @throws Error unless the answer is 200. */
async function send(agent: Agent, url: string, body?: string): Promise<void> {
  const sent = request(url, { agent, method: body === undefined ? 'GET' : 'POST' });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  if (response.statusCode !== 200) throw new Error(`${url}: ${response.statusCode ?? 'nothing'}`);
}

async function probe({ url, assetIds, seconds }: ProbeOrder): Promise<ProbeReport> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const endsAt = performance.now() + 1000 * seconds;
  const isOver = (): boolean => performance.now() >= endsAt;
  const creating = createUntil(isOver, url);
  const timesMs: number[] = [];
  for (let at = 0; !isOver(); at += 1) {
    const path = `${url}/api/query/spot/asset/${encodeURIComponent(assetIds[at % assetIds.length] ?? '')}`;
    timesMs.push(await timeOf(() => send(agent, path)));
  }
  agent.destroy();
  const p50Ms = timesMs.toSorted((a, b) => a - b)[Math.floor(timesMs.length / 2)] ?? 0;
  return {
    reads: timesMs.length,
    created: await creating,
    p50Us: Math.round(1000 * p50Ms),
    p99Ms: quantile(timesMs, 0.99),
    worstMs: quantile(timesMs, 1),
  };
}

async function createUntil(isOver: () => boolean, url: string): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let created = 0;
  for (;;) {
    await delay(CREATE_INTERVAL_MS);
    if (isOver()) break;
    const { assetId, ownerId, metadata } = newMint();
    const body = JSON.stringify({ asset_id: assetId, owner_id: ownerId, metadata });
    await send(agent, `${url}/api/transaction/create`, body);
    created += 1;
  }
  agent.destroy();
  return created;
}

process.once('message', (order: ProbeOrder) => {
  void probe(order).then((report) => process.send?.(report, () => process.disconnect()));
});

// The node without a bot: a validator for programs other than Discord, or an observer that mirrors a beacon.
import { observerApp, openNodeApp, type NodeApp } from '../app/open-node-app.ts';
import type { NodeRole } from '../chain/node.ts';
import type { Config } from '../config.ts';
import { Closers, dataFiles, openBareNode, openCore, type Chain } from '../core.ts';
import { ApiTokenFile } from '../http/api-tokens.ts';
import { loadReaderPage } from '../http/reader-page.ts';
import { startHttp } from '../http/server.ts';
import type { RunOptions } from '../run-program.ts';
import { systemClock } from '../shared/clock.ts';

/** A running node without a bot. */
export interface RunningNode {
  readonly role: NodeRole;
  readonly apiUrl: string;
  /** The beacon for people. */
  readonly beacon: string;
  /** Takes no new work, lets what runs end, and closes everything. */
  close(): Promise<void>;
}

/** @throws AppError of any part; what was opened before is closed again. */
export async function startNode(options: RunOptions): Promise<RunningNode> {
  const closers = new Closers();
  try {
    return await openParts(options, closers);
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

async function openParts(options: RunOptions, closers: Closers): Promise<RunningNode> {
  const { config, logger } = options;
  const { node, app } = await openNodeAndApp(options, closers);
  closers.add(() => app.close());
  const { httpHost: host, httpPort: port, nodeIntrospection: introspection } = config;
  const page = await loadReaderPage();
  const apiTokens = new ApiTokenFile(dataFiles(config.dataDir).apiTokens);
  const parts = { node, app, introspection, apiTokens, page, logger };
  const http = await startHttp({ host, port, ...parts });
  closers.add(() => http.close());
  const { role, beacon } = await node.status();
  return { role, beacon, apiUrl: http.url, close: () => closers.closeAll() };
}

/** Whoever is to be an observer whatever the beacon allows needs no vault: it has no passphrase to keep. */
async function openNodeAndApp(
  options: RunOptions,
  closers: Closers,
): Promise<Pick<Chain, 'node'> & { readonly app: NodeApp }> {
  const { config, logger } = options;
  if (config.nodeRole === 'observer') {
    const { node } = await openBareNode(config, closers, options);
    return { node, app: observerApp };
  }
  const core = await openCore(config, closers, options);
  return { node: core.node, app: await openNodeApp({ ...core, clock: systemClock, logger }) };
}

/** What the operator is told once the node runs. */
export function announceNode(
  { role, apiUrl, beacon }: RunningNode,
  { dataDir }: Config,
): readonly string[] {
  const what = role === 'observer' ? 'an observer' : 'a validator';
  return [
    `The node is ${what}; its API is at ${apiUrl}/api/node, its page at ${apiUrl}/`,
    `The beacon is ${beacon}, the data is in ${dataDir}`,
  ];
}

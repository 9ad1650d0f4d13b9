// The node without a bot: a validator for programs other than Discord, or an observer that mirrors a beacon.
import { observerApp, openNodeApp, type NodeApp } from '../app/open-node-app.ts';
import type { NfgtNode, NodeRole } from '../chain/node.ts';
import type { Config } from '../config.ts';
import { Closers, dataFiles, openBareNode, openCore } from '../core.ts';
import { ApiTokenFile } from '../http/api-tokens.ts';
import { loadReaderPage } from '../http/reader-page.ts';
import { startHttp } from '../http/server.ts';
import type { Watched } from '../operation/looked-up.ts';
import { Operation } from '../operation/operation.ts';
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
  const operation = new Operation();
  closers.add(() => operation.close());
  const { node, app, ...parts } = await openNodeAndApp(options, closers);
  closers.add(() => app.close());
  const { httpHost: host, httpPort: port, nodeIntrospection: introspection } = config;
  const page = await loadReaderPage();
  const files = dataFiles(config.dataDir);
  operation.watch({ node, ...parts, stateFile: files.state, isOnDiscord: undefined });
  const apiTokens = new ApiTokenFile(files.apiTokens);
  const http = await startHttp({
    ...{ host, port, node, app, introspection, apiTokens, page, logger },
    operator: operation,
  });
  closers.add(() => http.close());
  const { role, beacon } = await node.status();
  const close = (): Promise<void> => {
    operation.stop();
    return closers.closeAll();
  };
  return { role, beacon, apiUrl: http.url, close };
}

interface OpenedNode extends Pick<Watched, 'database' | 'recovery'> {
  readonly node: NfgtNode;
  readonly app: NodeApp;
}

/** Whoever is to be an observer whatever the beacon allows needs no vault: it has no passphrase to keep. */
async function openNodeAndApp(options: RunOptions, closers: Closers): Promise<OpenedNode> {
  const { config, logger } = options;
  if (config.nodeRole === 'observer') {
    const { node, database } = await openBareNode(config, closers, options);
    return { node, database, recovery: undefined, app: observerApp };
  }
  const core = await openCore(config, closers, options);
  const { node, database, recovery } = core;
  const app = await openNodeApp({ ...core, clock: systemClock, logger });
  return { node, database, recovery, app };
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

// Serves the HTTP API over a validator of the benchmark.
import { startHttp, type HttpServer } from '../../src/http/server.ts';
import { Operation } from '../../src/operation/operation.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import type { BenchValidator } from './bench-node.ts';

/** Listens on a free port of loopback; who starts it closes it, before the validator. */
export function startBenchApi({ node, create }: BenchValidator): Promise<HttpServer> {
  return startHttp({
    host: '127.0.0.1',
    port: 0,
    node,
    app: { createTransaction: create, botOwnerId: undefined },
    introspection: true,
    // Counts as the program does.
    operator: new Operation(),
    logger: silentLogger,
  });
}

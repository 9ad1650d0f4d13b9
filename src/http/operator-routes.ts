// The routes for an operator's tools: alive, ready, metrics. They are no part of the API and not in its description.
import type { FastifyInstance } from 'fastify';
import type { Gate } from './gate.ts';
import { JSON_TYPE } from './headers.ts';

/** What they answer from. */
export interface OperatorParts {
  metrics(): Promise<{ readonly type: string; readonly text: string }>;
  /** Codes of what keeps the process from its work; none when it is ready. */
  listNotReady(): Promise<readonly string[]>;
}

/** Serves them. @param gate who may read the metrics: they tell outsiders about the machine. */
export function addOperatorRoutes(server: FastifyInstance, parts: OperatorParts, gate: Gate): void {
  server.get('/healthz', (_request, reply) => reply.type(JSON_TYPE).send('{"alive":true}'));
  server.get('/readyz', async (_request, reply) => {
    const reasons = await parts.listNotReady();
    const isReady = reasons.length === 0;
    const body = JSON.stringify({ ready: isReady, reasons });
    return await reply
      .code(isReady ? 200 : 503)
      .type(JSON_TYPE)
      .send(body);
  });
  server.get('/metrics', {
    // After the hook that lets pages from anywhere read any answer: this one is not theirs to read.
    onSend: (_request, reply, payload, next) => {
      void reply.removeHeader('Access-Control-Allow-Origin');
      next(null, payload);
    },
    handler: async (request, reply) => {
      await gate(request);
      const { type, text } = await parts.metrics();
      return await reply.type(type).send(text);
    },
  });
}

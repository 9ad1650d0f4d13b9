// For fastify servers whose routes have no JSON schema: what comes in is read by zod.
import type { FastifyServerOptions } from 'fastify';

function refuse(): never {
  throw new Error('no route has a JSON schema: its input is read by zod');
}

/** Keeps fastify from loading its compilers of JSON schemas, which take longer than all else of a server's start. */
export const WITHOUT_JSON_SCHEMAS = {
  schemaController: {
    compilersFactory: { buildValidator: refuse, buildSerializer: refuse },
  },
} satisfies FastifyServerOptions;

// GET /api/openapi.json: the API's description, made from the table of routes and their schemas.
import { STATUS_CODES } from 'node:http';
import * as z from 'zod';
import { AppError, ERRORS, type ErrorCode } from '../shared/errors.ts';
import { statusOf } from './errors.ts';
import { defineRoute, type Route } from './route.ts';
import {
  DescriptionAnswer,
  FaultAnswer,
  NoParams,
  RecordSchema,
  RefusalAnswer,
} from './schemas.ts';

const JSON_MEDIA = 'application/json';
const API_TOKEN = 'apiToken';
const COMPONENTS = '#/components/schemas/';
/** The version of the interface, not of the program: it changes when a client would notice. */
const INTERFACE_VERSION = '1.0.0';

/** A route that describes these routes and itself. */
export function makeDescriptionRoute(routes: readonly Route[]): Route {
  let json: string | undefined;
  const own: Route = defineRoute({
    method: 'GET',
    path: '/api/openapi.json',
    summary: 'This description, in OpenAPI 3.1',
    params: NoParams,
    answer: DescriptionAnswer,
    handle: () => (json ??= JSON.stringify(describeApi([...routes, own]))),
  });
  return own;
}

/** The OpenAPI 3.1 document of these routes. */
function describeApi(routes: readonly Route[]): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'NFGT node',
      version: INTERFACE_VERSION,
      description:
        'The HTTP API of the first NFGT client. A transaction is answered with 200 before it is pushed: ask for its status.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [],
    paths: describePaths(routes),
    components: {
      schemas: describeSchemas(routes),
      securitySchemes: {
        [API_TOKEN]: {
          type: 'http',
          scheme: 'bearer',
          description:
            'Made with `npx aibot token add`. Without any, programs on the node’s machine need none.',
        },
      },
    },
  };
}

function describePaths(routes: readonly Route[]): Record<string, object> {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: describeRoute(route) };
  }
  return paths;
}

function describeRoute(route: Route): object {
  const idempotencyKey = {
    name: 'Idempotency-Key',
    in: 'header',
    description: 'The same request under the same key gets the first answer again.',
    schema: { type: 'string', pattern: '^[\\x20-\\x7e]{1,200}$' },
  };
  return {
    operationId: route.path.replace(/^\/api\//, '').replace(/\W+/g, '_'),
    summary: route.summary,
    ...(route.isGuarded && { security: [{ [API_TOKEN]: [] }, {}] }),
    parameters: [...describeParams(route), ...(route.body === undefined ? [] : [idempotencyKey])],
    ...(route.body !== undefined && {
      requestBody: {
        required: true,
        content: { [JSON_MEDIA]: { schema: { $ref: referTo(route.body) } } },
      },
    }),
    responses: { 200: describeAnswer('Success', route.answer), ...describeRefusals(route) },
  };
}

function describeParams({ params, path }: Route): object[] {
  const { properties = {} } = z.toJSONSchema(params, { io: 'input' });
  return Object.entries(properties)
    .filter(([name]) => path.includes(`:${name}`))
    .map(([name, schema]) => {
      const { description, ...rest } = schema as { readonly description?: string };
      return { name, in: 'path', required: true, description, schema: rest };
    });
}

/** The codes that a route may refuse with, by status; a fault may happen anywhere. */
function describeRefusals({ errors }: Route): Record<string, object> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of errors) {
    const status = statusOf(new AppError(code));
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const refusals = [...byStatus].map(([status, codes]) => {
    const again = codes.some((code) => ERRORS[code].retryable) ? '; may succeed later' : '';
    const title = `${STATUS_CODES[status] ?? ''}: ${codes.join(', ')}${again}`;
    return [String(status), describeAnswer(title, RefusalAnswer)] as const;
  });
  const fault = describeAnswer('A fault, with the reference of its line in the log', FaultAnswer);
  return { ...Object.fromEntries(refusals), 500: fault };
}

function describeAnswer(description: string, schema: z.ZodType): object {
  return { description, content: { [JSON_MEDIA]: { schema: { $ref: referTo(schema) } } } };
}

function describeSchemas(routes: readonly Route[]): Record<string, object> {
  const registry = z.registry<{ id: string }>();
  const bodies = routes.flatMap(({ body }) => (body === undefined ? [] : [body]));
  const answers = routes.map(({ answer }) => answer);
  for (const schema of new Set([RecordSchema, ...answers, ...bodies, RefusalAnswer, FaultAnswer])) {
    registry.add(schema, { id: nameOf(schema) });
  }
  const uri = (id: string): string => `${COMPONENTS}${id}`;
  // What a caller may send and what a schema lets through are the same here: nothing is transformed.
  const { schemas } = z.toJSONSchema(registry, { uri, io: 'input' });
  // Each would carry its own address and dialect, which the document says for all of them.
  const isOwn = ([key]: readonly [string, unknown]): boolean => key !== '$id' && key !== '$schema';
  return Object.fromEntries(
    Object.entries(schemas).map(([id, schema]) => [
      id,
      Object.fromEntries(Object.entries(schema).filter(isOwn)),
    ]),
  );
}

const referTo = (schema: z.ZodType): string => `${COMPONENTS}${nameOf(schema)}`;

function nameOf(schema: z.ZodType): string {
  const id = schema.meta()?.id;
  if (id === undefined) throw new Error('every answer and body of a route has an id of its own');
  return id;
}

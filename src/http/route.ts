// What a route is: its address, its schemas and its work; one table of them serves requests and describes the API.
import type { RateLimitOptions } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { ErrorCode } from '../shared/errors.ts';
import { JSON_TYPE } from './errors.ts';
import { JsonStream } from './json-stream.ts';

/** A route as the server and the API's description see it. */
export interface Route {
  readonly method: 'GET' | 'POST';
  /** With `:name` for each parameter; parameters are percent-decoded once. */
  readonly path: string;
  readonly summary: string;
  readonly params: z.ZodType;
  readonly body: z.ZodType | undefined;
  readonly answer: z.ZodType;
  /** The codes that it may refuse with, beside those of any request. */
  readonly errors: readonly ErrorCode[];
  /** True when one client may ask it only so often. */
  readonly isThrottled: boolean;
  handle(request: FastifyRequest): Promise<Payload<object>>;
}

/** JSON that is ready to be sent, at once or bit by bit, or a value to print. */
type Payload<Value> = string | JsonStream | Value;

/** Makes a route whose handler's types follow from its schemas. */
export function defineRoute<Params extends z.ZodType, Answer extends z.ZodType>(route: {
  readonly method: Route['method'];
  readonly path: string;
  readonly summary: string;
  readonly params: Params;
  readonly body?: z.ZodType;
  readonly answer: Answer;
  readonly errors?: readonly ErrorCode[];
  readonly isThrottled?: boolean;
  handle(
    params: z.output<Params>,
    request: FastifyRequest,
  ): Promise<Payload<z.output<Answer> & object>> | Payload<z.output<Answer> & object>;
}): Route {
  return {
    ...route,
    body: route.body,
    errors: route.errors ?? [],
    isThrottled: route.isThrottled ?? false,
    handle: async (request) => await route.handle(route.params.parse(request.params), request),
  };
}

/** Serves a route. */
export function addRoute(server: FastifyInstance, route: Route, rateLimit: RateLimitOptions): void {
  server.route({
    method: route.method,
    url: route.path,
    config: route.isThrottled ? { rateLimit } : {},
    handler: async (request, reply) => {
      const answer = await route.handle(request);
      void reply.type(JSON_TYPE);
      if (answer instanceof JsonStream) {
        return await reply.header('Content-Length', answer.length).send(answer.open());
      }
      return await reply.send(typeof answer === 'string' ? answer : JSON.stringify(answer));
    },
  });
}

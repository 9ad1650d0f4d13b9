// What a route is: its address, its schemas and its work; one table of them serves requests and describes the API.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { JSON_TYPE } from './errors.ts';

/** A route as the server and the API's description see it. */
export interface Route {
  readonly method: 'GET' | 'POST';
  /** With `:name` for each parameter; parameters are percent-decoded once. */
  readonly path: string;
  readonly summary: string;
  readonly params: z.ZodType;
  readonly body: z.ZodType | undefined;
  readonly answer: z.ZodType;
  /** The answer: JSON that is ready to be sent, or a value to print. */
  handle(request: FastifyRequest): Promise<string | object>;
}

/** Makes a route whose handler's types follow from its schemas. */
export function defineRoute<Params extends z.ZodType, Answer extends z.ZodType>(route: {
  readonly method: Route['method'];
  readonly path: string;
  readonly summary: string;
  readonly params: Params;
  readonly body?: z.ZodType;
  readonly answer: Answer;
  handle(
    params: z.output<Params>,
    request: FastifyRequest,
  ): Promise<string | (z.output<Answer> & object)> | string | (z.output<Answer> & object);
}): Route {
  return {
    ...route,
    body: route.body,
    handle: async (request) => await route.handle(route.params.parse(request.params), request),
  };
}

/** Serves a route. */
export function addRoute(server: FastifyInstance, route: Route): void {
  server.route({
    method: route.method,
    url: route.path,
    handler: async (request, reply) => {
      const answer = await route.handle(request);
      return await reply
        .type(JSON_TYPE)
        .send(typeof answer === 'string' ? answer : JSON.stringify(answer));
    },
  });
}

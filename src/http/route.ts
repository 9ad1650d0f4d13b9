// What a route is: its address, its schemas and its work; one table of them serves requests and describes the API.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { z } from 'zod';
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
  handle(
    params: z.output<Params>,
    request: FastifyRequest,
  ): Promise<Payload<z.output<Answer> & object>> | Payload<z.output<Answer> & object>;
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
      void reply.type(JSON_TYPE);
      if (answer instanceof JsonStream) {
        return await reply.header('Content-Length', answer.length).send(answer.open());
      }
      return await reply.send(typeof answer === 'string' ? answer : JSON.stringify(answer));
    },
  });
}

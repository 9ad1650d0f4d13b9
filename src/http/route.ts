// What a route is: its address, its schemas and its work; one table of them serves requests and describes the API.
import type { RateLimitOptions } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { ErrorCode } from '../shared/errors.ts';
import { measure, secondsSince } from '../shared/measurements.ts';
import { statusOf } from './errors.ts';
import type { AnswerCache } from './answer-cache.ts';
import { GATE_ERRORS, type Gate } from './gate.ts';
import { JSON_TYPE, sendJson } from './headers.ts';
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
  /** True when it takes a token, or a program on this machine: see `gate.ts`. */
  readonly isGuarded: boolean;
  /** True when it says what is committed and nothing else: the answer is good until the chain changes. */
  readonly isOfChain: boolean;
  handle(request: FastifyRequest): Promise<Payload<object>> | Payload<object>;
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
  readonly isGuarded?: boolean;
  readonly isOfChain?: boolean;
  handle(
    params: z.output<Params>,
    request: FastifyRequest,
  ): Promise<Payload<z.output<Answer> & object>> | Payload<z.output<Answer> & object>;
}): Route {
  return {
    ...route,
    body: route.body,
    errors: [...(route.errors ?? []), ...(route.isGuarded === true ? GATE_ERRORS : [])],
    isThrottled: route.isThrottled ?? false,
    isGuarded: route.isGuarded ?? false,
    isOfChain: route.isOfChain ?? false,
    handle: (request) => route.handle(route.params.parse(request.params), request),
  };
}

/** What routes share when they are served. */
export interface Serving {
  /** How often one client may ask a route that is throttled. */
  readonly rateLimit: RateLimitOptions;
  /** The answers of routes that are of the chain. */
  readonly answers: AnswerCache;
  /** Whom a route that is guarded lets in. */
  readonly gate: Gate;
}

/** Serves a route. */
export function addRoute(server: FastifyInstance, route: Route, serving: Serving): void {
  const { method, path } = route;
  const common = {
    method,
    url: path,
    config: route.isThrottled ? { rateLimit: serving.rateLimit } : {},
  };
  if (route.isOfChain) {
    server.route({ ...common, handler: answerOfChain(route, serving) });
    return;
  }
  server.route({
    ...common,
    handler: async (request, reply) => {
      // Before anything of the body is read.
      if (route.isGuarded) await serving.gate(request);
      await send(reply, await route.handle(request));
    },
    onResponse: (_request, reply, done) => {
      const { statusCode: status } = reply.raw;
      measure('request', { method, route: path, status, seconds: reply.elapsedTime / 1_000 });
      done();
    },
  });
}

/** Measured on the spot: to be told when an answer has left costs a good part of what it costs to give it. */
function answerOfChain(route: Route, { answers }: Serving) {
  const { path } = route;
  return (request: FastifyRequest, reply: FastifyReply): void => {
    const startedAt = performance.now();
    let status = 200;
    try {
      sendJson(
        reply,
        answers.get(request.url, () => printAtOnce(route.handle(request))),
      );
    } catch (error) {
      status = statusOf(error);
      throw error;
    } finally {
      measure('read', { route: path, status, seconds: secondsSince(startedAt) });
    }
  };
}

async function send(reply: FastifyReply, answer: Payload<object>): Promise<void> {
  if (!(answer instanceof JsonStream)) {
    sendJson(reply, print(answer));
    return;
  }
  await reply.type(JSON_TYPE).header('Content-Length', answer.length).send(answer.open());
}

function print(answer: Exclude<Payload<object>, JsonStream>): string {
  return typeof answer === 'string' ? answer : JSON.stringify(answer);
}

function printAtOnce(answer: ReturnType<Route['handle']>): string {
  if (answer instanceof Promise || answer instanceof JsonStream) {
    throw new Error('an answer of the chain is read from the index, at once and in one piece');
  }
  return print(answer);
}

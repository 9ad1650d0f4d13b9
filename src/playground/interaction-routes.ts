// The routes that an interaction's token opens: the first answer, edits, follow-ups.
import type { FastifyInstance } from 'fastify';
import type { Callbacks } from './callbacks.ts';
import { readBody } from './request-body.ts';

interface MessageParams {
  application: string;
  token: string;
  message: string;
}

/** Adds the routes. */
export function addInteractionRoutes(
  server: FastifyInstance,
  { callbacks }: { callbacks: Callbacks },
): void {
  server.post<{
    Params: { id: string; token: string };
    Querystring: { with_response?: string };
  }>('/interactions/:id/:token/callback', async (request, reply) => {
    const { id, token } = request.params;
    const result = callbacks.respond(id, token, await readBody(request));
    const wanted = ['true', '1'].includes(request.query.with_response?.toLowerCase() ?? '');
    return wanted ? result : reply.code(204).send();
  });
  server.post<{ Params: { application: string; token: string } }>(
    '/webhooks/:application/:token',
    async (request) => {
      const { application, token } = request.params;
      return callbacks.followUp(application, token, await readBody(request));
    },
  );
  const path = '/webhooks/:application/:token/messages/:message';
  server.get<{ Params: MessageParams }>(path, (request) => {
    const { application, token, message } = request.params;
    return callbacks.getMessage(application, token, message);
  });
  server.patch<{ Params: MessageParams }>(path, async (request) => {
    const { application, token, message } = request.params;
    return callbacks.edit(application, token, message, await readBody(request));
  });
  server.delete<{ Params: MessageParams }>(path, (request, reply) => {
    const { application, token, message } = request.params;
    callbacks.delete(application, token, message);
    return reply.code(204).send();
  });
}

// GET /api/health: says that the process answers.
import { defineRoute, type Route } from '../route.ts';
import { HealthAnswer, NoParams } from '../schemas.ts';

export const healthRoute: Route = defineRoute({
  method: 'GET',
  path: '/api/health',
  summary: 'Says that the process answers',
  params: NoParams,
  answer: HealthAnswer,
  handle: () => ({ message: 'ok' as const }),
});

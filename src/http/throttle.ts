// How often one client may ask for what costs the beacon something: so that no single one fills the queue for all.
import type { RateLimitOptions } from '@fastify/rate-limit';
import { AppError } from '../shared/errors.ts';
import { isLoopbackAddress } from './gate.ts';

export interface CreateLimit {
  readonly max: number;
  readonly windowMs: number;
}

/**
 * Counts creates by the client's address (IPv6: by its /64). Programs on this machine are the operator's own and are
 * not counted; neither is anything behind a proxy here, which has to count for itself. Reads are never held back.
 */
export function limitCreates({ max, windowMs }: CreateLimit): RateLimitOptions {
  return {
    max,
    timeWindow: windowMs,
    allowList: ({ ip }) => isLoopbackAddress(ip),
    errorResponseBuilder: () =>
      new AppError('CREATES_THROTTLED', { limit: max, seconds: Math.ceil(windowMs / 1_000) }),
  };
}

// Reads a request's body as one JSON object, whatever its Content-Type says, within the size limit.
import type { IncomingMessage } from 'node:http';
import { AppError } from '../shared/errors.ts';
import { MAX_BODY_BYTES, MAX_DISCARDED_BYTES } from './limits.ts';

/**
 * Reads and parses the body.
 * @throws AppError BODY_TOO_LARGE; INPUT_INVALID for what is not one JSON object in UTF-8.
 */
export async function readJsonObject(
  request: IncomingMessage,
): Promise<Readonly<Record<string, unknown>>> {
  const text = decode(await readBody(request));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse('the body is not one JSON value', error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refuse('the body is not a JSON object');
  }
  return value as Record<string, unknown>;
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const tooLarge = new AppError('BODY_TOO_LARGE', { limit: MAX_BODY_BYTES });
  if (Number(request.headers['content-length'] ?? 0) > MAX_DISCARDED_BYTES) throw tooLarge;
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // SAFETY: no encoding was set on the request, so its chunks are buffers.
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size <= MAX_BODY_BYTES) chunks.push(chunk);
      else chunks.length = 0;
      if (size > MAX_DISCARDED_BYTES) break;
    }
  } catch (error) {
    throw refuse('the body ended before it was complete', error);
  }
  if (size > MAX_BODY_BYTES) throw tooLarge;
  return Buffer.concat(chunks);
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw refuse('the body is not UTF-8', error);
  }
}

function refuse(reason: string, cause?: unknown): AppError {
  return new AppError('INPUT_INVALID', { reason }, { cause });
}

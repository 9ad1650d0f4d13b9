// Reads a request's body: plain JSON, or a multipart form with `payload_json` and `files[n]`.
import type { FastifyRequest } from 'fastify';
import type { UploadedFile } from './files.ts';
import { LIMIT } from './limits.ts';
import { refuse } from './refusals.ts';

/** A body with the files that came along. */
export interface RequestBody {
  body: unknown;
  files: UploadedFile[];
}

/** The body of a request. */
export async function readBody(request: FastifyRequest): Promise<RequestBody> {
  if (!request.isMultipart()) return { body: request.body ?? {}, files: [] };
  const files: UploadedFile[] = [];
  let body: unknown = {};
  for await (const part of request.parts({
    limits: { fileSize: LIMIT.fileBytes, files: LIMIT.files, fields: 4, fieldSize: 1 << 20 },
  })) {
    if (part.type === 'field') {
      if (part.fieldname === 'payload_json') body = parseJson(part.value);
      continue;
    }
    const key = /^files\[(\d+)\]$/.exec(part.fieldname)?.[1] ?? part.fieldname;
    const bytes = await part.toBuffer();
    if (part.file.truncated) throw refuse.tooLarge();
    files.push({ key, filename: part.filename, contentType: part.mimetype, bytes });
  }
  return { body, files };
}

function parseJson(value: unknown): unknown {
  try {
    return JSON.parse(String(value));
  } catch (error) {
    if (error instanceof SyntaxError) throw refuse.invalidJson();
    throw error;
  }
}

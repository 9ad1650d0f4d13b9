// Reads a JSON column: nothing that a file holds is trusted to have the shape that was once written.
import * as z from 'zod';

/** A non-empty text that stands for a branded id. */
export function text<Id extends string>(): z.ZodType<Id> {
  return z.custom<Id>((value) => typeof value === 'string' && value !== '', 'not a non-empty text');
}

/** Parses and checks a column. `what` names it in the error; the content is never repeated there. */
export function parseColumn<T>(shape: z.ZodType<T>, json: string, what: string): T {
  const result = shape.safeParse(parseJson(json, what));
  if (result.success) return result.data;
  throw new Error(`the ${what} are damaged`, { cause: result.error });
}

function parseJson(json: string, what: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new Error(`the ${what} are not JSON`, { cause: error });
  }
}

// GET /: the page on which people read what the node knows; the one answer that a browser shows and runs.
import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { readPageFiles } from '../shared/page/files.ts';

/** The page as one document, with the policy that allows its own script and style and nothing else. */
export interface ReaderPage {
  readonly html: string;
  readonly policy: string;
}

const SCRIPT_TAG = '<script type="module" src="/app.js"></script>';
const STYLE_TAG = '<link rel="stylesheet" href="/app.css" />';

/**
 * Reads the built page and puts script and style into it, so that it needs no address but its own: the first program
 * has none of them.
 * @throws Error when the page is not built.
 */
export async function loadReaderPage(): Promise<ReaderPage> {
  const { html, script, style } = await readPageFiles('http');
  const document = fill(
    fill(html, SCRIPT_TAG, `<script type="module">${script}</script>`),
    STYLE_TAG,
    `<style>${style}</style>`,
  );
  return { html: document, policy: policyFor(script, style) };
}

/** Serves it. */
export function addReaderPage(server: FastifyInstance, { html, policy }: ReaderPage): void {
  server.get('/', {
    // After the hook that gives every answer the policy that allows nothing.
    onSend: (_request, reply, payload, next) => {
      void reply
        .header('Content-Security-Policy', policy)
        .header('Cross-Origin-Opener-Policy', 'same-origin');
      next(null, payload);
    },
    handler: (_request, reply) => reply.type('text/html; charset=utf-8').send(html),
  });
}

function fill(html: string, tag: string, content: string): string {
  if (!html.includes(tag)) throw new Error(`The page has no ${tag}`);
  // A function, because a replacing text may not hold a dollar sign.
  return html.replace(tag, () => content);
}

/** Trusted types are forbidden, so that even a fault in the page cannot turn text from the chain into elements. */
function policyFor(script: string, style: string): string {
  return [
    "default-src 'none'",
    `script-src ${hashSource(script)}`,
    `style-src ${hashSource(style)}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

function hashSource(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

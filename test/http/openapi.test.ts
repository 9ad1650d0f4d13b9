// The API's description: valid to others, complete, and made from what the routes themselves go by.
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { buildHttp, listRoutes } from '../../src/http/server.ts';
import { ERRORS } from '../../src/shared/errors.ts';
import { FakeNode } from '../support/fake-node.ts';

interface Operation {
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

describe('the description of the API', () => {
  const fake = new FakeNode();
  let server: FastifyInstance;
  let document: Document;

  beforeEach(async () => {
    server = buildHttp(fake);
    const reply = await server.inject('/api/openapi.json');
    document = reply.json<Document>();
  });

  afterEach(async () => {
    await server.close();
  });

  test('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    const result = await validator.validate(
      structuredClone(document) as object as Record<string, unknown>,
    );
    expect(result).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  test('names every route, with its parameters', () => {
    const described = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const served = listRoutes(fake).map(
      ({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`,
    );
    expect(described.toSorted()).toEqual(served.toSorted());
    for (const [path, operations] of Object.entries(document.paths)) {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const { parameters } of Object.values(operations)) {
        const inPath = parameters.filter((one) => one.in === 'path').map(({ name }) => name);
        expect(inPath).toEqual(names);
      }
    }
  });

  test('names only codes that exist, each beside the status that it is answered with', () => {
    const create = document.paths['/api/transaction/create']!['post']!;
    expect(Object.keys(create.responses)).toEqual(
      expect.arrayContaining(['200', '400', '403', '409', '413', '429', '500', '503']),
    );
    for (const operations of Object.values(document.paths)) {
      for (const { responses } of Object.values(operations)) {
        const codes = Object.values(responses).flatMap(
          ({ description }) => description.match(/\b[A-Z]+_[A-Z_]+\b/g) ?? [],
        );
        expect(Object.keys(ERRORS)).toEqual(expect.arrayContaining(codes));
      }
    }
  });

  test('refers to nothing that it does not hold', () => {
    const references = JSON.stringify(document).match(/"#\/[^"]+"/g) ?? [];
    expect(references.length).toBeGreaterThan(10);
    for (const reference of references) {
      const name = (JSON.parse(reference) as string).replace('#/components/schemas/', '');
      expect(Object.keys(document.components.schemas)).toContain(name);
    }
  });
});

// The record: Go's JSON byte for byte when it is written, and distrust when it is read.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  checkMetadata,
  encodeRecord,
  MAX_RECORD_BYTES,
  parseRecord,
  recordDigest,
  type JsonValue,
  type TransactionRecord,
} from '../../src/chain/record.ts';
import type { AssetId, OwnerId, TransactionId } from '../../src/shared/ids.ts';
import { git, tempDir } from '../support/temp-dir.ts';

const SAMPLE = join(import.meta.dirname, '../../../shared/beacon-sample/chain.bundle');

const RECORD: TransactionRecord = {
  successorHash: 'a'.repeat(128),
  transactionId: '00000000-0000-4000-8000-000000000001' as TransactionId,
  transactionTime: 1_700_000_000_000,
  assetId: 'asset' as AssetId,
  ownerId: 'owner' as OwnerId,
  metadata: null,
};

/** The JSON text that stands for this metadata in a record. */
function encoded(metadata: JsonValue): string {
  const text = encodeRecord({ ...RECORD, metadata }).toString('utf8');
  return text.slice(text.indexOf('"metadata":') + '"metadata":'.length, -1);
}

/** A record's JSON with some fields replaced by other JSON text; undefined leaves the field out. */
function textWith(fields: Readonly<Record<string, string | undefined>>): string {
  const own = JSON.parse(encodeRecord(RECORD).toString()) as Record<string, unknown>;
  const all: Record<string, string | undefined> = {
    ...Object.fromEntries(Object.entries(own).map(([key, value]) => [key, JSON.stringify(value)])),
    ...fields,
  };
  const members = Object.entries(all).filter(([, value]) => value !== undefined);
  return `{${members.map(([key, value]) => `"${key}":${value ?? ''}`).join(',')}}`;
}

const parse = (text: string) => parseRecord(Buffer.from(text, 'utf8'));

/** Any text that JSON.parse can give, lone surrogates included. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units)),
);

const metadata = fc.oneof(
  fc.jsonValue({ stringUnit: 'binary' }).map((value) => value as JsonValue),
  fc.dictionary(text, text),
);

const records = fc.record({
  successorHash: fc.constantFrom(
    'a'.repeat(128),
    `${'0'.repeat(127)}f`,
    '$argon2id$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA',
  ),
  transactionId: fc.uuid().map((text) => text as TransactionId),
  transactionTime: fc.maxSafeNat(),
  assetId: text.map((id) => `x${id}` as AssetId),
  ownerId: text.map((id) => `x${id}` as OwnerId),
  metadata,
});

describe('a record is written', () => {
  test('compact, in the order of the wire format, without a newline', () => {
    expect(encodeRecord(RECORD).toString()).toBe(
      `{"successor_hash":"${'a'.repeat(128)}","transaction_id":"00000000-0000-4000-8000-000000000001","transaction_time":1700000000000,"asset_id":"asset","owner_id":"owner","metadata":null}`,
    );
  });

  test.each<[string, number, string]>([
    ['zero', 0, '0'],
    ['negative zero', -0, '-0'],
    ['a whole float', 1.0, '1'],
    ['a fraction', 0.1, '0.1'],
    ['beyond 2^53', Number('12345678901234567890'), '12345678901234567000'],
    ['just below the exponent', 999999999999999900000, '999999999999999900000'],
    ['1e20', 1e20, '100000000000000000000'],
    ['1e21', 1e21, '1e+21'],
    ['-1e21', -1e21, '-1e+21'],
    ['1e-6', 1e-6, '0.000001'],
    ['1e-7', 1e-7, '1e-7'],
    ['1.5e-9', 1.5e-9, '1.5e-9'],
    ['1e-10', 1e-10, '1e-10'],
    ['the largest', Number.MAX_VALUE, '1.7976931348623157e+308'],
    ['the smallest', Number.MIN_VALUE, '5e-324'],
  ])('with the number %s as Go prints it', (_, value, text) => {
    expect(encoded(value)).toBe(text);
    expect(encoded({ list: [value] })).toBe(`{"list":[${text}]}`);
  });

  test.each([Infinity, -Infinity, NaN])('never with %d, which JSON cannot hold', (value) => {
    expect(() => encodeRecord({ ...RECORD, metadata: { value } })).toThrow(RangeError);
  });

  test.each<[string, string, string]>([
    ['a quote', '"', '\\"'],
    ['a backslash', '\\', '\\\\'],
    ['a slash', '/', '/'],
    ['markup', '<a href="x">&amp;</a>', '\\u003ca href=\\"x\\"\\u003e\\u0026amp;\\u003c/a\\u003e'],
    ['line separators', '\u2028\u2029', '\\u2028\\u2029'],
    ['newline, return, tab', '\n\r\t', '\\n\\r\\t'],
    ['backspace and form feed', '\b\f', '\\u0008\\u000c'],
    ['the other control characters', '\u0000\u0001\u000b\u001f', '\\u0000\\u0001\\u000b\\u001f'],
    ['a backslash before b', '\\b', '\\\\b'],
    ['a backslash before a backspace', '\\\b', '\\\\\\u0008'],
    ['two backslashes before f', '\\\\f', '\\\\\\\\f'],
    ['a backslash before <', '\\<', '\\\\\\u003c'],
    ['what looks like an escape', '\\u003c', '\\\\u003c'],
    ['DEL and C1', '\u007f\u0080\u009f', '\u007f\u0080\u009f'],
    ['an emoji', '🎁', '🎁'],
    ['a lone high surrogate', 'a\ud83cb', 'a\ufffdb'],
    ['a lone low surrogate', '\udf81', '\ufffd'],
    ['surrogates in the wrong order', '\udf81\ud83c', '\ufffd\ufffd'],
  ])('with %s escaped as Go does', (_, value, text) => {
    expect(encoded(value)).toBe(`"${text}"`);
    expect(encoded({ [value]: 1 })).toBe(`{"${text}":1}`);
    expect(encodeRecord({ ...RECORD, ownerId: value as OwnerId }).toString()).toContain(
      `"owner_id":"${text}"`,
    );
  });

  test.each<[string, string, string]>([
    [
      'at every level',
      '{"b":{"d":1,"c":[{"f":1,"e":2}]},"a":0}',
      '{"a":0,"b":{"c":[{"e":2,"f":1}],"d":1}}',
    ],
    ['capitals first', '{"a":1,"B":2,"_":3}', '{"B":2,"_":3,"a":1}'],
    ['integer-like keys as text', '{"10":1,"9":2,"-1":3,"01":4}', '{"-1":3,"01":4,"10":1,"9":2}'],
    ['the empty key first', '{"a":1,"":2}', '{"":2,"a":1}'],
    ['a prefix before what it begins', '{"ab":1,"a":2}', '{"a":2,"ab":1}'],
    [
      'names of the prototype',
      '{"toString":1,"__proto__":{"z":1,"a":2},"constructor":3}',
      '{"__proto__":{"a":2,"z":1},"constructor":3,"toString":1}',
    ],
    ['by bytes, not by UTF-16', '{"🎁":1,"\uffff":2,"é":3}', '{"é":3,"\uffff":2,"🎁":1}'],
    ['the last of equal keys', '{"a":1,"a":2}', '{"a":2}'],
    [
      'the last of keys that are equal once mended',
      String.raw`{"\ud800":1,"\udfff":2}`,
      '{"\ufffd":2}',
    ],
  ])('with keys sorted: %s', (_, given, text) => {
    expect(encoded(JSON.parse(given) as JsonValue)).toBe(text);
  });

  test('with lists in their own order', () => {
    expect(encoded([3, 'b', [], {}, null, true, 1])).toBe('[3,"b",[],{},null,true,1]');
  });
});

describe('a record that was written', () => {
  test('says the same when it is read', () => {
    fc.assert(
      fc.property(records, (record) => {
        const bytes = encodeRecord(record);
        const read = parseRecord(bytes);
        expect(read).not.toHaveProperty('fault');
        expect(encodeRecord(read as TransactionRecord).equals(bytes)).toBe(true);
        const mended = (text: string): string => text.toWellFormed();
        expect(read).toMatchObject({
          successorHash: record.successorHash,
          transactionId: record.transactionId,
          transactionTime: record.transactionTime,
          assetId: mended(record.assetId),
          ownerId: mended(record.ownerId),
        });
      }),
    );
  });

  test('means to JSON.parse what went in', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'grapheme' }), (value) => {
        expect(JSON.parse(encoded(value as JsonValue))).toEqual(value);
      }),
    );
  });

  test('has none of the bytes that Go escapes, and no two texts for one meaning', () => {
    fc.assert(
      fc.property(fc.dictionary(text, metadata), (object) => {
        const json = encoded(object);
        // eslint-disable-next-line no-control-regex -- raw control characters are what must not be there
        expect(json).not.toMatch(/[<>&\u2028\u2029\u0000-\u001f]/);
        const once = new Map(
          Object.entries(object).map(([key, item]) => [key.toWellFormed(), item]),
        );
        expect(encoded(Object.fromEntries([...once].reverse()))).toBe(json);
      }),
    );
  });

  test('has its SHA-512 as digest', () => {
    expect(recordDigest(Buffer.from('abc'))).toBe(
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    );
  });
});

describe('reading a record', () => {
  test('never throws, whatever the bytes are', () => {
    const mutated = fc
      .tuple(records, fc.nat(), fc.integer({ min: 0, max: 255 }))
      .map(([record, at, byte]) => {
        const bytes = encodeRecord(record);
        bytes[at % bytes.length] = byte;
        return bytes;
      });
    const any = fc.oneof(
      fc.uint8Array(),
      fc.json().map((text) => Buffer.from(text)),
      mutated,
    );
    fc.assert(
      fc.property(any, (bytes) => {
        const read = parseRecord(bytes);
        expect('fault' in read ? read.fault : read.assetId).toMatch(/./s);
      }),
    );
  });

  test.each<[string, string | Buffer, RegExp]>([
    ['nothing', '', /not JSON/],
    ['no JSON', '{bad', /not JSON/],
    ['a second value', `${textWith({})}{}`, /not JSON/],
    ['a byte order mark', `\ufeff${textWith({})}`, /not JSON/],
    ['bad UTF-8', Buffer.concat([Buffer.from(textWith({})), Buffer.from([0xff])]), /not JSON/],
    ['UTF-16', Buffer.from(textWith({}), 'utf16le'), /not JSON/],
    ['null', 'null', /not an object/],
    ['a list', '[]', /not an object/],
    ['a text', '"x"', /not an object/],
    ['no transaction id', textWith({ transaction_id: undefined }), /^transaction_id/],
    ['a null transaction id', textWith({ transaction_id: 'null' }), /^transaction_id/],
    ['an empty asset id', textWith({ asset_id: '""' }), /^asset_id/],
    ['a number as asset id', textWith({ asset_id: '5' }), /^asset_id/],
    ['no owner', textWith({ owner_id: undefined }), /^owner_id/],
    ['a list as owner', textWith({ owner_id: '["o"]' }), /^owner_id/],
    ['no hash', textWith({ successor_hash: undefined }), /^successor_hash/],
    ['a short hash', textWith({ successor_hash: `"${'a'.repeat(127)}"` }), /^successor_hash/],
    ['a hash in capitals', textWith({ successor_hash: `"${'A'.repeat(128)}"` }), /^successor_hash/],
    [
      'a hash and a newline',
      textWith({ successor_hash: `"${'a'.repeat(128)}\\n"` }),
      /^successor_hash/,
    ],
    [
      'a bcrypt hash',
      textWith({ successor_hash: '"$2b$10$abcdefghijklmnopqrstuv"' }),
      /^successor_hash/,
    ],
    [
      'an endless PHC string',
      textWith({ successor_hash: `"$argon2id$${'a'.repeat(400)}"` }),
      /^successor_hash/,
    ],
    ['no time', textWith({ transaction_time: undefined }), /^transaction_time/],
    ['a fraction of a ms', textWith({ transaction_time: '1.5' }), /^transaction_time/],
    ['a negative time', textWith({ transaction_time: '-1' }), /^transaction_time/],
    ['a time as text', textWith({ transaction_time: '"1"' }), /^transaction_time/],
    ['a time beyond 2^53', textWith({ transaction_time: '9007199254740992' }), /^transaction_time/],
    ['an infinite time', textWith({ transaction_time: '1e400' }), /^transaction_time/],
    ['an infinite number', textWith({ metadata: '{"a":[{"b":-1e400}]}' }), /^metadata/],
    ['too many bytes', `${textWith({})}${' '.repeat(MAX_RECORD_BYTES)}`, /^record of \d+ bytes/],
    ['fields of the prototype', `{"__proto__":${textWith({})}}`, /^transaction_id/],
  ])('finds the fault: %s', (_, text, fault) => {
    expect(parseRecord(Buffer.from(text))).toEqual({ fault: expect.stringMatching(fault) });
  });

  test.each<[string, Readonly<Record<string, string | undefined>>, Partial<TransactionRecord>]>([
    ['metadata left out', { metadata: undefined }, { metadata: null }],
    ['metadata that is no object', { metadata: '[1]' }, { metadata: [1] }],
    ['fields that nobody knows', { extra: '1' }, {}],
    ['a time in another notation', { transaction_time: '17e11' }, { transactionTime: 1.7e12 }],
    ['the time zero', { transaction_time: '0' }, { transactionTime: 0 }],
    ['an argon2id hash', { successor_hash: '"$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA"' }, {}],
    ['a transaction id that is no UUID', { transaction_id: '"v1.0"' }, {}],
  ])('takes %s', (_, fields, part) => {
    expect(parse(textWith(fields))).toMatchObject(part);
  });

  test('keeps a key named __proto__ a key', () => {
    const read = parse(textWith({ metadata: '{"__proto__":{"polluted":1}}' }));
    expect(read).not.toHaveProperty('fault');
    expect(encodeRecord(read as TransactionRecord).toString()).toContain(
      '"metadata":{"__proto__":{"polluted":1}}',
    );
    expect({}).not.toHaveProperty('polluted');
  });

  test('reads as deep as a record can nest', () => {
    const depth = 30_000;
    const read = parse(textWith({ metadata: `${'['.repeat(depth)}${']'.repeat(depth)}` }));
    expect(read).not.toHaveProperty('fault');
  });
});

describe('metadata that a caller sent', () => {
  const nested = (depth: number): JsonValue => (depth === 0 ? 1 : { in: nested(depth - 1) });

  test.each<[string, unknown]>([
    ['empty', {}],
    ['nested to the limit', nested(16)],
    ['as large as allowed', { x: 'x'.repeat(16 * 1024 - '{"x":""}'.length) }],
    ['with lone surrogates', { '\ud800': '\udc00' }],
  ])('is taken: %s', (_, value) => {
    expect(checkMetadata(value)).toBe(value);
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a text', '{}'],
    ['a list', []],
    ['nested below the limit', nested(17)],
    ['one byte too large', { x: 'x'.repeat(16 * 1024 - '{"x":""}'.length + 1) }],
    ['too large once escaped', { x: '<'.repeat(3_000) }],
    ['an infinite number', { x: [JSON.parse('1e400')] }],
  ])('is refused: %s', (_, value) => {
    expect(() => checkMetadata(value)).toThrow(
      expect.objectContaining({ code: 'METADATA_INVALID' }),
    );
  });

  test('fits into a record with the longest ids', () => {
    const record = {
      ...RECORD,
      assetId: 'a'.repeat(240) as AssetId,
      ownerId: '\u0001'.repeat(512) as OwnerId,
      metadata: checkMetadata({ x: 'x'.repeat(16_000) }),
    };
    expect(encodeRecord(record).length).toBeLessThan(MAX_RECORD_BYTES);
  });
});

/** Every commit's message and metadata.json of a repository. */
function readAll(repository: string): { message: string; bytes: Buffer }[] {
  const log = git(repository, [
    'log',
    '--all',
    '--format=%H %B%x00',
    '--no-walk=unsorted',
    '--tags',
  ]);
  const commits = log.split('\0').flatMap((entry) => {
    const [, id, message] = /^([0-9a-f]{40}) (.*)$/s.exec(entry.trim()) ?? [];
    return id === undefined ? [] : [{ id, message: (message ?? '').trim() }];
  });
  const out = execFileSync('git', ['cat-file', '--batch'], {
    cwd: repository,
    input: commits.map(({ id }) => `${id}:metadata.json\n`).join(''),
    maxBuffer: 1 << 28,
  });
  let at = 0;
  return commits.flatMap(({ message }) => {
    const end = out.indexOf('\n', at);
    const [, type, size] = out.toString('utf8', at, end).split(' ');
    at = end + 1;
    if (type !== 'blob') return [];
    const bytes = out.subarray(at, at + Number(size));
    at += Number(size) + 1;
    return [{ message, bytes }];
  });
}

(existsSync(SAMPLE) ? describe : describe.skip)(
  'the sample of the first chain (skipped where ../shared/beacon-sample is absent)',
  () => {
    test('is written again byte for byte', () => {
      const directory = tempDir();
      git(directory, ['clone', '--quiet', '--mirror', SAMPLE, 'sample.git']);
      const all = readAll(join(directory, 'sample.git'));
      expect(all).toHaveLength(2_535);
      const unlike = all.filter(({ message, bytes }) => {
        const record = parseRecord(bytes);
        return (
          'fault' in record ||
          !encodeRecord(record).equals(bytes) ||
          recordDigest(bytes) !== message
        );
      });
      expect(unlike).toEqual([]);
    });
  },
);

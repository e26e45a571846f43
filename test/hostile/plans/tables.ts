/** Tables and files that are none, places where nothing may be written, and hosts that nobody may ask. */
import { each, type Family } from '../harness/report.ts';
import { document, material, type Node, type PlanCase, times } from './plan-case.ts';

const node = (use: string, fields: object, rest: object = {}): Node => ({ id: 'a', use, in: fields, ...rest });
const one = (use: string, fields: object): PlanCase => ({ plan: () => document([node(use, fields)]) });

/** Laid out by `material.ts`. */
export const TABLES: Readonly<Record<string, () => string | Buffer>> = {
  'columns.csv': () => ','.repeat(1_000_000),
  'names.csv': () => `${times(1000, () => 'a').join(',')}\n${times(1000, () => '1').join(',')}`,
  'open-quote.csv': () => `a,b\n"${'x'.repeat(9 * 2 ** 20)}`,
  'quotes.csv': () => `a,b\n${'"'.repeat(2_000_001)}`,
  'quote-in-the-middle.csv': () => 'a,b\nx"y"z,"1"2',
  'nul.csv': () => 'a,b\n1,\u00002',
  'marks.csv': () => '\ufeff\ufeffa,b\n1,2',
  'prototype.csv': () => '__proto__,constructor,toString\n1,2,3',
  'carriage-returns.csv': () => 'a,b\r1,2\r3,4',
  'no-rows.csv': () => '',
  'empty-lines.csv': () => '\n'.repeat(8_000_000),
  'ragged.csv': () => `a,b\n${'1\n'.repeat(100_000)}`,
  'latin.csv': () => Buffer.from([0x61, 0x2c, 0x62, 0x0a, 0xff, 0xfe, 0x2c, 0x31]),
  'sixteen.csv': () => Buffer.from('\ufeffa,b\n1,2', 'utf16le'),
  'many-rows.csv': () => `a\n${'1\n'.repeat(4_000_000)}`,
  'objects.jsonl': () =>
    `${JSON.stringify(Object.fromEntries(times(1000, (index) => [`f${index}`, 1])))}\n${'{}\n'.repeat(3_000_000)}`,
  'deep.jsonl': () => `{"a":${'['.repeat(400_000)}${']'.repeat(400_000)}}`,
  'prototype.jsonl': () => '{"__proto__": {"polluted": true}}\n{"constructor": 1}',
  'fields.jsonl': () => times(3000, (index) => `{"f${index}": 1}`).join('\n'),
  'no-objects.jsonl': () => '[1]\nnull\n"x"',
  'long-line.jsonl': () => `{"a": "${'x'.repeat(4_000_000)}"}`,
  'half-pairs.jsonl': () => '{"a": "\\ud800", "\\udfff": 1}',
};

const reads = each(
  'table',
  Object.fromEntries(Object.keys(TABLES).map((name) => [name.replaceAll('.', '-'), name])),
  (name): PlanCase =>
    one('tool:read_rows', { path: `tables/${name}`, offset: name === 'objects.jsonl' ? 2_900_000 : 0 }),
);

const asked: Family<PlanCase> = {
  'table-of-no-columns': one('tool:read_rows', {
    path: 'tables/ragged.csv',
    columns: times(1000, (index) => `c${index}`),
    ragged: true,
  }),
  'table-from-far-on': one('tool:read_rows', { path: 'tables/many-rows.csv', offset: 9_007_199_254_740_991 }),
  'table-in-another-script': one('tool:read_rows', { path: 'tables/latin.csv', encoding: 'utf-16le' }),
  'tables-for-every-item': {
    plan: () =>
      document([
        material('m', 'items', 300),
        node('tool:read_rows', { path: 'tables/names.csv', limit: 1 }, { each: '{{m.items}}' }),
      ]),
    ends: 'done',
  },
};

const PLACES: Readonly<Record<string, string>> = {
  outside: '../written.txt',
  absolute: '/tmp/polyphony-hostile-written.txt',
  device: '/dev/null',
  hidden: '.bashrc',
  'hidden-below': 'a/.git/config',
  key: 'id_rsa',
  empty: '',
  dot: '.',
  folder: 'a/',
  nul: 'a\u0000.txt',
  'half-pair': '\ud800.txt',
  long: 'a'.repeat(4000),
  deep: `${'a/'.repeat(1000)}x`,
  backslashes: '..\\..\\x.txt',
  'link-outside': 'up/x.txt',
  newline: 'a\nb.txt',
};

const FORMULAS = ['=1+1', '+1', '-1', '@x', '\t=1', '\r=1', '＝1', '"=1', ' =1', '\ufeff=1', '\n=1', '\u0000=1'];

const writes: Family<PlanCase> = {
  ...each('written', PLACES, (path): PlanCase => one('tool:write_file', { path, text: 'x' })),
  ...each('rows-written', PLACES, (path): PlanCase => one('tool:write_rows', { path, rows: [{ a: 1 }] })),
  'written-by-every-item': {
    plan: () =>
      document([
        material('m', 'items', 500),
        node('tool:write_file', { path: 'same.txt', text: '{{item}}', overwrite: true }, { each: '{{m.items}}' }),
      ]),
  },
  'written-and-taken': {
    plan: () =>
      document([
        node('tool:write_file', { path: 'x', text: 'a' }),
        { ...node('tool:write_file', { path: 'x/y', text: 'b' }), id: 'b', needs: ['a'] },
      ]),
    ends: 'failed',
  },
  'written-formulas': one('tool:write_rows', {
    path: 'formulas.csv',
    rows: FORMULAS.map((cell) => ({ [cell]: cell, __proto__x: [cell], deep: { cell } })),
    escapeFormulas: true,
  }),
  'written-megabytes': {
    plan: () =>
      document([material('big', 'text', 20 * 2 ** 20), node('tool:write_file', { path: 'x', text: '{{big.text}}' })]),
    ends: 'failed',
  },
  'written-garbage': one('tool:write_rows', { path: 'x.csv', rows: [1, 'x', null, [], { a: { b: [] } }] }),
  'written-no-base64': one('tool:write_file', { path: 'x', media: { type: 'base64', data: '%%%' } }),
};

const HOSTS: Readonly<Record<string, string>> = {
  loopback: 'http://127.0.0.1:1/',
  localhost: 'http://localhost:1/',
  'below-localhost': 'http://a.localhost:1/',
  'loopback-six': 'http://[::1]:1/',
  mapped: 'http://[::ffff:7f00:1]/',
  metadata: 'http://169.254.169.254/latest',
  user: 'http://user@127.0.0.1/',
  'at-the-end': 'http://127.0.0.1:80@example.org/',
  fragment: 'http://example.org#@127.0.0.1/',
  'not-allowed': 'https://example.org/',
  'no-host': 'http:///',
  file: 'file:///etc/passwd',
};

const HEADERS: Readonly<Record<string, unknown>> = {
  'line-end': { 'x-a': 'b\r\nhost: c' },
  'line-end-in-name': { 'x-a\r\nhost: c': 'b' },
  host: { Host: 'example.org' },
  prototype: JSON.parse('{"__proto__": "x"}'),
  authorization: { Authorization: 'Bearer x' },
  'other-script': { 'x-a': '😀' },
  'half-pair': { 'x-a': '\ud800' },
  long: { 'x-a': 'b'.repeat(100_000) },
  many: Object.fromEntries(times(1000, (index) => [`x-${index}`, 'b'])),
};

const requests: Family<PlanCase> = {
  ...each('asks', HOSTS, (url): PlanCase => ({ ...one('tool:http_request', { url }), ends: 'failed' })),
  ...each(
    'asks-with',
    HEADERS,
    (headers): PlanCase => one('tool:http_request', { url: 'http://127.0.0.1:1/', headers }),
  ),
  'asks-for-a-secret': one('tool:http_request', { url: 'http://127.0.0.1:1/', secret: '__proto__' }),
  'asks-by-another-method': one('tool:http_request', { url: 'http://127.0.0.1:1/', method: 'CONNECT' }),
  'asks-with-a-long-body': {
    plan: () =>
      document([
        material('big', 'text', 20 * 2 ** 20),
        node('tool:http_request', { url: 'http://127.0.0.1:1/', method: 'POST', body: '{{big.text}}' }),
      ]),
    ends: 'failed',
  },
};

export const tables: readonly Family<PlanCase>[] = [reads, asked, writes, requests];

/**
 * Whatever a provider sends is read in work that is proportional to its length. The work is counted, not timed: the characters
 * and elements that every search, scan and parse looks at. Four times the input may take five times the work, and no more.
 */
import { afterEach, expect, it, vi } from 'vitest';
import { bodyDecoder } from '../../src/kit/http/answer.ts';
import { readFailure } from '../../src/kit/http/http-errors.ts';
import { withoutTags } from '../../src/kit/http/without-tags.ts';
import { isDeep, tryParseJson } from '../../src/kit/json/json-shape.ts';
import { type ToolCallPiece, toolCallAssembler } from '../../src/kit/wires/tool-calls.ts';

afterEach(() => void vi.restoreAllMocks());

/** The characters and elements that `read` looks at by the means that could make it quadratic. */
function workOf(read: () => unknown): number {
  let work = 0;
  const { indexOf, charAt, charCodeAt, startsWith } = String.prototype;
  const { findLast } = Array.prototype;
  const { parse } = JSON;
  vi.spyOn(String.prototype, 'indexOf').mockImplementation(function (this: string, text, from = 0) {
    const at = indexOf.call(this, text, from);
    work += (at === -1 ? this.length : at + text.length) - from;
    return at;
  });
  vi.spyOn(String.prototype, 'charAt').mockImplementation(function (this: string, at) {
    work += 1;
    return charAt.call(this, at);
  });
  vi.spyOn(String.prototype, 'charCodeAt').mockImplementation(function (this: string, at) {
    work += 1;
    return charCodeAt.call(this, at);
  });
  vi.spyOn(String.prototype, 'startsWith').mockImplementation(function (this: string, text, at) {
    work += text.length;
    return startsWith.call(this, text, at);
  });
  vi.spyOn(Array.prototype, 'findLast').mockImplementation(function (this: unknown[], test, self) {
    work += this.length;
    return findLast.call(this, test, self) as unknown;
  });
  vi.spyOn(JSON, 'parse').mockImplementation((text, reviver) => {
    work += text.length;
    return parse(text, reviver) as unknown;
  });
  try {
    read();
  } finally {
    vi.restoreAllMocks();
  }
  return work;
}

function expectLinear(read: (length: number) => () => unknown, length: number): void {
  const once = workOf(read(length));
  const four = workOf(read(4 * length));
  expect(four).toBeLessThanOrEqual(5 * once + 1000);
  expect(once).toBeLessThanOrEqual(40 * length + 1000);
}

const PAGES = [
  '<',
  '<script',
  '<style>',
  '<script></style>',
  '<script></script>',
  '<a>',
  '<a b',
  '< >',
  'x',
  '</script>',
  '<!--',
];

it.each(PAGES)('a web page of %j', (piece) => {
  const page = (length: number) => () => withoutTags(piece.repeat(Math.ceil(length / piece.length)));
  expectLinear(page, 6000);
});

const BODIES = ['<script', '{"error":{"message":"model ', '[', '{"a":', '"', '\\', 'data: ', 'input length ', ' '];

it.each(BODIES)('an error body of %j', (piece) => {
  const body = (length: number) => () => readFailure(400, piece.repeat(Math.ceil(length / piece.length)));
  expectLinear(body, 6000);
});

/** Pieces of tool calls, `length` of them. */
const PIECES: Readonly<Record<string, (index: number) => ToolCallPiece>> = {
  'with an index and an id of their own': (index) => ({ index, id: `c${index}`, name: 't', arguments: '{}' }),
  'with index 0 and new ids': (index) => ({ index: 0, id: `c${index}`, name: 't', arguments: '{}' }),
  'of one call': () => ({ index: 0, id: 'c', name: 't', arguments: 'xxxxxxxx' }),
  'that repeat the name, without ids': (index) => ({ index: 0, name: 't', arguments: index === 0 ? '{"a":"' : 'xx' }),
  'that repeat the name after a broken end': (index) => ({ index: 0, name: 't', arguments: index === 0 ? '{x}' : ' ' }),
  'that repeat the name in spaces': () => ({ index: 0, name: 't', arguments: ' ' }),
  'that repeat the name in words': () => ({ index: 0, name: 't', arguments: 'no' }),
  'that repeat the name in brackets': () => ({ index: 0, name: 't', arguments: '[' }),
  'that repeat the name in quotes': () => ({ index: 0, name: 't', arguments: '"' }),
  'without anything': () => ({ index: 0 }),
};

it.each(Object.entries(PIECES))('tool calls %s', (_name, piece) => {
  const assemble = (length: number) => () => {
    const assembler = toolCallAssembler();
    for (let index = 0; index < length; index += 1) assembler.push(piece(index));
    assembler.finish();
  };
  expectLinear(assemble, 2500);
});

const STREAMS = [
  'data: x',
  'x',
  ': ping\n\n',
  'data:\n\n',
  'data: x\r',
  'event: a\n',
  '[',
  '[1,',
  '{"a":',
  '"\\',
  '[{}],',
];

it.each(STREAMS)('a stream of %j in single bytes', (piece) => {
  for (const json of ['whole', 'elements'] as const) {
    const stream = (length: number) => () => {
      const decoder = bodyDecoder(() => undefined, { json });
      for (const byte of Buffer.from(piece.repeat(Math.ceil(length / piece.length)))) decoder.push(Buffer.from([byte]));
      decoder.end();
    };
    expectLinear(stream, 600);
  }
});

it('JSON that is nested too deep is not read, and any other is', () => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    const nested = (depth: number) => `${open.repeat(depth)}1${close.repeat(depth)}`;
    expect(tryParseJson(nested(1000))).toBeDefined();
    expect(tryParseJson(nested(1001))).toBeUndefined();
    expect(isDeep(nested(100_000))).toBe(true);
    expectLinear((length) => () => tryParseJson(nested(length / 2)), 20_000);
  }
  const text = JSON.stringify({ text: `${'[{'.repeat(5000)}\\"${'\\'.repeat(5000)}` });
  expect(tryParseJson(text)).toEqual(JSON.parse(text));
  expect(tryParseJson(JSON.stringify(Array.from({ length: 5000 }, () => [{}])))).toHaveLength(5000);
  expect(tryParseJson('1'.repeat(1_000_000))).toBe(Number.POSITIVE_INFINITY);
});

/** Bodies that are not what was asked for. */
import { gzipSync } from 'node:zlib';
import { altered, beats, good, inTurn, openEnded, raw, slowly, status } from '../plays.ts';
import type { Scenario } from '../scenario.ts';
import { streamOf, wholeOf } from '../wires.ts';

const EVENTS = { 'content-type': 'text/event-stream' };
const JSON_TYPE = { 'content-type': 'application/json' };
const stream = streamOf('chat').join('');
const page = '<!doctype html><title>Login</title><p>Please log in.';

export const BODIES: readonly Scenario[] = [
  {
    name: 'empty-200',
    shows: 'status 200 without a body is no answer',
    first: raw('', EVENTS),
    expect: { ending: 'failover', attempts: 3, withinMs: 200 },
  },
  {
    name: 'only-done',
    shows: 'a stream of nothing but its end is no answer',
    first: raw('data: [DONE]\n\n', EVENTS),
    expect: { ending: 'failover', withinMs: 200 },
  },
  {
    name: 'only-blanks',
    shows: 'an answer of nothing but blanks is no answer',
    first: good({}, [' ', '\n', '  ']),
    expect: { ending: 'truncated', text: ' \n  ' },
  },
  {
    name: 'web-page-200',
    shows: 'a page to log in where an answer was expected leads to the next target',
    first: raw(page, { 'content-type': 'text/html' }),
    expect: { ending: 'failover', withinMs: 200 },
  },
  {
    name: 'redirect-302',
    shows: 'a redirect is not followed, and leads to the next target',
    first: status(302, { location: 'http://127.0.0.1:9/elsewhere' }, ''),
    expect: { ending: 'failover', withinMs: 200 },
  },
  {
    name: 'json-for-a-stream',
    shows: 'a server that answers a stream with one document is understood',
    first: raw(wholeOf('chat'), JSON_TYPE),
    expect: { ending: 'answer', attempts: 1, withinMs: 0 },
  },
  {
    name: 'stream-for-json',
    shows: 'a server that answers a plain request with a stream is understood',
    streamed: false,
    first: raw(stream, EVENTS),
    expect: { ending: 'answer', attempts: 1, withinMs: 0 },
  },
  {
    name: 'stream-called-json',
    shows: 'a stream that is labelled as JSON is understood',
    first: raw(stream, JSON_TYPE),
    expect: { ending: 'answer', attempts: 1, withinMs: 0 },
  },
  {
    name: 'line-ends-and-mark',
    shows: 'a byte order mark, CRLF and comments between events change nothing',
    first: altered(
      (events) =>
        `\ufeff${events
          .map((event) => `: ping\n${event}`)
          .join('')
          .replaceAll('\n', '\r\n')}`,
    ),
    expect: { ending: 'answer', attempts: 1, withinMs: 0 },
  },
  {
    name: 'split-letters',
    shows: 'letters that are cut between two packets arrive whole',
    first: async (asked) => {
      asked.response.writeHead(200, EVENTS);
      for (const byte of Buffer.from(streamOf('chat', ['Größe 🎵 ', '好']).join(''))) {
        asked.response.write(Uint8Array.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
      asked.response.end();
    },
    expect: { ending: 'answer', attempts: 1, text: 'Größe 🎵 好' },
  },
  {
    name: 'gzip',
    shows: 'a packed stream is unpacked',
    first: altered((events) => gzipSync(events.join('')), { 'content-encoding': 'gzip' }),
    patienceMs: 40,
    expect: { ending: 'answer', attempts: 1, withinMs: 0 },
  },
  {
    name: 'gzip-cut',
    shows: 'a packed document that is cut is no answer',
    streamed: false,
    first: altered(() => gzipSync(wholeOf('chat')).subarray(0, 40), { ...JSON_TYPE, 'content-encoding': 'gzip' }),
    patienceMs: 40,
    expect: { ending: 'failover' },
  },
  {
    name: 'unknown-encoding',
    shows: 'an encoding that nobody knows leads to the next target',
    first: altered((events) => events.join(''), { 'content-encoding': 'zebra' }),
    expect: { ending: 'failover' },
  },
  {
    name: 'malformed-event',
    shows: 'one event that is no JSON does not take the answer with it, and is told',
    first: altered((events) => events.toSpliced(2, 0, 'data: {"choices": [\n\n').join('')),
    expect: { ending: 'answer', attempts: 1, withinMs: 0 },
  },
  {
    name: 'malformed-only',
    shows: 'a stream of nothing but broken events is no answer',
    first: raw('data: {"a\n\n'.repeat(5), EVENTS),
    expect: { ending: 'failover' },
  },
  {
    name: 'error-as-text',
    shows: 'an error in plain words under status 200 leads to the next target',
    first: raw('upstream connect error or disconnect/reset before headers', { 'content-type': 'text/plain' }),
    expect: { ending: 'failover' },
  },
  {
    name: 'beats-only',
    shows: 'a server that only says that it lives is left after the first-token timeout',
    first: beats(),
    expect: { ending: 'failover', afterMs: 10_000, withinMs: 12_000 },
  },
  {
    name: 'open-after-end',
    shows: 'an answer ends at its end, though the connection stays open',
    first: openEnded(undefined),
    expect: { ending: 'answer', attempts: 1, withinMs: 2000 },
  },
  {
    name: 'beats-after-end',
    shows: 'signs of life after the end of an answer prolong nothing',
    first: openEnded(': on\n\n'),
    expect: { ending: 'answer', attempts: 1, withinMs: 2000 },
  },
  {
    name: 'slow-first-word',
    shows: 'a first word after four seconds is waited for',
    first: slowly(4000),
    config: { timeouts: { firstTokenMs: 9000, idleMs: 5000 } },
    expect: { ending: 'answer', attempts: 1, afterMs: 8000 },
  },
  {
    name: 'endless-pauses',
    shows: 'an answer that never stops is ended by the bound on the whole attempt',
    first: async (asked) => {
      asked.response.writeHead(200, EVENTS);
      asked.response.write(streamOf('chat').slice(0, 2).join(''));
      while (await asked.wait(2000))
        asked.response.write('data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n');
    },
    expect: { ending: 'timeout', attempts: 1, text: `Good ${'a'.repeat(20)}`, afterMs: 40_000, withinMs: 41_000 },
  },
  {
    name: 'latency',
    shows: 'a request that is late by four seconds is answered',
    rules: [{ provider: 'first', fault: { type: 'latency', ms: 4000 } }],
    expect: { ending: 'answer', attempts: 1, afterMs: 4000, withinMs: 4000 },
  },
  {
    name: 'latency-above-the-timeout',
    shows: 'a request that is late by six seconds is left, twice',
    rules: [{ provider: 'first', fault: { type: 'latency', ms: 6000 } }],
    expect: { ending: 'failover', attempts: 3, afterMs: 10_000, withinMs: 10_200 },
  },
  {
    name: 'late-once',
    shows: 'a request that was late once is answered by the second try',
    first: inTurn(slowly(6000), good()),
    expect: { ending: 'answer', attempts: 2, afterMs: 5000, withinMs: 5200 },
  },
  ...(['reset', 'stall', 'cut'] as const).flatMap((type) =>
    [0, 1, 60, 150, 500].map(
      (bytes): Scenario => ({
        name: `plugin-${type}-at-${bytes}`,
        shows: `a ${type} after ${bytes} bytes, wherever that is in an event`,
        rules: [{ provider: 'first', fault: { type, at: { bytes } } }],
        expect: { withinMs: 12_000 },
      }),
    ),
  ),
];

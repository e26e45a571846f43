/**
 * What decoding a stream of 500 pieces costs over the bare thing: eventsource-parser and JSON.parse, reading the same
 * chunks from memory, in turns. Ours is the whole provider over a transport that is no network: the encoder, the
 * decoder, and everything that stands between them and who reads.
 *
 *   npm run bench -- decode
 */
import { crc32 } from 'node:zlib';
import { createParser } from 'eventsource-parser';
import { anthropic } from '../../plugins/providers/anthropic.ts';
import { bedrock } from '../../plugins/providers/bedrock.ts';
import { cohere } from '../../plugins/providers/cohere.ts';
import { google } from '../../plugins/providers/google.ts';
import { ollama } from '../../plugins/providers/ollama.ts';
import { openaiCompatible } from '../../plugins/providers/openai-compatible.ts';
import { openaiResponses } from '../../plugins/providers/openai-responses.ts';
import type { Attempt } from '../../src/core/model/model.ts';
import type { Provider, Transport } from '../../src/core/model/provider.ts';
import { systemClock } from '../../src/system/clock.ts';
import { type BenchStream, streams, TEXT } from './decode-streams.ts';
import type { Measurement } from './measurement.ts';

const WARM_UP = 200;
const ROUNDS = 40;
const PER_ROUND = 10;
const MOST = 2;
const LARGE = 16_384;

const options = { baseURL: 'http://127.0.0.1', apiKey: 'bench', models: ['bench'] };
const PROVIDERS: Readonly<Record<string, () => Provider>> = {
  'chat completions': () => openaiCompatible(options),
  responses: () => openaiResponses(options),
  messages: () => anthropic(options),
  generateContent: () => google(options),
  'Cohere chat': () => cohere(options),
  'Ollama chat': () => ollama(options),
  Converse: () => bedrock({ ...options, region: 'bench' }),
};

async function* bodyOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield chunk;
}

type Read = (stream: BenchStream) => Promise<number>;

/** Counts documents, so that nothing is optimised away. */
const FLOORS: Readonly<Record<BenchStream['framing'], Read>> = {
  async events({ chunks }) {
    let documents = 0;
    const onEvent = ({ data }: { readonly data: string }): void => {
      if (data !== '[DONE]' && JSON.parse(data) !== null) documents += 1;
    };
    const parser = createParser({ onEvent });
    const decoder = new TextDecoder();
    for await (const chunk of bodyOf(chunks)) parser.feed(decoder.decode(chunk, { stream: true }));
    return documents;
  },
  /** Where there are no events: the text up to each line's end. */
  async lines({ chunks }) {
    let documents = 0;
    let rest = '';
    const decoder = new TextDecoder();
    for await (const chunk of bodyOf(chunks)) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (JSON.parse(line) !== null) documents += 1;
    }
    return documents;
  },
  /** Both sums are checked, as this wire asks; no header is read, and each chunk is one message. */
  async binary({ chunks }) {
    let documents = 0;
    const decoder = new TextDecoder();
    for await (const chunk of bodyOf(chunks)) {
      const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      const end = view.getUint32(0) - 4;
      if (crc32(chunk.subarray(0, 8)) !== view.getUint32(8)) throw new Error('a wrong sum of a prelude');
      if (crc32(chunk.subarray(0, end)) !== view.getUint32(end)) throw new Error('a wrong sum of a message');
      if (JSON.parse(decoder.decode(chunk.subarray(12 + view.getUint32(4), end))) !== null) documents += 1;
    }
    return documents;
  },
};

function playing({ chunks, contentType }: BenchStream): Transport {
  return {
    async request() {
      return {
        status: 200,
        headers: { 'content-type': contentType },
        body: bodyOf(chunks),
        bytes: async () => Buffer.concat(chunks),
      };
    },
    close: async () => {},
  };
}

function attemptOf(provider: Provider): Attempt {
  return {
    id: 'bench',
    request: { operation: 'chat', messages: [{ role: 'user', content: 'Hello' }] },
    signal: new AbortController().signal,
    purpose: 'answer',
    scopes: [],
    trace: { attempts: [] },
    target: { provider: provider.id, model: 'bench' },
    number: 1,
  };
}

function reader(stream: BenchStream): Read {
  const provider = PROVIDERS[stream.wire]?.();
  if (provider === undefined) throw new Error(`no provider speaks "${stream.wire}"`);
  const context = { transport: playing(stream), clock: systemClock, report() {} };
  const attempt = attemptOf(provider);
  return async () => {
    let length = 0;
    for await (const event of provider.stream(attempt, context))
      if (event.type === 'text-delta') length += event.text.length;
    if (length !== TEXT.length) throw new Error(`${stream.wire}: ${length} letters came of ${TEXT.length}`);
    return length;
  };
}

async function timed(read: Read, stream: BenchStream, count: number): Promise<number> {
  const before = performance.now();
  for (let call = 0; call < count; call += 1) await read(stream);
  return ((performance.now() - before) * 1000) / count;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

async function measure(stream: BenchStream, name: string): Promise<Measurement> {
  const floor = FLOORS[stream.framing];
  const ours = reader(stream);
  await timed(floor, stream, WARM_UP);
  await timed(ours, stream, WARM_UP);
  const pairs: { readonly floor: number; readonly ours: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    pairs.push({ floor: await timed(floor, stream, PER_ROUND), ours: await timed(ours, stream, PER_ROUND) });
  }
  return {
    name,
    value: median(pairs.map((pair) => pair.ours / pair.floor)),
    unit: 'times the floor',
    target: { below: MOST },
    details: {
      microseconds: median(pairs.map((pair) => pair.ours)),
      floorMicroseconds: median(pairs.map((pair) => pair.floor)),
    },
  };
}

function joined(stream: BenchStream): BenchStream {
  const bytes = Buffer.concat(stream.chunks);
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += LARGE) chunks.push(bytes.subarray(at, at + LARGE));
  return { ...stream, chunks };
}

export async function run(): Promise<readonly Measurement[]> {
  const measurements: Measurement[] = [];
  for (const stream of streams()) {
    measurements.push(await measure(stream, stream.wire));
    // Here the bare loop waits a dozen times, a reader of events once an event.
    if (stream.framing === 'events')
      measurements.push(await measure(joined(stream), `${stream.wire}, in chunks of 16 KiB`));
  }
  return measurements;
}

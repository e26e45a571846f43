/**
 * What the gateway costs over the bare thing: undici and JSON.parse (for streams: undici, eventsource-parser and
 * JSON.parse) against the same server, in turns, in the same run. The server is a process of its own.
 *
 *   npm run bench -- calls
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createParser } from 'eventsource-parser';
import { Agent, request } from 'undici';
import { openaiCompatible } from '../../plugins/providers/openai-compatible.ts';
import type { Gateway } from '../../src/core/gateway.ts';
import type { ModelResponse } from '../../src/core/model/model.ts';
import type { Stores } from '../../src/core/stores.ts';
import { createGateway } from '../../src/gateway/create-gateway.ts';
import { createTransport } from '../../src/gateway/transport/transport.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { systemRuntime } from '../../src/system/clock.ts';
import { gatewayWithEverything, OPTIONS, requestOf } from './everything.ts';
import type { Measurement } from './measurement.ts';
import { startUpstream } from './start-upstream.ts';

const MESSAGES = [{ role: 'user' as const, content: 'Say something in a few words.' }];

type Call = (model: string) => Promise<number>;

/** The floor: what anyone would write by hand. Gives the number of chunks or characters, so that nothing is optimised away. */
function floorCalls(url: string): { readonly call: Call; readonly stream: Call; close(): Promise<void> } {
  const dispatcher = new Agent({ connections: 128 });
  const send = (model: string, stream: boolean) =>
    request(`${url}/chat/completions`, {
      dispatcher,
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer bench' },
      body: JSON.stringify({ model, messages: MESSAGES, stream }),
    });
  return {
    async call(model) {
      const { body } = await send(model, false);
      const parsed = JSON.parse(await body.text()) as { choices: { message: { content: string } }[] };
      return parsed.choices[0]?.message.content.length ?? 0;
    },
    async stream(model) {
      const { body } = await send(model, true);
      let chunks = 0;
      const parser = createParser({
        onEvent({ data }) {
          if (data === '[DONE]') return;
          const parsed = JSON.parse(data) as { choices: { delta?: { content?: string } }[] };
          if (parsed.choices[0]?.delta?.content) chunks += 1;
        },
      });
      const decoder = new TextDecoder();
      for await (const bytes of body) parser.feed(decoder.decode(bytes, { stream: true }));
      return chunks;
    },
    close: () => dispatcher.close(),
  };
}

function lengthOf({ content: [part] }: ModelResponse): number {
  return part?.type === 'text' ? part.text.length : 0;
}

function gatewayCalls(
  url: string,
  stores: Stores,
): { readonly call: Call; readonly plain: Call; readonly stream: Call; close(): Promise<void> } {
  const card = (id: string) => ({
    id,
    price: { input: 0.15, output: 0.6 },
    contextTokens: 128_000,
    maxOutputTokens: 4096,
  });
  const provider = openaiCompatible({
    id: 'bench',
    baseURL: url,
    apiKey: 'bench',
    concurrency: 128,
    models: [card('bench'), card('chunks-500')],
  });
  const gateway: Gateway & { close(): Promise<void> } = createGateway({
    providers: [provider],
    config: { budgets: [{ scope: 'session', usd: 1_000_000 }] },
    runtime: systemRuntime,
    keyValue: stores.keyValue,
    ledger: stores.ledger,
    ...(stores.attempts === undefined ? {} : { attempts: stores.attempts }),
    transport: createTransport(),
  });
  const options = { session: 'bench', scopes: [{ kind: 'session' as const, id: 'bench' }] };
  return {
    call: async (model) => lengthOf(await gateway.generate({ model, messages: MESSAGES }, options)),
    plain: async (model) => lengthOf(await gateway.generate({ model, messages: MESSAGES })),
    async stream(model) {
      let chunks = 0;
      for await (const event of gateway.stream({ model, messages: MESSAGES }, options))
        if (event.type === 'text-delta') chunks += 1;
      return chunks;
    },
    async close() {
      await gateway.close();
      await stores.close();
    },
  };
}

function callsWithEverything(
  url: string,
  stores: Stores,
): { readonly call: Call; readonly stream: Call; close(): Promise<void> } {
  const gateway = gatewayWithEverything(url, stores);
  const content = MESSAGES[0]?.content ?? '';
  return {
    call: async (route) => lengthOf(await gateway.generate(requestOf(route, content), OPTIONS)),
    async stream(route) {
      let chunks = 0;
      for await (const event of gateway.stream(requestOf(route, content), OPTIONS))
        if (event.type === 'text-delta') chunks += 1;
      return chunks;
    },
    async close() {
      await gateway.close();
      await stores.close();
    },
  };
}

interface Taken {
  readonly ms: number;
  /** Of the processor, of this process. */
  readonly processorMs: number;
}

/** What `count` calls take with `concurrency` in flight. */
async function timed(call: Call, model: string, count: number, concurrency: number): Promise<Taken> {
  let started = 0;
  const before = performance.now();
  const used = process.cpuUsage();
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (started < count) {
        started += 1;
        if ((await call(model)) === 0) throw new Error('an empty answer');
      }
    }),
  );
  const { user, system } = process.cpuUsage(used);
  return { ms: performance.now() - before, processorMs: (user + system) / 1000 };
}

interface Contest {
  readonly model: string;
  readonly count: number;
  readonly concurrency: number;
  readonly rounds: number;
}

const ONE = { count: 1500, concurrency: 1, rounds: 7 };
const MANY = { count: 6000, concurrency: 64, rounds: 7 };
const STREAMS = { count: 160, concurrency: 32, rounds: 7 };

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

interface Result {
  readonly floorMs: number;
  readonly oursMs: number;
  readonly ratio: number;
  readonly extraMs: number;
  /** The processor time of ours by that of the floor. */
  readonly processorTimes: number;
}

/** In turns, floor and ours, so that a slow minute of the machine hits both; the median of the pairs. */
async function contest(floor: Call, ours: Call, { model, count, concurrency, rounds }: Contest): Promise<Result> {
  // Both as warm as they get: the compiler is done after some thousand calls.
  await timed(floor, model, Math.min(2 * count, 4000), concurrency);
  await timed(ours, model, Math.min(2 * count, 4000), concurrency);
  const pairs: { readonly floor: Taken; readonly ours: Taken }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    pairs.push({
      floor: await timed(floor, model, count, concurrency),
      ours: await timed(ours, model, count, concurrency),
    });
  }
  return {
    floorMs: median(pairs.map((pair) => pair.floor.ms)),
    oursMs: median(pairs.map((pair) => pair.ours.ms)),
    ratio: median(pairs.map((pair) => pair.floor.ms / pair.ours.ms)),
    extraMs: median(pairs.map((pair) => pair.ours.ms - pair.floor.ms)),
    processorTimes: median(pairs.map((pair) => pair.ours.processorMs / pair.floor.processorMs)),
  };
}

export async function run(): Promise<readonly Measurement[]> {
  const upstream = await startUpstream();
  const folder = mkdtempSync(join(tmpdir(), 'polyphony-bench-'));
  const floor = floorCalls(upstream.url);
  const memory = gatewayCalls(upstream.url, memoryStores());
  const every = callsWithEverything(upstream.url, memoryStores());
  const everyStored = callsWithEverything(upstream.url, sqliteStores({ path: join(folder, 'everything.db') }));
  const sqlite = gatewayCalls(upstream.url, sqliteStores({ path: join(folder, 'bench.db') }));
  try {
    const single = await contest(floor.call, memory.call, { model: 'bench', ...ONE });
    const many = await contest(floor.call, memory.call, { model: 'bench', ...MANY });
    const plain = await contest(floor.call, memory.plain, { model: 'bench', ...MANY });
    const stored = await contest(floor.call, sqlite.call, { model: 'bench', ...MANY });
    const streams = await contest(floor.stream, memory.stream, { model: 'chunks-500', ...STREAMS });
    const manyWithAll = await contest(floor.call, every.call, { model: 'announced', ...MANY });
    const storedWithAll = await contest(floor.call, everyStored.call, { model: 'announced', ...MANY });
    const singleWithAll = await contest(floor.call, every.call, { model: 'announced', ...ONE });
    const streamsWithAll = await contest(floor.stream, every.stream, { model: 'announced-chunks-500', ...STREAMS });
    return [
      {
        name: 'with everything on: generate keeps, at concurrency 1',
        value: singleWithAll.ratio,
        unit: 'of the floor’s calls/s',
        target: { atLeast: 0.6 },
        details: { extraMicroseconds: (singleWithAll.extraMs / 1500) * 1000 },
      },
      {
        name: 'with everything on: processor time, at concurrency 1',
        value: singleWithAll.processorTimes,
        unit: '× the floor',
        target: { below: 2.2 },
        details: { withDefaults: single.processorTimes },
      },
      {
        name: 'with everything on: generate keeps, at 64 with the ledger in SQLite',
        value: storedWithAll.ratio,
        unit: 'of the floor’s calls/s',
        target: { atLeast: 0.5 },
        details: { callsPerSecond: 6000 / (storedWithAll.oursMs / 1000) },
      },
      {
        name: 'with everything on: generate keeps, at 64, in memory',
        value: manyWithAll.ratio,
        unit: 'of the floor’s calls/s',
        target: { atLeast: 0.6 },
        details: { callsPerSecond: 6000 / (manyWithAll.oursMs / 1000) },
      },
      {
        name: 'with everything on: streams keep, at 32',
        value: streamsWithAll.ratio,
        unit: 'of the floor’s chunks/s',
        target: { atLeast: 0.7 },
        details: { chunksPerSecond: 80_000 / (streamsWithAll.oursMs / 1000) },
      },
      {
        name: 'generate adds, at concurrency 1',
        value: (single.extraMs / 1500) * 1000,
        unit: 'µs a call',
        target: { below: 80 },
        details: { floorMicroseconds: (single.floorMs / 1500) * 1000 },
      },
      {
        name: 'generate keeps, at 64, a session, a cap, in memory',
        value: many.ratio,
        unit: 'of the floor’s calls/s',
        target: { atLeast: 0.4 },
        details: { floorCallsPerSecond: 6000 / (many.floorMs / 1000), callsPerSecond: 6000 / (many.oursMs / 1000) },
      },
      {
        name: 'the same without session and cap',
        value: plain.ratio,
        unit: 'of the floor’s calls/s',
        details: { callsPerSecond: 6000 / (plain.oursMs / 1000) },
      },
      {
        name: 'generate keeps, at 64 with the ledger in SQLite',
        value: stored.ratio,
        unit: 'of the floor’s calls/s',
        target: { atLeast: 0.3 },
        details: { callsPerSecond: 6000 / (stored.oursMs / 1000) },
      },
      {
        name: 'streams keep, at 32',
        value: streams.ratio,
        unit: 'of the floor’s chunks/s',
        target: { atLeast: 0.35 },
        details: {
          floorChunksPerSecond: 80_000 / (streams.floorMs / 1000),
          chunksPerSecond: 80_000 / (streams.oursMs / 1000),
        },
      },
    ];
  } finally {
    await Promise.all([floor.close(), memory.close(), every.close(), everyStored.close(), sqlite.close()]);
    upstream.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

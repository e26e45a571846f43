/**
 * Time to the first token of a target that stalls 2 % of its answers for 3 seconds, without and with a second target beside slow
 * ones. Two models of one server, over loopback.
 *
 * A second target that starts at the 95th percentile answers about one median later, so how near the 99th comes to the 95th is a
 * matter of the spread: `wide` (sigma 1: the 95th is five medians) has the target of the design, `narrow` (sigma 0.3: less than
 * two medians) shows what is left where answers are nearly alike.
 *
 *   npm run bench -- hedge
 */
import { openaiCompatible } from '../../plugins/providers/openai-compatible.ts';
import type { Config } from '../../src/core/config.ts';
import type { Hedged } from '../../src/core/gateway.ts';
import { createGateway } from '../../src/gateway/create-gateway.ts';
import { createTransport } from '../../src/gateway/transport/transport.ts';
import { commits } from '../../src/kit/streams/stream-head.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { systemRuntime } from '../../src/system/clock.ts';
import type { Measurement } from './measurement.ts';
import { startUpstream } from './start-upstream.ts';

const CALLS = 4000;
/** Until the percentile of the first target is known, nothing is measured. */
const WARM = 600;
const AT_ONCE = 24;

interface Tail {
  readonly p95: number;
  readonly p99: number;
  readonly ratio: number;
  readonly share: number;
}

async function tailOf(url: string, model: string, config: Config): Promise<Tail> {
  const provider = (id: string) =>
    openaiCompatible({
      id,
      baseURL: url,
      apiKey: 'bench',
      models: [{ id: model, price: { input: 1, output: 1 }, contextTokens: 128_000, maxOutputTokens: 4096 }],
    });
  const stores = memoryStores();
  const gateway = createGateway({
    providers: [provider('first'), provider('second')],
    config: { ...config, routes: { main: { chain: [`first/${model}`, `second/${model}`] } } },
    runtime: systemRuntime,
    keyValue: stores.keyValue,
    transport: createTransport(),
  });
  const told: Hedged[] = [];
  gateway.onEvent?.((event) => {
    if (event.type === 'hedged') told.push(event);
  });
  const waits: number[] = [];
  let begun = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (begun < CALLS + WARM) {
        begun += 1;
        waits.push(await firstTokenMs(gateway.stream({ model: { route: 'main' }, prompt: 'Say something.' })));
      }
    }),
  );
  await gateway.close();
  await stores.close();
  const measured = waits.slice(WARM).sort((a, b) => a - b);
  const [p95 = Number.NaN, p99 = Number.NaN] = [0.95, 0.99].map(
    (share) => measured[Math.floor(share * measured.length)],
  );
  return { p95, p99, ratio: p99 / p95, share: told.length / waits.length };
}

async function firstTokenMs(stream: AsyncIterable<Parameters<typeof commits>[0]>): Promise<number> {
  const before = performance.now();
  let first = Number.NaN;
  for await (const event of stream) if (Number.isNaN(first) && commits(event)) first = performance.now() - before;
  return first;
}

export async function run(): Promise<readonly Measurement[]> {
  const upstream = await startUpstream();
  try {
    const figures: Measurement[] = [];
    for (const [name, model] of [
      ['wide', 'late-60-1.0-0.02'],
      ['narrow', 'late-60-0.3-0.02'],
    ] as const) {
      const alone = await tailOf(upstream.url, model, {});
      const both = await tailOf(upstream.url, model, { hedge: {} });
      figures.push({
        name: `p99 of the first token with a second target, ${name}`,
        value: both.ratio,
        unit: '× the p95',
        ...(name === 'wide' ? { target: { below: 1.3 } } : {}),
        details: {
          p95Ms: both.p95,
          p99Ms: both.p99,
          shareOfCalls: both.share,
          aloneP95Ms: alone.p95,
          aloneP99Ms: alone.p99,
        },
      });
    }
    return figures;
  } finally {
    upstream.stop();
  }
}

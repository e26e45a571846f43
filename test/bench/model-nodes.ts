/**
 * What a node that asks a model takes beside the same call of the gateway alone: its templates, its records, its money and its
 * events. Both stream, as a node does, and both in processor time.
 *
 *   npm run bench -- model-nodes
 */
import { openaiCompatible } from '../../plugins/providers/openai-compatible.ts';
import type { Plan } from '../../src/core/plan/plan.ts';
import { createPolyphony } from '../../src/polyphony.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import type { Measurement } from './measurement.ts';
import { startUpstream } from './start-upstream.ts';

const MODEL = 'chunks-1';
const ITEMS = 18;
/** The items, and a node before and after them. */
const NODES = ITEMS + 2;
const RUNS = 100;
const ROUNDS = 7;

/** Model nodes before, in and after an `each`; takes `{ what, list }`. */
export const modelPlan: Plan = {
  version: 1,
  input: {
    type: 'object',
    properties: { what: { type: 'string' }, list: { type: 'array', items: { type: 'string' } } },
    required: ['what', 'list'],
  },
  nodes: [
    { id: 'first', use: 'llm', in: { prompt: 'Is {{input.what}} so?' } },
    {
      id: 'each',
      use: 'llm',
      each: '{{input.list}}',
      in: { prompt: 'And {{item}}? {{first}}' },
      limits: { retries: 1 },
    },
    { id: 'last', use: 'llm', when: 'size(each) > 0', in: { prompt: 'All of {{each}}?' } },
  ],
  output: '{{last}}',
};

async function processorMs(work: () => Promise<unknown>): Promise<number> {
  const used = process.cpuUsage();
  for (let run = 0; run < RUNS; run += 1) await work();
  const { user, system } = process.cpuUsage(used);
  return (user + system) / 1000;
}

export async function run(): Promise<readonly Measurement[]> {
  const upstream = await startUpstream();
  const card = { id: MODEL, price: { input: 0.15, output: 0.6 }, contextTokens: 128_000, maxOutputTokens: 4096 };
  const provider = openaiCompatible({ id: 'bench', baseURL: upstream.url, apiKey: 'bench', models: [card] });
  const polyphony = await createPolyphony({
    plugins: [{ name: 'bench', providers: [provider] }],
    defaults: false,
    config: {},
    stores: memoryStores({ endedRuns: 1 }),
  });
  const list = Array.from({ length: ITEMS }, (_, index) => `item ${index}`);
  const asRun = (): Promise<unknown> => polyphony.run(modelPlan, { what: 'it', list });
  const ask = async (content: string): Promise<void> => {
    const messages = [{ role: 'user', content }] as const;
    for await (const _event of polyphony.gateway.stream({ model: `bench/${MODEL}`, messages }));
  };
  const asCalls = async (): Promise<void> => {
    await ask('Is it so?');
    await Promise.all(list.map((item) => ask(`And ${item}? Yes.`)));
    await ask('All of them?');
  };
  try {
    const floors: number[] = [];
    const ours: number[] = [];
    for (let round = -1; round < ROUNDS; round += 1) {
      const [floor, own] = [await processorMs(asCalls), await processorMs(asRun)];
      // The first round warms both.
      if (round < 0) continue;
      floors.push(floor);
      ours.push(own);
    }
    const [floorMs, ownMs] = [Math.min(...floors), Math.min(...ours)];
    const microseconds = (ms: number): number => (ms * 1000) / RUNS / NODES;
    return [
      {
        name: 'processor time of a node that asks a model',
        value: ownMs / floorMs,
        unit: '× its call alone',
        details: { floorMicroseconds: microseconds(floorMs), nodeMicroseconds: microseconds(ownMs) },
      },
    ];
  } finally {
    await polyphony.close();
    upstream.stop();
  }
}

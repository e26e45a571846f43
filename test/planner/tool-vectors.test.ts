import { expect, it } from 'vitest';
import { createPolyphony, definePlugin, PolyphonyError } from '../../src/index.ts';
import { fakeCard, fakeProvider, fakeRuntime } from '../../src/testing/index.ts';

const PLAN = JSON.stringify({ version: 1, nodes: [{ id: 'a', use: 'value', in: { x: 1 } }], output: '{{a.x}}' });
const tools = Array.from({ length: 60 }, (_, index) => ({
  name: index === 59 ? 'post_letter' : `store_${index}`,
  description: index === 59 ? 'Sends mail.' : `Keeps box ${index}.`,
  input: { type: 'object' },
  run: async () => ({}),
}));

async function planned(embedFails: boolean) {
  const embedded: number[] = [];
  let prompt = '';
  const provider = fakeProvider({
    id: 'p',
    models: [
      fakeCard({ id: 'planner', capabilities: ['text', 'streaming', 'planning'] }),
      fakeCard({ id: 'vectors', operations: ['embed'], price: { input: 1000, output: 0 } }),
    ],
    script: ({ request }) => {
      if (request.operation === 'embed') {
        embedded.push(request.input.length);
        if (embedFails) throw new Error('it is down');
        const vectors = request.input.map((text, index) => (index === 0 || text.includes('letter') ? [0, 1] : [1, 0]));
        return [
          { type: 'output', output: { operation: 'embed', vectors } },
          { type: 'finish', reason: 'stop', usage: { input: 100, output: 0 } },
        ];
      }
      if (request.operation === 'chat') prompt = JSON.stringify(request.messages);
      return PLAN;
    },
  });
  const polyphony = await createPolyphony({
    runtime: fakeRuntime(),
    environment: false,
    providers: [provider],
    plugins: [definePlugin({ name: 'many', tools })],
  });
  const reported: (number | null)[] = [];
  const onAnswer = ({ costNanoUsd }: { readonly costNanoUsd: number | null }) => reported.push(costNanoUsd);
  const first = await polyphony.plan('correspondence', { onAnswer });
  const second = await polyphony.plan('correspondence', { onAnswer });
  await polyphony.close();
  return { embedded, prompt, first, second, reported };
}

it('finds tools by meaning, embeds each once, and reports what that cost with the first answer', async () => {
  const { embedded, prompt, first, second, reported } = await planned(false);
  expect(prompt).toContain('tool:post_letter(');
  expect(embedded[0]).toBeGreaterThan(60);
  expect(embedded[1]).toBe(1);
  expect(reported).toEqual([first.costNanoUsd, second.costNanoUsd]);
  expect(first.costNanoUsd ?? 0).toBeGreaterThanOrEqual(100_000_000);
});

it('plans by words where that fails', async () => {
  expect((await planned(true)).first.model).toBe('p/planner');
});

/** Two plannings at the same time, whose embedding calls are answered in turn by what `answers` says; each may be aborted. */
async function plannedAtOnce(answers: readonly ('vectors' | 'fails' | 'hangs')[], abortsMs: readonly number[] = []) {
  const embedded: number[] = [];
  const prompts: string[] = [];
  const runtime = fakeRuntime();
  const provider = fakeProvider({
    id: 'p',
    runtime,
    models: [
      fakeCard({ id: 'planner', capabilities: ['text', 'streaming', 'planning'] }),
      fakeCard({ id: 'vectors', operations: ['embed'], price: { input: 1000, output: 0 } }),
    ],
    script: ({ request }) => {
      if (request.operation !== 'embed') {
        prompts.push(request.operation === 'chat' ? JSON.stringify(request.messages) : '');
        return PLAN;
      }
      const answer = answers[embedded.push(request.input.length) - 1] ?? 'vectors';
      if (answer === 'hangs') return [{ hang: true }];
      const fault = new PolyphonyError('invalid-request', 'It takes no such text.');
      if (answer === 'fails') return [{ waitMs: 50 }, { fail: fault }];
      const vectors = request.input.map((text) => (/letter|correspondence/.test(text) ? [0, 1] : [1, 0]));
      return [
        { waitMs: 50 },
        { type: 'output', output: { operation: 'embed', vectors } },
        { type: 'finish', reason: 'stop', usage: { input: 100, output: 0 } },
      ];
    },
  });
  const polyphony = await createPolyphony({
    runtime,
    environment: false,
    providers: [provider],
    plugins: [definePlugin({ name: 'many', tools })],
  });
  const endsMs: number[] = [];
  const begun = runtime.clock.monotonic();
  const plannings = [0, 1].map(async (which) => {
    const controller = new AbortController();
    const abortMs = abortsMs[which];
    if (abortMs !== undefined) runtime.clock.schedule(abortMs, () => controller.abort());
    const planned = await polyphony
      .plan('correspondence', { signal: controller.signal })
      .catch((error: unknown) => error);
    endsMs[which] = runtime.clock.monotonic() - begun;
    return planned;
  });
  let results: readonly unknown[] | undefined;
  void Promise.all(plannings).then((both) => {
    results = both;
  });
  for (let turn = 0; turn < 500 && results === undefined; turn += 1) await runtime.clock.advance(10);
  await polyphony.close();
  return { embedded, results, endsMs, found: prompts.filter((prompt) => prompt.includes('tool:post_letter(')).length };
}

it('embeds tools once for plannings at the same time', async () => {
  const { embedded, found } = await plannedAtOnce([]);
  expect(embedded).toHaveLength(2);
  expect([embedded[0] ?? 0, embedded[1]]).toEqual([expect.any(Number), 1]);
  expect(embedded[0]).toBeGreaterThan(60);
  expect(found).toBe(2);
});

it.each([
  ['fails', []],
  ['hangs', [20]],
] as const)('embeds them for itself where the other planning %s', async (how, abortsMs) => {
  const { embedded, results, found } = await plannedAtOnce([how], abortsMs);
  expect(embedded).toHaveLength(3);
  expect(embedded[1]).toBe(1);
  expect(embedded[2]).toBeGreaterThanOrEqual(60);
  expect(results?.[1]).toMatchObject({ model: 'p/planner' });
  expect(found).toBe(1);
  if (how === 'hangs') expect(results?.[0]).toMatchObject({ code: 'cancelled' });
});

it('waits for the other planning no longer than it is wanted itself', async () => {
  const { results, endsMs } = await plannedAtOnce(['hangs'], [900, 200]);
  expect(results).toMatchObject([{ code: 'cancelled' }, { code: 'cancelled' }]);
  expect(endsMs[1]).toBeLessThan(300);
});

import { expect, it } from 'vitest';
import { createPolyphony, definePlugin } from '../../src/index.ts';
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

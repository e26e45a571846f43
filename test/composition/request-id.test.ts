/** The caller's own id of a run reaches each of its calls: those of its planner, its nested runs and its resumes, too. */
import { expect, test } from 'vitest';
import { createPolyphony } from '../../src/polyphony.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { fakeCard, fakeProvider } from '../../src/testing/fakes.ts';

const inner = { version: 1, id: 'inner', nodes: [{ id: 'say', use: 'llm', in: { prompt: 'Hi' } }] } as const;
const plan = {
  version: 1,
  workflows: { inner: { nodes: [...inner.nodes] } },
  nodes: [
    { id: 'first', use: 'llm', in: { prompt: 'One' } },
    { id: 'below', use: 'workflow:inner', needs: ['first'] },
    { id: 'ask', use: 'human', in: { question: 'Go on?' }, needs: ['below'] },
    { id: 'last', use: 'llm', in: { prompt: '{{ask.answer}}' } },
  ],
} as const;

async function opened(stores = memoryStores()) {
  const provider = fakeProvider({ script: () => 'said' });
  const polyphony = await createPolyphony({ providers: [provider], stores });
  return { polyphony, stores, ids: () => provider.seen.map(({ requestId }) => requestId) };
}

test('and stands in its record', async () => {
  const first = await opened();
  const handle = await first.polyphony.start(plan, {}, { requestId: 'order-4711' });
  expect((await handle.result()).status).toBe('suspended');
  expect(first.ids()).toEqual(['order-4711', 'order-4711']);
  const started: unknown[] = [];
  for await (const event of first.polyphony.engine.replay(handle.runId))
    if (event.type === 'run-started') started.push(event.requestId);
  expect(started).toEqual(['order-4711']);
  const { polyphony, ids } = await opened(first.stores);
  const answered = await polyphony.runs.answer(handle.runId, 'ask', 'yes');
  expect((await answered.result()).status).toBe('done');
  expect(ids()).toEqual(['order-4711']);
});

test('and that of a run that plans its request', async () => {
  const answer = JSON.stringify({ version: 1, nodes: [{ id: 'a', use: 'llm', in: { prompt: 'Hi' } }] });
  for (const streaming of [true, false]) {
    const planner = fakeCard({ id: 'planner', capabilities: ['text', 'streaming', 'json-mode', 'planning'] });
    const provider = fakeProvider({
      models: [planner],
      script: ({ purpose }) => (purpose === 'planner' ? answer : 'said'),
    });
    const polyphony = await createPolyphony({ providers: [provider] });
    const handle = await polyphony.start('Greet somebody.', {}, { requestId: 'order-1', streaming });
    expect(await handle.result()).toMatchObject({ status: 'done' });
    expect(provider.seen.map(({ requestId, purpose }) => [purpose, requestId])).toEqual([
      ['planner', 'order-1'],
      ['answer', 'order-1'],
    ]);
    await polyphony.close();
  }
});

test('which a header cannot hold is refused', async () => {
  const { polyphony, ids } = await opened();
  for (const requestId of ['', 'with space', 'x'.repeat(513), 'é']) {
    const refused = { code: 'invalid-request', message: expect.stringContaining('of a run cannot be sent') };
    await expect(polyphony.start(plan, {}, { requestId })).rejects.toMatchObject(refused);
  }
  expect(ids()).toEqual([]);
});

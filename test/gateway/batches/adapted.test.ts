/** Calls that are not urgent, and may be adapted to their model: only those that are, cannot be part of a batch. */
import { expect, it } from 'vitest';
import type { ModelCard } from '../../../src/core/model/provider.ts';
import { harness } from '../harness.ts';
import { batchProvider, CARD, fakeServer } from './vendor.ts';

const BATCHED = { urgency: 'batch' } as const;
const CHAT = { operation: 'chat', maxOutputTokens: 50 } as const;

it('calls that may be adapted wait for a batch where they need not be, and are made at once where they are', async () => {
  const made = (more: Partial<ModelCard>) =>
    harness({
      providers: (runtime) => [{ ...batchProvider(fakeServer(), runtime), models: [{ ...CARD, ...more }] }],
      config: { batches: {}, adapt: { toolsInPrompt: true, fit: 'middle-out' } },
    });
  const placed = (content: string, tools: readonly string[], more: Partial<ModelCard> = {}) =>
    made(more).gateway.explain(
      {
        ...CHAT,
        messages: [{ role: 'user', content }],
        tools: tools.map((name) => ({ name, inputSchema: { type: 'object' } })),
      },
      BATCHED,
    ).batched;
  const waits = { target: { provider: 'fake', model: 'one' } };
  const live = { live: 'it is adapted to its model, which is decided when it is sent' };
  expect(placed('Hello.', [])).toEqual(waits);
  // By its bytes it might be too long, by its words it is not.
  expect(placed('word '.repeat(30_000), [])).toEqual(waits);
  expect(placed('word '.repeat(130_000), [])).toEqual(live);
  expect(placed('Hello.', ['search'])).toEqual(waits);
  expect(placed('Hello.', ['search'], { capabilities: ['text', 'system'] })).toEqual(live);
});

/** A run that goes on in a process without the steps and tools of its plan says what is missing and how to give it. */
import { describe, expect, it } from 'vitest';
import type { Plan, Plugin } from '../../src/index.ts';
import { createPolyphony } from '../../src/index.ts';
import { memoryStores } from '../../src/stores/memory.ts';

const stamps: Plugin = {
  name: 'stamps',
  tools: [
    {
      name: 'stamp',
      description: 'Stamps a letter.',
      input: { type: 'object' },
      output: { type: 'object' },
      run: async () => ({}),
    },
  ],
};
const plan: Plan = {
  version: 1,
  nodes: [
    { id: 'ask', use: 'human', in: { question: 'Stamp it?' } },
    { id: 'a', use: 'tool:stamp', needs: ['ask'] },
  ],
  output: '{{a}}',
};

describe('a run in a process that lacks what its plan names', () => {
  it.each(['resume', 'fork'] as const)('is told by %s how to give it, and stays as it was', async (entry) => {
    const stores = memoryStores();
    const open = (plugins: readonly Plugin[]) => createPolyphony({ plugins, environment: false, stores });
    const first = await open([stamps]);
    const { runId } = await first.run(plan);
    const lacking = await open([]);
    const going = entry === 'resume' ? lacking.resume(runId) : lacking.runs.fork(runId, { from: 'ask' });
    await expect(going).rejects.toMatchObject({
      code: 'invalid-plan',
      message: expect.stringMatching(/tool:stamp[\s\S]*createPolyphony \(workflows: \[it\]\), or the plugins/),
    });
    expect(await first.runs.show(runId)).toMatchObject({ status: 'suspended' });
    await first.engine.answer(runId, 'ask', 'yes');
    expect((await (await first.resume(runId)).result()).status).toBe('done');
  });
});

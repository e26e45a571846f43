/** A living process continues what it suspended at the moment that the run waits for, and only it, and only once. */
import { describe, expect, it } from 'vitest';
import { createPolyphony, type Plan, type PolyphonyOptions } from '../../src/index.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { fakeRuntime } from '../../src/testing/index.ts';

const ASKING: Plan = {
  version: 1,
  nodes: [
    {
      id: 'ask',
      use: 'human',
      in: { question: 'Well?' },
      limits: { seconds: 600 },
      onError: { value: { answer: 'nobody', approved: false } },
    },
  ],
  output: '{{ask.answer}}',
};

async function open(more: Partial<PolyphonyOptions> = {}) {
  const runtime = fakeRuntime();
  const polyphony = await createPolyphony({ plugins: [], runtime, ...more });
  const statusOf = async (runId: string) => (await polyphony.runs.show(runId)).status;
  return { runtime, polyphony, statusOf };
}

describe('a suspended run', () => {
  it('goes on at its moment, and not before', async () => {
    const { polyphony, runtime, statusOf } = await open();
    const { runId, status } = await polyphony.run(ASKING);
    expect(status).toBe('suspended');
    await runtime.clock.advance(599_999);
    expect(await statusOf(runId)).toBe('suspended');
    await runtime.clock.advance(1);
    expect(await polyphony.runs.show(runId)).toMatchObject({ status: 'done', output: 'nobody' });
    const types: string[] = [];
    for await (const { type } of polyphony.runs.replay(runId)) types.push(type);
    expect(types.filter((type) => type === 'run-resumed').length).toBe(1);
    await polyphony.close();
  });

  it('is not continued again where somebody answered, cancelled or resumed it before', async () => {
    const { polyphony, runtime } = await open();
    const answered = await polyphony.run(ASKING);
    await (await polyphony.runs.answer(answered.runId, 'ask', 'me')).result();
    const cancelled = await polyphony.run(ASKING);
    await polyphony.runs.cancel(cancelled.runId);
    const resumed = await polyphony.run(ASKING);
    await (await polyphony.resume(resumed.runId)).result();
    await runtime.clock.advance(700_000);
    const outputs = [answered, cancelled, resumed].map(async ({ runId }) => {
      const { status, output } = await polyphony.runs.show(runId);
      return [status, output];
    });
    expect(await Promise.all(outputs)).toEqual([
      ['done', 'me'],
      ['cancelled', undefined],
      ['done', 'nobody'],
    ]);
    await polyphony.close();
    expect(runtime.clock.pending()).toBe(0);
  });

  it('goes on in the process that is asked to recover', async () => {
    const stores = { ...memoryStores(), close: async () => undefined };
    const first = await open({ stores });
    const { runId } = await first.polyphony.run(ASKING);
    await first.polyphony.close();
    await first.runtime.clock.advance(700_000);
    expect(first.runtime.clock.pending()).toBe(0);
    const second = await open({ stores, recover: true });
    await second.runtime.clock.advance(599_000);
    expect(await second.statusOf(runId)).toBe('suspended');
    await second.runtime.clock.advance(1000);
    expect(await second.polyphony.runs.show(runId)).toMatchObject({ status: 'done', output: 'nobody' });
    await second.polyphony.close();
  });

  it('leaves no timer behind when the process closes', async () => {
    const { polyphony, runtime } = await open();
    await polyphony.run(ASKING);
    await polyphony.close();
    expect(runtime.clock.pending()).toBe(0);
  });
});

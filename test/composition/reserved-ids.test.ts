/** A request that is planned before its run begins: who comes second with the id pays no planner. */
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../src/core/plan/plan.ts';
import { createPolyphony } from '../../src/polyphony.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { fakeCard, fakeProvider } from '../../src/testing/index.ts';

const PLAN: Plan = { version: 1, nodes: [{ id: 'a', use: 'value', in: { x: 1 } }], output: '{{a.x}}' };

async function program(stores = memoryStores()) {
  const asked: string[] = [];
  const provider = fakeProvider({
    models: [fakeCard({ id: 'planner', capabilities: ['text', 'streaming', 'json-mode', 'planning'] })],
    script: () => {
      asked.push('a plan');
      return JSON.stringify(PLAN);
    },
  });
  const polyphony = await createPolyphony({ plugins: [], providers: [provider], stores });
  const start = async (runId: string, streaming = false): Promise<unknown> => {
    try {
      const handle = await polyphony.start('Give one', {}, { runId, streaming });
      const { status, error } = await handle.result();
      return error?.code ?? status;
    } catch (error) {
      return (error as { readonly code: string }).code;
    }
  };
  return { polyphony, start, asked };
}

describe('a request that is planned first', () => {
  it.each([[[false, false]], [[false, true]], [[true, false]], [[true, true]]])(
    'is planned once, where two start it at the same time (streaming: %s)',
    async ([one, two]) => {
      const { polyphony, start, asked } = await program();
      const codes = await Promise.all([start('order', one), start('order', two)]);
      expect(codes.filter((code) => code === 'done')).toHaveLength(1);
      expect(codes.filter((code) => code === 'invalid-request' || code === 'store-busy')).toHaveLength(1);
      expect(asked).toHaveLength(1);
      await polyphony.close();
    },
  );

  it('is planned in one of two programs, and not at all where the run exists', async () => {
    const stores = memoryStores();
    const [one, two] = [await program(stores), await program(stores)];
    const codes = await Promise.all([one.start('order'), two.start('order')]);
    expect(codes.toSorted()).toEqual(['done', 'store-busy']);
    expect([...one.asked, ...two.asked]).toHaveLength(1);
    expect(await two.start('order')).toBe('invalid-request');
    expect([...one.asked, ...two.asked]).toHaveLength(1);
    await one.polyphony.close();
  });
});

import { describe, expect, it } from 'vitest';
import { collected, finished, harness } from './harness.ts';
import { validPlan } from './valid-plan.ts';

describe('a run', () => {
  it('renders references, runs in order and renders the output', async () => {
    const h = harness();
    const plan = validPlan({
      nodes: [
        { id: 'a', use: 'step', in: { text: 'hello {{input.name}}' } },
        { id: 'b', use: 'step', in: { said: '{{a.text}}!', list: '{{input.list}}' } },
      ],
      output: { said: '{{b.said}}', list: '{{b.list}}', cost: '{{b.meta.costUsd}}' },
    });
    const handle = h.engine.start(plan, { input: { name: 'you', list: [1, 2] } });
    const result = await handle.result();
    expect(result).toMatchObject({ status: 'done', output: { said: 'hello you!', list: [1, 2], cost: 0 } });
    const events = await collected(handle.events());
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index));
    expect(events.map(({ type }) => type)).toEqual([
      'run-started',
      'node-ready',
      'node-started',
      'node-finished',
      'node-ready',
      'node-started',
      'node-finished',
      'run-finished',
    ]);
    expect(h.runtime.clock.pending()).toBe(0);
  });

  it('fails when a node fails, and says which', async () => {
    const h = harness({
      step: () => {
        throw new Error('no luck');
      },
    });
    const result = await finished(h, validPlan({ nodes: [{ id: 'a', use: 'step' }] }));
    expect(result).toMatchObject({ status: 'failed', error: { code: 'plugin-failed', message: 'no luck' } });
  });
});

/** What the reader of a run sees of text that starts again inside a nested run. */
import { describe, expect, it } from 'vitest';
import type { ModelEvent } from '../../src/core/model/model.ts';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import type { RunEvent } from '../../src/core/run/engine.ts';
import { nestedText } from '../../src/runners/nested-text.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { run } from './run-node.ts';

const restarted: readonly ModelEvent[] = [
  { type: 'text-delta', text: 'Once upo' },
  { type: 'restart', notice: 'From the beginning.' },
  { type: 'route', target: { provider: 'fake', model: 'two' } },
  { type: 'text-delta', text: 'Twice.' },
];
const tale: PlanNode = { id: 'tale', use: 'llm', in: { prompt: 'Tell one.' } };
const FLOWS = new Map([
  ['tell', validPlan({ nodes: [tale], output: '{{tale.text}}' })],
  ['around', validPlan({ nodes: [{ id: 'inside', use: 'workflow:tell' }], output: '{{inside}}' })],
  [
    'after',
    validPlan({
      nodes: [
        { id: 'title', use: 'llm', in: { prompt: 'A title.' } },
        { ...tale, needs: ['title'] },
      ],
      output: '{{title.text}} {{tale.text}}',
    }),
  ],
]);
const workflows = (id: string) => FLOWS.get(id);

/** What a reader shows who appends text, and clears it when it is void. */
const shownOf = (events: readonly RunEvent[]): string => {
  let shown = '';
  for (const event of events) {
    if (event.type === 'node-delta') shown = event.restart === true ? '' : shown + event.text;
  }
  return shown;
};

describe('a stream that starts again inside a nested run', () => {
  it.each(['tell', 'around'])('starts again at the node around it: %s', async (id) => {
    const { events, result } = await run([restarted], { id: 'outer', use: `workflow:${id}` }, { workflows });
    expect(result).toMatchObject({ status: 'done', output: { outer: 'Twice.' } });
    expect(events.filter(({ type }) => type === 'node-delta')).toMatchObject([
      { nodeId: 'outer', text: 'Once upo' },
      { nodeId: 'outer', text: 'From the beginning.', restart: true },
      { nodeId: 'outer', text: 'Twice.' },
    ]);
  });

  it('keeps what the other nodes of the nested run said', async () => {
    const { events, result } = await run(['Fox.', restarted], { id: 'outer', use: 'workflow:after' }, { workflows });
    expect(result).toMatchObject({ status: 'done', output: { outer: 'Fox. Twice.' } });
    expect(shownOf(events)).toBe('Fox.Twice.');
  });

  it('starts again at its own item alone', async () => {
    const pile: PlanNode = { id: 'pile', use: 'value', in: { all: [1, 2] } };
    const outer: PlanNode = { id: 'outer', use: 'workflow:tell', each: '{{pile.all}}', limits: { concurrency: 1 } };
    const { events } = await run(['Whole.', restarted], [pile, outer], { workflows });
    const restarts = events.filter((event) => event.type === 'node-delta' && event.restart === true);
    expect(restarts).toMatchObject([{ nodeId: 'outer', item: 1 }]);
  });

  it('says again no more than a bound', () => {
    const emitted: string[] = [];
    const show = nestedText((text) => emitted.push(text));
    const event = (nodeId: string, text: string, restart?: true) =>
      show({ type: 'node-delta', seq: 0, at: 0, runId: 'r', nodeId, text, ...(restart && { restart }) });
    event('long', 'x'.repeat(600_000));
    for (let time = 0; time < 50; time += 1) event('short', '', true);
    expect(emitted.join('').length).toBe(1_200_000);
  });
});

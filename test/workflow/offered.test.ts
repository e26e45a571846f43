/** Workflows and tools that a node offers to a model: the plan names them, and holds the workflows. */
import { describe, expect, it } from 'vitest';
import { defineStep, llm, t, tool, value, type Workflow, workflow } from '../../src/workflow/index.ts';

const lookUp = tool<{ readonly word: string }, { readonly meaning: string }>('look_up');
const helper = (id: string, word: string): Workflow<unknown, unknown> =>
  workflow({ id, input: { word: 'string' } })
    .node('said', value, (c) => ({ in: { text: t`${word} ${c.input.word}` } }))
    .output((c) => ({ text: c.said.text })) as Workflow<unknown, unknown>;
const asking = (tools: readonly (Workflow<unknown, unknown, false> | string)[], id = 'asking') =>
  workflow({ id, input: { word: 'string' } })
    .node('answer', llm, (c) => ({ in: { prompt: c.input.word, tools } }))
    .output((c) => ({ text: c.answer.text }));
const portable = (id: string, word: string) => helper(id, word) as Workflow<unknown, unknown, false>;

describe('a workflow among the tools', () => {
  it('stands in the plan, and tools under their names', () => {
    const { plan } = asking([portable('dictionary', 'of'), lookUp as never, 'calculate']);
    expect(Object.keys(plan.workflows ?? {})).toEqual(['dictionary']);
    expect(plan.nodes[0]?.in?.tools).toEqual(['workflow:dictionary', 'look_up', 'calculate']);
  });

  it('is offered to agents too', () => {
    const { plan } = workflow({ id: 'desk' })
      .node('desk', llm, () => ({
        in: {
          prompt: 'Hello',
          agents: { other: { system: 'You look up.', tools: [portable('dictionary', 'of'), lookUp] } },
        },
      }))
      .output((c) => c.desk.text);
    expect(Object.keys(plan.workflows ?? {})).toEqual(['dictionary']);
    expect(plan.nodes[0]?.in?.agents).toEqual({
      other: { system: 'You look up.', tools: ['workflow:dictionary', 'look_up'] },
    });
  });

  it('keeps its meaning where another one of its name is in the plan', () => {
    const inner = asking([portable('dictionary', 'inner')], 'inner');
    const { plan } = workflow({ id: 'outer', input: { word: 'string' } })
      .node('own', portable('dictionary', 'outer') as never, (c) => ({ in: { word: c.input.word } as never }))
      .node('inner', inner, (c) => ({ in: { word: c.input.word } }))
      .output(() => ({}));
    const { workflows = {} } = plan;
    expect(Object.keys(workflows)).toEqual(['dictionary', 'dictionary-2', 'inner']);
    expect(workflows.inner?.nodes[0]?.in?.tools).toEqual(['workflow:dictionary-2']);
    expect(workflows['dictionary-2']?.nodes[0]?.in).toEqual({ text: 'inner {{input.word}}' });
  });

  it('may stand there twice, but not two of one id', () => {
    expect(() => asking([portable('one', 'a'), portable('one', 'a')])).not.toThrow();
    expect(() => asking([portable('one', 'a'), portable('one', 'b')])).toThrow(/"one".*another id/);
  });

  it('stays outside where it has code, and is brought along', () => {
    const step = defineStep({ name: 'own', input: {}, output: { text: 'string' }, run: () => ({ text: 'x' }) });
    const coded = workflow({ id: 'coded' })
      .node('x', step, () => ({ in: {} }))
      .output((c) => ({ text: c.x.text }));
    const built = asking([coded as never]);
    expect(built.plan.workflows).toBeUndefined();
    expect(built.plan.nodes[0]?.in?.tools).toEqual(['workflow:coded']);
    expect(built.workflows.map(({ id }) => id)).toEqual(['coded']);
    expect(() => asking([step as never])).toThrow(/"own".*only tools and workflows/);
  });
});

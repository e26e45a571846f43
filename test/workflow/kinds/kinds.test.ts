/** The kinds of workflow that people write: they compile (the files beside this one), and what they compile to is valid. */
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../../src/core/plan/plan.ts';
import type { StepType } from '../../../src/core/plan/validation.ts';
import { validate } from '../../../src/validator/validate.ts';
import type { Workflow } from '../../../src/workflow/index.ts';
import { catalogue } from '../../validator/catalogue.ts';
import * as nodes from '../node-types.types.ts';
import * as batches from './batches.types.ts';
import * as loops from './loops.types.ts';
import * as people from './people.types.ts';

type AnyWorkflow = Pick<Workflow<unknown, unknown>, 'id' | 'plan' | 'workflows' | 'inputSchema'>;

const kinds = { ...loops, ...people, ...batches };
const built: AnyWorkflow[] = [...Object.values(kinds), ...Object.values(nodes)].flatMap((one) =>
  typeof one === 'object' ? [one as AnyWorkflow] : [],
);

const everyUse = (plan: Plan): string[] =>
  plan.nodes.flatMap(({ use, undo }) =>
    [use, typeof undo === 'object' ? undo.use : undo].filter((one) => one !== undefined),
  );

function stepsOf({ plan, workflows }: AnyWorkflow): StepType[] {
  const given = plan.nodes.flatMap((node) => (Array.isArray(node.in?.tools) ? node.in.tools : []));
  const tools = [...everyUse(plan).filter((use) => use.startsWith('tool:')), ...given.map((name) => `tool:${name}`)];
  const open = { type: 'object' };
  return [
    ...[...new Set(tools)].map((use) => ({ use, description: use, input: open, sideEffects: true })),
    ...workflows.map(({ id, inputSchema }) => ({ use: `workflow:${id}`, description: id, input: inputSchema })),
  ];
}

describe('the kinds of workflow', () => {
  it('are sixteen', () => {
    expect(Object.keys(kinds)).toHaveLength(16);
  });

  it.each(built.map((one) => [one.id, one] as const))('%s is a valid plan', (_, one) => {
    const { issues, repaired } = validate(one.plan, catalogue({ steps: stepsOf(one) }));
    expect(issues.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(repaired).toEqual([]);
  });
});

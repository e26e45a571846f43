import { describe, expect, it } from 'vitest';
import { isClosable } from '../../../src/kit/json/closable-schema.ts';
import { validateJson } from '../../../src/kit/json/json-schema.ts';
import { toDialect } from '../../../src/kit/json/schema-dialects.ts';
import { estimateTokens } from '../../../src/kit/models/tokens.ts';
import { closedSchema } from '../../../src/kit/wires/closed-schema.ts';
import { plainPlan } from '../../../src/planner/form/plain-plan.ts';
import { planShape } from '../../../src/planner/form/plan-shape.ts';
import { closedNode, closedPlan } from '../../eval/closed-plan.ts';
import { TASKS } from '../../eval/tasks/index.ts';

const GOLDS = TASKS.flatMap(({ id, golds }) => golds.map((gold) => ({ id, gold })));
const usesOf = (plan: (typeof GOLDS)[number]['gold']): string[] =>
  [...plan.nodes, ...Object.values(plan.workflows ?? {}).flatMap(({ nodes }) => nodes)]
    .map(({ use }) => use)
    .filter((use) => !Object.hasOwn(plan.workflows ?? {}, use.slice('workflow:'.length)));

describe('the closed schema of plans', () => {
  const schema = planShape('closed', 'plan', ['llm', 'value', 'tool:a']);

  it.each(['plan', 'nodes'] as const)('of a %s is one that every strict dialect takes whole', (wanted) => {
    const shape = planShape('closed', wanted, ['llm', 'value']);
    expect(isClosable(shape)).toBe(true);
    const strict = toDialect(shape, 'strict-subset');
    expect(strict.warnings).toEqual([]);
    // Nothing is optional, so nothing has to be written as null.
    expect(strict.schema).toEqual(shape);
    expect(closedSchema(shape)).toBeDefined();
  });

  it.each(GOLDS)('has a place for everything of the good plan of $id', ({ gold }) => {
    const written = closedPlan(gold);
    expect(validateJson(planShape('closed', 'plan', usesOf(gold)), written).ok).toBe(true);
    const { id: _id, ...plan } = gold;
    expect(plainPlan(written, 'closed')).toEqual({ goal: '', ...withoutEmpty(plan) });
  });

  it.each(GOLDS.slice(0, 20))('of a repair has a place for the nodes of $id', ({ gold }) => {
    const written = { replace: gold.nodes.map((node) => closedNode(node)), more: [{ name: 'output', value: 'x' }] };
    expect(validateJson(planShape('closed', 'nodes', usesOf(gold)), written).ok).toBe(true);
  });

  it('lists the steps that can be named, and no more than 64', () => {
    const other = { goal: '', more: [], nodes: [{ id: 'a', use: 'tool:none', in: [], more: [] }], output: '' };
    expect(validateJson(schema, other).ok).toBe(false);
    const many = Array.from({ length: 65 }, (_, index) => `tool:t${index}`);
    expect(validateJson(planShape('closed', 'plan', many), other).ok).toBe(true);
  });

  it('is shorter than 900 tokens, and the open one than 600', () => {
    expect(estimateTokens(JSON.stringify(schema))).toBeLessThan(900);
    expect(estimateTokens(JSON.stringify(planShape('open', 'plan', ['llm', 'value', 'tool:a'])))).toBeLessThan(600);
  });
});

it.each(GOLDS)('the open schema takes the good plan of $id as it is', ({ gold }) => {
  expect(validateJson(planShape('open', 'plan', []), gold).ok).toBe(true);
});

/** An object without fields and no object are the same plan. */
function withoutEmpty(value: object): object {
  return JSON.parse(JSON.stringify(value), (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner) && Object.keys(inner).length === 0
      ? undefined
      : inner,
  );
}

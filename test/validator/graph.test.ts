import { describe, expect, it } from 'vitest';
import type { Plan } from '../../src/core/plan/plan.ts';
import { criticalPath, cycleOf, generationsOf, graphKey, planGraph } from '../../src/validator/graph.ts';
import { validate } from '../../src/validator/validate.ts';
import { catalogue, longPlan, TICKET } from './catalogue.ts';

const ask = (id: string, prompt: string, more: object = {}) => ({ id, use: 'llm', in: { prompt }, ...more });
const plan = (...nodes: Plan['nodes']): Plan => ({ version: 1, nodes });

describe('planGraph', () => {
  it('has the dependencies of the valid plan as its edges', () => {
    for (const raw of [TICKET, longPlan(60), plan(ask('a', 'x'), ask('b', 'x', { needs: ['a'] }))]) {
      const valid = validate(raw, catalogue()).plan;
      const graph = planGraph(raw);
      for (const { node, dependencies } of valid?.nodes ?? []) {
        expect(graph.inNeighbors(graphKey(node.id)).sort()).toEqual(dependencies.map(graphKey).sort());
      }
    }
  });

  it('tells data from control', () => {
    const graph = planGraph(
      plan(ask('a', 'x'), ask('b', 'x', { needs: ['a'] }), ask('c', '{{a.text}}', { needs: ['a'] })),
    );
    expect(graph.edges().map((edge) => graph.getEdgeAttribute(edge, 'kind'))).toEqual(['control', 'data']);
  });

  it('takes ids that objects have properties for', () => {
    const graph = planGraph(plan(ask('constructor', 'x'), ask('__proto__', '{{constructor.text}}')));
    expect(graph.nodes()).toEqual(['node:constructor', 'node:__proto__']);
    expect(graph.size).toBe(1);
    expect(generationsOf(graph)).toEqual([['constructor'], ['__proto__']]);
  });
});

describe('what is asked of it', () => {
  it('generations', () => {
    expect(generationsOf(planGraph(TICKET))).toEqual([['kind', 'docs'], ['notes'], ['bill', 'tech']]);
  });

  it('cycles, with their path', () => {
    const graph = planGraph(
      plan(ask('a', 'x'), ask('b', '{{a.text}} {{d.text}}'), ask('c', '{{b.text}}'), ask('d', '{{c.text}}')),
    );
    expect(cycleOf(graph)).toEqual(['b', 'c', 'd', 'b']);
    expect(generationsOf(graph)).toBeUndefined();
    expect(cycleOf(planGraph(plan(ask('a', '{{a.text}}'))))).toEqual(['a', 'a']);
    expect(cycleOf(planGraph(longPlan(100)))).toBeUndefined();
  });

  it('the critical path', () => {
    const valid = validate(TICKET, catalogue()).plan;
    expect(valid && criticalPath(valid)).toEqual({
      ids: ['docs', 'notes', 'bill'],
      expectedMs: valid?.estimate.expectedMs,
    });
  });
});

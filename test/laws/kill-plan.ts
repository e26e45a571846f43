/** The plan of the kill law: chains, joins, items and rounds, some 300 ms of work at four slots. */
import type { Plan, PlanNode } from '../../src/core/plan/plan.ts';

export const KILL_COST = 11;
const LAYERS = 14;

function layer(index: number): PlanNode[] {
  const before = index === 0 ? [] : [`chain${index - 1}`, `join${index - 1}`];
  return [
    {
      id: `chain${index}`,
      use: 'step',
      in: { ms: 3 + (index % 4) },
      ...(index === 0 ? {} : { needs: [`chain${index - 1}`] }),
    },
    { id: `side${index}`, use: 'step', in: { ms: 2 }, needs: before },
    { id: `items${index}`, use: 'step', in: { ms: 2, item: '{{item}}' }, each: '{{input.list}}', needs: before },
    { id: `rounds${index}`, use: 'step', in: { ms: 2 }, repeat: { until: 'self.round >= 3', max: 5 }, needs: before },
    {
      id: `join${index}`,
      use: 'step',
      in: { ms: 1, of: [`{{side${index}.key}}`, `{{items${index}}}`, `{{rounds${index}.key}}`] },
    },
  ];
}

const nodes = Array.from({ length: LAYERS }, (_, index) => layer(index)).flat();

export const killPlan: Plan = {
  version: 1,
  nodes,
  output: Object.fromEntries(nodes.map(({ id }) => [id, `{{${id}}}`])),
};
export const KILL_INPUT = { list: ['a', 'b', 'c'] };

/** Calls that a run makes when nothing interrupts it: per layer three nodes, three items, three rounds. */
export const KILL_CALLS = LAYERS * (3 + 3 + 3);

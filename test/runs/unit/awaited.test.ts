/** Which nodes the end of a run waits for, by the estimate of its plan. */
import { describe, expect, test } from 'vitest';
import type { ValidNode, ValidPlan } from '../../../src/core/plan/plan.ts';
import { awaitedNodes } from '../../../src/runs/unit/awaited.ts';
import { harness, settled } from '../../executor/harness.ts';
import { validPlan } from '../../executor/valid-plan.ts';

/** Nodes as `id: [milliseconds, dependencies]`, in topological order. */
function planOf(nodes: Readonly<Record<string, readonly [number, readonly string[]]>>): ValidPlan {
  const names = Object.keys(nodes);
  const after = (id: string): number => {
    const behind = names.filter((other) => nodes[other]?.[1].includes(id) === true);
    return (nodes[id]?.[0] ?? 0) + Math.max(0, ...behind.map(after));
  };
  const valid = names.map((id) => ({
    node: { id },
    dependencies: nodes[id]?.[1] ?? [],
    estimate: { expectedMs: nodes[id]?.[0] ?? 0 },
    priority: after(id),
  }));
  return { nodes: valid as unknown as readonly ValidNode[] } as ValidPlan;
}

describe('awaited nodes', () => {
  test('are those on the longest path, and those that would be on it if they took twice as long', () => {
    const plan = planOf({
      ask: [1000, []],
      long: [4000, ['ask']],
      short: [1000, ['ask']],
      nearly: [2500, ['ask']],
      join: [500, ['long', 'short', 'nearly']],
    });
    expect([...awaitedNodes(plan)]).toEqual(['ask', 'long', 'nearly', 'join']);
  });

  test('are all of them where all take as long, or no time at all', () => {
    expect([...awaitedNodes(planOf({ a: [5, []], b: [5, []] }))]).toEqual(['a', 'b']);
    expect([...awaitedNodes(planOf({ a: [0, []] }))]).toEqual(['a']);
    expect([...awaitedNodes(planOf({}))]).toEqual([]);
  });
});

test('a run tells it with each call, when it is asked', async () => {
  const told = new Map<string, boolean | undefined>();
  const h = harness({
    step: (call) => {
      told.set(call.node.id, call.isAwaited?.());
      return {};
    },
  });
  const plan = validPlan(
    {
      nodes: [
        { id: 'long', use: 'step' },
        { id: 'short', use: 'step' },
        { id: 'join', use: 'step', needs: ['long', 'short'] },
      ],
    },
    { expected: { long: { ms: 5000 }, short: { ms: 100 }, join: { ms: 100 } } },
  );
  await settled(h, h.engine.start(plan));
  expect(Object.fromEntries(told)).toEqual({ long: true, short: false, join: true });
});

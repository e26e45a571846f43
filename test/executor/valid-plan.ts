/** Valid plans for tests of the executor, without the validator: dependencies from the references, estimates as given. */
import { createHash } from 'node:crypto';
import {
  DEFAULT_BOUNDS,
  markValid,
  type NodeEstimate,
  type Plan,
  type PlanBounds,
  type PlanNode,
  REFERENCE_HEADS,
  type ValidNode,
  type ValidPlan,
} from '../../src/core/plan/plan.ts';
import { compileCondition } from '../../src/language/condition.ts';
import { listReferences } from '../../src/language/template.ts';

export interface Expected {
  readonly ms?: number;
  readonly expectedUsd?: number;
  readonly highUsd?: number;
}

export interface ValidPlanOptions {
  readonly bounds?: Partial<PlanBounds>;
  readonly expected?: Readonly<Record<string, Expected>>;
  /** Leave all priorities 0, as when no time is known. @default false */
  readonly unknownTimes?: boolean;
}

const HEADS: ReadonlySet<string> = new Set(REFERENCE_HEADS);

export function validPlan(plan: Omit<Plan, 'version'> & { version?: 1 }, options: ValidPlanOptions = {}): ValidPlan {
  const whole: Plan = { ...plan, version: 1 };
  const expected = options.expected ?? {};
  const shells = whole.nodes.map((node, index) => shellOf(node, index, estimateOf(expected[node.id])));
  const priorities = options.unknownTimes ? new Map<string, number>() : longestPaths(shells);
  const nodes = shells.map((shell) => ({ ...shell, priority: priorities.get(shell.node.id) ?? 0 }));
  return markValid({
    plan: whole,
    hash: createHash('sha256').update(JSON.stringify(whole)).digest('hex'),
    nodes,
    estimate: estimateOf(undefined),
    bounds: { ...DEFAULT_BOUNDS, ...options.bounds },
  });
}

function shellOf(node: PlanNode, index: number, estimate: NodeEstimate): ValidNode {
  const found = listReferences([node.in, node.each, node.session]);
  const paths = found.flatMap(({ reference }) => reference.alternatives.filter(({ type }) => type === 'path'));
  const heads = [...paths.map((path) => (path.type === 'path' ? path.head : '')), ...conditionHeads(node)];
  const data = [...new Set(heads)].filter((head) => !HEADS.has(head) && head !== node.id);
  const dependencies = [...new Set([...data, ...(node.needs ?? [])])];
  const hasFallback = found.some(({ reference }) => reference.alternatives.length > 1);
  return { node, index, data, dependencies, hasFallback, estimate, priority: 0 };
}

function conditionHeads(node: PlanNode): string[] {
  return [node.when, node.repeat?.until].flatMap((source) => {
    if (source === undefined) return [];
    const compiled = compileCondition(source, { heads: () => true });
    return compiled.ok ? compiled.condition.references.map(({ head }) => head) : [];
  });
}

function estimateOf({ ms = 1, expectedUsd = 0, highUsd = expectedUsd }: Expected = {}): NodeEstimate {
  const nano = (usd: number): number => Math.round(usd * 1e9);
  return {
    lowNanoUsd: nano(expectedUsd),
    expectedNanoUsd: nano(expectedUsd),
    highNanoUsd: nano(highUsd),
    expectedMs: ms,
  };
}

/** Expected time from the start of each node to the end of the longest path behind it. */
function longestPaths(nodes: readonly ValidNode[]): Map<string, number> {
  const behind = new Map<string, number>();
  for (const { node, dependencies, estimate } of [...nodes].reverse()) {
    const path = estimate.expectedMs + (behind.get(node.id) ?? 0);
    behind.set(node.id, path);
    for (const id of dependencies) behind.set(id, Math.max(behind.get(id) ?? 0, path));
  }
  return behind;
}

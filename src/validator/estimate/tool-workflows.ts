/** What the workflows cost that a model may call in the rounds of its node. */
import { addMoney, type NanoUsd } from '../../core/money/money.ts';
import { bareTool, workflowsOf } from '../../core/plan/offered-tools.ts';
import type { NodeEstimate, PlanBounds, PlanNode } from '../../core/plan/plan.ts';
import { isRecord } from '../document/document.ts';
import { MOST_ROUNDS, TOOL_ROUNDS } from './assumptions.ts';
import { boundedCap, DEFAULT_MS } from './priced-candidates.ts';

export const times = (cost: NanoUsd | null, count: number): NanoUsd | null =>
  cost === null ? null : Math.ceil(cost * count);

/** Rounds in which the model may call tools. */
export function roundsOf({ in: inputs }: PlanNode, { toolRounds }: Pick<PlanBounds, 'toolRounds'>): number {
  const asked = inputs?.rounds;
  return typeof asked === 'number' ? Math.max(1, Math.min(asked, MOST_ROUNDS)) : Math.min(TOOL_ROUNDS, toolRounds);
}

interface ToolLimit {
  readonly calls: number;
  readonly nanoUsd: NanoUsd | undefined;
}

/** What the node allows the calls of a tool to be, together. */
function limitOf(name: string, toolLimits: unknown): ToolLimit {
  const given = isRecord(toolLimits) ? (toolLimits[name] ?? toolLimits[bareTool(name)]) : undefined;
  const { calls, usd } = isRecord(given) ? given : { calls: given, usd: undefined };
  return {
    calls: typeof calls === 'number' && calls >= 0 ? calls : Number.POSITIVE_INFINITY,
    nanoUsd: typeof usd === 'number' && usd >= 0 ? boundedCap(usd) : undefined,
  };
}

/** Under a cap a model without a price is refused. */
function within(cost: NanoUsd | null, { nanoUsd }: ToolLimit): NanoUsd | null {
  if (nanoUsd === undefined) return cost;
  return cost === null ? nanoUsd : Math.min(cost, nanoUsd);
}

export interface ToolWorkflows {
  readonly expectedNanoUsd: NanoUsd | null;
  readonly highNanoUsd: NanoUsd | null;
  readonly ms: number;
}

/**
 * Of each workflow one call is expected. At most there is one call a round, of the dearest as far as `toolLimits` allow it, then
 * of the next.
 *
 * @returns undefined where the model may call none
 */
export function toolWorkflows(
  node: PlanNode,
  bounds: Pick<PlanBounds, 'toolRounds'>,
  estimateOf: (name: string) => NodeEstimate | undefined,
): ToolWorkflows | undefined {
  const names = node.use === 'llm' ? workflowsOf(node) : [];
  if (names.length === 0) return undefined;
  const called = [...new Set(names)].map((name) => ({
    limit: limitOf(name, node.in?.toolLimits),
    inner: estimateOf(name),
  }));
  const dearest = called.toSorted((a, b) => highOf(b.inner) - highOf(a.inner));
  let [expectedNanoUsd, highNanoUsd]: (NanoUsd | null)[] = [0, 0];
  let rounds = roundsOf(node, bounds);
  let ms = 0;
  for (const { limit, inner } of dearest) {
    const usual = Math.min(1, limit.calls);
    const most = Math.min(rounds, limit.calls);
    rounds -= most;
    expectedNanoUsd = addMoney(expectedNanoUsd ?? null, within(priced(inner?.expectedNanoUsd, usual), limit));
    highNanoUsd = addMoney(highNanoUsd ?? null, within(priced(inner?.highNanoUsd, most), limit));
    ms += usual * (inner?.expectedMs ?? DEFAULT_MS);
  }
  return { expectedNanoUsd: expectedNanoUsd ?? null, highNanoUsd: highNanoUsd ?? null, ms };
}

/** What costs nobody knows how much comes first. */
const highOf = (inner: NodeEstimate | undefined): number => inner?.highNanoUsd ?? Number.MAX_SAFE_INTEGER;

const priced = (cost: NanoUsd | null | undefined, count: number): NanoUsd | null =>
  count === 0 ? 0 : times(cost ?? null, count);

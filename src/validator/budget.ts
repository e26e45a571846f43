/** Checks whether the plan can run within its budget, and whether its limits contradict each other. */
import type { NanoUsd } from '../core/money/money.ts';
import { formatUsd } from '../core/money/money.ts';
import type { PlanNode } from '../core/plan/plan.ts';
import { intentBounds } from '../kit/requests/intent.ts';
import type { NodeAnalysis, PlanAnalysis } from './analysis/plan-analysis.ts';
import type { AnalysisEstimate } from './estimate/estimate.ts';
import { boundedCap } from './estimate/priced-candidates.ts';

export function checkBudget(estimate: AnalysisEstimate, analysis: PlanAnalysis): void {
  const { budget } = analysis.plan;
  analysis.nodes.forEach((nodeAnalysis, place) => {
    checkNode(nodeAnalysis, estimate.nodes[place]?.estimate.lowNanoUsd ?? null, analysis);
  });
  if (budget?.usd !== undefined) {
    const cap = boundedCap(budget.usd);
    const { lowNanoUsd: low, expectedNanoUsd: expected } = estimate;
    if (low !== null && low > cap) {
      const message = `The plan costs at least ${formatUsd(low)}, but its budget.usd is ${formatUsd(cap)}: raise budget.usd, or use cheaper models or fewer nodes.`;
      analysis.report.add('budget.infeasible', '/budget/usd', message, {
        expected: { atLeast: low / 1e9 },
        got: budget.usd,
      });
    } else if (low === null || expected === null) reportUnpriced(estimate, analysis);
  }
  if (budget?.seconds !== undefined && estimate.expectedMs > budget.seconds * 1000) {
    const seconds = Math.ceil(estimate.expectedMs / 1000);
    const message = `The longest path is expected to take ${seconds} s, but budget.seconds is ${budget.seconds}: raise budget.seconds, or shorten the path.`;
    analysis.report.add('budget.slow', '/budget/seconds', message, {
      expected: { atLeast: seconds },
      got: budget.seconds,
    });
  }
}

function reportUnpriced(estimate: AnalysisEstimate, analysis: PlanAnalysis): void {
  const ids = estimate.nodes
    .filter((node) => node.estimate.expectedNanoUsd === null || node.estimate.lowNanoUsd === null)
    .map(({ id }) => id);
  const message = `No price is known for the models of ${ids.slice(0, 10).join(', ')}, so the budget cannot be checked: give them a price in the config. Under a cap the gateway refuses models without a price unless the config allows them.`;
  analysis.report.add('budget.unpriced', '/budget/usd', message, { got: ids.slice(0, 50) });
}

function checkNode({ node, pointer }: NodeAnalysis, low: NanoUsd | null, analysis: PlanAnalysis): void {
  checkIntent(node, pointer, low, analysis);
  const { limits } = node;
  if (limits === undefined) return;
  if (limits.usd !== undefined && low !== null && low > boundedCap(limits.usd)) {
    const message = `Node "${node.id}" costs at least ${formatUsd(low)}, but its limits.usd is ${formatUsd(boundedCap(limits.usd))}: raise limits.usd, or ask for a cheaper model.`;
    analysis.report.add('budget.infeasible', `${pointer}/limits/usd`, message, {
      expected: { atLeast: low / 1e9 },
      got: limits.usd,
    });
  }
  const asked = node.in?.maxTokens;
  if (limits.tokens !== undefined && typeof asked === 'number' && asked > limits.tokens) {
    const message = `Node "${node.id}" asks for up to ${asked} tokens (in.maxTokens), but its limits.tokens is ${limits.tokens}: raise limits.tokens, or ask for fewer tokens.`;
    analysis.report.add('limits.contradiction', `${pointer}/limits/tokens`, message, {
      expected: { atLeast: asked },
      got: limits.tokens,
    });
  }
  checkAgainstBudget(node.id, pointer, limits, analysis);
}

/** The bound of a call: a node that makes one for each item, or each part of its texts, may cost more. */
function checkIntent(node: PlanNode, pointer: string, low: NanoUsd | null, analysis: PlanAnalysis): void {
  const usd = usdOf(node.model?.intent);
  if (usd === undefined || low === null || low <= boundedCap(usd) || node.use !== 'llm' || node.each !== undefined)
    return;
  const message = `Node "${node.id}" costs at least ${formatUsd(low)}, but its model.intent allows ${formatUsd(boundedCap(usd))}: raise the bound, or ask for a cheaper model.`;
  analysis.report.add('budget.infeasible', `${pointer}/model/intent`, message, {
    expected: { atLeast: low / 1e9 },
    got: usd,
  });
}

/** Undefined where the intent has no such bound, or is reported as not understood. */
function usdOf(intent: NonNullable<PlanNode['model']>['intent']): number | undefined {
  try {
    return intent === undefined ? undefined : intentBounds(intent).usd;
  } catch {
    return undefined;
  }
}

interface Limits {
  readonly usd?: number | undefined;
  readonly seconds?: number | undefined;
}

/** A node limit above the budget of the whole run is a mistake in one of the two numbers. */
function checkAgainstBudget(id: string, pointer: string, limits: Limits, analysis: PlanAnalysis): void {
  const { budget } = analysis.plan;
  for (const field of ['usd', 'seconds'] as const) {
    const [own, plan] = [limits[field], budget?.[field]];
    if (own === undefined || plan === undefined || own <= plan) continue;
    const message = `limits.${field} of node "${id}" is ${own}, but budget.${field} of the whole plan is ${plan}: lower the limit, or raise the budget.`;
    analysis.report.add('limits.contradiction', `${pointer}/limits/${field}`, message, {
      expected: { atMost: plan },
      got: own,
    });
  }
}

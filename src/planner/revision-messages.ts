/** What the planner reads when it writes a plan again: bounded, however large the plan and its outputs are. */
import { firstOf } from '../core/json/cut-text.ts';
import type { Message } from '../core/model/model.ts';
import { formatUsd, usdToNano } from '../core/money/money.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { DearerPlan, PlanFailure } from '../core/plan/planner.ts';
import { shownJson } from '../language/shown.ts';

/** Characters shown per finished output: the planner needs to know what is there, not all of its text. */
const SHOWN_OUTPUT = 400;
/** Of all finished outputs together; those that are left out are named. */
const SHOWN_OUTPUTS = 24_000;
const SHOWN_REASON = 2000;
/** Of a plan: above this its long texts are shortened. */
const SHOWN_PLAN = 60_000;
const SHOWN_TEXT = 200;

/** The plan that failed, or that a node does without, why, and the outputs that are finished. */
export function revisionMessages(failure: PlanFailure): Message[] {
  const content = [
    reasonOf(failure),
    `These nodes are finished; keep them exactly as they are, their outputs are kept:\n${finishedText(failure.finished)}`,
    'Write the whole plan again, so that it reaches the goal another way. JSON alone.',
  ];
  return [
    { role: 'assistant', content: planText(failure.plan) },
    { role: 'user', content: content.join('\n\n') },
  ];
}

function reasonOf({ failed: { nodeId, error }, cause }: PlanFailure): string {
  const why = firstOf(error.message, SHOWN_REASON);
  if (cause === 'asked') return `The plan ran, and node "${nodeId}", which is finished, asks for another plan: ${why}`;
  if (cause === 'stalled') return `The plan ran, and node "${nodeId}" makes no progress: ${why}`;
  return `The plan ran, and node "${nodeId}" failed for good (${error.code}): ${why}`;
}

function finishedText(finished: PlanFailure['finished']): string {
  const lines: string[] = [];
  const unshown: string[] = [];
  let left = SHOWN_OUTPUTS;
  for (const [id, output] of Object.entries(finished)) {
    const line = `${id}: ${left > 0 ? shownJson(output, Math.min(SHOWN_OUTPUT, left), SHOWN_OUTPUT) : ''}`;
    if (left > 0) lines.push(line);
    else unshown.push(id);
    left -= line.length;
  }
  if (unshown.length > 0) lines.push(`finished too, not shown: ${unshown.join(', ')}`);
  return lines.join('\n') || 'none';
}

/** The plan that is too dear, with the figures and what is wanted instead. */
export function dearerMessages({ plan, expectedUsd, capUsd }: DearerPlan): Message[] {
  const figures = `${formatUsd(usdToNano(expectedUsd))}, but the run may spend ${formatUsd(usdToNano(capUsd))}`;
  const how = 'fewer or cheaper calls of models, the tier "fast", smaller inputs, less repetition';
  return [
    { role: 'assistant', content: planText(plan) },
    {
      role: 'user',
      content: `This plan is expected to cost ${figures}. Write the whole plan again, cheaper: ${how}. JSON alone.`,
    },
  ];
}

function planText(plan: Plan): string {
  const whole = JSON.stringify(plan);
  if (whole.length <= SHOWN_PLAN) return whole;
  const cut = JSON.stringify(plan, (_key, value) =>
    typeof value === 'string' && value.length > SHOWN_TEXT ? `${firstOf(value, SHOWN_TEXT)}…` : value,
  );
  return firstOf(cut, SHOWN_PLAN);
}

/** Planner and validator as the engine's plan writer: what the planner writes is checked node by node as it comes. */

import type { CallOptions } from '../core/gateway.ts';
import type { Plan, PlanBounds, ValidPlan } from '../core/plan/plan.ts';
import type { Catalogue, PlanDraft, PlanningListener, PlanningResult } from '../core/plan/validation.ts';
import type { StreamingPlanner } from '../core/run/engine.ts';
import { checkedInput } from './start.ts';

export interface StreamingPlannerParts {
  readonly plan: (request: string, options: CallOptions & PlanningListener) => Promise<PlanningResult>;
  /** Throws invalid-request for what cannot be planned: before a run of it is kept. */
  readonly checkRequest: (request: string) => void;
  readonly catalogue: () => Catalogue;
  /** The validator's. */
  readonly openDraft: (catalogue: Catalogue) => PlanDraft;
  readonly emptyPlan: (request: string, bounds: PlanBounds) => ValidPlan;
}

type PlanningRequest = Parameters<StreamingPlanner['write']>[0];

export function createStreamingPlanner(parts: StreamingPlannerParts): StreamingPlanner {
  const { plan, checkRequest, catalogue, openDraft, emptyPlan } = parts;
  return {
    open(request) {
      checkRequest(request);
      return emptyPlan(request, catalogue().bounds);
    },
    async write(writing) {
      const { request, input, signal, scopes, session, onDraft, onAnswer } = writing;
      const planning = await plan(request, {
        signal,
        scopes,
        onAnswer,
        ...(session === undefined ? {} : { session }),
        ...(onDraft === undefined ? {} : inParts(openDraft(catalogue()), input, onDraft)),
      });
      checkedInput(planning.plan.plan, input);
      return planning;
    },
  };
}

/** Hands over nodes until the planner begins anew; none of a plan that the run's input does not fit. */
function inParts(
  draft: PlanDraft,
  input: PlanningRequest['input'],
  onDraft: NonNullable<PlanningRequest['onDraft']>,
): Pick<PlanningListener, 'onDelta' | 'onRestart'> {
  let isOver = false;
  let isChecked = false;
  return {
    onDelta(text) {
      if (isOver) return;
      const nodes = draft.push(text);
      if (nodes.length === 0) return;
      isOver = !isChecked && !fits(draft.head, input);
      isChecked = true;
      if (!isOver) onDraft(nodes, draft.head.budget);
    },
    onRestart() {
      isOver = true;
    },
  };
}

function fits({ input: declared }: Pick<Plan, 'input'>, input: PlanningRequest['input']): boolean {
  try {
    checkedInput({ version: 1, nodes: [], ...(declared === undefined ? {} : { input: declared }) }, input);
    return true;
  } catch {
    // The whole plan will be refused with the reason, unless it turns out otherwise.
    return false;
  }
}

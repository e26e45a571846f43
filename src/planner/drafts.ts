/** A plan while its text arrives: each node is checked when it is written, and passed on when it is valid. */
import type { Plan } from '../core/plan/plan.ts';
import type { PlanningListener, PlanningOptions } from '../core/plan/planner.ts';
import type { Catalogue, PlanDraft } from '../core/plan/validation.ts';

/** The listeners of a planner call; those that are undefined are not called. */
export type Listener = { -readonly [K in keyof PlanningListener]-?: PlanningListener[K] | undefined } & {
  /** Gets the text of the plan in the form of the format, a node at a time where it is written in another form. */
  onPlanText?: (text: string) => void;
};

export interface DraftChecks {
  readonly openDraft: (catalogue: Catalogue) => PlanDraft;
  /** Throws invalid-request when the input does not fit what the plan declares. */
  readonly checkInput: (plan: Pick<Plan, 'input'>, input: PlanningOptions['input']) => void;
}

interface Drafting {
  readonly catalogue: Catalogue;
  readonly input: PlanningOptions['input'];
  readonly onDraft: NonNullable<PlanningOptions['onDraft']>;
}

/** Passes nodes on until the planner restarts; none of a plan that the run's input does not fit. */
export function listenInParts(listener: Listener, checks: DraftChecks, drafting: Drafting): void {
  const { onRestart } = listener;
  const draft = checks.openDraft(drafting.catalogue);
  let isOver = false;
  let isChecked = false;
  listener.onPlanText = (text) => {
    if (isOver) return;
    const nodes = draft.push(text);
    if (nodes.length === 0) return;
    isOver = !isChecked && !fits(checks, draft.head, drafting.input);
    isChecked = true;
    if (!isOver) drafting.onDraft(nodes, draft.head.budget);
  };
  listener.onRestart = () => {
    isOver = true;
    return onRestart?.();
  };
}

function fits({ checkInput }: DraftChecks, head: Pick<Plan, 'input'>, input: PlanningOptions['input']): boolean {
  if (input === undefined) return true;
  try {
    checkInput(head, input);
    return true;
  } catch {
    // The whole plan is refused with the reason, if the input still does not fit it.
    return false;
  }
}

/** The schemas of registered workflows, for the plans that declare them. */
import { PolyphonyError } from '../core/errors.ts';
import type { Plan, PlanNode } from '../core/plan/plan.ts';
import { sharedJsonForm } from '../core/run/plain-json.ts';
import { shownIssues } from '../kit/json/own/own-schema.ts';
import { ownMisfit } from '../runners/human.ts';
import type { OwnOutputs } from '../runners/output-check.ts';
import { askedSchema, type CheckAnswer, keepAnswer } from '../runs/stored/own-answer.ts';
import { checkedInput, checkedRequestInput, checkNestedInput } from '../validator/check-input.ts';
import type { Known, Registered } from './registered.ts';
import { isSameJson } from './validated-plans.ts';

type Input = Readonly<Record<string, unknown>>;
type Workflows = Known;

/** The workflows that are registered now; later ones where their ids are new. */
export function schemasFrom(registered: Registered): Workflows {
  const now = registered.asOfNow();
  return {
    workflow: (id) => now.workflow(id) ?? registered.workflow(id),
    schemasOf: (plan) => now.schemasOf(plan) ?? registered.schemasOf(plan),
    schemasNamed: (name) => now.schemasNamed(name) ?? registered.schemasNamed(name),
  };
}

/**
 * The input of a run that begins, as its journal keeps it. A workflow's own schema is run here and nowhere else, so that it
 * runs once: a run that goes on has its result.
 */
export type ReadInput = (plan: Plan, input: Input | undefined, from?: InputSource) => Promise<Input>;

/** Where an input comes from, beside a caller who chose the plan. */
export interface InputSource {
  /** A node that runs the plan. */
  readonly node?: Pick<PlanNode, 'id' | 'use'>;
  /** The plan was written for a request, so it may leave the input unused. */
  readonly isPlanned?: boolean;
}

/** Throws invalid-request naming each field that is missing or wrong. */
export function inputReader(workflows: Workflows): ReadInput {
  return async (plan, input, from = {}) => {
    const own = workflows.schemasOf(plan)?.input;
    // Another plan may have the same id: what it declares is its own.
    if (own === undefined || !isSameJson(plan.input, own.written)) return checked(plan, input ?? {}, from);
    const reading = await own.schema.read(input ?? {});
    if (!reading.ok) {
      const name = plan.id === undefined ? from.node?.use : `workflow "${plan.id}"`;
      const message = `The input does not match what ${name} declares: ${shownIssues(reading.issues)}. Correct it.`;
      throw new PolyphonyError('invalid-request', message, { details: { issues: reading.issues } });
    }
    // What it shares with values of the run around it is held once.
    return sharedJsonForm(reading.value) as Input;
  };
}

function checked(plan: Pick<Plan, 'input'>, input: Input, { node, isPlanned = false }: InputSource): Input {
  if (node === undefined) return isPlanned ? checkedRequestInput(plan, input) : checkedInput(plan, input);
  checkNestedInput(plan, input, node);
  return input;
}

/** What a node of a registered workflow declares as its `out`. */
export function ownOutputs(workflows: Workflows): OwnOutputs {
  return (plan, nodeId, out) => {
    const own = workflows.schemasOf(plan)?.outputs.get(nodeId);
    return own !== undefined && isSameJson(out, own.written) ? own : undefined;
  };
}

/** The schema of the question itself, also where a run around the one that asks is answered. */
export function answerChecker(workflows: Workflows): CheckAnswer {
  return (question, given) => {
    const { ownSchema: asker, out } = question;
    const own = asker && workflows.schemasNamed(asker.workflow)?.outputs.get(asker.nodeId);
    if (own === undefined) return undefined;
    const json = askedSchema(own.schema);
    return isSameJson(out, json) ? ownMisfit({ json, keep: keepAnswer(own.schema) }, question, given) : undefined;
  };
}

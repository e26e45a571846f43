/** `human`: waits for a person. */

import { defined } from '../core/defined.ts';
import { PolyphonyError } from '../core/errors.ts';
import { type HumanQuestion, type NodeCall, type NodeOutput, type NodeRunner, SuspendRun } from '../core/run/engine.ts';
import { planDigest } from '../kit/json/own/plan-digest.ts';
import { shownJson } from '../language/shown.ts';
import {
  type Answered,
  answeredBy,
  misfitOf,
  misfitOfChoices,
  misfitOut,
  withOut,
} from '../runs/stored/given-answer.ts';
import { checkedValue, type OutputSchema, type OwnOutputs, outputSchema, withOutputCheck } from './output-check.ts';

/**
 * Its inputs: `question`, a text; `choices`, if the answer is one of a list; `approve`, the choice that approves; `data` for
 * whoever shows the question; `mustApprove`, if any other answer fails the node.
 *
 * @throws invalid-request when they make no question that can be answered; blocked when the answer has to approve and does not
 */
export const humanRunner = (ownOutputs?: OwnOutputs): NodeRunner => {
  const checked = withOutputCheck(async (call) => ({ value: answered(call), costNanoUsd: 0 }));
  return async (call) => {
    if (call.answer === undefined) throw new SuspendRun(questionOf(call, ownOutputs));
    assertApproved(call);
    const schema = outputSchema(call, ownOutputs);
    return schema?.keep === undefined ? checked(call) : keptAnswer(call, schema, ownOutputs);
  };
};

function assertApproved(call: NodeCall): void {
  const { node, inputs } = call;
  if (inputs.mustApprove !== true || answered(call).approved) return;
  throw new PolyphonyError('blocked', `Node ${node.id} was not approved, so nothing that waits for it runs.`, {
    details: { approval: 'refused', nodeId: node.id },
  });
}

function answered({ node, answer }: NodeCall): Answered {
  if (answer === undefined) throw invalid(`Node ${node.id} has no answer.`);
  const question = withOut(answer.question, node);
  // A journal of an earlier version may hold an answer that nobody checked: it is asked for again, or the run could never go on.
  if (misfitOf(question, answer.value) !== undefined) throw new SuspendRun(question);
  return answeredBy(question, answer.value);
}

/** What the schema of a workflow's own gives. A process without the workflow may have taken an answer that does not fit. */
async function keptAnswer(call: NodeCall, schema: OutputSchema, ownOutputs?: OwnOutputs): Promise<NodeOutput> {
  const question = questionOf(call, ownOutputs);
  const given = call.answer?.value;
  if (misfitOfChoices(question, given) !== undefined) throw new SuspendRun(question);
  const kept = await checkedValue(schema, answeredBy(question, given));
  if (!kept.ok) throw new SuspendRun(question);
  return { value: kept.value, costNanoUsd: 0 };
}

/** Why the schema of a workflow's own does not take the answer; undefined if it does. Throws invalid-output when its code throws. */
export async function ownMisfit(
  schema: OutputSchema,
  question: HumanQuestion,
  given: unknown,
): Promise<string | undefined> {
  const checked = await checkedValue(schema, answeredBy(question, given));
  return checked.ok ? undefined : misfitOut(given, checked.issues);
}

function questionOf(call: NodeCall, ownOutputs?: OwnOutputs): SuspendRun['question'] {
  const { node, inputs } = call;
  const { question, data } = inputs;
  if (typeof question !== 'string' || question === '') {
    throw invalid(`Node ${node.id} has no question to ask: set "question" to a text.`);
  }
  const choices = choicesOf(node.id, inputs.choices);
  const approve = approvingOf(node.id, inputs.approve, choices);
  const schema = outputSchema(call, ownOutputs);
  const ownSchema = schema?.keep === undefined ? undefined : askerOf(call);
  return { question, ...defined({ choices, approve, out: schema?.json, ownSchema, data }) };
}

function askerOf({ planId, plan, node }: NodeCall): HumanQuestion['ownSchema'] {
  const workflow = planId ?? (plan === undefined ? undefined : planDigest(plan));
  return workflow === undefined ? undefined : { workflow, nodeId: node.id };
}

function choicesOf(nodeId: string, given: unknown): readonly string[] | undefined {
  if (given === undefined || given === null) return undefined;
  if (!Array.isArray(given) || given.length === 0 || !given.every(isChoice)) {
    const rule = 'set "choices" to a list of at least one text, or leave it out';
    throw invalid(`Node ${nodeId} cannot offer the choices ${shownJson(given)}: ${rule}.`);
  }
  return given.map(String);
}

const isChoice = (given: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof given);

function approvingOf(nodeId: string, given: unknown, choices: readonly string[] | undefined): string | undefined {
  if (given === undefined || given === null) return undefined;
  if (isChoice(given) && choices?.includes(String(given)) === true) return String(given);
  throw invalid(
    `Node ${nodeId} names ${shownJson(given)} as the choice that approves, which is none of its choices: set "approve" to one of them, or leave it out.`,
  );
}

const invalid = (message: string): PolyphonyError => new PolyphonyError('invalid-request', message);

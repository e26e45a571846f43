/** `human`: waits for a person. */

import { defined } from '../core/defined.ts';
import { PolyphonyError } from '../core/errors.ts';
import { type NodeCall, type NodeRunner, SuspendRun } from '../core/run/engine.ts';
import { shownJson } from '../language/shown.ts';
import { answeredBy, misfitOf, withOut } from '../runs/stored/given-answer.ts';
import { outputSchema } from './output-check.ts';

/**
 * Its inputs: `question`, a text; `choices`, if the answer is one of a list; `approve`, the choice that approves; `data` for
 * whoever shows the question.
 *
 * @throws invalid-request when they make no question that can be answered
 */
export const humanRunner: NodeRunner = async (call) => {
  if (call.answer === undefined) throw new SuspendRun(questionOf(call));
  const { value } = call.answer;
  const question = withOut(call.answer.question, call.node);
  // A journal of an earlier version may hold an answer that nobody checked: it is asked for again, or the run could never go on.
  if (misfitOf(question, value) !== undefined) throw new SuspendRun(question);
  return { value: answeredBy(question, value), costNanoUsd: 0 };
};

function questionOf(call: NodeCall): SuspendRun['question'] {
  const { node, inputs } = call;
  const { question, data } = inputs;
  if (typeof question !== 'string' || question === '') {
    throw invalid(`Node ${node.id} has no question to ask: set "question" to a text.`);
  }
  const choices = choicesOf(node.id, inputs.choices);
  const approve = approvingOf(node.id, inputs.approve, choices);
  return { question, ...defined({ choices, approve, data, out: outputSchema(call)?.json }) };
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

/** `human`: waits for a person. */

import { defined } from '../core/defined.ts';
import { PolyphonyError } from '../core/errors.ts';
import { type NodeRunner, SuspendRun } from '../core/run/engine.ts';

const REFUSALS: ReadonlySet<string> = new Set([
  '',
  'no',
  'false',
  'reject',
  'rejected',
  'deny',
  'denied',
  'decline',
  'declined',
  'cancel',
]);

export const humanRunner: NodeRunner = async (call) => {
  if (call.answer !== undefined) return { value: outputOf(call.answer.value), costNanoUsd: 0 };
  const { question, choices, data } = call.inputs;
  if (typeof question !== 'string' || question === '') {
    throw new PolyphonyError(
      'invalid-request',
      `Node ${call.node.id} has no question to ask: set "question" to a text.`,
    );
  }
  throw new SuspendRun({
    question,
    ...(Array.isArray(choices) ? { choices: choices.map(String) } : {}),
    ...defined({ data }),
  });
};

/** `true`, `"approve"` and any text that is not a refusal approve; `{ answer, approved }` decides by its `approved`. */
function outputOf(value: unknown): { readonly answer: unknown; readonly approved: boolean } {
  if (typeof value === 'object' && value !== null && 'approved' in value) {
    const answer = 'answer' in value ? value.answer : null;
    return { answer, approved: value.approved === true };
  }
  if (typeof value === 'string') return { answer: value, approved: !REFUSALS.has(value.trim().toLowerCase()) };
  return { answer: value, approved: value !== false && value !== null && value !== undefined };
}

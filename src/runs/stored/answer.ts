/** Records people's answers to nodes that wait for them. */

import { PolyphonyError } from '../../core/errors.ts';
import type { HumanQuestion } from '../../core/run/engine.ts';
import { tooMuchWritten } from '../records/written.ts';
import type { RunState } from '../state/run-state.ts';
import { createValues, holdValue, type Measured, sizeOf } from '../state/values.ts';
import { takeAnswer } from '../turn/units.ts';
import { changeStored, type StoredRuns } from './change.ts';
import { questionsOf } from './inspect.ts';

export interface Answer {
  readonly runId: string;
  readonly nodeId: string;
  readonly answer: unknown;
}

/**
 * Journals an answer. Items that ask are answered in the order in which they asked.
 *
 * @throws not-found when the node is not waiting for an answer, invalid-request when the answer is not one of the choices or
 *   no JSON, limit-exceeded when it is too large, or when the run may not write that much more
 */
export async function answerRun(stored: StoredRuns, live: RunState | undefined, given: Answer): Promise<void> {
  if (live !== undefined && live.result === undefined) return answerLive(live, given);
  sizeOf(createValues(stored.valueBounds?.()), given.answer, measured(given));
  await changeStored(stored, given.runId, (restored) => {
    const node = restored.nodes.get(given.nodeId);
    const [asked] = node === undefined ? [] : questionsOf(node);
    if (asked === undefined) throw notWaiting(given);
    const [item, question] = asked;
    assertChoice(question, given.answer);
    return { type: 'answer', nodeId: given.nodeId, ...(item === -1 ? {} : { item }), answer: given.answer };
  });
}

async function answerLive(run: RunState, given: Answer): Promise<void> {
  const task = run.tasks.get(given.nodeId);
  const asked = [...(task?.progress?.questions ?? [])].find(([item]) => task?.progress?.answers.has(item) === false);
  if (task === undefined || asked === undefined || task.phase === 'ended') throw notWaiting(given);
  const [item, question] = asked;
  holdValue(run.values, given.answer, measured(given));
  assertChoice(question, given.answer);
  const place = item === -1 ? {} : { item };
  const event = { type: 'answer', nodeId: given.nodeId, ...place, answer: given.answer } as const;
  await new Promise<void>((resolve, reject) => {
    const recorded = run.recorder.record({ ...event }, () => {
      takeAnswer(run, task, item, given.answer);
      resolve();
    });
    if (!recorded) reject(tooMuchWritten(event, run.writtenBytes.limit));
    run.driver.wake();
  });
}

const measured = ({ nodeId }: Answer): Measured => ({ noun: 'The answer', nodeId, code: 'invalid-request' });

function notWaiting({ runId, nodeId }: Answer): PolyphonyError {
  return new PolyphonyError(
    'not-found',
    `Node ${nodeId} of run ${runId} is not waiting for an answer: inspect the run to see which nodes are.`,
  );
}

function assertChoice({ choices }: HumanQuestion, answer: unknown): void {
  if (choices === undefined || typeof answer === 'boolean') return;
  const chosen = typeof answer === 'object' && answer !== null && 'answer' in answer ? answer.answer : answer;
  if (typeof chosen === 'string' && choices.includes(chosen)) return;
  const message = `The answer ${JSON.stringify(chosen)} is not one of the choices: answer with one of ${choices.join(', ')}.`;
  throw new PolyphonyError('invalid-request', message);
}

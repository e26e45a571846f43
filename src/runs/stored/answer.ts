/** Records people's answers to nodes that wait for them. */

import { PolyphonyError } from '../../core/errors.ts';
import type { HumanQuestion } from '../../core/run/engine.ts';
import { tooMuchWritten } from '../records/written.ts';
import type { RunState } from '../state/run-state.ts';
import type { Task, TaskProgress } from '../state/task.ts';
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
    const { nodes, status } = restored;
    if (status === 'done' || status === 'failed' || status === 'cancelled') throw hasEnded(given, status);
    const node = nodes.get(given.nodeId);
    const [asked] = node === undefined ? [] : questionsOf(node);
    if (asked === undefined) throw notWaiting(given, node?.progress);
    const [item, question] = asked;
    assertChoice(question, given.answer);
    return { type: 'answer', nodeId: given.nodeId, ...(item === -1 ? {} : { item }), answer: given.answer };
  });
}

async function answerLive(run: RunState, given: Answer): Promise<void> {
  if (run.stopping !== undefined) throw hasEnded(given, run.stopping.type);
  const task = run.tasks.get(given.nodeId);
  const progress = task?.progress;
  const asked = progress === undefined ? undefined : openQuestion(progress);
  if (task === undefined || progress === undefined || asked === undefined || task.phase === 'ended')
    throw notWaiting(given, progress);
  const [item, question] = asked;
  holdValue(run.values, given.answer, measured(given));
  assertChoice(question, given.answer);
  // In the tick of the check, so that a second answer finds the question taken before the first one is in the journal.
  progress.answering.add(item);
  try {
    await recordAnswer(run, task, item, given.answer);
  } finally {
    progress.answering.delete(item);
  }
}

const openQuestion = ({ questions, answers, answering }: TaskProgress): [number, HumanQuestion] | undefined =>
  [...questions].find(([item]) => !answers.has(item) && !answering.has(item));

/** Resolves when the answer is in the journal, and the node goes on with it. */
function recordAnswer(run: RunState, task: Task, item: number, answer: unknown): Promise<void> {
  const place = item === -1 ? {} : { item };
  const event = { type: 'answer', nodeId: task.id, ...place, answer } as const;
  return new Promise<void>((resolve, reject) => {
    const recorded = run.recorder.record({ ...event }, () => {
      if (run.unrecorded !== undefined) {
        reject(run.unrecorded);
        return;
      }
      takeAnswer(run, task, item, answer);
      resolve();
    });
    if (!recorded) reject(tooMuchWritten(event, run.writtenBytes.limit));
    run.driver.wake();
  });
}

const measured = ({ nodeId }: Answer): Measured => ({ noun: 'The answer', nodeId, code: 'invalid-request' });

/** One code for all: nothing waits for this answer. The message says why. */
function notWaiting({ runId, nodeId }: Answer, progress: TaskProgress | undefined): PolyphonyError {
  const isAnswered = progress !== undefined && progress.answers.size + progress.answering.size > 0;
  return new PolyphonyError(
    'not-found',
    isAnswered
      ? `The question of node ${nodeId} of run ${runId} is already answered, and the first answer counts: inspect the run to see which nodes still wait.`
      : `Node ${nodeId} of run ${runId} is not waiting for an answer: inspect the run to see which nodes are.`,
  );
}

const hasEnded = ({ runId, nodeId }: Answer, status: 'done' | 'failed' | 'cancelled'): PolyphonyError =>
  new PolyphonyError(
    'not-found',
    `Run ${runId} has ended (${status}), so node ${nodeId} waits for no answer: ${status === 'done' ? 'fork the run to answer it in another way' : 'resume the run first, then answer what it asks'}.`,
  );

function assertChoice({ choices }: HumanQuestion, answer: unknown): void {
  if (choices === undefined || typeof answer === 'boolean') return;
  const chosen = typeof answer === 'object' && answer !== null && 'answer' in answer ? answer.answer : answer;
  if (typeof chosen === 'string' && choices.includes(chosen)) return;
  const message = `The answer ${JSON.stringify(chosen)} is not one of the choices: answer with one of ${choices.join(', ')}.`;
  throw new PolyphonyError('invalid-request', message);
}

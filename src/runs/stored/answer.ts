/** Records people's answers to nodes that wait for them. */

import type { HumanQuestion } from '../../core/run/engine.ts';
import { tooMuchWritten } from '../records/written.ts';
import type { RunState } from '../state/run-state.ts';
import type { Task, TaskProgress } from '../state/task.ts';
import { createValues, holdValue, type Measured, sizeOf } from '../state/values.ts';
import { takeAnswer } from '../turn/asking.ts';
import { changeStored, type StoredRuns } from './change.ts';
import { type Asked, addressed, assertFits, hasEnded, notWaiting, withOut } from './given-answer.ts';
import { questionsOf } from './inspect.ts';

export interface Answer {
  readonly runId: string;
  readonly nodeId: string;
  /** Index within `each`. */
  readonly item?: number;
  readonly answer: unknown;
  /** Throws where the question does not take the answer. @default the checks of a person's answer */
  readonly check?: (question: HumanQuestion) => void;
}

/**
 * Journals an answer that fits its question. One that does not is refused and changes nothing, so a better one can be given.
 *
 * @throws not-found when that node or item is not waiting for an answer, or the run has ended; invalid-request when the answer
 *   does not fit the question or is no JSON; limit-exceeded when it is too large, or
 *   when the run may not write that much more
 */
export async function answerRun(stored: StoredRuns, live: RunState | undefined, given: Answer): Promise<void> {
  if (live !== undefined && live.result === undefined) return answerLive(live, given);
  sizeOf(createValues(stored.valueBounds?.()), given.answer, measured(given));
  await changeStored(stored, given.runId, (restored) => {
    const { status, plan } = restored;
    if (status === 'done' || status === 'failed' || status === 'cancelled') throw hasEnded(given, status);
    const node = restored.nodes.get(given.nodeId);
    const [item, question] = addressed(node === undefined ? [] : questionsOf(node), given, isAnswered(node?.progress));
    const asking = plan.nodes.find(({ id }) => id === given.nodeId);
    assertTaken(withOut(question, asking), given);
    return { type: 'answer', nodeId: given.nodeId, ...(item === -1 ? {} : { item }), answer: given.answer };
  });
}

async function answerLive(run: RunState, given: Answer): Promise<void> {
  if (run.stopping !== undefined) throw hasEnded(given, run.stopping.type);
  const task = run.tasks.get(given.nodeId);
  const progress = task?.progress;
  if (task === undefined || progress === undefined || task.phase === 'ended') throw notWaiting(given);
  const [item, question] = addressed(openQuestions(progress), given, isAnswered(progress));
  // Measured apart from the run first: what is refused takes no room in it.
  sizeOf(createValues(run.values.bounds), given.answer, measured(given));
  assertTaken(withOut(question, task.node), given);
  holdValue(run.values, given.answer, measured(given));
  // In the tick of the check, so that a second answer finds the question taken before the first one is in the journal.
  progress.answering.add(item);
  try {
    await recordAnswer(run, task, item, given.answer);
  } finally {
    progress.answering.delete(item);
  }
}

function assertTaken(question: HumanQuestion, { answer, check }: Answer): void {
  if (check === undefined) assertFits(question, answer);
  else check(question);
}

const openQuestions = ({ questions, answers, answering }: TaskProgress): Asked[] =>
  [...questions].filter(([item]) => !answers.has(item) && !answering.has(item));

const isAnswered = (progress: TaskProgress | undefined): boolean =>
  progress !== undefined && progress.answers.size + progress.answering.size > 0;

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

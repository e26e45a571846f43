/** Records people's answers to nodes that wait for them. */

import type { HumanQuestion } from '../../core/run/engine.ts';
import type { Restored } from '../journal/restored.ts';
import { tooMuchWritten } from '../records/written.ts';
import type { EventDraft } from '../state/recorder.ts';
import type { RunState } from '../state/run-state.ts';
import { isOpen, openQuestions, type Task, type TaskProgress } from '../state/task.ts';
import { createValues, holdValue, type Measured, sizeOf } from '../state/values.ts';
import { takeAnswer } from '../turn/asking.ts';
import { changeStored, type StoredRuns } from './change.ts';
import { type Asked, assertFits, assertFitsOwn, hasEnded, notWaiting, withOut } from './given-answer.ts';

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
  if (live !== undefined && live.result === undefined) {
    const own = given.check === undefined ? ownCheckLive(stored, live, given) : undefined;
    if (own === undefined) return answerLive(live, given, assertFits);
    await own;
    // Meanwhile the question may have been answered, and the run may have stopped.
    if (live.result === undefined) return answerLive(live, given, () => {});
  }
  sizeOf(createValues(stored.valueBounds?.()), given.answer, measured(given));
  await changeStored(stored, given.runId, (restored) => draftOf(stored, restored, given));
}

async function draftOf(stored: StoredRuns, restored: Restored, given: Answer): Promise<EventDraft> {
  const { status, plan } = restored;
  if (status === 'done' || status === 'failed' || status === 'cancelled') throw hasEnded(given, status);
  const node = restored.nodes.get(given.nodeId);
  const [item, question] = addressed(node?.progress, given, node?.ending !== undefined);
  const asking = plan.nodes.find(({ id }) => id === given.nodeId);
  const asked = withOut(question, asking);
  if (given.check !== undefined) given.check(asked);
  else {
    const own = ownCheck(stored, question, given.answer);
    if (own === undefined) assertFits(asked, given.answer);
    else await own;
  }
  return { type: 'answer', nodeId: given.nodeId, ...(item === -1 ? {} : { item }), answer: given.answer };
}

/**
 * Journals answers to several items or nodes of one run, each as `answerRun` does, all at once: the journal is read and written
 * once, however many they are.
 *
 * @returns what was thrown, by the place of its answer
 * @throws what keeps all of them out, such as store-busy
 */
export async function answerTogether(
  stored: StoredRuns,
  live: RunState | undefined,
  runId: string,
  given: readonly Answer[],
): Promise<ReadonlyMap<number, unknown>> {
  const refused = new Map<number, unknown>();
  if (live !== undefined && live.result === undefined) {
    const failed = (index: number) => (error: unknown) => void refused.set(index, error);
    await Promise.all(given.map((one, index) => answerRun(stored, live, one).catch(failed(index))));
    return refused;
  }
  await changeStored(stored, runId, async (restored) => {
    const drafts: EventDraft[] = [];
    for (const [index, one] of given.entries()) {
      try {
        sizeOf(createValues(stored.valueBounds?.()), one.answer, measured(one));
        drafts.push(await draftOf(stored, restored, one));
      } catch (error) {
        refused.set(index, error);
      }
    }
    return drafts;
  });
  return refused;
}

/** No promise: this process has no schema of the workflow's own for the question, so that the question says what fits. */
function ownCheck({ checkAnswer }: StoredRuns, question: HumanQuestion, answer: unknown): Promise<void> | undefined {
  const own = checkAnswer?.(question, answer);
  return own === undefined ? undefined : assertFitsOwn(question, answer, () => own);
}

function ownCheckLive(stored: StoredRuns, run: RunState, given: Answer): Promise<void> | undefined {
  const progress = run.tasks.get(given.nodeId)?.progress;
  if (progress === undefined) return undefined;
  const [, question] = openQuestion(progress, given) ?? [];
  if (question?.ownSchema === undefined) return undefined;
  sizeOf(createValues(run.values.bounds), given.answer, measured(given));
  return ownCheck(stored, question, given.answer);
}

async function answerLive(
  run: RunState,
  given: Answer,
  assertFit: (question: HumanQuestion, answer: unknown) => void,
): Promise<void> {
  if (run.stopping !== undefined) throw hasEnded(given, run.stopping.type);
  const task = run.tasks.get(given.nodeId);
  const progress = task?.progress;
  if (task === undefined || progress === undefined || task.phase === 'ended') throw notWaiting(given);
  const [item, question] = addressed(progress, given);
  // Measured apart from the run first: what is refused takes no room in it.
  sizeOf(createValues(run.values.bounds), given.answer, measured(given));
  const asked = withOut(question, task.node);
  if (given.check === undefined) assertFit(asked, given.answer);
  else given.check(asked);
  holdValue(run.values, given.answer, measured(given));
  // In the tick of the check, so that a second answer finds the question taken before the first one is in the journal.
  progress.answering.add(item);
  try {
    await recordAnswer(run, task, item, given.answer);
  } finally {
    progress.answering.delete(item);
  }
}

/**
 * The question that an answer is for: that of its item, or the first that was asked. It is looked up, not searched: one event may
 * answer thousands.
 *
 * @throws not-found when that one is not asked
 */
function addressed(progress: TaskProgress | undefined, given: Answer, hasEnded = false): Asked {
  const found = progress === undefined || hasEnded ? undefined : openQuestion(progress, given);
  if (found !== undefined) return found;
  // Nobody reads what else is asked where an event finds its questions answered.
  if (progress === undefined || given.check !== undefined) throw notWaiting(given);
  throw notWaiting(given, hasEnded ? [] : openQuestions(progress), isAnswered(progress, given));
}

function openQuestion(progress: TaskProgress, { item }: Answer): Asked | undefined {
  if (item !== undefined) {
    const question = progress.questions.get(item);
    return question === undefined || !isOpen(progress, item) ? undefined : [item, question];
  }
  for (const asked of progress.questions) if (isOpen(progress, asked[0])) return asked;
  return undefined;
}

/** Of the item that is named, or else of any. */
function isAnswered(progress: TaskProgress, { item }: Answer): boolean {
  const { answers, answering, items } = progress;
  if (item !== undefined) return answers.has(item) || answering.has(item) || items.has(item);
  return answers.size + answering.size > 0;
}

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

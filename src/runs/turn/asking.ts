/**
 * Nodes that wait for what is outside: an answer, a moment, an event.
 *
 * W1. What a node waits for is recorded before it counts as waiting, with its moment: a resume waits for the same moment.
 * W2. A moment comes at its time or later, never before. That it has come is recorded once, as an answer is.
 * W3. The time of such a node (`limits.seconds`) runs from its first question on, whoever drives the run, and is up at a moment, too.
 */
import { PolyphonyError } from '../../core/errors.ts';
import { canonicalJson } from '../../core/json/canonical-json.ts';
import { waitsOutside } from '../../core/plan/steps.ts';
import type { HumanQuestion, SuspendRun } from '../../core/run/engine.ts';
import { dateAt } from '../../system/clock.ts';
import { momentOf } from '../records/waiting.ts';
import { releaseReservation } from '../state/money.ts';
import type { RunState } from '../state/run-state.ts';
import { isOpen, keepApproved, noProgress, type Task, type TaskProgress, type Unit } from '../state/task.ts';
import { holdValue } from '../state/values.ts';
import { fail } from './ending.ts';

/** A run with nothing else to do stays with the process for a moment that is this near, in milliseconds. */
export const NEAR_MS = 60_000;

export function enqueue(run: RunState, task: Task): void {
  if (task.queued) return;
  task.queued = true;
  run.queue.push(task);
}

/** @throws limit-exceeded when the run has no room for the question */
export function ask(run: RunState, { task, item, loop }: Unit, { question: asked }: SuspendRun): void {
  if (loop !== undefined) {
    // The unit that goes on takes it up, and asks its model nothing again.
    task.progress ??= noProgress();
    task.progress.loops.set(item, loop);
  }
  if (asked.approvedCall !== undefined) {
    task.progress ??= noProgress();
    keepApproved(task.progress, item, asked);
  }
  if (task.progress?.again.has(item) === true) {
    // What it waits for has come while it was asking.
    task.each?.ready.push(item);
    enqueue(run, task);
    return;
  }
  // The nested run holds and records its own questions.
  const { nested, ...own } = asked;
  const question = withDeadline(run, task, own);
  if (!stillAsked(task, item, question)) {
    holdValue(run.values, question, { noun: 'The question', nodeId: task.id });
    task.progress ??= noProgress();
    task.progress.questions.set(item, nested === undefined ? question : asked);
    task.progress.answers.delete(item);
    const place = item === -1 ? {} : { item };
    run.recorder.record({ type: 'node-suspended', nodeId: task.id, ...place, question });
  }
  if (task.each !== undefined) enqueue(run, task);
  suspendIfAsking(run, task);
}

/** The call was made again for something else, and the question that stands is the same. */
function stillAsked({ progress }: Task, item: number, question: HumanQuestion): boolean {
  const before = progress?.questions.get(item);
  if (before?.origin === undefined || progress?.answers.has(item) !== false) return false;
  return canonicalJson(before) === canonicalJson(question);
}

function withDeadline(run: RunState, task: Task, question: HumanQuestion): HumanQuestion {
  const { use, limits, onError } = task.node;
  if (limits?.seconds === undefined || !waitsOutside(use)) return question;
  // Whoever bounds a question says what happens without an answer; else the bound is that of the node's own work, which is none.
  if (use === 'human' && onError === undefined) return question;
  task.progress ??= noProgress();
  task.progress.deadline ??= run.host.runtime.clock.now() + limits.seconds * 1000;
  return { ...question, deadline: task.progress.deadline };
}

export function suspendIfAsking(run: RunState, task: Task): void {
  const { each, units, queued } = task;
  if (units.length > 0 || queued || (each !== undefined && each.next < each.values.length)) return;
  task.phase = 'suspended';
  run.driver.releaseNode(task);
  releaseReservation(run, task);
  takeDue(run, task);
}

/** Takes an answer while the run is driven. */
export function takeAnswer(run: RunState, task: Task, item: number, answer: unknown): void {
  const { progress } = task;
  progress?.answers.set(item, answer);
  goOn(run, task, item);
}

/** What a node asked through a nested run is answered there: its call is made again, and goes on with that run. */
export function callAgain(run: RunState, task: Task, item: number): void {
  if (task.phase !== 'suspended' && task.phase !== 'running') return;
  task.progress ??= noProgress();
  // A question about another call of the same model stands, and may have been answered.
  if (!isAboutCall(run, task.progress.questions.get(item))) task.progress.questions.delete(item);
  goOn(run, task, item);
}

/** Of a tool of this run, and not of a nested run, whose id goes on with a dot. */
const isAboutCall = ({ runId }: RunState, question: HumanQuestion | undefined): boolean =>
  question?.origin?.startsWith(`${runId}/`) === true;

function goOn(run: RunState, task: Task, item: number): void {
  const { each, units, progress } = task;
  if (progress?.again.has(item) === false) {
    progress.again.add(item);
    // A call under way does not know what came, and is made once more when it asks.
    const isCalled = units.some((unit) => unit.item === item);
    if (each !== undefined && item < each.next && each.results[item] === undefined && !isCalled) each.ready.push(item);
  }
  if (task.phase === 'suspended') task.phase = 'running';
  enqueue(run, task);
  run.driver.wake();
}

// ---------------------------------------------------------------------------------------------------- moments

/** Takes the moments that came while nobody drove the run, and sets a timer for the next one of each node. */
export function takeAllDue(run: RunState): void {
  for (const task of [...run.tasks.values()]) if (task.phase === 'suspended') takeDue(run, task);
}

function takeDue(run: RunState, task: Task): void {
  const { progress } = task;
  const isOver = run.stopping !== undefined || run.tasks.get(task.id) !== task;
  if (progress === undefined || isOver || task.phase !== 'suspended') return;
  const now = run.host.runtime.clock.now();
  const { deadline = Number.POSITIVE_INFINITY, questions } = progress;
  // What came in time counts, also where nobody was there to see it before the deadline.
  const come = [...questions].filter(
    ([item, question]) => isOpen(progress, item) && momentOf(question) <= Math.min(now, deadline),
  );
  for (const [item, question] of come) {
    if (question.origin === undefined) recordMoment(run, task, item, now);
    else callAgain(run, task, item);
  }
  if (come.length > 0 || progress.answering.size > 0) return;
  if (deadline <= now) expire(run, task);
  else setTimer(run, task, progress, now);
}

function setTimer(run: RunState, task: Task, progress: TaskProgress, now: number): void {
  const at = Math.min(progress.deadline ?? Number.POSITIVE_INFINITY, nextMoment(progress));
  if (at !== Number.POSITIVE_INFINITY) run.driver.limitNode(task, at - now, () => takeDue(run, task));
}

function nextMoment(progress: TaskProgress): number {
  let next = Number.POSITIVE_INFINITY;
  for (const [item, question] of progress.questions)
    if (isOpen(progress, item)) next = Math.min(next, momentOf(question));
  return next;
}

function recordMoment(run: RunState, task: Task, item: number, now: number): void {
  const { progress } = task;
  progress?.answering.add(item);
  const answer = { at: dateAt(now).toISOString() };
  const place = item === -1 ? {} : { item };
  run.recorder.record({ type: 'answer', nodeId: task.id, ...place, answer }, () => {
    progress?.answering.delete(item);
    if (run.unrecorded === undefined) takeAnswer(run, task, item, answer);
  });
  run.driver.wake();
}

function expire(run: RunState, task: Task): void {
  const seconds = task.node.limits?.seconds;
  const message = `Node ${task.id} waited longer than its limit of ${seconds} seconds (limits.seconds): raise the limit, or set onError.`;
  fail(run, task, new PolyphonyError('timeout', message));
  run.driver.wake();
}

/** Whether a `wait` of the run ends so soon that the process stays for it. */
export function isNear(run: RunState): boolean {
  const soon = run.host.runtime.clock.now() + NEAR_MS;
  for (const { phase, progress } of run.tasks.values()) {
    if (phase !== 'suspended' || progress === undefined) continue;
    for (const [item, { wait, nested }] of progress.questions) {
      if (!isOpen(progress, item)) continue;
      const waits = nested === undefined ? [wait] : nested.map((asked) => asked.wait);
      if (waits.some((one) => one !== undefined && 'until' in one && one.until <= soon)) return true;
    }
  }
  return false;
}

/**
 * Undoes what a run did when it fails or is cancelled: the nodes that say how.
 *
 * U1. Only what finished is undone, in reverse order of finishing, one at a time, each with the key of its call.
 * U2. Nothing is undone before the journal has that undoing began, and the next one not before it has the last one's end.
 * U3. One that cannot be undone is recorded with its error and does not stop the others.
 * U4. A process that leaves a run to be resumed undoes nothing; neither does one that cannot write to the journal.
 */
import { asPolyphonyError, errorRecord } from '../../core/errors.ts';
import { copyJson } from '../../core/json/copy-json.ts';
import { NO_USAGE } from '../../core/money/usage.ts';
import type { PlanNode } from '../../core/plan/plan.ts';
import type { NodeResult, Paid } from '../../core/run/engine.ts';
import { compileTemplate, type TemplateScope } from '../../language/template.ts';
import { chargeRun } from '../state/money.ts';
import type { RunState, Stopping } from '../state/run-state.ts';
import { scopeOf } from '../state/scope.ts';
import { idempotencyKey, type Task } from '../state/task.ts';
import { placeOfEntry, type UndoEntry, undoOf } from '../state/undo.ts';
import { undoMeter } from '../state/values.ts';
import { endingError } from '../unit/kept-errors.ts';

/** Remembers what has to be undone if the run fails. `item` is -1 for the node itself. */
export function mayHaveToUndo(run: RunState, task: Task, item: number, { output }: NodeResult): void {
  const { node } = task;
  run.undo.left.push({ node, item, output, idempotencyKey: idempotencyKey(run.runId, task, item) });
}

/** Whether the end of the run has to wait for something to be undone. */
export function hasToUndo({ undo, stopping, unrecorded }: RunState): boolean {
  if (unrecorded !== undefined || isLeft(stopping)) return false;
  return undo.current !== undefined || undo.left.length > 0;
}

const isLeft = (stopping: Stopping | undefined): boolean => stopping?.type === 'cancelled' && stopping.isLeft === true;

/** Takes the next step of undoing. True: something was recorded. False: the call in progress has not ended. */
export function undoNext(run: RunState, stopping: Stopping): boolean {
  const { undo } = run;
  if (undo.current !== undefined) return false;
  if (!undo.began) {
    undo.began = true;
    run.recorder.record({ type: 'undo-started', ...reasonOf(stopping) });
    return true;
  }
  const entry = undo.left.pop();
  if (entry === undefined) return false;
  undo.current = entry;
  try {
    run.driver.undo(entry, inputsOf(run, entry), (paid, error) => settleUndo(run, entry, paid, error));
    return false;
  } catch (error) {
    settleUndo(run, entry, { costNanoUsd: 0 }, error);
    return true;
  }
}

function reasonOf(stopping: Stopping) {
  if (stopping.type === 'cancelled') return { reason: stopping.reason };
  const { error, nodeId } = stopping;
  return { reason: 'the run failed', error: errorRecord(error), ...(nodeId === undefined ? {} : { failed: nodeId }) };
}

function settleUndo(run: RunState, entry: UndoEntry, { costNanoUsd, usage }: Paid, cause: unknown): void {
  const { undo } = run;
  if (undo.current !== entry) return;
  undo.current = undefined;
  chargeRun(run, { costNanoUsd, usage: usage ?? NO_USAGE });
  const error = cause === undefined ? {} : { error: errorRecord(endingError(run.values, asPolyphonyError(cause))) };
  const undone = { ...placeOfEntry(entry), use: undoOf(entry.node)?.use ?? '', ...error };
  undo.undone.push(undone);
  const paid = { costNanoUsd, ...(usage === undefined ? {} : { usage }) };
  run.recorder.record({ type: 'node-undone', ...undone, ...paid });
  run.driver.wake();
}

/** What the plan gives the step that undoes; by default what the node took and gave. */
function inputsOf(run: RunState, entry: UndoEntry): Readonly<Record<string, unknown>> {
  const { node, output } = entry;
  const scope = scopeOfEntry(run, entry);
  const given = undoOf(node)?.in;
  const rendered = compileTemplate(copyJson(given ?? node.in ?? {})).render(scope, undoMeter(run.values, node.id));
  return (given === undefined ? { input: rendered, output } : rendered) as Readonly<Record<string, unknown>>;
}

/** The node itself, and `self`, are what is undone. */
function scopeOfEntry(run: RunState, { node, item, output }: UndoEntry): TemplateScope {
  const scope = scopeOf(run);
  return (head, part) => {
    if (head === node.id || head === 'self') return part === 'meta' ? scope(node.id, 'meta') : output;
    if (item === -1) return scope(head, part);
    if (head === 'index') return item;
    return head === 'item' ? itemOf(run, node, item) : scope(head, part);
  };
}

/** The list is made once: thousands of items may have to be undone, and what an expression makes counts each time. */
function itemOf(run: RunState, node: PlanNode, item: number): unknown {
  const { lists } = run.undo;
  const known = lists.get(node);
  if (known !== undefined) return known[item];
  const made =
    node.each === undefined ? [] : compileTemplate(node.each).render(scopeOf(run), undoMeter(run.values, node.id));
  const list: readonly unknown[] = Array.isArray(made) ? made : [];
  lists.set(node, list);
  return list[item];
}

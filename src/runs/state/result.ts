/** The result of a run, for its caller. */

import type { NodeReport, NodeState, RunResult, RunStatus, RunTotals, WaitingQuestion } from '../../core/run/engine.ts';
import { failureRecord } from '../../core/run/failure-record.ts';
import { entriesOf } from '../records/waiting.ts';
import type { RunState } from './run-state.ts';
import type { Task } from './task.ts';

export function totalsOf(run: RunState): RunTotals {
  const { money } = run;
  const ms = run.activeMs + run.host.runtime.clock.monotonic() - run.startedAt;
  return { usage: money.usage, costNanoUsd: money.priced ? money.spent : null, ms };
}

export function resultOf(run: RunState, status: RunStatus, output?: unknown): RunResult {
  const { stopping, unrecorded } = run;
  const hasFailed = status === 'failed' || status === 'cancelled';
  const failure = hasFailed ? (unrecorded ?? (stopping?.type === 'failed' ? stopping.error : undefined)) : undefined;
  const waiting = status === 'suspended' ? { waiting: waitingOf(run.tasks.values()) } : {};
  return {
    runId: run.runId,
    status,
    ...(status === 'done' ? { output } : {}),
    ...(failure === undefined ? {} : { error: failureRecord(failure) }),
    ...totalsOf(run),
    ...(run.repaired.length === 0 ? {} : { repaired: run.repaired }),
    nodes: [...run.tasks.values()].map(reportOf),
    ...(run.undo.undone.length === 0 ? {} : { undone: run.undo.undone }),
    ...waiting,
  };
}

export function waitingOf(tasks: Iterable<Task>): NonNullable<RunResult['waiting']> {
  const waiting: WaitingQuestion[] = [];
  for (const { id, phase, progress } of tasks) {
    if (phase !== 'suspended' || progress === undefined) continue;
    for (const [item, question] of progress.questions) {
      if (!progress.answers.has(item)) waiting.push(...entriesOf(id, item, question));
    }
  }
  return waiting;
}

export function reportOf(task: Task): NodeReport {
  const { id, error } = task;
  // A run that was cancelled may end before its last records are committed.
  const result = task.result ?? task.settledResult;
  if (result !== undefined && error === undefined)
    return { id, state: stateOf(task), output: result.output, meta: result.meta };
  const report: { -readonly [K in keyof NodeReport]: NodeReport[K] } = { id, state: stateOf(task) };
  if (result !== undefined) {
    report.output = result.output;
    report.meta = result.meta;
  }
  if (error !== undefined) report.error = failureRecord(error);
  return report;
}

function stateOf({ phase, ending: committed, settled, error }: Task): NodeState {
  if (phase !== 'ended' && phase !== 'settling') return phase;
  const ending = committed ?? settled;
  if (ending === undefined && error !== undefined) return 'failed';
  return ending === 'handled' || ending === 'failed' ? 'failed' : (ending ?? 'done');
}

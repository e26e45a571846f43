/** Turns a run's events into a change of its summary in `list`, so that no store has to read the earlier events. */

import { addMoney, type NanoUsd } from '../core/money/money.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { RunEvent, RunSummary, StoredStatus } from '../core/run/engine.ts';

/** The node has ended: its onError gave the output. */
const STANDS_IN: ReadonlySet<string | undefined> = new Set(['skip', 'value', 'keep']);

/** The change of a run's summary by one append; absent fields stay as they are. */
export interface RunProgress {
  /** The time of the first event, in epoch milliseconds: the start of a run that is new to the journal. */
  readonly startedAt: number;
  readonly updatedAt: number;
  readonly status?: StoredStatus;
  readonly goal?: string;
  /** The number of nodes of the plan. */
  readonly total?: number;
  /** The number of nodes that were added since. */
  readonly added: number;
  /** The number of nodes that ended since without failing the run: done, skipped, or failed with a substitute value. */
  readonly finished: number;
  /** The total of the ended run, which replaces the sum of its nodes. */
  readonly settled?: { readonly costNanoUsd: NanoUsd | null };
  /** The cost that was added since, or after `settled` if it is set; null when it is unknown. */
  readonly costNanoUsd: NanoUsd | null;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const END_STATUS = { 'run-finished': 'done', 'run-failed': 'failed', 'run-cancelled': 'cancelled' } as const;

/** Undefined when `events` is empty. */
export function progressOf(events: readonly RunEvent[]): RunProgress | undefined {
  const first = events[0];
  if (first === undefined) return undefined;
  const progress: Mutable<RunProgress> = {
    startedAt: first.at,
    updatedAt: first.at,
    added: 0,
    finished: 0,
    costNanoUsd: 0,
  };
  for (const event of events) take(progress, event);
  return progress;
}

function take(progress: Mutable<RunProgress>, event: RunEvent): void {
  progress.updatedAt = event.at;
  switch (event.type) {
    case 'run-started':
      progress.status = 'running';
      takePlan(progress, event.plan);
      if (event.paid !== undefined) charge(progress, undefined, event.paid.costNanoUsd, false);
      return;
    case 'plan-revised':
      takePlan(progress, event.plan);
      return;
    case 'plan-delta':
      progress.added += event.nodes.length;
      return;
    case 'run-resumed':
      progress.status = 'running';
      if (event.booked !== undefined) charge(progress, undefined, event.booked.costNanoUsd, false);
      return;
    case 'plan-answered':
      charge(progress, undefined, event.costNanoUsd, false);
      return;
    case 'node-finished':
      charge(progress, event.item, event.result.costNanoUsd, true);
      return;
    case 'node-skipped':
      charge(progress, event.item, 0, true);
      return;
    case 'node-failed':
      // The failure is recorded again when the plan is complete.
      if (event.handled === 'plan') return;
      charge(progress, event.item, event.costNanoUsd, STANDS_IN.has(event.handled));
      return;
    case 'node-undone':
      charge(progress, undefined, event.costNanoUsd, false);
      return;
    case 'node-cancelled':
      charge(progress, event.item, event.costNanoUsd, false);
      return;
    case 'run-suspended':
      progress.status = 'suspended';
      return;
    case 'run-finished':
    case 'run-failed':
    case 'run-cancelled':
      progress.status = END_STATUS[event.type];
      progress.settled = { costNanoUsd: event.costNanoUsd };
      progress.costNanoUsd = 0;
      return;
    default:
  }
}

function takePlan(progress: Mutable<RunProgress>, { goal, id, nodes }: Plan): void {
  progress.goal = goal ?? id ?? '';
  progress.total = nodes.length;
  progress.added = 0;
}

type Cost = NanoUsd | null;

/** Items are part of their node, which reports their sum when it ends. */
function charge(progress: Mutable<RunProgress>, item: number | undefined, cost: Cost, ended: boolean): void {
  if (item !== undefined) return;
  progress.costNanoUsd = addMoney(progress.costNanoUsd, cost);
  if (ended) progress.finished += 1;
}

/** The summary after the change; `before` is undefined for a run that is new to the journal. */
export function progressed(runId: string, before: RunSummary | undefined, progress: RunProgress): RunSummary {
  const cost = (progress.settled ?? before ?? { costNanoUsd: 0 }).costNanoUsd;
  return {
    runId,
    status: progress.status ?? before?.status ?? 'running',
    goal: progress.goal ?? before?.goal ?? '',
    startedAt: before?.startedAt ?? progress.startedAt,
    updatedAt: progress.updatedAt,
    costNanoUsd: addMoney(cost, progress.costNanoUsd),
    nodes: {
      total: (progress.total ?? before?.nodes.total ?? 0) + progress.added,
      finished: (before?.nodes.finished ?? 0) + progress.finished,
    },
  };
}

/** Whether the run that begins with this event was started by a node of another run. */
export const isNested = (first: RunEvent | undefined): boolean =>
  first?.type === 'run-started' && first.parent?.kind === 'nested';

/** Newest first; runs of the same millisecond by descending id, so that every store lists the same order. */
export function newestFirst(a: RunSummary, b: RunSummary): number {
  return b.startedAt - a.startedAt || (a.runId < b.runId ? 1 : a.runId > b.runId ? -1 : 0);
}

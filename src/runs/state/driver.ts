/**
 * The port between the rules of a run and what drives it. The rules decide what may start, what an end means, what is
 * charged and recorded. A driver carries it out: it takes units (`nextUnit`), runs them in any place, returns their results
 * (`settleUnit`), and calls `advance` when there is nothing to take. Each run has its own driver.
 */
import type { PolyphonyError } from '../../core/errors.ts';
import type { Paid } from '../../core/money/usage.ts';
import type { Planner, PlanningOptions, PlanningResult } from '../../core/plan/planner.ts';
import type { RunEvent, RunResult } from '../../core/run/engine.ts';
import type { Task } from './task.ts';
import type { UndoEntry } from './undo.ts';

export interface Driver {
  /** Something has changed: take a turn soon, but not within this call. May be called at any time. */
  readonly wake: () => void;
  /** As `wake`, but other work, timers and signals have their turn first: what was done in this call took long. */
  readonly wakeLater: () => void;
  /** Shows an event to the readers of the run: in order, and after its commit if the journal keeps it. */
  readonly show: (event: RunEvent) => void;
  /**
   * Signals the units of the node to stop, each with its own `stop` as the reason. Units that have not stopped after the
   * driver's grace period are settled with `reason`.
   */
  readonly stopUnits: (task: Task, reason: PolyphonyError) => void;
  /** Calls `expired` after `ms` milliseconds, unless the node is released first. */
  readonly limitNode: (task: Task, ms: number, expired: () => void) => void;
  /** Nothing runs for the node any more: cancels its time limits. */
  readonly releaseNode: (task: Task) => void;
  /** Calls `expired` after `ms` milliseconds, unless the run ends first. */
  readonly limitRun: (ms: number, expired: () => void) => void;
  /** @default undefined: requests are not planned here, and `onError: "replan"` fails the run */
  readonly planner: DriverPlanner | undefined;
  /** Calls the step that undoes the entry, then `settled`, once: with what it cost, and with its error if it failed. */
  readonly undo: (
    entry: UndoEntry,
    inputs: Readonly<Record<string, unknown>>,
    settled: (paid: Paid, error?: unknown) => void,
  ) => void;
  /** The run is over in this process and its last record is committed: releases all that it holds. Called once. */
  readonly settle: (result: RunResult) => void;
}

/** The planner as a driver calls it: with a signal of its own. One call at a time. */
export interface DriverPlanner {
  plan(request: string, options: Omit<PlanningOptions, 'signal'>): Promise<PlanningResult>;
  revise(
    failure: Parameters<Planner['revise']>[0],
    options: Omit<PlanningOptions, 'signal' | 'input' | 'onDraft'>,
  ): Promise<PlanningResult>;
  /** Signals the call in progress to stop. `giveUp` is called after the driver's grace period, unless the run has ended. */
  stop(reason: PolyphonyError, giveUp: () => void): void;
}

/** A run that is reserved already, for whoever drives it next. */
export interface HeldLease {
  readonly release: () => Promise<void>;
  /** Calls it also when the lease was lost before. */
  readonly whenLost: (onLost: (error: unknown) => void) => void;
}

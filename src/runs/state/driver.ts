/**
 * The port between the rules of a run and whatever drives it. The rules say what happens: what may start, what an end
 * means, what is charged and recorded. A driver makes it happen: it takes units (`nextUnit`), runs them wherever it likes,
 * hands back what came of them (`settleUnit`), and calls `advance` when there is nothing to take. It is made for one run.
 */
import type { PolyphonyError } from '../../core/errors.ts';
import type { Planner, PlanningOptions, PlanningResult } from '../../core/plan/planner.ts';
import type { RunEvent, RunResult } from '../../core/run/engine.ts';
import type { Task } from './task.ts';

export interface Driver {
  /** Something has changed: look soon for what can happen next, and not within this call. Safe at any time. */
  readonly wake: () => void;
  /** An event for those who follow the run: in order, and committed if the journal keeps it. */
  readonly show: (event: RunEvent) => void;
  /**
   * Tells what runs for the node to stop, each unit for its own `stop`. Units that do not heed it within the driver's grace
   * are settled with the reason.
   */
  readonly stopUnits: (task: Task, reason: PolyphonyError) => void;
  /** Calls `expired` after so many milliseconds, unless the node is released before. */
  readonly limitNode: (task: Task, ms: number, expired: () => void) => void;
  /** Nothing runs for the node any more: its time limits are void. */
  readonly releaseNode: (task: Task) => void;
  /** Calls `expired` after so many milliseconds, unless the run is over before. */
  readonly limitRun: (ms: number, expired: () => void) => void;
  /** @default undefined: requests are not planned here, and `onError: "replan"` fails the run */
  readonly planner: DriverPlanner | undefined;
  /** The run is over here, its last record committed: gives back all that it holds. Called once. */
  readonly settle: (result: RunResult) => void;
}

/** The planner as a driver calls it: with a signal of its own. One call at a time. */
export interface DriverPlanner {
  plan(request: string, options: Omit<PlanningOptions, 'signal'>): Promise<PlanningResult>;
  revise(
    failure: Parameters<Planner['revise']>[0],
    options: Omit<PlanningOptions, 'signal' | 'input' | 'onDraft'>,
  ): Promise<PlanningResult>;
  /** Tells the call under way to stop; `giveUp` is called when it has not settled the run within the driver's grace. */
  stop(reason: PolyphonyError, giveUp: () => void): void;
}

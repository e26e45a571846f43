/** All that one run knows, and what the rules of a run share of it. Nothing in it depends on what drives the run. */
import type { Runtime } from '../../core/clock.ts';
import type { PolyphonyError } from '../../core/errors.ts';
import type { Scope, Usage } from '../../core/model/model.ts';
import type { NanoUsd } from '../../core/money/money.ts';
import type { PlanBounds, ValidPlan } from '../../core/plan/plan.ts';
import type { RunResult } from '../../core/run/engine.ts';
import type { RunJournal } from '../../core/stores.ts';
import type { Driver } from './driver.ts';
import type { ReadyQueue } from './ready-queue.ts';
import type { Recorder } from './recorder.ts';
import type { Task } from './task.ts';

/** What an engine gives to each of its runs. */
export interface RunHost {
  readonly runtime: Runtime;
  readonly journal: RunJournal;
}

/** Money of a run; `cap` is undefined when nothing limits it. */
export interface Money {
  cap: NanoUsd | undefined;
  spent: NanoUsd;
  /** False as soon as one cost is unknown. */
  priced: boolean;
  reserved: NanoUsd;
  warned: boolean;
  usage: Usage;
}

export type Stopping =
  | { readonly type: 'failed'; readonly error: PolyphonyError; readonly nodeId?: string }
  | { readonly type: 'cancelled'; readonly reason: string };

export interface RunState {
  readonly host: RunHost;
  readonly driver: Driver;
  readonly runId: string;
  readonly scopes: readonly Scope[];
  readonly session: string | undefined;
  readonly level: number;
  readonly bounds: PlanBounds;
  readonly input: Readonly<Record<string, unknown>>;
  readonly money: Money;
  readonly queue: ReadyQueue<Task>;
  recorder: Recorder;
  plan: ValidPlan;
  tasks: Map<string, Task>;
  /** Ready nodes that wait for siblings to settle their money. */
  waitingForBudget: Task[];
  /** Units taken by the driver and not settled. */
  active: number;
  /** Nodes that have not ended. */
  alive: number;
  stopping: Stopping | undefined;
  revision: Revision | undefined;
  /** Until its plan is whole. */
  streamingPlan: StreamingPlan | undefined;
  revisions: number;
  /** Monotonic; what earlier processes spent is in `activeMs`. */
  startedAt: number;
  activeMs: number;
  /** Of these, what went into planning: a plan's own seconds begin when it is whole. */
  plannedMs: number;
  /** There once the run is over here. */
  result: RunResult | undefined;
}

/** A replan under way: nothing starts until it is applied. */
export interface Revision {
  readonly reason: string;
  /** The planner has not answered yet. */
  asking: boolean;
  plan: ValidPlan | undefined;
}

/** A plan that is being written: what of it runs already, and the whole of it once it is there. */
export interface StreamingPlan {
  /** The caller's cap; the plan's own budget may be lower. */
  readonly capNanoUsd: NanoUsd | undefined;
  /** Nodes that may run before the plan is whole. */
  readonly startable: Set<string>;
  /** Nodes that an earlier process started. */
  readonly started: ReadonlySet<string>;
  /** Nodes whose failure the whole plan has to judge. */
  readonly failed: Set<Task>;
  whole: ValidPlan | undefined;
  /** Nodes that the whole plan has no use for as they are. */
  changed: readonly Task[];
  /** Those of them that have yet to stop. */
  readonly dropped: Set<Task>;
  isMerged: boolean;
}

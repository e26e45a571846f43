/** All that one run knows, and what the parts of the executor share of it. */
import type { Runtime } from '../../core/clock.ts';
import type { PolyphonyError } from '../../core/errors.ts';
import type { Scope, Usage } from '../../core/model/model.ts';
import type { NanoUsd } from '../../core/money/money.ts';
import type { PlanBounds, ValidPlan } from '../../core/plan/plan.ts';
import type { NodeRunner, Replan, RunEvent, RunResult, StreamingPlanner } from '../../core/run/engine.ts';
import type { RunJournal } from '../../core/stores.ts';
import type { EventLog } from './event-log.ts';
import type { ReadyQueue } from './ready-queue.ts';
import type { Recorder } from './recorder.ts';
import type { Task, Unit } from './task.ts';

/** What an engine gives to each of its runs. */
export interface Host {
  readonly runtime: Runtime;
  readonly journal: RunJournal;
  readonly runnerOf: (use: string) => NodeRunner;
  readonly replan: Replan | undefined;
  readonly writer: StreamingPlanner | undefined;
  readonly validPlan: (plan: ValidPlan['plan']) => ValidPlan;
  readonly onEvent: ((event: RunEvent) => void) | undefined;
  readonly owner: string;
  readonly leaseMs: number;
  /** How long a runner may take to stop after its signal, in milliseconds. */
  readonly graceMs: number;
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
  readonly host: Host;
  readonly runId: string;
  readonly concurrency: number;
  readonly scopes: readonly Scope[];
  readonly session: string | undefined;
  readonly level: number;
  readonly bounds: PlanBounds;
  readonly input: Readonly<Record<string, unknown>>;
  readonly money: Money;
  readonly log: EventLog;
  readonly queue: ReadyQueue<Task>;
  recorder: Recorder;
  plan: ValidPlan;
  tasks: Map<string, Task>;
  /** Ready nodes that wait for siblings to settle their money. */
  waitingForBudget: Task[];
  /** Runner calls in flight. */
  active: number;
  /** Nodes that have not ended. */
  alive: number;
  stopping: Stopping | undefined;
  revision: Revision | undefined;
  /** Until its plan is whole. */
  writing: StreamingPlan | undefined;
  revisions: number;
  /** Monotonic; what earlier processes spent is in `activeMs`. */
  startedAt: number;
  activeMs: number;
  /** Of these, what went into planning: a plan's own seconds begin when it is whole. */
  plannedMs: number;
  /** Released when the run ends: listeners, timers, the lease. */
  readonly cleanups: (() => void | Promise<void>)[];
  /** Goes on without a unit that did not stop in time. */
  giveUp: (unit: Unit, reason: PolyphonyError) => void;
  /** Looks for what can happen next; safe to call at any time. */
  wake: () => void;
  result: RunResult | undefined;
  resolve: (result: RunResult) => void;
}

/** A replan under way: nothing starts until it is applied. */
export interface Revision {
  readonly reason: string;
  readonly controller: AbortController;
  /** The planner has not answered yet. */
  asking: boolean;
  plan: ValidPlan | undefined;
}

/** A plan that is being written: what of it runs already, and the whole of it once it is there. */
export interface StreamingPlan {
  readonly controller: AbortController;
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

/** One run in this process: the state of the rules, and the driver that gives them signals, timers and the planner. */

import { abortError, PolyphonyError } from '../core/errors.ts';
import { onAbort } from '../core/on-abort.ts';
import type { Planner } from '../core/plan/planner.ts';
import type { BookedFor } from '../core/run/booked-for.ts';
import type { EventParent, NodeRunner, NodeRunners, RunEvent, RunHandle, RunResult } from '../core/run/engine.ts';
import type { Driver, DriverPlanner } from '../runs/state/driver.ts';
import type { RunState } from '../runs/state/run-state.ts';
import type { Task, Unit } from '../runs/state/task.ts';
import type { StoredRuns } from '../runs/stored/change.ts';
import { STORE_GRACE_MS } from '../runs/turn/concluding.ts';
import { createRun, type RunOpening } from '../runs/turn/opening.ts';
import { stop } from '../runs/turn/stop.ts';
import { settleUnit } from '../runs/turn/units.ts';
import { leaveSlots } from '../runs/unit/slots.ts';
import { settlesWithin } from '../system/clock.ts';
import { type EventLog, eventLog } from './event-log.ts';
import type { TimeSlice } from './time-slice.ts';
import { callUndo } from './undo-call.ts';

/** What an engine provides to each of its runs. */
export interface Host extends StoredRuns {
  readonly runnersNow: () => NodeRunners;
  readonly planner: Planner | undefined;
  readonly onEvent: ((event: RunEvent) => void) | undefined;
  /** See EngineOptions. */
  readonly bookedFor: BookedFor;
  /** As for stored runs. `onLost` is called when another process takes a run that is driven here. */
  readonly lock: (runId: string, onLost?: (error: unknown) => void) => Promise<() => Promise<void>>;
  /** How long a runner, or the planner, may take to stop after its signal, in milliseconds. */
  readonly graceMs: number;
  /** Shared by all runs. */
  readonly slice: TimeSlice;
  /**
   * Takes what goes on after the end of a run: `release` is called when its last records are written, or have taken too long.
   * The next turn of the run, and the end of the engine, wait for that. `written` never rejects.
   */
  readonly finishLater: (runId: string, written: Promise<unknown>, release: () => Promise<unknown>) => Promise<unknown>;
}

export interface Driving {
  readonly host: Host;
  readonly run: RunState;
  readonly log: EventLog;
  /** Signals of the units that asked for one: most steps of a large plan never read theirs. */
  readonly controllers: Map<Unit, AbortController>;
  /** Functions that cancel the timers of a node. */
  readonly timers: Map<Task, (() => void)[]>;
  /** Aborts the planner's call in progress. */
  planning: AbortController | undefined;
  /** Takes the next turn; undefined until the run is registered. */
  turn: (() => void) | undefined;
  /** A turn is scheduled. */
  scheduled: boolean;
  /** Takes the scheduled turn. */
  nextTurn: (() => void) | undefined;
  /** Called when the run ends: listeners, timers. */
  readonly cleanups: (() => void)[];
  /** Gives the lease back; called when the last record is written. */
  readonly releases: (() => Promise<void>)[];
  /** Work on the store that began before the run did. */
  readonly opening: Set<Promise<unknown>>;
  /** Those that were there when the run around all others began here: what is registered later does not change a run. */
  runners: NodeRunners;
  /** For a run that is nested in another one that is driven here. */
  above: Above | undefined;
  resolve: (result: RunResult) => void;
}

interface Above {
  readonly driving: Driving;
  readonly parent: EventParent;
}

export function createDriving(host: Host, opening: RunOpening): Driving {
  // The rules call the driver only after the run was created, when `driving` below is assigned.
  const driver: Driver = {
    wake: () => wake(driving),
    wakeLater() {
      host.slice.take(host.runtime.clock.monotonic());
      host.slice.end();
      wake(driving);
    },
    show(event) {
      driving.log.push(event);
      host.onEvent?.(event);
      if (driving.above !== undefined) showAbove(driving.above, event);
    },
    stopUnits: (task, reason) => stopUnits(driving, task, reason),
    limitNode: (task, ms, expired) => addTimer(driving, task, host.runtime.clock.schedule(ms, expired)),
    releaseNode(task) {
      if (driving.timers.size > 0) clearTimers(driving, task);
    },
    limitRun(ms, expired) {
      // A run that waits for its lease may end before it is woken once more: nobody would clear a timer of it.
      if (driving.run.result === undefined) driving.cleanups.push(host.runtime.clock.schedule(ms, expired));
    },
    planner: host.planner === undefined ? undefined : plannerOf(host.planner, () => driving),
    undo(entry, inputs, settled) {
      callUndo({ run: driving.run, runnerOf: (use) => runnerOf(driving, use) }, entry, inputs, settled);
    },
    settle: (result) => settle(driving, result),
  };
  const driving: Driving = {
    host,
    run: createRun(host, driver, opening),
    log: eventLog(),
    controllers: new Map(),
    timers: new Map(),
    planning: undefined,
    turn: undefined,
    scheduled: false,
    nextTurn: undefined,
    cleanups: [],
    releases: [],
    opening: new Set(),
    runners: host.runnersNow(),
    above: undefined,
    resolve: () => {},
  };
  return driving;
}

/** A step that was registered since the run began is one that it may plan within itself. */
export function runnerOf({ runners, host }: Driving, use: string): NodeRunner {
  const runner = findRunner(runners, use) ?? findRunner(host.runnersNow(), use);
  if (runner !== undefined) return runner;
  const names = [...host.runnersNow().keys()].join(', ');
  throw new PolyphonyError('invalid-plan', `This engine cannot run ${JSON.stringify(use)}: use one of ${names}.`);
}

function findRunner(runners: NodeRunners, use: string): NodeRunner | undefined {
  const exact = runners.get(use);
  if (exact !== undefined) return exact;
  const prefix = use.slice(0, use.indexOf(':') + 1);
  return prefix === '' ? undefined : runners.get(prefix);
}

/** Shows an event of a nested run to the readers of all runs around it, except for text, which its node shows as its own. */
function showAbove(above: Above, event: RunEvent): void {
  if (event.type === 'node-delta') return;
  const shown = event.type === 'run-started' ? event : { ...event, parent: above.parent };
  for (let next: Above | undefined = above; next !== undefined; next = next.driving.above) {
    if (next.driving.run.result === undefined) next.driving.log.pushNested(shown);
  }
}

/** Nodes that end in the same tick are committed together. */
export function wake(driving: Driving): void {
  if (driving.scheduled || driving.turn === undefined) return;
  driving.scheduled = true;
  // Made once: a run wakes up about as often as it has nodes.
  driving.nextTurn ??= () => {
    driving.scheduled = false;
    driving.turn?.();
  };
  const { slice } = driving.host;
  if (slice.isUsedUp()) slice.next(driving.nextTurn);
  else queueMicrotask(driving.nextTurn);
}

// ---------------------------------------------------------------------------------------------------- stopping

/** The signal of a unit, made when first asked for. */
export function signalOf({ controllers }: Driving, unit: Unit): AbortSignal {
  const known = controllers.get(unit);
  if (known !== undefined) return known.signal;
  const controller = new AbortController();
  controllers.set(unit, controller);
  if (unit.stop !== undefined) controller.abort(unit.stop);
  return controller.signal;
}

/** Aborts the signals of the units, and settles those that have not stopped after the grace period. */
function stopUnits(driving: Driving, task: Task, reason: Error): void {
  const { host, run, controllers } = driving;
  const giveUp = (): void => {
    for (const unit of [...task.units]) settleUnit(run, unit, undefined, reason);
  };
  addTimer(driving, task, host.runtime.clock.schedule(host.graceMs, giveUp));
  for (const unit of [...task.units]) controllers.get(unit)?.abort(unit.stop);
}

function addTimer({ timers }: Driving, task: Task, cancelTimer: () => void): void {
  const known = timers.get(task);
  if (known === undefined) timers.set(task, [cancelTimer]);
  else known.push(cancelTimer);
}

function clearTimers({ timers }: Driving, task: Task): void {
  for (const cancelTimer of timers.get(task) ?? []) cancelTimer();
  timers.delete(task);
}

function plannerOf(planner: Planner, driving: () => Driving): DriverPlanner {
  const nextSignal = (): AbortSignal => {
    const controller = new AbortController();
    driving().planning = controller;
    return controller.signal;
  };
  return {
    plan: async (request, options) => planner.plan(request, { ...options, signal: nextSignal() }),
    revise: async (failure, options) => planner.revise(failure, { ...options, signal: nextSignal() }),
    stop(reason, giveUp) {
      const { host, cleanups, planning } = driving();
      cleanups.push(host.runtime.clock.schedule(host.graceMs, giveUp));
      planning?.abort(reason);
    },
  };
}

// ---------------------------------------------------------------------------------------------------- callers

export function handleOf(driving: Driving): RunHandle {
  const { run, log } = driving;
  const result = new Promise<RunResult>((resolve) => {
    driving.resolve = resolve;
  });
  return {
    runId: run.runId,
    events: () => log.read(),
    result: () => result,
    cancel: (reason = 'by its caller') => stop(run, { type: 'cancelled', reason }),
  };
}

/** Cancels the run with the caller's signal. */
export function followSignal({ run, cleanups }: Driving, signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  // Whoever stops a process or an attempt may go on with the run; a run around this one that ends for good ends this one too.
  const isLeft = (): boolean => {
    const above = run.within?.run.stopping;
    return run.within === undefined || (above?.type === 'cancelled' && above.isLeft === true);
  };
  const cancel = (): void => stop(run, { type: 'cancelled', reason: abortError(signal).message, isLeft: isLeft() });
  if (signal.aborted) cancel();
  cleanups.push(onAbort(signal, cancel));
}

/** Releases all that the run holds, then resolves its result: at once where the last records are still being written. */
function settle(driving: Driving, result: RunResult): void {
  const { host, run, log, opening, releases } = driving;
  for (const task of driving.timers.keys()) clearTimers(driving, task);
  for (const cleanup of driving.cleanups) cleanup();
  leaveSlots(run);
  const done = (): void => {
    log.close();
    driving.resolve(result);
  };
  const isWritten = run.recorder.idle() && opening.size === 0;
  if (isWritten && releases.length === 0) {
    done();
    return;
  }
  const written = isWritten ? Promise.resolve() : Promise.allSettled([run.recorder.drain(), ...opening]);
  const release = () => Promise.allSettled(releases.map((giveBack) => giveBack()));
  const released = host.finishLater(run.runId, written, release);
  if (isWritten) void settlesWithin(host.runtime.clock, STORE_GRACE_MS, released).then(done);
  else done();
}

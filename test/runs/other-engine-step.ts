/** One step of the test engine: a run as its journal tells it, and its own way of calls, signals and timers. */
import type { Planner } from '../../src/core/plan/planner.ts';
import type { NodeCall, NodeOutput, NodeResult, RunEvent, RunResult } from '../../src/core/run/engine.ts';
import type { Driver, DriverPlanner } from '../../src/runs/state/driver.ts';
import type { RunState } from '../../src/runs/state/run-state.ts';
import type { Task, Unit } from '../../src/runs/state/task.ts';
import type { StoredRuns } from '../../src/runs/stored/change.ts';
import { mayRetry, recordRetry } from '../../src/runs/turn/attempts.ts';
import {
  answerOf,
  assertCallable,
  bookFailure,
  bookOutput,
  inputsOf,
  nextRound,
  recordRound,
  scopesOf,
  sessionOf,
  takeDelta,
  takeProgress,
  takeRound,
  takeUpRounds,
  unitKey,
} from '../../src/runs/turn/calls.ts';
import { createRun, type RunOpening } from '../../src/runs/turn/opening.ts';
import { nextMacrotask, sleep } from '../../src/system/clock.ts';
import type { TestEngineParts } from '../../src/testing/index.ts';

export interface OtherEngineParts extends TestEngineParts {
  readonly validPlan: StoredRuns['validPlan'];
  readonly planner?: Planner;
}

/** What outlives a step: who follows the run, and what they asked for. */
export interface Followed {
  readonly runId: string;
  readonly shown: RunEvent[];
  readonly waiters: (() => void)[];
  step: Step | undefined;
  cancelled: string | undefined;
  result: RunResult | undefined;
}

export interface Step {
  readonly run: RunState;
  readonly parts: OtherEngineParts;
  /** Of the one unit that the step runs. */
  readonly controller: AbortController;
  /** Resolves when something has changed. */
  woken(): Promise<void>;
  /** Resolves when all that was recorded is committed. */
  committed(): Promise<void>;
  close(): void;
}

export function openStep(parts: OtherEngineParts, followed: Followed, opening: RunOpening): Step {
  const { clock } = parts.runtime;
  const controller = new AbortController();
  const timers: [task: Task | undefined, cancel: () => void][] = [];
  const waiters: (() => void)[] = [];
  const wakeAll = (): void => {
    for (const wake of waiters.splice(0)) wake();
  };
  const driver: Driver = {
    wake: wakeAll,
    wakeLater: () => nextMacrotask(wakeAll),
    show(event) {
      followed.shown.push(event);
      for (const wake of followed.waiters.splice(0)) wake();
    },
    // The steps of tests heed their signal, so there is no grace here.
    stopUnits: (_task, reason) => controller.abort(reason),
    limitNode: (task, ms, expired) => void timers.push([task, clock.schedule(ms, expired)]),
    releaseNode(task) {
      for (const [of, cancel] of timers) if (of === task) cancel();
    },
    limitRun: (ms, expired) => void timers.push([undefined, clock.schedule(ms, expired)]),
    undo: (_entry, _inputs, settled) => settled({ costNanoUsd: 0 }),
    planner: parts.planner === undefined ? undefined : plannerOf(parts.planner),
    settle(result) {
      followed.result = result;
      for (const wake of followed.waiters.splice(0)) wake();
    },
  };
  const run = createRun(parts, driver, opening);
  const woken = (): Promise<void> => new Promise((resolve) => waiters.push(resolve));
  return {
    run,
    parts,
    controller,
    woken,
    async committed() {
      while (!run.recorder.idle()) {
        if (run.recorder.pending()) run.recorder.flush();
        else await woken();
      }
    },
    close() {
      for (const [, cancel] of timers) cancel();
    },
  };
}

function plannerOf(planner: NonNullable<OtherEngineParts['planner']>): DriverPlanner {
  const controller = new AbortController();
  const { signal } = controller;
  return {
    plan: (request, options) => planner.plan(request, { ...options, signal }),
    revise: (failure, options) => planner.revise(failure, { ...options, signal }),
    stop: (reason) => controller.abort(reason),
  };
}

/** The unit with all its rounds and retries. */
export async function runUnit(step: Step, unit: Unit): Promise<NodeResult> {
  const { run } = step;
  if (unit.task.node.repeat === undefined) return oneResult(step, unit);
  let last = takeUpRounds(run, unit);
  while (last === undefined) {
    const closeRound = nextRound(unit);
    let result: NodeResult;
    try {
      result = await oneResult(step, unit);
    } finally {
      closeRound();
    }
    recordRound(run, unit, result, () => {});
    await step.committed();
    last = takeRound(run, unit, result);
  }
  return last;
}

async function oneResult(step: Step, unit: Unit): Promise<NodeResult> {
  const { run, parts, controller } = step;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return bookOutput(run, unit, await callOnce(step, unit));
    } catch (error) {
      bookFailure(run, unit, error);
      if (!mayRetry(unit, attempt, error)) throw error;
      await sleep(parts.runtime.clock, recordRetry(run, unit, attempt, error), controller.signal);
    }
  }
}

async function callOnce({ run, parts, controller }: Step, unit: Unit): Promise<NodeOutput> {
  assertCallable(run, unit);
  const { node } = unit.task;
  const runner = parts.runners.get(node.use) ?? parts.runners.get(node.use.slice(0, node.use.indexOf(':') + 1));
  if (runner === undefined) throw new Error(`nothing runs ${node.use}`);
  const [session, answer] = [sessionOf(run, unit), answerOf(unit)];
  const call: NodeCall = {
    runId: run.runId,
    node,
    inputs: inputsOf(run, unit),
    idempotencyKey: unitKey(run, unit),
    level: run.level,
    signal: controller.signal,
    scopes: scopesOf(run, unit),
    emit: (text, options) => takeDelta(run, unit, text, options?.restart === true),
    report: (event) => takeProgress(run, unit, event),
    ...(unit.item === -1 ? {} : { item: unit.item }),
    ...(unit.round === 0 ? {} : { round: unit.round }),
    ...(session === undefined ? {} : { session }),
    ...(answer === undefined ? {} : { answer }),
  };
  return runner(call);
}

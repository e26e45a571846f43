/** The engine that runs plans in this process and records them in one journal. */

import type { Runtime } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { PolyphonyError } from '../core/errors.ts';
import type { Plan, ValidPlan } from '../core/plan/plan.ts';
import type { Planner } from '../core/plan/planner.ts';
import type { ExecutionEngine, NodeRunner, NodeRunners, RunEvent, RunHandle, RunOptions } from '../core/run/engine.ts';
import { fullEvents } from '../core/run/full-events.ts';
import type { ValueBounds } from '../core/run/value-bounds.ts';
import type { RunJournal } from '../core/stores.ts';
import { knownRun, type Restored } from '../runs/journal/restore.ts';
import { type Answer, answerRun } from '../runs/stored/answer.ts';
import { cancelStored } from '../runs/stored/cancel.ts';
import { forkRun } from '../runs/stored/fork.ts';
import { inspectRun } from '../runs/stored/inspect.ts';
import { refuse } from '../runs/turn/concluding.ts';
import { type Beginning, begin, type RunOpening } from '../runs/turn/opening.ts';
import { abandon } from '../runs/turn/stop.ts';
import { noPlanner } from '../runs/turn/streaming-plan.ts';
import { drive } from './drive.ts';
import { createDriving, type Driving, followSignal, type Host, handleOf } from './driving.ts';
import { busy, takeLease } from './lease.ts';

export interface EngineOptions {
  readonly runtime: Runtime;
  readonly journal: RunJournal;
  readonly runners: NodeRunners;
  /** Validates the plan of a journal again, against today's catalogue. Throws invalid-plan. */
  readonly validPlan: (plan: Plan) => ValidPlan;
  /**
   * Plans requests within their runs, and revises the plan of a run after the failure of a node with `onError: "replan"`.
   *
   * @default none: requests are refused, and such a node fails the run
   */
  readonly planner?: Planner;
  /** How large the values of a run that begins may become. @default VALUE_BOUNDS */
  readonly valueBounds?: () => ValueBounds;
  /** Called with each event of every run. What it throws is ignored. */
  readonly onEvent?: (event: RunEvent) => void;
  /** Names this process in leases. @default a fresh id */
  readonly owner?: string;
  /** How long a run whose process died stays locked, in milliseconds. @default 10000 */
  readonly leaseMs?: number;
  /** How long a step may take to stop after its signal before the run goes on without it, in milliseconds. @default 1000 */
  readonly graceMs?: number;
}

interface LiveRun {
  readonly driving: Driving;
  readonly handle: RunHandle;
}

interface Engine {
  readonly host: Host;
  readonly live: Map<string, LiveRun>;
  /** By run: the end of what was begun last of resume, answer and cancel. Never rejects. */
  readonly turns: Map<string, Promise<void>>;
  closed: boolean;
}

export function createEngine(options: EngineOptions): ExecutionEngine {
  const { journal } = options;
  const host = hostOf(options);
  const engine: Engine = { host, live: new Map(), turns: new Map(), closed: false };
  return {
    start: (plan, runOptions = {}) => start(engine, { plan, options: runOptions }),
    startRequest(request, { onPlan, ...runOptions } = {}) {
      const plan = plannerOf(host).open(request);
      return start(engine, { plan, options: runOptions, request, ...defined({ onPlan }) });
    },
    resume: (runId, runOptions = {}) => inTurn(engine, runId, () => resume(engine, runId, runOptions)),
    answer: (runId, nodeId, answer) => takeAnswer(engine, { runId, nodeId, answer }),
    async fork(runId, forkOptions) {
      const opening = await forkRun(host, runId, forkOptions);
      return goOn(engine, opening, 'forked');
    },
    replay: (runId) => journal.read(runId),
    inspect: async (runId) => inspectRun(await knownRun(journal, runId, 'look')),
    cancel: (runId, reason = 'by its operator') => cancel(engine, runId, reason),
    list: (filter) => journal.list(filter),
    async close() {
      engine.closed = true;
      const handles = [...engine.live.values()].map(({ handle }) => handle);
      for (const handle of handles) handle.cancel('the engine was closed');
      await Promise.all(handles.map((handle) => handle.result()));
    },
  };
}

function hostOf(options: EngineOptions): Host {
  const { runtime, journal, planner, validPlan, onEvent, valueBounds, leaseMs = 10_000, graceMs = 1000 } = options;
  const { owner = runtime.ids('engine') } = options;
  const leasing = { journal, clock: runtime.clock, leaseMs };
  let leases = 0;
  // A name per lease: the store then also keeps two locks of this process apart.
  const lock: Host['lock'] = (runId, onLost = () => {}) => {
    leases += 1;
    return takeLease({ ...leasing, owner: `${owner}/${leases}`, runId, onLost });
  };
  return {
    runtime,
    journal,
    runnerOf: (use) => runnerOf(options.runners, use),
    planner,
    validPlan,
    onEvent: onEvent === undefined ? undefined : guarded(onEvent),
    lock,
    graceMs,
    valueBounds,
  };
}

function plannerOf({ planner }: Host): Planner {
  if (planner === undefined) throw noPlanner();
  return planner;
}

function guarded(onEvent: (event: RunEvent) => void): (event: RunEvent) => void {
  return function notify(event) {
    try {
      onEvent(event);
    } catch {
      // A listener that fails must not affect the run.
    }
  };
}

function runnerOf(runners: NodeRunners, use: string): NodeRunner {
  const exact = runners.get(use);
  if (exact !== undefined) return exact;
  const prefix = use.slice(0, use.indexOf(':') + 1);
  const byPrefix = prefix === '' ? undefined : runners.get(prefix);
  if (byPrefix !== undefined) return byPrefix;
  const names = [...runners.keys()].join(', ');
  throw new PolyphonyError('invalid-plan', `This engine cannot run ${JSON.stringify(use)}: use one of ${names}.`);
}

/**
 * One after the other per run. Each reads the journal before it writes to it, so two at once would write the same place twice,
 * or drive the run twice.
 */
function inTurn<T>({ turns }: Engine, runId: string, work: () => Promise<T>): Promise<T> {
  const before = turns.get(runId);
  const result = before === undefined ? work() : before.then(work);
  const end = result.then(
    () => {},
    () => {},
  );
  turns.set(runId, end);
  void end.then(() => {
    if (turns.get(runId) === end) turns.delete(runId);
  });
  return result;
}

/** A run that is driven here takes the answer itself, without a turn: others must not wait for its commits. */
async function takeAnswer(engine: Engine, answer: Answer): Promise<void> {
  const { host, live, turns } = engine;
  const { runId } = answer;
  await turns.get(runId);
  const driven = live.get(runId);
  if (driven !== undefined) return answerRun(host, driven.driving.run, answer);
  return inTurn(engine, runId, () => answerRun(host, live.get(runId)?.driving.run, answer));
}

async function cancel(engine: Engine, runId: string, reason: string): Promise<boolean> {
  const driven = engine.live.get(runId);
  if (driven === undefined) {
    const stored = async () => (engine.live.has(runId) ? undefined : cancelStored(engine.host, runId, reason));
    // Undefined: somebody has resumed it meanwhile.
    return (await inTurn(engine, runId, stored)) ?? cancel(engine, runId, reason);
  }
  driven.handle.cancel(reason);
  return (await driven.handle.result()).status === 'cancelled';
}

function register(engine: Engine, opening: RunOpening): LiveRun {
  if (engine.closed) {
    throw new PolyphonyError('invalid-request', 'The engine is closed and drives no more runs: create a new one.');
  }
  const driving = createDriving(engine.host, { ...opening, ...countsOfParent(engine, opening) });
  const live = { driving, handle: handleOf(driving) };
  const { runId } = opening;
  engine.live.set(runId, live);
  driving.cleanups.push(() => void engine.live.delete(runId));
  followSignal(driving, opening.options.signal);
  return live;
}

/** A nested run counts its values, and what it writes, with the run that it is nested in, which is driven here too. */
function countsOfParent(
  { live }: Engine,
  { options, restored }: RunOpening,
): Pick<RunOpening, 'values' | 'rendered' | 'writtenBytes'> {
  const parent = options.parent ?? restored?.started.parent;
  const run = parent?.kind === 'nested' ? live.get(parent.runId)?.driving.run : undefined;
  const units = parent?.nodeId === undefined ? undefined : run?.tasks.get(parent.nodeId)?.units;
  return defined({
    values: run?.values,
    writtenBytes: run?.writtenBytes,
    rendered: units?.find(({ inputs }) => inputs !== undefined && inputs === options.input)?.rendered,
  });
}

/** Only the root run is locked: the process that drives it also drives the runs nested in it. */
async function lock({ host }: Engine, { run, cleanups }: Driving, parent: RunOptions['parent']): Promise<void> {
  if (parent?.kind === 'nested') return;
  cleanups.push(await host.lock(run.runId, (error) => abandon(run, error)));
}

function start(engine: Engine, given: Omit<RunOpening, 'runId'>): RunHandle {
  const runId = given.options.runId ?? engine.host.runtime.ids('run');
  if (engine.live.has(runId)) throw exists(runId);
  const opening = { ...given, runId };
  const { driving, handle } = register(engine, opening);
  void lockAndBegin(engine, driving, opening).catch((error: unknown) => refuse(driving.run, error));
  return handle;
}

async function lockAndBegin(engine: Engine, driving: Driving, opening: RunOpening): Promise<void> {
  const { options } = opening;
  const { run } = driving;
  await lock(engine, driving, options.parent);
  if (options.runId !== undefined) {
    for await (const _event of engine.host.journal.read(run.runId)) throw exists(run.runId);
  }
  begin(run, opening, { type: 'started' }, () => drive(driving));
}

const exists = (runId: string): PolyphonyError =>
  new PolyphonyError('invalid-request', `Run ${runId} already exists: resume it, or choose another id.`);

async function resume(
  engine: Engine,
  runId: string,
  options: Pick<RunOptions, 'signal' | 'concurrency'>,
): Promise<RunHandle> {
  if (engine.live.has(runId)) throw busy(runId);
  const restored = await knownRun(engine.host.journal, runId);
  const { parent } = restored.started;
  if (parent?.kind === 'nested' && !engine.live.has(parent.runId)) {
    throw new PolyphonyError(
      'invalid-request',
      `Run ${runId} is nested in run ${parent.runId}: resume run ${parent.runId} instead.`,
    );
  }
  if (restored.status === 'done') return endedHandle(engine.host.journal, restored);
  return goOn(engine, { runId, options, restored, ...planOf(engine.host, restored) }, 'resumed');
}

/** A plan that was never whole is requested again; nodes that come back unchanged keep their results. */
function planOf(host: Host, { hasPartialPlan, started, plan }: Restored): Pick<RunOpening, 'plan' | 'request'> {
  const { request } = started;
  if (!hasPartialPlan || request === undefined) return { plan: host.validPlan(plan) };
  return { plan: plannerOf(host).open(request), request };
}

/** Continues a run from its journal. Throws store-busy when another process drives it. */
async function goOn(engine: Engine, opening: RunOpening, type: 'resumed' | 'forked'): Promise<RunHandle> {
  const { runId, restored } = opening;
  const { driving, handle } = register(engine, opening);
  const { run } = driving;
  try {
    await lock(engine, driving, restored?.started.parent);
    // Another process may have continued the run before this one got the lock.
    const latest = await knownRun(engine.host.journal, runId, 'look');
    if (latest.nextSeq !== restored?.nextSeq) throw busy(runId);
  } catch (error) {
    refuse(run, error);
    await handle.result();
    throw error;
  }
  const beginning: Beginning = type === 'resumed' ? { type } : { type, prelude: opening.prelude ?? [] };
  begin(run, opening, beginning, () => drive(driving));
  return handle;
}

/** Handle of a run that is over: its journal as events, its result immediately. */
function endedHandle(journal: RunJournal, restored: Restored): RunHandle {
  const { runId } = restored.started;
  return {
    runId,
    events: () => fullEvents(journal.read(runId)),
    result: async () => inspectRun(restored),
    cancel: () => {},
  };
}

/** The engine that runs plans in this process and records them in one journal. */

import type { Runtime } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { PolyphonyError } from '../core/errors.ts';
import { type Paid, subtractUsage } from '../core/money/usage.ts';
import type { Plan, ValidPlan } from '../core/plan/plan.ts';
import type { Planner } from '../core/plan/planner.ts';
import type { ExecutionEngine, NodeRunner, NodeRunners, RunEvent, RunHandle, RunOptions } from '../core/run/engine.ts';
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
  /**
   * What the ledger says was booked, at its estimate, for processes that died while they drove the run: all of it, whenever.
   * Called with the run's lease in hand. @default nothing
   */
  readonly bookedFor?: (runId: string) => Promise<Paid>;
  /** Called with each event of every run. What it throws is ignored. */
  readonly onEvent?: (event: RunEvent) => void;
  /** Names this process in leases. @default its name and a fresh id, so that others see at once when it has died */
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
    inspect: async (runId) => inspectRun(await knownRun(journal, runId)),
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
  const { runtime, journal, planner, validPlan, onEvent, leaseMs = 10_000, graceMs = 1000 } = options;
  const { owner = ownerOf(runtime) } = options;
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
    bookedFor: options.bookedFor ?? (async () => ({ costNanoUsd: 0 })),
    lock,
    graceMs,
  };
}

function ownerOf({ ids, processes }: Runtime): string {
  const id = ids('engine');
  return processes === undefined ? id : `${processes.self()}#${id}`;
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
  const driving = createDriving(engine.host, opening);
  const live = { driving, handle: handleOf(driving) };
  const { runId } = opening;
  engine.live.set(runId, live);
  driving.cleanups.push(() => void engine.live.delete(runId));
  followSignal(driving, opening.options.signal);
  return live;
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
  let booked: Paid | undefined;
  try {
    await lock(engine, driving, restored?.started.parent);
    // Another process may have continued the run before this one got the lock.
    const latest = await knownRun(engine.host.journal, runId);
    if (latest.nextSeq !== restored?.nextSeq) throw busy(runId);
    if (type === 'resumed') booked = newlyBooked(latest, await engine.host.bookedFor(runId));
  } catch (error) {
    refuse(run, error);
    await handle.result();
    throw error;
  }
  const beginning: Beginning = type === 'resumed' ? { type, booked } : { type, prelude: opening.prelude ?? [] };
  begin(run, opening, beginning, () => drive(driving));
  return handle;
}

/** The part that no earlier resume has put into the journal. */
function newlyBooked({ booked, priced }: Restored, { costNanoUsd, usage }: Paid): Paid | undefined {
  const isUnknown = costNanoUsd === null && priced;
  const cost = (costNanoUsd ?? 0) - booked.costNanoUsd;
  if (!isUnknown && cost <= 0) return undefined;
  return {
    costNanoUsd: isUnknown ? null : cost,
    ...(usage === undefined ? {} : { usage: subtractUsage(usage, booked.usage) }),
  };
}

/** Handle of a run that is over: its journal as events, its result immediately. */
function endedHandle(journal: RunJournal, restored: Restored): RunHandle {
  const { runId } = restored.started;
  return {
    runId,
    events: () => journal.read(runId),
    result: async () => inspectRun(restored),
    cancel: () => {},
  };
}

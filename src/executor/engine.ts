/** The engine that runs plans in this process and records them in one journal. */

import { defined } from '../core/defined.ts';
import { asPolyphonyError, PolyphonyError } from '../core/errors.ts';
import type { Planner } from '../core/plan/planner.ts';
import type { ExecutionEngine, RunHandle, RunOptions, RunResult } from '../core/run/engine.ts';
import { fullEvents } from '../core/run/full-events.ts';
import type { RunJournal } from '../core/stores.ts';
import { knownRun, runAgain } from '../runs/journal/restore.ts';
import type { Restored } from '../runs/journal/restored.ts';
import { nodesToRunAgain } from '../runs/journal/restored-undo.ts';
import { isStoreFailure, withNote } from '../runs/state/store-failure.ts';
import { cancelStored } from '../runs/stored/cancel.ts';
import { type ForkOptions, forkRun } from '../runs/stored/fork.ts';
import { inspectRun } from '../runs/stored/inspect.ts';
import { listRuns, lookAt } from '../runs/stored/interrupted.ts';
import { openQuestions } from '../runs/stored/nested-questions.ts';
import { STORE_GRACE_MS } from '../runs/turn/concluding.ts';
import type { RunOpening } from '../runs/turn/opening.ts';
import { stop } from '../runs/turn/stop.ts';
import { noPlanner } from '../runs/turn/streaming-plan.ts';
import { orAborted, settlesWithin } from '../system/clock.ts';
import { sendEvent, takeAnswer } from './answers.ts';
import { type Driven, exists, goOn, start } from './beginning.ts';
import type { Host } from './driving.ts';
import { type EngineOptions, FINISH_MS, hostOf, unacknowledged } from './host.ts';
import { busy } from './lease.ts';
import { createTurns } from './turns.ts';

export type { EngineOptions } from './host.ts';

type Engine = Driven;

export function createEngine(options: EngineOptions): ExecutionEngine {
  const turns = createTurns();
  const live: Engine['live'] = new Map();
  const host = hostOf(options, turns, (runId) => live.has(runId));
  const { journal, runtime } = host;
  const engine: Engine = { host, live, turns, closed: false };
  return {
    start: (plan, runOptions = {}) => start(engine, { plan, options: runOptions }),
    startRequest(request, { onPlan, startsPaid, hasGate, fresh, ...runOptions } = {}) {
      const plan = plannerOf(host).open(request);
      return start(engine, { plan, options: runOptions, request, ...defined({ onPlan, startsPaid, hasGate, fresh }) });
    },
    resume: (runId, runOptions = {}) => resumeInTurn(engine, runId, runOptions),
    answer: (runId, nodeId, answer, { item } = {}) =>
      takeAnswer(engine, { runId, nodeId, answer, ...defined({ item }) }),
    event(name, payload, { runId, waitMs = 0 } = {}) {
      const sent = sendEvent(engine, { name, payload, ...defined({ runId }) }, waitMs);
      turns.keep(sent);
      return sent;
    },
    fork: (runId, forkOptions) => fork(engine, runId, forkOptions),
    replay: (runId) => journal.read(runId),
    inspect: (runId) => inspect(host, runId),
    cancel: (runId, reason = 'by its operator') => cancel(engine, runId, reason),
    list: (filter) => listRuns(host, filter),
    async close() {
      engine.closed = true;
      const driven = [...engine.live.values()];
      const left = { type: 'cancelled', reason: 'the engine was closed', isLeft: true } as const;
      for (const { driving } of driven) stop(driving.run, left);
      await Promise.all(driven.map(({ handle }) => handle.result()));
      await settlesWithin(runtime.clock, FINISH_MS + 2 * STORE_GRACE_MS, turns.all());
      const [runId] = host.unwritten.values();
      if (runId !== undefined) throw unacknowledged(runId);
    },
  };
}

function plannerOf({ planner }: Host): Planner {
  if (planner === undefined) throw noPlanner();
  return planner;
}

async function inspect(host: Host, runId: string): Promise<RunResult> {
  const restored = await lookAt(host, runId);
  const asks = restored.status === 'suspended' || restored.status === 'running';
  return inspectRun(restored, asks ? await openQuestions(host.journal, restored) : []);
}

/** @throws the error of a store that could not record it: the run has stopped here, but may be resumed */
async function cancel(engine: Engine, runId: string, reason: string): Promise<boolean> {
  const driven = engine.live.get(runId);
  if (driven === undefined) {
    const stored = async () => {
      if (engine.live.has(runId)) return undefined;
      const undoing = await toUndo(engine, runId, reason);
      return undoing === undefined
        ? cancelStored(engine.host, runId, reason)
        : (await undoing.result()).status === 'cancelled';
    };
    // Undefined: somebody has resumed it meanwhile.
    return (await engine.turns.take(runId, stored)) ?? cancel(engine, runId, reason);
  }
  driven.handle.cancel(reason);
  const { status } = await driven.handle.result();
  const { unrecorded, recorder } = driven.driving.run;
  if (unrecorded !== undefined) throw unrecorded;
  // A start that was refused, because the run exists: that run is the one to cancel.
  if (status === 'failed' && !recorder.hasRecords()) return cancel(engine, runId, reason);
  return status === 'cancelled';
}

/**
 * A run that nobody drives is driven to its end where it has something to undo; undefined: it has nothing. One that a process left
 * counts as well.
 */
async function toUndo(engine: Engine, runId: string, reason: string): Promise<RunHandle | undefined> {
  const restored = await knownRun(engine.host.journal, runId);
  const { status, undo, started, hasPartialPlan } = restored;
  const isOver = status === 'done' || status === 'failed' || undo.left.length === 0;
  if (isOver || started.parent?.kind === 'nested' || hasPartialPlan) return undefined;
  const stopping = { type: 'cancelled', reason } as const;
  const plan = engine.host.validPlan(restored.plan);
  return goOn(engine, { runId, options: {}, restored, plan, stopping }, 'resumed');
}

function resumeInTurn(
  engine: Engine,
  runId: string,
  options: Pick<RunOptions, 'signal' | 'concurrency'>,
): Promise<RunHandle> {
  const resumed = engine.turns.take(runId, () => resume(engine, runId, options));
  return orAborted(engine.host.runtime.clock, STORE_GRACE_MS, resumed, options.signal);
}

/** The id of the new run is claimed like that of one that starts, where the caller gave it. */
function fork(engine: Engine, runId: string, options: ForkOptions): Promise<RunHandle> {
  const { host, turns, live } = engine;
  const forkId = options.runId;
  const begin = async (): Promise<RunHandle> => {
    if (forkId !== undefined && live.has(forkId)) throw exists(forkId);
    return beginFork(engine, await forkRun(host, runId, options));
  };
  const begun = forkId === undefined ? begin() : turns.take(forkId, begin);
  turns.keep(begun);
  return orAborted(host.runtime.clock, STORE_GRACE_MS, begun, options.signal);
}

async function beginFork(engine: Engine, opening: RunOpening): Promise<RunHandle> {
  try {
    return await goOn(engine, opening, 'forked');
  } catch (cause) {
    await opening.lease?.release();
    const error = asPolyphonyError(cause);
    const note = `The fork is recorded as run ${opening.runId}: resume that run.`;
    throw isStoreFailure(error) ? withNote(error, note, { runId: opening.runId, resumable: true }) : error;
  }
}

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
  const known = planOf(engine.host, restored);
  const again =
    restored.status === 'failed' || restored.status === 'cancelled' ? againAfterUndoing(restored, known) : {};
  return goOn(engine, { runId, options, restored, ...known, ...again }, 'resumed');
}

/** A run that was undone begins anew with what it had undone, and with all that depends on that. */
function againAfterUndoing(restored: Restored, { plan }: Pick<RunOpening, 'plan'>): Pick<RunOpening, 'again'> {
  if (restored.undo.stopping === undefined) return {};
  const again = nodesToRunAgain(restored, plan);
  runAgain(restored, again);
  return { again };
}

/** A plan that was never whole is requested again; nodes that come back unchanged keep their results. */
function planOf(host: Host, { hasPartialPlan, started, plan }: Restored): Pick<RunOpening, 'plan' | 'request'> {
  const { request } = started;
  if (!hasPartialPlan || request === undefined) return { plan: host.validPlan(plan) };
  return { plan: plannerOf(host).open(request), request };
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

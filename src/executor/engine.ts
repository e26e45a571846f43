/** The engine that runs plans in this process and records them in one journal. */

import type { Runtime } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { asPolyphonyError, PolyphonyError } from '../core/errors.ts';
import type { Paid } from '../core/money/usage.ts';
import type { Plan, ValidPlan } from '../core/plan/plan.ts';
import type { Planner } from '../core/plan/planner.ts';
import type { ExecutionEngine, NodeRunners, RunEvent, RunHandle, RunOptions, RunResult } from '../core/run/engine.ts';
import { fullEvents } from '../core/run/full-events.ts';
import type { RunLimits } from '../core/run/run-limits.ts';
import type { ValueBounds } from '../core/run/value-bounds.ts';
import type { RunJournal } from '../core/stores.ts';
import { guardedListener } from '../core/user-code/guarded-listener.ts';
import { knownRun, runAgain } from '../runs/journal/restore.ts';
import type { Restored } from '../runs/journal/restored.ts';
import { nodesToRunAgain } from '../runs/journal/restored-undo.ts';
import { isStoreFailure, withNote } from '../runs/state/store-failure.ts';
import { cancelStored } from '../runs/stored/cancel.ts';
import type { StoredRuns } from '../runs/stored/change.ts';
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
import { guardedJournal } from './guarded-journal.ts';
import { validAgain } from './known-parts.ts';
import { busy, takeLease } from './lease.ts';
import { createTimeSlice } from './time-slice.ts';
import { createTurns, type Turns } from './turns.ts';

export interface EngineOptions {
  readonly runtime: Runtime;
  readonly journal: RunJournal;
  readonly runners: NodeRunners;
  /** The runners of a run that begins now, for as long as it is driven. @default `runners` */
  readonly runnersNow?: () => NodeRunners;
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
  /** What the operator allows a run that begins. @default RUN_LIMITS */
  readonly runLimits?: () => RunLimits;
  /**
   * What the ledger says was booked, at its estimate, for processes that died while they drove the run: all of it, whenever.
   * Called with the run's lease in hand. @default nothing
   */
  readonly bookedFor?: (runId: string) => Promise<Paid>;
  /** The input of a fork that gives a new one, as the plan reads it. Throws invalid-request. @default as it is */
  readonly readInput?: StoredRuns['readInput'];
  /** Of a person's answer, by the schema of a workflow's own. @default what the question says decides */
  readonly checkAnswer?: StoredRuns['checkAnswer'];
  /** Called with each event of every run. What it throws is ignored. */
  readonly onEvent?: (event: RunEvent) => void;
  /** Names this process in leases. @default its name and a fresh id, so that others see at once when it has died */
  readonly owner?: string;
  /** How long a run whose process died stays locked, in milliseconds. @default 10000 */
  readonly leaseMs?: number;
  /** How long a step may take to stop after its signal before the run goes on without it, in milliseconds. @default 1000 */
  readonly graceMs?: number;
}

type Engine = Driven;

/** How long the last records of a run may take after its end, in milliseconds; then its lease is given back without them. */
const FINISH_MS = 30_000;

export function createEngine(options: EngineOptions): ExecutionEngine {
  const turns = createTurns();
  const live: Engine['live'] = new Map();
  const host: EngineHost = { ...hostOf(options, turns), drives: (runId) => live.has(runId) };
  const { journal, runtime } = host;
  const engine: Engine = { host, live, turns, closed: false };
  return {
    start: (plan, runOptions = {}) => start(engine, { plan, options: runOptions }),
    startRequest(request, { onPlan, ...runOptions } = {}) {
      const plan = plannerOf(host).open(request);
      return start(engine, { plan, options: runOptions, request, ...defined({ onPlan }) });
    },
    resume: (runId, runOptions = {}) => resumeInTurn(engine, runId, runOptions),
    answer: (runId, nodeId, answer, { item } = {}) =>
      takeAnswer(engine, { runId, nodeId, answer, ...defined({ item }) }),
    event: (name, payload, { runId } = {}) => sendEvent(engine, { name, payload, ...defined({ runId }) }),
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

/** How many leases the engines over a journal have asked for: two engines of one name are told apart too. */
const leasesOf = new WeakMap<RunJournal, number>();

function nextLease(journal: RunJournal): number {
  const next = (leasesOf.get(journal) ?? 0) + 1;
  leasesOf.set(journal, next);
  return next;
}

/** A host that knows which runs have ended and wait for their store, by what they wait for. */
interface EngineHost extends Host {
  readonly unwritten: Map<Promise<unknown>, string>;
}

const unacknowledged = (runId: string): PolyphonyError =>
  new PolyphonyError(
    'store-busy',
    `The store has not acknowledged the last records of run ${runId} within ${FINISH_MS / 1000} seconds, so they may be lost: find out why it does not answer, then resume the run.`,
  );

function hostOf(options: EngineOptions, turns: Turns): EngineHost {
  const { runtime, planner, validPlan, onEvent, leaseMs = 10_000, graceMs = 1000 } = options;
  const { owner = ownerOf(runtime) } = options;
  const journal = guardedJournal(options.journal);
  const leasing = { journal, clock: runtime.clock, leaseMs };
  const unwritten: EngineHost['unwritten'] = new Map();
  // A name per lease: the store then also keeps two drives of this process apart, of one engine or of two.
  const lock: Host['lock'] = async (runId, onLost = () => {}) => {
    const name = `${owner}/${nextLease(options.journal)}`;
    const release = await takeLease({ ...leasing, owner: name, runId, onLost });
    // A lease that cannot be given back ends by itself, so that is no failure. Only the next turn of the run waits that long.
    return async () => {
      const released = settlesWithin(runtime.clock, leaseMs, release());
      void turns.take(runId, () => released);
      await settlesWithin(runtime.clock, STORE_GRACE_MS, released);
    };
  };
  return {
    runtime,
    journal,
    valueBounds: options.valueBounds,
    runLimits: options.runLimits,
    runnersNow: options.runnersNow ?? (() => options.runners),
    planner,
    validPlan: (plan) => validAgain(validPlan, plan),
    readInput: options.readInput,
    checkAnswer: options.checkAnswer,
    onEvent: onEvent === undefined ? undefined : guardedListener(onEvent),
    bookedFor: options.bookedFor ?? (async () => ({ costNanoUsd: 0 })),
    lock,
    graceMs,
    slice: createTimeSlice(),
    unwritten,
    finishLater(runId, written, release) {
      unwritten.set(written, runId);
      void written.then(() => unwritten.delete(written));
      const released = settlesWithin(runtime.clock, FINISH_MS, written).then(release);
      void turns.take(runId, async () => void (await released));
      return released;
    },
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

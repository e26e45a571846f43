/** The engine that runs plans in this process, one journal behind it. */
import type { Runtime } from '../core/clock.ts';
import { PolyphonyError } from '../core/errors.ts';
import type { Plan, ValidPlan } from '../core/plan/plan.ts';
import type {
  ExecutionEngine,
  NodeRunner,
  NodeRunners,
  Replan,
  RunEvent,
  RunHandle,
  RunOptions,
  StreamingPlanner,
} from '../core/run/engine.ts';
import type { RunJournal } from '../core/stores.ts';
import { knownRun, type Restored } from '../runs/journal/restore.ts';
import type { Host, RunState } from '../runs/state/run-state.ts';
import { answerRun } from './answer.ts';
import { cancelStored } from './cancel.ts';
import { forkRun } from './fork.ts';
import { endedHandle, inspectRun } from './inspect.ts';
import { busy, takeLease } from './lease.ts';
import { abandon, begin, createRun, followSignal, handleOf, noWriter, type RunOpening, refuse } from './start.ts';

export interface EngineOptions {
  readonly runtime: Runtime;
  readonly journal: RunJournal;
  readonly runners: NodeRunners;
  /** Validates the plan of a journal again, against today's catalogue. Throws invalid-plan. */
  readonly validPlan: (plan: Plan) => ValidPlan;
  /** Asked when a node with `onError: "replan"` has failed. @default such a node fails the run */
  readonly replan?: Replan;
  /** Plans requests within their runs. @default this engine takes plans alone */
  readonly writer?: StreamingPlanner;
  /** Of every run. What it throws is ignored. */
  readonly onEvent?: (event: RunEvent) => void;
  /** Names this process in leases. @default a fresh id */
  readonly owner?: string;
  /** How long a run whose process died stays locked, in milliseconds. @default 10000 */
  readonly leaseMs?: number;
  /** How long a step may take to stop after its signal before the run goes on without it, in milliseconds. @default 1000 */
  readonly graceMs?: number;
}

interface LiveRun {
  readonly run: RunState;
  readonly handle: RunHandle;
}

interface Engine {
  readonly host: Host;
  readonly live: Map<string, LiveRun>;
}

export function createEngine(options: EngineOptions): ExecutionEngine {
  const { journal } = options;
  const host = hostOf(options);
  const engine: Engine = { host, live: new Map() };
  return {
    start: (plan, runOptions = {}) => start(engine, { plan, options: runOptions }),
    startRequest(request, { onPlan, ...runOptions } = {}) {
      const plan = writerOf(host).open(request);
      return start(engine, { plan, options: runOptions, request, ...(onPlan === undefined ? {} : { onPlan }) });
    },
    resume: (runId, runOptions = {}) => resume(engine, runId, runOptions),
    answer: (runId, nodeId, answer) => answerRun(host, engine.live.get(runId)?.run, { runId, nodeId, answer }),
    async fork(runId, forkOptions) {
      const opening = await forkRun(host, runId, forkOptions);
      return goOn(engine, opening, 'forked');
    },
    replay: (runId) => journal.read(runId),
    inspect: async (runId) => inspectRun(await knownRun(journal, runId)),
    async cancel(runId, reason = 'by its operator') {
      const live = engine.live.get(runId);
      if (live === undefined) return cancelStored(host, runId, reason);
      live.handle.cancel(reason);
      return (await live.handle.result()).status === 'cancelled';
    },
    list: (filter) => journal.list(filter),
    async close() {
      const handles = [...engine.live.values()].map(({ handle }) => handle);
      for (const handle of handles) handle.cancel('the engine was closed');
      await Promise.all(handles.map((handle) => handle.result()));
    },
  };
}

function hostOf(options: EngineOptions): Host {
  const { runtime, journal, replan, writer, validPlan, onEvent, owner, leaseMs = 10_000, graceMs = 1000 } = options;
  return {
    runtime,
    journal,
    runnerOf: (use) => runnerOf(options.runners, use),
    replan,
    writer,
    validPlan,
    onEvent: onEvent === undefined ? undefined : guarded(onEvent),
    owner: owner ?? runtime.ids('engine'),
    leaseMs,
    graceMs,
  };
}

function writerOf({ writer }: Host): StreamingPlanner {
  if (writer === undefined) throw noWriter();
  return writer;
}

function guarded(onEvent: (event: RunEvent) => void): (event: RunEvent) => void {
  return function notify(event) {
    try {
      onEvent(event);
    } catch {
      // A listener is no part of the run.
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
  throw new PolyphonyError('invalid-plan', `Nothing runs ${JSON.stringify(use)} here: use one of ${names}.`);
}

function register(engine: Engine, opening: RunOpening): LiveRun {
  const run = createRun(engine.host, opening);
  const live = { run, handle: handleOf(run) };
  const { runId } = opening;
  engine.live.set(runId, live);
  run.cleanups.push(() => void engine.live.delete(runId));
  followSignal(run, opening.options.signal);
  return live;
}

/** Only the root of a run is locked: whoever drives it drives what is nested in it. */
async function lock(engine: Engine, run: RunState, parent: RunOptions['parent']): Promise<void> {
  if (parent?.kind === 'nested') return;
  const { journal, runtime, owner, leaseMs } = engine.host;
  const onLost = (error: unknown): void => abandon(run, error);
  run.cleanups.push(await takeLease({ journal, clock: runtime.clock, runId: run.runId, owner, leaseMs, onLost }));
}

function start(engine: Engine, given: Omit<RunOpening, 'runId'>): RunHandle {
  const runId = given.options.runId ?? engine.host.runtime.ids('run');
  if (engine.live.has(runId)) throw exists(runId);
  const opening = { ...given, runId };
  const { run, handle } = register(engine, opening);
  void lockAndBegin(engine, run, opening).catch((error: unknown) => refuse(run, error));
  return handle;
}

async function lockAndBegin(engine: Engine, run: RunState, opening: RunOpening): Promise<void> {
  const { options } = opening;
  await lock(engine, run, options.parent);
  if (options.runId !== undefined) {
    for await (const _event of engine.host.journal.read(run.runId)) throw exists(run.runId);
  }
  begin(run, opening, { type: 'started' });
}

const exists = (runId: string): PolyphonyError =>
  new PolyphonyError('invalid-request', `Run ${runId} exists already: resume it, or choose another id.`);

async function resume(
  engine: Engine,
  runId: string,
  options: Pick<RunOptions, 'signal' | 'concurrency'>,
): Promise<RunHandle> {
  if (engine.live.has(runId)) throw busy(runId);
  const restored = await knownRun(engine.host.journal, runId);
  const { parent } = restored.started;
  if (parent?.kind === 'nested' && !engine.live.has(parent.runId)) {
    throw new PolyphonyError('invalid-request', `Run ${runId} is a part of run ${parent.runId}: resume that one.`);
  }
  if (restored.status === 'done') return endedHandle(engine.host.journal, restored);
  return goOn(engine, { runId, options, restored, ...planOf(engine.host, restored) }, 'resumed');
}

/** A plan that was never whole is asked for anew; nodes of it that come back as they were keep what they did. */
function planOf(host: Host, { isWriting, started, plan }: Restored): Pick<RunOpening, 'plan' | 'request'> {
  const { request } = started;
  if (!isWriting || request === undefined) return { plan: host.validPlan(plan) };
  return { plan: writerOf(host).open(request), request };
}

/** Drives a run from its journal on. Throws store-busy when another process does. */
async function goOn(engine: Engine, opening: RunOpening, type: 'resumed' | 'forked'): Promise<RunHandle> {
  const { runId, restored } = opening;
  const { run, handle } = register(engine, opening);
  try {
    await lock(engine, run, restored?.started.parent);
    // Another process may have gone on with it before the lock was ours.
    const latest = await knownRun(engine.host.journal, runId);
    if (latest.nextSeq !== restored?.nextSeq) throw busy(runId);
  } catch (error) {
    refuse(run, error);
    await handle.result();
    throw error;
  }
  begin(run, opening, type === 'resumed' ? { type } : { type, prelude: opening.prelude ?? [] });
  return handle;
}

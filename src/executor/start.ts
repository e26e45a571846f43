/** From what an engine and a caller give to the state of one run. */

import { abortError, asPolyphonyError, PolyphonyError } from '../core/errors.ts';
import { type NanoUsd, usdToNano } from '../core/money/money.ts';
import { NO_USAGE } from '../core/money/usage.ts';
import type { ValidPlan } from '../core/plan/plan.ts';
import type { RequestOptions, RunEvent, RunHandle, RunOptions } from '../core/run/engine.ts';
import { countAlive, rebuildDraft, rebuildTasks } from '../runs/journal/rebuild.ts';
import type { Restored } from '../runs/journal/restore.ts';
import { eventLog } from '../runs/state/event-log.ts';
import { createMoney } from '../runs/state/money.ts';
import { readyQueue } from '../runs/state/ready-queue.ts';
import { createRecorder, type EventDraft } from '../runs/state/recorder.ts';
import { resultOf } from '../runs/state/result.ts';
import type { Host, RunState, StreamingPlan } from '../runs/state/run-state.ts';
import { ended } from '../runs/turn/ending.ts';
import { limitSeconds, stop } from '../runs/turn/stop.ts';
import { write } from '../runs/turn/streaming-plan.ts';
import { drive, settleRun } from './run.ts';

export const DEFAULT_CONCURRENCY = 64;

export interface RunOpening {
  readonly runId: string;
  readonly plan: ValidPlan;
  readonly options: RunOptions;
  /** Of a run that goes on. */
  readonly restored?: Restored;
  /** Of a run whose plan has yet to be written, or was never finished. */
  readonly request?: string;
  readonly onPlan?: RequestOptions['onPlan'];
  /** What a fork's journal begins with. */
  readonly prelude?: readonly RunEvent[];
}

export function createRun(host: Host, { runId, plan, options, restored, request }: RunOpening): RunState {
  const { clock } = host.runtime;
  const log = eventLog();
  const tasks = restored?.isWriting === true ? rebuildDraft(restored) : rebuildTasks(plan, restored);
  const cap = restored === undefined ? capOf(plan, options) : restored.capNanoUsd;
  const run: RunState = {
    host,
    runId,
    concurrency: Math.max(1, options.concurrency ?? DEFAULT_CONCURRENCY),
    scopes: options.scopes ?? restored?.started.scopes ?? [],
    session: options.session ?? restored?.started.session,
    level: options.level ?? restored?.started.level ?? 0,
    bounds: plan.bounds,
    input: inputOf(options, restored),
    money: createMoney(cap, restored ?? paidAlready(options)),
    log,
    queue: readyQueue(),
    recorder: createRecorder({
      runId,
      clock,
      journal: host.journal,
      firstSeq: restored?.nextSeq ?? 0,
      publish(event) {
        log.push(event);
        host.onEvent?.(event);
      },
      onEnd: (task) => ended(run, task),
      onCommitted: () => run.wake(),
      onBroken: (error) => abandon(run, error),
    }),
    plan,
    tasks,
    waitingForBudget: [],
    active: 0,
    alive: countAlive(tasks),
    stopping: undefined,
    revision: undefined,
    writing: request === undefined ? undefined : newWriting(cap, restored),
    revisions: restored?.revisions ?? 0,
    startedAt: clock.monotonic(),
    activeMs: restored?.activeMs ?? 0,
    plannedMs: restored?.plannedMs ?? 0,
    cleanups: [],
    wake: () => {},
    giveUp: () => {},
    result: undefined,
    resolve: () => {},
  };
  return run;
}

function paidAlready({ paid }: RunOptions): Pick<Restored, 'spent' | 'priced' | 'usage'> {
  return { spent: paid?.costNanoUsd ?? 0, priced: paid?.costNanoUsd !== null, usage: paid?.usage ?? NO_USAGE };
}

function newWriting(capNanoUsd: NanoUsd | undefined, restored: Restored | undefined): StreamingPlan {
  const known = [...(restored?.nodes ?? [])];
  return {
    controller: new AbortController(),
    capNanoUsd,
    startable: new Set(),
    started: new Set(known.flatMap(([id, { started }]) => (started ? [id] : []))),
    failed: new Set(),
    whole: undefined,
    changed: [],
    dropped: new Set(),
    isMerged: false,
  };
}

function inputOf(options: RunOptions, restored: Restored | undefined): Readonly<Record<string, unknown>> {
  const input = options.input ?? restored?.started.input ?? {};
  return input as Readonly<Record<string, unknown>>;
}

/** The lower of the plan's budget and the caller's. */
export function capOf(plan: ValidPlan, options: Pick<RunOptions, 'budgetUsd'>): NanoUsd | undefined {
  const caps = [plan.plan.budget?.usd, options.budgetUsd].filter((usd) => usd !== undefined);
  return caps.length === 0 ? undefined : usdToNano(Math.min(...caps));
}

export function handleOf(run: RunState): RunHandle {
  const result = new Promise<Awaited<ReturnType<RunHandle['result']>>>((resolve) => {
    run.resolve = resolve;
  });
  return {
    runId: run.runId,
    events: () => run.log.read(),
    result: () => result,
    cancel: (reason = 'by its caller') => stop(run, { type: 'cancelled', reason }),
  };
}

/** Cancels the run with the caller's signal. */
export function followSignal(run: RunState, signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  const onAbort = (): void => stop(run, { type: 'cancelled', reason: abortError(signal).message });
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  run.cleanups.push(() => signal.removeEventListener('abort', onAbort));
}

/** Nothing more can be written: stops what runs and ends the run here, for another process or a later one to go on with. */
export function abandon(run: RunState, error: unknown): void {
  run.recorder.detach();
  if (run.stopping === undefined) stop(run, { type: 'failed', error: asPolyphonyError(error, 'store-corrupt') });
  run.wake();
}

/** For a run that never began. */
export function refuse(run: RunState, error: unknown): void {
  run.stopping = { type: 'failed', error: asPolyphonyError(error) };
  settleRun(run, resultOf(run, 'failed'));
}

export type Beginning =
  | { readonly type: 'started' }
  | { readonly type: 'resumed' }
  | { readonly type: 'forked'; readonly prelude: readonly RunEvent[] };

/** Records what kind of beginning it is and drives the run once that is committed. */
export function begin(run: RunState, opening: RunOpening, beginning: Beginning): void {
  limitSeconds(run);
  if (beginning.type === 'forked') {
    for (const event of beginning.prelude) run.recorder.show(event);
    drive(run);
    return;
  }
  const event = beginning.type === 'resumed' ? ({ type: 'run-resumed' } as const) : startedEvent(run, opening);
  run.recorder.record(event, () => {
    if (opening.request !== undefined) plan(run, opening, beginning.type === 'started');
    drive(run);
  });
  run.recorder.flush();
}

function plan(run: RunState, { request = '', onPlan }: RunOpening, inParts: boolean): void {
  const { writing, host } = run;
  if (host.writer === undefined) throw noWriter();
  if (writing !== undefined) write(run, writing, { writer: host.writer, request, inParts, onPlan });
}

export const noWriter = (): PolyphonyError =>
  new PolyphonyError('unsupported', 'This engine has no planner, so it runs plans alone: give it a plan.');

function startedEvent(run: RunState, { options, request }: RunOpening): EventDraft {
  const { money, plan, input } = run;
  const { paid, parent, tags, scopes, session, level } = options;
  return {
    type: 'run-started',
    plan: plan.plan,
    planHash: plan.hash,
    input,
    ...(request === undefined ? {} : { request }),
    ...(money.cap === undefined ? {} : { capNanoUsd: money.cap }),
    ...(paid === undefined ? {} : { paid }),
    ...(parent === undefined ? {} : { parent }),
    ...(tags === undefined ? {} : { tags }),
    ...(scopes === undefined ? {} : { scopes }),
    ...(session === undefined ? {} : { session }),
    ...(level === undefined ? {} : { level }),
  };
}

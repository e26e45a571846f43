/** From what an engine and a caller give to the state of one run. */
import type { RunEvent, RunHandle, RunOptions } from '../core/engine.ts';
import { abortError, asPolyphonyError, PolyphonyError } from '../core/errors.ts';
import { type NanoUsd, usdToNano } from '../core/money.ts';
import type { ValidPlan } from '../core/plan.ts';
import { NO_USAGE } from './charge.ts';
import { ended } from './ending.ts';
import { eventLog } from './event-log.ts';
import { createMoney } from './money.ts';
import { readyQueue } from './ready-queue.ts';
import { countAlive, rebuildTasks } from './rebuild.ts';
import { createRecorder, type EventDraft } from './recorder.ts';
import type { Restored } from './restore.ts';
import { resultOf } from './result.ts';
import { drive, settleRun } from './run.ts';
import type { Host, RunState } from './run-state.ts';
import { stop } from './stop.ts';

export const DEFAULT_CONCURRENCY = 64;

export interface Opening {
  readonly runId: string;
  readonly plan: ValidPlan;
  readonly options: RunOptions;
  /** Of a run that goes on. */
  readonly restored?: Restored;
  /** What a fork's journal begins with. */
  readonly prelude?: readonly RunEvent[];
}

export function createRun(host: Host, { runId, plan, options, restored }: Opening): RunState {
  const { clock } = host.runtime;
  const log = eventLog();
  const tasks = rebuildTasks(plan, restored);
  const cap = restored === undefined ? capOf(plan, options) : restored.started.capNanoUsd;
  const spent = restored?.spent ?? options.spentNanoUsd ?? 0;
  const run: RunState = {
    host,
    runId,
    concurrency: Math.max(1, options.concurrency ?? DEFAULT_CONCURRENCY),
    scopes: options.scopes ?? restored?.started.scopes ?? [],
    session: options.session ?? restored?.started.session,
    level: options.level ?? restored?.started.level ?? 0,
    bounds: plan.bounds,
    input: inputOf(options, restored),
    money: createMoney(cap, spent, restored?.priced ?? true, restored?.usage ?? NO_USAGE),
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
    poor: [],
    active: 0,
    alive: countAlive(tasks),
    stopping: undefined,
    revision: undefined,
    revisions: restored?.revisions ?? 0,
    startedAt: clock.monotonic(),
    activeMs: restored?.activeMs ?? 0,
    cleanups: [],
    wake: () => {},
    giveUp: () => {},
    result: undefined,
    resolve: () => {},
  };
  return run;
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
  | { readonly type: 'started'; readonly options: RunOptions }
  | { readonly type: 'resumed' }
  | { readonly type: 'forked'; readonly prelude: readonly RunEvent[] };

/** Records what kind of beginning it is and drives the run once that is committed. */
export function begin(run: RunState, beginning: Beginning): void {
  limitSeconds(run);
  if (beginning.type === 'forked') {
    for (const event of beginning.prelude) run.recorder.show(event);
    drive(run);
    return;
  }
  const event =
    beginning.type === 'resumed' ? ({ type: 'run-resumed' } as const) : startedEvent(run, beginning.options);
  run.recorder.record(event, () => drive(run));
  run.recorder.flush();
}

export function startedEvent(run: RunState, options: RunOptions): EventDraft & { readonly type: 'run-started' } {
  const { money, plan, input } = run;
  const { spentNanoUsd, parent, tags, scopes, session, level } = options;
  return {
    type: 'run-started',
    plan: plan.plan,
    planHash: plan.hash,
    input,
    ...(money.cap === undefined ? {} : { capNanoUsd: money.cap }),
    ...(spentNanoUsd === undefined ? {} : { spentNanoUsd }),
    ...(parent === undefined ? {} : { parent }),
    ...(tags === undefined ? {} : { tags }),
    ...(scopes === undefined ? {} : { scopes }),
    ...(session === undefined ? {} : { session }),
    ...(level === undefined ? {} : { level }),
  };
}

/** The plan's seconds, less those of earlier stretches. */
function limitSeconds(run: RunState): void {
  const seconds = run.plan.plan.budget?.seconds;
  if (seconds === undefined) return;
  const message = `The run used up its ${seconds} seconds (budget.seconds): raise them, or ask for less.`;
  const error = new PolyphonyError('budget-exceeded', message, { details: { scope: 'run', seconds } });
  const { clock } = run.host.runtime;
  const left = Math.max(0, seconds * 1000 - run.activeMs);
  run.cleanups.push(clock.schedule(left, () => stop(run, { type: 'failed', error })));
}

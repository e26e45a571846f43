/** Creates the state of one run from what an engine and a caller give, and writes its first record. */

import { defined } from '../../core/defined.ts';
import type { Scope } from '../../core/model/model.ts';
import { type NanoUsd, usdToNano } from '../../core/money/money.ts';
import { NO_USAGE, type Paid } from '../../core/money/usage.ts';
import type { ValidPlan } from '../../core/plan/plan.ts';
import type { NodeResult, RequestOptions, RunEvent, RunOptions } from '../../core/run/engine.ts';
import { RUN_LIMITS } from '../../core/run/run-limits.ts';
import { withTagScopes } from '../../core/run/tag-scopes.ts';
import { VALUE_BOUNDS } from '../../core/run/value-bounds.ts';
import { countAlive, rebuildDraft, rebuildTasks } from '../journal/rebuild.ts';
import type { Restored } from '../journal/restored.ts';
import { createLargeValues } from '../records/large-values.ts';
import { createWritten, newWrittenBytes, type WrittenBytes } from '../records/written.ts';
import type { Driver, HeldLease } from '../state/driver.ts';
import { chargeRun, createMoney, lowerCap } from '../state/money.ts';
import { notRecorded } from '../state/not-recorded.ts';
import { readyQueue } from '../state/ready-queue.ts';
import { createRecorder, type EventDraft } from '../state/recorder.ts';
import type { Counted, RunHost, RunState, Stopping, StreamingPlan } from '../state/run-state.ts';
import type { Task } from '../state/task.ts';
import { newUndoState } from '../state/undo.ts';
import { createValues, holdInput, holdRestored, type RunValues } from '../state/values.ts';
import { createSlots } from '../unit/slots.ts';
import { takeAllDue } from './asking.ts';
import { countRestored, limitRunSeconds } from './count-calls.ts';
import { considerAll, ended } from './ending.ts';
import { refuseRecord } from './refused-record.ts';
import { reviseAsWanted } from './revision.ts';
import { abandon, limitSeconds } from './stop.ts';
import { streamPlan } from './streaming-plan.ts';

export const DEFAULT_CONCURRENCY = 64;

export interface RunOpening {
  readonly runId: string;
  readonly plan: ValidPlan;
  readonly options: RunOptions;
  /** The state of a run that continues. */
  readonly restored?: Restored;
  /** The request of a run whose plan is not written yet, or was never finished. */
  readonly request?: string;
  readonly onPlan?: RequestOptions['onPlan'];
  /** @default true */
  readonly startsPaid?: boolean;
  /** @default there is an `onPlan` */
  readonly hasGate?: boolean;
  /** @default false */
  readonly fresh?: boolean;
  /** Of the run that this one is nested in. @default values of its own */
  readonly values?: RunValues;
  /** Bytes that were rendered for its input, which else refers to what that run holds. @default all of it is new */
  readonly rendered?: number;
  /** What the run counts as written with: that of the run in which it is nested. @default its own */
  readonly writtenBytes?: WrittenBytes | undefined;
  /** Of a fork whose id was reserved when its journal began. */
  readonly lease?: HeldLease;
  /** Why a run that goes on is to end at once, without starting anything. */
  readonly stopping?: Stopping;
  /** Nodes that finished and run again. */
  readonly again?: readonly string[];
  /** The first events of a fork's journal. */
  readonly prelude?: readonly RunEvent[];
  /** The node of a run driven here that this one is nested in. */
  readonly within?: NonNullable<RunState['within']>;
}

/** Creates the run. Nothing is recorded or started before `begin`, or before `considerAll` where a run continues without a record. */
export function createRun(host: RunHost, driver: Driver, opening: RunOpening): RunState {
  const { runId, plan, options, restored, request } = opening;
  const { clock } = host.runtime;
  const tasks = restored?.hasPartialPlan === true ? rebuildDraft(restored) : rebuildTasks(plan, restored);
  const cap = restored === undefined ? capOf(plan, options) : restored.capNanoUsd;
  const { writtenBytes = newWrittenBytes((host.valueBounds?.() ?? VALUE_BOUNDS).writtenBytes) } = opening;
  const run: RunState = {
    host,
    driver,
    runId,
    scopes: restored === undefined ? withTagScopes(options.scopes, options.tags) : restoredScopes(options, restored),
    tags: options.tags ?? restored?.started.tags ?? opening.within?.run.tags,
    session: options.session ?? restored?.started.session,
    requestId: options.requestId ?? restored?.started.requestId,
    level: options.level ?? restored?.started.level ?? 0,
    approval: options.approval ?? restored?.started.approval ?? opening.within?.run.approval,
    bounds: plan.bounds,
    input: inputOf(options, restored),
    money: createMoney(cap, restored ?? paidAlready(options)),
    values: opening.values ?? createValues(host.valueBounds?.()),
    writtenBytes,
    counted: opening.within?.run.counted ?? newCounted(host, opening),
    slots: opening.within?.run.slots ?? createSlots(Math.max(1, options.concurrency ?? DEFAULT_CONCURRENCY)),
    forkOf: forkOf(opening),
    within: opening.within,
    queue: readyQueue(),
    recorder: createRecorder({
      runId,
      clock,
      journal: host.journal,
      firstSeq: restored?.nextSeq ?? 0,
      written: createWritten(runId, writtenBytes, restored?.values ?? createLargeValues(), restored?.writtenBytes ?? 0),
      publish: driver.show,
      onEnd: (task) => ended(run, task),
      onCommitted: driver.wake,
      onBroken: (error) => abandon(run, notRecorded(run, error)),
      onRefused: (event) => refuseRecord(run, event),
    }),
    plan,
    repaired: restored?.repaired ?? plan.repaired ?? [],
    tasks,
    waitingForBudget: [],
    active: 0,
    standingBy: 0,
    alive: countAlive(tasks),
    stopping: restored?.undo.stopping ?? opening.stopping,
    failure: undefined,
    unrecorded: undefined,
    mayLeave: false,
    leaving: false,
    closing: undefined,
    output: undefined,
    undo: newUndoState(restored?.undo.left, restored?.undo.undone),
    revision: undefined,
    streamingPlan: request === undefined ? undefined : newStreaming(cap, restored),
    revisions: restored?.revisions ?? 0,
    begunAt: restored?.started.at ?? clock.now(),
    startedAt: clock.monotonic(),
    activeMs: restored?.activeMs ?? 0,
    plannedMs: restored?.plannedMs ?? 0,
    result: undefined,
  };
  if (restored?.undo.stopping !== undefined) run.undo.began = true;
  if (restored !== undefined) holdAllRestored(run);
  countNested(run, opening);
  return run;
}

/** The ids of nested runs begin with that of the run around them, here and there. */
function forkOf({ runId, restored, within, options }: RunOpening): string | undefined {
  const parent = restored?.started.parent ?? options.parent;
  if (parent?.kind === 'fork') return parent.runId;
  const above = within?.run;
  return above?.forkOf === undefined ? undefined : above.forkOf + runId.slice(above.runId.length);
}

/** Those that it began with: what it is charged to does not change on the way. */
const restoredScopes = (options: RunOptions, { started }: Restored): readonly Scope[] =>
  options.scopes ?? started.scopes ?? [];

/** A run that continues counts from what its journal gave back. */
function holdAllRestored({ values, input, tasks }: RunState): void {
  holdRestored(values, input);
  for (const { result, progress } of tasks.values()) {
    if (result !== undefined) holdRestoredResult(values, result);
    if (progress === undefined) continue;
    for (const item of progress.items.values()) holdRestoredResult(values, item);
    for (const { result: last } of progress.rounds.values()) holdRestoredResult(values, last);
    for (const { rounds } of progress.loops.values()) {
      for (const { answer, calls } of rounds) {
        holdRestored(values, answer.content);
        if (answer.citations !== undefined) holdRestored(values, answer.citations);
        for (const { result, error } of calls.values()) holdRestored(values, error ?? result ?? null);
      }
    }
    for (const kept of [...progress.questions.values(), ...progress.answers.values()]) holdRestored(values, kept);
  }
}

function holdRestoredResult(values: RunState['values'], { output, meta }: NodeResult): void {
  holdRestored(values, output);
  const { error, errors, warnings } = meta;
  if (warnings.length > 0) holdRestored(values, warnings);
  if (error !== undefined) holdRestored(values, error);
  if (errors !== undefined) holdRestored(values, errors);
}

function newCounted(host: RunHost, { options, restored }: RunOpening): Counted {
  const { calls, plannerCalls } = restored?.calls ?? { calls: 0, plannerCalls: options.paid?.plannerCalls ?? 0 };
  return { calls, plannerCalls, limits: host.runLimits?.() ?? RUN_LIMITS, nested: new Set() };
}

/** A nested run that an earlier process began, unless its node has ended since: then the runs around it have counted it. */
function countNested(run: RunState, { restored }: RunOpening): void {
  if (run.within === undefined) return;
  const { nested } = run.counted;
  const isNew = !nested.has(run.runId) && restored?.status !== 'failed' && restored?.status !== 'cancelled';
  nested.add(run.runId);
  if (isNew && restored !== undefined) countRestored(run, restored.calls);
}

function paidAlready({ paid }: RunOptions): Pick<Restored, 'spent' | 'priced' | 'usage'> {
  return { spent: paid?.costNanoUsd ?? 0, priced: paid?.costNanoUsd !== null, usage: paid?.usage ?? NO_USAGE };
}

function newStreaming(capNanoUsd: NanoUsd | undefined, restored: Restored | undefined): StreamingPlan {
  const known = [...(restored?.nodes ?? [])];
  return {
    capNanoUsd,
    startable: new Set(),
    started: new Set(known.flatMap(([id, { started }]) => (started ? [id] : []))),
    failed: new Set(),
    whole: undefined,
    changed: [],
    dropped: new Set(),
    isMerged: false,
    isCached: false,
  };
}

function inputOf(options: RunOptions, restored: Restored | undefined): Readonly<Record<string, unknown>> {
  const input = options.input ?? restored?.started.input ?? {};
  return input as Readonly<Record<string, unknown>>;
}

/** The lower of the plan's budget and the caller's. */
export function capOf(plan: ValidPlan, { budgetUsd }: Pick<RunOptions, 'budgetUsd'>): NanoUsd | undefined {
  return lowerCap(plan.plan.budget, budgetUsd === undefined ? undefined : usdToNano(budgetUsd));
}

export type Beginning =
  | { readonly type: 'started' }
  /** `booked`: what the journal does not know of yet, of the money that was booked for a process that died. */
  | { readonly type: 'resumed'; readonly booked?: Paid | undefined }
  | { readonly type: 'forked'; readonly prelude: readonly RunEvent[] };

/**
 * Records how the run begins; once that is committed, marks what may start and calls `begun`, which drives the run.
 *
 * @throws limit-exceeded, invalid-output for the input of a run that starts
 */
export function begin(run: RunState, opening: RunOpening, beginning: Beginning, begun: () => void): void {
  limitRunSeconds(run);
  limitSeconds(run);
  if (beginning.type === 'forked') {
    for (const event of beginning.prelude) run.recorder.show(event);
    considerAll(run);
    begun();
    return;
  }
  if (beginning.type === 'started') holdInput(run.values, run.input, opening.rendered);
  const event =
    beginning.type === 'resumed' ? resumedEvent(run, opening, beginning.booked) : startedEvent(run, opening);
  run.recorder.record(event, () => {
    const { request, onPlan, startsPaid = true, hasGate = onPlan !== undefined, fresh = false } = opening;
    const inParts = beginning.type === 'started';
    if (request !== undefined && run.streamingPlan !== undefined)
      streamPlan(run, run.streamingPlan, { request, inParts, onPlan, startsPaid, hasGate, fresh });
    considerAll(run);
    reviseAsWanted(run, unheeded(run, opening.restored));
    takeAllDue(run);
    begun();
  });
  // The record has its time now, and a process that goes on with the run finds only that.
  if (beginning.type === 'started') run.begunAt = event.at ?? run.begunAt;
  run.recorder.flush();
}

/** Nodes whose end no revision has seen: an earlier process may have died before it could ask for another plan. */
function unheeded({ tasks }: RunState, restored: Restored | undefined): readonly Task[] {
  return [...(restored?.unheeded ?? [])].flatMap((id) => tasks.get(id) ?? []);
}

function resumedEvent(run: RunState, { again }: RunOpening, booked: Paid | undefined): EventDraft {
  if (booked !== undefined) chargeRun(run, booked);
  return { type: 'run-resumed', ...defined({ booked, again }) };
}

function startedEvent(run: RunState, { options, request }: RunOpening): EventDraft {
  const { money, plan, input, tags } = run;
  const { paid, parent, session, requestId, level, approval } = options;
  const scopes = run.scopes.length === 0 ? options.scopes : run.scopes;
  return {
    type: 'run-started',
    plan: plan.plan,
    planHash: plan.hash,
    ...defined({ repaired: plan.repaired }),
    input,
    ...defined({ request, capNanoUsd: money.cap, paid, parent, tags, scopes, session, requestId, level, approval }),
  };
}

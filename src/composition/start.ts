/** Starts what a user wants to run: a request is planned, a plan is validated. */

import { BOOLEAN, CALLBACK, type KnownFields } from '../core/checked-options.ts';
import type { Runtime } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { asPolyphonyError, PolyphonyError } from '../core/errors.ts';
import type { Scope } from '../core/model/model.ts';
import { usdToNano } from '../core/money/money.ts';
import type { Approval, GivenApproval } from '../core/plan/approval.ts';
import { isValidPlan, type Plan, type ValidPlan } from '../core/plan/plan.ts';
import type { Planner, PlanningResult } from '../core/plan/planner.ts';
import type { PlanIssue, Validation } from '../core/plan/validation.ts';
import type { ExecutionEngine, RunHandle, RunOptions, RunResult } from '../core/run/engine.ts';
import { errorOfRecord } from '../core/run/failure-record.ts';
import { callsExceeded, type RunLimits } from '../core/run/run-limits.ts';
import { withTagScopes } from '../core/run/tag-scopes.ts';
import { orAborted } from '../system/clock.ts';
import { checkedRequestInput } from '../validator/check-input.ts';
import { assertRunOptions, STARTED_FIELDS } from './checked-engine.ts';
import type { ReserveId } from './claims/reserved-ids.ts';
import type { ReadInput } from './own-schemas.ts';

/** A request in words, a plan, or a plan that was validated. */
export type Runnable = string | Plan | ValidPlan;

export interface StartOptions extends Omit<RunOptions, 'input' | 'paid' | 'approval'> {
  /**
   * Called with the whole plan of a request, and waited for: nothing with side effects starts before it has returned. What it
   * throws, or rejects with, fails the run. While the plan is streamed, nodes without side effects may run already.
   */
  readonly onPlan?: (planning: PlanningResult) => unknown;
  /**
   * Start nodes without side effects while the plan of a request is still being written; `free`: only those that cost nothing.
   * False: plan first, then run.
   *
   * @default true, where the engine supports it
   */
  readonly streaming?: boolean | 'free';
  /** Whether the plan runs at once, after an answer, or not at all. @default that of the config, else see `Approval` */
  readonly approval?: GivenApproval;
  /**
   * Whether somebody is there who can be asked: then side effects that a model plans, or puts into a revision of the plan, are
   * asked about, else they are refused.
   *
   * @default with `onPlan`, which decides itself, they are allowed; else refused
   */
  readonly attended?: boolean;
  /** Plans a request anew, whatever the plan cache holds. @default false */
  readonly fresh?: boolean;
}

export interface Starting {
  readonly engine: ExecutionEngine;
  readonly runtime: Runtime;
  readonly validate: (plan: unknown) => Validation;
  readonly planner: Planner;
  readonly runLimits: () => RunLimits;
  /** @default ids are not looked at before the run starts */
  readonly reserveId?: ReserveId;
  readonly readInput: ReadInput;
  readonly gateOfCaller: (plan: ValidPlan, approval: Approval | undefined) => ValidPlan;
  readonly approvalOf: (approval: GivenApproval | undefined, attended: boolean | undefined) => Approval | undefined;
  /** Whether the versions of the prompts of a plan depend on the run. */
  readonly isOpen: (plan: ValidPlan) => boolean;
  /** The plan with those that this run uses. Throws invalid-plan. */
  readonly forRun: (plan: ValidPlan, runId: string) => ValidPlan;
}

type Input = Readonly<Record<string, unknown>>;

const START_FIELDS: KnownFields<StartOptions> = {
  ...STARTED_FIELDS,
  onPlan: CALLBACK,
  streaming: { fits: (value) => typeof value === 'boolean' || value === 'free', must: 'true, false or "free"' },
  attended: BOOLEAN,
  fresh: BOOLEAN,
};

export async function startRun(
  starting: Starting,
  what: Runnable,
  input: Input | undefined,
  options: StartOptions = {},
): Promise<RunHandle> {
  assertRunOptions('A run', options, START_FIELDS);
  const { onPlan, streaming = true, attended, fresh, approval: given, ...others } = options;
  if (typeof what !== 'string') {
    const plan = isValidPlan(what) ? what : validOrThrow(starting.validate(what));
    const ofCaller = starting.approvalOf(given, undefined);
    // Revisions are written by a model, so whoever can be asked is asked about them.
    const approval = starting.approvalOf(given, attended);
    const read = await starting.readInput(plan.plan, input);
    const isOpen = starting.isOpen(plan);
    const runId = others.runId ?? (isOpen ? starting.runtime.ids('run') : undefined);
    const made = runId !== undefined && isOpen ? starting.forRun(plan, runId) : plan;
    const runOptions = { ...others, ...defined({ approval, runId }), input: read };
    return starting.engine.start(starting.gateOfCaller(made, ofCaller), runOptions);
  }
  const approval = starting.approvalOf(given, attended);
  const runOptions = { ...others, ...defined({ approval }) };
  if (streaming === false || starting.engine.startRequest === undefined)
    return planThenStart(starting, what, input, { ...runOptions, ...defined({ fresh, onPlan, attended }) });
  // What may have to be approved because of its cost does not cost anything before.
  const startsPaid = streaming !== 'free' && starting.approvalOf(approval, true)?.aboveUsd === undefined;
  return starting.engine.startRequest(what, {
    ...runOptions,
    input: input ?? {},
    ...defined({ onPlan, fresh }),
    ...(startsPaid ? {} : { startsPaid }),
    ...(attended === false ? { hasGate: false } : {}),
  });
}

interface Planning extends Omit<StartOptions, 'streaming' | 'approval'> {
  readonly approval?: Approval;
}

/** The planner's calls are charged to the run that they plan, under its cap. */
async function planThenStart(
  starting: Starting,
  request: string,
  input: Input | undefined,
  { fresh, onPlan, attended, ...options }: Planning,
): Promise<RunHandle> {
  const runId = options.runId ?? starting.runtime.ids('run');
  const release = options.runId === undefined ? undefined : await starting.reserveId?.(runId);
  try {
    const planning = await planFor(starting, request, runId, { ...options, ...defined({ fresh, onPlan, attended }) });
    if (onPlan !== undefined) await passed(starting, onPlan, planning, options.signal);
    const { costNanoUsd, usage, rounds, warnings } = planning;
    const checked = checkedRequestInput(planning.plan.plan, input);
    const paid = { costNanoUsd, ...defined({ usage, warnings }), plannerCalls: rounds };
    await release?.();
    return starting.engine.start(planning.plan, { ...options, runId, input: checked, paid });
  } finally {
    await release?.();
  }
}

/** A gate that never answers ends with its caller's signal, as it does where the plan is executed while it is written. */
async function passed(
  { runtime }: Starting,
  onPlan: NonNullable<StartOptions['onPlan']>,
  planning: PlanningResult,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await orAborted(runtime.clock, 0, (async () => onPlan(planning))(), signal);
  } catch (error) {
    throw asPolyphonyError(error);
  }
}

function planFor(starting: Starting, request: string, runId: string, options: Planning): Promise<PlanningResult> {
  const cap = options.budgetUsd === undefined ? {} : { capNanoUsd: usdToNano(options.budgetUsd) };
  const run: Scope = { kind: 'run', id: runId, ...cap };
  return starting.planner.plan(request, {
    scopes: [...withTagScopes(options.scopes, options.tags), run],
    ...defined({ signal: options.signal, session: options.session, requestId: options.requestId }),
    ...defined({ approval: options.approval, fresh: options.fresh }),
    ...defined({ seconds: starting.runLimits().seconds }),
    ...(options.onPlan === undefined || options.attended === false ? {} : { hasGate: true }),
    onCall: callsWithin(runId, starting.runLimits()),
  });
}

/** Counts the calls of a planner that works before its run begins. */
function callsWithin(runId: string, { plannerCalls: most }: RunLimits): () => void {
  let calls = 0;
  return () => {
    if (calls >= most) throw callsExceeded(runId, 'plannerCalls', most);
    calls += 1;
  };
}

/** @throws invalid-plan with every issue */
export function validOrThrow({ plan, issues }: Validation): ValidPlan {
  if (plan !== undefined) return plan;
  const errors = issues.filter((issue) => issue.severity === 'error');
  const lines = errors.slice(0, 5).map(({ code, path, message }) => `${code} at ${path || '/'}: ${message}`);
  const more = errors.length > lines.length ? `\n… and ${errors.length - lines.length} more` : '';
  throw new PolyphonyError('invalid-plan', `The plan cannot run:\n${lines.join('\n')}${more}`, {
    details: { issues: issues satisfies readonly PlanIssue[] },
  });
}

/** A run that is done. */
export interface DoneRun<Output = unknown> extends Omit<RunResult, 'status' | 'output' | 'error' | 'waiting'> {
  readonly status: 'done';
  readonly output: Output;
}

/** A run that waits for answers from outside. It has no output yet: `engine.answer` and `resume` continue it. */
export interface SuspendedRun extends Omit<RunResult, 'status' | 'output' | 'error' | 'waiting'> {
  readonly status: 'suspended';
  /** The nodes that wait, with what they ask. */
  readonly waiting: NonNullable<RunResult['waiting']>;
}

/**
 * How a run ended, by its `status`: only one that is done has an output. `MaySuspend` false: nothing in it waits for an
 * answer from outside, so it is done.
 */
export type RunOutcome<Output = unknown, MaySuspend extends boolean = boolean> =
  | DoneRun<Output>
  | (true extends MaySuspend ? SuspendedRun : never);

/** @throws the run's own error when it failed or was cancelled; a suspended run comes back with what it waits for */
export function outcomeOf<Output>(result: RunResult): RunOutcome<Output> {
  const { error, status, runId } = result;
  if (status === 'failed' || status === 'cancelled') {
    const { code, message, retryable, details } = error ?? {
      code: 'cancelled' as const,
      message: `The run ${runId} was cancelled.`,
      retryable: false,
      details: undefined,
    };
    const cause = error === undefined ? undefined : errorOfRecord(error)?.cause;
    throw new PolyphonyError(code, message, { retryable, cause, details: { ...details, runId } });
  }
  // The plan was compiled from the workflow whose type this is; a suspended run has no output yet.
  return result as RunOutcome<Output>;
}

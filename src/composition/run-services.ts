/**
 * What plans and runs need and a single call does not: validator, planner, runners and engine. polyphony.ts loads it when
 * it is first used.
 */

import type { Runtime } from '../core/clock.ts';
import type { Config } from '../core/config.ts';
import { defined } from '../core/defined.ts';
import { errorRecord } from '../core/errors.ts';
import type { Gateway } from '../core/gateway.ts';
import type { Approval, GivenApproval } from '../core/plan/approval.ts';
import type { PlanEffects } from '../core/plan/effects.ts';
import { isValidPlan, type Plan, type ValidPlan } from '../core/plan/plan.ts';
import type { Planner, PlanningPreview, PlanningResult } from '../core/plan/planner.ts';
import type { ValidateOptions, Validation } from '../core/plan/validation.ts';
import type { Logger } from '../core/plugin.ts';
import type { BookedFor } from '../core/run/booked-for.ts';
import type { ExecutionEngine, NodeRunner, NodeRunners, RunEvent, RunHandle, RunResult } from '../core/run/engine.ts';
import { RUN_LIMITS, type RunLimits } from '../core/run/run-limits.ts';
import type { SimulateOptions, Simulation } from '../core/run/simulation.ts';
import { VALUE_BOUNDS, type ValueBounds } from '../core/run/value-bounds.ts';
import type { RunJournal, Stores } from '../core/stores.ts';
import { createEngine } from '../executor/engine.ts';
import { guardedJournal } from '../executor/guarded-journal.ts';
import { createPlanner } from '../planner/planner.ts';
import { createRunners } from '../runners/create-runners.ts';
import { rootOf } from '../runs/journal/root.ts';
import type { CheckAnswer } from '../runs/stored/own-answer.ts';
import { checkedInput, checkedRequestInput } from '../validator/check-input.ts';
import { emptyPlan, openDraft } from '../validator/draft.ts';
import { effectsOf } from '../validator/effects.ts';
import { validate } from '../validator/validate.ts';
import { createAlarms } from './alarms.ts';
import { bookedForOf } from './booked-for.ts';
import { copiedHandle, copiedRuns } from './boundary/copied-runs.ts';
import { nodeHooks } from './boundary/node-hooks.ts';
import { boundsOf } from './catalogue.ts';
import { checkedEngine } from './checked-engine.ts';
import { reservedIds } from './claims/reserved-ids.ts';
import { listLiveRuns } from './live-runs.ts';
import { answerChecker, inputReader, ownOutputs, type ReadInput, schemasFrom } from './own-schemas.ts';
import { ofCaller, ofRun } from './planning/approvals.ts';
import { gated } from './planning/gate.ts';
import {
  checkedPlanOptions,
  checkedSimulateOptions,
  checkedValidateOptions,
  type PlanOptions,
} from './planning/given-options.ts';
import { cachedPlanner } from './planning/plan-cache.ts';
import { runPlanner } from './planning/run-planner.ts';
import { eventListener, type HostedPlugin } from './plugins/plugin-host.ts';
import { namedPrompts } from './prompts/named-prompts.ts';
import type { Registered } from './registered.ts';
import { forgetCounters } from './retention/run-counters.ts';
import { type Starting, validOrThrow } from './start.ts';
import { type ValidatedPlans, validatedPlans } from './validated-plans.ts';

/** What an engine of another kind is created from. */
export interface EngineParts {
  readonly runtime: Runtime;
  readonly journal: RunJournal;
  /** What is registered now: it changes in place. */
  readonly runners: NodeRunners;
  /** Those of a run that begins now, for as long as it is driven: a map that does not change. */
  readonly runnersNow?: () => NodeRunners;
  /** Validates a journalled plan again. Throws invalid-plan. */
  readonly validPlan: (plan: Plan) => ValidPlan;
  /** For nodes that say `onError: "replan"`, and for engines that plan a request within its run. */
  readonly planner: Planner;
  /** How large the values of a run that begins may become. */
  readonly valueBounds?: () => ValueBounds;
  /** What the operator allows a run that begins. */
  readonly runLimits?: () => RunLimits;
  /** The input of a run that begins, as its plan or its workflow reads it. Throws invalid-request. */
  readonly readInput?: ReadInput;
  /** Why the schema of a workflow's own does not take a person's answer. No promise: what the question says decides. */
  readonly checkAnswer?: CheckAnswer;
  readonly onEvent?: (event: RunEvent) => void;
  /** What the ledger holds of the run and its records do not, because processes died while they drove it. */
  readonly bookedFor?: BookedFor;
}

export interface RunServicesParts {
  readonly runtime: Runtime;
  /** The current config: it may be replaced. */
  readonly config: () => Config;
  readonly plugins: readonly HostedPlugin[];
  readonly registered: Registered;
  readonly stores: Stores;
  readonly gateway: Gateway;
  readonly logger: Logger;
  /** @default the in-process engine */
  readonly engine?: ((parts: EngineParts) => ExecutionEngine) | undefined;
}

export interface RunServices extends Starting {
  /** Of a run that is started at the engine. Throws invalid-request. */
  checkInput(plan: Plan, input: Readonly<Record<string, unknown>> | undefined): void;
  validate(plan: unknown, options?: ValidateOptions): Validation;
  /** Throws invalid-plan. */
  effects(plan: unknown): PlanEffects;
  /** Throws invalid-plan, invalid-request, limit-exceeded. */
  simulate(plan: unknown, options?: SimulateOptions): Promise<Simulation>;
  /** Validates a plan, only once while it and the catalogue are unchanged. Throws invalid-plan. */
  readonly validOnce: ValidatedPlans;
  /** The same for the plan of a workflow, in which nothing is repaired. */
  readonly validWorkflow: ValidatedPlans;
  /** The handle of a run that this process drives now. */
  liveRun(runId: string): RunHandle | undefined;
  readonly planner: Planner;
  /** A plan without what a run asks of its plans. Throws invalid-request, and what the planner throws. */
  readonly plan: (request: string, options?: PlanOptions) => Promise<PlanningResult>;
  readonly preview: (request: string, options?: PlanOptions) => PlanningPreview;
  /** Puts the question before a plan of the caller that he has to approve. Throws blocked, invalid-plan. */
  gateOfCaller(plan: ValidPlan, approval: Approval | undefined): ValidPlan;
  /** What a plan that a model writes needs in a run with these options. */
  approvalOf(approval: GivenApproval | undefined, attended: boolean | undefined): Approval | undefined;
  /** Continues a suspended run at the moment that it waits for, while this process lives. */
  remind(suspended: RunResult): Promise<void>;
  /** Creates the runners again, after what is registered or the config has changed. */
  refill(): void;
  /** Ends every run and waits until the counters of finished runs are removed. */
  close(): Promise<void>;
}

export function createRunServices(parts: RunServicesParts): RunServices {
  const { runtime, config, plugins, registered, stores, gateway } = parts;
  const named = namedPrompts(registered.catalogue);
  const check: RunServices['validate'] = (plan, options) => named.validate(plan, options);
  const validOnce = validatedPlans(registered.catalogue, (plan) => validOrThrow(check(plan)));
  // What a program wrote, and what a journal holds, names what it means.
  const validPlan = (plan: Plan): ValidPlan => validOrThrow(check(plan, { repair: false }));
  const begunPlan = (plan: Plan): ValidPlan => validOrThrow(check(plan, { repair: false, begun: true }));
  const validWorkflow = validatedPlans(registered.catalogue, validPlan);
  const readInput = inputReader(registered);
  const written = createPlanner({
    gateway,
    catalogue: named.forPlanner(() => config().prompts?.planner === true),
    options: () => config().planner,
    validator: { validate, openDraft, emptyPlan, checkInput: checkedRequestInput },
  });
  const writer = cachedPlanner({
    planner: written,
    store: stores.keyValue,
    clock: runtime.clock,
    logger: parts.logger,
    catalogue: registered.catalogue,
    options: () => config().planner?.cache,
    model: () => config().planner?.model,
    validate: (plan, request) => check(plan, { request, repair: false }),
    checkInput: checkedRequestInput,
  });
  const planner = runPlanner({
    planner: writer,
    catalogue: registered.catalogue,
    validPlan: begunPlan,
    approval: () => config().approval,
  });
  const runners = new Map<string, NodeRunner>();
  let current: NodeRunners = runners;
  const refill = (): void => {
    // A run under way keeps the schemas of its workflows as it keeps their steps.
    const schemas = schemasFrom(registered);
    const made = createRunners({
      gateway,
      clock: runtime.clock,
      tools: registered.parts().tools,
      steps: [...registered.parts().steps.values()],
      around: nodeHooks(plugins),
      logger: parts.logger,
      workflows: (id) => planOf(registered.catalogue().workflows.get(id), validWorkflow),
      validPlan: validWorkflow,
      readInput: inputReader(schemas),
      ownOutputs: ownOutputs(schemas),
      planner,
      engine: () => engine,
      nesting: boundsOf(config()).nesting,
      mostToolRounds: boundsOf(config()).toolRounds,
      answers: () => config().limits?.answers,
      threads: stores.threads,
      passages: stores.passages,
    });
    for (const [use, runner] of made) runners.set(use, runner);
    current = made;
  };
  refill();
  const notifyPlugins = eventListener(plugins, parts.logger);
  let cleaning: Promise<unknown> = Promise.resolve();
  const onEvent = (event: RunEvent): void => {
    logRepairs(event, parts.logger);
    notifyPlugins?.(event);
    if (event.type === 'run-finished') cleaning = Promise.all([cleaning, forget(parts, event.runId)]);
  };
  const runLimits = (): RunLimits => ({ ...RUN_LIMITS, ...defined(config().limits?.run ?? {}) });
  const inner = (parts.engine ?? createEngine)({
    runtime,
    journal: stores.journal,
    runners,
    runnersNow: () => current,
    validPlan: begunPlan,
    planner,
    valueBounds: () => ({ ...VALUE_BOUNDS, ...defined(config().limits?.values ?? {}) }),
    runLimits,
    readInput,
    checkAnswer: answerChecker(registered),
    onEvent,
    ...defined({ bookedFor: bookedForOf(stores) }),
  });
  const alarms = createAlarms({
    clock: runtime.clock,
    logger: parts.logger,
    engine: () => engine,
    isOutermost: async (runId) => (await rootOf(guardedJournal(stores.journal), runId)) === runId,
  });
  const { engine, find } = listLiveRuns(checkedEngine(inner), alarms.follow);
  const liveRun = (runId: string): RunHandle | undefined => {
    const handle = find(runId);
    return handle === undefined ? undefined : copiedHandle(handle);
  };
  return {
    runtime,
    // Nested runs use the engine itself: their values stay within it.
    engine: copiedRuns(engine),
    liveRun,
    checkInput: (plan, input) => void checkedInput(plan, input),
    validate: (plan, options) => check(plan, checkedValidateOptions(options)),
    effects: (plan) => effectsOf(validOrThrow(check(plan)).plan, registered.catalogue()),
    async simulate(plan, given) {
      const options = checkedSimulateOptions(given);
      const { simulatePlan } = await import('./simulation/simulate-plan.ts');
      const isChecked = typeof plan === 'object' && plan !== null && isValidPlan(plan as Plan | ValidPlan);
      const valid = isChecked ? (plan as ValidPlan) : validOrThrow(check(plan));
      await gateway.recall?.();
      return simulatePlan(valid, registered.catalogue(), gateway, options);
    },
    validOnce,
    isOpen: named.isOpen,
    forRun: named.forRun,
    validWorkflow,
    planner,
    plan: (request, options) => writer.plan(request, checkedPlanOptions(options)),
    preview: (request, options) => written.preview(request, checkedPlanOptions(options)),
    gateOfCaller: (plan, approval) =>
      gated(plan, ofCaller(approval, config().approval), { catalogue: registered.catalogue(), validPlan: begunPlan }),
    approvalOf: (approval, attended) => ofRun(approval, config().approval, attended),
    runLimits,
    reserveId: reservedIds(runtime, stores.journal),
    readInput,
    refill,
    remind: alarms.set,
    async close() {
      alarms.close();
      await engine.close();
      await cleaning;
    },
  };
}

/** A plan that runs otherwise than it was given is told, once for each run. */
function logRepairs(event: RunEvent, logger: Logger): void {
  if (event.type !== 'run-started' && event.type !== 'plan-revised') return;
  const { runId, repaired } = event;
  // The text of a named prompt is what its writer asked for.
  if (repaired?.some(({ code }) => code !== 'prompt.resolved') === true)
    logger.warn({ runId, repaired }, 'the plan of the run was repaired');
}

/** A finished run is never charged again, so its counters would stay in the store for ever. */
async function forget({ stores, logger }: RunServicesParts, runId: string): Promise<void> {
  try {
    await forgetCounters(stores.keyValue, runId);
  } catch (error) {
    logger.warn({ runId, error: errorRecord(error) }, 'the counters of a finished run could not be removed');
  }
}

const planOf = (plan: Plan | undefined, validPlan: (plan: Plan) => ValidPlan): ValidPlan | undefined =>
  plan === undefined ? undefined : validPlan(plan);

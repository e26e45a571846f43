/**
 * The composition root: providers, plugins, stores, gateway, planner, validator and engine become one polyphony. Nothing
 * else in the library knows all of them.
 */

import { guardedLogger } from './composition/boundary/guarded-logger.ts';
import { type RecoverOptions, recoverOptions, recoverRuns } from './composition/claims/recover.ts';
import { assertReplaceable, assertSupportedNode, checkedConfig } from './composition/config/checked-config.ts';
import { assertKnownOptions, assertLists, PART_RULES } from './composition/config/known-options.ts';
import { transportOptions } from './composition/config/transport-options.ts';
import { lazy, lazyEngine } from './composition/lazy-engine.ts';
import { lifetime } from './composition/lifetime.ts';
import type { PlanOptions } from './composition/planning/given-options.ts';
import { chosenPlugins } from './composition/plugins/chosen-plugins.ts';
import {
  closeAll,
  closeMade,
  collectParts,
  gatewayPluginOf,
  type HostedPlugin,
  hostedOf,
  markDefault,
  setUp,
} from './composition/plugins/plugin-host.ts';
import { promptsOf } from './composition/prompts/prompts-of.ts';
import { createRegistered, followTools, type Registered, workflowPlan } from './composition/registered.ts';
import type { PruneReport, PruneRequest } from './composition/retention/prune.ts';
import { keepRetention } from './composition/retention/retention.ts';
import type { EngineParts, RunServices } from './composition/run-services.ts';
import { createRuns } from './composition/runs.ts';
import {
  type DoneRun,
  outcomeOf,
  type Runnable,
  type RunOutcome,
  type StartOptions,
  type SuspendedRun,
  startRun,
} from './composition/start.ts';
import { type WorkflowParts, workflowOfPlan } from './composition/workflows.ts';
import type { KnownFields } from './core/checked-options.ts';
import type { Runtime } from './core/clock.ts';
import type { ConfigInput } from './core/config/config-input.ts';
import type { Config } from './core/config.ts';
import { defined } from './core/defined.ts';
import { PolyphonyError } from './core/errors.ts';
import type { Gateway } from './core/gateway.ts';
import type { Provider, Transport } from './core/model/provider.ts';
import type { PlanEffects } from './core/plan/effects.ts';
import { isValidPlan, type Plan } from './core/plan/plan.ts';
import type { PlanningPreview, PlanningResult } from './core/plan/planner.ts';
import type { Catalogue, ValidateOptions, Validation } from './core/plan/validation.ts';
import type { Logger, Plugin, PluginContext } from './core/plugin.ts';
import type { ExecutionEngine, RunHandle, RunResult } from './core/run/engine.ts';
import type { ContinueOptions, Runs } from './core/run/runs.ts';
import type { SimulateOptions, Simulation } from './core/run/simulation.ts';
import { rememberEnvironment } from './core/scrub.ts';
import type { Stores } from './core/stores.ts';
import { guardedJournal } from './executor/guarded-journal.ts';
import type { GatewayHandle } from './gateway/gateway-handle.ts';
import { openGateway } from './gateway/open-gateway.ts';
import { createTransport } from './gateway/transport/transport.ts';
import { memoryStores } from './stores/memory.ts';
import { systemRuntime } from './system/clock.ts';
import { isUnfinished, unfinished } from './workflow/built.ts';
import { isWorkflow, type Workflow } from './workflow/index.ts';

export type { DoneRun, EngineParts, PlanOptions, RecoverOptions, Runnable, RunOutcome, StartOptions, SuspendedRun };

/** A workflow of any types: they matter only where it is built and where it is run. */
type AnyWorkflow = Workflow<unknown, unknown>;

export interface PolyphonyOptions {
  /** Models: `[provider({ apiKey })]`. @default those of the environment, else the embedded one */
  readonly providers?: readonly Provider[];
  /**
   * Added to the default ones (escalation with its evaluators, the tools for files and sums). A plugin with the name of a
   * default one replaces it; an empty list means none of them. Two of the same name are refused. @default the default ones
   */
  readonly plugins?: readonly Plugin[];
  /** False: none of the default plugins. @default true, unless `plugins` is an empty list */
  readonly defaults?: boolean;
  /**
   * True: also the providers whose keys are in the environment, or the embedded one. @default true where the default plugins
   * are used and neither `providers` nor a field `providers` of a plugin is given
   */
  readonly environment?: boolean;
  readonly config?: ConfigInput;
  /** @default in memory */
  readonly stores?: Stores;
  /** @default the in-process engine */
  readonly engine?: (parts: EngineParts) => ExecutionEngine;
  /** @default silent */
  readonly logger?: Logger;
  /**
   * Workflows, or plans with an `id`, that plans may use as `workflow:<id>`, and those whose runs are resumed. A workflow that is run is
   * known.
   */
  readonly workflows?: readonly (AnyWorkflow | Plan)[];
  /**
   * Resumes the runs that other processes over these stores left behind, in the background: those that are `interrupted` at the start, and a lease
   * later those of hosts that died just before. Runs that others suspended until a moment go on at that moment. What cannot go on
   * here is logged. @default false
   */
  readonly recover?: boolean | RecoverOptions;
  /** Clock, randomness and ids. @default the system's */
  readonly runtime?: Runtime;
  /** @default undici */
  readonly transport?: Transport;
}

const OPTIONS: KnownFields<PolyphonyOptions> = {
  ...PART_RULES,
  providers: true,
  plugins: true,
  config: true,
  workflows: true,
  recover: true,
};

/** The engine that was chosen. `startRequest` fails as `unsupported` where it takes whole plans only, `event` where it takes no events. */
export type PolyphonyEngine = ExecutionEngine & Required<Pick<ExecutionEngine, 'startRequest' | 'event'>>;

export interface Polyphony {
  readonly gateway: Gateway;
  /** Runs that exist: list, show, watch, resume, fork, answer, event, cancel, replay. */
  readonly runs: Runs;
  /** The engine below `runs`. Its `answer` only records; `resume` then continues the run. */
  readonly engine: PolyphonyEngine;
  readonly stores: Stores;
  /** Everything that a plan may name at the moment. */
  catalogue(): Catalogue;
  /** Plans a request. The plan is valid. Throws invalid-plan, unsupported, no-route, budget-exceeded. */
  plan(request: string, options?: PlanOptions): Promise<PlanningResult>;
  /**
   * What a planner would be told of a request, part by part with its tokens, and who would plan it and why. Asks no model. Throws
   * invalid-request, budget-exceeded, context-window.
   */
  planningPreview(request: string, options?: PlanOptions): Promise<PlanningPreview>;
  /** Reports every issue of a plan, given as text or parsed. Never rejects because of what the plan contains. */
  validate(plan: unknown, options?: ValidateOptions): Promise<Validation>;
  /**
   * What a plan may do outside its run, with all that it uses: what it reads, writes, reaches and costs. Throws invalid-plan.
   */
  effects(plan: unknown): Promise<PlanEffects>;
  /**
   * Runs a plan many times on a virtual clock, without a call: how long it takes, what it costs, which nodes decide that, and how often
   * it exceeds its budget and its deadline. Times are those observed here, else those of the cards.
   *
   * @throws invalid-plan; invalid-request for an option out of its bounds; limit-exceeded where one run has millions of steps
   */
  simulate(plan: unknown, options?: SimulateOptions): Promise<Simulation>;
  /**
   * Starts a run and returns its handle while it runs. Throws invalid-plan and invalid-request. When the planning of a request
   * fails, the run fails; with `streaming: false` the planner's error is thrown instead.
   */
  start(
    what: Runnable | AnyWorkflow,
    input?: Readonly<Record<string, unknown>>,
    options?: StartOptions,
  ): Promise<RunHandle>;
  /**
   * Runs until there is nothing left to do. A workflow in which nothing waits for an answer from outside is `done`, with its
   * output; anything else may be `suspended` too, so check its `status` before you read its output. Throws the run's
   * error when it failed or was cancelled.
   */
  run<Input, Output, MaySuspend extends boolean>(
    what: Workflow<Input, Output, MaySuspend>,
    input: Input,
    options?: StartOptions,
  ): Promise<RunOutcome<Output, MaySuspend>>;
  run(what: Runnable, input?: Readonly<Record<string, unknown>>, options?: StartOptions): Promise<RunOutcome>;
  /** Continues a run that was interrupted, suspended or failed; what is finished is not paid again. */
  resume(runId: string, options?: ContinueOptions): Promise<RunHandle>;
  /**
   * Removes what is old from the stores. `retention` of the config does so by itself, once a day.
   *
   * @throws store-full, store-busy, store-corrupt; what was removed before stays removed
   */
  prune(request: PruneRequest): Promise<PruneReport>;
  /**
   * Replaces the config for calls, plans and runs that begin afterwards; those in progress are not interrupted. `plugins`,
   * `workflows`, `tools`, `mcp`, `escalate`, `proxy` and `timeouts.connectMs` are fixed when the polyphony is created and have to stay as they are.
   * Credentials that were refused are used again.
   *
   * @throws invalid-config when the config cannot be used; the old one then stays
   */
  reconfigure(config: ConfigInput): Promise<void>;
  /**
   * Ends every run, closes each plugin and provider once, flushes the ledger, closes sockets and stores, even when one of
   * them fails or hangs; then throws the first failure of the engine or the stores. A second call waits for the first. Every other
   * call afterwards fails with `invalid-request`.
   */
  close(): Promise<void>;
}

/**
 * Builds a polyphony. Without arguments it uses what the environment offers and keeps everything in memory.
 *
 * @throws invalid-config when the config or the plugins cannot be used; the message names the field and the rule
 */
export async function createPolyphony(options: PolyphonyOptions = {}): Promise<Polyphony> {
  assertSupportedNode(process.version);
  assertKnownOptions('createPolyphony', options, OPTIONS);
  assertLists(options);
  rememberEnvironment(process.env);
  let config = await checkedConfig(options.config);
  let prompts = await promptsOf(config);
  const recover = recoverOptions(options.recover);
  const plugins = await chosenPlugins(options, {
    all: (withProviders) => defaultPlugins(config, withProviders),
    fromEnvironment: environmentPlugins,
  });
  // Checked before anything is built, so that the message names the plugin and not the part that failed because of it.
  collectParts(plugins.map(hostedOf));
  const { runtime = systemRuntime } = options;
  const logger = guardedLogger(options.logger);
  const stores = options.stores ?? memoryStores({ clock: runtime.clock });
  const gateway = await openGateway({
    plugins,
    config,
    runtime,
    keyValue: stores.keyValue,
    ledger: stores.ledger,
    ...(stores.attempts === undefined ? {} : { attempts: stores.attempts }),
    transport: options.transport ?? createTransport({ ...transportOptions(config, process.env), clock: runtime.clock }),
    ...(options.logger === undefined ? {} : { logger }),
  });
  let toolsChanged = (): void => {};
  const context = {
    ...runtime,
    gateway,
    store: stores.keyValue,
    ...defined({ passages: stores.passages }),
    logger,
    toolsChanged: () => toolsChanged(),
  };
  const { hosted, registered } = await registerAll(plugins, context, (all) =>
    createRegistered(
      all,
      () => config,
      gateway,
      (options.workflows ?? []).map(partsOf),
      () => prompts,
    ),
  );
  const made = lazy(async () => {
    const { createRunServices } = await import('./composition/run-services.ts');
    return createRunServices({
      runtime,
      config: () => config,
      plugins: hosted,
      registered,
      stores,
      gateway,
      logger,
      engine: options.engine,
    });
  });
  const retention = keepRetention({ stores, clock: runtime.clock, config: () => config, logger });
  let recovering: Promise<void> | undefined;
  const { services, closing, assertOpen, close } = lifetime(runtime.clock, made, [
    async () => recovering,
    retention.close,
    () => closeAll(hosted, context),
    gateway.close,
    () => stores.close(),
  ]);
  toolsChanged = () => void followTools(registered, services.begun, logger);
  const engine = lazyEngine(services, runtime.ids);
  const live = async (runId: string) => (await services()).liveRun(runId);
  const remind = async (suspended: RunResult) => (await services()).remind(suspended);
  if (recover !== undefined)
    recovering = recoverRuns({ engine, remind, clock: runtime.clock, logger, closing }, recover);
  return {
    gateway,
    runs: createRuns({ engine, live, journal: guardedJournal(stores.journal), runtime, closing }),
    engine,
    stores,
    catalogue: registered.catalogue,
    ...planAndRun(services, registered),
    resume: (runId, resumeOptions) => engine.resume(runId, resumeOptions),
    async prune(request) {
      assertOpen();
      return retention.prune(request);
    },
    async reconfigure(given) {
      assertOpen();
      const next = await checkedConfig(given);
      assertReplaceable(config, next);
      const nextPrompts = await promptsOf(next);
      await gateway.prepare(next);
      const before = { config, prompts };
      const use = (one: Config, book: typeof prompts): void => {
        [config, prompts] = [one, book];
        gateway.reconfigure(one);
      };
      use(next, nextPrompts);
      try {
        registered.refresh();
      } catch (error) {
        // A rule for escalation names an alias that the next config lacks.
        use(before.config, before.prompts);
        throw error;
      }
      retention.refresh();
      (await services.begun())?.refill();
    },
    close,
  };
}

const partsOf = (given: AnyWorkflow | Plan): WorkflowParts =>
  isWorkflow(given) ? given : workflowOfPlan(given, 'The option "workflows"');

/** Sets the plugins up and registers their parts. When one fails, everything that was opened is closed. */
async function registerAll(
  plugins: readonly Plugin[],
  context: Omit<PluginContext, 'evaluators'> & { readonly gateway: GatewayHandle },
  register: (hosted: readonly HostedPlugin[]) => Registered,
): Promise<{ readonly hosted: readonly HostedPlugin[]; readonly registered: Registered }> {
  const { gateway } = context;
  let hosted: readonly HostedPlugin[] = [];
  let isHanded = false;
  try {
    hosted = await setUp(plugins, context);
    if (hosted.length > plugins.length) gateway.replacePlugins(hosted.map(gatewayPluginOf));
    isHanded = true;
    await gateway.listModels();
    return { hosted, registered: register(hosted) };
  } catch (error) {
    await closeAll(hosted, context);
    if (!isHanded) await closeMade(plugins, hosted, context);
    await gateway.close();
    throw error;
  }
}

/** The methods that need validator, planner and engine. A workflow that is run is registered, with all that it uses. */
function planAndRun(
  services: () => Promise<RunServices>,
  registered: Pick<Registered, 'add'>,
): Pick<Polyphony, 'plan' | 'planningPreview' | 'validate' | 'effects' | 'simulate' | 'start' | 'run'> {
  const start: Polyphony['start'] = async (what, input, options) => {
    // Programs in JavaScript reach this unchecked.
    if (typeof what !== 'string' && (typeof what !== 'object' || what === null)) {
      const message = `A run takes a request in words, a plan or a workflow, not ${String(what)}: give one of these.`;
      throw new PolyphonyError('invalid-request', message);
    }
    const parts = await services();
    if (typeof what === 'string') return startRun(parts, what, input, options);
    if (isUnfinished(what)) throw unfinished('A workflow that is run', 'invalid-plan');
    if (isWorkflow(what)) {
      return startRun(parts, workflowPlan(registered, what, parts), input, options);
    }
    return startRun(parts, isValidPlan(what) ? what : parts.validOnce(what), input, options);
  };
  const run = async (what: Runnable | AnyWorkflow, input?: Readonly<Record<string, unknown>>, options?: StartOptions) =>
    outcomeOf(await (await start(what, input, options)).result());
  return {
    plan: async (request, options) => (await services()).plan(request, options),
    planningPreview: async (request, options) => (await services()).preview(request, options),
    validate: async (plan, options) => (await services()).validate(plan, options),
    effects: async (plan) => (await services()).effects(plan),
    simulate: async (plan, options) => (await services()).simulate(plan, options),
    start,
    // One implementation behind two signatures: the workflow's types are those of its plan.
    run: run as Polyphony['run'],
  };
}

async function environmentPlugins(): Promise<readonly Plugin[]> {
  const { providersFromEnvironment } = await import('../plugins/providers/environment.ts');
  return providersFromEnvironment(process.env);
}

/**
 * Escalation with its evaluators, the tools for files and sums, and the providers of the environment: what `createPolyphony` adds
 * by itself. In `plugins` they may stand beside plugins of the same names, which replace them, and a tool, step or evaluator of another
 * plugin replaces theirs of the same name.
 */
export async function defaultPlugins(config: Config = {}, withProviders = true): Promise<readonly Plugin[]> {
  const { defaultPlugins: fromEnvironment } = await import('../plugins/defaults.ts');
  const made = await fromEnvironment(process.env, {
    escalate: config.escalate,
    tools: config.tools,
    mcp: config.mcp,
    providers: withProviders,
  });
  markDefault(made);
  return made;
}

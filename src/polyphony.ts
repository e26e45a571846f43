/**
 * The composition root: providers, plugins, stores, gateway, planner, validator and engine become one polyphony. Nothing
 * else in the library knows all of them.
 */
import { z } from 'zod';
import { boundsOf, createCatalogue } from './composition/catalogue.ts';
import { closeAll, collectParts, eventListener, type PluginParts, setUp } from './composition/plugin-host.ts';
import {
  outcomeOf,
  type Runnable,
  type RunOutcome,
  type StartOptions,
  startRun,
  validOrThrow,
} from './composition/start.ts';
import { stepPlugin, workflowSet } from './composition/workflows.ts';
import type { Runtime } from './core/clock.ts';
import { type Config, ConfigSchema } from './core/config.ts';
import type {
  ExecutionEngine,
  NodeRunner,
  NodeRunners,
  Replan,
  RunEvent,
  RunHandle,
  RunOptions,
} from './core/engine.ts';
import { PolyphonyError } from './core/errors.ts';
import type { CallOptions, Gateway } from './core/gateway.ts';
import type { Plan, ValidPlan } from './core/plan.ts';
import type { Logger, Plugin } from './core/plugin.ts';
import type { Provider, Transport } from './core/provider.ts';
import type { RunJournal, Stores } from './core/stores.ts';
import type { Catalogue, PlanningResult, ValidateOptions, Validation } from './core/validation.ts';
import { createEngine } from './executor/engine.ts';
import { createRunners } from './executor/runners/create-runners.ts';
import { createGateway } from './gateway/create-gateway.ts';
import { createTransport } from './gateway/transport.ts';
import { systemRuntime } from './kit/clock.ts';
import { silentLogger } from './kit/logger.ts';
import { createPlanner, createReplanner } from './planner/planner.ts';
import { memoryStores } from './stores/memory.ts';
import { validate } from './validator/validate.ts';
import { isWorkflow, type Workflow } from './workflow/index.ts';

export type { Runnable, RunOutcome, StartOptions };

/** What an engine of another kind is made from. */
export interface EngineParts {
  readonly runtime: Runtime;
  readonly journal: RunJournal;
  readonly runners: NodeRunners;
  /** Validates a journalled plan again. Throws invalid-plan. */
  readonly validPlan: (plan: Plan) => ValidPlan;
  /** For nodes that say `onError: "replan"`. */
  readonly replan: Replan;
  readonly onEvent?: (event: RunEvent) => void;
}

/** Whatever its types: they matter where it is built and where it is run. */
type AnyWorkflow = Workflow<unknown, unknown>;

export interface PolyphonyOptions {
  /** Instead of those that the environment names: `[provider({ apiKey })]`. @default by the environment, else the embedded one */
  readonly providers?: readonly Provider[];
  /** Instead of the default ones. @default the providers, escalation with its evaluators, the tools for files and sums */
  readonly plugins?: readonly Plugin[];
  readonly config?: Config;
  /** @default in memory */
  readonly stores?: Stores;
  /** @default the in-process engine */
  readonly engine?: (parts: EngineParts) => ExecutionEngine;
  /** @default silent */
  readonly logger?: Logger;
  /** Workflows that plans may use as `workflow:<id>`, and those whose runs are resumed. A workflow that is run is known. */
  readonly workflows?: readonly AnyWorkflow[];
  /** Clock, chance and ids. @default the system's */
  readonly runtime?: Runtime;
  /** @default undici */
  readonly transport?: Transport;
}

export interface Polyphony {
  readonly gateway: Gateway;
  readonly engine: ExecutionEngine;
  readonly stores: Stores;
  /** All that a plan may name, as of now. */
  catalogue(): Catalogue;
  /** Request to valid plan. Throws invalid-plan, unsupported, no-route, budget-exceeded. */
  plan(request: string, options?: PlanOptions): Promise<PlanningResult>;
  validate(plan: unknown, options?: ValidateOptions): Validation;
  /** Starts a run and hands it over while it goes. Throws invalid-plan, and what planning throws. */
  start(
    what: Runnable | AnyWorkflow,
    input?: Readonly<Record<string, unknown>>,
    options?: StartOptions,
  ): Promise<RunHandle>;
  /** Runs to the end. Throws the run's error when it failed or was cancelled. */
  run<Input, Output>(what: Workflow<Input, Output>, input: Input, options?: StartOptions): Promise<RunOutcome<Output>>;
  run(what: Runnable, input?: Readonly<Record<string, unknown>>, options?: StartOptions): Promise<RunOutcome<unknown>>;
  /** Goes on with a run that was interrupted, suspended or failed; what is finished is not paid again. */
  resume(runId: string, options?: Pick<RunOptions, 'signal' | 'concurrency'>): Promise<RunHandle>;
  /** Ends every run, flushes the ledger, closes sockets and stores. */
  close(): Promise<void>;
}

export interface PlanOptions extends CallOptions {
  /** The plan's text while it is written. */
  readonly onDelta?: (text: string) => void;
}

/**
 * Builds a polyphony. Without arguments it uses what the environment offers and keeps everything in memory.
 *
 * @throws invalid-config when the config or the plugins cannot be used; the message names the field and the rule
 */
export async function createPolyphony(options: PolyphonyOptions = {}): Promise<Polyphony> {
  const config = checkedConfig(options.config);
  const plugins = [
    ...(options.plugins ?? (await defaultPlugins(config, options.providers === undefined))),
    ...providerPlugin(options.providers ?? []),
  ];
  // Before anything is built, so that the message names the plugin and not the part that stumbled over it.
  collectParts(plugins);
  const logger = options.logger ?? silentLogger;
  const house = build(options, config, plugins);
  await setUp(plugins, {
    ...house.runtime,
    gateway: house.gateway,
    store: house.stores.keyValue,
    logger,
    evaluators: house.evaluators,
  });
  const { gateway, engine, stores } = house;
  const start: Polyphony['start'] = (what, input, startOptions) =>
    startRun(house, isWorkflow(what) ? house.adopt(what) : what, input, startOptions);
  const run = async (
    what: Runnable | AnyWorkflow,
    input?: Readonly<Record<string, unknown>>,
    runOptions?: StartOptions,
  ) => outcomeOf(await (await start(what, input, runOptions)).result());
  return {
    gateway,
    engine,
    stores,
    catalogue: house.catalogue,
    plan: house.plan,
    validate: house.validate,
    start,
    // One implementation behind two signatures: the workflow's types are those of its plan.
    run: run as Polyphony['run'],
    resume: (runId, resumeOptions) => engine.resume(runId, resumeOptions),
    async close() {
      await engine.close();
      await closeAll(plugins, logger);
      await house.closeGateway();
      await stores.close();
    },
  };
}

/** Escalation, the tools for files and sums, and the providers of the environment: see plugins/defaults.ts. */
export async function defaultPlugins(config: Config = {}, withProviders = true): Promise<readonly Plugin[]> {
  const { defaultPlugins: fromEnvironment } = await import('../plugins/defaults.ts');
  return fromEnvironment(process.env, { escalate: config.escalate, tools: config.tools, providers: withProviders });
}

const providerPlugin = (providers: readonly Provider[]): readonly Plugin[] =>
  providers.length === 0 ? [] : [{ name: 'providers', providers }];

function checkedConfig(config: Config = {}): Config {
  const parsed = ConfigSchema.safeParse(config);
  if (parsed.success) return parsed.data;
  throw new PolyphonyError('invalid-config', `The config cannot be used:\n${z.prettifyError(parsed.error)}`);
}

/** The parts, wired. A workflow that is run brings its own steps along, so what is registered can grow. */
interface House extends Pick<Polyphony, 'gateway' | 'engine' | 'stores' | 'catalogue' | 'plan' | 'validate'> {
  readonly runtime: Runtime;
  readonly evaluators: PluginParts['evaluators'];
  closeGateway(): Promise<void>;
  /** Registers what the workflow uses. @throws invalid-config when a name is taken by something else */
  adopt(workflow: AnyWorkflow): Plan;
}

function build(options: PolyphonyOptions, config: Config, plugins: readonly Plugin[]): House {
  const { runtime = systemRuntime, logger } = options;
  const stores = options.stores ?? memoryStores({ clock: runtime.clock });
  const gateway = createGateway({
    plugins,
    config,
    runtime,
    keyValue: stores.keyValue,
    ledger: stores.ledger,
    transport: options.transport ?? createTransport(),
    ...(logger === undefined ? {} : { logger }),
  });
  const shelf = createShelf(plugins, config, gateway, options.workflows ?? []);
  const check: House['validate'] = (plan, given) => validate(plan, shelf.catalogue(), given);
  const validPlan = (plan: Plan): ValidPlan => validOrThrow(check(plan));
  const planner = createPlanner(config.planner);
  const replanner = createReplanner(config.planner);
  const plan: House['plan'] = (request, { onDelta, ...call } = {}) =>
    planner(request, {
      gateway,
      catalogue: shelf.catalogue(),
      validate,
      options: call,
      ...(onDelta === undefined ? {} : { onDelta }),
    });
  const runners = new Map<string, NodeRunner>();
  const fill = (): void => {
    const made = createRunners({
      gateway,
      clock: runtime.clock,
      tools: shelf.parts().tools,
      steps: [...shelf.parts().steps.values()],
      around: plugins.flatMap(({ node }) => (node === undefined ? [] : [node])),
      workflows: (id) => planOf(shelf.catalogue().workflows.get(id), validPlan),
      plan: (goal, context, { scopes, signal }) => plan(requestOf(goal, context), { scopes, signal }),
      engine: () => engine,
      nesting: boundsOf(config).nesting,
    });
    for (const [use, runner] of made) runners.set(use, runner);
  };
  fill();
  const onEvent = eventListener(plugins, logger ?? silentLogger);
  const engine = (options.engine ?? createEngine)({
    runtime,
    journal: stores.journal,
    runners,
    validPlan,
    replan: async ({ signal, scopes, ...failure }) => {
      const asking = { gateway, catalogue: shelf.catalogue(), validate, options: { signal, scopes } };
      return (await replanner(failure, asking)).plan;
    },
    ...(onEvent === undefined ? {} : { onEvent }),
  });
  return {
    gateway,
    engine,
    stores,
    runtime,
    plan,
    validate: check,
    catalogue: shelf.catalogue,
    evaluators: shelf.parts().evaluators,
    closeGateway: () => gateway.close(),
    adopt(workflow) {
      if (shelf.add(workflow)) fill();
      return workflow.plan;
    },
  };
}

const planOf = (plan: Plan | undefined, validPlan: (plan: Plan) => ValidPlan): ValidPlan | undefined =>
  plan === undefined ? undefined : validPlan(plan);

/** A nested planner gets the goal and its material as one request. */
const requestOf = (goal: string, context: unknown): string =>
  context === null || context === undefined ? goal : `${goal}\n\nContext:\n${JSON.stringify(context)}`;

interface Shelf {
  parts(): PluginParts;
  catalogue(): Catalogue;
  /** False when it was there. */
  add(workflow: AnyWorkflow): boolean;
}

/** What is registered now: replaced as a whole when a workflow comes along. */
function createShelf(
  plugins: readonly Plugin[],
  config: Config,
  gateway: Gateway,
  initial: readonly AnyWorkflow[],
): Shelf {
  const place = (workflows: readonly AnyWorkflow[]) => {
    const set = workflowSet(workflows);
    const parts = collectParts([...plugins, ...stepPlugin(set.steps)]);
    const catalogue = createCatalogue({ parts, workflows: set.registered, config, models: gateway.models() });
    return { workflows, parts, catalogue };
  };
  let placed = place(initial);
  return {
    parts: () => placed.parts,
    catalogue: () => placed.catalogue,
    add(workflow) {
      if (placed.workflows.includes(workflow)) return false;
      placed = place([...placed.workflows, workflow]);
      return true;
    },
  };
}

/**
 * The composition root: providers, plugins, stores, gateway, planner, validator and engine become one polyphony. Nothing
 * else in the library knows all of them.
 */
import { lazy, lazyEngine } from './composition/lazy-engine.ts';
import { lifetime } from './composition/lifetime.ts';
import {
  closeAll,
  closeMade,
  collectParts,
  gatewayPluginOf,
  type HostedPlugin,
  hostedOf,
  mergePlugins,
  setUp,
} from './composition/plugin-host.ts';
import { createRegistered, type Registered } from './composition/registered.ts';
import type { EngineParts, PlanOptions, RunServices } from './composition/run-services.ts';
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
import type { Runtime } from './core/clock.ts';
import type { Config, ConfigInput } from './core/config.ts';
import { PolyphonyError } from './core/errors.ts';
import type { Gateway } from './core/gateway.ts';
import type { Provider, Transport } from './core/model/provider.ts';
import { isValidPlan } from './core/plan/plan.ts';
import type { PlanningResult } from './core/plan/planner.ts';
import type { Catalogue, ValidateOptions, Validation } from './core/plan/validation.ts';
import type { Logger, Plugin, PluginContext } from './core/plugin.ts';
import type { ExecutionEngine, RunHandle } from './core/run/engine.ts';
import type { ContinueOptions, Runs } from './core/run/runs.ts';
import type { Stores } from './core/stores.ts';
import { createGateway, type GatewayHandle } from './gateway/create-gateway.ts';
import { createTransport, type TransportOptions } from './gateway/transport/transport.ts';
import { memoryStores } from './stores/memory.ts';
import { systemRuntime } from './system/clock.ts';
import { silentLogger } from './system/logger.ts';
import { isWorkflow, type Workflow } from './workflow/index.ts';

export type { DoneRun, EngineParts, PlanOptions, Runnable, RunOutcome, StartOptions, SuspendedRun };

/** Whatever its types: they matter where it is built and where it is run. */
type AnyWorkflow = Workflow<unknown, unknown>;

export interface PolyphonyOptions {
  /** Models: `[provider({ apiKey })]`. @default those of the environment, else the embedded one */
  readonly providers?: readonly Provider[];
  /**
   * Besides the default ones (escalation with its evaluators, the tools for files and sums). A plugin that has the name of a
   * default one stands in its place; an empty list means none of them. Two of one name are refused. @default the default ones
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
  /** Workflows that plans may use as `workflow:<id>`, and those whose runs are resumed. A workflow that is run is known. */
  readonly workflows?: readonly AnyWorkflow[];
  /** Clock, chance and ids. @default the system's */
  readonly runtime?: Runtime;
  /** @default undici */
  readonly transport?: Transport;
}

/** The engine that was chosen. `startRequest` fails as `unsupported` where that engine takes whole plans only. */
export type PolyphonyEngine = ExecutionEngine & Required<Pick<ExecutionEngine, 'startRequest'>>;

export interface Polyphony {
  readonly gateway: Gateway;
  /** Runs that exist: list, show, watch, resume, fork, answer, cancel, replay. */
  readonly runs: Runs;
  /** What `runs` stands on. Its `answer` only records, and `resume` goes on. */
  readonly engine: PolyphonyEngine;
  readonly stores: Stores;
  /** All that a plan may name, as of now. */
  catalogue(): Catalogue;
  /** Request to valid plan. Throws invalid-plan, unsupported, no-route, budget-exceeded. */
  plan(request: string, options?: PlanOptions): Promise<PlanningResult>;
  /** All that is wrong with a plan, in text or parsed. Never rejects for what the plan holds. */
  validate(plan: unknown, options?: ValidateOptions): Promise<Validation>;
  /**
   * Starts a run and hands it over while it goes. Throws invalid-plan and invalid-request. A request whose planning fails is
   * a run that fails, unless `streaming` is false: then what planning throws is thrown.
   */
  start(
    what: Runnable | AnyWorkflow,
    input?: Readonly<Record<string, unknown>>,
    options?: StartOptions,
  ): Promise<RunHandle>;
  /**
   * Runs until there is nothing left to do. A workflow in which nothing waits for an answer from outside is `done`, with its
   * output; anything else may be `suspended` too, so its `status` is checked before its output is read. Throws the run's
   * error when it failed or was cancelled.
   */
  run<Input, Output, MaySuspend extends boolean>(
    what: Workflow<Input, Output, MaySuspend>,
    input: Input,
    options?: StartOptions,
  ): Promise<RunOutcome<Output, MaySuspend>>;
  run(what: Runnable, input?: Readonly<Record<string, unknown>>, options?: StartOptions): Promise<RunOutcome>;
  /** Goes on with a run that was interrupted, suspended or failed; what is finished is not paid again. */
  resume(runId: string, options?: ContinueOptions): Promise<RunHandle>;
  /**
   * Replaces the config for calls, plans and runs that begin afterwards; what is under way drops nothing. `plugins`, `tools`,
   * `escalate` and `timeouts.connectMs` are built in and have to stay as they are.
   *
   * @throws invalid-config when the config cannot be used; the old one then stays
   */
  reconfigure(config: ConfigInput): Promise<void>;
  /**
   * Ends every run, closes each plugin and provider once, whatever fails, flushes the ledger, closes sockets and stores; then
   * throws what the stores or the engine failed with first. A second call does nothing more. Whatever is called afterwards
   * fails with `invalid-request`.
   */
  close(): Promise<void>;
}

/**
 * Builds a polyphony. Without arguments it uses what the environment offers and keeps everything in memory.
 *
 * @throws invalid-config when the config or the plugins cannot be used; the message names the field and the rule
 */
export async function createPolyphony(options: PolyphonyOptions = {}): Promise<Polyphony> {
  let config = await checkedConfig(options.config);
  const plugins = await chosenPlugins(options, config);
  // Before anything is built, so that the message names the plugin and not the part that stumbled over it.
  collectParts(plugins.map(hostedOf));
  const { runtime = systemRuntime, logger = silentLogger } = options;
  const stores = options.stores ?? memoryStores({ clock: runtime.clock });
  const gateway = createGateway({
    plugins,
    config,
    runtime,
    keyValue: stores.keyValue,
    ledger: stores.ledger,
    transport: options.transport ?? createTransport(transportOptions(config)),
    ...(options.logger === undefined ? {} : { logger }),
  });
  const context = { ...runtime, gateway, store: stores.keyValue, logger };
  const { hosted, registered } = await registerAll(plugins, context, (all) =>
    createRegistered(all, () => config, gateway, options.workflows ?? []),
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
  const { services, closing, assertOpen, close } = lifetime(made, [
    () => closeAll(hosted, logger),
    gateway.close,
    () => stores.close(),
  ]);
  const engine = lazyEngine(services, runtime.ids);
  const live = async (runId: string) => (await services()).liveRun(runId);
  return {
    gateway,
    runs: createRuns({ engine, live, journal: stores.journal, runtime, closing }),
    engine,
    stores,
    catalogue: registered.catalogue,
    ...planAndRun(services, (workflow) => registered.add(workflow)),
    resume: (runId, resumeOptions) => engine.resume(runId, resumeOptions),
    async reconfigure(given) {
      assertOpen();
      const next = await checkedConfig(given);
      assertReplaceable(config, next);
      config = next;
      gateway.reconfigure(next);
      registered.refresh();
      (await services.begun())?.refill();
    },
    close,
  };
}

/** Sets the plugins up and registers all that they bring. What was opened on the way is closed when one fails. */
async function registerAll(
  plugins: readonly Plugin[],
  context: Omit<PluginContext, 'evaluators'> & { readonly gateway: GatewayHandle },
  register: (hosted: readonly HostedPlugin[]) => Registered,
): Promise<{ readonly hosted: readonly HostedPlugin[]; readonly registered: Registered }> {
  const { gateway, logger } = context;
  let hosted: readonly HostedPlugin[] = [];
  let isHanded = false;
  try {
    hosted = await setUp(plugins, context);
    if (hosted.length > plugins.length) gateway.replacePlugins(hosted.map(gatewayPluginOf));
    isHanded = true;
    return { hosted, registered: register(hosted) };
  } catch (error) {
    await closeAll(hosted, logger);
    if (!isHanded) await closeMade(plugins, hosted, logger);
    await gateway.close();
    throw error;
  }
}

const transportOptions = ({ timeouts }: Config): TransportOptions =>
  timeouts?.connectMs === undefined ? {} : { connectTimeoutMs: timeouts.connectMs };

/** What needs validator, planner and engine. A workflow that is run brings its own steps and workflows along. */
function planAndRun(
  services: () => Promise<RunServices>,
  add: (workflow: AnyWorkflow) => boolean,
): Pick<Polyphony, 'plan' | 'validate' | 'start' | 'run'> {
  const start: Polyphony['start'] = async (what, input, options) => {
    const parts = await services();
    if (typeof what === 'string') return startRun(parts, what, input, options);
    if (isWorkflow(what)) {
      if (add(what)) parts.refill();
      return startRun(parts, parts.validOnce(what.plan), input, options);
    }
    // What is no object at all is the validator's to refuse.
    const isValidated = typeof what === 'object' && what !== null && isValidPlan(what);
    return startRun(parts, isValidated ? what : parts.validOnce(what), input, options);
  };
  const run = async (what: Runnable | AnyWorkflow, input?: Readonly<Record<string, unknown>>, options?: StartOptions) =>
    outcomeOf(await (await start(what, input, options)).result());
  return {
    plan: async (request, options) => (await services()).planner.plan(request, options),
    validate: async (plan, options) => (await services()).validate(plan, options),
    start,
    // One implementation behind two signatures: the workflow's types are those of its plan.
    run: run as Polyphony['run'],
  };
}

/** The default plugins as far as they are wanted, the caller's, and the caller's providers as a plugin. */
async function chosenPlugins(options: PolyphonyOptions, config: Config): Promise<readonly Plugin[]> {
  const { providers, plugins: given = [], defaults = options.plugins?.length !== 0 } = options;
  const own = mergePlugins([], [...given, ...providerPlugin(providers ?? [])]);
  const isBrought = providers !== undefined || given.some((plugin) => (plugin.providers ?? []).length > 0);
  const environment = options.environment ?? (defaults && !isBrought);
  if (defaults) return mergePlugins(await defaultPlugins(config, environment), own);
  return mergePlugins(environment ? await environmentPlugins() : [], own);
}

async function environmentPlugins(): Promise<readonly Plugin[]> {
  const { providersFromEnvironment } = await import('../plugins/providers/environment.ts');
  return providersFromEnvironment(process.env);
}

/** Escalation, the tools for files and sums, and the providers of the environment: see plugins/defaults.ts. */
export async function defaultPlugins(config: Config = {}, withProviders = true): Promise<readonly Plugin[]> {
  const { defaultPlugins: fromEnvironment } = await import('../plugins/defaults.ts');
  return fromEnvironment(process.env, { escalate: config.escalate, tools: config.tools, providers: withProviders });
}

const providerPlugin = (providers: readonly Provider[]): readonly Plugin[] =>
  providers.length === 0 ? [] : [{ name: 'providers', providers }];

const BUILT_IN: readonly (readonly [field: string, of: (config: Config) => unknown])[] = [
  ['plugins', ({ plugins }) => plugins],
  ['tools', ({ tools }) => tools],
  ['escalate', ({ escalate }) => escalate],
  ['timeouts.connectMs', ({ timeouts }) => timeouts?.connectMs],
];

function assertReplaceable(before: Config, next: Config): void {
  const moved = BUILT_IN.filter(([, of]) => JSON.stringify(of(before)) !== JSON.stringify(of(next)));
  if (moved.length === 0) return;
  const names = moved.map(([field]) => field).join(', ');
  const message = `The config cannot be replaced, because ${names} would change, which is fixed when a polyphony is created: leave it as it is, or create a new polyphony.`;
  throw new PolyphonyError('invalid-config', message);
}

/** Without a config nothing has to be checked, nor the schema's library be loaded. */
async function checkedConfig(config: ConfigInput | undefined): Promise<Config> {
  if (config === undefined) return {};
  const [{ z }, { ConfigSchema }] = await Promise.all([import('zod'), import('./core/config/config-schema.ts')]);
  const parsed = ConfigSchema.safeParse(config);
  if (parsed.success) return parsed.data;
  throw new PolyphonyError('invalid-config', `The config cannot be used:\n${z.prettifyError(parsed.error)}`);
}

/**
 * The composition root: providers, plugins, stores, gateway, planner, validator and engine become one polyphony. Nothing
 * else in the library knows all of them.
 */
import { lazy, lazyEngine } from './composition/lazy-engine.ts';
import { closeAll, collectParts, setUp } from './composition/plugin-host.ts';
import { createRegistered } from './composition/registered.ts';
import type { EngineParts, PlanOptions, RunServices } from './composition/run-services.ts';
import { outcomeOf, type Runnable, type RunOutcome, type StartOptions, startRun } from './composition/start.ts';
import type { Runtime } from './core/clock.ts';
import type { Config } from './core/config.ts';
import { PolyphonyError } from './core/errors.ts';
import type { Gateway } from './core/gateway.ts';
import type { Provider, Transport } from './core/model/provider.ts';
import type { PlanningResult } from './core/plan/planner.ts';
import type { Catalogue, ValidateOptions, Validation } from './core/plan/validation.ts';
import type { Logger, Plugin } from './core/plugin.ts';
import type { ExecutionEngine, RunHandle, RunOptions } from './core/run/engine.ts';
import type { Stores } from './core/stores.ts';
import { createGateway } from './gateway/create-gateway.ts';
import { createTransport, type TransportOptions } from './gateway/transport/transport.ts';
import { memoryStores } from './stores/memory.ts';
import { systemRuntime } from './system/clock.ts';
import { silentLogger } from './system/logger.ts';
import { isWorkflow, type Workflow } from './workflow/index.ts';

export type { EngineParts, PlanOptions, Runnable, RunOutcome, StartOptions };

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
  /** Runs to the end. Throws the run's error when it failed or was cancelled. */
  run<Input, Output>(what: Workflow<Input, Output>, input: Input, options?: StartOptions): Promise<RunOutcome<Output>>;
  run(what: Runnable, input?: Readonly<Record<string, unknown>>, options?: StartOptions): Promise<RunOutcome<unknown>>;
  /** Goes on with a run that was interrupted, suspended or failed; what is finished is not paid again. */
  resume(runId: string, options?: Pick<RunOptions, 'signal' | 'concurrency'>): Promise<RunHandle>;
  /**
   * Replaces the config for calls, plans and runs that begin afterwards; what is under way drops nothing. `plugins`, `tools`,
   * `escalate` and `timeouts.connect` are built in and have to stay as they are.
   *
   * @throws invalid-config when the config cannot be used; the old one then stays
   */
  reconfigure(config: Config): Promise<void>;
  /** Ends every run, flushes the ledger, closes sockets and stores. */
  close(): Promise<void>;
}

/**
 * Builds a polyphony. Without arguments it uses what the environment offers and keeps everything in memory.
 *
 * @throws invalid-config when the config or the plugins cannot be used; the message names the field and the rule
 */
export async function createPolyphony(options: PolyphonyOptions = {}): Promise<Polyphony> {
  let config = await checkedConfig(options.config);
  const plugins = [
    ...(options.plugins ?? (await defaultPlugins(config, options.providers === undefined))),
    ...providerPlugin(options.providers ?? []),
  ];
  // Before anything is built, so that the message names the plugin and not the part that stumbled over it.
  const { evaluators } = collectParts(plugins);
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
  const registered = createRegistered(plugins, () => config, gateway, options.workflows ?? []);
  await setUp(plugins, { ...runtime, gateway, store: stores.keyValue, logger, evaluators });
  const services = lazy(async () => {
    const { createRunServices } = await import('./composition/run-services.ts');
    return createRunServices({
      runtime,
      config: () => config,
      plugins,
      registered,
      stores,
      gateway,
      logger,
      engine: options.engine,
    });
  });
  const engine = lazyEngine(services, runtime.ids);
  return {
    gateway,
    engine,
    stores,
    catalogue: registered.catalogue,
    ...planAndRun(services, (workflow) => registered.add(workflow)),
    resume: (runId, resumeOptions) => engine.resume(runId, resumeOptions),
    async reconfigure(given) {
      const next = await checkedConfig(given);
      assertReplaceable(config, next);
      config = next;
      gateway.reconfigure(next);
      registered.refresh();
      (await services.begun())?.refill();
    },
    async close() {
      await (await services.begun())?.close();
      await closeAll(plugins, logger);
      await gateway.close();
      await stores.close();
    },
  };
}

const transportOptions = ({ timeouts }: Config): TransportOptions =>
  timeouts?.connect === undefined ? {} : { connectTimeoutMs: timeouts.connect };

/** What needs validator, planner and engine. A workflow that is run brings its own steps and workflows along. */
function planAndRun(
  services: () => Promise<RunServices>,
  add: (workflow: AnyWorkflow) => boolean,
): Pick<Polyphony, 'plan' | 'validate' | 'start' | 'run'> {
  const start: Polyphony['start'] = async (what, input, options) => {
    const parts = await services();
    if (!isWorkflow(what)) return startRun(parts, what, input, options);
    if (add(what)) parts.refill();
    return startRun(parts, what.plan, input, options);
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
  ['timeouts.connect', ({ timeouts }) => timeouts?.connect],
];

function assertReplaceable(before: Config, next: Config): void {
  const moved = BUILT_IN.filter(([, of]) => JSON.stringify(of(before)) !== JSON.stringify(of(next)));
  if (moved.length === 0) return;
  const names = moved.map(([field]) => field).join(', ');
  const message = `The config cannot be replaced, because ${names} would change, which is built in: leave it as it is, or make a new polyphony.`;
  throw new PolyphonyError('invalid-config', message);
}

/** Without a config nothing has to be checked, nor the schema's library be loaded. */
async function checkedConfig(config: Config | undefined): Promise<Config> {
  if (config === undefined) return {};
  const [{ z }, { ConfigSchema }] = await Promise.all([import('zod'), import('./core/config.ts')]);
  const parsed = ConfigSchema.safeParse(config);
  if (parsed.success) return parsed.data;
  throw new PolyphonyError('invalid-config', `The config cannot be used:\n${z.prettifyError(parsed.error)}`);
}

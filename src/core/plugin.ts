/** Plugins: one file each, a typed factory that returns this object. */
import type { Clock, Ids, Random } from './clock.ts';
import type { Candidate, Gateway } from './gateway.ts';
import type { Attempt, Call, JsonSchema, Middleware, ModelResponse } from './model/model.ts';
import type { Provider } from './model/provider.ts';
import type { StepType } from './plan/validation.ts';
import type { NodeCall, NodeOutput, NodeRunner, RunEvent } from './run/engine.ts';
import type { KeyValueStore } from './stores.ts';

/** Outermost first; `gateway/gateway.ts` lists what stands in each place. */
export const REQUEST_LAYERS = [
  'telemetry',
  'authorisation',
  'moderation',
  'privacy',
  'cache',
  'affinity',
  'escalation',
  'hedge',
  'failover',
] as const;
export const ATTEMPT_LAYERS = [
  'retry',
  'breaker',
  'limiter',
  'budget',
  'attempt-telemetry',
  'timeouts',
  'adapt',
  'provider',
] as const;
export type RequestLayer = (typeof REQUEST_LAYERS)[number];
export type AttemptLayer = (typeof ATTEMPT_LAYERS)[number];

/** In the named place itself (behind the built-in layer, if there is one), or right before or after it. */
export type Place<Layer extends string> = Layer | { readonly before: Layer } | { readonly after: Layer };

export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What a plugin may reach. Calls through `gateway` take the attempt ring: charged, listed, never evaluated again. */
export interface PluginContext {
  readonly gateway: Gateway;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  /** Keys of one plugin never meet another's. */
  readonly store: KeyValueStore;
  readonly logger: Logger;
  /** Evaluators of all plugins, by name. Those that a later plugin's `setup` returns are in it once that was set up. */
  readonly evaluators: ReadonlyMap<string, Evaluator>;
}

/** A function that models may call and plans may use as `tool:<name>`. */
export interface Tool {
  /** `[a-z][a-z0-9_]*` */
  readonly name: string;
  readonly description: string;
  readonly input: JsonSchema;
  readonly output?: JsonSchema;
  /**
   * False: it only reads, so a plan may use it while it is still being written. True: a plan keeps its node though nothing
   * reads its output.
   *
   * @default it may change something outside
   */
  readonly sideEffects?: boolean;
  readonly expectedMs?: number;
  /** `input` is validated before. Throws PolyphonyError, or anything, which becomes `tool-failed`. */
  run(input: Readonly<Record<string, unknown>>, context: ToolContext): Promise<unknown>;
}
export interface ToolContext {
  readonly signal: AbortSignal;
  readonly idempotencyKey: string;
  readonly clock: Clock;
}

export interface Evaluation {
  /** 0 to 1: how likely the answer is right. */
  readonly score: number;
  readonly calibrated: boolean;
  readonly reasons: readonly string[];
}
/** Judges an answer. Calls that it makes are charged through `call.trace` and `call.scopes`. */
export interface Evaluator {
  readonly name: string;
  /** True: it calls models itself. */
  readonly callsModels?: boolean;
  evaluate(call: Call, response: ModelResponse): Promise<Evaluation> | Evaluation;
}

/** A step kind of its own: what `use: "<name>"` runs. */
export interface Step {
  readonly type: StepType;
  readonly run: NodeRunner;
}

/** A layer of the request ring: sees a call once. */
export interface RequestRingLayer {
  readonly place: Place<RequestLayer>;
  readonly handle: Middleware;
}

/** A layer of the attempt ring: sees every try at a target. */
export interface AttemptRingLayer {
  readonly place: Place<AttemptLayer>;
  readonly handle: Middleware<Attempt>;
}

/** What a plugin brings: fields of the plugin itself, or of what its `setup` returns; both count. */
export interface PluginParts {
  readonly providers?: readonly Provider[];
  readonly tools?: readonly Tool[];
  readonly evaluators?: readonly Evaluator[];
  readonly steps?: readonly Step[];
  /** One layer or several, at places of their own. */
  readonly request?: RequestRingLayer | readonly RequestRingLayer[];
  readonly attempt?: AttemptRingLayer | readonly AttemptRingLayer[];
  /**
   * Orders the candidates of a call: pure and synchronous. Gets those that satisfy the request, in the router's order or in
   * that of the plugin before, and returns them in its own; may leave some out, never add one. Not asked for a chain
   * of the config (`model.route`, `fallbacks`), which keeps its order. What it throws becomes `plugin-failed`. See
   * docs/how-to/write-a-plugin.md for what stays first whatever it returns.
   */
  rank?(candidates: readonly Candidate[], call: Call): readonly Candidate[];
  /** Around every node run of every engine. */
  readonly node?: (call: NodeCall, next: NodeRunner) => Promise<NodeOutput>;
  /** Of every run. Must not throw; what it throws is logged with the plugin's name and stops nothing. */
  onEvent?(event: RunEvent): void;
  /**
   * Once every plugin is set up, before the first call: the place to check what other plugins bring. What it throws refuses
   * the polyphony.
   */
  ready?(): void | Promise<void>;
  /** Once, at the end of the polyphony, or when a later plugin could not be set up. The gateway closes the providers. */
  close?(): void | Promise<void>;
}

/**
 * A plugin is a value: one object may serve any number of polyphonies, also at once. What belongs to one of them (its
 * gateway, its store, what was read from it) is held by the parts that `setup` returns.
 */
export interface Plugin extends PluginParts {
  /** `[a-z][a-z0-9-]*`; named in every error that the plugin causes. */
  readonly name: string;
  /** Once per polyphony, before its first call. Returns the parts that need the context. @default nothing more is brought */
  setup?(context: PluginContext): PluginParts | void | Promise<PluginParts | undefined> | Promise<void>;
}

/** Types a plugin where it is written; checks its name. */
export function definePlugin<P extends Plugin>(plugin: P): P {
  if (!/^[a-z][a-z0-9-]*$/.test(plugin.name)) {
    throw new TypeError(
      `The plugin name "${plugin.name}" is invalid: start with a lower-case letter, then use lower-case letters, digits and dashes.`,
    );
  }
  return plugin;
}

/** Plugins: one file each, a typed factory that returns this object. */
import type { Clock, Ids, Random } from './clock.ts';
import type { Candidate, Gateway } from './gateway.ts';
import type { Attempt, Call, EscalationRule, JsonSchema, Middleware, ModelResponse } from './model/model.ts';
import type { Provider, Transport } from './model/provider.ts';
import type { ZodLike } from './model/schema-like.ts';
import type { Effects } from './plan/effects.ts';
import type { Plan } from './plan/plan.ts';
import type { StepType } from './plan/validation.ts';
import type { NodeCall, NodeOutput, NodeRunner, RunEvent } from './run/engine.ts';
import type { PassageStore } from './stores/passages.ts';
import type { KeyValueStore } from './stores.ts';

/** Outermost first; `gateway/gateway.ts` lists what runs at each place. */
export const REQUEST_LAYERS = [
  'telemetry',
  'authorisation',
  'moderation',
  'privacy',
  'cache',
  'route',
  'affinity',
  'escalation',
  'hedge',
  'batch',
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

/** At the named place itself (after the built-in layer, if there is one), or directly before or after it. */
export type Place<Layer extends string> = Layer | { readonly before: Layer } | { readonly after: Layer };

export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** Whether lines of the level are kept: those that are not are not even made. @default nobody can tell, so all are made */
  isLevelEnabled?(level: 'debug' | 'info' | 'warn' | 'error'): boolean;
}

/** What a plugin can use. Calls through `gateway` go through the attempt ring: charged and listed, but never evaluated again. */
export interface PluginContext {
  readonly gateway: Gateway;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  /** The keys of each plugin are separate from those of others. */
  readonly store: KeyValueStore;
  /** Indexes of passages, which all plugins share. @default none: the stores keep none */
  readonly passages?: PassageStore;
  readonly logger: Logger;
  /** Evaluators of all plugins, by name. Those that a later plugin's `setup` returns are added after that plugin was set up. */
  readonly evaluators: ReadonlyMap<string, Evaluator>;
  /**
   * To be called when the list of `tools` of the parts that `setup` returned is another one than before: runs that begin
   * afterwards use it. A list that cannot be registered is logged, and the one before stays. @default lists never change
   */
  readonly toolsChanged?: () => void;
}

/** JSON Schema, or a schema of zod 3 or 4. */
export type ToolSchema = JsonSchema | ZodLike;

/** A function that models may call and plans may use as `tool:<name>`. */
export interface Tool {
  /** Letters, digits and `_ - . : /`, at most 115; a provider that refuses some of them is sent another name. */
  readonly name: string;
  readonly description: string;
  /** JSON Schema, or a schema of zod: it is run on what a plan or a model gives, and `run` gets its result. */
  readonly input: ToolSchema;
  /** As `input`, run on what `run` returns; the result is kept as JSON. @default the output is `{ result }`, of any type */
  readonly output?: ToolSchema;
  /**
   * False: it only reads, so a plan may use it while it is still being written. True: a plan keeps its node even if nothing
   * reads its output.
   *
   * @default what `effects` say; else unknown: it may change something, but unused nodes are reported
   */
  readonly sideEffects?: boolean;
  /** What it reads, writes, reaches and costs, at most. @default unknown: it may do anything */
  readonly effects?: Effects;
  /**
   * True: what it returns is the operator's own word, such as a sum or a name that it made. False: models are told that it is data
   * of somebody else, whose instructions they must not follow.
   *
   * @default false
   */
  readonly trusted?: boolean;
  /** `ask`: a person approves every call that a model or a plan makes of it, before it runs. @default none needs approval */
  readonly approval?: 'ask';
  readonly expectedMs?: number;
  /**
   * `input` is a copy, and what its schema gave. What it returns becomes JSON: dates are texts, undefined fields are left out,
   * and what JSON does not have (NaN, bigint, Map, functions, bytes) fails the call as `invalid-output`. An error other than a
   * PolyphonyError becomes `tool-failed`.
   */
  run(input: Readonly<Record<string, unknown>>, context: ToolContext): Promise<unknown>;
}
export interface ToolContext {
  readonly signal: AbortSignal;
  readonly idempotencyKey: string;
  readonly clock: Clock;
  /** Of the run that the call belongs to, and its node; `item`: its index within `each`. */
  readonly runId: string;
  readonly nodeId: string;
  readonly item?: number;
  /** Of the node, else of the run. */
  readonly session?: string;
  /** Of the run. A copy. */
  readonly tags?: Readonly<Record<string, string>>;
  /**
   * Counts bytes that the tool is about to write to the stores of the run, such as an index of passages, toward
   * `limits.values.writtenBytes`. Absent: nobody counts.
   *
   * @throws limit-exceeded when the run may not write that much more: let it pass
   */
  readonly countWritten?: ((bytes: number) => void) | undefined;
}

export interface Evaluation {
  /** How likely the answer is right, 0 to 1. */
  readonly score: number;
  readonly calibrated: boolean;
  readonly reasons: readonly string[];
}
/** Scores an answer. Calls that it makes are charged through `call.trace` and `call.scopes`. */
export interface Evaluator {
  readonly name: string;
  /** True: it calls models itself. */
  readonly callsModels?: boolean;
  evaluate(call: Call, response: ModelResponse): Promise<Evaluation> | Evaluation;
}

/** A kind of step: what `use: "<name>"` runs. */
export interface Step {
  readonly type: StepType;
  readonly run: NodeRunner;
}

/** A layer of the request ring: runs once per call. */
export interface RequestRingLayer {
  readonly place: Place<RequestLayer>;
  readonly handle: Middleware;
}

/** A layer of the attempt ring: runs for every attempt at a target. */
export interface AttemptRingLayer {
  readonly place: Place<AttemptLayer>;
  readonly handle: Middleware<Attempt>;
}

/** The parts of a plugin: fields of the plugin itself, and of the object that its `setup` returns; both count. */
export interface PluginParts {
  readonly providers?: readonly Provider[];
  readonly tools?: readonly Tool[];
  readonly evaluators?: readonly Evaluator[];
  readonly steps?: readonly Step[];
  /** Plans with an `id`: plans may use each as `workflow:<id>`. */
  readonly workflows?: readonly Plan[];
  /** One layer or several, at places of their own. */
  readonly request?: RequestRingLayer | readonly RequestRingLayer[];
  readonly attempt?: AttemptRingLayer | readonly AttemptRingLayer[];
  /**
   * The network as one attempt sees it, below its provider: called once for each attempt, with the network of the plugin before,
   * and returns `inner` itself for an attempt that it leaves alone. What it returns keeps the rules of `Transport`: it obeys the
   * signal of each request, and throws `network`, `timeout` or `cancelled`. Its `close` is never called. Providers that answer
   * without the network do not notice it; batches, probes and lists of models do not use it. An error becomes `plugin-failed`.
   */
  transport?(inner: Transport, attempt: Attempt): Transport;
  /**
   * The rule that its layer applies to requests without one. It is checked once all models are listed: a rung that is neither a
   * tier nor a known model fails the creation of the polyphony. @default none
   */
  readonly escalate?: EscalationRule;
  /**
   * Exact counts of tokens, by the models that count so: `provider/model` or a model's id, where `*` stands for any characters; the
   * longest name that fits counts. Synchronous and pure; gets pieces of at most 2,048 characters, so that a long word costs no
   * time without end. What it throws, or what is no number of tokens, is logged once, and the estimate counts. @default none
   */
  readonly tokenizers?: Readonly<Record<string, (text: string) => number>>;
  /**
   * Orders the candidates of a call: pure and synchronous. Gets those that satisfy the request, in the order of the router or
   * of the plugin before, and returns them in its own order; it may drop some, but never add one. A chain of the config
   * (`model.route`, `fallbacks`) keeps its order, so what counts there is only which ones are left out. An error becomes `plugin-failed`.
   * docs/how-to/write-a-plugin.md says which candidates stay first in any case.
   */
  rank?(candidates: readonly Candidate[], call: Call): readonly Candidate[];
  /** Wraps every run of a node, in every engine. */
  readonly node?: (call: NodeCall, next: NodeRunner) => Promise<NodeOutput>;
  /**
   * Gets the events of every run, each a copy of its own. Nobody waits for what it returns; what it throws or rejects with is
   * logged with the plugin's name and stops nothing.
   */
  onEvent?(event: RunEvent): unknown;
  /**
   * Called once after every plugin is set up, before the first call: the place to check parts of other plugins. An error fails
   * the creation of the polyphony.
   */
  ready?(): void | Promise<void>;
  /** Called once, when the polyphony is closed or a later plugin could not be set up. The gateway closes the providers. */
  close?(): void | Promise<void>;
}

/**
 * A plugin is a value: one object may serve any number of polyphonies, also at the same time. State of one of them (its
 * gateway, its store, data read from it) belongs in the parts that `setup` returns.
 */
export interface Plugin extends PluginParts {
  /** `[a-z][a-z0-9-]*`; named in every error that the plugin causes. */
  readonly name: string;
  /** Called once per polyphony, before its first call. Returns the parts that need the context. @default no further parts */
  setup?(context: PluginContext): PluginParts | void | Promise<PluginParts | undefined> | Promise<void>;
}

/**
 * Gives a plugin its type where it is written, and checks its name.
 *
 * @throws TypeError when the name is invalid
 */
export function definePlugin<P extends Plugin>(plugin: P): P {
  if (!/^[a-z][a-z0-9-]*$/.test(plugin.name)) {
    throw new TypeError(
      `The plugin name "${plugin.name}" is invalid: start with a lower-case letter, then use lower-case letters, digits and dashes.`,
    );
  }
  return plugin;
}

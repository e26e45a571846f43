/**
 * The configuration: YAML or JSON in the user's version control, or the object that `createPolyphony({ config })` takes.
 * Types only: the schema is in config/config-schema.ts, because zod takes longer to load than a call needs. A type test
 * holds both equal, and the published JSON Schema takes its descriptions and defaults from the comments here.
 */
import type { DatedPrice, PriceChange, PriceWindow } from './money/token-price.ts';
import type { Escalation } from './plan/plan.ts';

/** What polyphony reads from a config. Every field is optional. */
export interface Config {
  /** Short names of models: `{ cheap: 'provider/model' }`. @default none */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Explicit chains of models, by the name that a request gives in `model: { route: 'support' }`. @default none */
  readonly routes?: Readonly<Record<string, RouteConfig>>;
  /** Chains of models for two faults that another model can correct. @default the router's order */
  readonly fallbacks?: FallbacksConfig;
  /** What the router weighs most. @default 'balanced' */
  readonly optimise?: 'cost' | 'latency' | 'quality' | 'balanced';
  /** Caps on what is spent, at most 1000; a call has to keep all that apply to it. @default none */
  readonly budgets?: readonly BudgetConfig[];
  /** Prices over the built-in ones, by `provider/model` or, for all others of a provider, `provider/*`. @default the cards' and the public list's */
  readonly prices?: Readonly<Record<string, PriceConfig>>;
  /** A file with more `prices`, YAML or JSON, relative to the config; only the command reads it. @default none */
  readonly pricesFile?: string;
  /** Lets calls under a cap go to models of unknown price. @default false */
  readonly allowUnpriced?: boolean;
  /** How often and how fast an attempt is repeated at one target. */
  readonly retry?: RetryConfig;
  /** When a target that fails is left alone for a while. */
  readonly breaker?: BreakerConfig;
  /** How long an attempt may take, part by part. */
  readonly timeouts?: TimeoutsConfig;
  /** Requests at once to a provider, by its name, 1 to 10000. @default the provider's own figure, else 64 */
  readonly concurrency?: Readonly<Record<string, number>>;
  /** Applied to every answer whose request says nothing itself. @default none, nothing escalates */
  readonly escalate?: Escalation;
  /** How a session stays with the model that served it. */
  readonly affinity?: AffinityConfig;
  /** Bounds of every plan, whoever wrote it: the operator moves them up or down, a plan never can. */
  readonly bounds?: BoundsConfig;
  /** Modules that the command loads: npm packages, or files relative to the config that begin with `./`. @default none */
  readonly plugins?: readonly string[];
  /** How requests are turned into plans. */
  readonly planner?: PlannerConfig;
  /** The tools that come built in. */
  readonly tools?: ToolsConfig;
}

export interface RouteConfig {
  /** Models tried in this order, 1 to 20. */
  readonly chain: readonly string[];
}

export interface FallbacksConfig {
  /** Models tried when a text is too long for the chosen one, at most 20. @default the router's order */
  readonly contextWindow?: readonly string[];
  /** Models tried when the provider refuses a text, at most 20. @default the router's order */
  readonly contentPolicy?: readonly string[];
}

export interface BudgetConfig {
  /** Whose spending is capped. */
  readonly scope: 'session' | 'user' | 'team' | 'tenant' | 'tag' | 'run';
  /** One of them; a tag of the command is `key=value`. @default each by itself */
  readonly id?: string;
  /** The cap, in US dollars. */
  readonly usd: number;
  /** Counts anew each day or month, in UTC. @default without end */
  readonly period?: 'day' | 'month';
}

/** The price of one model, whole (`input` and `output`), or only `times`, which multiplies the built-in one. */
export interface PriceConfig extends PriceChange {
  /** Where there was any reasoning, its rate holds for the whole answer. @default false */
  readonly reasoningCoversAnswer?: boolean;
  /** Other rates from a date on, with rising dates, at most 10; each differs from the one before. @default none */
  readonly changes?: readonly DatedPrice[];
  /** Other rates at hours of the day, at most 10; where several hold, the last one counts. @default none */
  readonly windows?: readonly PriceWindow[];
  /** Other rates by the provider's service tier (`batch`, `flex`, `priority`). @default every tier costs the same */
  readonly serviceTiers?: Readonly<Record<string, PriceChange>>;
  /** Where the figures come from, for people. @default none */
  readonly source?: string;
}

export interface RetryConfig {
  /** Attempts after the first at one target, 0 to 10. @default 2 */
  readonly retries?: number;
  /** The first pause, in milliseconds; each next one doubles. @default 500 */
  readonly baseMs?: number;
  /** The longest pause, in milliseconds. @default 30000 */
  readonly maxMs?: number;
}

export interface BreakerConfig {
  /** Answers with status 429 within a minute that open the breaker of a target. @default 3 */
  readonly rateLimits?: number;
  /** The share of failures that opens it, 0.01 to 1. @default 0.5 */
  readonly failureRatio?: number;
  /** Attempts before that share counts. @default 10 */
  readonly minimumAttempts?: number;
  /** How long it stays open, in milliseconds. @default 30000 */
  readonly cooldownMs?: number;
}

export interface TimeoutsConfig {
  /** To open a connection, in milliseconds. @default 10000 */
  readonly connectMs?: number;
  /** To the first token of a stream, in milliseconds. @default 120000 */
  readonly firstTokenMs?: number;
  /** To the end of an answer that is not streamed, in milliseconds. @default 300000 */
  readonly answerMs?: number;
  /** Between two pieces of a stream, in milliseconds. @default 60000 */
  readonly idleMs?: number;
  /** One attempt as a whole, in milliseconds. @default 600000 */
  readonly totalMs?: number;
}

export interface AffinityConfig {
  /** How long a session stays with its model after its last call, in milliseconds. @default 3600000 */
  readonly ttlMs?: number;
}

export interface BoundsConfig {
  /** Nodes of a plan. @default 256 */
  readonly nodes?: number;
  /** Bytes of the plan's JSON. @default 1048576 */
  readonly bytes?: number;
  /** Nesting of the plan's JSON, in levels. @default 32 */
  readonly depth?: number;
  /** Items of an `each`. @default 10000 */
  readonly items?: number;
  /** Rounds of a `repeat`. @default 20 */
  readonly rounds?: number;
  /** Workflows and plans within workflows, in levels. @default 4 */
  readonly nesting?: number;
}

export interface PlannerConfig {
  /** The model that turns requests into plans. @default the best that can plan */
  readonly model?: string;
  /** Attempts at a valid plan, 1 to 10. @default 3 */
  readonly rounds?: number;
}

export interface ToolsConfig {
  /** Offers `http_get`, to public addresses only. @default false */
  readonly http?: boolean;
  /** The folder that `read_file` and `list_files` may read. @default the working folder */
  readonly folder?: string;
}

/** What may be given as a config: the older names too, see docs/reference/units.md. */
export interface ConfigInput extends Omit<Config, 'retry' | 'breaker' | 'timeouts' | 'affinity'> {
  /** How often and how fast an attempt is repeated at one target. */
  readonly retry?: RetryConfig & OlderRetryNames;
  /** When a target that fails is left alone for a while. */
  readonly breaker?: BreakerConfig & OlderBreakerNames;
  /** How long an attempt may take, part by part. */
  readonly timeouts?: TimeoutsConfig & OlderTimeoutNames;
  /** How a session stays with the model that served it. */
  readonly affinity?: AffinityConfig & OlderAffinityNames;
}

export interface OlderRetryNames {
  /** @deprecated Write `baseMs`. */
  readonly baseMilliseconds?: number;
  /** @deprecated Write `maxMs`. */
  readonly maxMilliseconds?: number;
}

export interface OlderBreakerNames {
  /** @deprecated Write `cooldownMs`. */
  readonly cooldownMilliseconds?: number;
}

export interface OlderTimeoutNames {
  /** @deprecated Write `connectMs`. */
  readonly connect?: number;
  /** @deprecated Write `firstTokenMs`. */
  readonly firstToken?: number;
  /** @deprecated Write `answerMs`. */
  readonly answer?: number;
  /** @deprecated Write `idleMs`. */
  readonly idle?: number;
  /** @deprecated Write `totalMs`. */
  readonly total?: number;
}

export interface OlderAffinityNames {
  /** @deprecated Write `ttlMs`, in milliseconds. */
  readonly ttlSeconds?: number;
}

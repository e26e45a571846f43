/**
 * The configuration: a YAML or JSON file, or the object that `createPolyphony({ config })` takes.
 * Types only: the schema is in config/config-schema.ts, because zod takes longer to load than a call needs. A type test
 * holds both equal, and the published JSON Schema takes its descriptions and defaults from the comments here.
 */

import type { Approval } from './plan/approval.ts';
import type { Escalation } from './plan/plan.ts';
import type { AdaptConfig } from './settings/adapt-config.ts';
import type { PriceUpdatesConfig, WebhookConfig } from './settings/alerts-config.ts';
import type { BatchesConfig } from './settings/batches-config.ts';
import type {
  AffinityConfig,
  BreakerConfig,
  FallbacksConfig,
  ProxyConfig,
  RetryConfig,
  TimeoutsConfig,
} from './settings/calls-config.ts';
import type { HealthConfig } from './settings/health-config.ts';
import type { HedgeConfig } from './settings/hedge-config.ts';
import type { CandidateConfig, LifecycleConfig } from './settings/lifecycle-config.ts';
import type { BoundsConfig, LimitsConfig, RetentionConfig } from './settings/limits-config.ts';
import type { LogConfig } from './settings/log-config.ts';
import type { ModelConfig } from './settings/models-config.ts';
import type { BudgetConfig, ClaimsConfig, CommitmentConfig, PriceConfig } from './settings/money-config.ts';
import type { PlannerConfig, PromptsConfig, ScheduleConfig, TriggerConfig } from './settings/planning-config.ts';
import type { ClassifyConfig, RouteConfig, TaskConfig } from './settings/routes-config.ts';
import type { ThrottleConfig } from './settings/throttle-config.ts';
import type { McpServerConfig, ToolsConfig } from './settings/tools-config.ts';
import type { WarmConfig } from './settings/warm-config.ts';

export type * from './settings/adapt-config.ts';
export type * from './settings/alerts-config.ts';
export type * from './settings/batches-config.ts';
export type * from './settings/calls-config.ts';
export type * from './settings/health-config.ts';
export type * from './settings/hedge-config.ts';
export type * from './settings/lifecycle-config.ts';
export type * from './settings/limits-config.ts';
export type * from './settings/log-config.ts';
export type * from './settings/models-config.ts';
export type * from './settings/money-config.ts';
export type * from './settings/planning-config.ts';
export type * from './settings/routes-config.ts';
export type * from './settings/throttle-config.ts';
export type * from './settings/tools-config.ts';
export type * from './settings/warm-config.ts';

/** What polyphony reads from a config. Every field is optional. */
export interface Config {
  /** Short names of models: `{ cheap: 'provider/model' }`. @default none */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Chains of models with limits of their own, by the name that a request gives in `model: { route: 'support' }`, at most 200. @default none */
  readonly routes?: Readonly<Record<string, RouteConfig>>;
  /**
   * Classes of requests, by name, each with its route, at most 50. A chat that names neither model, tier, route nor task is classified.
   *
   * @default none, and no request is classified
   */
  readonly tasks?: Readonly<Record<string, TaskConfig>>;
  /** How the class of a request is found where no rule of a task fits. */
  readonly classify?: ClassifyConfig;
  /** Whether the language of a chat is told from its text where it names none: models that do not claim it come last. @default false */
  readonly detectLanguage?: boolean;
  /** Chains of models for two failures that another model can avoid. @default the router's order */
  readonly fallbacks?: FallbacksConfig;
  /** What a request may become for a model that cannot take it as it is. @default what costs no meaning: see docs/how-to/adapt.md */
  readonly adapt?: AdaptConfig;
  /** What the router weighs most. @default 'balanced' */
  readonly optimise?: 'cost' | 'latency' | 'quality' | 'balanced';
  /** Caps on spending, at most 1000; a call must stay within all that apply to it. @default none */
  readonly budgets?: readonly BudgetConfig[];
  /** Usage that is paid for already, or costs less until an amount is used up, at most 100. @default none */
  readonly commitments?: readonly CommitmentConfig[];
  /** Compares what providers bill for prompts with what they count for free. @default nothing is compared */
  readonly claims?: ClaimsConfig;
  /** Prices over the built-in ones, by `provider/model` or, for all others of a provider, `provider/*`. @default the cards' and the public list's */
  readonly prices?: Readonly<Record<string, PriceConfig>>;
  /** A file with more `prices`, YAML or JSON, relative to the config; only the command reads it. @default none */
  readonly pricesFile?: string;
  /** Who may send prices to a running gateway: see `gateway.updatePrices`. @default nobody */
  readonly priceUpdates?: PriceUpdatesConfig;
  /** Who is told what the gateway notices, at most 20. @default nobody */
  readonly webhooks?: readonly WebhookConfig[];
  /** Facts about models over the known ones, by `provider/model` or by the model's own id, at most 1000. @default what was measured */
  readonly models?: Readonly<Record<string, ModelConfig>>;
  /** A file with more `models`, YAML or JSON, relative to the config; only the command reads it, again when it changes. @default none */
  readonly modelsFile?: string;
  /** When new sessions leave a model that ends, and how long one is left that is not there. */
  readonly lifecycle?: LifecycleConfig;
  /** Models that are tried in the place of others, by a name for each, at most 20. @default none */
  readonly candidates?: Readonly<Record<string, CandidateConfig>>;
  /** How it is found out which providers answer. */
  readonly health?: HealthConfig;
  /** Allows calls under a cap to use models whose price is unknown. @default false */
  readonly allowUnpriced?: boolean;
  /** How often and after which pause a failed attempt is repeated at the same target. */
  readonly retry?: RetryConfig;
  /** When a failing target is not used for a while. */
  readonly breaker?: BreakerConfig;
  /** Asks a second target where the first says nothing for unusually long. @default never */
  readonly hedge?: HedgeConfig;
  /** How long each part of an attempt may take. */
  readonly timeouts?: TimeoutsConfig;
  /** The proxies that requests go through. */
  readonly proxy?: ProxyConfig;
  /** Requests at the same time to a provider, by its name, 1 to 10000. @default the provider's own limit, else 64 */
  readonly concurrency?: Readonly<Record<string, number>>;
  /** Providers to which a connection is opened before the first call, by their free question whether they are available, at most 20. @default none */
  readonly connect?: readonly string[];
  /** Models that a serverless endpoint would put to sleep, by `provider/model`, at most 20: while the process makes calls, they are kept awake. @default none */
  readonly warm?: Readonly<Record<string, WarmConfig>>;
  /** How calls are held back before an endpoint refuses them. */
  readonly throttle?: ThrottleConfig;
  /** What the logger gets. */
  readonly log?: LogConfig;
  /** Applied to every answer whose request does not set its own. @default none, nothing escalates */
  readonly escalate?: Escalation;
  /** How long a session stays with the model that served it. */
  readonly affinity?: AffinityConfig;
  /** Collects calls with `urgency: 'batch'` into batches of their provider. @default such calls are made at once */
  readonly batches?: BatchesConfig;
  /** How long the stores keep what is over. @default everything is kept */
  readonly retention?: RetentionConfig;
  /** Bounds of every plan, whoever wrote it: the operator can change them, a plan cannot. */
  readonly bounds?: BoundsConfig;
  /** Bounds of what runs do and make and of what providers send. An operator can change them, a plan cannot. */
  readonly limits?: LimitsConfig;
  /** Modules that the command loads: npm packages, or files relative to the config that begin with `./`. @default none */
  readonly plugins?: readonly string[];
  /** Plan files that the command registers, relative to the config: plans may use each as `workflow:<its id>`. @default none */
  readonly workflows?: readonly string[];
  /** Prompts in files, which plans name instead of a text of their own. @default none */
  readonly prompts?: PromptsConfig;
  /** How requests are turned into plans. */
  readonly planner?: PlannerConfig;
  /** Which plans a person has to approve before they run. */
  readonly approval?: Approval;
  /** The built-in tools. */
  readonly tools?: ToolsConfig;
  /** MCP servers whose tools plans and models may use as `tool:<name>/<tool>`, by name, at most 20. @default none */
  readonly mcp?: Readonly<Record<string, McpServerConfig>>;
  /** Runs that `polyphony schedule` starts at times, by name, at most 100. @default none */
  readonly schedules?: Readonly<Record<string, ScheduleConfig>>;
  /** Runs that `polyphony schedule` starts for files, by name, at most 100. @default none */
  readonly triggers?: Readonly<Record<string, TriggerConfig>>;
}

/**
 * The configuration: a YAML or JSON file, or the object that `createPolyphony({ config })` takes.
 * Types only: the schema is in config/config-schema.ts, because zod takes longer to load than a call needs. A type test
 * holds both equal, and the published JSON Schema takes its descriptions and defaults from the comments here.
 */
import type { DatedPrice, PriceChange, PriceWindow } from './money/token-price.ts';
import type { Approval } from './plan/approval.ts';
import type { Escalation } from './plan/plan.ts';

/** What polyphony reads from a config. Every field is optional. */
export interface Config {
  /** Short names of models: `{ cheap: 'provider/model' }`. @default none */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Explicit chains of models, by the name that a request gives in `model: { route: 'support' }`. @default none */
  readonly routes?: Readonly<Record<string, RouteConfig>>;
  /** Chains of models for two failures that another model can avoid. @default the router's order */
  readonly fallbacks?: FallbacksConfig;
  /** What the router weighs most. @default 'balanced' */
  readonly optimise?: 'cost' | 'latency' | 'quality' | 'balanced';
  /** Caps on spending, at most 1000; a call must stay within all that apply to it. @default none */
  readonly budgets?: readonly BudgetConfig[];
  /** Prices over the built-in ones, by `provider/model` or, for all others of a provider, `provider/*`. @default the cards' and the public list's */
  readonly prices?: Readonly<Record<string, PriceConfig>>;
  /** A file with more `prices`, YAML or JSON, relative to the config; only the command reads it. @default none */
  readonly pricesFile?: string;
  /** Facts about models over the known ones, by `provider/model` or by the model's own id, at most 1000. @default what was measured */
  readonly models?: Readonly<Record<string, ModelConfig>>;
  /** A file with more `models`, YAML or JSON, relative to the config; only the command reads it, again when it changes. @default none */
  readonly modelsFile?: string;
  /** Allows calls under a cap to use models whose price is unknown. @default false */
  readonly allowUnpriced?: boolean;
  /** How often and after which pause a failed attempt is repeated at the same target. */
  readonly retry?: RetryConfig;
  /** When a failing target is not used for a while. */
  readonly breaker?: BreakerConfig;
  /** How long each part of an attempt may take. */
  readonly timeouts?: TimeoutsConfig;
  /** The proxies that requests go through. */
  readonly proxy?: ProxyConfig;
  /** Requests at the same time to a provider, by its name, 1 to 10000. @default the provider's own limit, else 64 */
  readonly concurrency?: Readonly<Record<string, number>>;
  /** Applied to every answer whose request does not set its own. @default none, nothing escalates */
  readonly escalate?: Escalation;
  /** How long a session stays with the model that served it. */
  readonly affinity?: AffinityConfig;
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
  /** The one scope of that kind; a tag of a run is `key=value`. @default each scope has a cap of its own */
  readonly id?: string;
  /** The cap, in US dollars. */
  readonly usd: number;
  /** Starts again at 0 each day or month, in UTC. @default never */
  readonly period?: 'day' | 'month';
}

/** The complete price of one model (`input` and `output`), or only `times`, which multiplies the built-in price. */
export interface PriceConfig extends PriceChange {
  /** If there was any reasoning, its rate applies to the whole answer. @default false */
  readonly reasoningCoversAnswer?: boolean;
  /** These rates also decide where the provider states a cost, which otherwise settles the answer. @default false */
  readonly overStated?: boolean;
  /** Other rates from a date on, in ascending order, at most 10; each changes the one before. @default none */
  readonly changes?: readonly DatedPrice[];
  /** Other rates at hours of the day, at most 10; where several apply, the last one counts. @default none */
  readonly windows?: readonly PriceWindow[];
  /** Other rates by the provider's service tier (`batch`, `flex`, `priority`). @default every tier costs the same */
  readonly serviceTiers?: Readonly<Record<string, PriceChange>>;
  /** Where the figures come from, for readers. @default none */
  readonly source?: string;
}

/** What you know of a model yourself. Figures go before those of its card and those that were measured. */
export interface ModelConfig {
  /** By field of work, 0 to 1, on the scale of cards: `code`, `reasoning`, `tools`, `planning`. @default as measured */
  readonly strengths?: Readonly<Record<string, number>>;
  /** The tier that requests and plans choose it by. @default that of its card */
  readonly tier?: 'fast' | 'balanced' | 'premium';
  /** Expected milliseconds of a short answer. @default as measured */
  readonly expectedMs?: number;
  /** Expected milliseconds until the first token. @default as measured */
  readonly firstTokenMs?: number;
  /** Expected tokens a second after the first. @default as measured */
  readonly tokensPerSecond?: number;
  /** BCP 47 tags of languages in which you measured it, at most 200. @default as measured */
  readonly measuredLanguages?: readonly string[];
  /** Where its data is kept, such as by a contract of yours: `none` admits regulated data. @default that of its card */
  readonly retention?: 'none' | 'provider' | 'unknown';
  /** Regions in which it runs, at most 100. @default those of its card */
  readonly regions?: readonly string[];
  /** Its stage, and the date as YYYY-MM-DD from which it is not used. @default that of its card */
  readonly lifecycle?: ModelLifecycleConfig;
}

export interface ModelLifecycleConfig {
  /** A retired model is not used. */
  readonly stage: 'preview' | 'stable' | 'deprecated' | 'retired';
  /** The date as YYYY-MM-DD from which it is not used. @default none */
  readonly endsOn?: string;
}

export interface RetryConfig {
  /** Attempts at one target after the first, 0 to 10. @default 2 */
  readonly retries?: number;
  /** The longest first pause, in milliseconds; it doubles with each further one. @default 500 */
  readonly baseMs?: number;
  /** The longest pause, in milliseconds. @default 30000 */
  readonly maxMs?: number;
}

export interface BreakerConfig {
  /** The number of answers with status 429 within a minute that opens the breaker of a target. @default 3 */
  readonly rateLimits?: number;
  /** The share of failed attempts that opens it, 0.01 to 1. @default 0.5 */
  readonly failureRatio?: number;
  /** The number of attempts before that share counts. @default 10 */
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

export interface ProxyConfig {
  /** For http: addresses, such as `http://user:password@host:port`; empty for none. @default HTTP_PROXY, else ALL_PROXY */
  readonly http?: string;
  /** For https: addresses; empty for none. @default HTTPS_PROXY, else ALL_PROXY */
  readonly https?: string;
  /** Hosts without proxy: names (with all below them), `host:port`, addresses, ranges such as `10.0.0.0/8`, `*` for all. @default NO_PROXY */
  readonly except?: readonly string[];
}

export interface AffinityConfig {
  /** How long a session stays with its model after its last call, in milliseconds. @default 3600000 */
  readonly ttlMs?: number;
}

export interface RetentionConfig {
  /** Days after which runs that have ended are removed. @default they are kept */
  readonly runsDays?: number;
  /** Days after which rows of the ledger are removed. @default they are kept */
  readonly ledgerDays?: number;
  /** Days after which expired values and counters of past days and months are removed. @default counters are kept */
  readonly valuesDays?: number;
  /** Days after which threads are removed in which nothing was said since. @default they are kept */
  readonly threadsDays?: number;
  /** Days after which indexes of passages are removed that were not used since. @default they are kept, within the bounds of the store */
  readonly indexesDays?: number;
}

export interface BoundsConfig {
  /** Most nodes of a plan. @default 256 */
  readonly nodes?: number;
  /** Most bytes of the plan's JSON. @default 1048576 */
  readonly bytes?: number;
  /** Deepest nesting of the plan's JSON, in levels. @default 32 */
  readonly depth?: number;
  /** Most items of an `each`. @default 10000 */
  readonly items?: number;
  /** Most rounds of a `repeat`. @default 20 */
  readonly rounds?: number;
  /** Most rounds in which a model may call tools, where its node says how many. @default 20 */
  readonly toolRounds?: number;
  /** Deepest nesting of workflows and plans, in levels. @default 4 */
  readonly nesting?: number;
}

export interface LimitsConfig {
  /** What a run may do, with the runs nested in it, over all processes that drive it. */
  readonly run?: RunLimitsConfig;
  /** How large the values of a run may become. */
  readonly values?: ValueLimitsConfig;
  /** What a provider may send in one answer. */
  readonly answers?: AnswerLimitsConfig;
}

export interface RunLimitsConfig {
  /** Most calls of models by its nodes. @default 20000 */
  readonly calls?: number;
  /** Longest time in which a process drives it, in seconds. @default none */
  readonly seconds?: number;
  /** Most calls of the planner's model. @default 200 */
  readonly plannerCalls?: number;
}

export interface ValueLimitsConfig {
  /** Most bytes of one value as JSON: an input, the result of a call, an item or a round, an answer. @default 8388608 */
  readonly valueBytes?: number;
  /** Most bytes that the templates of one node make, over all its items and rounds; also of what a model and its tools say in one call of it. @default 16777216 */
  readonly renderedBytes?: number;
  /** Most bytes of all values of a run, with the runs nested in it; of a list of items and of its output too. @default 67108864 */
  readonly runBytes?: number;
  /** Most bytes that a run writes to its journal. @default 134217728 */
  readonly writtenBytes?: number;
}

export interface AnswerLimitsConfig {
  /** Most bytes of one answer, decompressed, 1 to 67108864. A stream may take four times as many on its way. @default 67108864 */
  readonly bytes?: number;
  /** Most tool calls of one answer. @default 128 */
  readonly toolCalls?: number;
  /**
   * Tokens of the visible answer of a node that sets no `maxTokens`; a model that reasons gets more, and none more than its
   * card allows. @default 4096
   */
  readonly nodeTokens?: number;
  /** A node's stream is stopped when so many characters at its end only repeat themselves, 256 to 65536; 0: never. @default 2048 */
  readonly repeatedCharacters?: number;
}

export interface PromptsConfig {
  /** The folder with the files, `*.md`; the command reads it relative to the config. */
  readonly folder: string;
  /** Plans that a model writes may name them too. @default false */
  readonly planner?: boolean;
}

export interface PlannerConfig {
  /** The model that turns requests into plans. @default the best one that can plan within `maxUsd` */
  readonly model?: string;
  /**
   * The most that one planning is expected to cost, in US dollars, where no model is named; once set, it holds for the stronger
   * planner too. @default 0.05, which gives way where no model that can plan is within it
   */
  readonly maxUsd?: number;
  /**
   * Whether a stronger planner is asked after the rounds. True: even one elsewhere, where the planner is on a server of your own.
   *
   * @default a planner on a server of your own gives way to others of that kind only
   */
  readonly escalate?: boolean;
  /** Attempts at a valid plan, 1 to 10. @default 3 */
  readonly rounds?: number;
  /** Plans are found again for requests of the same shape. @default no plan is kept */
  readonly cache?: PlanCacheConfig;
}

export interface PlanCacheConfig {
  /** Days after which a plan is made anew, 1 to 365. @default 7 */
  readonly days?: number;
  /** Most shapes of requests, 1 to 10000. @default 1000 */
  readonly shapes?: number;
}

export interface ToolsConfig {
  /** Offers `http_get`, to public addresses only. @default false */
  readonly http?: boolean;
  /** The folder that `read_file`, `list_files` and `read_rows` may read. @default the working folder */
  readonly folder?: string;
  /** Offers `write_file` and `write_rows`, below one folder. @default neither */
  readonly write?: WriteConfig;
  /** Offers `http_request`, to the hosts that it names. @default not offered */
  readonly request?: RequestConfig;
}

export interface WriteConfig {
  /** Files are written below it; it is made where it is missing. */
  readonly folder: string;
  /** Of one file. @default 8388608 */
  readonly maxBytes?: number;
  /** Marks texts in a CSV that a spreadsheet would run as a formula. @default false */
  readonly escapeFormulas?: boolean;
}

export interface RequestConfig {
  /** Host names that requests may be sent to, 1 to 100: `api.example.org`, `*.example.org`. */
  readonly hosts: readonly string[];
  /** By name: what a plan may send without seeing it. @default none */
  readonly secrets?: Readonly<Record<string, RequestSecretConfig>>;
}

export interface RequestSecretConfig {
  /** The environment variable that holds it. */
  readonly env: string;
  /** The hosts that it is sent to, 1 to 100, in the form of `hosts`. */
  readonly hosts: readonly string[];
  /** The header that carries it. @default 'authorization' */
  readonly header?: string;
  /** Written before the value. @default 'Bearer ' for authorization, else nothing */
  readonly prefix?: string;
}

/** Either `command` or `url`. */
export interface McpServerConfig {
  /** The program to start; it speaks over its standard input and output. */
  readonly command?: string;
  /** Its arguments, at most 100. @default none */
  readonly args?: readonly string[];
  /** The folder that it runs in. @default the working folder */
  readonly cwd?: string;
  /** Variables that it gets, each from a variable of this process. @default `PATH`, `HOME` and their like only */
  readonly env?: Readonly<Record<string, McpSecretConfig>>;
  /** The address of a server over streamable HTTP: https:, or http: on this machine. */
  readonly url?: string;
  /** Headers of every request to `url`, each from a variable of this process. @default none */
  readonly headers?: Readonly<Record<string, McpSecretConfig>>;
  /** The tools that are offered, by the names that the server gives them, at most 200. @default all of them */
  readonly tools?: readonly string[];
  /** Calls that a person approves: of tools that the server does not mark as read-only, of all, of none. @default 'writes' */
  readonly approve?: 'writes' | 'all' | 'none';
  /** Models may take what its tools return for your own word. @default false */
  readonly trusted?: boolean;
  /** Limit of one call, in milliseconds, up to 3600000. @default 60000 */
  readonly timeoutMs?: number;
  /** Limit of starting it and reading its list, in milliseconds, up to 3600000. @default 10000 */
  readonly startMs?: number;
}

export interface McpSecretConfig {
  /** The environment variable that holds the value. */
  readonly env: string;
  /** Written before the value. @default 'Bearer ' for authorization, else nothing */
  readonly prefix?: string;
}

export interface ScheduleConfig {
  /** When: minute, hour, day of the month, month, day of the week, such as `0 7 * * 1-5`, or `@daily`. At most 100 characters. */
  readonly cron: string;
  /** The zone of these times, such as `Europe/Berlin`. @default 'UTC' */
  readonly timeZone?: string;
  /** What runs: a plan file relative to the config, or `workflow:<id>`. */
  readonly run: string;
  /** The input of the run; `{{due}}` in its strings is the time that was due, such as `2026-03-31T05:00:00.000Z`. @default none */
  readonly input?: Readonly<Record<string, unknown>>;
  /** The cap of each run, in US dollars. @default the budget of the plan */
  readonly budgetUsd?: number;
  /** What becomes of times that passed while nothing fired them: nothing, or one run for the last of them. @default 'skip' */
  readonly missed?: 'skip' | 'once';
}

export interface TriggerConfig {
  /** The folder that is watched, relative to the config. */
  readonly folder: string;
  /** Which files below it: `*` within a name, `?` for one character, `**` for any folders. @default '*' */
  readonly pattern?: string;
  /** What runs for each file: a plan file relative to the config, or `workflow:<id>`. */
  readonly run: string;
  /** The input of the run; its strings may hold `{{path}}`, `{{name}}`, `{{size}}` and `{{modified}}`. @default `{ path }` */
  readonly input?: Readonly<Record<string, unknown>>;
  /** The cap of each run, in US dollars. @default the budget of the plan */
  readonly budgetUsd?: number;
  /** Runs of this trigger at the same time, 1 to 64. @default 4 */
  readonly concurrency?: number;
  /** How long a file must stand still, in size and time, before it is taken, in milliseconds, up to 3600000. @default 2000 */
  readonly settleMs?: number;
  /** The pause between two looks at the folder, in milliseconds, 100 to 3600000. @default 2000 */
  readonly pollMs?: number;
}

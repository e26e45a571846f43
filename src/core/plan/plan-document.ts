/**
 * The plan: the one format that the planner emits, the TypeScript builder compiles to and the executor runs. Types only:
 * the schema is in plan-schema.ts, because zod takes longer to load than a single call needs. A type test
 * holds both equal, and the published JSON Schema takes its descriptions and defaults from the comments here.
 */
import type { CacheMode, Capability, Intent, Sensitivity, Tier } from '../model/request.ts';

/** A plan is data: nothing in it is evaluated as code. */
export interface Plan {
  /** The version of the format. */
  readonly version: 1;
  /** A name for the plan, so that other plans can use it as `workflow:<id>`, at most 120 characters. @default none */
  readonly id?: string;
  /** What the plan is for, read by people and by replanning, at most 10000 characters. @default none */
  readonly goal?: string;
  /** The run's input: a map from names to types (`{ "ticket": "string" }`), or a JSON Schema. @default no input */
  readonly input?: Readonly<Record<string, unknown>>;
  /** Caps on the whole run. @default none of its own */
  readonly budget?: PlanBudget;
  /** False: after a failure, nodes that do not depend on it go on to their end, then the run fails. @default true */
  readonly failFast?: boolean;
  /**
   * Plans of its own by name, each before those that use it: `workflow:<name>` runs one, and such a name wins over a registered
   * one. Their nodes count to the nodes of the plan. @default none
   */
  readonly workflows?: Readonly<Record<string, PlanWorkflow>>;
  /** The steps, in an order in which every reference points backwards, at least one, at most 256. */
  readonly nodes: readonly PlanNode[];
  /** The run's output: any JSON with references such as `{{kind.label}}`. @default none */
  readonly output?: unknown;
}

/** A plan inside a plan: it sees only its own input, and uses only those before it and registered ones. */
export interface PlanWorkflow {
  /** What it is for, at most 10000 characters. @default none */
  readonly goal?: string;
  /** Its input: a map from names to types, or a JSON Schema. @default no input */
  readonly input?: Readonly<Record<string, unknown>>;
  /** Caps on each run of it. @default none of its own */
  readonly budget?: PlanBudget;
  /** Its steps, as those of the plan. */
  readonly nodes: readonly PlanNode[];
  /** Its output: any JSON with references. @default none */
  readonly output?: unknown;
}

export interface PlanBudget {
  /** The most that the whole run may cost, in US dollars, at most 9,000,000. @default no cap */
  readonly usd?: number;
  /** The longest time that the whole run may take, in seconds, at most ten years. @default no limit */
  readonly seconds?: number;
}

/** One step of a plan. */
export interface PlanNode {
  /** Lower-case letters, digits and underscores, a letter first, at most 40; unique in the plan. */
  readonly id: string;
  /** What runs: `llm`, `image`, `embed`, `moderate`, `rerank`, `human`, `wait`, `plan`, `value`, `tool:<name>`, `workflow:<id>` or a plugin's step. */
  readonly use: string;
  /** Its inputs, by name; every string in them may hold references such as `{{kind.label}}`, or be one expression such as `{{= size(docs.hits)}}`. @default no inputs */
  readonly in?: Readonly<Record<string, unknown>>;
  /** Ids of nodes to wait for without using their output; it always waits for nodes that it refers to. @default none */
  readonly needs?: readonly string[];
  /** A condition (CEL) such as `kind.label == 'tech'`: when it is false the node is skipped. @default it runs */
  readonly when?: string;
  /** A reference or an expression that gives an array: the node runs once per item, in parallel, with `{{item}}` and `{{index}}`. @default it runs once */
  readonly each?: string;
  /** Runs the node again and again until a condition is true. @default one round */
  readonly repeat?: PlanRepeat;
  /** How many of the nodes that it depends on must succeed before it starts. @default 'all' */
  readonly wait?: 'all' | 'any' | PlanQuorum;
  /** The typed output: a map from names to types, or a JSON Schema; the answer is checked against it. @default the step's own output */
  readonly out?: Readonly<Record<string, unknown>>;
  /** Which models may serve it. @default any that can */
  readonly model?: PlanModelChoice;
  /** Scores the answer and asks stronger models while the score is too low. @default no escalation */
  readonly escalate?: Escalation;
  /** Caps on this node. @default those of the plan */
  readonly limits?: PlanNodeLimits;
  /** What happens when it fails for good; in an `each` it applies to every item. @default 'fail' */
  readonly onError?: 'fail' | 'skip' | 'replan' | PlanSubstitute | PlanKeep;
  /** When it is done the run ends, done, with its output; what runs is cancelled, the rest skipped. @default false */
  readonly finish?: boolean;
  /** How it is undone when the run fails or is cancelled after it finished: a step, or a step with inputs. @default it is not */
  readonly undo?: string | PlanUndo;
  /** A key that keeps the requests of a conversation on one target; may hold references. @default none */
  readonly session?: string;
  /** The conversation that an `llm` node goes on with: its key, which may hold references, or the key with its bounds. @default none */
  readonly thread?: string | PlanThread;
  /** How sensitive its data is: `personal` and `regulated` go only to models that keep nothing. @default not restricted */
  readonly sensitivity?: Sensitivity;
  /** Uses, skips or refreshes answers from the cache. @default 'use' */
  readonly cache?: CacheMode;
  /** `batch`: its calls of models may wait for a cheaper batch, for a day or more; `limits.seconds` says how long. @default they are made at once */
  readonly urgency?: 'batch';
}

/** Constraints on the router's choice. `id`, `tier` and `route` may be a reference or an expression that gives one of a few names. */
export interface PlanModelChoice {
  /** Pins one model: its id, `provider/model`, or an alias of the config; or what gives it. @default the router's choice */
  readonly id?: string;
  /**
   * The class of the model, or what gives it, such as `{{= kind.hard ? 'premium' : 'fast'}}`: a preference. If no registered model of
   * this tier can do what the request needs, the nearest tier answers with the warning `tier-degraded`. @default any
   */
  readonly tier?: Tier | `{{${string}}}`;
  /** True: a tier that no model has is refused with `no-route`, here and in the rungs of an escalation. @default false */
  readonly strict?: boolean;
  /** Capabilities that the model must have. @default those that the request needs */
  readonly can?: readonly Capability[];
  /** Fields in which the model should be strong (`code`, `reasoning`); changes the score, excludes no model. @default none */
  readonly strengths?: readonly string[];
  /** A route of the config, an explicit chain; or what gives it. @default none */
  readonly route?: string;
  /** A task of the config, whose route the node takes. @default what its prompt is about, where the config has tasks */
  readonly task?: string;
  /** Bounds of each call of the node: `'under $0.01, under 800 ms, accuracy above 90 %'`, or the same as an object. @default none */
  readonly intent?: string | Intent;
}

/** What is remembered of a conversation stands before the prompt; question and answer are added when the node has answered. */
export interface PlanThread {
  /** Whose conversation it is; may hold references, such as `{{input.user}}`. At most 500 characters. */
  readonly key: string;
  /** The newest messages that are used, 2 to 200; a question and its answer are two. @default 20 */
  readonly last?: number;
  /** The most tokens of these messages, as they are estimated. @default 8000 */
  readonly tokens?: number;
  /** A cheap call sums up the messages before them; without it they are left out. @default false */
  readonly summarise?: boolean;
}

export interface PlanRepeat {
  /** A condition (CEL) that sees the round's output as `self`. */
  readonly until: string;
  /** The most rounds, at most 20; after that the last output is used, with a warning. */
  readonly max: number;
}

export interface PlanQuorum {
  /** The number of nodes that must succeed; the rest are cancelled unless another node needs them. */
  readonly atLeast: number;
}

export interface PlanSubstitute {
  /** The output that is used instead of the one that failed. */
  readonly value: unknown;
}

export interface PlanKeep {
  /** The output is null, and `meta.error` says why; in an `each`, `meta.errors` lists the items that failed. */
  readonly keep: true;
}

export interface PlanUndo {
  /** The step that undoes it: `tool:<name>` or a plugin's step that calls no model. */
  readonly use: string;
  /** Its inputs; references see the node's own output, by its id and as `self`. @default `{ input, output }` of the node */
  readonly in?: Readonly<Record<string, unknown>>;
}

export interface PlanNodeLimits {
  /** The most that this node may cost, in US dollars, at most 9,000,000. @default no cap */
  readonly usd?: number;
  /** The longest time that it may take with all its items, rounds and attempts, in seconds, at most ten years. @default no limit */
  readonly seconds?: number;
  /** The longest time that one attempt may take, in seconds: after that `retries` applies. @default no limit of the node's own */
  readonly attemptSeconds?: number;
  /** Attempts after the first, 0 to 10: at one target, or at a step that calls no model. @default for models the value of the config, 2; for other steps 0 */
  readonly retries?: number;
  /** Items of its `each` that run at the same time, 1 to 1000. @default as many as the run allows, 64 */
  readonly concurrency?: number;
  /** The most tokens, input and output together. @default no limit */
  readonly tokens?: number;
}

/** An answer is scored, and while the score is too low the next model of `to` answers. */
export interface Escalation {
  /** The evaluator that scores answers, such as `validators` or `judge`. */
  readonly evaluator: string;
  /** Scores below this escalate, 0 to 1. @default 0.7 */
  readonly below?: number;
  /** The tiers or models to escalate to, in order, 1 to 8. */
  readonly to: readonly string[];
  /** `fresh` asks again, `with-draft` also shows the rejected answer. @default 'fresh' */
  readonly context?: 'fresh' | 'with-draft';
}

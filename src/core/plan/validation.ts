/** The port of the validator, and the catalogue that it and the planner read. */
import type { JsonSchema } from '../model/model.ts';
import type { ModelCard } from '../model/provider.ts';
import type { Effects } from './effects.ts';
import type { DraftNode, Plan, PlanBounds, ValidPlan } from './plan.ts';
import type { PromptBook } from './prompts.ts';
import type { PlanRepair } from './repair.ts';

export type { PlanRepair };

/** A kind of step that a node's `use` may name. */
export interface StepType {
  readonly use: string;
  readonly description: string;
  /** JSON Schema of `in`. */
  readonly input: JsonSchema;
  /** JSON Schema of the output. @default unknown: its fields are not checked */
  readonly output?: JsonSchema;
  /** The node may declare `out`, which is then its output. @default false */
  readonly typedOutput?: boolean;
  /** It calls models through the gateway, so `model`, `escalate` and token limits apply. @default false */
  readonly usesModel?: boolean;
  /**
   * False: running it changes nothing outside the run, so its nodes may start while the plan is still being written. True:
   * its nodes are never reported as unused.
   *
   * @default what `effects` say; else unknown: it may change something, but unused nodes are reported
   */
  readonly sideEffects?: boolean;
  /** What it reads, writes, reaches and costs, at most. @default unknown: it may do anything */
  readonly effects?: Effects;
  /** False: plans may use it, but the planner is not told of it. @default true */
  readonly forPlanner?: boolean;
  /** Expected milliseconds of one run, if it calls no model. @default 10 */
  readonly expectedMs?: number;
}

/** An exact tokenizer. */
export interface TokenCounts {
  /** Of all texts together; undefined where it fails, which is logged once. */
  count(texts: readonly string[]): number | undefined;
}

/** Everything that a plan may name. */
export interface Catalogue {
  readonly steps: ReadonlyMap<string, StepType>;
  readonly models: readonly { readonly provider: string; readonly card: ModelCard; readonly isOwn?: boolean }[];
  /** The card of a model that its provider accepts without listing it. @default no provider has such models */
  readonly unlisted?: (provider: string, model: string) => ModelCard | undefined;
  /**
   * What providers were seen to count for one token of the estimate, by `provider/model`, asked for at each estimate. Returns the
   * same map for as long as estimates stay as they are. @default 1 for all models
   */
  readonly tokenRatios?: () => ReadonlyMap<string, number>;
  /** The exact tokenizer of a model, where a plugin has one. @default no model has one, and the estimate counts */
  readonly tokenCounter?: (provider: string, model: string) => TokenCounts | undefined;
  readonly aliases: Readonly<Record<string, string>>;
  readonly routes: readonly string[];
  /** @default none */
  readonly tasks?: readonly string[];
  readonly evaluators: readonly string[];
  /** False: no plugin acts on `escalate`. @default true */
  readonly escalates?: boolean;
  /** True: models without tools get them described in the prompt, where no other can serve a node. @default false */
  readonly toolsInPrompt?: boolean;
  /** Plans behind `workflow:<id>`, for nesting depth and cost. */
  readonly workflows: ReadonlyMap<string, Plan>;
  readonly bounds: PlanBounds;
  /** Prompts that `in.prompt` of an `llm` node may name. @default none */
  readonly prompts?: PromptBook;
  /** The run that the plan is for: it decides between versions of a prompt. @default the heaviest version */
  readonly promptSeed?: string;
}

export interface PlanIssue {
  /** `group.name`, stable: `ref.unknown_node`. */
  readonly code: string;
  readonly severity: 'error' | 'warning';
  /** JSON pointer into the plan. */
  readonly path: string;
  readonly message: string;
  readonly expected?: unknown;
  readonly got?: unknown;
  /** The nearest valid names, best first. */
  readonly suggest?: readonly string[];
}

export interface Validation {
  /** Present if no issue is an error. */
  readonly plan?: ValidPlan;
  readonly issues: readonly PlanIssue[];
  readonly repaired: readonly PlanRepair[];
}

export interface ValidateOptions {
  /** Makes the repairs that need no model. @default true */
  readonly repair?: boolean;
  /**
   * The request that the plan was written for. A name that stands in it is never taken for a typing error. @default the plan's goal
   * alone
   */
  readonly request?: string;
  /**
   * The plan belongs to a run that has begun, or begins with the question of its approval: what only later versions refuse is a
   * warning, and the question has room beside the bounds of plans. @default false
   */
  readonly begun?: boolean;
}

/** Never throws, whatever `raw` is: text of a model, parsed JSON or any other value. */
export type Validate = (raw: unknown, catalogue: Catalogue, options?: ValidateOptions) => Validation;

/** A plan while it is written, checked node by node. Never throws, whatever text is pushed. */
export interface PlanDraft {
  /** Takes more of the text, and returns the valid nodes that it completed. */
  push(text: string): readonly DraftNode[];
  /** The fields of the plan that were written before its nodes and are valid. */
  readonly head: Pick<Plan, 'input' | 'budget'>;
}

/** Steps that a node can run, with the types of their inputs and outputs. */

import { defined } from '../core/defined.ts';
import { PolyphonyError } from '../core/errors.ts';
import type { MediaSource, Message } from '../core/model/model.ts';
import type { HeldByJson, Infer, InferInput, JsonOf, SchemaLike } from '../core/model/schema-like.ts';
import type { Effects } from '../core/plan/effects.ts';
import type { Plan, PlanNode } from '../core/plan/plan.ts';
import type { Step as StepPlugin } from '../core/plugin.ts';
import type { NodeCall, NodeRunner } from '../core/run/engine.ts';
import { dropOptionalNulls } from '../kit/json/json-schema.ts';
import { ownSchema, type SchemaReading, shownIssues } from '../kit/json/own/own-schema.ts';
import type { AnswerOfPerson, InputAsOutput } from './outputs.ts';

/**
 * A kind of step, named by `use`. The types exist only for the compiler. `MaySuspend` true: it may wait for an answer from
 * outside, so the result of a workflow that uses it is `done` or `suspended`.
 */
export interface WorkflowStep<Input, Output, MaySuspend extends boolean = false> {
  readonly use: string;
  readonly __types?: { readonly input: Input; readonly output: Output; readonly suspends: MaySuspend };
  /** The implementation of a step that is defined with the workflow; absent for registered steps. */
  readonly definition?: StepPlugin;
}

/** A step whose node may declare `out`. */
export interface TypedStep<Input, Output, MaySuspend extends boolean = false>
  extends WorkflowStep<Input, Output, MaySuspend> {
  readonly typedOutput: true;
}

/** A tool by its name or its step, or a workflow; one that `MaySuspend` may wait for an answer from outside. */
export type OfferedTool<MaySuspend extends boolean> = string | WorkflowStep<unknown, unknown, MaySuspend>;

export interface LlmInput<MaySuspend extends boolean = false> {
  readonly prompt?: unknown;
  readonly messages?: readonly (Message | ChatTurn)[];
  readonly system?: string;
  /** Null ones are left out, so that a list may hold what a file does not have. */
  readonly images?: readonly (string | MediaSource | null)[];
  readonly files?: readonly (string | MediaSource | null)[];
  /** Sound, for models that take it (`audio-in`). */
  readonly audio?: readonly (string | MediaSource | null)[];
  /** Tools and workflows, or their names, as `workflow:<id>`; with one that asks a person, the step is `llm.agent`. */
  readonly tools?: readonly OfferedTool<MaySuspend>[];
  /** The most rounds in which the model may call tools. @default 8 */
  readonly rounds?: number;
  /** The tool whose call ends the loop: its arguments are the answer. */
  readonly stopWhen?: string;
  readonly toolLimits?: Readonly<Record<string, { readonly calls?: number; readonly usd?: number }>>;
  /** `meta.transcript` is what was said. @default false */
  readonly transcript?: boolean;
  /** Who may take the conversation over, by name. */
  readonly agents?: Readonly<Record<string, AgentInput<MaySuspend>>>;
  readonly temperature?: number;
  readonly maxTokens?: number;
  readonly reasoning?: 'none' | 'minimal' | 'low' | 'medium' | 'high';
}
export interface AgentInput<MaySuspend extends boolean = false> {
  /** What it is for: the others read it. */
  readonly about?: string;
  readonly system: string;
  readonly tools?: readonly OfferedTool<MaySuspend>[];
  /** @default that of the node */
  readonly model?: NonNullable<PlanNode['model']>;
}
/** A turn of a conversation as most programs keep it; its role is checked when the node starts. */
export interface ChatTurn {
  readonly role: string;
  readonly content: string;
}
/** A prompt of the operator, in a file of the folder `prompts.folder` of the config. */
interface NamedPrompt {
  readonly name: string;
  /** @default by weight, the same for the same run */
  readonly version?: number;
  /** What its text names. */
  readonly inputs?: Readonly<Record<string, unknown>>;
}
/** An llm node needs a prompt or messages. */
export type LlmRequest<MaySuspend extends boolean = false> = LlmInput<MaySuspend> &
  ({ readonly prompt: string | NamedPrompt } | { readonly messages: readonly (Message | ChatTurn)[] });

/** `llm` whose run may wait for a person: to approve calls of the tools in `approve`, or in a workflow among its tools. */
type AgentStep = TypedStep<
  LlmRequest<boolean> & { readonly approve?: readonly string[] },
  { readonly text: string },
  true
>;

const agent: AgentStep = { use: 'llm', typedOutput: true };

/** `llm.agent` is the same step where its run may wait for a person. */
export const llm: TypedStep<LlmRequest, { readonly text: string }> & { readonly agent: AgentStep } = {
  use: 'llm',
  typedOutput: true,
  agent,
};

export const image: WorkflowStep<
  {
    readonly prompt: string;
    readonly negativePrompt?: string;
    readonly size?: string;
    readonly count?: number;
    readonly seed?: number;
    readonly image?: string | MediaSource;
  },
  { readonly image: MediaSource; readonly images: readonly MediaSource[] }
> = { use: 'image' };

export const embed: WorkflowStep<
  | { readonly input: string | readonly string[]; readonly index?: string }
  | { readonly index: string; readonly input?: string | readonly string[] },
  {
    readonly vectors: readonly (readonly number[])[];
    /** With an index: its name, the model of its vectors, and how many passages were embedded now. */
    readonly index?: string;
    readonly model?: string;
    readonly embedded?: number;
  }
> = {
  use: 'embed',
};

export const moderate: WorkflowStep<
  { readonly input: string },
  {
    readonly flagged: boolean;
    readonly categories: Readonly<Record<string, boolean>>;
    readonly scores: Readonly<Record<string, number>>;
  }
> = { use: 'moderate' };

export const rerank: WorkflowStep<
  { readonly query: string; readonly documents: readonly string[]; readonly top?: number },
  { readonly results: readonly { readonly index: number; readonly score: number }[] }
> = { use: 'rerank' };

export const human: WorkflowStep<
  {
    readonly question: string;
    readonly choices?: readonly string[];
    /** The only choice that approves. @default those that are a word of approval, such as `yes` */
    readonly approve?: string;
    readonly data?: unknown;
  },
  AnswerOfPerson,
  true
> = { use: 'human' };

/** One of a number of seconds, a time (ISO 8601 with a time zone) and the name of an event. */
export type WaitInput =
  | { readonly seconds: number }
  | { readonly until: string }
  | {
      readonly event: string;
      /** Fields that the payload has to have, with these values. @default any payload */
      readonly match?: Readonly<Record<string, unknown>>;
      /** Of the payload: a map from names to types, or a JSON Schema. @default any payload */
      readonly schema?: Readonly<Record<string, unknown>>;
    };

/** `at` is when it ended, as ISO 8601; an event has a `payload`. */
export const wait: WorkflowStep<WaitInput, { readonly at: string; readonly payload?: unknown }, true> = { use: 'wait' };

/** Its output has the type of its inputs. */
export const value: TypedStep<Readonly<Record<string, unknown>>, InputAsOutput> = {
  use: 'value',
  typedOutput: true,
};

/** Plans a goal while the run goes on, and runs that plan, which may ask a person. */
export const plan: WorkflowStep<
  { readonly goal: string; readonly context?: unknown },
  { readonly output: unknown; readonly plan: Plan },
  true
> = { use: 'plan' };

/**
 * A registered tool or a tool of an MCP server, with types that are not checked. `MaySuspend` true: a plugin may suspend its
 * calls until an answer arrives.
 */
export function tool<Input extends object, Output, MaySuspend extends boolean = false>(
  name: string,
): WorkflowStep<Input, Output, MaySuspend> {
  return { use: `tool:${name}` };
}

export interface StepContext {
  readonly signal: AbortSignal;
  /** Stays the same when the step runs again after a crash. */
  readonly idempotencyKey: string;
  /** The question and the answer, when the step had thrown `SuspendRun`. */
  readonly answer?: NonNullable<NodeCall['answer']>;
}

const STEP_NAME = /^[a-z][a-z0-9_-]{0,60}$/;

/**
 * Defines a step in TypeScript.
 *
 * @throws invalid-plan when the name is invalid
 */
export function defineStep<
  const I extends SchemaLike,
  const O extends SchemaLike,
  const MaySuspend extends boolean = false,
>(options: {
  /** `[a-z][a-z0-9_-]*`; `use` of a node names it. */
  readonly name: string;
  readonly description?: string;
  /** A schema of zod is run on what the node gives, and `run` gets its result; another schema is checked. */
  readonly input: I & HeldByJson<InferInput<I>>;
  /** Run on what `run` returns, once; the result is kept as JSON, so that a date becomes a text. */
  readonly output: O & HeldByJson<Infer<O>>;
  /** @default 10 */
  readonly expectedMs?: number;
  /** What it reads, writes, reaches and costs, at most. @default unknown: it may do anything */
  readonly effects?: Effects;
  /**
   * It may throw `SuspendRun` of polyphony/kit to wait for an answer from outside; it then runs again, with `context.answer`.
   *
   * @default false
   */
  readonly suspends?: MaySuspend;
  readonly run: (input: Infer<I>, context: StepContext) => Promise<InferInput<O>> | InferInput<O>;
}): WorkflowStep<JsonOf<InferInput<I>>, JsonOf<Infer<O>>, MaySuspend> {
  if (!STEP_NAME.test(options.name)) {
    throw new PolyphonyError(
      'invalid-plan',
      `A step cannot be named "${options.name}": start with a lower-case letter, and use only lower-case letters, digits, _ and -.`,
    );
  }
  const input = ownSchema(options.input);
  const output = ownSchema(options.output);
  const run: NodeRunner = async (call) => {
    const given = await input.read(dropOptionalNulls(input.input, call.inputs));
    const { signal, idempotencyKey, answer } = call;
    const context = { signal, idempotencyKey, ...(answer === undefined ? {} : { answer }) };
    // The types of the schema that has just been run.
    const result: unknown = await options.run(conforming(options.name, 'input', given) as Infer<I>, context);
    return { value: conforming(options.name, 'output', await output.keep(result)), costNanoUsd: 0 };
  };
  const { name, description = `The step ${options.name}.`, expectedMs, effects } = options;
  const type = {
    use: name,
    description,
    input: input.input,
    output: output.output,
    ...defined({ expectedMs, effects }),
  };
  return { use: name, definition: { type, run } };
}

function conforming(step: string, side: 'input' | 'output', reading: SchemaReading): unknown {
  if (reading.ok) return reading.value;
  throw new PolyphonyError(
    'invalid-output',
    `The ${side} of step "${step}" does not match its schema: ${shownIssues(reading.issues)}. Correct the step or its schema.`,
    { details: { step, issues: reading.issues } },
  );
}

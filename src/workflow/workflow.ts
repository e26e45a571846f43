/**
 * The typed builder. It emits the same JSON as the planner. The compiler rejects unknown fields, wrong types, later nodes,
 * missing inputs, literals outside an enum and duplicate ids. A workflow is itself a step, so workflows compose.
 */
import { defined } from '../core/defined.ts';
import { PolyphonyError } from '../core/errors.ts';
import type { EscalationRule, JsonSchema, ModelChoice, Sensitivity, Tier } from '../core/model/model.ts';
import type { HeldByJson, Infer, InferInput, JsonOf, SchemaLike } from '../core/model/schema-like.ts';
import { NODE_ID, type Plan, type PlanNode, type PlanThread, REFERENCE_HEADS } from '../core/plan/plan.ts';
import type { Step as StepPlugin } from '../core/plugin.ts';
import type { WorkflowSchemas, WrittenSchema } from '../kit/json/own/own-schema.ts';
import { CEL_RESERVED, type ReservedName } from '../language/condition-rules.ts';
import { type Condition, sourceOf } from './condition.ts';
import type { Declared, EarlyOutput, Mapped, OutputOf, Skippable, StandsIn } from './outputs.ts';
import { encode, pathOf, type Ref, type Resolved, referenceTo, type Template, type Value } from './reference.ts';
import { mustRun, writtenSchema } from './schema.ts';
import type { WorkflowStep } from './step.ts';

type Nodes = Readonly<Record<string, unknown>>;

/** Typed references to the input and to every EARLIER node. */
export type Context<Input, N extends Nodes> = { readonly input: Ref<Input> } & { readonly [K in keyof N]: Ref<N[K]> };

type Reserved = (typeof REFERENCE_HEADS)[number] | ReservedName;
/** The id of a new node; a compile error that says why when it is used already, reserved, or written in other signs. */
export type FreshId<Id extends string, N extends Nodes> = string extends Id
  ? Id
  : Id extends keyof N
    ? `there is a node ${Id} already: choose another id`
    : Id extends Reserved
      ? `${Id} is a name of the plan's language: choose another id`
      : IsId<Id> extends true
        ? Id
        : `${Id} is no id: use a-z, 0-9 and _, and begin with a letter`;
type Digit = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9';
/** Only letters have two cases; what is no letter of the alphabet, and no digit or underscore, is refused when it is compiled. */
type IsId<Id extends string> = Id extends `${Digit | '_'}${string}`
  ? false
  : Id extends Lowercase<Id>
    ? Id extends `${string}${'-' | ' ' | '.' | '$' | '/' | ':'}${string}`
      ? false
      : true
    : false;

/** Which models may serve the node. Data may decide the names, where their type says which these are. */
type ModelByData = Omit<ModelChoice, 'id' | 'tier' | 'route'> & {
  readonly id?: string | Ref<string>;
  readonly tier?: Tier | Ref<Tier>;
  readonly route?: string | Ref<string>;
};

/** As `thread` of a plan. */
interface Thread extends Omit<PlanThread, 'key'> {
  readonly key: Value<string>;
}

interface Settings {
  /** Ids of nodes that must end first although their output is not used. */
  readonly needs?: readonly string[];
  readonly model?: ModelByData;
  readonly escalate?: EscalationRule;
  readonly limits?: {
    readonly usd?: number;
    readonly seconds?: number;
    readonly attemptSeconds?: number;
    readonly retries?: number;
    readonly concurrency?: number;
    readonly tokens?: number;
  };
  readonly wait?: 'all' | 'any' | { readonly atLeast: number };
  /** May hold references; where one of them is null, the session of the run is used. */
  readonly session?: string | Template | Ref<string | null>;
  /** The conversation that an `llm` node goes on with: its key, such as `c.input.user`, or the key with its bounds. */
  readonly thread?: Value<string> | Thread;
  readonly sensitivity?: Sensitivity;
  readonly cache?: 'use' | 'skip' | 'refresh';
  /** When the node is done the run ends with its output. @default false */
  readonly finish?: boolean;
}

/** The definition of a node: its inputs, and the fields of the plan format. */
export interface NodeSpec<Input> extends Settings {
  readonly in: Inputs<Input>;
  readonly when?: Condition;
  readonly onError?: 'fail' | 'skip' | 'replan' | { readonly value: unknown } | { readonly keep: true };
  readonly out?: SchemaLike;
}
type Inputs<Input> = Input extends unknown ? { readonly [K in keyof Input]: Value<Input[K]> } : never;

/** Rejects fields that the plan format or the step does not know; a return type would accept them. */
type Exact<S, Input, N, O> = {
  readonly [K in Exclude<keyof S, keyof NodeSpec<Input>>]: Refused<`a node has no field ${Name<K>}`>;
} & (S extends { readonly in: infer Given }
  ? {
      readonly in: {
        readonly [K in Exclude<keyof Given, KeysOf<Input>>]: Refused<`the step has no input ${Name<K>}`>;
      };
    }
  : unknown) &
  (S extends { readonly out: infer Z } ? { readonly out: Z & HeldByJson<Infer<Z>> } : unknown) &
  (S extends { readonly needs: readonly (infer Id)[] } ? Needed<Id, N> : unknown) &
  (S extends { readonly onError: { readonly value: infer V } }
    ? StandsIn<V, O, S> extends true
      ? unknown
      : { readonly onError: { readonly value: Refused<'onError.value is not what the node gives'> } }
    : unknown);
type Needed<Id, N> = string extends Id
  ? unknown
  : [Exclude<Id, keyof N>] extends [never]
    ? unknown
    : { readonly needs: readonly Refused<`needs: there is no earlier node ${Name<Exclude<Id, keyof N>>}`>[] };
type Name<K> = K extends string ? K : never;
/** No value has this type; the compiler shows the sentence in its error. A plain text would make the whole node `never`. */
interface Refused<Sentence extends string> {
  readonly error: Sentence;
}
type KeysOf<Input> = Input extends unknown ? keyof Input : never;

/** What refers to the output of the node itself. */
export interface Repetition<Self> {
  /** Repeats the node until the condition on its output holds, at most `max` rounds; `previous()` is the last output. */
  readonly repeat?: (self: Ref<Self>) => { readonly until: Condition; readonly max: number };
  /** Undoes the node when the run fails or is cancelled after it finished: `undoBy(refund, { charge: self.id })`. */
  readonly undo?: (self: Ref<Self>) => UndoStep;
}

/** A step with its inputs, made by `undoBy`. */
export interface UndoStep {
  readonly step: WorkflowStep<unknown, unknown, boolean>;
  readonly in: unknown;
}

/** The step that undoes a node, with its inputs. */
export const undoBy = <I>(step: WorkflowStep<I, unknown, boolean>, inputs: Inputs<I>): UndoStep => ({
  step,
  in: inputs,
});

export interface WorkflowOptions<S> {
  /** `[a-z][a-z0-9_-]*`; `workflow:<id>` names the workflow. */
  readonly id: string;
  readonly goal?: string;
  /** A schema of zod is run once, on what the caller gives; the run keeps its result as JSON. @default any fields */
  readonly input?: S & HeldByJson<Infer<S>>;
  readonly budget?: { readonly usd?: number; readonly seconds?: number };
  /** False: after a failure, what does not depend on it goes on to its end, then the run fails. @default true */
  readonly failFast?: boolean;
}

/** After a failed node is replanned, the new plan may ask a person. */
type MayAsk<S> = S extends { readonly onError: 'replan' } ? true : false;

/**
 * `MaySuspend` is true when a node may wait for an answer from outside. `Given` is the input as a caller gives it, `Input` what
 * references see of it.
 */
export interface WorkflowBuilder<
  Input,
  N extends Nodes,
  MaySuspend extends boolean = false,
  Given = Input,
  Early = never,
> {
  /** Adds a node. */
  node<const Id extends string, I, O, const S extends NodeSpec<I>, Waits extends boolean = false>(
    id: FreshId<Id, N>,
    step: WorkflowStep<I, O, Waits>,
    build: (c: Context<Input, N>) => S & Exact<S, I, N, O>,
    repetition?: Repetition<OutputOf<O, S>>,
  ): WorkflowBuilder<
    Input,
    N & { readonly [K in Id]: Skippable<OutputOf<O, S>, S> },
    MaySuspend | Waits | MayAsk<S>,
    Given,
    Early | EarlyOutput<Declared<O, S>, S>
  >;

  /** Adds a node that runs once per item of an array, in parallel. Its output is the array of outputs, in that order. */
  map<const Id extends string, Item, I, O, const S extends NodeSpec<I>, Waits extends boolean = false>(
    id: FreshId<Id, N>,
    step: WorkflowStep<I, O, Waits>,
    over: (c: Context<Input, N>) => Ref<readonly Item[]>,
    build: (item: Ref<Item>, c: Context<Input, N>, index: Ref<number>) => S & Exact<S, I, N, O>,
    repetition?: Repetition<OutputOf<O, S>>,
  ): WorkflowBuilder<
    Input,
    N & { readonly [K in Id]: Mapped<O, S> },
    MaySuspend | Waits | MayAsk<S>,
    Given,
    Early | EarlyOutput<readonly Declared<O, S>[], S>
  >;

  /** Sets the output of the workflow: references, templates and literals, nested as needed. */
  output<const O>(build: (c: Context<Input, N>) => O): Workflow<Given, Resolved<O> | Early, MaySuspend>;
}

/**
 * `Input` is what a caller gives, `InPlans` what a node gives that uses it. `MaySuspend` false: no node waits for an answer
 * from outside, so a successful run is `done` and has its output.
 */
export interface Workflow<Input, Output, MaySuspend extends boolean = boolean, InPlans = JsonOf<Input>>
  extends WorkflowStep<InPlans, Output, MaySuspend> {
  readonly __given?: Input;
  readonly id: string;
  /** The plan as JSON. */
  readonly plan: Plan;
  /** Of the input as a plan gives it to `workflow:<id>`. */
  readonly inputSchema: JsonSchema;
  /** The schemas of its own that are run and not only checked: they stay in the process, and the plan says what JSON can say. */
  readonly schemas: WorkflowSchemas;
  /** Implementations of steps that the workflow brings with it. */
  readonly steps: readonly StepPlugin[];
  /** Workflows that it uses as steps. */
  readonly workflows: readonly Workflow<unknown, unknown>[];
}

interface Draft {
  readonly outputs: ReadonlyMap<string, WrittenSchema>;
  readonly options: WorkflowOptions<SchemaLike>;
  readonly nodes: readonly PlanNode[];
  readonly steps: readonly StepPlugin[];
  readonly workflows: readonly Workflow<unknown, unknown>[];
}

const WORKFLOW_ID = /^[a-z][a-z0-9_-]{0,60}$/;

/**
 * Starts a workflow.
 *
 * @throws invalid-plan when the id is invalid
 */
export function workflow<const S extends SchemaLike = Record<never, never>>(
  options: WorkflowOptions<S>,
): WorkflowBuilder<JsonOf<Infer<S>>, Record<never, never>, false, InferInput<S>> {
  if (!WORKFLOW_ID.test(options.id)) {
    throw new PolyphonyError(
      'invalid-plan',
      `A workflow cannot have the id "${options.id}": start with a lower-case letter, and use only lower-case letters, digits, _ and -.`,
    );
  }
  return builder<JsonOf<Infer<S>>, Record<never, never>, InferInput<S>>({
    options: options as WorkflowOptions<SchemaLike>,
    outputs: new Map(),
    nodes: [],
    steps: [],
    workflows: [],
  });
}

interface LooseSpec extends Settings {
  readonly in: unknown;
  readonly when?: Condition | undefined;
  readonly onError?: unknown;
  readonly out?: SchemaLike | undefined;
}

/** Only the interface has the compile-time types; inside, every draft is the same plain data. */
function builder<Input, N extends Nodes, Given>(draft: Draft): WorkflowBuilder<Input, N, false, Given> {
  const context = (): Context<Input, N> =>
    Object.fromEntries(['input', ...draft.nodes.map((node) => node.id)].map((id) => [id, referenceTo(id)])) as Context<
      Input,
      N
    >;
  const methods = {
    node: (
      id: string,
      step: WorkflowStep<unknown, unknown, boolean>,
      build: (c: Context<Input, N>) => LooseSpec,
      repetition?: Repetition<unknown>,
    ) => builder(withNode(draft, step, compileNode(draft, id, step, build(context()), repetition))),
    map: (
      id: string,
      step: WorkflowStep<unknown, unknown, boolean>,
      over: (c: Context<Input, N>) => unknown,
      build: (item: Ref<unknown>, c: Context<Input, N>, index: Ref<number>) => LooseSpec,
      repetition?: Repetition<unknown>,
    ) => {
      const c = context();
      const spec = build(referenceTo('item'), c, referenceTo('index'));
      const each = pathOf(over(c));
      if (each === undefined)
        throw new PolyphonyError(
          'invalid-plan',
          `Node "${id}" must map over a reference to an array, such as c.docs.hits.`,
        );
      const { node, ...compiled } = compileNode(draft, id, step, spec, repetition);
      return builder(withNode(draft, step, { ...compiled, node: { ...node, each: `{{${each}}}` } }));
    },
    output: (build: (c: Context<Input, N>) => unknown) => finished(draft, encode(build(context()))),
  };
  return methods as unknown as WorkflowBuilder<Input, N, false, Given>;
}

interface CompiledNode {
  readonly node: PlanNode;
  /** Of its `out`, where the plan cannot say all of it. */
  readonly output?: WrittenSchema;
  /** The step of one's own that undoes it. */
  readonly undoing?: StepPlugin;
}

function compileNode(
  draft: Draft,
  id: string,
  step: WorkflowStep<unknown, unknown, boolean>,
  spec: LooseSpec,
  repetition?: Repetition<unknown>,
): CompiledNode {
  if (draft.nodes.some((node) => node.id === id)) {
    throw new PolyphonyError('invalid-plan', `There is a node "${id}" already: choose another id.`);
  }
  const taken = REFERENCE_HEADS.some((head) => head === id) || CEL_RESERVED.has(id);
  if (taken || !NODE_ID.test(id)) {
    throw new PolyphonyError(
      'invalid-plan',
      `A node cannot have the id "${id}": use a unique id that matches ${NODE_ID.source} and is neither one of ${REFERENCE_HEADS.join(', ')} nor a name that conditions reserve (in, for, if, null, …).`,
    );
  }
  const { in: inputs, when, out, onError, needs, ...settings } = spec;
  const rounds = repetition?.repeat?.(referenceTo('self'));
  const undo = repetition?.undo?.(referenceTo('self'));
  const output = out === undefined ? undefined : writtenSchema(out);
  const node = {
    id,
    use: step.use,
    in: encode(inputs) as Record<string, unknown>,
    ...(needs === undefined ? {} : { needs: [...needs] }),
    ...(when === undefined ? {} : { when: sourceOf(when) }),
    ...(rounds === undefined ? {} : { repeat: { until: sourceOf(rounds.until), max: rounds.max } }),
    ...(output === undefined ? {} : { out: output.written }),
    ...(onError === undefined ? {} : { onError: onError as PlanNode['onError'] }),
    ...(undo === undefined ? {} : { undo: { use: undo.step.use, in: encode(undo.in) } }),
    ...(encode(settings) as object),
  } as PlanNode;
  const undoing = undo?.step.definition;
  return {
    node,
    ...(out === undefined || output === undefined || !mustRun(out) ? {} : { output }),
    ...defined({ undoing }),
  };
}

function withNode(
  draft: Draft,
  step: WorkflowStep<unknown, unknown, boolean>,
  { node, output, undoing }: CompiledNode,
): Draft {
  const brought = [step.definition, undoing].filter((definition) => definition !== undefined);
  const outputs = output === undefined ? draft.outputs : new Map([...draft.outputs, [node.id, output]]);
  const steps = [...new Set([...draft.steps, ...brought])];
  const workflows = isWorkflow(step) && !draft.workflows.includes(step) ? [...draft.workflows, step] : draft.workflows;
  return { ...draft, outputs, nodes: [...draft.nodes, node], steps, workflows };
}

/** True for a workflow, false for a request, a plan or a step. */
export function isWorkflow(candidate: unknown): candidate is Workflow<unknown, unknown> {
  return typeof candidate === 'object' && candidate !== null && 'plan' in candidate && 'inputSchema' in candidate;
}

/** A workflow of which `output` was not called yet. */
export const isUnfinished = (candidate: object): boolean =>
  !('plan' in candidate) &&
  ['node', 'map', 'output'].every(
    (name) => typeof (candidate as Readonly<Record<string, unknown>>)[name] === 'function',
  );

/** The error where somebody uses it. */
export const unfinished = (what: string, code: 'invalid-plan' | 'invalid-config'): PolyphonyError =>
  new PolyphonyError(
    code,
    `${what} has no output yet: end it with .output((c) => ({ … })), and use what that returns.`,
  );

function finished(draft: Draft, output: unknown): Workflow<unknown, unknown> {
  const { id, goal, input: given, budget, failFast } = draft.options;
  const input = given === undefined ? undefined : writtenSchema(given);
  const plan = {
    version: 1 as const,
    id,
    ...defined({ goal }),
    ...(input === undefined ? {} : { input: input.written }),
    ...defined({ budget, failFast }),
    nodes: [...draft.nodes],
    output,
  };
  const inputSchema = input === undefined ? { type: 'object' } : input.schema.input;
  const { outputs, steps, workflows } = draft;
  const schemas = given !== undefined && input !== undefined && mustRun(given) ? { input, outputs } : { outputs };
  return { id, use: `workflow:${id}`, plan, inputSchema, schemas, steps, workflows };
}

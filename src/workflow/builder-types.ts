/** The types of the builder: what the compiler accepts and refuses. */
import type { EscalationRule, Intent, ModelChoice, Sensitivity, Tier } from '../core/model/model.ts';
import type { HeldByJson, Infer, SchemaLike } from '../core/model/schema-like.ts';
import type { PlanThread, REFERENCE_HEADS } from '../core/plan/plan.ts';
import type { ReservedName } from '../language/condition-rules.ts';
import type { Workflow } from './built.ts';
import type { Condition } from './condition.ts';
import type { Declared, EarlyOutput, Mapped, OutputOf, Skippable, StandsIn } from './outputs.ts';
import type { Held, Ref, Resolved, Template, Value } from './reference.ts';
import type { WorkflowStep } from './step.ts';

export type Nodes = Readonly<Record<string, unknown>>;

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
  /** As `intent` of a plan's model: bounds of each call of the node. @default none */
  readonly intent?: string | Intent;
};

/** As `thread` of a plan. */
interface Thread extends Omit<PlanThread, 'key'> {
  readonly key: Value<string>;
}

export interface Settings {
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
  /** `batch`: its calls may wait for a cheaper batch. `now` is for one node of a workflow whose others do. @default that of the workflow */
  readonly urgency?: 'batch' | 'now';
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
export type Inputs<Input> = Input extends unknown ? { readonly [K in keyof Input]: Value<Input[K]> } : never;

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

export interface WorkflowOptions<S> {
  /** `[a-z][a-z0-9_-]*`; `workflow:<id>` names the workflow. */
  readonly id: string;
  readonly goal?: string;
  /** A schema of zod is run once, on what the caller gives; the run keeps its result as JSON. @default any fields */
  readonly input?: S & HeldByJson<Infer<S>>;
  readonly budget?: { readonly usd?: number; readonly seconds?: number };
  /** False: after a failure, what does not depend on it goes on to its end, then the run fails. @default true */
  readonly failFast?: boolean;
  /** Its `llm`, `embed` and `moderate` nodes, those of its bodies included, may wait for a cheaper batch unless they say `now`. @default they do not */
  readonly urgency?: 'batch';
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

  /**
   * Adds a node that runs a body of several nodes again and again, until the condition on its output holds, at most `max` rounds. The
   * input of the body is the state, its output the next one; the node gives the last. Where `start` refers to nodes, write
   * the options before the body, so that the compiler knows the state there.
   */
  repeat<
    const Id extends string,
    S extends object,
    O extends Held<State<S>>,
    L extends LoopSettings,
    Waits extends boolean = false,
  >(
    id: FreshId<Id, N>,
    body: (r: Body<State<S>>) => Workflow<unknown, O, Waits, unknown>,
    options: LoopOptions<Context<Input, N>, S, O> & L,
  ): Looped<
    Input,
    N,
    MaySuspend | Waits | MayAsk<L>,
    Given,
    Id,
    Skippable<OutputOf<O, L>, L>,
    Early | EarlyOutput<O, L>
  >;
  repeat<
    const Id extends string,
    S extends object,
    O extends Held<State<S>>,
    L extends LoopSettings,
    Waits extends boolean = false,
  >(
    id: FreshId<Id, N>,
    options: LoopOptions<Context<Input, N>, S, State<S>> & L,
    body: (r: Body<State<S>>) => Workflow<unknown, O, Waits, unknown>,
  ): Looped<
    Input,
    N,
    MaySuspend | Waits | MayAsk<L>,
    Given,
    Id,
    Skippable<OutputOf<O, L>, L>,
    Early | EarlyOutput<O, L>
  >;

  /**
   * Adds a node that runs a body of several nodes once per item of an array, in parallel. Its output is the array of the outputs
   * of the body, in that order. The body sees the item and its index, and, where `with` stands before the body, what that
   * passes in as `c.input`.
   */
  each<const Id extends string, Item, O, L extends LoopSettings = Record<never, never>, Waits extends boolean = false>(
    id: FreshId<Id, N>,
    over: (c: Context<Input, N>) => Ref<readonly Item[]>,
    body: (item: Ref<Item>, b: Body<Record<never, never>>, index: Ref<number>) => Workflow<unknown, O, Waits, unknown>,
    options?: L,
  ): Looped<Input, N, MaySuspend | Waits | MayAsk<L>, Given, Id, Mapped<O, L>, Early | EarlyOutput<readonly O[], L>>;
  each<
    const Id extends string,
    Item,
    O,
    W extends object,
    L extends LoopSettings = Record<never, never>,
    Waits extends boolean = false,
  >(
    id: FreshId<Id, N>,
    over: (c: Context<Input, N>) => Ref<readonly Item[]>,
    options: { readonly with: (c: Context<Input, N>) => W } & L,
    body: (item: Ref<Item>, b: Body<State<W>>, index: Ref<number>) => Workflow<unknown, O, Waits, unknown>,
  ): Looped<Input, N, MaySuspend | Waits | MayAsk<L>, Given, Id, Mapped<O, L>, Early | EarlyOutput<readonly O[], L>>;

  /** Sets the output of the workflow: references, templates and literals, nested as needed. */
  output<const O>(build: (c: Context<Input, N>) => O): Workflow<Given, Resolved<O> | Early, MaySuspend>;
}

/** The builder with one more node. */
type Looped<
  Input,
  N extends Nodes,
  MaySuspend extends boolean,
  Given,
  Id extends string,
  Output,
  Early,
> = WorkflowBuilder<Input, N & { readonly [K in Id]: Output }, MaySuspend, Given, Early>;
/** A body, before its first node. Its input is what it is given in each round or for each item. */
type Body<Input> = WorkflowBuilder<Input, Record<never, never>, false, Input>;
/** The values that the references and templates of a start stand for; what a run keeps of a node is no part of its output. */
type State<S> = Resolved<S> extends { readonly meta: unknown } ? Omit<Resolved<S>, 'meta'> : Resolved<S>;

/** The fields of a node that a loop may have. */
export interface LoopSettings extends Omit<Settings, 'model' | 'escalate' | 'sensitivity' | 'cache' | 'urgency'> {
  readonly when?: Condition;
  readonly onError?: NodeSpec<unknown>['onError'];
}

export interface LoopOptions<C, S, O> {
  /** The state of the first round: values, or a function of the references to the input and to earlier nodes. */
  readonly start: S | ((c: C) => S);
  /** The condition on the output of a round after which there is no other. */
  readonly until: (state: Ref<O>) => Condition;
  /** The most rounds, at most 20. */
  readonly max: number;
}

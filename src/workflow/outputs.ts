/** The types of what nodes give to those that refer to them. */
import type { Infer, JsonOf } from '../core/model/schema-like.ts';
import type { ItemError, NodeError, NodeMeta } from '../core/run/engine.ts';
import type { Condition } from './condition.ts';
import type { Held, Resolved } from './reference.ts';

declare const kind: unique symbol;

/** The output of a step whose own type follows from its node. */
interface FromNode<Kind extends string> {
  readonly [kind]: Kind;
}
/** Its inputs, rendered: the `value` step. */
export type InputAsOutput = FromNode<'input'>;
/** The answer of a person. */
export type AnswerOfPerson = FromNode<'answer'>;

/** The output without `meta`: from `out`, or else from the step. */
export type Declared<O, S> = [O] extends [AnswerOfPerson]
  ? Answered<S>
  : S extends { readonly out: infer Z }
    ? JsonOf<Infer<Z>>
    : [O] extends [InputAsOutput]
      ? S extends { readonly in: infer Given }
        ? Resolved<Given>
        : Readonly<Record<never, never>>
      : O;

interface Answer<A> {
  readonly answer: A;
  readonly approved: boolean;
}
/** As `out` declares it, or one of the choices. */
type Answered<S> = S extends { readonly out: infer Z }
  ? JsonOf<Infer<Z>> extends { readonly answer: infer A }
    ? Answer<A>
    : Answer<unknown>
  : S extends { readonly in: { readonly choices: infer Choices } }
    ? Resolved<Choices> extends readonly (infer A)[]
      ? Answer<A>
      : Answer<unknown>
    : Answer<unknown>;

type GoesOn = 'skip' | { readonly keep: true } | { readonly value: unknown };
/** `meta.error` is there only where a failure lets the run go on. */
type MetaOf<S> = Omit<NodeMeta, 'error' | 'errors'> &
  (S extends { readonly onError: GoesOn } ? { readonly error: NodeError | null } : unknown);
type ErrorsOf<S> = S extends { readonly onError: GoesOn } ? { readonly errors: readonly ItemError[] | null } : unknown;

/** The output of a node, with `meta`. */
export type OutputOf<O, S> = Declared<O, S> & { readonly meta: MetaOf<S> };
/** Null when its condition or an error may skip the node. */
export type Skippable<Output, S> = S extends { readonly when: Condition } | { readonly onError: NullWhenFailed }
  ? Output | null
  : Output;
type NullWhenFailed = 'skip' | { readonly keep: true } | { readonly value: null };

/** The list of a node that runs once per item: null for an item that failed, and for the whole that was skipped. */
export type Mapped<O, S> =
  | (readonly (S extends { readonly onError: NullWhenFailed } ? Declared<O, S> | null : Declared<O, S>)[] & {
      readonly meta: MetaOf<S> & ErrorsOf<S>;
    })
  | (S extends { readonly when: Condition } ? null : never);

/** What the run gives instead of its output, where the node may end it. */
export type EarlyOutput<Output, S> = S extends { readonly finish: true } ? Output : never;

/** Whether a value may stand in for the output of a failed node. */
export type StandsIn<V, O, S> = [O] extends [InputAsOutput]
  ? true
  : [V] extends [Held<Declared<O, S>> | null]
    ? true
    : false;

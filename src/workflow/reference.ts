/**
 * Typed references: `c.docs.hits` is a proxy that knows its path and compiles to `{{docs.hits}}`. Nothing is evaluated
 * while a workflow is built.
 */
import { PolyphonyError } from '../core/errors.ts';
import { escapeTemplate, parseTemplate, writtenStep } from '../language/template-syntax.ts';

declare const value: unique symbol;

/** A reference to a value that exists when the workflow runs. If it may be null, so may its fields. */
export type Ref<T> = { readonly [value]: T } & Fields<T>;

type Fields<T> = unknown extends T
  ? unknown
  : NonNullable<T> extends readonly (infer E)[]
    ? { readonly [index: number]: Ref<E | Nullish<T>> } & MetaField<T>
    : NonNullable<T> extends object
      ? { readonly [K in keyof NonNullable<T>]-?: Ref<Present<NonNullable<T>[K]> | Nullish<T>> }
      : unknown;

/** A list of a node that runs once per item has `meta` beside its items. */
type MetaField<T> =
  NonNullable<T> extends { readonly meta: infer M } ? { readonly meta: Ref<M | Nullish<T>> } : unknown;

/** An optional field is null when it is absent. */
type Present<T> = undefined extends T ? Exclude<T, undefined> | null : T;
type Nullish<T> = null extends T ? null : never;

/** The type of the value of a reference, of a template, or of nested ones. */
export type Resolved<T> = T extends { readonly [value]: infer V }
  ? V
  : T extends Template
    ? string
    : T extends readonly unknown[]
      ? { readonly [K in keyof T]: Resolved<T[K]> }
      : T extends object
        ? { readonly [K in keyof T]: Resolved<T[K]> }
        : T;

/**
 * What a reference may hold where a value of type T is wanted: the same with read-only arrays, and with null for an optional
 * field, which is left out where the node starts.
 */
export type Held<T> = unknown extends T
  ? T
  : T extends readonly (infer E)[]
    ? readonly Held<E>[]
    : T extends object
      ? {
          readonly [K in keyof T]: undefined extends T[K]
            ? Held<Exclude<T[K], undefined>> | null | undefined
            : Held<T[K]>;
        }
      : T;

/** A literal, a reference or a template for a value of type T. */
export type Value<T> =
  | T
  | Ref<undefined extends T ? Held<Exclude<T, undefined>> | null : Held<T>>
  | (string extends T ? Template : never)
  | (T extends readonly (infer E)[]
      ? readonly Value<E>[]
      : T extends object
        ? { readonly [K in keyof T]: Value<T[K]> }
        : never);

const PATH = Symbol('path');
const TEMPLATE = Symbol('template');

/** Text with references in it, made by `t`. */
export interface Template {
  readonly [TEMPLATE]: string;
}

/** The reference at a path. `then` is left out so that awaiting a reference by mistake cannot hang. */
export function referenceTo<T>(path: string): Ref<T> {
  const target = { [PATH]: path };
  const proxy: unknown = new Proxy(target, {
    get(_, key) {
      if (key === PATH) return path;
      // A template without the tag, `String(…)`, or `JSON.stringify`.
      if (key === Symbol.toPrimitive || key === 'toJSON') throw madeIntoText(path);
      if (typeof key === 'symbol' || key === 'then') return undefined;
      return referenceTo(path + writtenStep(/^\d+$/.test(key) ? Number(key) : key));
    },
  });
  // The proxy answers to every field that the type names.
  return proxy as Ref<T>;
}

const madeIntoText = (path: string): PolyphonyError =>
  new PolyphonyError(
    'invalid-plan',
    `The reference to ${path} was made into text, but what it refers to is known only when the workflow runs: write t\`…\` with the reference in it.`,
  );

/** The output of the previous round of a node with `repeat`; null in the first round. */
export const previous = <T>(): Ref<T | null> => referenceTo('prev');

/** When the run began, as an ISO text: the same after a resume. */
export const startedAt: Ref<string> = referenceTo('run.startedAt');

export function pathOf(candidate: unknown): string | undefined {
  if (typeof candidate !== 'object' || candidate === null) return undefined;
  const path: unknown = Reflect.get(candidate, PATH);
  return typeof path === 'string' ? path : undefined;
}

function templateOf(candidate: unknown): string | undefined {
  if (typeof candidate !== 'object' || candidate === null || !Object.hasOwn(candidate, TEMPLATE)) return undefined;
  const text: unknown = Reflect.get(candidate, TEMPLATE);
  return typeof text === 'string' ? text : undefined;
}

/** The reference to what an expression gives. It may be read further only where its text is one operand. */
export const expressionTo = <T>(source: string): Ref<T> => referenceTo(`= ${source}`);

const isExpression = (path: string): boolean => path.startsWith('= ');

/**
 * A value as an operand of an expression or a condition.
 *
 * @throws invalid-plan for a text with references, and for what CEL cannot write
 */
export function celOf(part: unknown): string {
  const path = pathOf(part);
  if (path !== undefined) return celOfPath(path);
  if (templateOf(part) !== undefined)
    throw new PolyphonyError(
      'invalid-plan',
      'A text made by t`…` cannot be computed with: put it into a value node first.',
    );
  if (Array.isArray(part)) return `[${part.map(celOf).join(', ')}]`;
  if (typeof part === 'object' && part !== null) {
    const fields = Object.entries(part).filter(([, value]) => value !== undefined);
    return `{${fields.map(([key, value]) => `${JSON.stringify(key)}: ${celOf(value)}`).join(', ')}}`;
  }
  if (part === null || typeof part === 'string' || typeof part === 'boolean' || Number.isFinite(part))
    return JSON.stringify(part);
  throw new PolyphonyError(
    'invalid-plan',
    `An expression cannot hold ${String(part)}: use texts, numbers, lists and objects.`,
  );
}

/** `a ?? b` is the first of them that is not null. */
function celOfPath(path: string): string {
  if (isExpression(path)) return path.slice(2);
  const [only] = parseTemplate(`{{${path}}}`).segments;
  const alternatives = only?.type === 'reference' ? only.reference.alternatives : [];
  if (alternatives.length < 2) return path;
  const written = alternatives.map((one) => (one.type === 'path' ? one.text : celOf(one.value)));
  return firstPresent(written);
}

const firstPresent = (sources: readonly string[]): string =>
  `(${sources.map((source, index) => (index === sources.length - 1 ? source : `${source} != null ? ${source} : `)).join('')})`;

/** Text with references: t`Summarise ${c.page.text}`. Literal braces stay literal. */
export function t(strings: TemplateStringsArray, ...values: readonly unknown[]): Template {
  let text = '';
  strings.forEach((part, index) => {
    text += escapeTemplate(part);
    if (index < values.length) text += inText(values[index]);
  });
  return { [TEMPLATE]: text };
}

function inText(part: unknown): string {
  const path = pathOf(part);
  if (path !== undefined) {
    if (!isExpression(path)) return `{{${path}}}`;
    const rule =
      'A computed value cannot stand inside a text: put it into a value node first, or build the text with join.';
    throw new PolyphonyError('invalid-plan', rule);
  }
  const template = templateOf(part);
  if (template !== undefined) return template;
  return escapeTemplate(typeof part === 'string' ? part : JSON.stringify(part));
}

type NonNull<T> = T extends readonly [infer First, ...infer Rest]
  ? Resolved<First> extends infer V
    ? null extends V
      ? Exclude<V, null> | NonNull<Rest>
      : V
    : never
  : null;

type Literal = string | number | boolean | null | readonly (string | number | boolean | null)[];

/**
 * The first of them that is not null: `a ?? b`. The last one may be a literal. Its type includes null only when all of them may
 * be null.
 */
export function coalesce<
  const R extends readonly [Ref<unknown>, ...Ref<unknown>[]] | readonly [Ref<unknown>, ...Ref<unknown>[], Literal],
>(...alternatives: R): Ref<NonNull<R>> {
  const last = alternatives.length - 1;
  const paths = alternatives.map((part, index) => pathOf(part) ?? literalOf(part, index === last));
  return paths.some(isExpression) ? expressionTo(firstPresent(paths.map(celOfPath))) : referenceTo(paths.join(' ?? '));
}

function literalOf(part: unknown, isLast: boolean): string {
  const isScalar = (value: unknown): boolean => value === null || /^(?:string|number|boolean)$/.test(typeof value);
  const text = isScalar(part) || (Array.isArray(part) && part.every(isScalar)) ? JSON.stringify(part) : undefined;
  if (text !== undefined && isLast && !text.includes('}}') && !text.includes('{{')) return text;
  const message =
    '`coalesce` takes references to nodes or to the input, and behind them one text, number, true, false, null or list of those, without double braces: put other values into a value node first.';
  throw new PolyphonyError('invalid-plan', message);
}

/** Converts values, references and templates to the JSON of the plan. */
export function encode(part: unknown): unknown {
  if (typeof part === 'string') return escapeTemplate(part);
  if (typeof part !== 'object' || part === null) return part;
  const path = pathOf(part);
  if (path !== undefined) return `{{${path}}}`;
  const template = templateOf(part);
  if (template !== undefined) return template;
  if (Array.isArray(part)) return part.map(encode);
  return Object.fromEntries(
    Object.entries(part)
      .filter(([, inner]) => inner !== undefined)
      .map(([key, inner]) => [key, encode(inner)]),
  );
}

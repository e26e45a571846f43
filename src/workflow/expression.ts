/** Computed values, compiled to expressions of the plan: `compute.filter(c.docs.hits, (hit) => gt(hit.score, 0.5))`. */
import { arithmetic } from './arithmetic.ts';
import { type Condition, sourceOf } from './condition.ts';
import { celOf, expressionTo, type Ref, type Resolved, referenceTo, type Value } from './reference.ts';

type List<E> = Ref<readonly E[]> | Ref<readonly E[] | null>;

/** Comprehensions inside one another have variables of their own; no node can have such a name. */
let depth = 0;

function withItem<E, R>(build: (item: Ref<E>, name: string) => R): R {
  depth += 1;
  try {
    const name = `Item${depth}`;
    return build(referenceTo<E>(name), name);
  } finally {
    depth -= 1;
  }
}

/** The items for which the condition holds. */
const filter = <E>(list: List<E>, holds: (item: Ref<E>) => Condition): Ref<readonly E[]> =>
  withItem<E, Ref<readonly E[]>>((item, name) =>
    expressionTo(`${celOf(list)}.filter(${name}, ${sourceOf(holds(item))})`),
  );

/** What `build` makes of each item: references and literals, nested as needed. */
const collect = <E, const V>(list: List<E>, build: (item: Ref<E>) => V): Ref<readonly Resolved<V>[]> =>
  withItem<E, Ref<readonly Resolved<V>[]>>((item, name) =>
    expressionTo(`${celOf(list)}.map(${name}, ${celOf(build(item))})`),
  );

/** The list with more items at its end. A missing list is an empty one. */
const append = <E>(list: List<E>, ...items: readonly NoInfer<Value<E>>[]): Ref<readonly E[]> =>
  expressionTo(`(${celOf(list)} + ${celOf(items)})`);

/** The items of all lists, one list after the other. */
const concat = <E>(...lists: readonly [List<E>, ...List<E>[]]): Ref<readonly E[]> =>
  expressionTo(`(${[...lists.map(celOf), '[]'].join(' + ')})`);

/** The item at a place, from 0; null where there is none. */
const at = <E>(list: List<E>, index: number | Ref<number>): Ref<E | null> =>
  expressionTo(`${celOf(list)}[${celOf(index)}]`);

/** At most `most` items from the beginning. */
const first = <E>(list: List<E>, most: number | Ref<number>): Ref<readonly E[]> =>
  expressionTo(`${celOf(list)}.first(${celOf(most)})`);

/** At most `most` items from the end. */
const last = <E>(list: List<E>, most: number | Ref<number>): Ref<readonly E[]> =>
  expressionTo(`${celOf(list)}.last(${celOf(most)})`);

/** The items in the order of one of their fields. */
const sortBy = <E>(
  list: List<E>,
  field: keyof NonNullable<E> & string,
  direction: 'asc' | 'desc' = 'asc',
): Ref<readonly E[]> => expressionTo(`${celOf(list)}.sortBy(${celOf(field)}, ${celOf(direction)})`);

/** The texts as one, with the separator between them. */
const join = (list: List<string>, separator = ''): Ref<string> =>
  expressionTo(`${celOf(list)}.join(${celOf(separator)})`);

/** The number of items; 0 for a missing list. */
const count = (list: Ref<readonly unknown[]> | Ref<readonly unknown[] | null>): Ref<number> =>
  expressionTo(`size(${celOf(list)})`);

/** The sum of the numbers; missing ones are left out. */
const sum = (list: List<number> | List<number | null>): Ref<number> => expressionTo(`sum(${celOf(list)})`);

type PickedBy<K, T> = K extends keyof T ? T[K] : null;

/** The entry of a table that has the key; null where none has it. */
const pick = <K extends string | null, const T extends Readonly<Record<string, unknown>>>(
  key: Ref<K>,
  table: T,
): Ref<Resolved<PickedBy<K, T>>> => expressionTo(`${celOf(table)}[${celOf(key)}]`);

/** The first value where the condition holds, else the second. */
const choose = <const A, const B>(condition: Condition, yes: A, no: B): Ref<Resolved<A> | Resolved<B>> =>
  expressionTo(`(${sourceOf(condition)} ? ${celOf(yes)} : ${celOf(no)})`);

/** Whether the condition holds. */
const holds = (condition: Condition): Ref<boolean> => expressionTo(`(${sourceOf(condition)})`);

/** Values that are computed when the workflow runs, without a step of their own. */
export const compute = {
  ...arithmetic,
  append,
  at,
  choose,
  collect,
  concat,
  count,
  filter,
  first,
  holds,
  join,
  last,
  pick,
  sortBy,
  sum,
} as const;

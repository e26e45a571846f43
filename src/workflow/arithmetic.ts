/** Computed numbers, texts and JSON of the builder; they are part of `compute`. */
import { celOf, expressionTo, pathOf, type Ref } from './reference.ts';

export type Numeric = number | Ref<number>;
export type List<E> = Ref<readonly E[]> | Ref<readonly E[] | null>;

/** The sum of two or more numbers. */
const plus = (...parts: readonly [Numeric, Numeric, ...Numeric[]]): Ref<number> =>
  expressionTo(`(${parts.map(celOf).join(' + ')})`);
const minus = (a: Numeric, b: Numeric): Ref<number> => expressionTo(`(${celOf(a)} - ${celOf(b)})`);
const times = (a: Numeric, b: Numeric): Ref<number> => expressionTo(`(${celOf(a)} * ${celOf(b)})`);

/** Rounded half away from zero. */
const round = (number: Numeric, digits = 0): Ref<number> => expressionTo(`round(${celOf(number)}, ${digits})`);

/** The number as a text with so many decimals. */
const fixed = (number: Numeric | Ref<number | null>, digits: number): Ref<string> =>
  expressionTo(`${celOf(number)}.fixed(${digits})`);

/** The mean; missing numbers are left out, and of none it is null. */
const average = (list: List<number> | List<number | null>): Ref<number | null> => expressionTo(`avg(${celOf(list)})`);

/** Values one behind the other as one text. */
const text = (...parts: readonly [unknown, ...unknown[]]): Ref<string> =>
  expressionTo(
    `(${parts.map((part) => (pathOf(part) === undefined ? celOf(String(part)) : `string(${celOf(part)})`)).join(' + ')})`,
  );

export type ItemOf<L> = L extends List<infer E> ? E : never;

/** Objects of the items at the same place; as many as the shortest list has. */
const zip = <const L extends Readonly<Record<string, List<unknown>>>>(
  lists: L,
): Ref<readonly { readonly [K in keyof L]: ItemOf<L[K]> }[]> => expressionTo(`zip(${celOf(lists)})`);

/** The items without repetition. */
const unique = <E>(list: List<E>): Ref<readonly E[]> => expressionTo(`unique(${celOf(list)})`);

/** The items of the lists in a list. */
const flatten = <E>(lists: List<readonly E[]>): Ref<readonly E[]> => expressionTo(`flatten(${celOf(lists)})`);

/** At most `most` characters from the beginning of a text. */
const startOf = (whole: Ref<string>, most: number): Ref<string> => expressionTo(`first(${celOf(whole)}, ${most})`);

/** The value of a text of JSON; its type is not checked. */
const fromJson = <T>(json: Ref<string>): Ref<T> => expressionTo(`fromJson(${celOf(json)})`);

export const arithmetic = {
  average,
  fixed,
  flatten,
  fromJson,
  minus,
  plus,
  round,
  startOf,
  text,
  times,
  unique,
  zip,
} as const;

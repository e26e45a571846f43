/** Conditions over references, compiled to CEL. */
import { PolyphonyError } from '../core/errors.ts';
import { celOf, pathOf, type Ref } from './reference.ts';

const SOURCE = Symbol('condition');

export interface Condition {
  readonly [SOURCE]: string;
}

const condition = (source: string): Condition => ({ [SOURCE]: source });

/** The CEL text. */
export const sourceOf = (of: Condition): string => of[SOURCE];

function path(reference: unknown): string {
  if (pathOf(reference) !== undefined) return celOf(reference);
  throw new PolyphonyError(
    'invalid-plan',
    'A condition compares references to nodes or to the input, or computed values.',
  );
}

const operand = celOf;

type Scalar = string | number | boolean | null;
type Widened<T> = T extends number ? number : T;

export const eq = <T extends Scalar>(a: Ref<T>, b: NoInfer<Widened<T> | Ref<T>>): Condition =>
  condition(`${path(a)} == ${operand(b)}`);
export const ne = <T extends Scalar>(a: Ref<T>, b: NoInfer<Widened<T> | Ref<T>>): Condition =>
  condition(`${path(a)} != ${operand(b)}`);
export const lt = (a: Ref<number | null>, b: number | Ref<number>): Condition =>
  condition(`${path(a)} < ${operand(b)}`);
export const lte = (a: Ref<number | null>, b: number | Ref<number>): Condition =>
  condition(`${path(a)} <= ${operand(b)}`);
export const gt = (a: Ref<number | null>, b: number | Ref<number>): Condition =>
  condition(`${path(a)} > ${operand(b)}`);
export const gte = (a: Ref<number | null>, b: number | Ref<number>): Condition =>
  condition(`${path(a)} >= ${operand(b)}`);
/** True when the flag is true; null counts as false. */
export const isTrue = (a: Ref<boolean | null>): Condition => condition(`${path(a)} == true`);
/** True when the value was neither skipped nor null. */
export const isPresent = (a: Ref<unknown>): Condition => condition(`${path(a)} != null`);
/** True when the array has at least `count` items (default 1). */
export const hasItems = (a: Ref<readonly unknown[] | null>, count = 1): Condition =>
  condition(`size(${path(a)}) >= ${count}`);
export const and = (...parts: readonly [Condition, ...Condition[]]): Condition =>
  condition(parts.map((part) => `(${sourceOf(part)})`).join(' && '));
export const or = (...parts: readonly [Condition, ...Condition[]]): Condition =>
  condition(parts.map((part) => `(${sourceOf(part)})`).join(' || '));
export const not = (part: Condition): Condition => condition(`!(${sourceOf(part)})`);

/**
 * Conditions of plans (`when`, `until`): CEL, parsed, type-checked and evaluated by cel-js, with the rules of the plan
 * format. A condition is never run as code, and no regular expression is run.
 *
 * - Heads are dynamic; numbers in the data are doubles; int and double can be mixed in arithmetic and comparisons.
 * - A field of null and a missing field are null; ordering null with any value is false; null counts as the empty list where
 *   a list is needed, and as false where a bool is needed.
 * - What it reads and what it makes is counted before it is made: see condition-work.ts.
 * - An operation that is not defined (adding a string and a number) is an error of the plan, thrown by `evaluate`.
 */
import { defined } from '../core/defined.ts';
import { compileProgram, type MetaOf, type ProgramOptions } from './cel/cel-program.ts';
import type { Comparison } from './cel/condition-comparisons.ts';
import { type ConditionReference, emitCondition } from './cel/condition-emit.ts';
import { CONDITION_BOUNDS } from './condition-rules.ts';

export type { Comparison, ReadValue } from './cel/condition-comparisons.ts';
export type { ConditionReference } from './cel/condition-emit.ts';
export { CEL_RESERVED } from './condition-rules.ts';

export interface ParsedCondition {
  readonly source: string;
  /** Every path that starts at a head, in order of appearance, duplicates included. */
  readonly references: readonly ConditionReference[];
  /** What it compares with what, in order of appearance. */
  readonly comparisons: readonly Comparison[];
  /**
   * Evaluates the condition for these values of its heads; a missing head is null. `metaOf` returns the value of
   * `head.meta`; undefined: `meta` is an ordinary field. Synchronous.
   *
   * @throws invalid-plan when the values do not fit the operators, a list is too long, or the result is not a bool;
   *   limit-exceeded when it takes or makes more than CONDITION_BOUNDS allow
   */
  evaluate(scope: Readonly<Record<string, unknown>>, metaOf?: MetaOf): boolean;
}

export type CompiledCondition =
  | { readonly ok: true; readonly condition: ParsedCondition }
  | {
      readonly ok: false;
      readonly code: 'condition.syntax' | 'condition.type';
      readonly message: string;
      /** Offset into the source. */
      readonly at?: number;
      /** The name that is not a head. */
      readonly unknown?: string;
    };

/** `heads`: names that may start a path; names that CEL reserves are always excluded. */
export type CompileConditionOptions = Pick<ProgramOptions, 'heads'>;

/** Compiles a condition. Never throws: an error is returned with its code and place. */
export function compileCondition(source: string, { heads }: CompileConditionOptions): CompiledCondition {
  const { length } = CONDITION_BOUNDS;
  const compiled = compileProgram(source, { kind: 'condition', length, heads, emit: emitCondition });
  if (!compiled.ok) {
    const { reason, message, at, unknown } = compiled;
    return { ok: false, code: `condition.${reason}`, message, ...defined({ at, unknown }) };
  }
  const { emission, type, run } = compiled.program;
  if (type !== 'bool' && type !== 'dyn') {
    const message = `A condition must result in a bool, but this one results in ${type}: compare it with a value.`;
    return { ok: false, code: 'condition.type', message };
  }
  const { references, comparisons } = emission;
  const evaluate: ParsedCondition['evaluate'] = (scope, metaOf) => run(scope, metaOf, boolOf);
  return { ok: true, condition: { source, references, comparisons, evaluate } };
}

function boolOf(result: unknown): boolean {
  if (typeof result === 'boolean') return result;
  throw new TypeError(`its result has the type ${result === null ? 'null' : typeof result}, not bool`);
}

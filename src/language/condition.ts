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

import { Environment, EvaluationError, ParseError, type ParseResult } from '@marcbachmann/cel-js';
import { defined } from '../core/defined.ts';
import { PolyphonyError } from '../core/errors.ts';
import type { Comparison } from './condition-comparisons.ts';
import { type ConditionReference, ConditionRefusal, type Emission, emitCondition } from './condition-emit.ts';
import { CEL_RESERVED, CONDITION_BOUNDS } from './condition-rules.ts';
import { isExhausted, readOwn, registerWork, resetWork, spend } from './condition-work.ts';

export type { Comparison, ReadValue } from './condition-comparisons.ts';
export type { ConditionReference } from './condition-emit.ts';
export { CEL_RESERVED } from './condition-rules.ts';

type MetaOf = (head: string) => unknown;

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

export interface CompileConditionOptions {
  /** Names that may start a path; names that CEL reserves are always excluded. */
  readonly heads: readonly string[] | ((name: string) => boolean);
}

/** Compiles a condition. Never throws: an error is returned with its code and place. */
export function compileCondition(source: string, options: CompileConditionOptions): CompiledCondition {
  if (source.length > CONDITION_BOUNDS.length) {
    const message = `The condition has ${source.length} characters, but at most ${CONDITION_BOUNDS.length} are allowed: shorten it.`;
    return { ok: false, code: 'condition.syntax', message };
  }
  const { heads } = options;
  const given = typeof heads === 'function' ? heads : (name: string) => heads.includes(name);
  const isHead = (name: string) => !CEL_RESERVED.has(name) && given(name);
  const emission = emissionOf(source, isHead);
  try {
    const { ast } = environments().strict.parse(source);
    const emitted = emitCondition(ast, emission);
    const parsed = environments().emitted.parse(emitted);
    const { valid, type, error } = parsed.check();
    if (!valid)
      return {
        ok: false,
        code: 'condition.type',
        message: error?.summary ?? 'The types of the operands do not match.',
      };
    if (type !== 'bool' && type !== 'dyn') {
      const message = `A condition must result in a bool, but this one results in ${type ?? 'another type'}: compare it with a value.`;
      return { ok: false, code: 'condition.type', message };
    }
    // The counted form knows no types of operands, so types are checked in the plain one.
    const counted = emitCondition(ast, { ...emissionOf(source, isHead), isCounted: true });
    const evaluated = counted === emitted ? parsed : environments().emitted.parse(counted);
    return { ok: true, condition: conditionOf(emission, evaluated) };
  } catch (error) {
    return refused(error);
  }
}

function emissionOf(source: string, isHead: Emission['isHead']): Emission {
  return {
    source,
    isHead,
    isCounted: false,
    references: [],
    comparisons: [],
    sources: new Map(),
    heads: new Set(),
    typeNames: new Set(),
    metas: new Set(),
  };
}

function refused(error: unknown): CompiledCondition {
  if (error instanceof ConditionRefusal) {
    const { code, message, at, unknown } = error;
    return { ok: false, code, message, at, ...defined({ unknown }) };
  }
  if (error instanceof ParseError) {
    const at = error.range?.start;
    return { ok: false, code: 'condition.syntax', message: error.summary, ...defined({ at }) };
  }
  // Operators without parentheses can nest as deeply as the text is long.
  const message = error instanceof RangeError ? 'The condition is nested too deeply: simplify it.' : String(error);
  return { ok: false, code: 'condition.syntax', message };
}

function conditionOf(
  { source, references, comparisons, heads, metas }: Emission,
  parsed: ParseResult,
): ParsedCondition {
  const names = [...heads].map((head) => [head, `h_${head}`] as const);
  type Scope = { readonly values: Readonly<Record<string, unknown>>; readonly metaOf: MetaOf | undefined };
  const run = ({ values, metaOf }: Scope, prepare: (value: unknown) => unknown): unknown => {
    const context: Record<string, unknown> = {};
    for (const [head, name] of names)
      context[name] = Object.hasOwn(values, head) ? prepare(values[head] ?? null) : null;
    for (const head of metas) context[`m_${head}`] = prepare(metaOf?.(head) ?? readOwn(values[head], 'meta') ?? null);
    resetWork();
    return parsed(context);
  };
  const evaluate: ParsedCondition['evaluate'] = (values, metaOf) => {
    let result: unknown;
    try {
      result = runOnMapsIfNeeded({ values, metaOf }, run);
    } catch (cause) {
      throw failure(source, summaryOf(cause), cause);
    }
    if (typeof result === 'boolean') return result;
    throw failure(source, `its result has the type ${result === null ? 'null' : typeof result}, not bool`);
  };
  return { source, references, comparisons, evaluate };
}

function summaryOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'summary' in error ? String(error.summary) : error.message;
}

function failure(source: string, reason: string, cause?: unknown): PolyphonyError {
  const message = `The condition ${JSON.stringify(source)} cannot be evaluated: ${reason}. Change it so that it fits the values.`;
  const code = isExhausted() ? 'limit-exceeded' : 'invalid-plan';
  return new PolyphonyError(code, message, cause === undefined ? {} : { cause });
}

/**
 * The library reads the constructor of values and does not support undefined. Data with such a field is rare, so only then
 * it is copied to maps and evaluated again.
 */
function runOnMapsIfNeeded<S>(scope: S, run: (scope: S, prepare: (value: unknown) => unknown) => unknown): unknown {
  try {
    return run(scope, (value) => value);
  } catch (error) {
    if (!(error instanceof EvaluationError) || error.code !== 'unsupported_type') throw error;
    return run(scope, (value) => toMaps(value, 0));
  }
}

function toMaps(value: unknown, depth: number): unknown {
  spend(1);
  if (typeof value !== 'object' || value === null || depth > MAX_DATA_DEPTH) return value ?? null;
  if (Array.isArray(value)) return value.map((item) => toMaps(item, depth + 1));
  return new Map(Object.entries(value).map(([key, child]) => [key, toMaps(child, depth + 1)]));
}

/** Conditions cannot read deeper data. */
const MAX_DATA_DEPTH = 256;

interface Environments {
  readonly strict: Environment;
  readonly emitted: Environment;
}

let made: Environments | undefined;

function environments(): Environments {
  made ??= makeEnvironments();
  return made;
}

const NUMBERS = ['int', 'double'] as const;
const ARITHMETIC: Readonly<Record<string, (left: number, right: number) => number>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
  '%': (left, right) => left % right,
};
const ORDER = ['<', '<=', '>', '>='];

function makeEnvironments(): Environments {
  const options = { unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false };
  const strict = new Environment({ ...options, limits: { maxDepth: CONDITION_BOUNDS.depth } });
  const emitted = new Environment({ ...options, limits: { maxDepth: CONDITION_BOUNDS.depth * 16 } });
  registerWork(emitted);
  registerMixedArithmetic(emitted);
  registerNulls(emitted);
  return { strict, emitted };
}

/** CEL has no arithmetic between int and double, but data from JSON is always double and literals are mostly int. */
function registerMixedArithmetic(environment: Environment): void {
  for (const [operator, compute] of Object.entries(ARITHMETIC)) {
    const handle = (left: unknown, right: unknown) => compute(Number(left), Number(right));
    environment.registerOperator(`int ${operator} double`, handle);
    environment.registerOperator(`double ${operator} int`, handle);
    if (operator === '%') environment.registerOperator('double % double', handle);
  }
  environment.registerOperator('int == double', (left: unknown, right: unknown) => Number(left) === Number(right));
}

function registerNulls(environment: Environment): void {
  const never = () => false;
  for (const operator of ORDER) {
    for (const type of [...NUMBERS, 'string']) {
      environment.registerOperator(`null ${operator} ${type}`, never);
      environment.registerOperator(`${type} ${operator} null`, never);
    }
    environment.registerOperator(`null ${operator} null`, never);
  }
  for (const method of ['startsWith', 'endsWith', 'contains']) {
    environment.registerFunction(`null.${method}(string): bool`, never, { async: false });
  }
  environment.registerFunction('size(null): int', () => 0n, { async: false });
  environment.registerFunction('null.size(): int', () => 0n, { async: false });
}

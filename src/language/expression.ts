/**
 * Expressions of plans: a whole string `{{= … }}` where a value is wanted. The same language as conditions, with any result.
 *
 * X1. An expression is never run as code. It names values as references do, and nothing else: no time, no chance.
 * X2. The same values give the same result, in this process and in the one that resumes the run.
 * X3. Its work, and the bytes of what it makes, are bounded as those of a condition: see condition-work.ts.
 */
import { compileProgram } from './cel/cel-program.ts';
import type { Comparison } from './cel/condition-comparisons.ts';
import { type ConditionReference, emitExpression } from './cel/condition-emit.ts';
import { endEvaluation, madeBytes } from './cel/condition-work.ts';
import { plainValue } from './cel/expression-result.ts';
import { CEL_RESERVED } from './condition-rules.ts';
import { EXPRESSION_LENGTH } from './expression-rules.ts';
import { keptFor } from './kept.ts';
import type { RenderMeter, TemplateScope } from './rendering.ts';

export type { ASTNode as ExpressionNode } from '@marcbachmann/cel-js';

export interface ParsedExpression {
  readonly source: string;
  readonly root: import('@marcbachmann/cel-js').ASTNode;
  /** Every path that starts at a head, in order of appearance, duplicates included. */
  readonly references: readonly ConditionReference[];
  /** What it compares with what, in order of appearance. */
  readonly comparisons: readonly Comparison[];
  /** It asks with `has()`, `== null` or `!= null` what is there, as a reference does with `??`. */
  readonly asksForNull: boolean;
  /**
   * Its value as JSON. Synchronous. What the meter throws, it throws.
   *
   * @throws invalid-plan when the values do not fit the operators, a list is too long or the result is no JSON; limit-exceeded
   *   when it takes or makes more than CONDITION_BOUNDS allow
   */
  evaluate(scope: TemplateScope, meter: RenderMeter): unknown;
}

export type CompiledExpression =
  | { readonly ok: true; readonly expression: ParsedExpression }
  | {
      readonly ok: false;
      readonly code: 'expression.syntax' | 'expression.type';
      readonly message: string;
      /** Offset into the source. */
      readonly at?: number;
    };

/** Every name counts as a head, except those that CEL reserves; the caller checks which heads are allowed. */
const OPTIONS = {
  kind: 'expression',
  length: EXPRESSION_LENGTH,
  heads: (name: string): boolean => !CEL_RESERVED.has(name),
  emit: emitExpression,
} as const;

/** Compiles what stands between `{{=` and `}}`. Never throws: an error is returned with its code and place. */
export const compileExpression = (written: string): CompiledExpression => compiled(written.trim());

const compiled = keptFor(compile);

function compile(source: string): CompiledExpression {
  const program = compileProgram(source, OPTIONS);
  if (!program.ok) {
    const { reason, message, at } = program;
    return { ok: false, code: `expression.${reason}`, message, ...(at === undefined ? {} : { at }) };
  }
  const { root, emission, run } = program.program;
  const { references, comparisons, asksForNull, heads } = emission;
  const names = [...heads];
  const evaluate: ParsedExpression['evaluate'] = (scope, meter) => {
    const values = Object.fromEntries(names.map((head) => [head, scope(head)]));
    const { value, bytes } = run(values, (head) => scope(head, 'meta'), read);
    endEvaluation();
    if (typeof value === 'string') meter.text(value);
    else if (bytes > 0) meter.made(bytes);
    meter.reference(value);
    return value;
  };
  return { ok: true, expression: { source, root, references, comparisons, asksForNull, evaluate } };
}

const read = (result: unknown): { readonly value: unknown; readonly bytes: number } => ({
  value: plainValue(result),
  bytes: madeBytes(),
});

/** Every place of a node, or of the output of a plan, that names a value: references, expressions and conditions. */
import type { PlanNode } from '../../core/plan/plan.ts';
import { CEL_RESERVED, type CompiledCondition, compileCondition } from '../../language/condition.ts';
import { compileExpression, type ParsedExpression } from '../../language/expression.ts';
import { type ForeignRules, fromForeign } from '../../language/foreign-condition.ts';
import { keptFor } from '../../language/kept.ts';
import type { ParsedTemplate, Reference } from '../../language/template.ts';
import { editText, isRecord, pointerToken } from '../document/document.ts';
import { type Fix, type Report, shown } from '../document/report.ts';

export type ReferencePlace =
  | 'in'
  | 'each'
  | 'when'
  | 'until'
  | 'session'
  | 'thread'
  | 'model'
  | 'undo'
  | 'needs'
  | 'output';

/** One place in the plan that names a value. */
export interface Use {
  readonly place: ReferencePlace;
  /** JSON pointer of the string that holds it. */
  readonly pointer: string;
  readonly head: string;
  readonly path: readonly (string | number)[];
  readonly text: string;
  /** An expression reads it, so it is not the value of the string that holds it. */
  readonly isOperand?: boolean;
}

/** A string that is an expression. */
export interface FoundExpression {
  readonly place: ReferencePlace;
  readonly pointer: string;
  /** The whole string. */
  readonly text: string;
  readonly parsed: ParsedExpression;
}

export interface Collecting {
  readonly uses: Use[];
  readonly expressions: FoundExpression[];
  fallback: boolean;
  readonly template: (text: string) => ParsedTemplate;
  readonly report: Report;
}

export function collectValue(value: unknown, pointer: string, place: ReferencePlace, collecting: Collecting): void {
  if (typeof value === 'string') {
    if (value.includes('{{')) collectText(value, pointer, place, collecting);
  } else if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      collectValue(value[index], `${pointer}/${index}`, place, collecting);
    }
  } else if (isRecord(value)) {
    for (const key of Object.keys(value)) {
      collectValue(value[key], `${pointer}/${pointerToken(key)}`, place, collecting);
    }
  }
}

function collectText(text: string, pointer: string, place: ReferencePlace, collecting: Collecting): void {
  const { segments, issues } = collecting.template(text);
  for (const { message } of issues) collecting.report.add('ref.syntax', pointer, message);
  for (const segment of segments) {
    if (segment.type === 'reference') collectReference(segment.reference, pointer, place, collecting);
    else if (segment.type === 'expression') collectExpression(text, segment.source, pointer, place, collecting);
  }
}

function collectReference(
  { alternatives }: Reference,
  pointer: string,
  place: ReferencePlace,
  collecting: Collecting,
): void {
  if (alternatives.length > 1) collecting.fallback = true;
  for (const alternative of alternatives) {
    if (alternative.type === 'literal') continue;
    const { head, path, text } = alternative;
    collecting.uses.push({ place, pointer, head, path, text });
  }
}

function collectExpression(
  text: string,
  source: string,
  pointer: string,
  place: ReferencePlace,
  collecting: Collecting,
): void {
  const compiled = compileExpression(source);
  if (!compiled.ok) {
    const at = compiled.at === undefined ? '' : ` (at character ${compiled.at})`;
    const message = `The expression ${shown(source.trim())} is invalid${at}: ${compiled.message.slice(0, 300)}`;
    collecting.report.add(compiled.code, pointer, message, {
      got: text.slice(0, 200),
      fix: foreignExpressionFix(text, source, pointer),
    });
    return;
  }
  const { expression: parsed } = compiled;
  if (parsed.asksForNull) collecting.fallback = true;
  collecting.expressions.push({ place, pointer, text, parsed });
  for (const { head, path, text: written } of parsed.references) {
    collecting.uses.push({ place, pointer, head, path, text: written, isOperand: true });
  }
}

/** Names are not known yet, but none is a word that only other languages have. */
const RULES: ForeignRules = {
  isName: (word) => word === word.toLowerCase() && word !== 'undefined',
  holderOf: () => undefined,
};

function foreignExpressionFix(text: string, source: string, pointer: string): Fix | undefined {
  const target = fromForeign(source, RULES);
  if (target === undefined || !compileExpression(target).ok) return undefined;
  return {
    code: 'condition.rewritten',
    message: `The expression ${shown(source.trim())} was written as ${shown(target.trim())}.`,
    edit: editText(pointer, (given) => (given === text ? text.replace(source, () => target) : given)),
  };
}

/** What undoes a node has no say in whether the node runs, so a `??` in it is none of the node. */
export function collectUndo(value: unknown, pointer: string, collecting: Collecting): void {
  collectValue(value, pointer, 'undo', { ...collecting, fallback: false });
}

/** The fields of `model` that data may decide. */
export const MODEL_FIELDS = ['id', 'tier', 'route'] as const;

export function collectModel(model: NonNullable<PlanNode['model']>, pointer: string, collecting: Collecting): void {
  for (const field of MODEL_FIELDS) {
    if (model[field]?.includes('{{') === true) collectValue(model[field], `${pointer}/${field}`, 'model', collecting);
  }
}

export function collectCondition(source: string, pointer: string, place: ReferencePlace, collecting: Collecting): void {
  const compiled = readCondition(source);
  if (!compiled.ok) return;
  for (const { head, path, text } of compiled.condition.references) {
    collecting.uses.push({ place, pointer, head, path, text });
  }
}

/** Every name counts as a head, except those that CEL reserves; the caller checks which heads are allowed. */
const OPTIONS = { heads: (name: string): boolean => !CEL_RESERVED.has(name) };

/** Compiled once: the references of a condition do not depend on the plan that contains it. */
export const readCondition = keptFor((source): CompiledCondition => compileCondition(source, OPTIONS));

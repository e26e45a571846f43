/**
 * Comparisons that can never hold, by the types of what they compare: a choice that an enum does not have, a number compared
 * with a text. Where a type is not known, nothing is said. Null is never in doubt: a skipped node gives it for any type.
 */
import type { Comparison, ReadValue } from '../../language/condition.ts';
import { nearest } from '../../language/suggest.ts';
import { readCondition } from '../analysis/collect-uses.ts';
import type { NodeAnalysis, PlanAnalysis } from '../analysis/plan-analysis.ts';
import { formatPath } from '../analysis/rename.ts';
import { shown } from '../document/report.ts';
import { canFit, type InferredType, type Leaf, stepInto, typeOfValue, typesOf } from '../inference/inferred-type.ts';

export function checkComparisons(nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): void {
  const { node, pointer } = nodeAnalysis;
  if (node.when !== undefined) checkSource(node.when, `${pointer}/when`, nodeAnalysis, analysis);
  if (node.repeat !== undefined) checkSource(node.repeat.until, `${pointer}/repeat/until`, nodeAnalysis, analysis);
  for (const { pointer: path, parsed } of nodeAnalysis.expressions) {
    checkAll(parsed.comparisons, `In the expression ${shown(parsed.source)}, `, path, nodeAnalysis, analysis);
  }
}

function checkSource(source: string, path: string, nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): void {
  const compiled = readCondition(source);
  if (!compiled.ok) return;
  checkAll(compiled.condition.comparisons, `In the condition ${shown(source)}, `, path, nodeAnalysis, analysis);
}

/** `place`: the beginning of every message. */
function checkAll(
  comparisons: readonly Comparison[],
  place: string,
  path: string,
  nodeAnalysis: NodeAnalysis,
  analysis: PlanAnalysis,
): void {
  let told: Set<string> | undefined;
  for (const comparison of comparisons) {
    const fault = faultOf(comparison, nodeAnalysis);
    if (fault === undefined || told?.has(fault.message) === true) continue;
    told = (told ?? new Set()).add(fault.message);
    const { message, isAlways, ...details } = fault;
    const severity = isAlways ? 'warning' : 'error';
    analysis.report.add('condition.never', path, place + message, { severity, ...details });
  }
}

interface Fault {
  readonly message: string;
  readonly expected?: unknown;
  readonly got?: unknown;
  readonly suggest?: readonly string[];
  /** The condition may still hold, but this part of it means nothing. */
  readonly isAlways: boolean;
}

function faultOf(comparison: Comparison, { inferredTypes }: NodeAnalysis): Fault | undefined {
  const { operator, read, literals = [], other } = comparison;
  if (comparison.isContradiction === true) {
    const message = `${nameOf(read)} cannot equal ${literals.map(shown).join(' and ')} at once: join the two with ||, or drop one.`;
    return { message, isAlways: false };
  }
  const inferred = typeOf(read, inferredTypes);
  if (inferred === 'any') return undefined;
  if (other !== undefined) return faultOfTwo(operator, read, inferred, other, typeOf(other, inferredTypes));
  if (operator !== '==' && operator !== '!=' && operator !== 'in')
    return faultOfOrder(operator, read, inferred, literals[0]);
  const impossible = literals.filter((literal) => !mayEqual(inferred, literal));
  if (impossible.length === 0) return undefined;
  return neverEqual(operator, read, inferred, impossible, impossible.length < literals.length);
}

function neverEqual(
  operator: string,
  read: ReadValue,
  inferred: readonly Leaf[],
  values: readonly unknown[],
  isPart: boolean,
): Fault {
  const choices = choicesOf(inferred);
  const [value] = values;
  const is =
    choices === undefined ? kindsOf(inferred).join(' or ') : `one of ${choices.slice(0, 20).map(shown).join(', ')}`;
  const remedy = choices === undefined ? 'compare it with a value of that type' : 'use one of these';
  return {
    message: `${nameOf(read)} never equals ${values.slice(0, 5).map(shown).join(' or ')}, because it is ${is}: ${remedy}.`,
    expected: choices ?? kindsOf(inferred),
    got: value,
    suggest:
      typeof value === 'string'
        ? nearest(
            value,
            (choices ?? []).filter((choice) => typeof choice === 'string'),
          )
        : [],
    isAlways: operator === '!=' || isPart,
  };
}

function faultOfOrder(
  operator: string,
  read: ReadValue,
  inferred: readonly Leaf[],
  literal: unknown,
): Fault | undefined {
  const types = kindsOf(inferred);
  const kind = orderedKind(typeOfValue(literal));
  if (literal === null || types.length === 0 || types.some((type) => orderedKind(type) === kind)) return undefined;
  const message = `${nameOf(read)} ${operator} ${shown(literal)} is never true, because it is ${types.join(' or ')}: compare it with a value of that type${kind === 'string' ? ', a number without quotes' : ''}.`;
  return { message, expected: types, got: literal, isAlways: false };
}

function faultOfTwo(
  operator: string,
  read: ReadValue,
  mine: readonly Leaf[],
  other: ReadValue,
  theirs: InferredType,
): Fault | undefined {
  if (theirs === 'any' || kindsOf(mine).length === 0 || kindsOf(theirs).length === 0) return undefined;
  if (canFit(mine, theirs) || (hasNull(mine) && hasNull(theirs))) return undefined;
  const [left, right] = [kindsOf(mine).join(' or '), kindsOf(theirs).join(' or ')];
  const why = left === right ? 'they have no value in common' : `one is ${left}, the other ${right}`;
  const message = `${nameOf(read)} and ${nameOf(other)} can never be equal or in order, because ${why}: compare values of the same type.`;
  return { message, isAlways: operator === '!=' };
}

// ---------------------------------------------------------------------------------------------------- types

const nameOf = ({ text, further }: ReadValue): string => shown(formatPath(text, further)).slice(1, -1);

function typeOf({ text, further }: ReadValue, inferredTypes: NodeAnalysis['inferredTypes']): InferredType {
  let inferred: InferredType | undefined = inferredTypes.get(text) ?? 'any';
  for (const step of further) inferred = inferred === undefined ? undefined : stepInto(inferred, step);
  return inferred ?? 'any';
}

function mayEqual(inferred: readonly Leaf[], value: unknown): boolean {
  if (value === null || inferred.length === 0) return true;
  const type = orderedKind(typeOfValue(value));
  return inferred.some((leaf) => {
    const types = typesOf(leaf);
    if (types !== undefined && !types.some((one) => orderedKind(one) === type)) return false;
    const { enum: choices, const: only } = leaf.schema;
    if (only !== undefined) return only === value;
    return !Array.isArray(choices) || choices.includes(value);
  });
}

/** Whole and fractional numbers are compared with one another. */
const orderedKind = (type: string): string => (type === 'integer' ? 'number' : type);

const hasNull = (leaves: readonly Leaf[]): boolean => leaves.some((leaf) => typesOf(leaf)?.includes('null') ?? true);

/** The types that it may have besides null; none where one is not known. */
function kindsOf(leaves: readonly Leaf[]): readonly string[] {
  const kinds = new Set<string>();
  for (const leaf of leaves) {
    const types = typesOf(leaf);
    if (types === undefined) return [];
    for (const type of types) if (type !== 'null') kinds.add(type);
  }
  return [...kinds];
}

/** All values that it may have; undefined where it is not a choice. */
function choicesOf(leaves: readonly Leaf[]): readonly unknown[] | undefined {
  const choices: unknown[] = [];
  for (const { schema } of leaves) {
    if (schema.const !== undefined) choices.push(schema.const);
    else if (Array.isArray(schema.enum)) choices.push(...schema.enum);
    else if (schema.type !== 'null') return undefined;
  }
  return choices;
}

/** Checks the inputs of a node against the schema of its step: names, types, literals. */
import type { JsonSchema } from '../../core/model/model.ts';
import { nearest } from '../../language/suggest.ts';
import type { NodeAnalysis, PlanAnalysis } from '../analysis/plan-analysis.ts';
import { isRecord, pointerToken, renameKey } from '../document/document.ts';
import { createReport, type FindingDetails, type Report, shown } from '../document/report.ts';
import {
  canFit,
  type InferredType,
  inferredType,
  type Leaf,
  leavesOf,
  mayBe,
  typeOfValue,
  typesOf,
  typesOfInferred,
} from '../inference/inferred-type.ts';

/** How the messages name what is checked: an input of a step, or what stands in for an output. */
export interface Words {
  /** The whole value. */
  readonly whole: string;
  /** Before the rule: `"tool:search" takes`. */
  readonly takes: string;
  /** After a name: `which "tool:search" does not take`. */
  readonly unknown: string;
  /** After a name: `which "tool:search" requires`. */
  readonly required: string;
}

export interface Checking {
  /** Pointer of the whole value. */
  readonly base: string;
  /** Asked only where there is something to say. */
  readonly words: () => Words;
  /** The strings of the value are rendered, so one with a reference has the type of that. */
  readonly isRendered: boolean;
  readonly nodeAnalysis: NodeAnalysis;
  readonly analysis: PlanAnalysis;
  readonly report: Report;
  /** Values that are still compared: with several types to try at each level, nested literals could take for ever. */
  readonly values: { left: number };
}

export const MOST_VALUES = 20_000;

const DEEPEST = 16;

export function checkInputs(nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): void {
  const { node, step, pointer } = nodeAnalysis;
  if (step === undefined || analysis.isBroken(nodeAnalysis, 'in')) return;
  const base = `${pointer}/in`;
  const checking: Checking = {
    base,
    words: () => wordsOf(`"${node.use}"`),
    isRendered: true,
    nodeAnalysis,
    analysis,
    report: analysis.report,
    values: { left: MOST_VALUES },
  };
  checkValue(node.in ?? {}, inferredType(step.input), base, checking, 0);
  // The only built-in step that needs one of two inputs; shorthand cannot express that.
  const asks = node.use !== 'llm' || node.in?.prompt !== undefined || node.in?.messages !== undefined;
  if (!asks) missingField(['prompt', 'messages'], base, checking);
}

const wordsOf = (use: string): Words => ({
  whole: 'The input',
  takes: `${use} takes`,
  unknown: `which ${use} does not take`,
  required: `which ${use} requires`,
});

/** Reports a value that fits no leaf; with several leaves, the issues of the leaf with the fewest. */
export function checkValue(
  value: unknown,
  expected: InferredType,
  pointer: string,
  checking: Checking,
  depth: number,
): void {
  if (expected === 'any' || depth > DEEPEST || checking.values.left < 0) return;
  checking.values.left -= 1;
  if (checking.isRendered && typeof value === 'string' && value.includes('{{')) {
    checkTemplate(value, expected, pointer, checking);
    return;
  }
  const [only] = expected;
  if (only !== undefined && expected.length === 1) {
    checkLeaf(value, only, pointer, checking, depth);
    return;
  }
  let best: Report | undefined;
  for (const leaf of expected) {
    if (!mayBeValue(leaf, value)) continue;
    const trial = createReport();
    checkLeaf(value, leaf, pointer, { ...checking, report: trial }, depth);
    if (trial.findings.length === 0) return;
    if (best === undefined || trial.findings.length < best.findings.length) best = trial;
  }
  if (best === undefined) {
    mismatch(value, typesOfInferred(expected), pointer, checking);
    return;
  }
  for (const { code, path, message, ...details } of best.findings) checking.report.add(code, path, message, details);
}

const mayBeValue = (leaf: Leaf, value: unknown): boolean => {
  const type = typeOfValue(value);
  return mayBe(leaf, type) || (type === 'integer' && mayBe(leaf, 'number'));
};

function mismatch(value: unknown, types: readonly string[] | undefined, pointer: string, checking: Checking): void {
  const rule = types === undefined || types.length === 0 ? 'another type' : types.join(' or ');
  const message = `${place(pointer, checking)} is ${shown(value)}, but ${checking.words().takes} ${rule}.`;
  checking.report.add('type.mismatch', pointer, message, { expected: types, got: typeOfValue(value) });
}

/** The place in words: `"query" of node "docs"`. */
const place = (pointer: string, { nodeAnalysis, base, words }: Checking): string => {
  const inside = pointer.slice(base.length + 1);
  return `${inside === '' ? words().whole : shown(inside)} of node "${nodeAnalysis.node.id}"`;
};

// ---------------------------------------------------------------------------------------------------- references

const TEXT: InferredType = [{ schema: { type: 'string' }, root: {} }];

function checkTemplate(text: string, expected: InferredType, pointer: string, checking: Checking): void {
  const { segments } = checking.analysis.template(text);
  const [first] = segments;
  if (first?.type === 'expression') {
    checkInferred(shown(text), checking.nodeAnalysis.inferredTypes.get(text) ?? 'any', expected, pointer, checking);
    return;
  }
  if (segments.length !== 1 || first?.type !== 'reference') {
    if (!canFit(TEXT, expected)) mismatch(text, typesOfInferred(expected), pointer, checking);
    return;
  }
  for (const alternative of first.reference.alternatives) {
    if (alternative.type === 'literal' && typeof alternative.value === 'object' && alternative.value !== null) {
      checkValue(alternative.value, expected, pointer, { ...checking, isRendered: false }, 0);
      continue;
    }
    const named = alternative.type === 'path' ? alternative.text : shown(alternative.value);
    const actual = inferredOfAlternative(alternative, checking);
    checkInferred(`{{${shown(named).slice(1, -1)}}}`, actual, expected, pointer, checking);
  }
}

/** `name`: what has the type `actual`, as it is written. */
function checkInferred(
  name: string,
  actual: InferredType,
  expected: InferredType,
  pointer: string,
  checking: Checking,
): void {
  if (canFit(actual, expected)) return;
  const types = typesOfInferred(expected);
  const got = typesOfInferred(actual);
  const same = got?.join() === types?.join();
  const is = same ? `${got?.join(' or ') ?? 'a value'} of a different shape` : (got?.join(' or ') ?? 'a value');
  const message = `${place(pointer, checking)} is ${name}, which is ${is}, but ${checking.words().takes} ${types?.join(' or ') ?? 'another type'}.`;
  checking.report.add('type.mismatch', pointer, message, { expected: types, got });
}

type Alternative =
  | { readonly type: 'path'; readonly text: string }
  | { readonly type: 'literal'; readonly value: unknown };

function inferredOfAlternative(alternative: Alternative, { nodeAnalysis }: Checking): InferredType {
  if (alternative.type === 'path') return nodeAnalysis.inferredTypes.get(alternative.text) ?? 'any';
  if (alternative.value === null) return 'any';
  return [{ schema: { const: alternative.value }, root: {} }];
}

// ---------------------------------------------------------------------------------------------------- literals

function checkLeaf(value: unknown, leaf: Leaf, pointer: string, checking: Checking, depth: number): void {
  if (!mayBeValue(leaf, value)) {
    mismatch(value, typesOf(leaf), pointer, checking);
    return;
  }
  const { schema, root } = leaf;
  if (!isChoice(value, schema)) {
    wrongChoice(value, schema, pointer, checking);
    return;
  }
  const rule = brokenBound(value, schema);
  if (rule !== undefined) {
    const message = `${place(pointer, checking)} is ${shown(value)}, but ${checking.words().takes} ${rule}.`;
    checking.report.add('type.mismatch', pointer, message, { expected: rule, got: shown(value) });
  }
  if (Array.isArray(value)) {
    const items = leavesOf(schema.items, root);
    value.forEach((item, index) => {
      checkValue(item, items, `${pointer}/${index}`, checking, depth + 1);
    });
  } else if (isRecord(value)) checkObject(value, leaf, pointer, checking, depth);
}

function isChoice(value: unknown, schema: JsonSchema): boolean {
  if (schema.const !== undefined) return isSame(schema.const, value);
  return !Array.isArray(schema.enum) || schema.enum.includes(value) || isAmong(schema.enum, value);
}

const isSame = (left: unknown, right: unknown): boolean => left === right || isAmong([left], right);

/** For objects and arrays. The value is written once, however many choices there are. */
function isAmong(choices: readonly unknown[], value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const text = JSON.stringify(value);
  return choices.some((choice) => typeof choice === 'object' && JSON.stringify(choice) === text);
}

function wrongChoice(value: unknown, schema: JsonSchema, pointer: string, checking: Checking): void {
  const choices: readonly unknown[] = Array.isArray(schema.enum) ? schema.enum : [schema.const];
  const names = choices.filter((choice) => typeof choice === 'string');
  const details: FindingDetails = {
    expected: choices,
    got: shown(value),
    suggest: typeof value === 'string' ? nearest(value, names) : [],
  };
  const message = `${place(pointer, checking)} is ${shown(value)}, but ${checking.words().takes} one of ${choices.slice(0, 20).map(shown).join(', ')}.`;
  checking.report.add('type.mismatch', pointer, message, details);
}

/** The bound that a literal violates, in words; undefined when it violates none. */
function brokenBound(value: unknown, schema: JsonSchema): string | undefined {
  const { minimum, maximum, minLength, maxLength, minItems, maxItems } = schema;
  const size = typeof value === 'number' ? value : typeof value === 'string' || Array.isArray(value) ? value.length : 0;
  const [least, most, unit] =
    typeof value === 'number'
      ? [minimum, maximum, '']
      : typeof value === 'string'
        ? [minLength, maxLength, ' characters']
        : Array.isArray(value)
          ? [minItems, maxItems, ' entries']
          : [];
  if (typeof least === 'number' && size < least) return `at least ${least}${unit ?? ''}`;
  return typeof most === 'number' && size > most ? `at most ${most}${unit ?? ''}` : undefined;
}

function checkObject(
  value: Record<string, unknown>,
  leaf: Leaf,
  pointer: string,
  checking: Checking,
  depth: number,
): void {
  const { schema, root } = leaf;
  const properties = isRecord(schema.properties) ? schema.properties : {};
  for (const key of Object.keys(value)) {
    const child = `${pointer}/${pointerToken(key)}`;
    if (Object.hasOwn(properties, key)) {
      checkValue(value[key], leavesOf(properties[key], root), child, checking, depth + 1);
    } else if (isRecord(schema.additionalProperties)) {
      checkValue(value[key], leavesOf(schema.additionalProperties, root), child, checking, depth + 1);
    } else unknownField(key, value, leaf, pointer, checking);
  }
  const { required } = schema;
  if (Array.isArray(required)) {
    for (const name of required)
      if (typeof name === 'string' && !Object.hasOwn(value, name)) missingField([name], pointer, checking);
  }
  const choices = schema.anyOf ?? schema.oneOf;
  if (!Array.isArray(choices) || choices.length === 0) return;
  const needs = choices.map((choice) => (isRecord(choice) ? requiredOf(choice) : []));
  if (needs.some((names) => names.every((name) => Object.hasOwn(value, name)))) return;
  missingField(
    needs.map((names) => names.join(' with ')),
    pointer,
    checking,
  );
}

const requiredOf = (schema: Readonly<Record<string, unknown>>): readonly string[] =>
  Array.isArray(schema.required) ? schema.required.filter((name) => typeof name === 'string') : [];

function missingField(names: readonly string[], pointer: string, checking: Checking): void {
  const what = names.map((name) => `"${name}"`).join(' or ');
  const message = `${place(pointer, checking)} lacks ${what}, ${checking.words().required}: add ${names.length === 1 ? 'it' : 'one of them'}.`;
  checking.report.add('in.missing', pointer, message, { expected: names });
}

/** Reports an input that the step does not know: an error where its schema is closed, else a warning. */
function unknownField(
  key: string,
  value: Record<string, unknown>,
  leaf: Leaf,
  pointer: string,
  checking: Checking,
): void {
  if (checking.report.isFull()) return;
  const { properties, additionalProperties, patternProperties } = leaf.schema;
  if (patternProperties !== undefined || additionalProperties === true) return;
  const known = isRecord(properties) ? Object.keys(properties) : [];
  const closed = additionalProperties === false;
  if (known.length === 0 && !closed) return;
  const free = known.filter((name) => !Object.hasOwn(value, name));
  const { naming } = checking.analysis;
  const target = naming.respelt(key, free, naming.isHarmless(checking.nodeAnalysis));
  const message = `${place(pointer, checking)} has ${shown(key)}, ${checking.words().unknown}: remove or rename it.`;
  checking.report.add('in.unknown', `${pointer}/${pointerToken(key)}`, message, {
    severity: closed ? 'error' : 'warning',
    expected: known.slice(0, 50),
    got: key,
    suggest: nearest(key, free),
    fix:
      target === undefined
        ? undefined
        : {
            code: 'name.corrected',
            message: `The input ${shown(key)} was renamed to "${target}".`,
            edit: renameKey(pointer, key, target),
          },
  });
}

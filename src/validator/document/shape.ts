/**
 * Checks the shape of the document. A document that zod accepts is the plan. Otherwise every zod issue becomes one of ours,
 * and the rest without the invalid fields is checked like any other plan, so that one round shows all issues.
 */

import type { z } from 'zod';
import { isPlanQuestion, MOST_PLAN_QUESTIONS } from '../../core/plan/approval.ts';
import { NODE_ID, type Plan, type PlanBounds, type PlanNode, WORKFLOW_NAME } from '../../core/plan/plan.ts';
import { PlanSchema, PlanWorkflowSchema } from '../../core/plan/plan-schema.ts';
import { nearest } from '../../language/suggest.ts';
import type { IssueCode } from './codes.ts';
import { isRecord, ownValue, pointerOf, renameKey } from './document.ts';
import { hasPlanShape } from './plan-shape.ts';
import { correction, type Fix, type Report, shown } from './report.ts';

/** A plan of which some fields may be missing; nodes keep their places. */
export interface ShapedPlan {
  readonly plan: Plan;
  /** `index/field` of each field dropped for its shape; only `index` for a node without a usable id or use. */
  readonly broken: ReadonlySet<string>;
  /** The workflows of the plan by name, in the order in which they are written. @default none */
  readonly members?: ReadonlyMap<string, ShapedPlan>;
}

const NONE: ReadonlySet<string> = new Set();

/** @param respelt the only one of the names that a misspelt one is */
export function readShape(
  document: unknown,
  bounds: PlanBounds,
  report: Report,
  respelt: Respelt,
): ShapedPlan | undefined {
  if (!isRecord(document)) {
    const got = Array.isArray(document) ? 'an array' : shown(document);
    report.add(
      'shape.type',
      '',
      `A plan must be a JSON object, but this is ${got}: give { "version": 1, "nodes": [ … ] }.`,
    );
    return undefined;
  }
  if (hasTooManyNodes(document, bounds, report)) return undefined;
  if (hasPlanShape(document)) return shapedPlan(document);
  const parsed = PlanSchema.safeParse(document);
  // No field is present and undefined, because the document was read as JSON.
  if (parsed.success) return shapedPlan(parsed.data as Plan);
  for (const issue of parsed.error.issues) if (!report.isFull()) reportIssue(issue, { document, report, respelt });
  return salvage(document, parsed.error.issues);
}

/** The nodes of its workflows count too: a plan cannot hide its size in them. */
function hasTooManyNodes(document: Record<string, unknown>, bounds: PlanBounds, report: Report): boolean {
  const own = countNodes(document) - countQuestions(document);
  const workflows = ownValue(document, 'workflows');
  let sum = own;
  if (isRecord(workflows)) for (const name of Object.keys(workflows)) sum += countNodes(workflows[name]);
  if (sum <= bounds.nodes) return false;
  const inside = sum === own ? '' : ` (${sum - own} of them in its workflows)`;
  const message = `The plan has ${sum} nodes${inside}, but at most ${bounds.nodes} are allowed: use "each" or a sub-workflow.`;
  const path = own > bounds.nodes || sum === own ? '/nodes' : '/workflows';
  report.add('size.nodes', path, message, { expected: { atMost: bounds.nodes }, got: sum });
  return true;
}

function countNodes(owner: unknown): number {
  const nodes = ownValue(owner, 'nodes');
  return Array.isArray(nodes) ? nodes.length : 0;
}

/** The questions of its approval are no part of what was written. */
function countQuestions(document: Record<string, unknown>): number {
  const nodes = ownValue(document, 'nodes');
  if (!Array.isArray(nodes)) return 0;
  let count = 0;
  for (const node of nodes) if (count < MOST_PLAN_QUESTIONS && isPlanQuestion(node)) count += 1;
  return count;
}

/** A plan of the right shape, with its workflows as plans. */
export function shapedPlan(plan: Plan): ShapedPlan {
  if (plan.workflows === undefined) return { plan, broken: NONE };
  const members = Object.entries(plan.workflows).map(
    ([name, member]) => [name, { plan: { version: 1, ...member }, broken: NONE }] as const,
  );
  return { plan, broken: NONE, members: new Map(members) };
}

/** The document without the fields that zod refused. */
function salvage(document: Record<string, unknown>, issues: readonly z.core.$ZodIssue[]): ShapedPlan {
  const { workflows, ...rest } = document;
  const own = issues.filter(({ path }) => path[0] !== 'workflows');
  const shaped = salvageOne(rest, own);
  if (!isRecord(workflows)) return shaped;
  const members = new Map<string, ShapedPlan>();
  for (const [name, member] of Object.entries(workflows)) {
    if (!WORKFLOW_NAME.test(name) || !isRecord(member)) continue;
    const within = issues.filter(({ path }) => path[0] === 'workflows' && path[1] === name);
    const inside = within.map((issue) => ({ ...issue, path: issue.path.slice(2) }));
    members.set(name, salvageOne(member, inside));
  }
  return { ...shaped, members };
}

function salvageOne(document: Record<string, unknown>, issues: readonly z.core.$ZodIssue[]): ShapedPlan {
  const broken = new Set<string>();
  const bad = new Set<string>();
  for (const { path, code, ...rest } of issues) {
    const keys = code === 'unrecognized_keys' && 'keys' in rest ? rest.keys : [];
    if (path[0] !== 'nodes') for (const key of path.length === 0 ? keys : path.slice(0, 1)) bad.add(String(key));
    else if (path.length === 2)
      for (const key of keys.length === 0 ? [''] : keys) broken.add(`${String(path[1])}/${key}`);
    else if (path.length > 2) broken.add(`${String(path[1])}/${String(path[2])}`);
  }
  const nodes = Array.isArray(document.nodes) ? document.nodes : [];
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(document)) if (!bad.has(key)) kept[key] = value;
  // The schema accepted all remaining fields.
  const plan = { ...kept, version: 1, nodes: nodes.map((node, index) => salvageNode(node, index, broken)) } as Plan;
  return { plan, broken };
}

function salvageNode(node: unknown, index: number, broken: Set<string>): PlanNode {
  const kept: Record<string, unknown> = { id: '', use: '' };
  if (isRecord(node)) {
    for (const [key, value] of Object.entries(node)) if (!broken.has(`${index}/${key}`)) kept[key] = value;
    // Other nodes may refer to an invalid id.
    if (kept.id === '' && typeof node.id === 'string') kept.id = node.id;
  }
  if (kept.id === '' || kept.use === '') broken.add(String(index));
  return kept as unknown as PlanNode;
}

// ---------------------------------------------------------------------------------------------------- issues

export const NODE_FIELDS: readonly string[] = Object.keys(PlanSchema.shape.nodes.element.shape);
const PLAN_FIELDS = Object.keys(PlanSchema.shape);
const WORKFLOW_FIELDS = Object.keys(PlanWorkflowSchema.shape);

/** A path in a workflow of the plan as it would be in the plan itself. */
const withinPlan = (path: readonly PropertyKey[]): readonly PropertyKey[] =>
  path[0] === 'workflows' ? path.slice(2) : path;

/** Common names that models use for the fields of a node. */
const USUAL_NAMES: ReadonlyMap<string, string> = new Map([
  ...['inputs', 'input', 'args', 'arguments', 'parameters', 'params'].map((name) => [name, 'in'] as const),
  ...['depends_on', 'dependsOn', 'dependencies', 'after', 'depends'].map((name) => [name, 'needs'] as const),
  ...['tool', 'type', 'uses', 'step', 'action', 'kind'].map((name) => [name, 'use'] as const),
  ...['foreach', 'forEach', 'for_each', 'map', 'loop'].map((name) => [name, 'each'] as const),
  ...['if', 'condition'].map((name) => [name, 'when'] as const),
  ...['outputs', 'output', 'schema', 'returns'].map((name) => [name, 'out'] as const),
  ...['name', 'key'].map((name) => [name, 'id'] as const),
  ['on_error', 'onError'],
]);

export type Respelt = (name: string, names: readonly string[]) => string | undefined;

interface Reporting {
  readonly document: unknown;
  readonly report: Report;
  readonly respelt: Respelt;
}

function reportIssue(issue: z.core.$ZodIssue, reporting: Reporting): void {
  const { document, report, respelt } = reporting;
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) if (!report.isFull()) reportUnknownField(key, issue.path, reporting);
    return;
  }
  const deeper = issue.code === 'invalid_union' ? unionIssue(issue) : undefined;
  if (deeper !== undefined) {
    reportIssue(deeper, reporting);
    return;
  }
  const path = pointerOf(issue.path);
  const value = issue.path.reduce<unknown>((owner, key) => ownValue(owner, String(key)), document);
  const { code, rule, expected } = ruleOf(issue, value);
  const got = value === undefined ? undefined : shown(value);
  const message =
    value === undefined ? `${placeOf(path)} is missing: ${rule}.` : `${placeOf(path)} is ${got}: ${rule}.`;
  const choices = issue.code === 'invalid_value' ? issue.values.filter((name) => typeof name === 'string') : [];
  const name = typeof value === 'string' ? value : '';
  const slip = respelt(name, choices);
  const fix = slip === undefined ? undefined : correction(name, slip, path);
  report.add(code, path, message, { expected, got, suggest: nearest(name, choices), fix });
}

const placeOf = (path: string): string => (path === '' ? 'The plan' : `The value at ${path}`);

/** The issue of the shape that was meant, out of a union: that of the object when the value is an object. */
function unionIssue(issue: z.core.$ZodIssueInvalidUnion): z.core.$ZodIssue | undefined {
  const [first, second] = issue.errors;
  const format = second?.[0];
  // The second choice is a reference as a whole; whoever wrote something else meant the first.
  if (format?.code === 'invalid_format' && format.format === 'template_literal' && first?.[0] !== undefined)
    return { ...first[0], path: [...issue.path, ...first[0].path] };
  // Of several objects, the one that least is wrong with.
  const objects = issue.errors.filter((errors) => errors.some(isWithin));
  const meant = objects.reduce<(typeof objects)[number]>(
    (best, errors) => (best.length === 0 || errors.length < best.length ? errors : best),
    [],
  );
  const deepest = meant.find(isWithin);
  return deepest === undefined ? undefined : { ...deepest, path: [...issue.path, ...deepest.path] };
}

const isWithin = ({ path, code }: z.core.$ZodIssue): boolean => path.length > 0 || code === 'unrecognized_keys';

interface Rule {
  readonly code: IssueCode;
  readonly rule: string;
  readonly expected: unknown;
}

function ruleOf(issue: z.core.$ZodIssue, value: unknown): Rule {
  const last = issue.path.at(-1);
  if (value === undefined && last === 'max' && issue.path.at(-2) === 'repeat') {
    return { code: 'repeat.unbounded', rule: 'give the most rounds that "repeat" may take', expected: 'integer' };
  }
  const code = value === undefined ? 'shape.required' : issue.code === 'invalid_type' ? 'shape.type' : 'shape.value';
  if (issue.code === 'invalid_type') return { code, rule: `give ${article(issue.expected)}`, expected: issue.expected };
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String);
    return { code, rule: `give ${values.length === 1 ? '' : 'one of '}${values.join(', ')}`, expected: values };
  }
  if (issue.code === 'too_small') {
    return {
      code,
      rule: `give ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${unitOf(issue.origin)}`,
      expected: { atLeast: issue.minimum },
    };
  }
  if (issue.code === 'too_big') {
    return { code, rule: `give at most ${issue.maximum}${unitOf(issue.origin)}`, expected: { atMost: issue.maximum } };
  }
  if (issue.code === 'invalid_key') {
    const rule = 'a name starts with a lower-case letter and has at most 61 lower-case letters, digits, _ and -';
    return { code: 'shape.value', rule, expected: WORKFLOW_NAME.source };
  }
  if (last === 'id') {
    const rule = 'an id starts with a lower-case letter and has at most 40 letters, digits and underscores';
    return { code, rule, expected: NODE_ID.source };
  }
  const choices = issue.code === 'invalid_union' ? unionChoices(issue) : [];
  if (choices.length > 0) return { code, rule: `give ${choices.join(', or ')}`, expected: choices };
  return { code, rule: issue.message, expected: undefined };
}

const article = (type: string): string =>
  type === 'nonoptional'
    ? 'a value'
    : type === 'record'
      ? 'an object'
      : type === 'int'
        ? 'a whole number'
        : `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`;

const unitOf = (origin: string): string =>
  origin === 'string' ? ' characters' : origin === 'array' || origin === 'set' ? ' entries' : '';

const unionChoices = (issue: z.core.$ZodIssueInvalidUnion): string[] =>
  issue.errors.flat().flatMap((inner) => {
    if (inner.code === 'invalid_value') return inner.values.map((value) => JSON.stringify(value) ?? String(value));
    return inner.code === 'invalid_type' ? [article(inner.expected)] : [];
  });

function reportUnknownField(key: string, path: readonly PropertyKey[], reporting: Reporting): void {
  const { document, report, respelt } = reporting;
  const owner = path.reduce<unknown>((value, part) => ownValue(value, String(part)), document);
  const within = withinPlan(path);
  const inNode = within.length === 2 && within[0] === 'nodes';
  const known = knownFields(path);
  const usual = inNode ? USUAL_NAMES.get(key) : undefined;
  const free = known.filter((name) => ownValue(owner, name) === undefined);
  const target = usual !== undefined && free.includes(usual) ? usual : respelt(key, free);
  const suggest = [...new Set([...(usual === undefined ? [] : [usual]), ...nearest(key, known)])].slice(0, 3);
  const where = pointerOf(path);
  const message = `${shown(key)} is not a field of ${path.length === 0 ? 'a plan' : `the object at ${where}`}: remove or rename it.`;
  const fix: Fix | undefined =
    target === undefined
      ? undefined
      : {
          code: 'field.renamed',
          message: `The field ${shown(key)} was renamed to "${target}".`,
          edit: renameKey(where, key, target),
        };
  report.add('shape.unknown_field', pointerOf([...path, key]), message, { expected: known, got: key, suggest, fix });
}

/** The fields that the schema knows at a path. */
function knownFields(path: readonly PropertyKey[]): readonly string[] {
  if (path.length === 0) return PLAN_FIELDS;
  const within = withinPlan(path);
  if (within.length === 0) return path.length === 2 ? WORKFLOW_FIELDS : [];
  if (within.length === 2 && within[0] === 'nodes') return NODE_FIELDS;
  const field = within[0] === 'nodes' ? within.at(within[3] === 'intent' ? 3 : 2) : within[0];
  return FIELDS_WITHIN.get(String(field)) ?? [];
}

const FIELDS_WITHIN: ReadonlyMap<string, readonly string[]> = new Map([
  ['budget', ['usd', 'seconds']],
  ['model', ['id', 'tier', 'strict', 'can', 'strengths', 'route', 'task', 'intent']],
  ['intent', ['usd', 'ms', 'accuracy']],
  ['escalate', ['evaluator', 'below', 'to', 'context']],
  ['limits', ['usd', 'seconds', 'attemptSeconds', 'retries', 'concurrency', 'tokens']],
  ['repeat', ['until', 'max']],
  ['wait', ['atLeast']],
  ['onError', ['value', 'keep']],
  ['undo', ['use', 'in']],
  ['thread', ['key', 'last', 'tokens', 'summarise']],
]);

/** The templates and conditions of a node, parsed once however many runs, items and rounds it has. */

import { PolyphonyError } from '../../core/errors.ts';
import { copyJson } from '../../core/json/copy-json.ts';
import type { PlanNode } from '../../core/plan/plan.ts';
import { threadSettings } from '../../core/plan/thread.ts';
import { compileCondition } from '../../language/condition.ts';
import {
  type CompiledTemplate,
  compileTemplate,
  expressionIn,
  listReferences,
  type RenderMeter,
  resolveReference,
  type TemplateScope,
} from '../../language/template.ts';

export type Test = (scope: TemplateScope) => boolean;

/** The key of a session or a thread; undefined where a value that it refers to is missing, or nothing is left of it. */
export type SessionKey = (scope: TemplateScope, meter: RenderMeter) => string | undefined;

export interface CompiledNode {
  readonly inputs: CompiledTemplate;
  readonly each: CompiledTemplate | undefined;
  readonly when: Test | undefined;
  readonly until: Test | undefined;
  readonly session: SessionKey | undefined;
  /** The fields of `model` that data decides; undefined: it has none. */
  readonly model: CompiledTemplate | undefined;
  readonly thread: SessionKey | undefined;
}

const NO_INPUTS = {};
const NOTHING: CompiledNode = {
  inputs: { dynamic: false, render: () => NO_INPUTS },
  each: undefined,
  when: undefined,
  until: undefined,
  session: undefined,
  model: undefined,
  thread: undefined,
};

/** @throws invalid-plan when a condition does not compile; those of a valid plan always do */
function compileNode(node: PlanNode): CompiledNode {
  const { in: inputs } = node;
  const known = expressionsOf(node);
  if (inputs === undefined) return known;
  const { each, when, until, session, model, thread } = known;
  // A copy, because runs at the same time may share a valid plan, and a tool may change the list that it was given.
  return { inputs: compileTemplate(copyJson(inputs)), each, when, until, session, model, thread };
}

/** Kept with the node, because runs of the same plan share it, and a condition takes longer to compile than a step that does little. */
const expressions = new WeakMap<PlanNode, CompiledNode>();

/** Everything but its inputs. */
function expressionsOf(node: PlanNode): CompiledNode {
  const { each, when, repeat, session, thread } = node;
  const model = modelByData(node);
  if (!each && !when && !repeat && !session && !thread && !model) return NOTHING;
  const known = expressions.get(node);
  if (known !== undefined) return known;
  const made: CompiledNode = {
    inputs: NOTHING.inputs,
    each: each === undefined ? undefined : compileTemplate(each),
    when: when === undefined ? undefined : compileTest(node.id, when),
    until: repeat === undefined ? undefined : compileTest(node.id, repeat.until),
    session: session === undefined ? undefined : compileSession(session),
    model: model === undefined ? undefined : compileTemplate(model),
    thread: thread === undefined ? undefined : compileSession(threadSettings(thread).key),
  };
  expressions.set(node, made);
  return made;
}

function modelByData({ model }: PlanNode): Readonly<Record<string, string>> | undefined {
  if (model === undefined) return undefined;
  const { id, tier, route } = model;
  const fields = Object.entries({ id, tier, route }).filter(([, text]) => text?.includes('{{') === true);
  return fields.length === 0 ? undefined : (Object.fromEntries(fields) as Readonly<Record<string, string>>);
}

function compileSession(source: string): SessionKey {
  const template = compileTemplate(source);
  // An expression says itself what to do with a value that is missing.
  const isExpression = expressionIn(source) !== undefined;
  const references = (isExpression ? [] : listReferences(source)).map(({ reference }) => reference);
  return (scope, meter) => {
    if (references.some((reference) => resolveReference(reference, scope) === null)) return undefined;
    const value = template.render(scope, meter);
    if (value === null) return undefined;
    const key = typeof value === 'string' ? value : JSON.stringify(value);
    return key === '' ? undefined : key;
  };
}

function compileTest(nodeId: string, source: string): Test {
  const compiled = compileCondition(source, { heads: () => true });
  if (!compiled.ok) {
    const message = `The condition ${JSON.stringify(source)} of node ${nodeId} does not compile: ${compiled.message}`;
    throw new PolyphonyError('invalid-plan', message);
  }
  const { condition } = compiled;
  const heads = [...new Set(condition.references.map(({ head }) => head))];
  return (scope) =>
    condition.evaluate(Object.fromEntries(heads.map((head) => [head, scope(head)])), (head) => scope(head, 'meta'));
}

/** The compiled form of a task's node, made when first needed. */
export function compiledOf(task: { readonly node: PlanNode; compiled: CompiledNode | undefined }): CompiledNode {
  task.compiled ??= compileNode(task.node);
  return task.compiled;
}

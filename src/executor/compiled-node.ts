/** The templates and conditions of a node, parsed once however many runs, items and rounds it has. */
import { PolyphonyError } from '../core/errors.ts';
import type { PlanNode, ValidPlan } from '../core/plan.ts';
import { type CompiledTemplate, compileTemplate, type TemplateScope } from '../core/template.ts';
import { compileCondition } from '../kit/condition.ts';

export type Test = (scope: TemplateScope) => boolean;

export interface CompiledNode {
  readonly inputs: CompiledTemplate;
  readonly each: CompiledTemplate | undefined;
  readonly when: Test | undefined;
  readonly until: Test | undefined;
  readonly session: CompiledTemplate | undefined;
}

const NO_INPUTS = {};
const nodes = new WeakMap<PlanNode, CompiledNode>();
const outputs = new WeakMap<ValidPlan, CompiledTemplate>();

/** @throws invalid-plan when a condition does not compile, which a valid plan's do */
export function compiledNode(node: PlanNode): CompiledNode {
  const known = nodes.get(node);
  if (known !== undefined) return known;
  const compiled: CompiledNode = {
    inputs: compileTemplate(node.in ?? NO_INPUTS),
    each: node.each === undefined ? undefined : compileTemplate(node.each),
    when: node.when === undefined ? undefined : compileTest(node.id, node.when),
    until: node.repeat === undefined ? undefined : compileTest(node.id, node.repeat.until),
    session: node.session === undefined ? undefined : compileTemplate(node.session),
  };
  nodes.set(node, compiled);
  return compiled;
}

export function compiledOutput(plan: ValidPlan): CompiledTemplate {
  const known = outputs.get(plan);
  if (known !== undefined) return known;
  const compiled = compileTemplate(plan.plan.output);
  outputs.set(plan, compiled);
  return compiled;
}

function compileTest(nodeId: string, source: string): Test {
  const compiled = compileCondition(source, { heads: () => true });
  if (!compiled.ok) {
    const message = `The condition ${JSON.stringify(source)} of node ${nodeId} does not compile: ${compiled.message}`;
    throw new PolyphonyError('invalid-plan', message);
  }
  const { condition } = compiled;
  const heads = [...new Set(condition.references.map(({ head }) => head))];
  return (scope) => condition.evaluate(Object.fromEntries(heads.map((head) => [head, scope(head)])));
}

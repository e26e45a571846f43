/** A plan prepared for checking: its nodes by id, and every place where one of them names a value. */

import type { JsonSchema } from '../../core/model/model.ts';
import type { Plan, PlanNode } from '../../core/plan/plan.ts';
import { workflowNameOf } from '../../core/plan/plan-workflows.ts';
import { isBuiltIn } from '../../core/plan/steps.ts';
import type { Catalogue, StepType } from '../../core/plan/validation.ts';
import { isShorthand, refuseUnsafeSchema, toJsonSchema } from '../../kit/json/json-schema.ts';
import { foreignFields, humanSchema } from '../../language/human-output.ts';
import { shownText } from '../../language/shown.ts';
import { type ParsedTemplate, parseTemplate } from '../../language/template.ts';
import { isRecord, ownValue } from '../document/document.ts';
import type { Report } from '../document/report.ts';
import type { ShapedPlan } from '../document/shape.ts';
import { arrayOf, type InferredType, inferredType, leavesOf } from '../inference/inferred-type.ts';
import { outputTypeOf } from '../inference/output-types.ts';
import {
  type Collecting,
  collectCondition,
  collectModel,
  collectUndo,
  collectValue,
  type FoundExpression,
  type Use,
} from './collect-uses.ts';
import { type Naming, openNaming } from './naming.ts';

export type { Use } from './collect-uses.ts';

/** A node and the facts about it that the checks need. */
export interface NodeAnalysis {
  readonly node: PlanNode;
  /** JSON pointer into the plan as it was given: issues point there. */
  readonly pointer: string;
  /** Place in the order in which the plan will run. */
  position: number;
  readonly step: StepType | undefined;
  /** The plan behind `workflow:<id>`. */
  readonly workflow: Plan | undefined;
  readonly uses: readonly Use[];
  readonly expressions: readonly FoundExpression[];
  readonly hasFallback: boolean;
  /** The type of each reference by its text, and of each expression by its string; set once the references are resolved. */
  readonly inferredTypes: Map<string, InferredType>;
  /** Type of the output, `each` included. */
  output: InferredType;
  /** Type of the output of one run, without `each`. */
  outputOnce: InferredType;
  /** Type of one item of its `each`. */
  item: InferredType;
  /** The node with each model that its `model` may turn out to be; undefined: that is no reference, or not known. */
  variants: readonly PlanNode[] | undefined;
}

export interface PlanAnalysis {
  readonly catalogue: Catalogue;
  readonly naming: Naming;
  readonly report: Report;
  readonly plan: Plan;
  readonly nodes: readonly NodeAnalysis[];
  readonly byId: ReadonlyMap<string, NodeAnalysis>;
  /** Uses of the plan's `output`. */
  readonly outputUses: readonly Use[];
  readonly outputExpressions: readonly FoundExpression[];
  /** What the references and expressions of the plan's `output` give, by their texts. */
  readonly outputTypes: Map<string, InferredType>;
  /** The plan's `output` uses `??`. */
  readonly hasOutputFallback: boolean;
  /** Undefined: the plan declares no input. */
  readonly input: InferredType | undefined;
  readonly template: (text: string) => ParsedTemplate;
  /** True when a field of the node was left out because its shape was wrong. */
  readonly isBroken: (nodeAnalysis: NodeAnalysis, field: string) => boolean;
}

export function openPlan(
  { plan, broken }: ShapedPlan,
  catalogue: Catalogue,
  report: Report,
  naming: Naming = openNaming(catalogue, [plan.goal]),
): PlanAnalysis {
  const templates = new Map<string, ParsedTemplate>();
  const template = (text: string): ParsedTemplate => {
    const known = templates.get(text);
    if (known !== undefined) return known;
    const parsed = parseTemplate(text);
    templates.set(text, parsed);
    return parsed;
  };
  const nodes = plan.nodes.map((node, index) => openNode(node, index, catalogue, template, report));
  const byId = new Map<string, NodeAnalysis>();
  for (const nodeAnalysis of nodes) if (!byId.has(nodeAnalysis.node.id)) byId.set(nodeAnalysis.node.id, nodeAnalysis);
  const collecting: Collecting = { uses: [], expressions: [], fallback: false, template, report };
  collectValue(plan.output, '/output', 'output', collecting);
  return {
    catalogue,
    naming,
    report,
    plan,
    nodes,
    byId,
    outputUses: collecting.uses,
    outputExpressions: collecting.expressions,
    outputTypes: new Map(),
    hasOutputFallback: collecting.fallback,
    input: plan.input === undefined ? undefined : readSchema(plan.input, '/input', report),
    template,
    isBroken: (nodeAnalysis, field) => broken.has(`${nodeAnalysis.pointer.slice('/nodes/'.length)}/${field}`),
  };
}

export function openNode(
  node: PlanNode,
  index: number,
  catalogue: Catalogue,
  template: PlanAnalysis['template'],
  report: Report,
): NodeAnalysis {
  const pointer = `/nodes/${index}`;
  const step = catalogue.steps.get(node.use);
  const collecting: Collecting = { uses: [], expressions: [], fallback: false, template, report };
  collectNode(node, pointer, collecting);
  const outputOnce = outputOf(node, step, pointer, report);
  return {
    node,
    pointer,
    position: index,
    step,
    workflow: workflowOf(node.use, catalogue),
    uses: collecting.uses,
    expressions: collecting.expressions,
    hasFallback: collecting.fallback,
    inferredTypes: new Map(),
    outputOnce,
    output: node.each === undefined ? outputOnce : arrayOf(outputOnce),
    item: 'any',
    variants: undefined,
  };
}

/** Most nodes have few of the fields, and no pointer is made for the others. */
function collectNode(node: PlanNode, pointer: string, collecting: Collecting): void {
  if (node.in !== undefined) collectValue(node.in, `${pointer}/in`, 'in', collecting);
  if (node.session !== undefined) collectValue(node.session, `${pointer}/session`, 'session', collecting);
  if (typeof node.undo === 'object') collectUndo(node.undo.in, `${pointer}/undo/in`, collecting);
  if (node.thread !== undefined) collectValue(node.thread, `${pointer}/thread`, 'thread', collecting);
  if (node.each !== undefined) collectValue(node.each, `${pointer}/each`, 'each', collecting);
  if (node.model !== undefined) collectModel(node.model, `${pointer}/model`, collecting);
  if (node.when !== undefined) collectCondition(node.when, `${pointer}/when`, 'when', collecting);
  if (node.repeat !== undefined) collectCondition(node.repeat.until, `${pointer}/repeat/until`, 'until', collecting);
  node.needs?.forEach((head, place) => {
    collecting.uses.push({ place: 'needs', pointer: `${pointer}/needs/${place}`, head, path: [], text: head });
  });
}

export function workflowOf(use: string, { workflows }: Catalogue): Plan | undefined {
  const name = workflowNameOf(use);
  return name === undefined ? undefined : workflows.get(name);
}

// ---------------------------------------------------------------------------------------------------- outputs

function outputOf(node: PlanNode, step: StepType | undefined, pointer: string, report: Report): InferredType {
  if (node.out !== undefined) {
    const isHuman = node.use === 'human' && step?.typedOutput === true;
    const read = isHuman ? (schema: JsonSchema) => humanOutput(node.id, schema, `${pointer}/out`, report) : undefined;
    const declared = readSchema(node.out, `${pointer}/out`, report, read);
    if (step === undefined || step.typedOutput === true) return declared;
  }
  if (node.use === 'wait' && step !== undefined && isBuiltIn(step)) return waitOutput(node);
  if (step?.output !== undefined) return inferredType(step.output);
  return (step === undefined ? undefined : outputTypeOf(step)) ?? 'any';
}

/** The payload is what its shorthand says, where the plan has one. Issues of that are reported where the step is checked. */
function waitOutput({ in: { event, schema } = {} }: PlanNode): InferredType {
  const at = { type: 'string' };
  if (event === undefined) return inferredType({ type: 'object', properties: { at }, additionalProperties: false });
  const payload = isRecord(schema) ? (payloadOf(schema) ?? {}) : {};
  return inferredType({ type: 'object', properties: { at, payload }, additionalProperties: false });
}

function payloadOf(schema: Readonly<Record<string, unknown>>): JsonSchema | undefined {
  try {
    return isSmallShorthand(schema) ? toJsonSchema(schema) : undefined;
  } catch {
    return undefined;
  }
}

/** What a `human` node gives, as its `out` has it; one that asks for anything else would refuse every answer. */
function humanOutput(id: string, schema: JsonSchema, pointer: string, report: Report): JsonSchema {
  const [foreign] = foreignFields(schema);
  if (foreign !== undefined) {
    const message = `"out" of node "${id}" requires ${shownText(foreign)}, but a human node gives only { answer, approved }: describe its "answer", such as { "answer": { ${shownText(foreign)}: … } }.`;
    report.add('schema.invalid', pointer, message, { got: foreign });
  }
  return humanSchema(schema);
}

/** The type of a schema or shorthand of the plan; an invalid one is reported and gives `any`. */
export function readSchema(
  declared: Readonly<Record<string, unknown>>,
  pointer: string,
  report: Report,
  read: (schema: JsonSchema) => JsonSchema = (schema) => schema,
): InferredType {
  try {
    const schema = toJsonSchema(declared);
    const refused = isSmallShorthand(declared) ? [] : refuseUnsafeSchema(schema);
    for (const { code, path, message } of refused)
      report.add(code, `${pointer}${declaredPath(declared, path)}`, message);
    // This schema belongs to one plan only: caching it by identity would gain nothing.
    if (refused.length > 0) return 'any';
    const type = read(schema);
    return leavesOf(type, type);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    report.add('schema.invalid', pointer, message.length > 400 ? `${message.slice(0, 400)}…` : message);
    return 'any';
  }
}

const MOST_FIELDS = 100;
const LONGEST_TYPE = 200;

/** True for a few names of types, which cannot be more than a schema may be. */
function isSmallShorthand(declared: Readonly<Record<string, unknown>>): boolean {
  const types = Object.values(declared);
  const isSmall = (type: unknown): boolean => typeof type === 'string' && type.length <= LONGEST_TYPE;
  return types.length <= MOST_FIELDS && types.every(isSmall) && isShorthand(declared);
}

/** A place in the JSON Schema of a shorthand as the place in the shorthand, which has no `properties`. */
function declaredPath(declared: unknown, path: string): string {
  const tokens = path.split('/').slice(1);
  let place = '';
  for (let owner = declared; isShorthand(owner) && tokens[0] === 'properties'; ) {
    const name = (tokens[1] ?? '').replaceAll('~1', '/').replaceAll('~0', '~');
    place += `/${tokens[1]}`;
    tokens.splice(0, 2);
    owner = ownValue(owner, name);
  }
  return tokens.length === 0 ? place : `${place}/${tokens.join('/')}`;
}

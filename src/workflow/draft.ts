/** A workflow while it is built: plain data, to which each node is added. */
import { defined } from '../core/defined.ts';
import { PolyphonyError } from '../core/errors.ts';
import { canonicalJson } from '../core/json/canonical-json.ts';
import type { SchemaLike } from '../core/model/schema-like.ts';
import { NODE_ID, type PlanNode, REFERENCE_HEADS } from '../core/plan/plan.ts';
import type { Step as StepPlugin } from '../core/plugin.ts';
import type { WrittenSchema } from '../kit/json/own/own-schema.ts';
import { CEL_RESERVED } from '../language/condition-rules.ts';
import type { Repetition, Settings, WorkflowOptions } from './builder-types.ts';
import { isWorkflow, type Workflow } from './built.ts';
import { type Condition, sourceOf } from './condition.ts';
import type { UsedWorkflow } from './members.ts';
import { offeredBy } from './offered.ts';
import { encode, pathOf, referenceTo } from './reference.ts';
import { mustRun, writtenSchema } from './schema.ts';
import type { WorkflowStep } from './step.ts';

export interface Draft {
  /** Where the input that the nodes see stands. */
  readonly inputPath: string;
  readonly outputs: ReadonlyMap<string, WrittenSchema>;
  readonly options: WorkflowOptions<SchemaLike>;
  readonly nodes: readonly PlanNode[];
  readonly steps: readonly StepPlugin[];
  readonly workflows: readonly Workflow<unknown, unknown>[];
  /** What nodes run, by their ids. */
  readonly used: ReadonlyMap<string, UsedWorkflow>;
  /** What nodes offer to models, by its id. */
  readonly offered: ReadonlyMap<string, Workflow<unknown, unknown>>;
}

export const NOTHING: Omit<Draft, 'options'> = {
  inputPath: 'input',
  outputs: new Map(),
  nodes: [],
  steps: [],
  workflows: [],
  used: new Map(),
  offered: new Map(),
};

export interface LooseSpec extends Settings {
  readonly in: unknown;
  readonly when?: Condition | undefined;
  readonly onError?: unknown;
  readonly out?: SchemaLike | undefined;
}

export interface CompiledNode {
  readonly node: PlanNode;
  /** Of its `out`, where the plan cannot say all of it. */
  readonly output?: WrittenSchema;
  /** The step of one's own that undoes it. */
  readonly undoing?: StepPlugin;
  /** Workflows that it offers to a model. @default none */
  readonly offered?: readonly Workflow<unknown, unknown>[];
}

export function compileNode(
  draft: Draft,
  id: string,
  step: WorkflowStep<unknown, unknown, boolean>,
  spec: LooseSpec,
  repetition?: Repetition<unknown>,
): CompiledNode {
  if (draft.nodes.some((node) => node.id === id)) {
    throw new PolyphonyError('invalid-plan', `There is a node "${id}" already: choose another id.`);
  }
  const taken = REFERENCE_HEADS.some((head) => head === id) || CEL_RESERVED.has(id);
  if (taken || !NODE_ID.test(id)) {
    throw new PolyphonyError(
      'invalid-plan',
      `A node cannot have the id "${id}": use a unique id that matches ${NODE_ID.source} and is neither one of ${REFERENCE_HEADS.join(', ')} nor a name that conditions reserve (in, for, if, null, …).`,
    );
  }
  const { in: given, when, out, onError, needs, urgency: stated, ...settings } = spec;
  const urgency = urgencyOf(draft, step.use, stated);
  const { inputs, workflows: offered } = offeredBy(step.use, given);
  const rounds = repetition?.repeat?.(referenceTo('self'));
  const undo = repetition?.undo?.(referenceTo('self'));
  const output = out === undefined ? undefined : writtenSchema(out);
  const node = {
    id,
    use: step.use,
    in: encode(inputs) as Record<string, unknown>,
    ...(needs === undefined ? {} : { needs: [...needs] }),
    ...(when === undefined ? {} : { when: sourceOf(when) }),
    ...(rounds === undefined ? {} : { repeat: { until: sourceOf(rounds.until), max: rounds.max } }),
    ...(output === undefined ? {} : { out: output.written }),
    ...(onError === undefined ? {} : { onError: onError as PlanNode['onError'] }),
    ...(undo === undefined ? {} : { undo: { use: undo.step.use, in: encode(undo.in) } }),
    ...(encode(settings) as object),
    ...defined({ urgency }),
  } as PlanNode;
  const undoing = undo?.step.definition;
  return {
    node,
    ...(out === undefined || output === undefined || !mustRun(out) ? {} : { output }),
    ...defined({ undoing }),
    ...(offered.length === 0 ? {} : { offered }),
  };
}

/** Of the node, else that of the workflow for the steps that providers answer in batches. */
function urgencyOf({ options }: Draft, use: string, stated: Settings['urgency']): PlanNode['urgency'] {
  if (stated !== undefined) return stated === 'batch' ? stated : undefined;
  return BATCHED_STEPS.has(use) ? options.urgency : undefined;
}

const BATCHED_STEPS: ReadonlySet<string> = new Set(['llm', 'embed', 'moderate']);

/** @param name that a workflow has in the plan. @default its id */
export function withNode(
  draft: Draft,
  step: WorkflowStep<unknown, unknown, boolean>,
  { node, output, undoing, offered = [] }: CompiledNode,
  name?: string,
): Draft {
  const brought = [step.definition, undoing].filter((definition) => definition !== undefined);
  const outputs = output === undefined ? draft.outputs : new Map([...draft.outputs, [node.id, output]]);
  const steps = [...new Set([...draft.steps, ...brought])];
  const nodes = [...draft.nodes, node];
  const started = { ...draft, outputs, nodes, steps, offered: offeredWith(draft.offered, offered) };
  const brings = [...offered, ...(isWorkflow(step) ? [step] : [])];
  const workflows = brings.length === 0 ? draft.workflows : [...new Set([...draft.workflows, ...brings])];
  if (!isWorkflow(step)) return { ...started, workflows };
  const used = new Map([...draft.used, [node.id, { workflow: step, name: name ?? step.id }]]);
  return { ...started, workflows, used };
}

/** A model knows a workflow by its id, so there is one of each. */
function offeredWith(before: Draft['offered'], offered: readonly Workflow<unknown, unknown>[]): Draft['offered'] {
  if (offered.length === 0) return before;
  const all = new Map(before);
  for (const workflow of offered) {
    const known = all.get(workflow.id);
    if (known !== undefined && known !== workflow && !isSamePlan(known, workflow)) {
      const message = `Two different workflows "${workflow.id}" are offered to models: give one of them another id.`;
      throw new PolyphonyError('invalid-plan', message);
    }
    all.set(workflow.id, workflow);
  }
  return all;
}

const isSamePlan = (a: Workflow<unknown, unknown>, b: Workflow<unknown, unknown>): boolean =>
  canonicalJson(a.plan) === canonicalJson(b.plan);

export function overEach(over: unknown, { node, ...compiled }: CompiledNode): CompiledNode {
  const each = pathOf(over);
  if (each !== undefined) return { ...compiled, node: { ...node, each: `{{${each}}}` } };
  const message = `Node "${node.id}" must map over a reference to an array, such as c.docs.hits.`;
  throw new PolyphonyError('invalid-plan', message);
}

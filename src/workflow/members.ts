/** Workflows that a workflow uses as steps become workflows of its plan, so that the plan is all that a process needs. */
import { canonicalJson } from '../core/json/canonical-json.ts';
import type { JsonSchema } from '../core/model/model.ts';
import { DEFAULT_BOUNDS, type Plan, type PlanNode, type PlanWorkflow } from '../core/plan/plan.ts';
import { WORKFLOW_PREFIX, workflowsUsedBy } from '../core/plan/plan-workflows.ts';
import { withoutPatterns } from '../kit/json/own/without-patterns.ts';
import type { Workflow } from './built.ts';
import { withOtherNames } from './offered.ts';

type AnyWorkflow = Workflow<unknown, unknown>;

/** A workflow that a node runs, and the name that it should have in the plan. */
export interface UsedWorkflow {
  readonly workflow: AnyWorkflow;
  readonly name: string;
}

export interface Embedded {
  readonly nodes: readonly PlanNode[];
  /** Undefined: the plan has none. */
  readonly workflows?: NonNullable<Plan['workflows']>;
  /** By their names in the plan: the built workflows, whose own schemas run in this process. */
  readonly members: ReadonlyMap<string, AnyWorkflow>;
}

interface Placed {
  readonly plan: PlanWorkflow;
  readonly workflow: AnyWorkflow | undefined;
}

/**
 * The nodes with the names of the workflows that the plan now has. Those that need code of their own stay outside, under their
 * ids, and so do all of them where the plan would have more nodes than a plan may have.
 *
 * @param used what nodes run, by their ids
 * @param offered what nodes offer to models, by its id
 */
export function embed(
  nodes: readonly PlanNode[],
  used: ReadonlyMap<string, UsedWorkflow>,
  offered: ReadonlyMap<string, AnyWorkflow>,
): Embedded {
  const all = [...[...offered.values()].map((workflow) => ({ workflow, name: workflow.id })), ...used.values()];
  const portable = all.filter(({ workflow }) => isPortable(workflow));
  const outside = all.filter(({ workflow }) => !isPortable(workflow));
  const taken = new Set(outside.map(({ workflow }) => workflow.id));
  const placed = new Map<string, Placed>();
  const names = new Map<AnyWorkflow, string>();
  for (const { workflow, name } of portable) {
    if (!names.has(workflow)) names.set(workflow, placeWorkflow(workflow, name, placed, taken));
  }
  let sum = nodes.length;
  for (const { plan } of placed.values()) sum += plan.nodes.length;
  if (placed.size === 0 || sum > DEFAULT_BOUNDS.nodes) return { nodes, members: new Map() };
  const members = [...placed].flatMap(([name, { workflow }]) =>
    workflow === undefined ? [] : [[name, workflow] as const],
  );
  const asTools = new Map(
    [...offered].flatMap(([id, workflow]) => {
      const name = names.get(workflow);
      return name === undefined || name === id ? [] : [[id, name] as const];
    }),
  );
  return {
    nodes: nodes.map((node) => {
      if (node.use === 'llm') return asTools.size === 0 ? node : withOtherNames(node, asTools);
      const workflow = used.get(node.id)?.workflow;
      const name = workflow === undefined ? undefined : names.get(workflow);
      return name === undefined ? node : { ...node, use: WORKFLOW_PREFIX + name };
    }),
    workflows: Object.fromEntries([...placed].map(([name, { plan }]) => [name, plan])),
    members: new Map(members),
  };
}

/** Whether the plan alone says all that it does: no steps of its own, no workflows outside, no schema that converts its input. */
function isPortable({ plan, steps, schemas, inputSchema }: AnyWorkflow): boolean {
  if (steps.length > 0) return false;
  const own = plan.workflows ?? {};
  const plans = [plan, ...Object.values(own)];
  if (plans.some(({ nodes }) => [...workflowsUsedBy(nodes)].some((name) => !Object.hasOwn(own, name)))) return false;
  const { input } = schemas;
  return input === undefined || shapeOf(inputSchema) === shapeOf(input.schema.output);
}

/** What a schema takes or gives; which other fields there may be differs between the two sides of the same schema. */
const shapeOf = (schema: JsonSchema): string => canonicalJson(withoutClosing(withoutPatterns(schema)));

function withoutClosing(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutClosing);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([key, inner]) => key !== 'additionalProperties' || inner !== false);
  return Object.fromEntries(fields.map(([key, inner]) => [key, withoutClosing(inner)]));
}

/** Adds it with all that it uses; the same workflow stands there once, and another one of its name gets a number. */
function placeWorkflow(
  workflow: AnyWorkflow,
  name: string,
  placed: Map<string, Placed>,
  taken: ReadonlySet<string>,
): string {
  const { plan, members } = workflow;
  const renamed = new Map<string, string>();
  const add = (inner: PlanWorkflow, wanted: string, of: AnyWorkflow | undefined): string => {
    const own = { ...inner, nodes: withNames(inner.nodes, renamed) };
    const free = freeName(wanted, own, placed, taken);
    // Built again, it is the same workflow: the newest schemas serve.
    placed.set(free, { plan: placed.get(free)?.plan ?? own, workflow: of });
    return free;
  };
  for (const [inner, member] of Object.entries(plan.workflows ?? {})) {
    renamed.set(inner, add(member, inner, members?.get(inner)));
  }
  const { version: _version, id: _id, workflows: _workflows, ...fields } = plan;
  return add(fields, name, workflow);
}

const LONGEST_NAME = 61;

function freeName(
  wanted: string,
  plan: PlanWorkflow,
  placed: ReadonlyMap<string, Placed>,
  taken: ReadonlySet<string>,
): string {
  const same = canonicalJson(plan);
  for (let number = 1; ; number += 1) {
    const ending = number === 1 ? '' : `-${number}`;
    const name = wanted.slice(0, LONGEST_NAME - ending.length) + ending;
    const known = placed.get(name);
    if (!taken.has(name) && (known === undefined || canonicalJson(known.plan) === same)) return name;
  }
}

const withNames = (nodes: readonly PlanNode[], renamed: ReadonlyMap<string, string>): readonly PlanNode[] =>
  nodes.map((node) => withOtherNames(node, renamed));

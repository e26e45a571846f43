/**
 * Checks a plan while it is being written. References point only to earlier nodes, so every node can be checked as soon as
 * its JSON is complete. Results are kept, so a plan of n nodes costs n checks.
 *
 * D1. No pushed text makes it throw, hang, or exceed the bounds of the catalogue.
 * D2. A node is returned at most once, and only when it is valid with the nodes that were returned before it.
 * D4. Only a text that begins with the plan is read: behind prose, a fence or a thought it may be a draft of another one.
 * D3. Nothing is repaired here: a node that needs a repair waits for the whole plan, as do all nodes that refer to it.
 */
import { defined } from '../core/defined.ts';
import type { DraftNode, Plan, PlanBounds, ValidPlan } from '../core/plan/plan.ts';
import { workflowNameOf } from '../core/plan/plan-workflows.ts';
import type { Catalogue, PlanDraft } from '../core/plan/validation.ts';
import { createMemberReader, type JsonMember } from '../kit/json/json-members.ts';
import { isNodeName } from './analysis/built-in-names.ts';
import { type NodeAnalysis, openNode, openPlan, type PlanAnalysis, readSchema } from './analysis/plan-analysis.ts';
import { changesNothing } from './analysis/side-effects.ts';
import { checkNode } from './checks/check-node.ts';
import { validNode, withHash } from './compile.ts';
import { hasPlanShape } from './document/plan-shape.ts';
import { readPlan } from './document/read.ts';
import { createReport, type Report } from './document/report.ts';
import { createNodeEstimator } from './estimate/estimate-node.ts';
import { resolveNodeUses } from './references/references.ts';
import { examineMembers } from './validate.ts';

/** After this many invalid nodes, the rest of the text is checked only as part of the whole plan. */
const MOST_INVALID = 8;
const LONGEST_GOAL = 1000;

/** The plan of a run whose request is not planned yet. */
export function emptyPlan(request: string, bounds: PlanBounds): ValidPlan {
  const plan: Plan = { version: 1, goal: request.slice(0, LONGEST_GOAL), nodes: [] };
  const estimate = { lowNanoUsd: 0, expectedNanoUsd: 0, highNanoUsd: 0, expectedMs: 0 };
  return withHash({ plan, nodes: [], estimate, bounds });
}

/** Its fields are set as they are written. */
type PlanSoFar = { -readonly [Field in keyof Plan]: Plan[Field] };

interface Drafting {
  /** With the workflows of the plan, once they are written. */
  catalogue: Catalogue;
  /** Nodes in its workflows, which count too. */
  memberNodes: number;
  readonly plan: PlanSoFar;
  readonly nodes: NodeAnalysis[];
  readonly byId: Map<string, NodeAnalysis>;
  readonly analysis: PlanAnalysis;
  input: PlanAnalysis['input'];
  readonly estimateNode: ReturnType<typeof createNodeEstimator>;
  invalid: number;
}

export function openDraft(catalogue: Catalogue): PlanDraft {
  const { bytes, nodes } = catalogue.bounds;
  const reader = createMemberReader({ array: 'nodes', maxLength: bytes, isFirst: true });
  const drafting = newDrafting(catalogue);
  const { plan } = drafting;
  const takeMember = (member: JsonMember): DraftNode | undefined => {
    if (member.element === undefined) takeHead(drafting, member);
    else if (member.element < nodes - drafting.memberNodes && drafting.invalid < MOST_INVALID) {
      const taken = tryNode(drafting, member.text, member.element);
      if (taken === undefined) drafting.invalid += 1;
      return taken;
    }
    return undefined;
  };
  return {
    push: (text) => reader.push(text).flatMap((member) => takeMember(member) ?? []),
    get head() {
      const { input, budget } = plan;
      return defined({ input, budget });
    },
  };
}

function newDrafting(catalogue: Catalogue): Drafting {
  const plan: PlanSoFar = { version: 1, nodes: [] };
  const nodes: NodeAnalysis[] = [];
  const byId = new Map<string, NodeAnalysis>();
  const opened = openPlan({ plan, broken: new Set() }, catalogue, createReport());
  const analysis: PlanAnalysis = { ...opened, nodes, byId };
  // Only the whole plan needs the cost of workflows, because a node that uses one never starts early.
  const estimateNode = createNodeEstimator(analysis, () => undefined);
  return { catalogue, memberNodes: 0, plan, nodes, byId, analysis, input: undefined, estimateNode, invalid: 0 };
}

/** The document around one part of a plan, read and shaped as a whole plan would be. */
function readPart(part: string, { bounds }: Catalogue, report: Report): Plan | undefined {
  const { document } = readPlan(part, { bounds, repair: false }, report);
  return document !== undefined && hasPlanShape(document) && hasNoErrors(report) ? document : undefined;
}

const hasNoErrors = ({ findings }: Report): boolean => findings.every(({ severity }) => severity !== 'error');

function takeHead(drafting: Drafting, { key, text }: JsonMember): void {
  if (key === 'workflows') takeWorkflows(drafting, text);
  if (key !== 'input' && key !== 'budget') return;
  const report = createReport();
  // The shape requires a node, so any valid node is added.
  const part = `{"version":1,"nodes":[{"id":"a","use":"value"}],"${key}":${text}}`;
  const read = readPart(part, drafting.catalogue, report);
  if (read === undefined) return;
  if (key === 'budget' && read.budget !== undefined) drafting.plan.budget = read.budget;
  if (key !== 'input' || read.input === undefined) return;
  const input = readSchema(read.input, '/input', report);
  if (!hasNoErrors(report)) return;
  drafting.plan.input = read.input;
  drafting.input = input;
}

/** Those of a plan whose workflows are not valid as they are written start with the whole plan, as do all that refer to them. */
function takeWorkflows(drafting: Drafting, text: string): void {
  try {
    const report = createReport();
    const read = readPart(
      `{"version":1,"nodes":[{"id":"a","use":"value"}],"workflows":${text}}`,
      drafting.catalogue,
      report,
    );
    if (read === undefined) return;
    const { shaped, members } = examineMembers(read, drafting.catalogue, report);
    const isRefused = report.findings.some(({ severity, fix }) => severity === 'error' || fix !== undefined);
    if (isRefused || members.moved.length > 0) return;
    drafting.catalogue = members.catalogue;
    for (const { plan } of shaped.members?.values() ?? []) drafting.memberNodes += plan.nodes.length;
  } catch {
    // As for nodes: validating the whole plan reports it.
  }
}

function tryNode(drafting: Drafting, text: string, element: number): DraftNode | undefined {
  try {
    return takeNode(drafting, text, element);
  } catch {
    // A bound of the operator is deeper than the stack; validating the whole plan reports that.
    return undefined;
  }
}

/** Undefined when the node is not valid with those before it. */
function takeNode(drafting: Drafting, text: string, element: number): DraftNode | undefined {
  const { catalogue, nodes, byId } = drafting;
  const report = createReport();
  const node = readPart(`{"version":1,"nodes":[${text}]}`, catalogue, report)?.nodes[0];
  if (node === undefined || byId.has(node.id)) return undefined;
  const analysis: PlanAnalysis = { ...drafting.analysis, catalogue, report, input: drafting.input };
  const nodeAnalysis = openNode(node, element, catalogue, analysis.template, report);
  nodeAnalysis.position = nodes.length;
  byId.set(node.id, nodeAnalysis);
  const places = placesOf(nodeAnalysis, analysis);
  resolveNodeUses(nodeAnalysis, analysis);
  checkNode(nodeAnalysis, places.length, analysis);
  if (!hasNoErrors(report) || report.findings.some(({ fix }) => fix !== undefined)) {
    byId.delete(node.id);
    return undefined;
  }
  nodes.push(nodeAnalysis);
  const { estimate } = drafting.estimateNode(nodeAnalysis);
  const valid = validNode(nodeAnalysis, nodeAnalysis.position, places, analysis, estimate, estimate.expectedMs);
  // A workflow of the plan can be run only when the run has the whole plan.
  const mayStart = workflowNameOf(node.use) === undefined && changesNothing(node, nodeAnalysis.step, catalogue);
  return { valid, mayStart };
}

/** Places of the nodes that it waits for. */
function placesOf(nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): readonly number[] {
  const places = new Set<number>();
  for (const use of nodeAnalysis.uses) {
    if (use.head === nodeAnalysis.node.id || !isNodeName(use, nodeAnalysis, analysis)) continue;
    const place = analysis.byId.get(use.head)?.position;
    if (place !== undefined) places.add(place);
  }
  return [...places];
}

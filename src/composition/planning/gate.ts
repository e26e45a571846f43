/**
 * Puts a question before what a person has to approve. It is a node of the plan, so it is journalled, shown, answered and
 * resumed like any other `human` node; what nobody approves never starts.
 *
 * A1. No node with side effects starts before its question is answered with yes, whatever it waits for.
 * A2. Under `deny` a plan with side effects does not run at all.
 * A3. What has finished, and what the plan before said already and had approved, is not asked about again.
 */

import { PolyphonyError } from '../../core/errors.ts';
import { canonicalJson } from '../../core/json/canonical-json.ts';
import { addMoney, formatUsd, nanoToUsd } from '../../core/money/money.ts';
import { PLAN_APPROVAL } from '../../core/plan/approval.ts';
import { namesIn, toolLists } from '../../core/plan/offered-tools.ts';
import type { NodeEstimate, Plan, PlanNode, ValidPlan } from '../../core/plan/plan.ts';
import { memberPlan, workflowsUsedBy } from '../../core/plan/plan-workflows.ts';
import type { PlanFailure } from '../../core/plan/planner.ts';
import type { Catalogue } from '../../core/plan/validation.ts';
import { changesOf } from '../../validator/changes.ts';
import type { WholeApproval } from './approvals.ts';

export interface Gating {
  readonly catalogue: Catalogue;
  /** Validates the plan with its question. Throws invalid-plan. */
  readonly validPlan: (plan: Plan) => ValidPlan;
  /** The plan comes from the cache, which the question says. @default false */
  readonly cached?: boolean | undefined;
  /** Of a revised plan: the one before it, and which nodes have a result of it. @default none */
  readonly before?: { readonly failure: PlanFailure; readonly kept: Readonly<Record<string, string>> } | undefined;
}

const MOST_NAMED = 12;

/**
 * The plan with the question that it needs; the same object where it needs none.
 *
 * @throws blocked where side effects are denied
 */
export function gated(valid: ValidPlan, approval: WholeApproval, gating: Gating): ValidPlan {
  const over = endedNodes(gating.before);
  const changes =
    approval.sideEffects === 'allow'
      ? NOTHING
      : newChanges(valid.plan, { over, undeclared: approval.undeclared }, gating);
  if (changes.size > 0 && approval.sideEffects === 'deny') throw denied(changes);
  const estimate = gating.before === undefined ? valid.estimate : leftOf(valid, over);
  const costs = costsTooMuch(estimate, approval.aboveUsd);
  if (changes.size === 0 && !costs) return valid;
  const ids = valid.plan.nodes.flatMap(({ id }) => (over.has(id) ? [] : [id]));
  const asked = costs ? ids : [...changes.keys()];
  const aboveUsd = costs ? approval.aboveUsd : undefined;
  const question = questionNode(valid.plan, { changes, estimate, aboveUsd, cached: gating.cached });
  const nodes = [question, ...withQuestion(valid, { asked, over, question: question.id })];
  return gating.validPlan({ ...valid.plan, nodes });
}

const NOTHING: ReadonlyMap<string, readonly string[]> = new Map();

/** Whether the plan is expected to cost more than that; an unknown cost may be anything. */
function costsTooMuch({ expectedNanoUsd }: NodeEstimate, aboveUsd: number | undefined): boolean {
  if (aboveUsd === undefined) return false;
  return expectedNanoUsd === null || nanoToUsd(expectedNanoUsd) > aboveUsd;
}

// ---------------------------------------------------------------------------------------------------- what is new

/** Nodes of a revised plan that have a result of the plan before it. */
function endedNodes(before: Gating['before']): ReadonlySet<string> {
  if (before === undefined) return new Set();
  return new Set([...Object.keys(before.failure.finished), ...Object.keys(before.kept)]);
}

function newChanges(
  plan: Plan,
  { over, undeclared }: { readonly over: ReadonlySet<string>; readonly undeclared: boolean },
  { catalogue, before }: Gating,
): ReadonlyMap<string, readonly string[]> {
  const changes = changesOf(plan, catalogue, undeclared);
  if (before === undefined) return changes;
  const { nodes } = before.failure.plan;
  const old = new Map(nodes.map((node) => [node.id, meaning(node, before.failure.plan)]));
  const isApproved = nodes.every(({ id }) => !isQuestion(id) || over.has(id));
  const known = plan.nodes.filter((node) => {
    const isSame = old.get(node.id) === meaning(node, plan);
    return Object.hasOwn(before.kept, node.id) || (isSame && (over.has(node.id) || isApproved));
  });
  const ids = new Set(known.map(({ id }) => id));
  return new Map([...changes].filter(([id]) => !ids.has(id)));
}

/** What the nodes are estimated at that have not ended. */
function leftOf({ nodes }: ValidPlan, over: ReadonlySet<string>): NodeEstimate {
  const none: NodeEstimate = { lowNanoUsd: 0, expectedNanoUsd: 0, highNanoUsd: 0, expectedMs: 0 };
  const left = nodes.filter(({ node }) => !over.has(node.id)).map(({ estimate }) => estimate);
  return left.reduce(
    (sum, one) => ({
      lowNanoUsd: addMoney(sum.lowNanoUsd, one.lowNanoUsd),
      expectedNanoUsd: addMoney(sum.expectedNanoUsd, one.expectedNanoUsd),
      highNanoUsd: addMoney(sum.highNanoUsd, one.highNanoUsd),
      expectedMs: sum.expectedMs + one.expectedMs,
    }),
    none,
  );
}

const isQuestion = (id: string): boolean => id === PLAN_APPROVAL || id.startsWith(`${PLAN_APPROVAL}_`);

/** Without what decides when it starts. A workflow of the plan is what it does, and one that only the run names may be any of them. */
function meaning({ needs: _needs, when: _when, ...node }: PlanNode, plan: Plan): string {
  const isOpen = toolLists(node).some((list) => !Array.isArray(list.names) || namesIn(list).length < list.names.length);
  const uses = isOpen ? Object.keys(plan.workflows ?? {}) : [...workflowsUsedBy([node])];
  return canonicalJson([node, ...uses.map((name) => memberPlan(plan, name) ?? null)]);
}

// ---------------------------------------------------------------------------------------------------- the question

interface Question {
  readonly asked: readonly string[];
  /** Nodes that have ended: they stay as they are. */
  readonly over: ReadonlySet<string>;
  readonly question: string;
}

/**
 * The nodes, where those that are asked about wait for the question. One that waits for any or for a quorum could start without it,
 * so there all that it depends on waits instead; where some of that has ended, the node waits for all.
 */
function withQuestion({ nodes }: ValidPlan, { asked, over, question }: Question): readonly PlanNode[] {
  const byId = new Map(nodes.map((valid) => [valid.node.id, valid]));
  const waiting = new Set<string>();
  const seen = new Set(asked);
  for (const open = [...asked]; open.length > 0; ) {
    const valid = byId.get(open.pop() ?? '');
    if (valid === undefined) continue;
    const { node, dependencies } = valid;
    const isFree = node.wait === undefined || node.wait === 'all' || dependencies.some((id) => over.has(id));
    if (isFree || dependencies.length === 0) waiting.add(node.id);
    else open.push(...dependencies.filter((id) => !seen.has(id)));
    for (const id of dependencies) seen.add(id);
  }
  return nodes.map(({ node }) => (waiting.has(node.id) ? waitsFor(node, question) : node));
}

function waitsFor({ wait: _wait, ...node }: PlanNode, question: string): PlanNode {
  return { ...node, needs: [question, ...(node.needs ?? [])] };
}

interface Asking {
  readonly changes: ReadonlyMap<string, readonly string[]>;
  readonly estimate: NodeEstimate;
  readonly aboveUsd: number | undefined;
  readonly cached: boolean | undefined;
}

function questionNode(plan: Plan, { changes, estimate, aboveUsd, cached }: Asking): PlanNode {
  const sentences = [
    cached === true ? 'This plan was made for a request of the same shape before (plan cache).' : '',
    changes.size === 0 ? '' : `It changes something outside: ${namesOf(changes)}.`,
    `It is estimated at ${rangeOf(estimate)}.`,
    aboveUsd === undefined ? '' : `More than ${aboveUsd} US dollars has to be approved (approval.aboveUsd).`,
    'May it run?',
  ];
  const named = [...changes].slice(0, MOST_NAMED);
  const { lowNanoUsd, expectedNanoUsd, highNanoUsd } = estimate;
  const data = {
    approval: 'plan',
    changes: named.map(([node, through]) => ({ node, through: through.slice(0, MOST_NAMED) })),
    estimate: { lowUsd: usd(lowNanoUsd), expectedUsd: usd(expectedNanoUsd), highUsd: usd(highNanoUsd) },
    ...(cached === true ? { cached } : {}),
  };
  const question = sentences.filter((sentence) => sentence !== '').join(' ');
  return {
    id: freeId(plan),
    use: 'human',
    in: { question, choices: ['yes', 'no'], approve: 'yes', mustApprove: true, data },
  };
}

function freeId({ nodes }: Plan): string {
  const taken = new Set(nodes.map(({ id }) => id));
  if (!taken.has(PLAN_APPROVAL)) return PLAN_APPROVAL;
  let count = 2;
  while (taken.has(`${PLAN_APPROVAL}_${count}`)) count += 1;
  return `${PLAN_APPROVAL}_${count}`;
}

const usd = (nano: number | null): number | null => (nano === null ? null : nanoToUsd(nano));

/** `$0.01 to $0.20`, from the lowest to the highest cost. */
export function rangeOf({ lowNanoUsd, highNanoUsd }: NodeEstimate): string {
  if (lowNanoUsd === null && highNanoUsd === null) return 'an unknown cost';
  return lowNanoUsd === highNanoUsd ? formatUsd(lowNanoUsd) : `${formatUsd(lowNanoUsd)} to ${formatUsd(highNanoUsd)}`;
}

function namesOf(changes: ReadonlyMap<string, readonly string[]>): string {
  const named = [...changes].slice(0, MOST_NAMED).map(([id, through]) => `${id} (${through.slice(0, 3).join(', ')})`);
  const more = changes.size - named.length;
  return more > 0 ? `${named.join(', ')} and ${more} more` : named.join(', ');
}

function denied(changes: ReadonlyMap<string, readonly string[]>): PolyphonyError {
  const message =
    `The plan that a model wrote changes something outside: ${namesOf(changes)}, and nobody can be asked. ` +
    'Allow it (approval.sideEffects: "allow", on the command line --approve) or let somebody be asked ("ask"). ' +
    'A tool that only reads says so with its effects.';
  return new PolyphonyError('blocked', message, {
    details: { approval: 'deny', nodes: [...changes.keys()].slice(0, MOST_NAMED) },
  });
}

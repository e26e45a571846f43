/**
 * Turns any input into a valid plan, or into the list of all its issues.
 *
 * V1. No input makes it throw, hang or exceed the bounds of the catalogue.
 * V2. Every issue is listed, each with a pointer into the plan as it was given and with the nearest valid names.
 * V3. Repairs need no model and are unambiguous: where two are possible, none is made. A repaired plan is validated again.
 * V4. Only a plan without errors becomes a ValidPlan.
 */
import { PLAN_QUESTIONS_BYTES } from '../core/plan/approval.ts';
import { markRepaired, type Plan, type PlanBounds } from '../core/plan/plan.ts';
import type { Catalogue, PlanRepair, Validate, ValidateOptions, Validation } from '../core/plan/validation.ts';
import { type Naming, openNaming } from './analysis/naming.ts';
import { applyOrder, dependenciesOf, isOrdered, reportCycles, stableOrder } from './analysis/order.ts';
import { openPlan, type PlanAnalysis } from './analysis/plan-analysis.ts';
import { checkBudget } from './budget.ts';
import { checkOutputBraces } from './checks/braces.ts';
import { checkNode } from './checks/check-node.ts';
import { reportUnused } from './checks/control.ts';
import { checkMembers, type MembersChecked, memberPointer } from './checks/members.ts';
import { checkNesting } from './checks/nesting.ts';
import { checkStandIns } from './checks/stand-in.ts';
import { compilePlan } from './compile.ts';
import { isRecord } from './document/document.ts';
import { readPlan } from './document/read.ts';
import { createReport, publicIssue, type Report } from './document/report.ts';
import { readShape, type ShapedPlan, shapedPlan } from './document/shape.ts';
import { createEstimates, type Estimates, estimateAnalysis } from './estimate/estimate.ts';
import { mendHabits } from './habits/habits.ts';
import { resolvePlan } from './references/references.ts';

/** A repair can make another one possible; more rounds than this never helped in practice. */
const MOST_ROUNDS = 6;

export const validate: Validate = (raw, catalogue, options = {}) => {
  try {
    return validatePlan(raw, catalogue, options);
  } catch (error) {
    // A getter of the caller's own object threw, or a bound of the operator is deeper than the stack.
    const reason = error instanceof Error ? error.message.slice(0, 200) : 'it threw a value that is not an Error';
    const message = `The plan could not be read completely (${reason}): give plain JSON within the bounds.`;
    return { issues: [{ code: 'validator.failed', severity: 'error', path: '', message }], repaired: [] };
  }
};

function validatePlan(raw: unknown, catalogue: Catalogue, options: ValidateOptions): Validation {
  const repair = options.repair !== false;
  const first = createReport(options.begun);
  const { document: given, repaired: read } = readPlan(
    raw,
    { bounds: readBounds(catalogue.bounds, options), repair },
    first,
  );
  if (given === undefined) return { issues: first.findings.map(publicIssue), repaired: read };
  let document: unknown = given;
  dropSchemaKey(document);
  const repaired: PlanRepair[] = [...read];
  const naming = openNaming(catalogue, [options.request, isRecord(document) ? textOf(document.goal) : undefined]);
  const examining: Examining = { catalogue, repair, naming, begun: options.begun };
  for (let round = 1; ; round += 1) {
    const report = createReport(options.begun);
    for (const { code, path, message, ...details } of first.findings) report.add(code, path, message, details);
    const examined = examine(document, examining, report);
    if (repair && round <= MOST_ROUNDS && hasErrors(report)) {
      const mended = mendHabits(document, catalogue);
      if (mended.repaired.length > 0) {
        document = mended.document;
        repaired.push(...mended.repaired);
        continue;
      }
    }
    const fixes =
      round > MOST_ROUNDS
        ? []
        : report.findings.filter(({ fix }) => fix !== undefined && (repair || fix.isNeeded === true));
    if (fixes.length === 0) return withRepairs(examined, repaired);
    for (const { path, fix } of fixes) {
      if (fix === undefined) continue;
      fix.edit(document);
      repaired.push({ code: fix.code, path, message: fix.message });
    }
  }
}

/** A plan that is about to run, or runs, may have questions of approval beside what was written. */
const readBounds = (bounds: PlanBounds, { begun }: ValidateOptions): PlanBounds =>
  begun === true ? { ...bounds, bytes: bounds.bytes + PLAN_QUESTIONS_BYTES } : bounds;

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** What was repaired stands in the plan too, so that whoever runs it can tell. */
function withRepairs({ plan, issues, repaired: last }: Validation, before: readonly PlanRepair[]): Validation {
  const repaired = [...before, ...last];
  if (plan === undefined) return { issues, repaired };
  return { plan: repaired.length === 0 ? plan : markRepaired(plan, repaired), issues, repaired };
}

/** Editors recognise the format by this key; it is not part of the plan or of its hash. The document is our own copy. */
function dropSchemaKey(document: unknown): void {
  if (isRecord(document) && typeof document.$schema === 'string') delete document.$schema;
}

interface Examining {
  readonly catalogue: Catalogue;
  readonly repair: boolean;
  readonly naming: Naming;
  readonly begun: boolean | undefined;
}

/** Checks the whole document once. `repaired` lists the nodes that were moved. */
function examine(document: unknown, examining: Examining, report: Report): Validation {
  const { catalogue, naming } = examining;
  // The fields of the format are nobody's: a letter is as good there whatever the node does.
  const shaped = readShape(document, catalogue.bounds, report, (name, names) => naming.respelt(name, names, true));
  if (shaped === undefined) return { issues: report.findings.map(publicIssue), repaired: [] };
  const estimates = createEstimates();
  const members = membersOf(shaped, examining, report, estimates);
  const seen = { ...examining, catalogue: members.catalogue };
  const { analysis, dependencies, estimate, moved } = examineOne(shaped, seen, report, estimates);
  const issues = report.findings.map(publicIssue);
  const repaired = [...members.moved, ...moved];
  return hasErrors(report)
    ? { issues, repaired }
    : { plan: compilePlan(analysis, dependencies, estimate, members.workflows), issues, repaired };
}

function membersOf(shaped: ShapedPlan, examining: Examining, report: Report, estimates: Estimates): MembersChecked {
  return checkMembers(shaped, examining.catalogue, report, (name, member, seen) => {
    const inner = createReport(examining.begun);
    const examined = examineOne(member, { ...examining, catalogue: seen }, inner, estimates);
    report.adopt(inner.findings, memberPointer(name));
    return examined;
  });
}

/** The workflows of a plan of which only they are written: nothing is repaired. */
export function examineMembers(plan: Plan, catalogue: Catalogue, report: Report) {
  const naming = openNaming(catalogue, []);
  const examining: Examining = { catalogue, repair: false, naming, begun: undefined };
  const shaped = shapedPlan(plan);
  return { shaped, members: membersOf(shaped, examining, report, createEstimates()) };
}

/** Checks a plan, or a workflow of one, of which the shape was read. */
function examineOne(shaped: ShapedPlan, examining: Examining, report: Report, estimates: Estimates) {
  const { analysis, dependencies, moved } = ordered(shaped, examining, report);
  resolvePlan(analysis);
  analysis.nodes.forEach(
    (nodeAnalysis, place) => void checkNode(nodeAnalysis, dependencies[place]?.length ?? 0, analysis),
  );
  checkOutputBraces(analysis);
  checkStandIns(analysis);
  reportUnused(analysis.nodes, analysis);
  checkNesting(analysis);
  const estimate = estimateAnalysis(analysis, dependencies, estimates);
  checkBudget(estimate, analysis);
  return { analysis, dependencies, estimate, moved };
}

const hasErrors = ({ findings }: Report): boolean => findings.some(({ severity }) => severity === 'error');

interface Ordered {
  readonly analysis: PlanAnalysis;
  /** By place in the order of the run. */
  readonly dependencies: readonly (readonly number[])[];
  readonly moved: readonly PlanRepair[];
}

/** The analysis of the plan, with its nodes sorted if `repair` allows it and they are out of order. */
function ordered(shaped: ShapedPlan, { catalogue, repair, naming }: Examining, report: Report): Ordered {
  const analysis = openPlan(shaped, catalogue, report, naming);
  const dependencies = dependenciesOf(analysis);
  if (isOrdered(dependencies)) return { analysis, dependencies, moved: [] };
  const inCycles = reportCycles(analysis, dependencies);
  if (!repair) return { analysis, dependencies, moved: [] };
  const order = stableOrder(dependencies);
  const nodes = applyOrder(analysis.nodes, order);
  const places = new Map(order.map((place, index) => [place, index] as const));
  const sorted = order.map((place) => (dependencies[place] ?? []).map((other) => places.get(other) ?? 0));
  const moved = nodes.flatMap(({ node, pointer }, index): PlanRepair[] => {
    const place = order[index] ?? 0;
    const waiters = (dependencies[place] ?? []).filter((other) => other > place && (places.get(other) ?? 0) < index);
    if (waiters.length === 0 || inCycles.has(place)) return [];
    const names = waiters.map((other) => analysis.nodes[other]?.node.id).join(', ');
    return [
      { code: 'node.moved', path: pointer, message: `Node "${node.id}" was moved after ${names}, which it needs.` },
    ];
  });
  return { analysis: { ...analysis, nodes }, dependencies: sorted, moved };
}

/** Checks of the fields that control a node: when, repeat, wait, and fields that its step does not read. */

import { hasAttempts } from '../../core/plan/steps.ts';
import { readCondition } from '../analysis/collect-uses.ts';
import { maySkip } from '../analysis/nullable.ts';
import type { NodeAnalysis, PlanAnalysis } from '../analysis/plan-analysis.ts';
import { setText } from '../document/document.ts';
import { type Fix, shown } from '../document/report.ts';
import { foreignConditionFix } from '../references/foreign-forms.ts';

export function checkConditions(nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): void {
  const { node, pointer } = nodeAnalysis;
  if (node.when !== undefined) checkCondition(node.when, `${pointer}/when`, nodeAnalysis, analysis);
  if (node.repeat !== undefined) checkCondition(node.repeat.until, `${pointer}/repeat/until`, nodeAnalysis, analysis);
}

function checkCondition(source: string, path: string, nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): void {
  const compiled = readCondition(source);
  if (compiled.ok) return;
  const bare = source.replaceAll('{{', '').replaceAll('}}', '');
  const fix: Fix | undefined =
    bare !== source && readCondition(bare).ok
      ? {
          code: 'reference.wrapped',
          message: `${shown(source)} was replaced with ${shown(bare)}, because conditions name values without braces.`,
          edit: setText(path, bare),
        }
      : foreignConditionFix(source, path, nodeAnalysis, analysis);
  const at = compiled.at === undefined ? '' : ` (at character ${compiled.at})`;
  analysis.report.add(
    compiled.code,
    path,
    `The condition ${shown(source)} is invalid${at}: ${compiled.message.slice(0, 300)}`,
    {
      got: source.slice(0, 200),
      fix,
    },
  );
}

export function checkRepeat({ node, pointer }: NodeAnalysis, analysis: PlanAnalysis): void {
  const { rounds } = analysis.catalogue.bounds;
  if (node.repeat === undefined || node.repeat.max <= rounds) return;
  const message = `"repeat" of node "${node.id}" may take ${node.repeat.max} rounds, but at most ${rounds} are allowed: lower "max".`;
  analysis.report.add('repeat.unbounded', `${pointer}/repeat/max`, message, {
    expected: { atMost: rounds },
    got: node.repeat.max,
  });
}

/** `dependencies`: how many nodes it waits for. */
export function checkWait({ node, pointer }: NodeAnalysis, dependencies: number, analysis: PlanAnalysis): void {
  if (node.wait === undefined || node.wait === 'all') return;
  const wanted = node.wait === 'any' ? 1 : node.wait.atLeast;
  if (wanted <= dependencies) return;
  const message = `Node "${node.id}" waits for ${wanted} nodes, but it depends on only ${dependencies}: add references or "needs", or lower "wait".`;
  analysis.report.add('wait.impossible', `${pointer}/wait`, message, {
    expected: { atMost: dependencies },
    got: wanted,
  });
}

/** A node that always ends the run makes the plan's own output, and all behind it, useless. */
export function checkFinish(nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): void {
  const { node, pointer } = nodeAnalysis;
  if (node.finish !== true || maySkip(nodeAnalysis, analysis, new Set())) return;
  const message = `Node "${node.id}" always ends the run ("finish"): give it a "when", or remove "finish" and use its output as that of the plan.`;
  analysis.report.add('finish.always', `${pointer}/finish`, message);
}

/** Warns about fields that have no effect: they do no harm, but the author expected something of them. */
export function checkIneffective(nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): void {
  const { node, step } = nodeAnalysis;
  if (step === undefined) return;
  if (step.usesModel !== true) {
    const why = `"${node.use}" calls no model`;
    if (node.model !== undefined) warnIneffective('model', why, nodeAnalysis, analysis);
    if (node.escalate !== undefined) warnIneffective('escalate', why, nodeAnalysis, analysis);
    if (node.cache !== undefined) warnIneffective('cache', why, nodeAnalysis, analysis);
    if (node.urgency !== undefined) warnIneffective('urgency', why, nodeAnalysis, analysis);
    if (node.limits?.tokens !== undefined) warnIneffective('limits/tokens', why, nodeAnalysis, analysis);
  }
  if (node.out !== undefined && step.typedOutput !== true) {
    warnIneffective('out', `the output of "${node.use}" is fixed`, nodeAnalysis, analysis);
  }
  warnAboutAttempts(nodeAnalysis, analysis);
  if (node.limits?.concurrency !== undefined && node.each === undefined) {
    warnIneffective(
      'limits/concurrency',
      'only a node with "each" has several runs at the same time',
      nodeAnalysis,
      analysis,
    );
  }
}

/** Attempts at a step that has only one, and a bound on each that the bound on all of them undercuts. */
function warnAboutAttempts(nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): void {
  const { use, limits } = nodeAnalysis.node;
  if (limits === undefined) return;
  const { retries, attemptSeconds, seconds } = limits;
  const once = use === 'human' ? 'a person is asked once' : `"${use}" is never tried again`;
  if (!hasAttempts(use)) {
    if (retries !== undefined) warnIneffective('limits/retries', once, nodeAnalysis, analysis);
    if (attemptSeconds !== undefined) warnIneffective('limits/attemptSeconds', once, nodeAnalysis, analysis);
  } else if (attemptSeconds !== undefined && seconds !== undefined && attemptSeconds >= seconds) {
    const why = `the node as a whole may take only ${seconds} seconds (limits.seconds)`;
    warnIneffective('limits/attemptSeconds', why, nodeAnalysis, analysis);
  }
}

function warnIneffective(field: string, why: string, { node, pointer }: NodeAnalysis, { report }: PlanAnalysis): void {
  const name = field.replace('/', '.');
  report.add(
    'field.ineffective',
    `${pointer}/${field}`,
    `"${name}" of node "${node.id}" has no effect, because ${why}: remove it.`,
  );
}

/** Reports nodes that neither the output nor a step with side effects depends on; takes them in the order of the run. */
export function reportUnused(nodes: readonly NodeAnalysis[], analysis: PlanAnalysis): void {
  // An unknown name may have meant any of the unused nodes.
  const unclear = analysis.report.findings.some(({ code }) => /^(?:ref|condition|expression|shape|each)\./.test(code));
  if (analysis.plan.output === undefined || unclear) return;
  const used = new Set(analysis.outputUses.map(({ head }) => head));
  for (const nodeAnalysis of nodes.toReversed()) {
    const { node, step, pointer, uses } = nodeAnalysis;
    if (
      used.has(node.id) ||
      step === undefined ||
      step.sideEffects === true ||
      node.thread !== undefined ||
      node.use === 'human' ||
      node.finish === true
    ) {
      for (const { head } of uses) used.add(head);
    } else if (node.id !== '') {
      const message = `Nothing uses node "${node.id}": refer to it, or remove it to save its cost.`;
      analysis.report.add('node.unused', pointer, message, { got: node.id });
    }
  }
}

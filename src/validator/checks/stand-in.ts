/**
 * The shape of what stands in for an output (`onError: { value }`), in an `each` for that of one item. Another shape is a
 * warning, because a stand-in may be read as a whole; it is an error where a reference reads a field that the stand-in lacks.
 */
import { listReferences, walkPath } from '../../language/template.ts';
import type { NodeAnalysis, PlanAnalysis, Use } from '../analysis/plan-analysis.ts';
import { createReport, shown } from '../document/report.ts';
import { checkValue, MOST_VALUES } from './inputs.ts';

const MOST_REPORTED = 5;

export function checkStandIns(analysis: PlanAnalysis): void {
  for (const nodeAnalysis of analysis.nodes) {
    const { onError } = nodeAnalysis.node;
    if (typeof onError !== 'object' || !('value' in onError) || onError.value === null) continue;
    checkStandIn(onError.value, nodeAnalysis, analysis);
  }
}

function checkStandIn(value: unknown, nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): void {
  const { node, outputOnce, pointer } = nodeAnalysis;
  const base = `${pointer}/onError/value`;
  const trial = createReport();
  const words = () => ({
    whole: 'The stand-in (onError.value)',
    takes: 'the output that it stands in for is',
    unknown: 'which the output that it stands in for does not have',
    required: 'which the output that it stands in for has',
  });
  checkValue(
    value,
    outputOnce,
    base,
    { base, words, isRendered: false, nodeAnalysis, analysis, report: trial, values: { left: MOST_VALUES } },
    0,
  );
  if (trial.findings.length > 0) {
    const lacking = lackingField(value, nodeAnalysis, analysis);
    const severity = lacking === undefined ? 'warning' : 'error';
    const read = lacking === undefined ? '' : ` ${shown(`{{${lacking}}}`)} would be null.`;
    for (const { path, message, expected, got, suggest } of trial.findings.slice(0, MOST_REPORTED)) {
      analysis.report.add('stand_in.mismatch', path, message + read, {
        severity,
        expected,
        got,
        suggest: suggest ?? [],
      });
    }
  }
  const [reference] = listReferences(value);
  if (reference === undefined) return;
  const message = `The stand-in (onError.value) of node "${node.id}" holds a reference, but it is taken as it is written: refer to the other value where this one is read, with {{${node.id} ?? …}}.`;
  analysis.report.add('stand_in.mismatch', base + reference.pointer, message);
}

/** The first reference that reads a field of the node that the stand-in lacks, and says nothing of what to take instead. */
function lackingField(value: unknown, { node }: NodeAnalysis, analysis: PlanAnalysis): string | undefined {
  const lacks = ({ head, path }: Use): boolean => {
    if (head !== node.id) return false;
    const inside = node.each === undefined ? path : path.slice(1);
    return inside.length > 0 && inside[0] !== 'meta' && walkPath(value, inside) === undefined;
  };
  for (const { uses, hasFallback } of analysis.nodes) {
    const found = hasFallback ? undefined : uses.find(lacks);
    if (found !== undefined) return found.text;
  }
  return analysis.hasOutputFallback ? undefined : analysis.outputUses.find(lacks)?.text;
}

/** Checks how a node is undone: the step exists, may undo, and takes what it is given. */
import { nearest } from '../../language/suggest.ts';
import type { NodeAnalysis, PlanAnalysis } from '../analysis/plan-analysis.ts';
import { changesNothing } from '../analysis/side-effects.ts';
import { createReport, shown } from '../document/report.ts';
import { remedyOf } from '../document/unknown-use.ts';
import { type InferredType, inferredType } from '../inference/inferred-type.ts';
import { checkValue, MOST_VALUES, type Words } from './inputs.ts';

export function checkUndo(nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): void {
  const { node, step, pointer } = nodeAnalysis;
  const { undo } = node;
  if (undo === undefined) return;
  const { catalogue, report } = analysis;
  const use = typeof undo === 'string' ? undo : undo.use;
  const path = typeof undo === 'string' ? `${pointer}/undo` : `${pointer}/undo/use`;
  const undoing = catalogue.steps.get(use);
  if (node.repeat !== undefined) {
    const message = `Node "${node.id}" cannot have "undo", because it has "repeat": only its last round could be undone. Undo a node without "repeat".`;
    report.add('undo.invalid', `${pointer}/undo`, message);
  } else if (step !== undefined && changesNothing(node, step, catalogue)) {
    const message = `"undo" of node "${node.id}" has no effect, because "${node.use}" changes nothing: remove it.`;
    report.add('field.ineffective', `${pointer}/undo`, message);
  }
  if (undoing === undefined) reportUnknown(use, path, nodeAnalysis, analysis);
  else if (mayNotUndo(use, undoing.usesModel === true)) {
    const message = `"${use}" cannot undo node "${node.id}": use a tool or a step that calls no model, asks nobody and starts no run.`;
    report.add('undo.invalid', path, message, { got: use });
  } else checkUndoInputs(nodeAnalysis, inferredType(undoing.input), analysis);
}

const BUILT_IN: ReadonlySet<string> = new Set(['human', 'wait', 'plan', 'value']);
const mayNotUndo = (use: string, usesModel: boolean): boolean =>
  usesModel || BUILT_IN.has(use) || use.startsWith('workflow:');

function reportUnknown(use: string, path: string, { node }: NodeAnalysis, { catalogue, report }: PlanAnalysis): void {
  const names = [...catalogue.steps].flatMap(([name, { usesModel }]) =>
    mayNotUndo(name, usesModel === true) ? [] : [name],
  );
  // Compared without the prefix that they share: a common `tool:` does not make names similar.
  const bare = new Map(names.map((name) => [name.replace(/^tool:/, ''), name]));
  const suggest = nearest(use.replace(/^tool:/, ''), bare.keys()).map((name) => bare.get(name) ?? name);
  const message = `No step is called ${shown(use)}, so it cannot undo node "${node.id}": ${remedyOf(use) ?? 'use a tool from the catalogue'}.`;
  report.add('use.unknown', path, message, {
    got: use,
    suggest,
    expected: suggest.length > 0 ? undefined : names.slice(0, 50),
  });
}

function checkUndoInputs(nodeAnalysis: NodeAnalysis, takes: InferredType, analysis: PlanAnalysis): void {
  const { node, pointer } = nodeAnalysis;
  const { undo } = node;
  const use = typeof undo === 'string' ? undo : (undo?.use ?? '');
  const given = typeof undo === 'string' ? undefined : undo?.in;
  const base = given === undefined ? `${pointer}/undo` : `${pointer}/undo/in`;
  const words = (): Words => ({
    whole: 'What undoes the node',
    takes: `"${use}" takes`,
    unknown: `which "${use}" does not take`,
    required: `which "${use}" requires`,
  });
  const trial = createReport();
  const checking = {
    base,
    words,
    isRendered: true,
    nodeAnalysis,
    analysis,
    report: trial,
    values: { left: MOST_VALUES },
  };
  const value = given ?? { input: node.in ?? {}, output: null };
  checkValue(value, takes, base, checking, 0);
  for (const { code, path, message, ...details } of trial.findings) {
    if (given !== undefined) analysis.report.add(code, path, message, details);
    else if (code === 'in.missing' || code === 'in.unknown') {
      const remedy = `${message} Without "in" it gets { input, output } of the node: write "undo": {"use": "${use}", "in": {…}}.`;
      analysis.report.add('undo.invalid', base, remedy);
      return;
    }
  }
}

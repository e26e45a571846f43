/** Checks of a prompt that is named instead of written: it exists, its inputs are given, and the text takes its place. */
import {
  assignedVersion,
  type PromptReference,
  type PromptVersion,
  promptParts,
  promptReferenceOf,
} from '../../core/plan/prompts.ts';
import { nearest } from '../../language/suggest.ts';
import { expressionIn } from '../../language/template-syntax.ts';
import type { NodeAnalysis, PlanAnalysis } from '../analysis/plan-analysis.ts';
import { type Edit, isRecord, pointerToken, valueAt } from '../document/document.ts';
import { type Report, shown } from '../document/report.ts';

/** Characters that prompts have added to the plan so far. */
const added = new WeakMap<Report, number>();

export function checkPrompt(nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): void {
  const { node } = nodeAnalysis;
  if (node.use !== 'llm') return;
  const { prompts, promptSeed } = analysis.catalogue;
  const reference = promptReferenceOf(node.in?.prompt, prompts !== undefined);
  if (reference === undefined) return;
  const pointer = `${nodeAnalysis.pointer}/in/prompt`;
  const { report } = analysis;
  if (prompts === undefined) {
    const message = `Node "${node.id}" names the prompt ${shown(reference.name)}, but none can be named here: write its text, or set prompts.folder in the config (prompts.planner lets a planner name them).`;
    report.add('prompt.none', pointer, message, { got: reference.name });
    return;
  }
  const versions = prompts.get(reference.name);
  if (versions === undefined) {
    const message = `Node "${node.id}" names the prompt ${shown(reference.name)}, which no file of prompts.folder has.`;
    report.add('prompt.unknown', `${pointer}/name`, message, { suggest: nearest(reference.name, prompts.keys()) });
    return;
  }
  const chosen =
    reference.version === undefined
      ? assignedVersion(versions, promptSeed)
      : versions.find(({ version }) => version === reference.version);
  if (chosen === undefined) {
    const listed = versions.map(({ version }) => version).slice(0, 20);
    const message = `Node "${node.id}" names version ${shown(reference.version)} of the prompt "${reference.name}", which has ${listed.join(', ')}: name one of these, or none.`;
    report.add('prompt.unknown', `${pointer}/version`, message, { expected: listed, got: reference.version });
    return;
  }
  const text = textOf(chosen, reference, node.id, pointer, report);
  if (text !== undefined) replace(text, chosen, node.id, pointer, analysis);
}

function replace(
  text: string,
  chosen: PromptVersion,
  id: string,
  pointer: string,
  { report, catalogue }: PlanAnalysis,
): void {
  const total = (added.get(report) ?? 0) + text.length;
  added.set(report, total);
  const message = `The prompt of node "${id}" is version ${chosen.version} of "${chosen.name}".`;
  if (total > catalogue.bounds.bytes) {
    const rule = `The prompts of the plan have more than ${catalogue.bounds.bytes} characters together (bounds.bytes): use shorter ones.`;
    report.add('size.bytes', pointer, rule);
    return;
  }
  report.add('prompt.named', pointer, message, {
    fix: { code: 'prompt.resolved', message, edit: setPrompt(pointer, text), isNeeded: true },
  });
}

const setPrompt = (pointer: string, text: string): Edit => {
  return (document) => {
    const inputs = valueAt(document, pointer.slice(0, pointer.lastIndexOf('/')));
    if (isRecord(inputs)) inputs.prompt = text;
  };
};

/** The text with what the node gives for its inputs; undefined where that is an issue. */
function textOf(
  { text, inputs, name }: PromptVersion,
  { inputs: given = {} }: PromptReference,
  id: string,
  pointer: string,
  report: Report,
): string | undefined {
  const missing = inputs.filter((input) => !Object.hasOwn(given, input));
  const unknown = Object.keys(given).filter((input) => !inputs.includes(input));
  if (missing.length > 0 || unknown.length > 0) {
    const [first] = unknown;
    const wrong = first === undefined ? `lacks ${shown(missing[0])}` : `has ${shown(first)}`;
    const list = inputs.length === 0 ? 'takes none' : `takes ${inputs.join(', ')}`;
    const message = `Node "${id}" ${wrong} among the inputs of the prompt "${name}", which ${list}.`;
    report.add('prompt.inputs', `${pointer}/inputs`, message, { expected: inputs });
    return undefined;
  }
  const { parts } = promptParts(text);
  const made: string[] = [];
  for (const part of parts) {
    if ('text' in part) made.push(part.text);
    else {
      const value = given[part.input];
      if (
        typeof value === 'string' &&
        expressionIn(value) !== undefined &&
        parts.some((other) => 'text' in other && other.text !== '')
      ) {
        const message = `Node "${id}" gives an expression for the input "${part.input}" of the prompt "${name}", but an expression is a whole string: give it to a value node, and refer to that.`;
        report.add('prompt.inputs', `${pointer}/inputs/${pointerToken(part.input)}`, message);
        return undefined;
      }
      made.push(typeof value === 'string' ? value : JSON.stringify(value).replaceAll('{{', '{{{{'));
    }
  }
  return made.join('');
}

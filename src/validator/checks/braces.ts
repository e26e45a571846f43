/**
 * References that are not written as such, so that they would stay text: `${docs.hits}`, `$docs.hits`, `{docs.hits}`, `#E1`, and
 * a value that is nothing but `docs.hits`. Only names of this plan count; elsewhere such text is text. It is a warning, because
 * a prompt may speak of code. Where the field is declared, and the node does not refer to the same node in the right way, only
 * one thing can be meant, and it is repaired.
 */

import type { NodeAnalysis, PlanAnalysis } from '../analysis/plan-analysis.ts';
import { editText, isRecord, pointerToken } from '../document/document.ts';
import { type Fix, shown } from '../document/report.ts';
import { describedIn } from '../habits/described.ts';
import { type InferredType, stepInto } from '../inference/inferred-type.ts';
import { onlyField } from '../references/foreign-forms.ts';

const NAME = '[\\p{L}_][\\p{L}\\p{N}_]*';
const STEP = '(?:\\.[\\p{L}\\p{N}_]+|\\[[0-9]{1,9}\\])';
const FOREIGN = new RegExp(
  `\\$\\{\\s*(${NAME}${STEP}*)\\s*\\}|\\{\\s*(${NAME}${STEP}+)\\s*\\}|\\$(${NAME}${STEP}*)|#E([0-9]{1,3})\\b`,
  'gu',
);
const BARE = new RegExp(`^\\s*${NAME}${STEP}*\\s*$`, 'u');
const WORD = /[\p{L}\p{N}_\\$]/u;
const LONGEST_BARE = 200;

/** Who reads the text: a node, or the output of the plan. */
interface Reader {
  readonly analysis: PlanAnalysis;
  readonly nodeAnalysis: NodeAnalysis | undefined;
}

/** A reference in another notation. */
interface Foreign {
  readonly start: number;
  readonly end: number;
  readonly written: string;
  /** As a reference of ours, without the braces. */
  readonly path: string;
  readonly isCertain: boolean;
}

export function checkBraces(nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): void {
  visit(nodeAnalysis.node.in, `${nodeAnalysis.pointer}/in`, { analysis, nodeAnalysis });
}

export function checkOutputBraces(analysis: PlanAnalysis): void {
  visit(analysis.plan.output, '/output', { analysis, nodeAnalysis: undefined });
}

function visit(value: unknown, pointer: string, reader: Reader): void {
  if (typeof value === 'string') checkText(value, pointer, reader);
  else if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) visit(value[index], `${pointer}/${index}`, reader);
  } else if (isRecord(value)) {
    for (const key of Object.keys(value)) visit(value[key], `${pointer}/${pointerToken(key)}`, reader);
  }
}

function checkText(text: string, pointer: string, reader: Reader): void {
  const described = inWords(text, pointer, reader);
  const found = described ?? bareIn(text, pointer, reader) ?? foreignIn(text, reader);
  const [first] = found;
  if (first === undefined) return;
  const suggest = [...new Set(found.map(({ path }) => `{{${path}}}`))].slice(0, 3);
  const message = `${shown(first.written)} is text here, but looks like a reference to ${shown(first.path).slice(1, -1)}: references stand in double braces.`;
  reader.analysis.report.add('ref.braces', pointer, message, {
    got: first.written,
    suggest,
    fix: fixOf(found, pointer, described === undefined ? 'reference.wrapped' : 'reference.rewritten'),
  });
}

function fixOf(found: readonly Foreign[], pointer: string, code: Fix['code']): Fix | undefined {
  const certain = found.filter(({ isCertain }) => isCertain);
  const [first] = certain;
  if (first === undefined) return undefined;
  const message = `${certain
    .map(({ written, path }) => `${shown(written)} was replaced with ${shown(`{{${path}}}`)}`)
    .slice(0, 5)
    .join(', ')}.`;
  const edit = editText(pointer, (text) => {
    let changed = '';
    let at = 0;
    for (const { start, end, path } of certain) {
      changed += `${text.slice(at, start)}{{${path}}}`;
      at = end;
    }
    return changed + text.slice(at);
  });
  return { code, message, edit };
}

// ---------------------------------------------------------------------------------------------------- what looks like one

/** Where the words are a heading as likely as a reference. */
const HEADINGS = /\/(?:title|heading|subject|name|label|caption|filename|path|description)$/i;

/** Words for the outputs of nodes, where exactly one node fits. */
function inWords(text: string, pointer: string, reader: Reader): readonly Foreign[] | undefined {
  const { analysis, nodeAnalysis } = reader;
  const described = describedIn(text, nodeAnalysis, analysis);
  if (described.length === 0) return undefined;
  const found = described.filter(({ path }) => !usesAlready(headOf(path), reader));
  if (found.length === 0) return undefined;
  const isCertain = analysis.naming.isHarmless(nodeAnalysis) && !HEADINGS.test(pointer);
  return found.map((one) => ({ ...one, isCertain }));
}

/** A text that is nothing but a path. */
function bareIn(text: string, pointer: string, reader: Reader): readonly Foreign[] | undefined {
  if (text.length > LONGEST_BARE || !BARE.test(text)) return undefined;
  const path = text.trim();
  const known = resolved(path, reader);
  const whole = { start: 0, end: text.length, written: text, path };
  if (known === 'declared' || known === 'unknown') return [{ ...whole, isCertain: known === 'declared' }];
  // An output that is only the name of a node says nothing else.
  const isOutput = reader.nodeAnalysis === undefined && reader.analysis.outputUses.length === 0;
  return known === 'whole' && isOutput && path !== 'input'
    ? [{ ...whole, isCertain: pointer === '/output' }]
    : undefined;
}

const mayBeForeign = (text: string): boolean => text.includes('{') || text.includes('$') || text.includes('#E');

function foreignIn(text: string, reader: Reader): readonly Foreign[] {
  if (!mayBeForeign(text)) return [];
  const { segments } = reader.analysis.template(text);
  // What begins within a reference of ours is part of it.
  if (!segments.some((segment) => segment.type === 'text' && mayBeForeign(segment.text))) return [];
  const references = segments.filter((segment) => segment.type !== 'text');
  const found: Foreign[] = [];
  let next = 0;
  for (const match of text.matchAll(FOREIGN)) {
    const start = match.index;
    const end = start + match[0].length;
    while ((references[next]?.end ?? Number.POSITIVE_INFINITY) <= start) next += 1;
    if ((references[next]?.start ?? Number.POSITIVE_INFINITY) < end) continue;
    const foreign = foreignOf(match, text, reader);
    if (foreign !== undefined) found.push({ start, end, written: match[0], ...foreign });
  }
  return found;
}

function foreignOf(
  match: RegExpExecArray,
  text: string,
  reader: Reader,
): Pick<Foreign, 'path' | 'isCertain'> | undefined {
  const [whole, shell, single, dollar, evidence] = match;
  const before = text.charAt(match.index - 1);
  if (evidence !== undefined) return evidenceOf(Number(evidence), reader);
  const path = shell ?? single ?? dollar ?? '';
  // More braces are not ours to read, and `US$total` is a sum.
  if (single !== undefined && (before === '{' || text.charAt(match.index + whole.length) === '}')) return undefined;
  if (single === undefined && before !== '' && WORD.test(before)) return undefined;
  const known = resolved(path, reader);
  if (known === undefined || (known === 'whole' && path === 'input')) return undefined;
  const isClear = known === 'declared' || (known === 'unknown' && shell !== undefined);
  return { path, isCertain: isClear && !usesAlready(headOf(path), reader) };
}

/** `#E2`: the output of the second node, in plans of agents that number their evidence. */
function evidenceOf(
  number: number,
  { analysis, nodeAnalysis }: Reader,
): Pick<Foreign, 'path' | 'isCertain'> | undefined {
  const target = analysis.nodes[number - 1];
  if (target === undefined || target === nodeAnalysis || target.node.id === '') return undefined;
  if (nodeAnalysis?.uses.some(({ place }) => place === 'in') === true) return undefined;
  const only = onlyField(target.output);
  const isBefore = nodeAnalysis === undefined || target.position < nodeAnalysis.position;
  return {
    path: only === undefined ? target.node.id : `${target.node.id}.${only}`,
    isCertain: isBefore && analysis.naming.isHarmless(nodeAnalysis),
  };
}

// ---------------------------------------------------------------------------------------------------- what it names

const headOf = (path: string): string => /^[^.[]*/.exec(path)?.[0] ?? path;

/** The node knows how references are written: what it wrote otherwise may be meant as text. */
const usesAlready = (head: string, { analysis, nodeAnalysis }: Reader): boolean =>
  (nodeAnalysis?.uses ?? analysis.outputUses).some((use) => use.head === head && use.place !== 'needs');

/** `whole`: only the name of a node; `declared`: a field that it has; `unknown`: its fields are not declared. */
type Resolution = 'whole' | 'declared' | 'unknown' | 'absent';

/** Undefined when the head is no name of this plan. */
function resolved(path: string, reader: Reader): Resolution | undefined {
  const [first, second] = reader.analysis.template(`{{${path}}}`).segments;
  if (first?.type !== 'reference' || second !== undefined) return undefined;
  const [alternative] = first.reference.alternatives;
  if (alternative?.type !== 'path') return undefined;
  let inferred = startOf(alternative.head, reader);
  if (inferred === undefined) return undefined;
  if (alternative.path.length === 0) return 'whole';
  if (alternative.path[0] === 'meta' && reader.analysis.byId.has(alternative.head)) return 'declared';
  for (const step of alternative.path) {
    if (inferred === 'any') return 'unknown';
    const next: InferredType | undefined = stepInto(inferred, step);
    if (next === undefined) return 'absent';
    inferred = next;
  }
  return 'declared';
}

function startOf(head: string, { analysis, nodeAnalysis }: Reader): InferredType | undefined {
  if (head === 'input') return analysis.input;
  if (head === 'item') return nodeAnalysis?.node.each === undefined ? undefined : nodeAnalysis.item;
  const target = analysis.byId.get(head);
  return target === nodeAnalysis ? undefined : target?.output;
}

/** Input tokens, output tokens and number of items of a node. */
import type { PlanNode } from '../../core/plan/plan.ts';
import { THREAD_SUMMARY_TOKENS, threadSettings } from '../../core/plan/thread.ts';
import { expressionIn } from '../../language/template-syntax.ts';
import type { NodeAnalysis, PlanAnalysis } from '../analysis/plan-analysis.ts';
import { isRecord } from '../document/document.ts';
import type { InferredType } from '../inference/inferred-type.ts';
import { ANSWER_TOKENS, ITEMS, PROMPT_TOKENS, THREAD_TOKENS, VALUE_TOKENS } from './assumptions.ts';
import { answerTokens, roughTokens } from './tokens.ts';
import { WrittenTexts } from './written.ts';

export interface Range {
  readonly low: number;
  readonly expected: number;
  readonly high: number;
}

export interface NodeSize {
  /** Tokens of one call. */
  readonly input: Range;
  readonly output: Range;
  readonly items: Range;
  /** The part of the input that can be counted exactly; undefined where no model has a tokenizer. */
  readonly written: WrittenTexts | undefined;
}

const ONE: Range = { low: 1, expected: 1, high: 1 };
const NONE: Range = { low: 0, expected: 0, high: 0 };
const UNKNOWN: Range = { low: 0, ...VALUE_TOKENS };
/** Limited to the context and the output of each model when its price is computed. */
const LONGEST = Number.MAX_SAFE_INTEGER;

/** Call the result for the nodes in the order of the run: each size depends on the sizes before it. */
export function createSizes(analysis: PlanAnalysis): (nodeAnalysis: NodeAnalysis) => NodeSize {
  const sizes = new Map<string, NodeSize>();
  return function sizeOf(nodeAnalysis) {
    const { node, step } = nodeAnalysis;
    const items = itemsOfNode(nodeAnalysis, sizes, analysis);
    const asks = step?.usesModel === true;
    const written = asks && analysis.catalogue.tokenCounter !== undefined ? new WrittenTexts() : undefined;
    const input = asks ? inputOf(nodeAnalysis, sizes, analysis, written) : NONE;
    const size: NodeSize = { input, output: outputOf(nodeAnalysis), items, written };
    sizes.set(node.id, size);
    return size;
  };
}

function outputOf({ node, step, outputOnce }: NodeAnalysis): Range {
  if (step?.usesModel !== true) return UNKNOWN;
  if (node.use === 'embed' || node.use === 'moderate' || node.use === 'rerank' || node.use === 'image') return NONE;
  const most = mostTokens(node);
  const leaf = outputOnce === 'any' ? undefined : outputOnce[0];
  const typical = node.out !== undefined && leaf !== undefined ? answerTokens(leaf.schema) : ANSWER_TOKENS;
  return { low: 1, expected: Math.min(typical, most), high: most };
}

function mostTokens({ in: inputs, limits }: PlanNode): number {
  const asked = inputs?.maxTokens;
  const most = typeof asked === 'number' && asked >= 1 ? asked : LONGEST;
  return Math.min(most, limits?.tokens ?? LONGEST);
}

// ---------------------------------------------------------------------------------------------------- input

interface Tally {
  fixed: number;
  expected: number;
  high: number;
  readonly written: WrittenTexts | undefined;
}

function inputOf(
  nodeAnalysis: NodeAnalysis,
  sizes: ReadonlyMap<string, NodeSize>,
  analysis: PlanAnalysis,
  written: WrittenTexts | undefined,
): Range {
  const tally: Tally = { fixed: PROMPT_TOKENS, expected: 0, high: 0, written };
  const inputs = nodeAnalysis.node.in ?? {};
  for (const key of Object.keys(inputs)) countValue(inputs[key], tally, nodeAnalysis, sizes, analysis);
  countThread(nodeAnalysis.node, tally);
  const { fixed, expected, high } = tally;
  return { low: fixed, expected: fixed + expected, high: Math.min(LONGEST, fixed + high) };
}

/** What is remembered: nothing at first, and at most what the node lets in. */
function countThread({ thread }: PlanNode, tally: Tally): void {
  if (thread === undefined) return;
  const { tokens, summarise } = threadSettings(thread);
  tally.expected += Math.min(THREAD_TOKENS, tokens);
  tally.high += tokens + (summarise ? THREAD_SUMMARY_TOKENS : 0);
}

function countValue(
  value: unknown,
  tally: Tally,
  nodeAnalysis: NodeAnalysis,
  sizes: ReadonlyMap<string, NodeSize>,
  analysis: PlanAnalysis,
): void {
  if (typeof value === 'string') {
    if (!value.includes('{{')) countText(value, tally);
    else countTemplate(value, tally, nodeAnalysis, sizes, analysis);
  } else if (Array.isArray(value)) {
    for (const item of value) countValue(item, tally, nodeAnalysis, sizes, analysis);
  } else if (isRecord(value)) {
    for (const key of Object.keys(value)) countValue(value[key], tally, nodeAnalysis, sizes, analysis);
  } else tally.fixed += 1;
}

function countText(text: string, tally: Tally): void {
  tally.fixed += roughTokens(text);
  tally.written?.add(text);
}

function countTemplate(
  text: string,
  tally: Tally,
  nodeAnalysis: NodeAnalysis,
  sizes: ReadonlyMap<string, NodeSize>,
  analysis: PlanAnalysis,
): void {
  for (const segment of analysis.template(text).segments) {
    if (segment.type === 'text') {
      countText(segment.text, tally);
      continue;
    }
    if (segment.type === 'expression') {
      countExpression(text, tally, nodeAnalysis, sizes, analysis);
      continue;
    }
    // Only one alternative is used: the first is the expected one, the longest the worst case.
    const { alternatives } = segment.reference;
    let high = 0;
    for (const alternative of alternatives) {
      if (alternative.type === 'literal') continue;
      const size = valueSize(alternative, nodeAnalysis, sizes, analysis);
      if (alternative === alternatives[0]) tally.expected += size.expected;
      high = Math.max(high, size.high);
    }
    tally.high = Math.min(LONGEST, tally.high + high);
  }
}

/** At most the texts that it holds and all that it reads; figures and choices are short whatever they are made of. */
function countExpression(
  text: string,
  tally: Tally,
  nodeAnalysis: NodeAnalysis,
  sizes: ReadonlyMap<string, NodeSize>,
  analysis: PlanAnalysis,
): void {
  const known = shortTokens(nodeAnalysis.inferredTypes.get(text) ?? 'any');
  if (known !== undefined) {
    tally.expected += known;
    tally.high = Math.min(LONGEST, tally.high + known);
    return;
  }
  const written = roughTokens(text);
  const found = nodeAnalysis.expressions.find((expression) => expression.text === text);
  let [expected, high] = [0, written];
  for (const path of found?.parsed.references ?? []) {
    const size = valueSize(path, nodeAnalysis, sizes, analysis);
    expected += size.expected;
    high += size.high;
  }
  tally.expected += expected === 0 ? written : expected;
  tally.high = Math.min(LONGEST, tally.high + high);
}

const FIGURE_TOKENS = 4;
const FIGURES: ReadonlySet<unknown> = new Set(['number', 'integer', 'boolean', 'null']);

/** The most tokens of a figure, or of one of several texts; undefined where the value may be longer. */
function shortTokens(inferred: InferredType): number | undefined {
  if (inferred === 'any') return undefined;
  let most = FIGURE_TOKENS;
  for (const { schema } of inferred) {
    const types = Array.isArray(schema.type) ? schema.type : [schema.type];
    if (types.every((type: unknown) => FIGURES.has(type))) continue;
    if (!Array.isArray(schema.enum)) return undefined;
    for (const choice of schema.enum) most = Math.max(most, roughTokens(String(choice)));
  }
  return most;
}

interface Path {
  readonly head: string;
  readonly path: readonly (string | number)[];
  readonly text: string;
}

/** Tokens of a value that a reference names. */
function valueSize(
  { head, path, text }: Path,
  nodeAnalysis: NodeAnalysis,
  sizes: ReadonlyMap<string, NodeSize>,
  analysis: PlanAnalysis,
): Range {
  const source = analysis.byId.get(head);
  const size = sizes.get(head);
  if (head === 'index') return ONE;
  if (source === undefined || size === undefined) return UNKNOWN;
  if (path[0] === 'meta') return ONE;
  const count = typeof path[0] !== 'number' && source.node.each !== undefined ? size.items : ONE;
  const part = path.length === 0 ? undefined : partSize(nodeAnalysis.inferredTypes.get(text), source);
  const expected = part ?? size.output.expected;
  return { low: 0, expected: expected * count.expected, high: Math.min(LONGEST, size.output.high * count.high) };
}

/** Tokens of a field of a declared output, by its type. */
function partSize(inferred: InferredType | undefined, source: NodeAnalysis): number | undefined {
  if (source.node.out === undefined || inferred === undefined || inferred === 'any') return undefined;
  const [leaf] = inferred;
  return leaf === undefined ? undefined : answerTokens(leaf.schema);
}

// ---------------------------------------------------------------------------------------------------- items

function itemsOfNode(
  { node, uses, inferredTypes }: NodeAnalysis,
  sizes: ReadonlyMap<string, NodeSize>,
  analysis: PlanAnalysis,
): Range {
  if (node.each === undefined) return ONE;
  const most = analysis.catalogue.bounds.items;
  if (expressionIn(node.each) !== undefined) {
    const inferred = inferredTypes.get(node.each) ?? 'any';
    return rangeOf(inferred === 'any' ? {} : (inferred[0]?.schema ?? {}), most);
  }
  const over = uses.find(({ place }) => place === 'each');
  const source = over === undefined ? undefined : analysis.byId.get(over.head);
  // An `each` over the results of another `each` has as many items.
  if (over?.path.length === 0 && source?.node.each !== undefined)
    return sizes.get(over.head)?.items ?? rangeOf({}, most);
  const inferred = over === undefined ? undefined : inferredTypes.get(over.text);
  const leaf = inferred === undefined || inferred === 'any' ? undefined : inferred[0];
  return rangeOf(leaf?.schema ?? {}, most);
}

function rangeOf({ minItems, maxItems }: Readonly<Record<string, unknown>>, most: number): Range {
  const least = typeof minItems === 'number' && minItems > 0 ? Math.min(minItems, most) : 0;
  const top = typeof maxItems === 'number' ? Math.min(Math.max(maxItems, least), most) : undefined;
  return {
    low: least,
    expected: Math.max(least, Math.min(ITEMS.expected, top ?? most)),
    high: top ?? Math.max(least, Math.min(ITEMS.high, most)),
  };
}

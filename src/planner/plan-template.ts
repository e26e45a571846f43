/**
 * A plan with holes where it repeats the variable parts of its request, so that it can be made again for other ones. Nothing is
 * guessed: a part becomes a hole only if it stands in the plan as it stands in the request, in the inputs of nodes and nowhere
 * else, and if nothing else in the plan looks as if it came from it. All other parts stay as they are, and the plan then only
 * fits requests that have them too.
 */
import type { Plan } from '../core/plan/plan.ts';
import { extensionOf, type VariablePart } from './request-shape.ts';

export interface PlanTemplate {
  readonly plan: Plan;
  /** One for each part of the request: the text that it has to have; null: any. */
  readonly fixed: readonly (string | null)[];
}

const OPEN = '\uE000';
const CLOSE = '\uE001';
const HOLE = /\uE000(\d{1,2})\uE001/g;
const SMALLEST_NUMBER = 2;
/** In characters of JSON. */
const LARGEST_PLAN = 200_000;

/** Undefined: the plan is too large, or holds the characters that mark holes. */
export function templateOf(plan: Plan, parts: readonly VariablePart[]): PlanTemplate | undefined {
  const json = JSON.stringify(plan);
  if (json.length > LARGEST_PLAN || json.includes(OPEN) || json.includes(CLOSE)) return undefined;
  let made = plan;
  const fixed = parts.map((part, index) => {
    const lifted = liftable(part) ? lift(made, part, index) : undefined;
    made = lifted ?? made;
    return lifted === undefined ? part.text : null;
  });
  return { plan: made, fixed };
}

/** The plan for a request with these parts; undefined where it does not fit them. */
export function planFrom(
  { plan, fixed }: PlanTemplate,
  request: string,
  parts: readonly VariablePart[],
): Plan | undefined {
  const fits = fixed.length === parts.length && parts.every((part, at) => fitsPart(part, fixed[at]));
  if (!fits) return undefined;
  const filled = mapTexts(plan, (text) => text.replace(HOLE, (_hole, at) => parts[Number(at)]?.text ?? '')) as Plan;
  return plan.goal === undefined ? filled : { ...filled, goal: request.trim().slice(0, LONGEST_GOAL) };
}

const LONGEST_GOAL = 1000;

const fitsPart = (part: VariablePart, fixed: string | null | undefined): boolean =>
  fixed === null ? liftable(part) : part.text === fixed;

/** One, none and half of something are worded otherwise. */
const liftable = ({ type, text }: VariablePart): boolean =>
  type !== 'number' || (/^\d+$/.test(text) && Number(text) >= SMALLEST_NUMBER);

// ---------------------------------------------------------------------------------------------------- one part

/** The plan with a hole for the part; undefined where it cannot be told what of the plan came from it. */
function lift(plan: Plan, part: VariablePart, index: number): Plan | undefined {
  const pattern = wholeText(part.text);
  const hole = `${OPEN}${index}${CLOSE}`;
  let count = 0;
  const fill = (text: string): string =>
    outsideReferences(text, (piece) =>
      piece.replace(pattern, () => {
        count += 1;
        return hole;
      }),
    );
  const lifted = withInputs(plan, (inputs) => mapTexts(inputs, fill));
  if (count === 0 || leavesTrace(lifted, part)) return undefined;
  return lifted;
}

/** The text where it is not a part of a longer word, name or number. */
const wholeText = (text: string): RegExp =>
  new RegExp(`(?<![\\p{L}\\p{N}_./~-])${escaped(text)}(?![\\p{L}\\p{N}_/~-]|\\.[\\p{L}\\p{N}])`, 'gu');

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

/** An expression is not a text in which anything stands for itself, and neither is a reference. */
function outsideReferences(text: string, change: (piece: string) => string): string {
  if (!text.includes('{{')) return change(text);
  return text
    .split(/(\{\{[^{}]*\}\})/)
    .map((piece, at) => (at % 2 === 1 || piece.includes('{{') ? piece : change(piece)))
    .join('');
}

type Inputs = NonNullable<Plan['nodes'][number]['in']>;

/** The plan with other inputs of its nodes, and of those of its workflows. */
function withInputs(plan: Plan, change: (inputs: Inputs) => unknown): Plan {
  const nodesOf = (nodes: Plan['nodes']): Plan['nodes'] =>
    nodes.map((node) => (node.in === undefined ? node : { ...node, in: change(node.in) as Inputs }));
  const { workflows } = plan;
  if (workflows === undefined) return { ...plan, nodes: nodesOf(plan.nodes) };
  const inner = Object.entries(workflows).map(([name, one]) => [name, { ...one, nodes: nodesOf(one.nodes) }]);
  return { ...plan, nodes: nodesOf(plan.nodes), workflows: Object.fromEntries(inner) };
}

// ---------------------------------------------------------------------------------------------------- traces

/** Something is left in the plan that may come from the part: its words in another form, or as many of something as it says. */
function leavesTrace({ goal: _goal, ...plan }: Plan, part: VariablePart): boolean {
  const texts: string[] = [];
  const counts = new Set<number>();
  collect(plan, texts, counts);
  for (const count of sameSteps(plan.nodes)) counts.add(count);
  const rest = texts.join('\n').toLowerCase();
  if (part.type === 'number') {
    const number = Number(part.text);
    const word = NUMBER_WORDS[number];
    return counts.has(number) || rest.includes(part.text) || (word !== undefined && rest.includes(word));
  }
  return wordsOf(part).some((word) => rest.includes(word));
}

const NUMBER_WORDS = 'zero one two three four five six seven eight nine ten eleven twelve'.split(' ');

/** Of three characters and more; the ending of a file is a part of the shape of its request. */
function wordsOf({ type, text }: VariablePart): readonly string[] {
  const ending = type === 'path' ? extensionOf(text) : '';
  const stem = ending === '' ? text : text.slice(0, -ending.length - 1);
  const words = stem.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu) ?? [];
  return type === 'url' ? words.filter((word) => word !== 'https' && word !== 'http') : words;
}

/**
 * Names of nodes are only names, so they are left out. What is counted: numbers, lists, and the fields of maps that a node does not
 * have because of the format.
 */
function collect(value: unknown, texts: string[], counts: Set<number>, key = ''): void {
  if (typeof value === 'string') texts.push(textOutside(value));
  else if (typeof value === 'number') counts.add(value);
  else if (Array.isArray(value)) {
    counts.add(value.length);
    for (const item of value) collect(item, texts, counts, 'item');
  } else if (typeof value === 'object' && value !== null) {
    if (!FORMAT.has(key)) counts.add(Object.keys(value).length);
    for (const [name, field] of Object.entries(value)) {
      texts.push(name);
      if (name !== 'id' && name !== 'needs' && name !== 'version') collect(field, texts, counts, name);
    }
  }
}

/** The plan, a node and its inputs: their fields are those of the format. */
const FORMAT: ReadonlySet<string> = new Set(['', 'item', 'in', 'model', 'limits', 'escalate', 'repeat']);

/** Without references and holes; an expression may hold texts, so it stays. */
const textOutside = (text: string): string =>
  (text.startsWith('{{=') ? text : text.replace(/\{\{[^{}]*\}\}/g, ' ')).replace(HOLE, ' ');

/** How often each step is used: three nodes of a kind may be the three that were asked for. */
function sameSteps(nodes: Plan['nodes']): Iterable<number> {
  const uses = new Map<string, number>();
  for (const { use } of nodes) uses.set(use, (uses.get(use) ?? 0) + 1);
  return uses.values();
}

function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, mapTexts(field, change)]));
}

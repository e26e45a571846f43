/** What a planner is asked after an answer that cannot run: little, and only of what is wrong. */
import { PolyphonyError } from '../core/errors.ts';
import { firstOf, lastOf } from '../core/json/cut-text.ts';
import type { Message, ModelResponse } from '../core/model/model.ts';
import type { PlanBounds } from '../core/plan/plan.ts';
import type { Catalogue, PlanIssue, Validation } from '../core/plan/validation.ts';
import { extractJson } from '../kit/json/json-schema.ts';
import type { Wanted } from './form/plan-shape.ts';

/** A node takes about 29 tokens in short plans; prompts make it longer. */
const TOKENS_PER_NODE = 60;
const TOKENS_AROUND = 640;
const MOST_TOKENS = 16_000;

/** What a planning is expected to write, where costs are compared. */
export const TYPICAL_PLAN_TOKENS = 400;
/** The least that a planner's window has to leave beside its prompt: for a small plan, and for that plan with its issues in a repair. */
export const LEAST_PLAN_TOKENS = 640;
const LEAST_REPAIR_TOKENS = 900;
export const LEAST_ROOM = LEAST_PLAN_TOKENS + LEAST_REPAIR_TOKENS;

/** The longest answer that a plan within the bounds needs, in tokens. */
export const planTokens = ({ nodes, bytes }: PlanBounds): number =>
  Math.max(TOKENS_AROUND, Math.min(MOST_TOKENS, TOKENS_AROUND + nodes * TOKENS_PER_NODE, Math.ceil(bytes / 3)));

/** Characters of an answer that are shown to its author again. */
const SHOWN_BEGINNING = 6000;
const SHOWN_END = 1500;
const MOST_ISSUES = 40;

/** An answer that ended at its length limit, and is not the whole of a JSON document. */
export function isCut({ finishReason }: ModelResponse, answer: string): boolean {
  if (finishReason !== 'length') return false;
  try {
    JSON.parse(answer);
    return false;
  } catch {
    return true;
  }
}

const CUT =
  'The answer was cut at its length limit before the plan was complete: write fewer nodes and shorter prompts, pass material by reference, and write nothing but the plan.';

/** Whatever of a cut plan could be read is a plan for something else. */
export const cutValidation = (): Validation => ({
  issues: [{ code: 'shape.json', severity: 'error', path: '', message: CUT }],
  repaired: [],
});

/** Warnings that leave the output, or a node that is run for nothing but its output, without a meaning. */
export function voids({ plan, issues }: Validation, { steps }: Catalogue): readonly PlanIssue[] {
  const isForOutput = (id: unknown): boolean => {
    const use = plan?.plan.nodes.find((node) => node.id === id)?.use ?? '';
    const step = steps.get(use);
    // A `value` costs nothing, and a tool that does not say that it changes nothing may be there for what it changes.
    return use !== 'value' && (step?.usesModel === true || step?.sideEffects === false);
  };
  return issues.filter(
    ({ code, path, got }) =>
      (code === 'node.unused' && isForOutput(got)) || (code === 'ref.braces' && path.startsWith('/output')),
  );
}

/** A plan as it was answered, of which single nodes can be replaced. */
export interface Answered {
  readonly text: string;
  /** Undefined: its nodes could not be told apart. */
  readonly document: PlanDocument | undefined;
}

interface PlanDocument extends Readonly<Record<string, unknown>> {
  readonly nodes: readonly unknown[];
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isDocument = (value: unknown): value is PlanDocument => isRecord(value) && Array.isArray(value.nodes);

/** The answer as a whole plan: what it replaces is put into the plan before it. */
export function answered(text: string, before: Answered | undefined): Answered {
  const value = extractJson(text)?.value;
  if (isDocument(value)) return { text, document: value };
  const inner = isRecord(value) ? Object.values(value).filter(isDocument) : [];
  if (inner.length === 1) return { text, document: inner[0] };
  if (!isRecord(value) || !Array.isArray(value.replace) || before?.document === undefined)
    return { text, document: undefined };
  const document = replaced(before.document, value.replace, value.output);
  return { text: JSON.stringify(document), document };
}

/** By id: nodes of the same id are replaced where they stand, new ones are added at the end. */
function replaced(before: PlanDocument, nodes: readonly unknown[], output: unknown): PlanDocument {
  const byId = new Map(nodes.flatMap((node) => (isRecord(node) ? [[node.id, node] as const] : [])));
  const known = new Set(before.nodes.map((node) => (isRecord(node) ? node.id : undefined)));
  const kept = before.nodes.map((node) => (isRecord(node) ? (byId.get(node.id) ?? node) : node));
  const added = [...byId].flatMap(([id, node]) => (known.has(id) ? [] : [node]));
  return { ...before, nodes: [...kept, ...added], ...(output === undefined ? {} : { output }) };
}

/** Characters of a repair that a window leaves for it, beside the prompt and another plan. Tokens of plans have about three. */
export const repairCharacters = (contextTokens: number, promptTokens: number): number =>
  Math.max(LEAST_REPAIR_TOKENS, contextTokens - promptTokens - LEAST_PLAN_TOKENS) * 3;

/** What another round is asked, and for what. */
export interface Repair {
  readonly messages: readonly Message[];
  readonly wanted: Wanted;
}

/** The last answer, shortened, and what is wrong with it, for another round. `most` bounds both together, in characters. */
export function repairOf(
  answer: Answered,
  issues: readonly PlanIssue[],
  isWhole: boolean,
  most = Number.POSITIVE_INFINITY,
): Repair {
  const shown = fitting(issues.slice(0, MOST_ISSUES), most / 2);
  const ids = isWhole ? undefined : offendingIds(answer.document, shown);
  const ask =
    ids === undefined
      ? 'Mend every issue and answer with the whole plan again, JSON alone:'
      : `Mend every issue. Answer with only the nodes that change (${ids.join(', ')} have issues) as {"replace": [nodes]}, and "output" beside it if that changes; all others stay. JSON alone:`;
  const messages: readonly Message[] = [
    { role: 'assistant', content: shortened(answer.text, most / 2) },
    { role: 'user', content: `The plan cannot run as it is meant. ${ask}\n${JSON.stringify(shown)}` },
  ];
  return { messages, wanted: ids === undefined ? 'plan' : 'nodes' };
}

/** The first issues, one at least, as many as there is room for. */
function fitting(issues: readonly PlanIssue[], most: number): readonly PlanIssue[] {
  let left = most;
  return issues.filter((issue, place) => {
    left -= JSON.stringify(issue).length;
    return place === 0 || left >= 0;
  });
}

function shortened(text: string, most: number): string {
  const shown = Math.min(SHOWN_BEGINNING + SHOWN_END, Math.max(500, Math.floor(most)));
  if (text.length <= shown) return text;
  const beginning = Math.floor(shown * (SHOWN_BEGINNING / (SHOWN_BEGINNING + SHOWN_END)));
  return `${firstOf(text, beginning)}\n… ${text.length - shown} characters left out …\n${lastOf(text, shown - beginning)}`;
}

/** Undefined where an issue is not of a node or of the output, or where most nodes have one. */
function offendingIds(document: PlanDocument | undefined, issues: readonly PlanIssue[]): readonly string[] | undefined {
  if (document === undefined) return undefined;
  const ids = new Set<string>();
  for (const { path } of issues) {
    const place = /^\/nodes\/(\d+)(?:\/|$)/.exec(path)?.[1];
    const node = place === undefined ? undefined : document.nodes[Number(place)];
    if (isRecord(node) && typeof node.id === 'string') ids.add(firstOf(node.id, 80));
    else if (!path.startsWith('/output')) return undefined;
  }
  return ids.size === 0 || ids.size * 2 > document.nodes.length ? undefined : [...ids];
}

/** The error of a planner that says that it is the planner's: its prompt does not fit its window, or nobody offers it. */
export function namedError(error: unknown, model: string | undefined, isPinned: boolean): unknown {
  if (!(error instanceof PolyphonyError)) return error;
  const { code, message, retryable, details } = error;
  const who = model === undefined ? 'the planner' : `the planner "${model}"`;
  if (code === 'no-route' && isPinned)
    return new PolyphonyError(
      code,
      `Nobody can be asked as ${who}, which the config sets (planner.model): ${message}`,
      {
        cause: error,
        retryable,
        ...(details === undefined ? {} : { details }),
      },
    );
  if (code !== 'context-window') return error;
  return new PolyphonyError(
    'context-window',
    `The prompt of ${who} does not fit its context window: ${message} Set a planner with a larger window in the config (planner.model), or register fewer tools.`,
    { cause: error },
  );
}

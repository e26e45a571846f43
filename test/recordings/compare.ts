/** When an answer of ours agrees with a recording: the rules of recordings/README.md. */
import { isDeepStrictEqual } from 'node:util';
import { type ModelResponse, type OperationOutput, PolyphonyError, type ToolCallPart } from 'polyphony';
import { textOf } from 'polyphony/kit';

export interface Expected {
  readonly kind?: string;
  readonly error?: { readonly status?: number };
  readonly truncated?: boolean;
  readonly text?: string;
  readonly reasoning?: string;
  readonly refusal?: string;
  readonly toolCalls?: readonly {
    readonly name: string;
    readonly arguments?: unknown;
    readonly argumentsRaw?: string;
  }[];
  readonly finish?: string | null;
  readonly usage?: Readonly<Record<string, number>>;
  readonly count?: number;
  readonly dims?: number;
  readonly results?: readonly { readonly flagged: boolean; readonly categories: readonly string[] }[];
  readonly order?: readonly number[];
}

export interface Difference {
  readonly field: string;
  readonly expected: unknown;
  readonly got: unknown;
}

export type Outcome = { readonly response: ModelResponse } | { readonly error: unknown };

/** Undefined when they agree, else the first difference. */
export function difference(expected: Expected, outcome: Outcome): Difference | undefined {
  if ('error' in outcome) return errorDifference(expected, outcome.error);
  const { response } = outcome;
  if (expected.error !== undefined) return { field: 'error', expected: expected.error, got: textOf(response) };
  const pairs = expected.kind === 'chat' ? chatPairs(expected, response) : outputPairs(expected, response.output);
  const found = pairs.find(([, wanted, got]) => !isDeepStrictEqual(wanted, got));
  return found && { field: found[0], expected: found[1], got: found[2] };
}

function errorDifference(expected: Expected, error: unknown): Difference | undefined {
  const got = error instanceof PolyphonyError ? `${error.code}: ${error.message}` : String(error);
  if (!(error instanceof PolyphonyError)) return { field: 'error', expected: 'a PolyphonyError', got };
  const cut = error.code === 'truncated';
  // A recording that stops without a finish reason was cut, and saying so is right.
  const open = expected.kind === 'chat' && (expected.finish === null || expected.finish === undefined);
  const unfinished = expected.truncated === true || expected.kind === 'empty' || open;
  if (expected.error === undefined) return unfinished && cut ? undefined : { field: 'error', expected: undefined, got };
  const status = expected.error.status ?? 200;
  if (status < 400) return cut ? { field: 'error', expected: expected.error, got } : undefined;
  const same = Math.floor((error.status ?? 0) / 100) === Math.floor(status / 100);
  return same ? undefined : { field: 'error.status', expected: status, got: error.status };
}

type Pair = readonly [field: string, expected: unknown, got: unknown];

function chatPairs(expected: Expected, response: ModelResponse): readonly Pair[] {
  const calls = response.content.filter((part) => part.type === 'tool-call');
  const reasoning = response.content.reduce((sum, part) => (part.type === 'reasoning' ? sum + part.text : sum), '');
  return [
    ['text', expected.text ?? '', textOf(response)],
    ['reasoning', expected.reasoning ?? '', reasoning],
    [
      'toolCalls',
      (expected.toolCalls ?? []).map((call) => ({ name: call.name, arguments: call.argumentsRaw ?? call.arguments })),
      calls.map((call) => ({ name: call.name, arguments: call.raw ?? argumentsOf(call) })),
    ],
    ['finish', ...finishPair(expected, response)],
    ...usagePairs(expected.usage ?? {}, response),
  ];
}

/** The text of a custom tool is its field `input`. */
function argumentsOf({ item, arguments: given }: ToolCallPart): unknown {
  const isCustom = typeof item === 'object' && item !== null && 'type' in item && item.type === 'custom';
  return isCustom && typeof given === 'object' && given !== null && 'input' in given ? given.input : given;
}

function finishPair(expected: Expected, response: ModelResponse): readonly [expected: unknown, got: unknown] {
  const wanted =
    expected.finish === null || expected.finish === undefined ? 'other' : expected.finish.replace('_', '-');
  const calls = (expected.toolCalls ?? []).length > 0;
  const either = calls && (wanted === 'stop' || wanted === 'other') && response.finishReason === 'tool-calls';
  return [either ? 'tool-calls' : wanted, response.finishReason];
}

/** The numbers that we hold too: `total`, the uncached part and billed units are others' sums of these. */
const USAGE_FIELDS = ['input', 'output', 'cacheRead', 'cacheWrite', 'reasoning'] as const;

function usagePairs(usage: Readonly<Record<string, number>>, response: ModelResponse): readonly Pair[] {
  return USAGE_FIELDS.flatMap((field): Pair[] => {
    const wanted = usage[field];
    // Zero and "not told" are the same count.
    return wanted === undefined ? [] : [[`usage.${field}`, wanted, response.usage[field] ?? 0]];
  });
}

function outputPairs(expected: Expected, output: OperationOutput | undefined): readonly Pair[] {
  if (expected.kind === 'embedding') {
    const vectors = output?.operation === 'embed' ? output.vectors : [];
    return [
      ['count', expected.count, vectors.length],
      ['dims', expected.dims, vectors[0]?.length ?? 0],
    ];
  }
  if (expected.kind === 'image') {
    return [['count', expected.count, output?.operation === 'image' ? output.images.length : undefined]];
  }
  if (expected.kind === 'moderation') {
    const results = output?.operation === 'moderate' ? output.results : [];
    const got = results.map(({ flagged, categories }) => ({
      flagged,
      categories: Object.keys(categories)
        .filter((name) => categories[name])
        .sort(),
    }));
    return [['results', expected.results, got]];
  }
  if (expected.kind === 'rerank') {
    const results = output?.operation === 'rerank' ? output.results : [];
    return [['order', expected.order, results.map((result) => result.index)]];
  }
  return [['kind', 'one that the runner knows', expected.kind]];
}

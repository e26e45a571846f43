/**
 * The values that fields of a request may have. A caller in JavaScript may write any: one that nobody understands would be no rule at
 * all, such as a sensitivity that keeps nothing back. Asked of each call, so a rule is one comparison, and words are made for what is wrong.
 */
import { shown } from '../../../core/checked-options.ts';
import { PolyphonyError } from '../../../core/errors.ts';
import { CAPABILITIES, type Part, SENSITIVITIES, TIERS } from '../../../core/model/model.ts';
import { nearest } from '../../../language/suggest.ts';

export interface ValueRule {
  fits(value: unknown): boolean;
  /** Ends the sentence "… is 5, but it must be". */
  readonly must: string;
  /** Words that are suggested. @default none */
  readonly words?: readonly string[];
}
export type ValueRules = Readonly<Record<string, ValueRule>>;

const isText = (value: unknown): value is string => typeof value === 'string';
const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isText);

const oneOf = (...words: readonly string[]): ValueRule => ({
  fits: (value) => words.includes(value as string),
  must: words.length === 1 ? `"${words[0]}"` : `one of ${words.join(', ')}`,
  words,
});
const number = (least: number, most: number, must: string): ValueRule => ({
  fits: (value) => typeof value === 'number' && value >= least && value <= most,
  must,
});
const whole = (least: number): ValueRule => ({
  fits: (value) => Number.isInteger(value) && Number(value) >= least,
  must: least === Number.MIN_SAFE_INTEGER ? 'a whole number' : `a whole number of at least ${least}`,
});
const finite: ValueRule = { fits: Number.isFinite, must: 'a number' };
const boolean: ValueRule = { fits: (value) => typeof value === 'boolean', must: 'true or false' };
const text: ValueRule = { fits: isText, must: 'a text' };
const texts: ValueRule = { fits: isTexts, must: 'a list of texts' };
const share = number(0, 1, 'a number from 0 to 1');
const amount = number(0, Number.POSITIVE_INFINITY, 'a number of at least 0');

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const toolChoice: ValueRule = {
  fits: (value) =>
    value === 'auto' || value === 'none' || value === 'required' || (isRecord(value) && isText(value.name)),
  must: '"auto", "none", "required" or { name }, the name of a tool',
};

export const REQUEST_VALUES: ValueRules = {
  optimise: oneOf('cost', 'latency', 'quality', 'balanced'),
  sensitivity: oneOf(...SENSITIVITIES),
  cache: oneOf('use', 'skip', 'refresh'),
  onStreamFailure: oneOf('error', 'restart', 'continue'),
  includeRaw: boolean,
  maxOutputTokens: whole(1),
  temperature: finite,
  topP: finite,
  topK: finite,
  presencePenalty: finite,
  frequencyPenalty: finite,
  stop: texts,
  seed: whole(Number.MIN_SAFE_INTEGER),
  logprobs: {
    fits: (value) => typeof value === 'boolean' || Number.isInteger(value),
    must: 'true, false or a whole number',
  },
  parallelToolCalls: boolean,
  serviceTier: text,
  user: text,
  toolsInPrompt: boolean,
  toolChoice,
  dimensions: whole(1),
  purpose: oneOf('query', 'document'),
  count: whole(1),
  top: whole(1),
  fit: { fits: (value) => value === false || value === 'middle-out', must: '"middle-out" or false' },
};
export const MODEL_VALUES: ValueRules = {
  id: text,
  route: text,
  task: text,
  tier: oneOf(...TIERS),
  strict: boolean,
  can: {
    fits: (value) => isTexts(value) && value.every((word) => CAPABILITIES.some((known) => known === word)),
    must: `a list of some of ${CAPABILITIES.join(', ')}`,
    words: CAPABILITIES,
  },
  strengths: texts,
};
export const REQUIRED_VALUES: ValueRules = {
  contextTokens: amount,
  languages: texts,
  regions: texts,
  retention: oneOf('none'),
};
export const LIMIT_VALUES: ValueRules = {
  usd: number(0, 9_000_000, 'a number of US dollars from 0 to 9,000,000'),
  ms: amount,
  attemptMs: { fits: (value) => typeof value === 'number' && value > 0, must: 'a number of milliseconds above 0' },
  p95Ms: amount,
  milliseconds: amount,
  p95Milliseconds: amount,
  quality: share,
  accuracy: share,
  retries: whole(0),
  unknownLatency: oneOf('last', 'refuse'),
};

const RESULT_PARTS: readonly unknown[] = ['text', 'image', 'file'];
const isResultPart = (part: unknown): boolean =>
  isRecord(part) && RESULT_PARTS.includes(part.type) && (part.type !== 'text' || isText(part.text));
const source: ValueRule = {
  fits: (value) =>
    isRecord(value) &&
    (value.type === 'url'
      ? isText(value.url)
      : value.type === 'base64' && isText(value.data) && isText(value.mediaType)),
  must: '{ type: "base64", data, mediaType } or { type: "url", url }, each a text',
};
const media: ValueRules = { source };

/** What a part of a message cannot be without, by its type. */
export const PART_VALUES: Readonly<Record<Part['type'], ValueRules>> = {
  text: { text },
  image: media,
  audio: media,
  video: media,
  file: media,
  reasoning: {},
  'tool-call': { id: text, name: text, arguments: { fits: (value) => value !== undefined, must: 'JSON' } },
  'tool-result': {
    id: text,
    content: {
      fits: (value) => isText(value) || (Array.isArray(value) && value.every(isResultPart)),
      must: 'a text, or a list of parts with a text, an image or a file',
    },
  },
};
/** @throws invalid-request naming the field of the part, its value and what it must be */
export function assertPart(what: string, part: Part): void {
  const rules = PART_VALUES[part.type];
  for (const field in rules) {
    const value: unknown = part[field as keyof Part];
    const rule = rules[field];
    if (rule === undefined || rule.fits(value)) continue;
    throw new PolyphonyError('invalid-request', message(`${what} (${part.type}): its ${field}`, value, rule));
  }
}

/** @throws invalid-request naming the field, its value and what it may be */
export function assertValue(prefix: string, name: string, value: unknown, rules: ValueRules): void {
  if (value === undefined || !Object.hasOwn(rules, name)) return;
  const rule = rules[name];
  if (rule === undefined || rule.fits(value)) return;
  throw new PolyphonyError('invalid-request', message(`${prefix}${name}`, value, rule));
}

function message(field: string, value: unknown, { must, words = [] }: ValueRule): string {
  const wrong = isTexts(value) ? value.find((word) => !words.includes(word)) : value;
  const near = words.length > 1 && isText(wrong) ? nearest(wrong, words)[0] : undefined;
  const meant = near === undefined ? '' : ` Did you mean "${near}"?`;
  const given = isTexts(value) && words.length > 0 ? `has ${shown(wrong)}` : `is ${shown(value)}`;
  return `${field} ${given}, but it must be ${must}.${meant}`;
}

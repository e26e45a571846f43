/**
 * The values that fields of a request may have. A caller in JavaScript may write any: one that nobody understands would be no rule at
 * all, such as a sensitivity that keeps nothing back. Asked of each call, so a rule is one comparison, and words are made for what is wrong.
 */
import {
  BOOLEAN,
  isFields,
  isText,
  isTexts,
  type KnownFields,
  numberFrom,
  OBJECT,
  objectWith,
  oneOf,
  TEXT,
  TEXTS,
  type ValueRule,
  wholeFrom,
  wrongValue,
} from '../../../core/checked-options.ts';
import {
  CAPABILITIES,
  type ChatRequest,
  type EmbeddingRequest,
  type ImageRequest,
  type ModerationRequest,
  type Operation,
  type Part,
  type RerankRequest,
  SENSITIVITIES,
  TIERS,
} from '../../../core/model/model.ts';
import { BATCH_TIER } from '../../../core/money/price.ts';
import { nearest } from '../../../language/suggest.ts';

export type ValueRules = Readonly<Record<string, ValueRule>>;

const finite: ValueRule = { fits: Number.isFinite, must: 'a number' };
const share = numberFrom(0, 1, 'a number from 0 to 1');
const amount = numberFrom(0, Number.POSITIVE_INFINITY, 'a number of at least 0');

type BaseFields = Omit<EmbeddingRequest, 'operation' | 'input' | 'dimensions' | 'purpose'>;

const BASE: KnownFields<BaseFields> = {
  model: true,
  limits: true,
  intent: true,
  requires: true,
  optimise: oneOf('cost', 'latency', 'quality', 'balanced'),
  sensitivity: oneOf(...SENSITIVITIES),
  cache: oneOf('use', 'skip', 'refresh'),
  escalate: true,
  onStreamFailure: oneOf('error', 'restart', 'continue'),
  providerOptions: {
    fits: (value) => isFields(value) && Object.values(value).every(isFields),
    must: 'an object of fields by the id of a provider, such as { acme: { safe: true } }',
  },
  includeRaw: BOOLEAN,
};
const CHOICES = ['auto', 'none', 'required'];
/** `batch` is the tier of calls that wait: asked for by one that does not, it would change nothing. */
const SERVICE_TIER: ValueRule = {
  fits: (value) => isText(value) && value !== BATCH_TIER,
  must: `a tier of the provider for calls that are made at once, such as "flex" or "priority"; for a call that may wait write urgency: 'batch' into its options`,
};
const CHAT: KnownFields<ChatRequest> = {
  ...BASE,
  operation: true,
  messages: true,
  tools: true,
  providerTools: true,
  answerTokens: wholeFrom(1),
  repeatedCharacters: wholeFrom(0),
  toolChoice: {
    fits: (value) => (isFields(value) ? isText(value.name) : CHOICES.includes(value as string)),
    must: `one of ${CHOICES.join(', ')}, or { name } of a tool`,
    words: CHOICES,
  },
  parallelToolCalls: BOOLEAN,
  output: OBJECT,
  maxOutputTokens: wholeFrom(1),
  temperature: finite,
  topP: finite,
  topK: finite,
  presencePenalty: finite,
  frequencyPenalty: finite,
  stop: TEXTS,
  seed: wholeFrom(Number.MIN_SAFE_INTEGER),
  logprobs: {
    fits: (value) => typeof value === 'boolean' || Number.isInteger(value),
    must: 'true, false or a whole number',
  },
  reasoning: objectWith('an object, such as { effort: "high" }'),
  serviceTier: SERVICE_TIER,
  user: TEXT,
  hedge: true,
  toolsInPrompt: BOOLEAN,
  fit: { fits: (value) => value === false || value === 'middle-out', must: '"middle-out" or false' },
};
const EMBED: KnownFields<EmbeddingRequest> = {
  ...BASE,
  operation: true,
  input: TEXTS,
  dimensions: wholeFrom(1),
  purpose: oneOf('query', 'document'),
};
const IMAGE: KnownFields<ImageRequest> = {
  ...BASE,
  operation: true,
  prompt: TEXT,
  negativePrompt: TEXT,
  size: TEXT,
  count: wholeFrom(1),
  seed: wholeFrom(Number.MIN_SAFE_INTEGER),
  image: OBJECT,
  quality: TEXT,
};
const MODERATE: KnownFields<ModerationRequest> = {
  ...BASE,
  operation: true,
  input: {
    fits: (value) => Array.isArray(value) && value.every(isFields),
    must: 'a list of parts, such as [{ type: "text", text }]',
  },
};
const RERANK: KnownFields<RerankRequest> = {
  ...BASE,
  operation: true,
  query: TEXT,
  documents: TEXTS,
  top: wholeFrom(1),
};

export interface RequestRules {
  readonly what: string;
  readonly fields: Readonly<Record<string, true | ValueRule>>;
  /** Names that are suggested besides the fields. */
  readonly short: readonly string[];
}
export const RULES: Readonly<Record<Operation, RequestRules>> = {
  chat: { what: 'A chat request', fields: CHAT, short: ['prompt', 'system'] },
  embed: { what: 'An embedding request', fields: EMBED, short: [] },
  image: { what: 'An image request', fields: IMAGE, short: [] },
  moderate: { what: 'A moderation request', fields: MODERATE, short: [] },
  rerank: { what: 'A rerank request', fields: RERANK, short: [] },
};

export const MODEL_VALUES: ValueRules = {
  id: TEXT,
  route: TEXT,
  task: TEXT,
  tier: oneOf(...TIERS),
  strict: BOOLEAN,
  can: {
    fits: (value) => isTexts(value) && value.every((word) => CAPABILITIES.some((known) => known === word)),
    must: `a list of some of ${CAPABILITIES.join(', ')}`,
    words: CAPABILITIES,
  },
  strengths: TEXTS,
};
export const REQUIRED_VALUES: ValueRules = {
  contextTokens: amount,
  languages: TEXTS,
  regions: TEXTS,
  retention: oneOf('none'),
};
export const LIMIT_VALUES: ValueRules = {
  usd: numberFrom(0, 9_000_000, 'a number of US dollars from 0 to 9,000,000'),
  ms: amount,
  attemptMs: { fits: (value) => typeof value === 'number' && value > 0, must: 'a number of milliseconds above 0' },
  p95Ms: amount,
  milliseconds: amount,
  p95Milliseconds: amount,
  quality: share,
  accuracy: share,
  retries: wholeFrom(0),
  unknownLatency: oneOf('last', 'refuse'),
};

const RESULT_PARTS: readonly unknown[] = ['text', 'image', 'file'];
const isResultPart = (part: unknown): boolean =>
  isFields(part) && RESULT_PARTS.includes(part.type) && (part.type !== 'text' || isText(part.text));
const source: ValueRule = {
  fits: (value) =>
    isFields(value) &&
    (value.type === 'url'
      ? isText(value.url)
      : value.type === 'base64' && isText(value.data) && isText(value.mediaType)),
  must: '{ type: "base64", data, mediaType } or { type: "url", url }, each a text',
};
const media: ValueRules = { source };

/** What a part of a message cannot be without, by its type. */
export const PART_VALUES: Readonly<Record<Part['type'], ValueRules>> = {
  text: { text: TEXT },
  image: media,
  audio: media,
  video: media,
  file: media,
  reasoning: {},
  'tool-call': { id: TEXT, name: TEXT, arguments: { fits: (value) => value !== undefined, must: 'JSON' } },
  'tool-result': {
    id: TEXT,
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
    if (rule !== undefined && !rule.fits(value))
      throw wrongValue(`${what} (${part.type}): its ${field}`, value, rule, nearest);
  }
}

/** @throws invalid-request naming the field, its value and what it may be */
export function assertValue(field: string, value: unknown, rule: true | ValueRule | undefined): void {
  if (value === undefined || rule === undefined || rule === true || rule.fits(value)) return;
  throw wrongValue(field, value, rule, nearest);
}

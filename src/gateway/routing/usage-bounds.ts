/** What the usage of an attempt can be at most, and what it is taken for where the provider does not say. */
import type { Message, ModelRequest, Part, Usage, Warning } from '../../core/model/model.ts';
import type { ModelCard, Provider } from '../../core/model/provider.ts';
import { MOST_NANO_USD, NANO_PER_USD, type NanoUsd } from '../../core/money/money.ts';
import {
  type PossibleUsage,
  possibleUsage,
  type UsageBounds,
  type WholeCounts,
} from '../../core/money/possible-usage.ts';
import { worstCostOf } from '../../core/money/price.ts';
import type { TokenPrice } from '../../core/money/token-price.ts';
import { Received } from '../calls/received.ts';
import { needsOf } from '../calls/requirements.ts';
import { countedInput } from './estimate.ts';
import type { Deployment } from './registry.ts';

/**
 * How far a count may exceed what the model's card and the request allow before it is taken for an error. Not 1, because
 * cards of unlisted models are guesses, and because a provider's own tools add to the prompt and run the model several times.
 */
const LEEWAY = 4;
/**
 * Tokens of a prompt that nobody sees: instructions that servers add, templates of tools and schemas. The longest that are known of
 * take about ten thousand.
 */
const HIDDEN_INPUT = 16_384;
/** As much for each text of a request for vectors, which a server may begin with an instruction. */
const HIDDEN_IN_TEXT = 64;
/** Tokens that end an answer, and those around its calls. */
const HIDDEN_OUTPUT = 1024;
const HIDDEN_IN_CALL = 256;
/** So few are believed without having been asked for, where their fee is known. */
const UNASKED_SEARCHES = 8;
/** More than any model reads or writes, for a card that states no usable number. */
const MOST_TOKENS = 1_000_000_000;
const BYTES_PER_TOKEN = 4;
/** The most tokens that a provider counts for one generated picture or vector. */
const TOKENS_PER_OUTPUT = 16_384;

const tokens = (count: number): number => (count >= 0 && count <= MOST_TOKENS ? Math.ceil(count) : MOST_TOKENS);

/** The model that answers, with its exact tokenizer where it has one. */
type Counted = Pick<Deployment, 'card' | 'counter' | 'provider'>;

/** The reported usage as far as it is possible. */
export function possibleUsageOf(
  reported: Usage,
  deployment: Counted,
  request: ModelRequest,
  received: Received,
): PossibleUsage {
  const { card } = deployment;
  const asked = request.operation === 'chat' ? request.maxOutputTokens : undefined;
  // Nearly every answer stays within these, so that nothing else is looked at.
  const sure: WholeCounts = {
    input: Math.min(tokens(card.contextTokens), HIDDEN_INPUT),
    output: Math.min(tokens(card.maxOutputTokens), tokens(asked ?? MOST_TOKENS)),
    images: received.images,
    searches: 0,
  };
  return possibleUsage(reported, sure, () => boundsOf(deployment, request, received, reported));
}

function boundsOf(deployment: Counted, request: ModelRequest, received: Received, reported: Usage): UsageBounds {
  const most = mostOf(deployment, request, received);
  const isOnce = isRunOnce(deployment.provider, request, deployment.card.id);
  const input = isOnce && isAllText(request) ? textInput(deployment, request, reported?.input) : MOST_TOKENS;
  const output = isOnce ? onceOutput(deployment, request, received) : MOST_TOKENS;
  // Who was asked to search has mostly searched once.
  const searches = Math.min(1, most.searches);
  return {
    most: {
      ...most,
      input: Math.min(most.input, Math.max(input, windowOf(deployment))),
      output: Math.min(most.output, output),
      searches: Math.max(most.searches, unaskedSearches(deployment)),
    },
    above: { input: Math.min(most.input, input), searches: most.searches },
    estimate: () => ({ ...estimateOf(request, received, deployment), searches }),
  };
}

/** What a listed model can read at all; 0 where its limits are guesses. */
const windowOf = ({ card, provider }: Counted): number =>
  isDescribed(provider, card) ? tokens(card.contextTokens) : 0;

/** The settings of an account may search where no request asks for it. */
const unaskedSearches = ({ card, provider }: Counted): number =>
  provider.searches?.fee(card.id) === undefined ? 0 : UNASKED_SEARCHES;

/** The most that can be where nothing is sure of the request. */
function mostOf({ card, provider }: Counted, request: ModelRequest, received: Received): WholeCounts {
  const { size } = needsOf(request);
  const asked = request.operation === 'chat' ? (request.maxOutputTokens ?? 0) : 0;
  const limit = Math.max(tokens(card.maxOutputTokens), asked) + thinkingOf(request);
  return {
    input: tokens(Math.max(tokens(card.contextTokens), size.upperTokens) * LEEWAY),
    output: tokens(limit * LEEWAY + answeredTokens(received)),
    images: Math.max(size.images, received.images),
    searches: mostSearches(provider, request, card.id),
  };
}

/** A token covers at least one byte. */
const answeredTokens = ({ billedBytes, outputs }: Received): number => billedBytes + outputs * TOKENS_PER_OUTPUT;

const thinkingOf = (request: ModelRequest): number =>
  request.operation === 'chat' ? (request.reasoning?.budgetTokens ?? 0) : 0;

/** The most tokens of a request that is all text and is read by one run of the model. */
function textInput({ card, provider }: Counted, request: ModelRequest, told: unknown): number {
  const { upperTokens } = needsOf(request).size;
  const { operation } = request;
  // Every piece of a long document is read with the query.
  const times = operation === 'rerank' ? LEEWAY : 1;
  const texts = operation === 'embed' ? request.input.length : operation === 'rerank' ? request.documents.length : 0;
  const hidden = HIDDEN_INPUT + texts * HIDDEN_IN_TEXT;
  // The text of the whole request is made only where the cheaper bound does not do.
  const bytes =
    typeof told === 'number' && told <= upperTokens + hidden ? upperTokens : wholeBytes(request, upperTokens);
  const most = bytes * times + hidden;
  // The window of a model that no card describes is a guess, and so is one that the request itself seems not to fit.
  const isWindowSure = operation === 'chat' && upperTokens <= 2 * card.contextTokens && isDescribed(provider, card);
  return tokens(isWindowSure ? Math.min(most, tokens(card.contextTokens)) : most);
}

/** Everything of the request, names, tools and schemas included. */
function wholeBytes(request: ModelRequest, least: number): number {
  try {
    return Math.max(least, Buffer.byteLength(JSON.stringify(request)));
  } catch {
    return MOST_TOKENS;
  }
}

/** The most tokens that one run of the model writes: up to its limit, unless more arrived. */
function onceOutput({ card, provider }: Counted, request: ModelRequest, received: Received): number {
  const asked = request.operation === 'chat' ? request.maxOutputTokens : undefined;
  const reasoning = request.operation === 'chat' ? request.reasoning : undefined;
  const cardLimit = tokens(card.maxOutputTokens);
  if (asked === undefined && !isDescribed(provider, card)) return MOST_TOKENS;
  const budget = thinkingOf(request);
  const reasons = card.capabilities.includes('reasoning') || reasoning !== undefined;
  // Some servers limit the visible answer only.
  const beside = reasons && asked !== undefined ? budget || cardLimit : budget;
  const limit = (asked ?? cardLimit) + beside;
  const hidden = HIDDEN_OUTPUT + received.toolCalls * HIDDEN_IN_CALL;
  return tokens(Math.max(limit, answeredTokens(received)) + hidden);
}

/** False for a card that was made for a model which the provider does not list: its limits are guesses. */
const isDescribed = ({ models }: Provider, { id }: ModelCard): boolean => models.some((card) => card.id === id);

/** What so many bytes of an answer are taken for. */
export const tokensOf = (bytes: number): number => tokens(Math.ceil(bytes / BYTES_PER_TOKEN));

/** The prompt and the output that arrived: by the exact tokenizer of the model, else by our own count. */
export function estimateOf(
  request: ModelRequest,
  received: Received,
  { counter }: Counted,
): Omit<WholeCounts, 'searches'> {
  const { size } = needsOf(request);
  const { billedBytes, images, texts } = received;
  // Pieces end within words, so they are counted as the one text that they are.
  const counted = counter === undefined || texts === undefined ? undefined : counter.count([texts.join('')]);
  return {
    input: tokens(countedInput(size, counter) ?? size.exactTokens()),
    output: counted === undefined ? tokensOf(billedBytes) : tokens(counted),
    images: images > 0 ? images : size.images,
  };
}

/** A stated cost is believed up to this in any case: fees for searches and the like stand on no card. */
const ANY_COST_NANO_USD = NANO_PER_USD;

/** More than any model costs, for a model whose price is unknown. */
const DEAREST: TokenPrice = { input: 200, output: 1000, image: 1 };

/** The most that a provider may say an answer to this request costs: as far above the worst case as usage may be. */
export function mostStatedCost(deployment: Counted, request: ModelRequest): NanoUsd {
  const { card } = deployment;
  const most = mostOf(deployment, request, new Received());
  const counts = { ...most, imageOutput: most.output, audioOutput: most.output };
  const tokensOnly = { ...counts, searches: 0 };
  const worst =
    worstCostOf(card, counts) ??
    worstCostOf(card, tokensOnly) ??
    worstCostOf({ price: DEAREST }, tokensOnly) ??
    ANY_COST_NANO_USD;
  return Math.min(MOST_NANO_USD, Math.max(ANY_COST_NANO_USD, worst));
}

/** What a provider states as the cost of an answer, as far as it is possible: a whole amount; undefined for what is not. */
export function possibleCostOf(stated: unknown, deployment: Counted, request: ModelRequest): NanoUsd | undefined {
  if (typeof stated !== 'number' || !(stated >= 0)) return undefined;
  if (stated > ANY_COST_NANO_USD && stated > mostStatedCost(deployment, request)) return undefined;
  return Math.ceil(stated);
}

/** The warning about counts that were changed. */
export const usageCorrected = (provider: string, changes: readonly string[]): Warning => ({
  code: 'usage-corrected',
  message: `${provider} reported counts that are not possible, which were changed for the charge: ${changes.join(', ')}.`,
});

// -------------------------------------------------- what a provider may do beyond reading the request and writing

/** More searches than any provider makes for one answer, for a request that sets no bound. */
const MOST_SEARCHES = 1000;

/** Fields that name what is kept at the provider, such as a stored prompt or cached content, which may hold tools as well. */
const NAMES_WHAT_IS_KEPT = /prompt|cach|previous|conversation|thread|session|agent|skill|container/i;

const NO_OPTIONS: readonly string[] = [];

/** The most searches that an answer to this request can have; 0 where none were asked for. */
function mostSearches({ id, searches }: Provider, request: ModelRequest, model: string): number {
  const most = searches?.most(request, model) ?? 0;
  if (most > 0) return Math.min(MOST_SEARCHES, Math.ceil(most));
  const options = optionsFor(request, id);
  // Where nobody says what the options of this provider ask for, any of them may ask for searches.
  const mayAsk = searches === undefined ? options.length > 0 || asksForTools(request) : options.some(namesWhatIsKept);
  return mayAsk ? MOST_SEARCHES : 0;
}

const namesWhatIsKept = (name: string): boolean => NAMES_WHAT_IS_KEPT.test(name);

const asksForTools = (request: ModelRequest): boolean =>
  request.operation === 'chat' && request.providerTools !== undefined && request.providerTools.length > 0;

/** The names of the fields that the request gives for the body of this provider. */
function optionsFor({ providerOptions }: ModelRequest, provider: string): readonly string[] {
  const options = providerOptions?.[provider];
  return typeof options === 'object' && options !== null ? Object.keys(options) : NO_OPTIONS;
}

/** Models that search or run tools without being asked, by what their names say. */
const WORKS_BY_ITSELF = /sonar|compound|search|online|ground|agent|assistant|perplexity|deep-?research/i;

/** True if the model is run once, on this request: it has no tools of the provider, and no options that only the provider understands. */
function isRunOnce({ id }: Provider, request: ModelRequest, model: string): boolean {
  return optionsFor(request, id).length === 0 && !asksForTools(request) && !WORKS_BY_ITSELF.test(`${id}/${model}`);
}

/** True if the request consists of texts that are all in it: no media, whose tokens nobody knows, and nothing kept at the provider. */
function isAllText(request: ModelRequest): boolean {
  switch (request.operation) {
    case 'chat':
      return request.messages.every(isText);
    case 'moderate':
      return request.input.every(isTextPart);
    case 'image':
      return request.image === undefined;
    default:
      return true;
  }
}

const isText = ({ content }: Message): boolean => typeof content === 'string' || content.every(isTextPart);

/** Raw blocks and items of a provider may be no more than the id of what it keeps. */
function isTextPart(part: Part): boolean {
  switch (part.type) {
    case 'text':
      return true;
    case 'reasoning':
      return part.raw === undefined && part.redacted === undefined && part.signature === undefined;
    case 'tool-call':
      return part.item === undefined && part.signature === undefined;
    case 'tool-result':
      return typeof part.content === 'string' || part.content.every(isTextPart);
    default:
      return false;
  }
}
